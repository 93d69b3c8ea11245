"""What became of the tasks of the plan that runs: done, late, owed, answered.

A task belongs to the plan that was approved for the period; what the sales force and the CRM say
of it is joined by its number alone. It is *due* once its latest day is over, *in time* if it was
done by the day that the plan set (nobody grants himself more time), and *overdue* while it is
owed beyond its latest day, which is the new one where it was put off: on an agreed new day it is
not chased before. What nobody said anything about is owed.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.calendars import WorkingCalendar
from analysis.tables import RECORD

DONE, OPEN, MOVED, DROPPED, NO_ANSWER = "done", "open", "moved", "dropped", "no_answer"
OWED = (OPEN, MOVED, NO_ANSWER)
ALL = "all"
_COUNTS = ("tasks", "due", "done", "done_due", "overdue", "in_time", "answered")
_SAID = ["status", "done_on", "moved_to", "answer", "source", "note"]

Flags = NDArray[np.bool_]


def task_progress(
    tasks: pd.DataFrame | None,
    task_results: pd.DataFrame,
    as_of: date,
    calendar: WorkingCalendar,
) -> pd.DataFrame:
    """Each task of the plan, with what became of it (requirement 000-24).

    Parameters
    ----------
    tasks
        RECORD ``tasks`` of the approved plan. None or empty: the tasks that were reported back
        are all there are; their strategy and measure are empty texts, and those without a latest
        day are left out.
    task_results
        RECORD ``task_results``. Those of tasks that the plan does not have are left out.
    as_of
        Last day that counts: what was done later is still open.
    calendar
        Counts the days late.

    Returns
    -------
    DataFrame
        RECORD ``task_progress``, by task. ``days_late``: working days after the planned day on
        which a done one was done (0: in time), or after its latest day that an owed one waits;
        empty where it is not due, dropped, or done on a day that nobody wrote down.
    """
    found = _planned(tasks) if tasks is not None and len(tasks) else _reported(task_results)
    said = task_results.drop_duplicates("task_id").set_index("task_id").reindex(columns=_SAID)
    found = found.join(said, on="task_id")
    for day in ("due", "done_on", "moved_to"):
        found[day] = pd.to_datetime(found[day])
    today = pd.Timestamp(as_of)
    early = (found["status"] == DONE) & (found["done_on"] > today)
    found.loc[early, "status"] = OPEN
    found["status"] = found["status"].where(found["status"].notna(), NO_ANSWER)
    done, owed = found["status"] == DONE, found["status"].isin(OWED)
    found["done_on"] = found["done_on"].where(done & ~early)
    found["moved_to"] = found["moved_to"].where(found["status"] == MOVED)
    waits = owed & (_latest(found) <= today)
    until = found["done_on"].where(done).mask(waits, today)
    late = _working_days(_latest(found), until, calendar)
    found["days_late"] = pd.Series(late, found.index).astype("Int64")
    in_time = (found["done_on"] <= found["due"]).astype("boolean")
    unknown = done & found["done_on"].isna() | ~done & (found["due"] > today)
    found["in_time"] = in_time.mask(unknown)
    columns = RECORD["task_progress"].names
    return found.sort_values("task_id", kind="stable", ignore_index=True)[columns]


def _planned(tasks: pd.DataFrame) -> pd.DataFrame:
    source = tasks["source"].str.partition("/")
    found = tasks[["task_id", "customer_id", "owner_id", "due"]].reset_index(drop=True)
    return found.assign(strategy=source[0].to_numpy(), measure=source[2].to_numpy())


def _reported(task_results: pd.DataFrame) -> pd.DataFrame:
    known = task_results[task_results["due_on"].notna() & task_results["customer_id"].notna()]
    found = known[["task_id", "customer_id", "owner_id"]].reset_index(drop=True)
    return found.assign(due=known["due_on"].to_numpy(), strategy="", measure="")


def _latest(tasks: pd.DataFrame) -> pd.Series:
    """The latest day: the new one where the task was put off."""
    return tasks["due"].where(~(tasks["moved_to"] > tasks["due"]), tasks["moved_to"])


def _working_days(
    after: pd.Series, until: pd.Series, calendar: WorkingCalendar
) -> NDArray[np.float64]:
    """Working days after one day up to another, 0 where it comes first, NaN where none is known."""
    found = np.where(until.isna() | after.isna(), np.nan, 0.0)
    late = (until > after).to_numpy()
    if not late.any():
        return found
    first, last = after[late].min().date(), until[late].max().date()
    span = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    worked = np.cumsum([calendar.is_working(day) for day in span])
    place = [(days[late] - pd.Timestamp(first)).dt.days.to_numpy() for days in (until, after)]
    found[late] = worked[place[0]] - worked[place[1]]
    return found


def progress(
    task_progress: pd.DataFrame,
    as_of: date,
    *,
    people: pd.DataFrame | None = None,
    segments: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """How far the plan has come: by strategy, person, team, segment and week.

    Parameters
    ----------
    task_progress
        From `task_progress`.
    as_of
        Last day that counts.
    people
        RECORD ``people``: the team of a person.
    segments
        customer_id, segment: the segment of a customer.

    Returns
    -------
    DataFrame
        RECORD ``progress``. The rows of one ``by`` add up to ``all`` where everything has that
        property. ``week`` is the ISO week of the planned day; ``until_week`` is what ``all`` was
        at the end of a week, for a burn-up: ``tasks`` due by then, also in weeks to come, and
        what was done by then or by `as_of`.
    """
    if task_progress.empty:
        return pd.DataFrame(columns=RECORD["progress"].names)
    rows = task_progress.reset_index(drop=True)
    flags = _flags(rows, pd.Timestamp(as_of))
    parts = [_grouped(by, values, flags) for by, values in _groups(rows, people, segments).items()]
    found = pd.concat([*parts, _burn_up(rows, pd.Timestamp(as_of))], ignore_index=True)
    for name, top, bottom in (
        ("done_share", "done_due", "due"),
        ("in_time_share", "in_time", "due"),
        ("answered_share", "answered", "tasks"),
    ):
        found[name] = found[top] / found[bottom].where(found[bottom] > 0)
    found = found.sort_values(["by", "value"], kind="stable", ignore_index=True)
    return found[RECORD["progress"].names]


def _groups(
    rows: pd.DataFrame, people: pd.DataFrame | None, segments: pd.DataFrame | None
) -> dict[str, pd.Series]:
    """What each task counts under, empty where it counts under nothing."""
    found = {
        ALL: pd.Series(ALL, rows.index),
        "strategy": rows["strategy"].replace("", None),
        "owner_id": rows["owner_id"],
        "week": _week(rows["due"]),
    }
    if people is not None and len(people):
        team = people.drop_duplicates("person_id").set_index("person_id")["team_id"]
        found["team_id"] = rows["owner_id"].map(team)
    if segments is not None and len(segments):
        segment = segments.drop_duplicates("customer_id").set_index("customer_id")["segment"]
        found["segment"] = rows["customer_id"].map(segment)
    return found


def _week(days: pd.Series) -> pd.Series:
    iso = days.dt.isocalendar()
    found: pd.Series = iso["year"].astype(str) + "-W" + iso["week"].astype(str).str.zfill(2)
    return found


def _flags(rows: pd.DataFrame, today: pd.Timestamp) -> pd.DataFrame:
    """What each task counts as."""
    due, done = rows["due"] <= today, rows["status"] == DONE
    owed = rows["status"].isin(OWED)
    return pd.DataFrame(
        {
            "tasks": True,
            "due": due,
            "done": done,
            "done_due": done & due,
            "overdue": owed & (_latest(rows) <= today),
            "in_time": rows["in_time"].fillna(False).astype(bool) & due,
            "answered": rows["status"] != NO_ANSWER,
        }
    )


def _grouped(by: str, values: pd.Series, flags: pd.DataFrame) -> pd.DataFrame:
    sums = flags.astype("int64").groupby(values.to_numpy(dtype=object), sort=True).sum()
    return sums.rename_axis("value").reset_index().assign(by=by)


def _burn_up(rows: pd.DataFrame, today: pd.Timestamp) -> pd.DataFrame:
    """The state at the end of each week, from the first task to the last, or to now."""
    # a task done on a day that nobody wrote down was done by now
    done = rows["done_on"].where(rows["done_on"].notna() | (rows["status"] != DONE), today)
    days = pd.concat([rows["due"], done.dropna(), pd.Series([today])])
    first, last = days.min().to_period("W"), days.max().to_period("W")
    ends = pd.period_range(first, last).end_time.normalize()
    cut = np.minimum(ends.to_numpy(), today.to_datetime64())[:, None]
    planned: Flags = rows["due"].to_numpy()[None, :] <= ends.to_numpy()[:, None]
    due = rows["due"].to_numpy()[None, :] <= cut
    finished = done.to_numpy()[None, :] <= cut  # NaT is never before anything
    latest = _latest(rows).to_numpy()[None, :] <= cut
    dropped = (rows["status"] == DROPPED).to_numpy()
    in_time = rows["in_time"].fillna(False).to_numpy(dtype=bool)
    answered = (rows["status"] != NO_ANSWER).to_numpy()
    counts = (
        planned, due, finished, due & finished, latest & ~finished & ~dropped, due & in_time,
        planned & answered,
    )  # fmt: skip
    sums = {name: flag.sum(axis=1) for name, flag in zip(_COUNTS, counts, strict=True)}
    return pd.DataFrame({"by": "until_week", "value": _week(pd.Series(ends)).to_numpy(), **sums})


def every_task(task_results: pd.DataFrame, task_progress: pd.DataFrame) -> pd.DataFrame:
    """What was reported back, and the tasks of the plan that nobody reported on.

    KPIs divide by the tasks that were due; those in files that never came back were due as well.

    Returns
    -------
    DataFrame
        RECORD ``task_results``; the status of what nobody reported is empty.
    """
    columns = RECORD["task_results"].names
    planned = task_progress.rename(columns={"due": "due_on"}).reindex(columns=columns)
    planned["status"] = planned["status"].replace(NO_ANSWER, None)
    others = task_results[~task_results["task_id"].isin(set(planned["task_id"]))]
    filled = [part for part in (others.reindex(columns=columns), planned) if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else others.reindex(columns=columns)
