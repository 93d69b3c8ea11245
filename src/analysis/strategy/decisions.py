"""At most three things that leadership is asked to decide, by rule.

1. expand: a strategy that worked and now reaches more customers; the most expected value first.
2. stop: a strategy that did not pay, that would take too long to settle, or with which customers
   are expected to buy less; the most money freed first. Asked in the period that shows it, not
   again later.
3. collect: customers of the best segment in arrears, if they are many or too much of the
   receivables is overdue.
4. rescue: customers that fell from the best segment to the one at risk.
5. keep_testing: a strategy whose effect is not settled, or that worked and does not grow.
   start: one that was never measured and whose waves will measure it. The dearest first.

The first of each kind comes first, in this order; if fewer than three kinds apply, the next ones
of the kinds follow in the same order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.calendars import Period, WorkingCalendar
from analysis.roles import AT_RISK, BEST, Roles, roles_of
from analysis.settings_measures import Strategy
from analysis.strategy.evidence import Evidence
from analysis.strategy.playbook import Playbook
from analysis.tables import RECORD

MOST = 3
_DECIDE_WITHIN = 4  # working days after the period's first
_RESCUE_WITHIN = 10
Row = dict[str, Any]


def decisions(
    summary: pd.DataFrame,
    evidence: Mapping[str, Evidence],
    movements: pd.DataFrame,
    plan: pd.DataFrame,
    settings: Strategy,
    *,
    playbook: Playbook,
    period_next: Period,
    arrears: pd.DataFrame | None = None,
    kpis: pd.DataFrame | None = None,
    scheme_segments: pd.DataFrame | None = None,
    most: int = MOST,
) -> pd.DataFrame:
    """What leadership is asked.

    Parameters
    ----------
    summary
        From `summarise`.
    evidence
        From `analysis.strategy.learnt`.
    movements, plan
        RECORD tables.
    settings
        Section ``strategy``.
    playbook, period_next
        As given to the plan.
    arrears, kpis
        RECORD tables; without arrears nobody is asked to collect. Asked is from
        ``collect_customers`` customers of the best segment in arrears on, or with any of them
        while the overdue share is above ``collect_overdue_share``, else above its target.
    scheme_segments
        RECORD table: which segment is the best and which is at risk; without it nobody is to be
        rescued.
    most
        How many at most.

    Returns
    -------
    DataFrame
        RECORD ``decisions``. ``value`` is the expected extra margin (expand, keep_testing), the
        money freed (stop), overdue (collect) or the previous period's revenue at stake (rescue).
    """
    calendar = WorkingCalendar(settings.holidays)
    soon = calendar.add_working_days(period_next.start, _DECIDE_WITHIN)
    later = calendar.add_working_days(period_next.start, _RESCUE_WITHIN)
    planned = [_planned(dict(row), evidence) for row in summary.to_dict("records")]
    kinds: list[list[Row]] = [
        _ordered([r for r in planned if r["decision"] == "expand"], "value"),
        _ordered(_stopped(evidence, playbook), "value"),
        _collect(arrears, kpis, settings, period_next.previous()),
        _rescue(movements, plan, playbook, roles_of(scheme_segments)),
        _ordered([r for r in planned if r["decision"] in ("keep_testing", "start")], "cost"),
    ]
    chosen = [(turn, kind) for kind, rows in enumerate(kinds) for turn in range(len(rows))]
    rows: list[Row] = []
    # all firsts, then all seconds; printed by kind
    for turn, kind in sorted(sorted(chosen)[:most], key=lambda pair: (pair[1], pair[0])):
        row = dict(kinds[kind][turn])
        row["owner_role"] = playbook.decision_owners.get(row["decision"], row["owner_role"])
        row["due"] = later if row["decision"] in ("collect", "rescue") else soon
        rows.append({**row, "rank": len(rows) + 1})
    frame = pd.DataFrame(rows, columns=RECORD["decisions"].names)
    frame["due"] = pd.to_datetime(frame["due"])
    return frame


def _planned(row: dict[Any, Any], evidence: Mapping[str, Evidence]) -> Row:
    known = evidence.get(str(row["strategy"]), Evidence())
    if row["basis"] == "mandatory":
        decision = ""
    elif known.proven and row["customers"] > known.treated:
        decision = "expand"
    elif known.treated:
        decision = "keep_testing"
    else:  # a draw too small to compare anything is no test worth asking for
        decision = "" if math.isnan(row["detectable"]) else "start"
    return {
        "decision": decision,
        "strategy": row["strategy"],
        "segment": row["segment"],
        "customers": row["customers"],
        "customers_before": known.treated,
        "cost": row["cost"],
        "value": row["expected_value"],
        "value_low": row["expected_low"],
        "value_high": row["expected_high"],
        "owner_role": row["owner_role"],
    }


def _stopped(evidence: Mapping[str, Evidence], playbook: Playbook) -> list[Row]:
    rows: list[Row] = []
    for segment, _, measure in playbook.measures():
        known = evidence.get(measure.strategy, Evidence())
        if (
            measure.extra
            and known.current
            and (known.stopped or known.negative)
            and measure.strategy not in {row["strategy"] for row in rows}
        ):
            rows.append(
                {
                    "decision": "stop",
                    "strategy": measure.strategy,
                    "segment": segment,
                    "customers": known.treated,
                    "customers_before": known.treated,
                    "cost": 0.0,
                    "value": known.cost,
                    "value_low": math.nan,
                    "value_high": math.nan,
                    "owner_role": measure.owner_role,
                }
            )
    return rows


def _collect(
    arrears: pd.DataFrame | None, kpis: pd.DataFrame | None, settings: Strategy, period: Period
) -> list[Row]:
    if arrears is None or arrears.empty:
        return []
    owing = arrears[arrears["collect"].astype(bool)]
    if owing.empty:
        return []
    if len(owing) < settings.collect_customers and not _too_much(kpis, settings, period):
        return []
    return [
        {
            "decision": "collect",
            "strategy": None,
            "segment": str(owing["segment"].iloc[0]),
            "customers": len(owing),
            "customers_before": 0,
            "cost": 0.0,
            "value": float(owing["overdue"].astype(float).sum()),
            "value_low": math.nan,
            "value_high": math.nan,
            "owner_role": "finance_director",
        }
    ]


def _too_much(kpis: pd.DataFrame | None, settings: Strategy, period: Period) -> bool:
    """Whether more of the receivables is overdue than the settings or the target allow."""
    if kpis is None:
        return False
    rows = kpis[
        (kpis["kpi"] == "overdue_share")
        & (kpis["segment"] == "all")
        & (kpis["period"] == period.name)
    ]
    if rows.empty:
        return False
    share, limit = rows["value"].iloc[0], rows["target"].iloc[0]
    if settings.collect_overdue_share is not None:
        limit = settings.collect_overdue_share
    return bool(share > limit)  # false without a limit


def _rescue(
    movements: pd.DataFrame, plan: pd.DataFrame, playbook: Playbook, roles: Roles
) -> list[Row]:
    best, at_risk = roles.one(BEST), roles.one(AT_RISK)
    fallen = movements[
        (movements["segment_before"] == best) & (movements["segment_after"] == at_risk)
    ]
    if fallen.empty or at_risk not in playbook.segments:
        return []
    mine = plan[plan["customer_id"].isin(set(fallen["customer_id"]))]
    measures = playbook.segments[at_risk].measures.values()
    lead = next((m for m in measures if not m.extra), next(iter(measures)))
    return [
        {
            "decision": "rescue",
            "strategy": lead.strategy,
            "segment": at_risk,
            "customers": len(fallen),
            "customers_before": 0,
            "cost": float(mine["cost"].astype(float).sum()),
            "value": float(fallen["amount_before"].astype(float).sum()),
            "value_low": math.nan,
            "value_high": math.nan,
            "owner_role": lead.owner_role,
        }
    ]


def _ordered(rows: list[Row], column: str) -> list[Row]:
    """The largest first, unknown last, ties by strategy."""

    def place(row: Row) -> tuple[bool, float, str]:
        value = float(row[column])
        return math.isnan(value), -value if not math.isnan(value) else 0.0, str(row["strategy"])

    return sorted(rows, key=place)
