"""Health warning by rule, and the firm's own record of what became of those it warned of.

Words used here, all as of a period's end and from nothing that was not known then:

lost
    No order for more than ``lost_cycles`` own cycles (a customer without a contract does not
    say that it leaves); with a contract, its end without a next one. Who is lost already, or has
    never ordered, is not warned of.
warned
    *activity_down*: orders, visits and uses are down by at least ``drop`` against the window
    before. *cycle_exceeded*: no order for more than ``cycles`` own cycles, with an own interval
    to judge by and no contract: who has one orders at its end. *both*.
judged
    Who would be lost within ``horizon_days`` if no order came. For the others the horizon is too
    short to tell, so they count neither as lost nor as kept.
lost within the horizon
    Judged, and no order, or no next contract, came until its end. The cycle is the one known at
    the warning.

Past ends overlap: the same customer is judged at several. The pooled interval is that of
Wilson on the effective number of customers, the number judged over the design effect by
customer (Korn and Graubard 1998, Survey Methodology 24, 193-201), never more than the number
judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.segmentation.reasons import number, sentence
from analysis.settings_model import HealthWarning
from analysis.stats import wilson
from analysis.tables import RECORD

ACTIVITY = "activity_change"
CONTRACT = "days_to_renewal"
POOLED = "all"
NONE = "none"
RULES = ("activity_down", "cycle_exceeded", "both", "any", NONE)


def warned(features: pd.DataFrame, settings: HealthWarning) -> pd.Series:
    """Each customer's warning as of a day.

    Parameters
    ----------
    features
        RECORD ``features``. Without ``activity_change`` only the cycle warns.
    settings
        Section ``segmentation.warning``.

    Returns
    -------
    pandas.Series
        activity_down, cycle_exceeded, both or none; missing for who is lost already or has never
        ordered. Index as of `features`.
    """
    cycles = features["recency_cycles"].astype(float)
    down = pd.Series(data=False, index=features.index)
    if ACTIVITY in features.columns:
        down = features[ACTIVITY].astype(float) <= -settings.drop
    left = _contract_left(features)
    exceeded = (cycles > settings.cycles) & (features["intervals"].astype(float) > 0) & left.isna()
    found = np.select(
        [down & exceeded, down, exceeded], ["both", "activity_down", "cycle_exceeded"], NONE
    )
    here = (left >= 0) | (left.isna() & (cycles <= settings.lost_cycles))
    return pd.Series(found, index=features.index, dtype=object).where(here)


def _contract_left(features: pd.DataFrame) -> pd.Series:
    """Days until the contract ends, negative after its end; missing for who never had one."""
    if CONTRACT not in features.columns:
        return pd.Series(np.nan, index=features.index)
    return features[CONTRACT].astype(float)


def judged(then: pd.DataFrame, later: pd.DataFrame, settings: HealthWarning) -> pd.DataFrame:
    """What became of the customers of a past end within the horizon.

    Parameters
    ----------
    then
        RECORD ``features`` as of the past end.
    later
        RECORD ``features`` as of ``horizon_days`` after it.
    settings
        Section ``segmentation.warning``.

    Returns
    -------
    pandas.DataFrame
        One row a customer judged: customer_id, rule, lost, lead_days (days from the end to the
        first on which the customer counts as lost; missing where it was not lost).
    """
    known = then.assign(rule=warned(then, settings)).dropna(subset=["rule"])
    after = later[["customer_id", "last_order_on"]].assign(ended=_contract_left(later) < 0)
    frame = known.merge(after, on="customer_id", suffixes=("", "_later"))
    limit = settings.lost_cycles * frame["expected_interval_days"].astype(float)
    left = _contract_left(frame)
    lead = (left + 1).fillna(limit // 1 + 1 - frame["recency_days"].astype(float))
    silent = ~(frame["last_order_on_later"] > pd.to_datetime(frame["as_of"]))
    lost = frame["ended"].where(left.notna(), silent).astype(bool)
    found = frame[["customer_id", "rule"]].assign(lost=lost, lead_days=lead.where(lost))
    return found[lead <= settings.horizon_days].reset_index(drop=True)


def warning_record(
    past: Mapping[str, pd.DataFrame], later: Mapping[str, pd.DataFrame], settings: HealthWarning
) -> pd.DataFrame:
    """The firm's own share lost, by rule and period: the warning back-tested over past ends.

    Parameters
    ----------
    past
        Period → RECORD ``features`` as of its end.
    later
        Period → RECORD ``features`` as of ``horizon_days`` after its end. Periods that are not
        in it are not over yet and are left out.
    settings
        Section ``segmentation.warning``.

    Returns
    -------
    pandas.DataFrame
        RECORD ``warning_record``: every rule in every period, then pooled (``all``).
        activity_down and cycle_exceeded are customers whom only that rule warned of; they and
        both add to any, any and none to all who were judged. With fewer customers than
        ``min_customers`` there is no rate: it cannot be told. Without ``activity_change`` its
        rules have no customers. ``lift`` is against all judged.
    """
    parts = [
        judged(past[name], later[name], settings).assign(period=name)
        for name in sorted(set(past) & set(later))
    ]
    rows = [
        row for part in parts if len(part) for row in _rows(part, part["period"].iloc[0], settings)
    ]
    pooled = pd.concat(parts) if parts else pd.DataFrame()
    if len(pooled):
        rows += _rows(pooled, POOLED, settings)
    return pd.DataFrame(rows, columns=RECORD["warning_record"].names)


def _rows(part: pd.DataFrame, period: str, settings: HealthWarning) -> list[dict[str, Any]]:
    base = part["lost"].mean()
    found = []
    for rule in RULES:
        rows = part[part["rule"] != NONE] if rule == "any" else part[part["rule"] == rule]
        n, lost = len(rows), int(rows["lost"].sum())
        row = {"rule": rule, "period": period, "customers": n, "lost": lost}
        row["lead_days"] = rows["lead_days"].median()
        if n >= settings.min_customers:
            rate = lost / n
            row |= {"rate": rate, "lift": rate / base if base > 0 else np.nan}
            row["low"], row["high"] = _interval(rows, settings.level)
        found.append(row)
    return found


def _interval(rows: pd.DataFrame, level: float) -> tuple[float, float]:
    """Wilson interval on the effective number of customers."""
    n, rate = len(rows), rows["lost"].mean()
    clusters = rows.groupby("customer_id")["lost"].agg(["size", "sum"])
    count = len(clusters)
    effective = float(count)  # all or none lost: a customer seen twice says nothing twice
    if 0 < rate < 1 and count > 1:
        residual = clusters["sum"] - rate * clusters["size"]
        variance = count / (count - 1) * float((residual**2).sum()) / n**2
        effective = n / max(variance / (rate * (1 - rate) / n), 1.0)
    low, high = wilson(rate * effective, effective, level)
    return float(low), float(high)


def hits_and_misses(record: pd.DataFrame) -> pd.DataFrame:
    """What the warning got right and wrong in each period.

    Parameters
    ----------
    record
        RECORD ``warning_record``.

    Returns
    -------
    pandas.DataFrame
        period, hits (warned and lost), false_alarms (warned and not), misses (lost and not
        warned), judged; the latest period is the last but ``all``.
    """
    rows = {rule: record[record["rule"] == rule].set_index("period") for rule in ("any", NONE)}
    warned_of, quiet = rows["any"], rows[NONE]
    told = {
        "hits": warned_of["lost"],
        "false_alarms": warned_of["customers"] - warned_of["lost"],
        "misses": quiet["lost"],
        "judged": warned_of["customers"] + quiet["customers"],
    }
    return pd.DataFrame(told).rename_axis("period").reset_index()


def warnings(features: pd.DataFrame, record: pd.DataFrame, settings: HealthWarning) -> pd.DataFrame:
    """Who is warned of now, with the firm's own share lost of those warned so before.

    Parameters
    ----------
    features
        RECORD ``features`` as of now.
    record
        RECORD ``warning_record``.
    settings
        Section ``segmentation.warning``.

    Returns
    -------
    pandas.DataFrame
        RECORD ``warnings``, by money; chance, low and high are those of the rule over all past
        periods, empty where the record cannot tell.
    """
    found = features.assign(rule=warned(features, settings))
    found = found[found["rule"].notna() & (found["rule"] != NONE)]
    found = found.sort_values(["monetary", "customer_id"], ascending=[False, True], kind="stable")
    known = record[record["period"] == POOLED].set_index("rule")
    for column, source in (("chance", "rate"), ("low", "low"), ("high", "high")):
        found[column] = found["rule"].map(known[source]).astype(float)
    found["amount"] = found["monetary"]
    for column in ("activity", "activity_before", ACTIVITY):
        if column not in found:
            found[column] = np.nan
    found["reason"] = _reasons(found)
    return found[RECORD["warnings"].names].reset_index(drop=True)


def _reasons(found: pd.DataFrame) -> NDArray[np.object_]:
    columns = {
        "change": (ACTIVITY, "relative"),
        "days": ("recency_days", "days"),
        "interval": ("expected_interval_days", "days"),
        "cycles": ("recency_cycles", "cycles"),
    }
    speaks = {
        "activity_down": ("change",),
        "cycle_exceeded": ("days", "interval", "cycles"),
        "both": tuple(columns),
    }
    values = {
        name: [number(value, unit) for value in found[column]]
        for name, (column, unit) in columns.items()
    }
    rules = found["rule"].to_numpy(object)
    told = [
        sentence(f"warning.{rule}", {name: values[name][i] for name in speaks[rule]})
        for i, rule in enumerate(rules)
    ]
    return np.array(told, dtype=object)
