"""The tasks of a week: what was due and is done, what is overdue, what the next week brings."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from analysis.calendars import Period
from analysis.tables import RECORD

EVERYBODY = "all"
NOBODY = "unknown"
_SAID = ["task_id", "owner_id", "due_on", "status", "moved_to"]


def task_states(tasks: pd.DataFrame | None, results: pd.DataFrame | None) -> pd.DataFrame:
    """Tasks with what was said of them.

    Parameters
    ----------
    tasks
        RECORD ``tasks`` of the plan in force, or None. Where there is none, or something was
        reported but nothing of this plan (it was never loaded into the CRM), the tasks that
        were reported count instead.
    results
        RECORD ``task_results`` or ``task_progress``; what it does not name is open.

    Returns
    -------
    DataFrame
        task_id, owner_id, strategy (empty for tasks that no plan knows), due (the new day of a
        moved one), status.
    """
    said = pd.DataFrame(columns=_SAID) if results is None else results
    said = said.rename(columns={"due_on": "due"}).drop_duplicates("task_id", keep="last")
    if tasks is None or (len(said) and not tasks["task_id"].isin(said["task_id"]).any()):
        found = said[["task_id", "owner_id", "due"]].dropna(subset=["due"]).assign(strategy="")
    else:
        found = tasks[["task_id", "owner_id", "due"]].assign(
            strategy=tasks["source"].astype(str).str.partition("/")[0]
        )
    known = said.set_index("task_id")
    status = found["task_id"].map(known["status"]).astype(object).fillna("open")
    moved = pd.to_datetime(found["task_id"].map(known["moved_to"]))
    due = pd.to_datetime(found["due"])
    return found.assign(status=status, due=moved.where((status == "moved") & moved.notna(), due))


def open_tasks(tasks: pd.DataFrame | None, states: pd.DataFrame, until: date) -> pd.DataFrame:
    """The plan's tasks that are still to be done by a day, for the workbooks of a week.

    Parameters
    ----------
    tasks
        RECORD ``tasks`` of the plan in force; None: there is none.
    states
        From `task_states`.
    until
        Last day: tasks due later, or moved beyond it, are left for another week.

    Returns
    -------
    DataFrame
        RECORD ``tasks``; ``due`` is the new day of those that were moved.
    """
    if tasks is None or tasks.empty:
        return pd.DataFrame(columns=RECORD["tasks"].names)
    known = states.drop_duplicates("task_id").set_index("task_id")
    # nothing was said of it: still to be done
    status = tasks["task_id"].map(known["status"]).astype(object).fillna("open")
    new = pd.to_datetime(known["due"]).reindex(tasks["task_id"]).set_axis(tasks.index)
    due = new.where(new.notna(), pd.to_datetime(tasks["due"]))
    waiting = status.isin(["open", "moved"]) & (due <= pd.Timestamp(until))
    found = tasks.assign(due=due)[waiting]
    return found.sort_values(["due", "task_id"], kind="stable", ignore_index=True)


def week_tasks(
    states: pd.DataFrame, week: Period, as_of: pd.Timestamp, people: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What each person had to do in the week, and has to do in the next.

    Parameters
    ----------
    states
        From `task_states`.
    week, as_of
        The week, and the last day that counts: a task due on it and not done is overdue.
    people
        RECORD ``people``; without it numbers stand for the names.

    Returns
    -------
    tuple
        RECORD ``weekly_tasks`` with a row ``all``, and RECORD ``weekly_next``. A dropped task
        is neither due nor overdue. Both are empty without tasks.
    """
    columns = RECORD["weekly_tasks"].names
    alive = states[states["status"] != "dropped"]
    if alive.empty:
        return pd.DataFrame(columns=columns), pd.DataFrame(columns=RECORD["weekly_next"].names)
    alive = alive.assign(owner_id=alive["owner_id"].fillna("").replace("", NOBODY))
    start, last = pd.Timestamp(week.start), pd.Timestamp(as_of)
    after = pd.Timestamp(week.end) + timedelta(days=1)
    done = alive["status"] == "done"
    here = (alive["due"] >= start) & (alive["due"] <= last)
    coming = (alive["due"] > last) & (alive["due"] < after + timedelta(days=7)) & ~done
    marks = pd.DataFrame(
        {
            "owner_id": alive["owner_id"],
            "due": here.astype("int64"),
            "done": (here & done).astype("int64"),
            "overdue": ((alive["due"] <= last) & ~done).astype("int64"),
            "next_due": coming.astype("int64"),
            "first_due": alive["due"].where(coming),
        }
    )
    counts = ["due", "done", "overdue", "next_due"]
    how = {**dict.fromkeys(counts, "sum"), "first_due": "min"}
    each = marks.groupby("owner_id").agg(how).reset_index()
    each = each.loc[each[counts].sum(axis=1) > 0]
    whole = marks.assign(owner_id=EVERYBODY).groupby("owner_id").agg(how).reset_index()
    names: dict[str, str] = {}
    if people is not None and len(people):
        called = people.dropna(subset=["name"]).drop_duplicates("person_id")
        names = dict(zip(called["person_id"], called["name"], strict=True))
    rows = pd.concat([whole, each], ignore_index=True)
    nameless = {EVERYBODY: None, NOBODY: None}
    owner = [names.get(who, nameless.get(who, who)) for who in rows["owner_id"]]
    planned = alive[coming & (alive["strategy"] != "")]
    ahead = planned.groupby(["owner_id", "strategy"], as_index=False)
    next_ = ahead.agg(tasks=("task_id", "size")).astype({"tasks": np.int64})
    return rows.assign(owner=owner)[columns], next_[RECORD["weekly_next"].names]
