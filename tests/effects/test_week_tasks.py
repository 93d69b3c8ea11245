"""The tasks of a week: due, done, overdue, next."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from analysis.calendars import Period
from analysis.effects import open_tasks, task_states, week_tasks
from analysis.tables import RECORD

WEEK = Period.parse("2025-W39")


def plan() -> pd.DataFrame:
    rows = [
        ("T1", "P1", "2025-09-10", "visit/a"),  # earlier, never answered
        ("T2", "P1", "2025-09-22", "visit/a"),
        ("T3", "P2", "2025-09-28", "call/b"),
        ("T4", "P2", "2025-09-29", "call/b"),
        ("T5", None, "2025-10-05", "visit/a"),
        ("T6", "P2", "2025-10-06", "visit/a"),  # the week after the next
        ("T7", "P1", "2025-09-23", "call/b"),
    ]
    return pd.DataFrame(rows, columns=["task_id", "owner_id", "due", "source"])


def said(**states: tuple[str, str | None]) -> pd.DataFrame:
    rows = [(key, None, "2025-01-01", status, moved) for key, (status, moved) in states.items()]
    columns = ["task_id", "owner_id", "due_on", "status", "moved_to"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.requirement("000-24")
def test_due_done_overdue_and_next() -> None:
    results = said(T2=("done", None), T7=("moved", "2025-10-01"), T3=("dropped", None))
    rows, ahead = week_tasks(task_states(plan(), results), WEEK, pd.Timestamp(WEEK.end))
    found = rows.set_index("owner_id")[["due", "done", "overdue", "next_due"]]
    assert found.loc["all"].tolist() == [1, 1, 1, 3]
    assert found.loc["P1"].tolist() == [1, 1, 1, 1]
    assert found.loc["P2"].tolist() == [0, 0, 0, 1]
    assert found.loc["unknown"].tolist() == [0, 0, 0, 1]
    assert rows.set_index("owner_id").loc["P1", "first_due"] == pd.Timestamp("2025-10-01")
    assert dict(zip(ahead["owner_id"] + ahead["strategy"], ahead["tasks"], strict=True)) == {
        "P1call": 1, "P2call": 1, "unknownvisit": 1,
    }  # fmt: skip


def test_what_was_never_loaded_does_not_count_as_overdue() -> None:
    """A plan of whose tasks the CRM knows none: what the CRM reports counts."""
    other = pd.DataFrame(
        [("X1", "P1", "2025-09-24", "open", None)],
        columns=["task_id", "owner_id", "due_on", "status", "moved_to"],
    )
    states = task_states(plan(), other)
    assert states["task_id"].tolist() == ["X1"]
    assert states["strategy"].tolist() == [""]
    rows, ahead = week_tasks(states, WEEK, pd.Timestamp(WEEK.end))
    assert rows.set_index("owner_id").loc["P1", "overdue"] == 1
    assert ahead.empty


def test_without_answers_all_that_is_due_is_overdue() -> None:
    rows, _ = week_tasks(task_states(plan(), None), WEEK, pd.Timestamp(WEEK.end))
    assert rows.set_index("owner_id").loc["all", ["due", "done", "overdue"]].tolist() == [3, 0, 4]


def test_names_come_from_people() -> None:
    people = pd.DataFrame({"person_id": ["P1"], "name": ["甲"]})
    rows, _ = week_tasks(task_states(plan(), None), WEEK, pd.Timestamp(WEEK.end), people)
    named = rows.set_index("owner_id")["owner"].fillna("").to_dict()
    assert named == {"all": "", "P1": "甲", "P2": "P2", "unknown": ""}  # fmt: skip


def test_nothing_is_empty_but_valid() -> None:
    rows, ahead = week_tasks(task_states(None, None), WEEK, pd.Timestamp(WEEK.end))
    assert list(rows.columns) == RECORD["weekly_tasks"].names
    assert list(ahead.columns) == RECORD["weekly_next"].names
    assert rows.empty
    assert ahead.empty


def test_workbooks_of_a_week_hold_what_is_still_to_be_done() -> None:
    tasks = pd.DataFrame(
        {
            "task_id": ["a", "b", "c", "d", "e"],
            "owner_id": "p",
            "due": pd.to_datetime(
                ["2025-10-09", "2025-10-10", "2025-10-10", "2025-11-20", "2025-10-08"]
            ),
            "source": "s/m",
        }
    )
    said = pd.DataFrame(
        {
            "task_id": ["a", "b", "e"],
            "owner_id": "p",
            "due": pd.NaT,
            "status": ["done", "moved", "moved"],
            "moved_to": pd.to_datetime([None, "2025-10-17", "2025-12-01"]),
        }
    )
    found = open_tasks(tasks, task_states(tasks, said), date(2025, 10, 19))
    assert found["task_id"].tolist() == ["c", "b"]
    assert found["due"].iloc[1] == pd.Timestamp("2025-10-17")
    strangers = said.assign(task_id=["x", "y", "z"])  # the CRM never took the plan in
    assert len(open_tasks(tasks, task_states(tasks, strangers), date(2025, 10, 19))) == 4
    assert open_tasks(None, task_states(None, said), date(2025, 10, 19)).empty
