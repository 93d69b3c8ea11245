"""What last period's effects say about the measures of the next."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

ALL = "all"
MONEY = "money"
NONE = "none"
DID_NOT_PAY = "did_not_pay"
WORKED = "worked"
STOP = "stop"


@dataclass(frozen=True)
class Evidence:
    """A strategy's measured effect.

    Attributes
    ----------
    grade
        A-D, or none.
    estimate, low, high
        Effect on money per customer [currency]; NaN where there is none.
    verdict
        worked, did_not_pay, cannot_tell, or none.
    decision
        expand, keep_testing, stop, or none.
    treated
        Customers who had the measure.
    cost
        What it cost for all of them [currency]; NaN if unknown.
    """

    grade: str = NONE
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    verdict: str = NONE
    decision: str = NONE
    treated: int = 0
    cost: float = math.nan

    @property
    def measured(self) -> bool:
        """Whether there is an effect in money to plan with."""
        return not math.isnan(self.estimate)

    @property
    def proven(self) -> bool:
        """Whether it worked."""
        return self.verdict == WORKED

    @property
    def unsettled(self) -> bool:
        """Whether there is an effect in money that is too uncertain for a verdict."""
        return self.measured and not self.proven and not self.stopped

    @property
    def stopped(self) -> bool:
        """Whether it is not planned again: it did not pay, or nobody will ever be able to tell."""
        return self.verdict == DID_NOT_PAY or self.decision == STOP


def read(effects: pd.DataFrame | None) -> dict[str, Evidence]:
    """Evidence by strategy.

    The row for all customers counts, a money outcome before any other. Of several arms that of
    the smallest standard error counts among those that are not stopped; only where every arm
    is stopped the strategy is.
    """
    if effects is None or effects.empty:
        return {}
    rows = effects[effects["segment"] == ALL].copy()
    rows["other"] = rows["unit"] != MONEY
    rows["failed"] = (rows["verdict"] == DID_NOT_PAY) | (rows["decision"] == STOP)
    order = ["strategy", "other", "failed", "std_error", "arm", "outcome"]
    rows = rows.sort_values(order, kind="stable", na_position="last")
    return {
        str(strategy): _evidence(group.iloc[0], group)
        for strategy, group in rows.groupby("strategy", sort=True)
    }


def _evidence(row: pd.Series, group: pd.DataFrame) -> Evidence:
    arms = group.drop_duplicates("arm")
    money = row["unit"] == MONEY
    # `treated` and `cost` count all arms: the money was spent on each of them.
    per_customer = arms["cost_per_customer"].astype(float)
    total = per_customer * arms["n_treated"]
    return Evidence(
        grade=str(row["grade"]),
        estimate=float(row["estimate"]) if money else math.nan,
        low=float(row["low"]) if money else math.nan,
        high=float(row["high"]) if money else math.nan,
        verdict=str(row["verdict"]),
        decision=str(row["decision"]),
        treated=int(arms["n_treated"].sum()),
        cost=float(total.sum()) if total.notna().any() else math.nan,
    )
