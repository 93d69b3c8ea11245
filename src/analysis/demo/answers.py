"""What the sales force answers to the tasks of a plan: done or not, in time or late, or nothing.

The numbers of the tasks are the plan's own, so that progress can be followed task by task. What
was planted stands beside: whether somebody answers hangs on the person, whether a task is done on
whether the measure was carried out and on the task's number, so that it is the same whenever the
quarter is lived through again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from analysis.calendars import Period
from analysis.demo import chance, plans
from analysis.demo.aftercare import FINISHED, UNDONE
from analysis.demo.cells import dates
from analysis.demo.kinds import START, day
from analysis.demo.workdays import workdays, workdays_before
from analysis.errors import Problem, SettingsError

SILENT = 0.1  # share of the sales force that answers nothing
LATE = 0.2  # share of the done tasks that are done after their latest day
DROPPED, MOVED = 0.15, 0.35  # shares of the tasks that are not done; the others are open
NEEDED = ("task_id", "customer_id", "owner_id", "due", "source")
IN_RECORD = Path("tables") / "tasks.parquet"


def read(plan: Path) -> pd.DataFrame | None:
    """The tasks that stand beside a plan, in a record or an approval; None where there are none.

    Raises
    ------
    SettingsError
        If they cannot be read.
    """
    if plan.is_dir():
        return _read(plan / IN_RECORD)
    return _read(plan.with_name(IN_RECORD.name)) if plan.name == plans.IN_RECORD.name else None


def place(folder: Path, period: str) -> Path:
    """Where the tasks of a quarter are kept, so that the company can go on."""
    return folder / f"{period}.tasks.parquet"


def kept(folder: Path, period: str) -> pd.DataFrame | None:
    """The tasks of a quarter that is over; None where they were not known."""
    return _read(place(folder, period))


def _read(path: Path) -> pd.DataFrame | None:
    if not path.is_file():
        return None
    try:
        found = pd.read_parquet(path, columns=list(NEEDED))
    except (OSError, ValueError) as error:
        raise SettingsError(Problem("demo.plan_unreadable", {"found": path.as_posix()})) from error
    return found.astype({"due": "datetime64[us]"})


def answers(
    tasks: pd.DataFrame, assigned: pd.DataFrame, population: pd.DataFrame, period: Period, seed: int
) -> pd.DataFrame:
    """What became of the tasks of these customers: the truth.

    Parameters
    ----------
    tasks
        As `read` gives them.
    assigned
        As of `World`: whether each measure of a customer was carried out.
    population
        The customers.

    Returns
    -------
    DataFrame
        The columns of `tasks`, and ``status`` (done, moved, dropped, open), ``done`` and ``told``
        (whether its person answers), ``done_on`` (day number, -1 where it was not done), ``late``.
    """
    codes = population["customer_id"]
    own = assigned[(assigned["period"] == period.name) & assigned["done"].astype(bool)]
    pairs = codes.to_numpy()[own["customer"].to_numpy()] + "/" + own["strategy"].to_numpy()
    found = tasks[tasks["customer_id"].isin(set(codes))].sort_values("task_id", ignore_index=True)
    strategy = found["source"].str.split("/").str[0]
    carried = (found["customer_id"] + "/" + strategy).isin(set(pairs)).to_numpy()
    ids = found["task_id"]
    finished = carried & (chance.uniform(ids, seed, "task finished") < FINISHED)
    due = (found["due"] - pd.Timestamp(START)).dt.days.to_numpy()
    late = chance.uniform(ids, seed, "task late") < LATE
    on = np.where(
        late,
        workdays(due + 7 + chance.whole(ids, seed, "days late", 0, 14)),
        workdays_before(due - chance.whole(ids, seed, "days early", 0, 7)),
    )
    on = np.maximum(on, workdays(np.array([day(period.start)])))
    done = finished & (on <= day(period.end))
    drawn = chance.uniform(ids, seed, "task undone")
    undone = np.where(drawn < MOVED, "moved", np.where(drawn < MOVED + DROPPED, "dropped", "open"))
    person = found["owner_id"].fillna("")
    return found.assign(
        status=np.where(done, "done", undone),
        done=done,
        done_on=np.where(done, on, -1),
        late=done & (on > due),
        told=chance.uniform(person, seed, f"answers {period.name}") >= SILENT,
    )


def export(truth: pd.DataFrame, population: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The firm's list of tasks, as `aftercare.tasks` writes it: those somebody answered."""
    found = truth[truth["told"]].reset_index(drop=True)
    done = found["done"].to_numpy()
    name = dict(zip(population["customer_id"], population["name"], strict=True))
    words = {"done": "已完成", "moved": "改期", "dropped": "放弃", "open": "未完成"}
    why = np.array(UNDONE)[chance.whole(found["task_id"], seed, "why undone", 0, len(UNDONE))]
    due = (found["due"] - pd.Timestamp(START)).dt.days.to_numpy()
    return pd.DataFrame(
        {
            "任务编号": found["task_id"],
            "客户编号": found["customer_id"],
            "客户名称": found["customer_id"].map(name),
            "任务": found["source"].str.split("/").str[-1],
            "责任人编码": found["owner_id"],
            "最迟": dates(due),
            "状态": found["status"].map(words),
            "完成日期": np.where(done, dates(np.where(done, found["done_on"], 0)), ""),
            "未完成原因": np.where(done, "", why),
            "_why": "",
            "_key": found["task_id"],
        }
    )
