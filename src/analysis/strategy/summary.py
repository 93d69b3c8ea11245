"""The plan on one page: a row a strategy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis.settings_measures import Strategy
from analysis.stats import steady
from analysis.strategy.evidence import NONE, Evidence, read
from analysis.strategy.playbook import Playbook
from analysis.strategy.waves import EXEMPT, FIRST, LATER
from analysis.tables import RECORD

_ORDER = {"proven": 0, "measured": 1, "untested": 2, "mandatory": 3}
_FEWEST = 3  # customers whose spread says anything


def summarise(
    plan: pd.DataFrame,
    effects: pd.DataFrame | None,
    segments: pd.DataFrame,
    settings: Strategy,
    *,
    playbook: Playbook,
    features: pd.DataFrame,
    margin_rate: float,
    power: float = 0.80,
    level: float = 0.95,
) -> pd.DataFrame:
    """Each strategy of the plan: how many, what it costs, what it is expected to bring.

    Parameters
    ----------
    plan
        From `analysis.strategy.plan`.
    effects
        RECORD ``effects``, as given to the plan.
    segments, features
        RECORD tables.
    settings
        Section ``strategy``.
    playbook
        As given to the plan.
    margin_rate
        Margin in extra revenue, 0-1.
    power, level
        Of the comparison that the waves allow.

    Returns
    -------
    DataFrame
        RECORD ``plan_summary``: proven strategies first, then measured, untested and duties;
        within these by expected value, then in the playbook's order. ``customers`` get it now
        (``exempt`` of them outside the draw), ``later`` wait, ``left_out`` have no row: too
        small for the measure, it keeps its size, or the budget ended. The expected value and
        its bounds are trust × effect × margin × the customers now. ``detectable`` is the
        smallest effect per customer that first against later shows: from the spread of the
        drawn customers' revenue in this period that the previous period's does not explain.
    """
    evidence = read(effects)
    if plan.empty:
        return pd.DataFrame(columns=RECORD["plan_summary"].names)
    sizes = segments["segment"].value_counts()
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
        drawn = chosen.loc[chosen["wave"] != EXEMPT, "customer_id"]
        row["detectable"] = _detectable(
            row.pop("first"), row["later"], _spread(drawn, features), power, level
        )
        row["margin_rate"] = margin_rate
        if margin_rate > 0 and not mandatory:
            per_customer = row["cost"] / row["customers"] if row["customers"] else math.nan
            row["break_even"] = per_customer / margin_rate
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
        "first": int((wave == FIRST).sum()),
        "later": int((wave == LATER).sum()),
        "exempt": int((wave == EXEMPT).sum()),
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
        "break_even": math.nan,
    }


def _basis(evidence: Evidence, planned: bool) -> str:
    if not planned:
        return "untested"
    return "proven" if evidence.proven else "measured"


def _detectable(first: int, later: int, sd: float, power: float, level: float) -> float:
    if min(first, later) < 2:
        return math.nan
    z = stats.norm.ppf(0.5 + level / 2) + stats.norm.ppf(power)
    found = float(z * sd * math.sqrt(1 / first + 1 / later))
    return steady(found, found)


def _spread(customers: pd.Series, features: pd.DataFrame) -> float:
    """Standard deviation of revenue that the previous period's does not explain."""
    chosen = features[features["customer_id"].isin(set(customers))]
    if len(chosen) < _FEWEST:
        return math.nan
    now = chosen["revenue_period"].to_numpy(float)
    before = chosen["revenue_previous"].to_numpy(float)
    explained = 0.0
    if np.ptp(now) > 0 and np.ptp(before) > 0:
        explained = float(np.corrcoef(now, before)[0, 1] ** 2)
    return float(now.std(ddof=1)) * math.sqrt(max(0.0, 1 - explained))
