"""Did last period's measures work? One row a strategy, arm, outcome and segment."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.effects import verdicts
from analysis.effects.design import sample_ratio_p
from analysis.effects.estimators import Contrast, Floats, contrast, welch
from analysis.engine import to_frame
from analysis.settings_measures import Effectiveness
from analysis.tables import RECORD

HELD_OUT = "held_out"
ALL = "all"
MONEY_OUTCOMES = frozenset({"revenue", "spend", "amount", "margin"})


def estimate(
    treatments: pd.DataFrame | pa.Table,
    outcomes: pd.DataFrame | pa.Table,
    segments_before: pd.DataFrame | None,
    settings: Effectiveness,
    seed: int,
) -> pd.DataFrame:
    """The effect of every arm against the held-out customers of its strategy.

    Customers count by the arm they were drawn into, whether or not the measure reached them
    (`done_share` says how many it reached): whoever drops those it did not reach compares
    willing customers with average ones.

    Parameters
    ----------
    treatments
        RECORD ``treatments``; the arm ``held_out`` is the comparison.
    outcomes
        customer_id, outcome, value and, where known, ``before``: the same outcome before the
        measure. With it the estimate is adjusted (Lin 2013).
    segments_before
        customer_id, segment at the previous period's end; None or empty: only ``all``.
    settings
        Section ``effectiveness``.
    seed
        Of the permutations that give the p-value of small comparisons.

    Returns
    -------
    DataFrame
        RECORD ``effects``. Grade A: randomised, balanced before. C: chosen or out of balance,
        but adjusted for the outcome before. D: no fair comparison, hence no estimate; what
        before/after would have claimed stands in its own columns and is never judged.
        The rule of the verdict is in `analysis.effects.verdicts`.
    """
    treated = _frame(treatments)
    measured = _frame(outcomes)
    if treated.empty or measured.empty:
        return pd.DataFrame(columns=RECORD["effects"].names)
    segments = segments_before if segments_before is not None else pd.DataFrame()
    units = {
        str(name): unit_of(str(name), group["value"].to_numpy(float))
        for name, group in measured.groupby("outcome")
    }
    rows = [
        _row(case, settings, units[case.outcome], seed)
        for case in _cases(treated, measured, segments, settings.min_arm)
    ]
    return pd.DataFrame(rows, columns=RECORD["effects"].names)


def unit_of(outcome: str, values: Floats) -> str:
    """Unit of an outcome: money by its name, share if only 0 and 1 occur, else count or number."""
    if outcome in MONEY_OUTCOMES:
        return "money"
    known = values[~np.isnan(values)]
    if len(known) and np.isin(known, (0.0, 1.0)).all():
        return "share"
    return "count" if len(known) and (known == np.round(known)).all() else "number"


@dataclass(frozen=True)
class _Case:
    """One comparison: two arms' rows, each customer once, sorted by customer."""

    strategy: str
    arm: str
    outcome: str
    segment: str
    treated: pd.DataFrame
    control: pd.DataFrame
    drawn: tuple[int, int]  # customers of the strategy in all its arms, and held out


def _frame(table: pd.DataFrame | pa.Table) -> pd.DataFrame:
    return to_frame(table) if isinstance(table, pa.Table) else table


def _cases(
    treatments: pd.DataFrame, outcomes: pd.DataFrame, segments: pd.DataFrame, min_arm: int
) -> Iterator[_Case]:
    by_outcome = {str(name): group for name, group in outcomes.groupby("outcome", sort=True)}
    columns = [c for c in ("customer_id", "outcome", "value", "before") if c in outcomes.columns]
    for strategy, rows in treatments.groupby("strategy", sort=True):
        for outcome in sorted(by_outcome):
            joined = rows.merge(by_outcome[outcome][columns], on="customer_id", how="inner")
            joined = joined[joined["value"].notna()]
            if not segments.empty:
                joined = joined.merge(
                    segments[["customer_id", "segment"]], on="customer_id", how="left"
                )
            joined = joined.sort_values(["customer_id"], kind="stable")
            control = joined[joined["arm"] == HELD_OUT]
            drawn = (len(joined) - len(control), len(control))
            for arm in sorted(set(rows["arm"]) - {HELD_OUT}):
                one = joined[joined["arm"] == arm]
                yield _Case(str(strategy), str(arm), outcome, ALL, one, control, drawn)
                if segments.empty:
                    continue
                for segment in sorted(set(one["segment"].dropna())):
                    part = one[one["segment"] == segment]
                    rest = control[control["segment"] == segment]
                    if min(len(part), len(rest)) >= min_arm:
                        yield _Case(
                            str(strategy), str(arm), outcome, str(segment), part, rest, drawn
                        )


