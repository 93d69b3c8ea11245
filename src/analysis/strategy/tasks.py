"""The plan as tasks: what, by whom, until when, and what counts as done."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pandas as pd

from analysis.calendars import Period, WorkingCalendar
from analysis.strategy.planning import LATER
from analysis.strategy.playbook import Playbook, SegmentPlan, TaskModel, Text
from analysis.tables import RECORD


def tasks(
    plan: pd.DataFrame, playbook: Playbook, period_next: Period, holidays: str = "CN"
) -> pd.DataFrame:
    """Every task of the customers whose measures start now.

    Parameters
    ----------
    plan
        From `analysis.strategy.plan`; the later wave has no tasks yet.
    playbook, period_next
        As given to the plan.
    holidays
        Country of the working calendar.

    Returns
    -------
    DataFrame
        RECORD ``tasks``. The same task of the same customer has the same ``task_id`` whenever
        the period is planned again, so that loading it twice makes no second task. ``due`` is a
        working day between the measure's start and its end; a clock in hours runs on working
        days, as `SegmentPlan.days` counts them.
    """
    calendar = WorkingCalendar(holidays)
    now = plan[plan["wave"] != LATER]
    parts = []
    for key, rows in now.groupby("measure", sort=True):
        segment, measure = playbook.find(str(key))
        arguments = segment.arguments()
        for name, task in measure.tasks.items():
            parts.append(
                pd.DataFrame(
                    {
                        "task_id": task_ids(period_next.name, rows["customer_id"], str(key), name),
                        "customer_id": rows["customer_id"].to_numpy(dtype=object),
                        "owner_id": rows["owner_id"].to_numpy(dtype=object),
                        "owner_role": rows["owner_role"].to_numpy(dtype=object),
                        "title": _said(task.title, arguments),
                        "due": latest(rows, task, segment, calendar).to_numpy(),
                        "standard": _said(task.standard, arguments),
                        "source": f"{measure.strategy}/{key}",
                    }
                )
            )
    if not parts:
        return pd.DataFrame(columns=RECORD["tasks"].names)
    frame = pd.concat(parts, ignore_index=True)
    return frame.sort_values("task_id", kind="stable", ignore_index=True)


def latest(
    rows: pd.DataFrame, task: TaskModel, segment: SegmentPlan, calendar: WorkingCalendar
) -> pd.Series:
    """The latest day of a task for each planned row: counted from its start, within its end."""
    start, end = pd.to_datetime(rows["start"]), pd.to_datetime(rows["due"])
    after = segment.days(task.due)
    days = {
        day: pd.Timestamp(calendar.add_working_days(day.date(), after)) for day in start.unique()
    }
    return pd.Series(start.map(days), index=rows.index).clip(upper=end)


def task_id(period: str, customer: str, measure: str, task: str) -> str:
    """A task's number: the same for the same period, customer, measure and task."""
    return number(period, customer, measure, task)


def task_ids(period: str, customers: pd.Series, measure: str, task: str) -> list[str]:
    """`task_id` of many customers."""
    return [task_id(period, customer, measure, task) for customer in customers]


def number(*parts: str) -> str:
    """Twelve hexadecimal digits that depend on the parts alone."""
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]


def _said(text: Text, arguments: dict[str, Any]) -> str:
    """Catalogue key, or the playbook's own words (``text``), with the terms as arguments."""
    said = {"key": text} if isinstance(text, str) else {"text": text}
    return json.dumps({**said, "args": arguments}, ensure_ascii=False, sort_keys=True)
