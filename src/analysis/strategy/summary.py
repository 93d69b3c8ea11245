"""The plan on one page: a row a strategy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from analysis.settings_measures import Strategy
from analysis.strategy.evidence import NONE, Evidence, read
from analysis.strategy.planning import LATER
from analysis.strategy.playbook import Playbook
from analysis.tables import RECORD

_ORDER = {"proven": 0, "measured": 1, "untested": 2, "mandatory": 3}
_EXEMPT = "exempt"


def summarise(
    plan: pd.DataFrame,
    effects: pd.DataFrame | None,
    segments: pd.DataFrame,
    settings: Strategy,
    *,
    playbook: Playbook,
    designs: pd.DataFrame,
    margin_rate: float,
) -> pd.DataFrame:
    """Each strategy of the plan: how many, what it costs, what it is expected to bring.

    Parameters
    ----------
    plan
        From `analysis.strategy.plan`.
    effects
        RECORD ``effects``, as given to the plan.
    segments
        RECORD table.
    settings
        Section ``strategy``.
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
        (``exempt`` of them outside the draw), ``later`` wait, ``left_out`` have no row: too
        small for the measure, it keeps its size, or the budget ended. The expected value and
        its bounds are trust × effect × margin × the customers now. ``detectable`` and
        ``break_even`` are those of the design; duties have none.
    """
    evidence = read(effects)
    if plan.empty:
        return pd.DataFrame(columns=RECORD["plan_summary"].names)
    sizes = segments["segment"].value_counts()
    shown = designs.set_index("strategy")
    rows = []
    for strategy in playbook.strategies():
        chosen = plan[plan["strategy"] == strategy]
        if chosen.empty:
            continue
        row = _row(chosen, evidence.get(strategy, Evidence()), settings.trust, margin_rate)
        segment = row["segment"]
        mandatory = not playbook.find(str(chosen["measure"].iloc[0]))[1].extra
        row["basis"] = "mandatory" if mandatory else row["basis"]
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


def _row(
    chosen: pd.DataFrame, evidence: Evidence, trust: float, margin_rate: float
) -> dict[str, Any]:
    wave = chosen.groupby("customer_id")["wave"].first()
    now = chosen[chosen["wave"] != LATER]
    shown = now if len(now) else chosen
    first = chosen.iloc[0]
    customers = int((wave != LATER).sum())
    planned = evidence.measured and bool(shown["expected_value"].notna().any())
    scale = trust * margin_rate * customers if planned else math.nan
    return {
        "strategy": first["strategy"],
        "segment": first["segment"],
        "customers": customers,
        "later": int((wave == LATER).sum()),
        "exempt": int((wave == _EXEMPT).sum()),
        "cost": float(now["cost"].sum()),
        "expected_value": evidence.estimate * scale,
        "expected_low": evidence.low * scale,
        "expected_high": evidence.high * scale,
        "grade": evidence.grade if planned else NONE,
        "owner_role": first["owner_role"],
        "channel": first["channel"],
        "kpi": first["kpi"],
        "start": shown["start"].min(),
        "due": shown["due"].max(),
        "basis": _basis(evidence, planned),
    }


def _basis(evidence: Evidence, planned: bool) -> str:
    if not planned:
        return "untested"
    return "proven" if evidence.proven else "measured"
