"""What plan and playbook ask for in a month, against the tasks that were handed out."""

from __future__ import annotations

import pandas as pd

from analysis.calendars import WorkingCalendar
from analysis.strategy.planning import LATER
from analysis.strategy.playbook import Playbook
from analysis.strategy.tasks import latest
from analysis.tables import RECORD

_KEY = ["strategy", "measure", "month"]


def task_targets(
    plan: pd.DataFrame, tasks: pd.DataFrame, playbook: Playbook, holidays: str = "CN"
) -> pd.DataFrame:
    """How many tasks of each measure are due in each month.

    Parameters
    ----------
    plan, playbook
        They say how many there must be: `planned`, counted without looking at the tasks.
    tasks
        From `analysis.strategy.tasks`; they say how many there are: `tasks`.
    holidays
        Country of the working calendar.

    Returns
    -------
    DataFrame
        RECORD ``task_targets``. Where ``tasks`` and ``planned`` differ, tasks were lost or
        somebody added some.
    """
    wanted, heads = _planned(plan, playbook, WorkingCalendar(holidays))
    source = tasks["source"].astype(str).str.split("/")
    given = pd.DataFrame(
        {
            "strategy": source.str[0],
            "measure": source.str[-1],
            "month": pd.to_datetime(tasks["due"]).dt.strftime("%Y-%m"),
        }
    )
    counts = pd.concat(
        [_count(wanted).rename("planned"), _count(given).rename("tasks")], axis=1
    ).fillna(0)
    if counts.empty:
        return pd.DataFrame(columns=RECORD["task_targets"].names)
    found = counts.astype(int).reset_index().merge(heads, on="measure", how="left")
    found["customers"] = found["customers"].fillna(0).astype(int)
    return found.sort_values(_KEY, ignore_index=True)[RECORD["task_targets"].names]


def _planned(
    plan: pd.DataFrame, playbook: Playbook, calendar: WorkingCalendar
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A row for every task there must be; role and customers of each measure."""
    now = plan[plan["wave"] != LATER]
    rows = [pd.DataFrame(columns=_KEY)]
    heads = []
    for key, chosen in now.groupby("measure", sort=True):
        segment, measure = playbook.find(str(key))
        customers = chosen["customer_id"].nunique()
        heads.append((key, measure.owner_role, customers))
        for task in measure.tasks.values():
            months = latest(chosen, task, segment, calendar).dt.strftime("%Y-%m")
            rows.append(
                pd.DataFrame({"strategy": measure.strategy, "measure": key, "month": months})
            )
    return pd.concat(rows), pd.DataFrame(heads, columns=["measure", "owner_role", "customers"])


def _count(rows: pd.DataFrame) -> pd.Series:
    return rows.groupby(_KEY, sort=True).size()
