"""What is known of each measure: this period's effects, and what earlier periods left on record.

A measure that was stopped, or judged, in an earlier period does not come back as "no evidence
yet" because nobody had it since: the record of all periods (RECORD ``evidence``) speaks for it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd
from scipy import stats

ALL = "all"
MONEY = "money"
NONE = "none"
DID_NOT_PAY = "did_not_pay"
WORKED = "worked"
STOP, EXPAND, KEEP_TESTING = "stop", "expand", "keep_testing"

_ARM = ["strategy", "arm"]
_MEASURE = [*_ARM, "outcome"]
_ADDS_UP = ("A", "B")  # grades whose periods are put together
_DECIDED = {WORKED: EXPAND, DID_NOT_PAY: STOP}  # records without a decision of their own
_COLUMNS = [
    *_MEASURE, "unit", "grade", "estimate", "std_error", "low", "high", "verdict", "decision",
    "n_treated", "cost_per_customer",
]  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """A strategy's measured effect.

    Attributes
    ----------
    grade
        A-D, or none.
    estimate, low, high
        Effect on money per customer, all periods together [currency]; NaN where there is none.
    verdict
        worked, did_not_pay, cannot_tell, or none.
    decision
        expand, keep_testing, stop, or none.
    treated
        Customers who had the measure when it was last measured.
    cost
        What it cost for all of them [currency]; NaN if unknown.
    error
        Standard error of the estimate [currency].
    planned, planned_low, planned_high
        The effect to plan with, shrunk (`analysis.strategy.shrinkage`) [currency].
    halted
        It was stopped, then or earlier, and nothing has shown since that it works.
    resumed
        A person took it up again.
    current
        It was measured in this period; otherwise earlier.
    by_segment
        The effect is that on the segment it is planned for, not on all who had it.
    established
        It worked in an earlier period, and nothing has shown since that it does not.
    judged_in
        Last period in which a fair comparison (grade A or B) was made; empty: none on record.
    money
        Mean money of those it was measured on, in the monetary window [currency]; NaN: not known.
    elasticity
        Part of the effect that grows with the customer's money, 0-1; NaN: not estimated.
    """

    grade: str = NONE
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    verdict: str = NONE
    decision: str = NONE
    treated: int = 0
    cost: float = math.nan
    error: float = math.nan
    planned: float = math.nan
    planned_low: float = math.nan
    planned_high: float = math.nan
    halted: bool = False
    resumed: bool = False
    current: bool = True
    by_segment: bool = False
    established: bool = False
    judged_in: str = ""
    money: float = math.nan
    elasticity: float = math.nan

    @property
    def measured(self) -> bool:
        """Whether there is an effect in money to plan with."""
        return not math.isnan(self.estimate)

    @property
    def proven(self) -> bool:
        """Whether it worked, now or earlier."""
        return self.verdict == WORKED or (self.established and not self.stopped)

    @property
    def unsettled(self) -> bool:
        """Whether there is an effect in money that is too uncertain for a verdict."""
        return self.measured and not self.proven and not self.stopped

    @property
    def stopped(self) -> bool:
        """Whether it is not planned again: it did not pay, or nobody will ever be able to tell."""
        if self.resumed:
            return False
        return self.halted or self.verdict == DID_NOT_PAY or self.decision == STOP

    @property
    def negative(self) -> bool:
        """Whether customers are expected to buy less with it than without."""
        return not self.resumed and self.planned < 0

    def chance(self, line: float) -> float:
        """Chance that the effect to plan with lies above a line [currency]; NaN if unknown."""
        if not self.error > 0:
            return math.nan
        return float(stats.norm.sf(line, self.planned, self.error))


def read(
    effects: pd.DataFrame | None,
    evidence: pd.DataFrame | None = None,
    *,
    homes: Mapping[str, str] | None = None,
    resume: Collection[str] = (),
    level: float = 0.95,
) -> dict[str, Evidence]:
    """Evidence by strategy.

    Parameters
    ----------
    effects
        RECORD ``effects`` of this period; None or empty: nothing was measured in it. The row for
        all customers counts, a money outcome before any other. Of several arms that of the
        smallest standard error counts among those that are not stopped; only where every arm is
        stopped the strategy is.
    evidence
        RECORD ``evidence``, all periods so far. An effect that was looked at more than once is
        that of all periods together; a strategy of earlier periods stands as it was last judged.
        Once stopped it stays so until it is shown to work, or a person says otherwise; once it
        worked, until it is stopped. What was drawn or rolled out outweighs what was not: an
        estimate of a lower grade does not take the place of one of grade A or B on record.
    homes
        Strategy → segment that it is planned for: where its effect is known by segment, drawn
        towards the others, that of the segment counts.
    resume
        Strategies that a person took up again.
    level
        Of the intervals of all periods together.
    """
    past = _in_order(evidence)
    halted, established = _standing(past)
    judged = past[past["grade"].isin(_ADDS_UP) & past["std_error"].astype(float).gt(0)]
    last = judged.groupby("strategy")["period"].max().to_dict()
    now = _current(effects, past, homes or {}, level)
    known = set(now["strategy"])
    then = _earlier(past[~past["strategy"].isin(known)], level)
    both = [frame for frame in (now, then) if not frame.empty]
    if not both:
        return {}
    rows = pd.concat(both, ignore_index=True)
    rows["halted"] = [
        (row.verdict != WORKED and (row.strategy, row.arm) in halted)
        or row.verdict == DID_NOT_PAY
        or row.decision == STOP
        for row in rows.itertuples()
    ]
    rows["other"] = rows["unit"] != MONEY
    rows["by_segment"] = rows["by_segment"].eq(True) if "by_segment" in rows else False
    rows["established"] = [
        arm in established for arm in zip(rows["strategy"], rows["arm"], strict=True)
    ]
    rows["judged_in"] = [str(last.get(strategy, "")) for strategy in rows["strategy"]]
    order = ["strategy", "other", "halted", "std_error", "arm", "outcome"]
    rows = rows.sort_values(order, kind="stable", na_position="last")
    return {
        str(strategy): _evidence(group, strategy in known, strategy in set(resume))
        for strategy, group in rows.groupby("strategy", sort=True)
    }


def _in_order(evidence: pd.DataFrame | None) -> pd.DataFrame:
    columns = ["period", "look", "together", "together_error"]
    if evidence is None or evidence.empty:
        return pd.DataFrame(columns=[*_COLUMNS, *columns])
    known = evidence.sort_values([*_MEASURE, "period"], kind="stable", ignore_index=True)
    decided = known["verdict"].map(_DECIDED).fillna(KEEP_TESTING)
    own = known["decision"] if "decision" in known else pd.Series(None, known.index, dtype=object)
    return known.assign(decision=own.where(own.notna(), decided))


def _standing(past: pd.DataFrame) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Arms that were stopped and not shown to work since; arms that worked, not stopped since."""
    stopped: set[tuple[str, str]] = set()
    established: set[tuple[str, str]] = set()
    for row in past.sort_values("period", kind="stable").itertuples():
        arm = (str(row.strategy), str(row.arm))
        if row.verdict == WORKED:
            stopped.discard(arm)
            established.add(arm)
        elif row.decision == STOP or row.verdict == DID_NOT_PAY:
            stopped.add(arm)
            established.discard(arm)
        elif row.decision == EXPAND:
            established.add(arm)
    return stopped, established


