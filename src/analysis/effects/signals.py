"""What adjustment rules look at beside the KPIs: who came, what came of it, what is asked for.

Each row has the form of a KPI: kpi, segment (`all` too), value, unit, n. What cannot be measured
has no row, and its rule says so.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from analysis.calendars import Period
from analysis.stats import steady

ALL = "all"
COLUMNS = ["kpi", "segment", "value", "unit", "n"]


def signals(
    segments: pd.DataFrame,
    period: Period,
    *,
    activities: pd.DataFrame | None = None,
    orders: pd.DataFrame | None = None,
    customers: pd.DataFrame | None = None,
    features: pd.DataFrame | None = None,
    mentions: pd.DataFrame | None = None,
    mentions_before: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Measure the signals of `analysis.effects.adjustments.SIGNALS`.

    Parameters
    ----------
    segments
        customer_id, segment: the customers that count.
    period
        In which activities and orders count.
    activities
        customer_id, happened_at, kind; a ``webinar`` is a participation.
    orders
        customer_id, ordered_at: an order on or after the first participation is a conversion.
    customers, features
        Industry, and money in the window (monetary).
    mentions, mentions_before
        customer_id, trait: what customers asked for in this period and the one before;
        ``integration`` and ``custom`` count.

    Returns
    -------
    DataFrame
        kpi, segment, value, unit, n (customers behind it).
    """
    whose = segments[["customer_id", "segment"]].drop_duplicates("customer_id")
    rows: list[dict[str, Any]] = []
    if activities is not None:
        came = _within(activities[activities["kind"] == "webinar"], "happened_at", period)
        first = came.groupby("customer_id")["happened_at"].min()
        if len(first):
            rows += _shares("webinar_participation", whose, set(first.index), None)
            if orders is not None:
                bought = _within(orders, "ordered_at", period)
                since = bought["customer_id"].map(first)
                after = set(bought.loc[bought["ordered_at"] >= since.dt.normalize(), "customer_id"])
                rows += _shares("training_conversion", whose, after, set(first.index))
    if mentions is not None:
        asked = _asking(mentions, "integration")
        for segment, group in _each(whose):
            n = int(group["customer_id"].isin(asked).sum())
            rows.append(_row("integration_requests", segment, float(n), "count", n))
        if mentions_before is not None:
            rows += _changes(whose, _asking(mentions, "custom"), _asking(mentions_before, "custom"))
    if customers is not None and features is not None:
        both = customers[["customer_id", "industry"]].merge(
            features[["customer_id", "monetary"]], on="customer_id"
        )
        both = both[both["customer_id"].isin(set(whose["customer_id"]))]
        money = both["monetary"].astype(float)
        value, n = separation(pd.Series(np.log(money.where(money > 0))), both["industry"])
        if not math.isnan(value):
            rows.append(_row("industry_separation", ALL, value, "share", n))
    return pd.DataFrame(rows, columns=COLUMNS)


def separation(values: pd.Series, groups: pd.Series) -> tuple[float, int]:
    """How much of the spread of a value lies between groups (η²).

    Returns
    -------
    tuple
        Sum of squares between the groups over the total one [share], and the customers with a
        value and a group. NaN with fewer than two groups, or without any spread.
    """
    known = pd.DataFrame({"value": values.to_numpy(float), "group": groups.to_numpy()}).dropna()
    known = known.sort_values(["group", "value"], kind="stable")
    if known["group"].nunique() < 2 or np.ptp(known["value"].to_numpy()) == 0:
        return math.nan, len(known)
    away = known["value"] - known["value"].mean()
    between = away.groupby(known["group"]).transform("mean")
    return steady(math.fsum(between**2) / math.fsum(away**2), 1.0), len(known)


def _within(rows: pd.DataFrame, column: str, period: Period) -> pd.DataFrame:
    day = pd.to_datetime(rows[column]).dt.tz_localize(None).dt.normalize()
    inside = (day >= pd.Timestamp(period.start)) & (day <= pd.Timestamp(period.end))
    return rows.assign(**{column: day})[inside]


def _asking(mentions: pd.DataFrame, trait: str) -> set[str]:
    return set(mentions.loc[mentions["trait"] == trait, "customer_id"])


def _each(whose: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    parts = [(str(name), group) for name, group in whose.groupby("segment", sort=True)]
    return [(ALL, whose), *parts]


def _shares(
    kpi: str, whose: pd.DataFrame, counted: set[str], among: set[str] | None
) -> list[dict[str, Any]]:
    """The share of customers counted, among all or some of them, for each segment."""
    rows = []
    for segment, group in _each(whose):
        ids = group["customer_id"]
        base = ids[ids.isin(among)] if among is not None else ids
        if len(base):
            share = float(base.isin(counted).sum()) / len(base)
            rows.append(_row(kpi, segment, share, "share", len(base)))
    return rows


def _changes(whose: pd.DataFrame, now: set[str], before: set[str]) -> list[dict[str, Any]]:
    """Change in the number of customers asking, relative to those who asked before."""
    rows = []
    for segment, group in _each(whose):
        earlier = int(group["customer_id"].isin(before).sum())
        if earlier:
            change = float(group["customer_id"].isin(now).sum()) / earlier - 1
            rows.append(_row("exclusive_demand_change", segment, change, "number", earlier))
    return rows


def _row(kpi: str, segment: str, value: float, unit: str, n: int) -> dict[str, Any]:
    return {"kpi": kpi, "segment": segment, "value": value, "unit": unit, "n": n}