def _row(case: _Case, settings: Effectiveness, unit: str, seed: int) -> dict[str, Any]:
    n_treated, n_control = len(case.treated), len(case.control)
    before = _before(case)
    balance = welch(*before) if before is not None else math.nan
    grade = _grade(case, settings, before is not None, balance)
    cost = _mean(case.treated, "cost")
    line = verdicts.break_even(cost, settings.margin_rate, unit)
    done = _mean(case.treated, "done")
    found: Contrast | None = None
    if grade != "D" and min(n_treated, n_control) >= settings.min_arm:
        found = contrast(
            case.treated["value"].to_numpy(float),
            case.control["value"].to_numpy(float),
            *(before if before is not None else (None, None)),
            level=settings.level,
            rng=np.random.default_rng(_key(seed, case)),
        )
    verdict = _verdict(case, settings, unit, grade, found, line, cost, done)
    extra = (
        found.estimate * settings.margin_rate * n_treated
        if found is not None and unit == "money"
        else math.nan
    )
    return {
        "strategy": case.strategy,
        "arm": case.arm,
        "control": HELD_OUT,
        "outcome": case.outcome,
        "segment": case.segment,
        "method": found.method if found is not None else "none",
        "grade": grade,
        "estimate": found.estimate if found is not None else math.nan,
        "low": found.low if found is not None else math.nan,
        "high": found.high if found is not None else math.nan,
        "level": settings.level,
        "unit": unit,
        "n_treated": n_treated,
        "n_control": n_control,
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "std_error": found.std_error if found is not None else math.nan,
        "p_value": found.p_value if found is not None else math.nan,
        "mean_treated": _mean(case.treated, "value"),
        "mean_control": _mean(case.control, "value"),
        "cost_per_customer": cost,
        "break_even": line if not math.isinf(line) else math.nan,
        "total_value": extra - cost * n_treated,
        "before_after": _before_after(case.treated),
        "before_after_control": _before_after(case.control),
        "n_needed": verdict.n_needed,
        "periods_needed": verdict.periods_needed,
        "done_share": done,
        "cost_total": cost * n_treated,
        "extra_margin": extra,
        "balance_p": balance,
        "margin_rate": settings.margin_rate,
    }


def _verdict(
    case: _Case,
    settings: Effectiveness,
    unit: str,
    grade: str,
    found: Contrast | None,
    line: float,
    cost: float,
    done: float,
) -> verdicts.Verdict:
    sizes = {
        "n_treated": (len(case.treated), "count"),
        "n_control": (len(case.control), "count"),
    }
    if grade == "D":
        key = "not_comparable" if len(case.control) else "no_comparison"
        return verdicts.Verdict(verdicts.CANNOT_TELL, verdicts.reason(key, **sizes))
    if found is None:
        text = verdicts.reason("too_few", min_arm=(settings.min_arm, "count"), **sizes)
        smaller = min(len(case.treated), len(case.control))
        more = max(1, math.ceil(settings.min_arm / smaller) - 1) if smaller else math.nan
        return verdicts.Verdict(verdicts.CANNOT_TELL, text, settings.min_arm, more)
    if done < settings.min_done:  # False where nothing was recorded (NaN)
        text = verdicts.reason(
            "not_carried_out",
            done_share=(done, "share"),
            min_done=(settings.min_done, "share"),
            **sizes,
        )
        return verdicts.Verdict(verdicts.CANNOT_TELL, text)
    return verdicts.judge(
        found,
        unit=unit,
        threshold=line,
        cost_known=not math.isnan(cost) and cost > 0,
        n_treated=len(case.treated),
        n_control=len(case.control),
        power=settings.power,
        level=settings.level,
    )


def _grade(case: _Case, settings: Effectiveness, adjusted: bool, balance: float) -> str:
    """A, C or D (B, the staged roll-out, has no estimator yet)."""
    if case.treated.empty or case.control.empty:
        return "D"
    alarm = balance < settings.balance_alarm or _ratio_p(case, settings) < settings.balance_alarm
    if settings.assignment == "randomised" and not alarm:
        return "A"
    return "C" if adjusted else "D"


def _ratio_p(case: _Case, settings: Effectiveness) -> float:
    """Probability of the arm sizes; NaN, which alarms nobody, where no ratio was planned."""
    if settings.held_out_share is None:
        return math.nan
    return sample_ratio_p(case.drawn, [1 - settings.held_out_share, settings.held_out_share])


def _before(case: _Case) -> tuple[Floats, Floats] | None:
    """The outcome before in both arms, where it is known for every customer."""
    if "before" not in case.treated or case.treated.empty or case.control.empty:
        return None
    first = case.treated["before"].to_numpy(float)
    second = case.control["before"].to_numpy(float)
    if np.isnan(first).any() or np.isnan(second).any():
        return None
    return first, second


def _before_after(rows: pd.DataFrame) -> float:
    if "before" not in rows or rows.empty or rows["before"].isna().any():
        return math.nan
    before = _mean(rows, "before")
    return _mean(rows, "value") / before - 1 if before > 0 else math.nan


def _mean(rows: pd.DataFrame, column: str) -> float:
    """Mean of the known values, exactly summed; NaN where none is known."""
    if column not in rows:
        return math.nan
    known = rows[column].dropna()
    return math.fsum(known.astype(float)) / len(known) if len(known) else math.nan


def _key(seed: int, case: _Case) -> list[int]:
    """A seed for this comparison alone, so that other rows do not move its permutations."""
    name = "|".join((case.strategy, case.arm, case.outcome, case.segment))
    return [seed, int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")]
