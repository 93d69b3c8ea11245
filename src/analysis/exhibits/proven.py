"""Which warnings have proven themselves on the firm's own past, and whom to name first.

A rule is *proven* when the interval of its own share lost lies above the share lost of those whom
nothing warned of, over all past periods; *unproven* when both shares are known and it does not;
*unknown* where the past is too short for either.
"""

from __future__ import annotations

import math
from typing import Literal

import pandas as pd

RULES = ("both", "cycle_exceeded", "activity_down", "usage_down")
ANY, NONE, POOLED = "any", "none", "all"  # rules and period of `warning_record`
Proof = Literal["proven", "unproven", "unknown"]


def proof(record: pd.DataFrame) -> dict[str, Proof]:
    """What the past says of each rule.

    Parameters
    ----------
    record
        RECORD ``warning_record``; may be empty.
    """
    if record.empty:
        return dict.fromkeys(RULES, "unknown")
    pooled = record[record["period"] == POOLED].set_index("rule")
    rates, lows = (pooled[column].astype(float) for column in ("rate", "low"))
    others = float(rates.get(NONE, math.nan))
    return {rule: _judged(float(lows.get(rule, math.nan)), others) for rule in RULES}


def _judged(low: float, others: float) -> Proof:
    if math.isnan(low) or math.isnan(others):
        return "unknown"
    return "proven" if low > others else "unproven"


def leading(warned: pd.DataFrame, record: pd.DataFrame) -> pd.DataFrame:
    """Whom the report names: customers of proven rules, the largest expected loss first.

    Parameters
    ----------
    warned
        RECORD ``warnings``: everybody whom a rule warns of.
    record
        RECORD ``warning_record``.

    Returns
    -------
    pandas.DataFrame
        Rows of `warned` with ``loss``, money times chance; equal ones by customer. While nothing
        is known of any rule, everybody by money, and ``loss`` is missing.
    """
    found = proof(record)
    if warned.empty:
        return warned.assign(loss=pd.Series(dtype=float))
    rows = warned
    if told(found):
        rows = warned[warned["rule"].map(found) == "proven"]
    amount = rows["amount"].astype(float)
    rows = rows.assign(loss=amount * rows["chance"].astype(float) if told(found) else math.nan)
    first = rows["loss"].fillna(amount)
    order = rows.assign(first=first).sort_values(["first", "customer_id"], ascending=[False, True])
    return order.drop(columns="first").reset_index(drop=True)


def told(found: dict[str, Proof]) -> bool:
    """Whether the past says anything of any rule."""
    return any(one != "unknown" for one in found.values())