def _latest(past: pd.DataFrame) -> pd.DataFrame:
    """The last row of each measure; its grade is the last one that adds up, where there is one."""
    last = past.drop_duplicates(_MEASURE, keep="last")
    fair = past[past["grade"].isin(_ADDS_UP)].drop_duplicates(_MEASURE, keep="last")
    best = fair.set_index(_MEASURE)["grade"].rename("fair")
    return last.join(best, on=_MEASURE)


def _current(
    effects: pd.DataFrame | None, past: pd.DataFrame, homes: Mapping[str, str], level: float
) -> pd.DataFrame:
    """Rows of this period for all customers; all periods together where there were several."""
    if effects is None or effects.empty:
        return pd.DataFrame(columns=_COLUMNS)
    rows = effects.loc[effects["segment"] == ALL].reindex(columns=_COLUMNS)
    sums = _latest(past)[[*_MEASURE, "look", "together", "together_error", "fair"]]
    rows = rows.merge(sums, on=_MEASURE, how="left")
    several = rows["look"].astype(float) > 1
    weaker = ~rows["grade"].isin(_ADDS_UP)
    use = rows["together"].notna() & (several | weaker | rows["estimate"].isna())
    rows = _put(rows, use, level)
    own = effects[effects["segment"] == effects["strategy"].map(dict(homes))]
    names = ["pooled", "pooled_low", "pooled_high"]
    rows = rows.merge(own.reindex(columns=[*_MEASURE, *names]), on=_MEASURE, how="left")
    pooled = rows[names].astype(float)
    pooled.columns = pd.Index(["estimate", "low", "high"])
    pooled["std_error"] = (pooled["high"] - pooled["low"]) / 2 / _multiple(level)
    by_segment = pooled.notna().all(axis=1) & ~use
    for name in pooled:
        rows[name] = pooled[name].where(by_segment, rows[name].astype(float))
    return rows[_COLUMNS].assign(by_segment=by_segment)


