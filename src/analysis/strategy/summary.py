"""The plan on one page: a row a strategy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.strategy.evidence import NONE, Evidence
from analysis.strategy.planning import LATER
from analysis.strategy.playbook import Measure, Playbook
from analysis.tables import RECORD

_ORDER = {"proven": 0, "measured": 1, "untested": 2, "mandatory": 3}
_EXEMPT = "exempt"


def summarise(
    plan: pd.DataFrame,
    evidence: Mapping[str, Evidence],
    segments: pd.DataFrame,
    *,
    options: pd.DataFrame,
    playbook: Playbook,
    designs: pd.DataFrame,
    margin_rate: float,
) -> pd.DataFrame:
    """Each strategy of the plan: how many, what it costs, what it is expected to bring.

    Parameters
    ----------
    plan
        From `analysis.strategy.plan`.
    evidence
        From `analysis.strategy.learnt`.
    segments
        RECORD table.
    options
        From `analysis.strategy.options`: the bounds of what each customer is expected to bring.
    playbook
        As given to the plan.
    designs
        RECORD table: what the waves can show, and the break-even.
    margin_rate
        Margin in extra revenue, 0-1.

    Returns
    -------
    DataFrame
        RECORD ``plan_summary``: proven strategies first, then measured, untested and duties;
        within these by expected value, then in the playbook's order. ``customers`` get it now
        (``exempt`` of them outside the draw), ``later`` wait, ``left_out`` have no row: no
        condition holds, the measure was ruled out for them, or budget or capacity ended. The
        expected value and its bounds are summed over the customers now: one effect stands behind
        all of them, so their errors do not cancel out. ``detectable`` and
        ``break_even`` are those of the design; duties have none. Owner, channel and KPI are
        those of the strategy's first measure, as in ``strategy_table``.
    """
    if plan.empty:
        return pd.DataFrame(columns=RECORD["plan_summary"].names)
    sizes = segments["segment"].value_counts()
    shown = designs.set_index("strategy")
    bounds = options[["customer_id", "measure", "worth_low", "worth_high"]]
    plan = plan.merge(bounds, on=["customer_id", "measure"], how="left")
    rows = []
    for strategy in playbook.strategies():
        chosen = plan[plan["strategy"] == strategy]
        if chosen.empty:
            continue
        leading = _leading(playbook, strategy)
        row = _row(chosen, evidence.get(strategy, Evidence()), leading)
        segment = row["segment"]
        row["basis"] = row["basis"] if leading.extra else "mandatory"
        row["left_out"] = int(sizes.get(segment, 0)) - row["customers"] - row["later"]
        row["margin_rate"] = margin_rate
        for column in ("detectable", "break_even"):
            row[column] = shown[column].get(strategy, math.nan)
        rows.append(row)
    frame = pd.DataFrame(rows)
    frame["order"] = frame["basis"].map(_ORDER)
    frame["value"] = -frame["expected_value"]
    frame = frame.sort_values(["order", "value"], kind="stable", na_position="last")
    frame["rank"] = np.arange(1, len(frame) + 1)
    return frame.reindex(columns=RECORD["plan_summary"].names).reset_index(drop=True)


def _leading(playbook: Playbook, strategy: str) -> Measure:
    """The strategy's first measure: owner, channel and KPI of the strategy are its own."""
    measures = [m for plan in playbook.segments.values() for m in plan.measures.values()]
    return next(measure for measure in measures if measure.strategy == strategy)


def _row(chosen: pd.DataFrame, evidence: Evidence, leading: Measure) -> dict[str, Any]:
    wave = chosen.groupby("customer_id")["wave"].first()
    now = chosen[chosen["wave"] != LATER]
    shown = now if len(now) else chosen
    first = chosen.iloc[0]
    valued = now[now["expected_value"].notna()]
    planned = len(valued) > 0
    return {
        "strategy": first["strategy"],
        "segment": first["segment"],
        "customers": int((wave != LATER).sum()),
        "later": int((wave == LATER).sum()),
        "exempt": int((wave == _EXEMPT).sum()),
        "cost": math.fsum(now["cost"].astype(float)),
        "expected_value": _total(valued["expected_value"]),
        "expected_low": _total(valued["worth_low"]),
        "expected_high": _total(valued["worth_high"]),
        "grade": evidence.grade if planned else NONE,
        "owner_role": leading.owner_role,
        "channel": leading.channel,
        "kpi": leading.kpi,
        "start": shown["start"].min(),
        "due": shown["due"].max(),
        "basis": _basis(evidence, planned),
    }


def _total(values: pd.Series) -> float:
    return math.fsum(values.astype(float)) if len(values) else math.nan


def _basis(evidence: Evidence, planned: bool) -> str:
    if not planned:
        return "untested"
    return "proven" if evidence.proven else "measured"
