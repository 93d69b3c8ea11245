"""What the made-up sales force answers to a plan's tasks: planted, and found again."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import demo, effects
from analysis.calendars import Period, WorkingCalendar
from analysis.demo import answers
from analysis.demo.aftercare import FINISHED

QUARTER = Period.parse("2025Q4")
SEED, CUSTOMERS, CARRIED = 7, 3_000, 0.8
WORDS = {"已完成": "done", "改期": "moved", "放弃": "dropped", "未完成": "open"}


def company() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Customers, their measures and two tasks each."""
    codes = [f"KH{n:06d}" for n in range(1, CUSTOMERS + 1)]
    people = pd.DataFrame({"customer_id": codes, "name": codes})
    assigned = pd.DataFrame({"customer": range(CUSTOMERS), "strategy": "executive_visit"})
    assigned["period"] = QUARTER.name
    assigned["done"] = np.arange(CUSTOMERS) % 10 < 10 * CARRIED
    tasks = pd.DataFrame({"customer_id": np.repeat(codes, 2)})
    tasks["task_id"] = [f"{n:012x}" for n in range(2 * CUSTOMERS)]
    tasks["owner_id"] = [f"S{n % 200:03d}" for n in range(2 * CUSTOMERS)]
    tasks["due"] = pd.Timestamp(2025, 10, 24)
    tasks["source"] = "executive_visit/visit"
    return people, assigned, tasks


def exported(truth: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """The export as a reader finds it."""
    found = answers.export(truth, people, SEED)
    names = {"任务编号": "task_id", "状态": "status", "完成日期": "done_on", "未完成原因": "answer"}
    read = found.rename(columns=names).reindex(
        columns=[*names.values(), "moved_to", "source", "note"]
    )
    return read.assign(
        status=read["status"].map(WORDS),
        done_on=pd.to_datetime(read["done_on"], errors="coerce"),
        moved_to=pd.NaT,
    )


@pytest.mark.requirement("000-24")
def test_progress_finds_what_was_planted() -> None:
    people, assigned, tasks = company()
    truth = answers.answers(tasks, assigned, people, QUARTER, SEED)
    told = truth[truth["told"]]
    found = effects.task_progress(
        tasks, exported(truth, people), QUARTER.end, WorkingCalendar("CN")
    )
    # task by task, wherever somebody answered
    found = found.set_index("task_id")
    assert found["status"].eq("done").sum() == told["done"].sum()
    same = found.loc[told["task_id"]]
    assert same["status"].tolist() == told["status"].tolist()
    assert (same["status"] == "done").to_numpy()[told["late"]].all()
    assert (same["days_late"].fillna(-1).to_numpy()[told["done"]] > 0).tolist() == told["late"][
        told["done"]
    ].tolist()
    assert set(found.drop(told["task_id"])["status"]) == {"no_answer"}
    # and in sum what was planted
    total = effects.progress(found.reset_index(), QUARTER.end).query("by == 'all'").iloc[0]
    silent = answers.SILENT
    spoken = 1 - silent
    assert total["answered_share"] == pytest.approx(spoken, abs=3 * np.sqrt(silent * spoken / 200))
    carried = CARRIED * FINISHED
    noise = 4 * np.sqrt(0.25 / (2 * CUSTOMERS))
    spoken = total["answered_share"]
    assert total["done_share"] / spoken == pytest.approx(carried, abs=noise)
    assert total["in_time_share"] / spoken == pytest.approx(carried * (1 - answers.LATE), abs=noise)
    undone = told[~told["done"]]["status"].value_counts(normalize=True)
    assert undone["moved"] == pytest.approx(answers.MOVED, abs=0.06)
    assert undone["dropped"] == pytest.approx(answers.DROPPED, abs=0.06)


def test_answers_hang_on_the_task_and_its_person_alone() -> None:
    people, assigned, tasks = company()
    whole = answers.answers(tasks, assigned, people, QUARTER, SEED).set_index("task_id")
    part = people.iloc[100:200].reset_index(drop=True)
    own = assigned.iloc[100:200].assign(customer=range(100))
    mixed = tasks.sample(frac=1, random_state=1)
    some = answers.answers(mixed, own, part, QUARTER, SEED).set_index("task_id")
    assert len(some) == 200
    pd.testing.assert_frame_equal(some, whole.loc[some.index])
    other = answers.answers(tasks, assigned, people, QUARTER, SEED + 1)
    assert (other["status"].to_numpy() != whole["status"].to_numpy()).any()


def test_days_lie_in_the_quarter_and_are_worked() -> None:
    people, assigned, tasks = company()
    tasks["due"] = pd.to_datetime(np.resize(["2025-10-09", "2025-11-14", "2025-12-31"], len(tasks)))
    truth = answers.answers(tasks, assigned, people, QUARTER, SEED)
    days = pd.to_datetime(exported(truth, people)["done_on"].dropna())
    assert days.min() >= pd.Timestamp(2025, 10, 9)
    assert days.max() <= pd.Timestamp(2025, 12, 31)
    assert (days.dt.day_of_week < 5).all()


def test_the_tasks_of_a_record_are_answered_once_and_for_all(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    demo.write(folder, customers=60, seed=11)
    ids = [f"KH{n:06d}" for n in range(1, 61)]
    plan = pd.DataFrame({"customer_id": ids, "strategy": "executive_visit", "wave": "first"})
    plan["start"] = QUARTER.start
    tables = tmp_path / "record" / "tables"
    tables.mkdir(parents=True)
    plan.to_parquet(tables / "plan.parquet")
    tasks = pd.DataFrame(
        {"task_id": [f"{n:012x}" for n in range(60)], "customer_id": ids, "owner_id": "XS003",
         "due": pd.Timestamp(2025, 11, 3), "source": "executive_visit/visit"}
    )  # fmt: skip
    tasks.to_parquet(tables / "tasks.parquet")
    demo.next_quarter(folder, tmp_path / "record")
    truth = pd.read_parquet(folder / "truth" / "tasks.parquet")
    lines = (folder / "任务_2025Q4.csv").read_bytes().decode("utf-8-sig")
    listed = pd.read_csv(io.StringIO(lines), dtype=str, keep_default_na=False)
    assert listed["任务编号"].tolist() == truth.loc[truth["told"], "task_id"].tolist()
    assert set(truth["task_id"]) == set(tasks["task_id"])
    # the company goes on, and what it said of the quarter stays
    later = plan.assign(start=date(2026, 1, 5))
    later.to_csv(tmp_path / "later.csv", index=False)
    demo.next_quarter(folder, tmp_path / "later.csv")
    assert "RW26Q1" in (folder / "任务_2026Q1.csv").read_bytes().decode("utf-8-sig")
    assert (folder / "任务_2025Q4.csv").read_bytes().decode("utf-8-sig") == lines