def _earlier(past: pd.DataFrame, level: float) -> pd.DataFrame:
    """Measures that nobody had in this period, as they were last judged."""
    if past.empty:
        return pd.DataFrame(columns=_COLUMNS)
    rows = _latest(past).assign(low=math.nan, high=math.nan)
    rows["low"] = rows["estimate"].astype(float) - _multiple(level) * rows["std_error"].astype(
        float
    )
    rows["high"] = 2 * rows["estimate"].astype(float) - rows["low"]
    return _put(rows, rows["together"].notna(), level)[_COLUMNS]


def _put(rows: pd.DataFrame, use: pd.Series, level: float) -> pd.DataFrame:
    """All periods together in place of the last one, where `use`."""
    mean, error = rows["together"].astype(float), rows["together_error"].astype(float)
    reach = _multiple(level) * error
    found = {"estimate": mean, "std_error": error, "low": mean - reach, "high": mean + reach}
    out = rows.copy()
    for name, values in found.items():
        out[name] = values.where(use, out[name].astype(float))
    out["grade"] = out["fair"].where(use & out["fair"].notna(), out["grade"])
    return out


def _multiple(level: float) -> float:
    return float(stats.norm.ppf(0.5 + level / 2))


def _evidence(group: pd.DataFrame, current: bool, resumed: bool) -> Evidence:
    row, arms = group.iloc[0], group.drop_duplicates("arm")
    money = row["unit"] == MONEY
    # `treated` and `cost` count all arms: the money was spent on each of them.
    total = arms["cost_per_customer"].astype(float) * arms["n_treated"].astype(float)
    return Evidence(
        grade=str(row["grade"]),
        estimate=float(row["estimate"]) if money else math.nan,
        low=float(row["low"]) if money else math.nan,
        high=float(row["high"]) if money else math.nan,
        verdict=str(row["verdict"]),
        decision=str(row["decision"]),
        treated=int(arms["n_treated"].sum()),
        cost=float(total.sum()) if total.notna().any() else math.nan,
        error=float(row["std_error"]) if money else math.nan,
        halted=bool(row["halted"]),
        resumed=resumed,
        current=current,
        by_segment=bool(row["by_segment"]),
        established=bool(row["established"]),
        judged_in=str(row["judged_in"]),
    )
