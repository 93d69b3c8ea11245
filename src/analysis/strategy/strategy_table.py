"""The table of strategies: type, goal, measures, owner, resources, dates, expected effect."""

from __future__ import annotations

import json
import math
from typing import Any

import pandas as pd

from analysis.calendars import Period, WorkingCalendar
from analysis.strategy.account_plans import said
from analysis.strategy.evidence import NONE
from analysis.strategy.planning import span
from analysis.strategy.playbook import Measure, Playbook, SegmentPlan
from analysis.tables import RECORD


def strategy_table(
    playbook: Playbook, summary: pd.DataFrame, period_next: Period, holidays: str = "CN"
) -> pd.DataFrame:
    """Every strategy of the playbook, whether or not it found customers or money.

    Parameters
    ----------
    playbook
        Of the next period.
    summary
        RECORD ``plan_summary``: customers, cost and expected effect.
    period_next
        The period planned for.
    holidays
        Country of the working calendar.

    Returns
    -------
    DataFrame
        RECORD ``strategy_table``, in the playbook's order: the columns 类型, 目标, 措施, 责任人,
        资源, 节点, 预期效果 of the documents' table. ``rank`` is that of ``plan_summary``; what is
        not in the plan comes after it. No row is without goal and owner: the playbook
        has them. ``kpi`` and ``target`` are those of its first measure.
    """
    calendar = WorkingCalendar(holidays)
    planned = {str(row["strategy"]): row for row in summary.to_dict("records")}
    rows: list[dict[str, Any]] = []
    for segment, plan in playbook.segments.items():
        strategies = dict.fromkeys(measure.strategy for measure in plan.measures.values())
        for strategy in strategies:
            mine = [m for m in plan.measures.values() if m.strategy == strategy]
            days = [span(plan, measure, period_next, calendar) for measure in mine]
            known = planned.get(strategy, {})
            kpi = mine[0].kpi
            target = next((m.target for m in mine if m.kpi == kpi and m.target is not None), None)
            numbers = {
                name: known.get(name, math.nan)
                for name in ("expected_value", "expected_low", "expected_high")
            }
            rows.append(
                {
                    "segment": segment,
                    "strategy": strategy,
                    "extra": mine[0].extra,
                    "goal": _json(said(plan.goal, plan.arguments())),
                    "measures": _json(_titles(mine, plan)),
                    "owner_role": mine[0].owner_role,
                    "resources": _json(_takes(mine, plan)),
                    "starts_on": min(start for start, _ in days),
                    "due": max(due for _, due in days),
                    "kpi": kpi,
                    "target": math.nan if target is None else target.value,
                    "unit": None if target is None else target.unit,
                    "customers": int(known.get("customers", 0)),
                    "cost": float(known.get("cost", 0.0)),
                    **numbers,
                    "grade": known.get("grade", NONE),
                }
            )
    last = len(planned)
    for row in rows:
        last += row["strategy"] not in planned
        row["rank"] = int(planned.get(row["strategy"], {}).get("rank", last))
    frame = pd.DataFrame(rows, columns=RECORD["strategy_table"].names)
    for column in ("starts_on", "due"):
        frame[column] = pd.to_datetime(frame[column])
    return frame


def _titles(measures: list[Measure], plan: SegmentPlan) -> list[dict[str, Any]]:
    """The tasks' titles, each once."""
    told = {
        _json(one): one
        for measure in measures
        for task in measure.tasks.values()
        for one in [said(task.title, plan.arguments())]
    }
    return list(told.values())


def _takes(measures: list[Measure], plan: SegmentPlan) -> list[dict[str, Any]]:
    """What the measures take; where none says, what the segment gets."""
    own = [measure.resources for measure in measures if measure.resources is not None]
    return [said(text, plan.arguments()) for text in own or [plan.resources]]


def _json(told: Any) -> str:
    return json.dumps(told, ensure_ascii=False, sort_keys=True)
