"""Progress of the plan's tasks: due, done, in time, owed, answered; measures carried out."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import effects
from analysis.calendars import WorkingCalendar
from analysis.engine import conform
from analysis.tables import RECORD

AS_OF = date(2025, 10, 17)  # a Friday
CHINA = WorkingCalendar("CN")
COUNTS = ["tasks", "due", "done", "done_due", "overdue", "in_time", "answered"]


def plan(*tasks: tuple[str, str, str, str, str]) -> pd.DataFrame:
    """Tasks from (number, customer, owner, due, source)."""
    columns = ["task_id", "customer_id", "owner_id", "due", "source"]
    found = pd.DataFrame(tasks, columns=columns)
    return found.assign(due=pd.to_datetime(found["due"]))


def results(*rows: dict[str, Any]) -> pd.DataFrame:
    found = pd.DataFrame(rows, columns=RECORD["task_results"].names)
    for day in ("due_on", "done_on", "moved_to"):
        found[day] = pd.to_datetime(found[day])
    return found


def said(
    tasks: pd.DataFrame | None, told: pd.DataFrame, as_of: date = AS_OF
) -> dict[str, dict[str, Any]]:
    found = effects.task_progress(tasks, told, as_of, CHINA)
    assert list(found.columns) == RECORD["task_progress"].names
    conform(found, RECORD["task_progress"])
    rows = found.astype(object).where(found.notna(), None)
    return {str(r["task_id"]): dict(r) for r in rows.to_dict("records")}


DUE = "2025-09-30"  # the last working day before the National Day holidays of 2025


@pytest.mark.requirement("000-24")
@pytest.mark.parametrize(
    ("answer", "status", "days_late", "in_time"),
    [
        ({"status": "done", "done_on": "2025-09-25"}, "done", 0, True),
        ({"status": "done", "done_on": "2025-09-30"}, "done", 0, True),
        # 1 to 8 October are holidays: the 9th is one working day late
        ({"status": "done", "done_on": "2025-10-09"}, "done", 1, False),
        # and Saturday, the 11th, is worked
        ({"status": "done", "done_on": "2025-10-13"}, "done", 4, False),
        ({"status": "done", "done_on": "2025-10-08"}, "done", 0, False),
        ({"status": "done", "done_on": "2025-10-20"}, "open", 8, False),  # after the last day
        ({"status": "done"}, "done", None, None),
        ({"status": "open"}, "open", 8, False),
        ({"status": None}, "no_answer", 8, False),
        ({"status": "moved", "moved_to": "2025-10-14"}, "moved", 3, False),
        ({"status": "moved", "moved_to": "2025-10-31"}, "moved", None, False),
        ({"status": "moved", "moved_to": "2025-09-01"}, "moved", 8, False),
        ({"status": "dropped"}, "dropped", None, False),
    ],
)
def test_one_task(
    answer: dict[str, Any], status: str, days_late: int | None, in_time: bool | None
) -> None:
    found = said(plan(("1", "A", "S", DUE, "care/visit")), results({"task_id": "1", **answer}))["1"]
    assert (found["status"], found["days_late"], found["in_time"]) == (status, days_late, in_time)
    assert (found["strategy"], found["measure"]) == ("care", "visit")
    assert (found["done_on"] is not None) == (status == "done" and "done_on" in answer)


def test_what_is_not_due_is_neither_late_nor_in_time() -> None:
    tasks = plan(*((str(n), "A", "S", "2025-10-20", "care/visit") for n in range(3)))
    told = results({"task_id": "0", "status": "open"},
                   {"task_id": "1", "status": "done", "done_on": "2025-10-16"})  # fmt: skip
    found = said(tasks, told)
    assert [(r["days_late"], r["in_time"]) for r in found.values()] == [
        (None, None), (0, True), (None, None),
    ]  # fmt: skip


def test_only_the_number_joins_and_others_tasks_stay_out() -> None:
    tasks = plan(("1", "A", "S", DUE, "care/visit"))
    told = results({"task_id": "2", "customer_id": "A", "owner_id": "S", "status": "done"})
    assert said(tasks, told)["1"]["status"] == "no_answer"
    assert effects.every_task(told, effects.task_progress(tasks, told, AS_OF, CHINA))[
        "task_id"
    ].tolist() == ["2", "1"]


@pytest.mark.parametrize("tasks", [None, plan()])
def test_without_a_plan_the_tasks_reported_are_all_there_are(tasks: pd.DataFrame | None) -> None:
    told = results(
        {"task_id": "1", "customer_id": "A", "due_on": DUE, "status": "open"},
        {"task_id": "2", "customer_id": "A", "status": "done"},
    )
    found = said(tasks, told)
    assert set(found) == {"1"}
    assert (found["1"]["strategy"], found["1"]["days_late"]) == ("", 8)
    by = effects.progress(effects.task_progress(tasks, told, AS_OF, CHINA), AS_OF)
    assert set(by["by"]) == {"all", "week", "until_week"}


def test_nothing_at_all_is_empty_and_valid() -> None:
    found = effects.task_progress(None, results(), AS_OF, CHINA)
    conform(found, RECORD["task_progress"])
    conform(effects.progress(found, AS_OF), RECORD["progress"])
    treated = pd.DataFrame({"customer_id": ["A"], "strategy": ["care"], "done": [None]})
    assert effects.done_from_tasks(treated, found) is treated
    assert effects.every_task(results(), found).empty


@pytest.mark.requirement("000-24")
def test_progress_by_hand() -> None:
    tasks = plan(
        ("1", "A", "S1", "2025-10-10", "care/visit"),
        ("2", "A", "S1", "2025-10-10", "care/report"),
        ("3", "B", "S2", "2025-10-15", "trial/send"),
        ("4", "B", "S2", "2025-10-15", "trial/send"),
        ("5", "C", "S2", "2025-10-24", "trial/send"),
    )
    told = results(
        {"task_id": "1", "status": "done", "done_on": "2025-10-09"},
        {"task_id": "2", "status": "done", "done_on": "2025-10-13"},
        {"task_id": "3", "status": "moved", "moved_to": "2025-10-22"},
        {"task_id": "5", "status": "done", "done_on": "2025-10-16"},
    )
    people = pd.DataFrame({"person_id": ["S1", "S2"], "team_id": ["T", "T"]})
    segments = pd.DataFrame({"customer_id": ["A", "B"], "segment": ["high", "low"]})
    found = effects.progress(
        effects.task_progress(tasks, told, AS_OF, CHINA), AS_OF, people=people, segments=segments
    )
    conform(found, RECORD["progress"])
    rows = {(r["by"], r["value"]): [r[c] for c in COUNTS] for r in found.to_dict("records")}
    assert rows["all", "all"] == rows["team_id", "T"] == [5, 4, 3, 2, 1, 1, 4]
    assert rows["strategy", "care"] == rows["owner_id", "S1"] == [2, 2, 2, 2, 0, 1, 2]
    assert rows["strategy", "trial"] == [3, 2, 1, 0, 1, 0, 2]
    assert rows["segment", "low"] == [2, 2, 0, 0, 1, 0, 1]
    assert rows["week", "2025-W41"] == [2, 2, 2, 2, 0, 1, 2]
    assert rows["week", "2025-W43"] == [1, 0, 1, 0, 0, 0, 1]
    assert rows["until_week", "2025-W41"] == [2, 2, 1, 1, 1, 1, 2]
    assert rows["until_week", "2025-W42"] == [4, 4, 3, 2, 1, 1, 3]
    assert rows["until_week", "2025-W43"] == [5, 4, 3, 2, 1, 1, 4]
    total = found[found["by"] == "all"].iloc[0]
    assert (total["done_share"], total["in_time_share"]) == (2 / 4, 1 / 4)
    assert total["answered_share"] == 4 / 5
    assert np.isnan(found.set_index(["by", "value"]).loc[("week", "2025-W43"), "done_share"])


_task = st.tuples(
    st.integers(-40, 40),
    st.sampled_from(["done", "open", "moved", "dropped", None]),
    st.one_of(st.none(), st.integers(-40, 40)),
    st.sampled_from("AB"),
    st.sampled_from(["S1", "S2", None]),
    st.sampled_from(["care/visit", "trial/send"]),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(_task, min_size=1, max_size=25), st.randoms(use_true_random=False))
def test_parts_add_up_and_the_last_week_is_now_whatever_the_order(
    rows: list[tuple[Any, ...]], order: Any
) -> None:
    day = pd.Timestamp(AS_OF) + pd.to_timedelta([r[0] for r in rows], unit="D")
    ids = [f"{n:02d}" for n in range(len(rows))]
    frame = pd.DataFrame(
        rows, columns=["_", "status", "moved", "customer_id", "owner_id", "source"]
    )
    tasks = frame[["customer_id", "owner_id", "source"]].assign(task_id=ids, due=day)
    moved = pd.Timestamp(AS_OF) + pd.to_timedelta(frame["moved"].astype(float), unit="D")
    told = results(
        *({"task_id": i, "status": s} for i, s in zip(ids, frame["status"], strict=True))
    )
    told["done_on"] = moved.where(frame["status"] == "done")
    told["moved_to"] = moved.where(frame["status"] == "moved")
    found = effects.task_progress(tasks, told, AS_OF, CHINA)
    mixed = effects.task_progress(
        tasks.sample(frac=1, random_state=order.randint(0, 99)),
        told.sample(frac=1, random_state=order.randint(0, 99)), AS_OF, CHINA,
    )  # fmt: skip
    pd.testing.assert_frame_equal(found, mixed)
    by = effects.progress(found, AS_OF)
    total = by[by["by"] == "all"].iloc[0][COUNTS].astype(int)
    for group in ("strategy", "week"):
        assert by[by["by"] == group][COUNTS].sum().eq(total).all()
    burnt = by[by["by"] == "until_week"]
    assert (
        burnt[["tasks", "due", "done", "done_due", "in_time"]].diff().dropna().ge(0).all(axis=None)
    )
    last = burnt.iloc[-1][COUNTS].astype(int)
    assert last.eq(total).all()
    assert (by["done_due"] <= by["due"]).all()
    assert (by["in_time"] <= by["due"]).all()


@pytest.mark.parametrize(
    ("answers", "carried"),
    [
        (["done", "done"], True),
        (["done", "dropped"], True),
        (["dropped", "dropped"], False),
        (["done", "open"], True),
        (["done", None], True),
        (["open", "moved"], False),
        ([None, None], None),
        (["open", None], None),
        (["done", "open", "open"], False),
        (["done", "open", None], None),
        (["open", "open", None], False),
        (["done", "open", "open", "dropped", "dropped"], False),
    ],
)
def test_whether_a_measure_was_carried_out(answers: list[str], carried: bool | None) -> None:
    tasks = plan(*((str(n + 1), "A", "S", DUE, "care/x") for n in range(len(answers))))
    told = results(*({"task_id": str(n), "status": s} for n, s in enumerate(answers, start=1)))
    found = effects.task_progress(tasks, told, AS_OF, CHINA)
    treated = pd.DataFrame(
        {"customer_id": ["A", "A", "B"], "strategy": ["care", "trial", "care"],
         "arm": "treated", "done": None}
    )  # fmt: skip
    given_done = effects.done_from_tasks(treated, found)
    assert given_done["done"].tolist() == [carried, None, None]
    known = treated.assign(done=[not carried, None, None])
    assert effects.done_from_tasks(known, found)["done"].tolist()[0] is (not carried)
    conform(given_done.assign(started_on=pd.Timestamp(AS_OF), cost=1.0), RECORD["treatments"])


def test_a_task_that_is_not_due_says_nothing_yet() -> None:
    tasks = plan(("1", "A", "S", "2025-12-01", "care/visit"))
    found = effects.task_progress(tasks, results({"task_id": "1", "status": "open"}), AS_OF, CHINA)
    treated = pd.DataFrame({"customer_id": ["A"], "strategy": ["care"], "done": [None]})
    assert effects.done_from_tasks(treated, found)["done"].tolist() == [None]
