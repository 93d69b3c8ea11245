"""Did last period's measures work? The best evidence available, by a written rule.

The ladder
----------
Each strategy, arm and outcome is judged on the highest rung that holds:

A. Randomised waves. The held-out customers were drawn (``assignment: randomised``), the arms have
   the planned sizes, and the outcome before the measure is in balance (p not below
   ``balance_alarm``). The difference of the arms, adjusted for the outcome before, within the
   blocks of the draw and by corporate group (`analysis.effects.estimators`). With fewer than
   ``min_arm`` customers in an arm there is no estimate: the draw stays the best plan, and
   further periods add to it.
B. Staged roll-out. Nobody was drawn, but the measure began in different periods, at least
   ``pre_periods`` of them lie before the first start, and before the start the later ones moved
   as the earlier ones did (p not below ``pre_trend_alarm``). Each start against those not reached
   yet, from before the periods in which the customers were chosen (``trigger_periods``).
C. Customers like them. Whom no measure reached, in scope, not exempt, of the same segments,
   weighted until they equal the treated in what was known before the measure; at least
   ``least_overlap`` of the treated must have customers like them.
D. None of these: before/after only. It is never an effect; its columns say what it would have
   claimed.

Segments are estimated on the rung of their strategy, where they have customers enough.

Outcomes
--------
A strategy is judged on the outcome it was to move, where the plan names one that was measured;
otherwise on each. Its further outcomes are a closer look and do not count among the strategies
judged together (`analysis.effects.conclusions`).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa

from analysis.calendars import Period
from analysis.effects import verdicts
from analysis.effects.checks import balance_table, checks, event_table
from analysis.effects.conclusions import conclude
from analysis.effects.evidence import accumulate, decided
from analysis.effects.rungs import Material, Rung, climb, within
from analysis.effects.study import ALL, HELD_OUT, before_after, cases, mean
from analysis.engine import to_frame
from analysis.settings_measures import Effectiveness
from analysis.tables import RECORD

UNTREATED = "untreated"
_TABLES = ("effects", "effect_checks", "event_study", "balance", "evidence")


class Estimates(NamedTuple):
    """What the measures did, each table in the columns of its RECORD contract.

    Attributes
    ----------
    effects
        strategy × arm × outcome × segment.
    checks
        ``effect_checks``.
    event_study, balance, evidence
        The tables of these names.
    """

    effects: pd.DataFrame
    checks: pd.DataFrame
    event_study: pd.DataFrame
    balance: pd.DataFrame
    evidence: pd.DataFrame


def estimate(
    treatments: pd.DataFrame | pa.Table,
    outcomes: pd.DataFrame | pa.Table,
    settings: Effectiveness,
    seed: int,
    *,
    period: Period | None = None,
    listed: pd.DataFrame | None = None,
    plan: pd.DataFrame | None = None,
    segments_before: pd.DataFrame | None = None,
    customers: pd.DataFrame | None = None,
    panel: pd.DataFrame | None = None,
    traits: pd.DataFrame | None = None,
    waves: pd.DataFrame | None = None,
    history: pd.DataFrame | None = None,
) -> Estimates:
    """The effect of every arm of every strategy on every outcome.

    Parameters
    ----------
    treatments
        RECORD ``treatments`` of the period (`analysis.effects.planned.of_period`); the arm
        ``held_out`` is the comparison. A column ``block`` holds the blocks of the draw.
    outcomes
        customer_id, outcome, value and, where known, ``before``: the same outcome before the
        measure.
    settings
        Section ``effectiveness``.
    seed
        Of the permutations that give the p-value of small comparisons.
    period
        The period in question; None: neither a roll-out nor evidence by period.
    listed
        All treatments known, of earlier periods and exempt ones too: a roll-out is read from
        their starts. None: `treatments`.
    plan
        RECORD ``plan`` that the measures come from; its ``kpi`` says what each was to move.
    segments_before
        customer_id, segment at the previous period's end; None or empty: only ``all``.
    customers
        RECORD ``customers``: who is in scope; ``group_id`` is the corporate group.
    panel
        As of `analysis.effects.outcomes.panel_from_orders`, the period in question last.
    traits
        As of `analysis.effects.outcomes.traits_from_orders`.
    waves
        RECORD ``waves`` of the plan: segment and band are the blocks of the draw.
    history
        RECORD ``evidence`` of the record before.

    Returns
    -------
    Estimates
        Empty but valid tables where nothing was done or measured; the evidence then is that of
        the record before. The rule of the verdict is in `analysis.effects.verdicts`.
    """
    treated, measured = _frame(treatments), _frame(outcomes)
    if treated.empty or measured.empty:
        nothing = {name: _empty(name) for name in _TABLES}
        if history is not None:
            nothing["evidence"] = history.reindex(columns=RECORD["evidence"].names)
        return Estimates(*nothing.values())
    segments = segments_before if segments_before is not None and len(segments_before) else None
    material = Material(settings, seed, traits, panel, period)
    rungs = [
        climb(case, material)
        for case in cases(
            treated,
            measured,
            segments=segments,
            customers=customers,
            waves=waves,
            listed=listed,
            period=period,
        )
    ]
    rows = [_row(rung, settings) for rung in _with_segments(rungs, material, segments)]
    effects = pd.DataFrame(rows, columns=RECORD["effects"].names)
    evidence = _evidence(effects, settings, period, history)
    effects = _concluded(effects, settings, plan, evidence)
    if period is not None:
        evidence = decided(evidence, effects, period.name)
    return Estimates(
        effects,
        _together("effect_checks", [checks(rung, material) for rung in rungs]),
        _together("event_study", [event_table(rung) for rung in rungs]),
        _together("balance", [balance_table(rung, traits) for rung in rungs]),
        evidence,
    )


def _frame(table: pd.DataFrame | pa.Table) -> pd.DataFrame:
    return to_frame(table) if isinstance(table, pa.Table) else table


def _empty(name: str) -> pd.DataFrame:
    return pd.DataFrame(columns=RECORD[name].names)


def _together(name: str, parts: list[pd.DataFrame]) -> pd.DataFrame:
    """One table of several; of rows with one key the first."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return _empty(name)
    both = pd.concat(filled, ignore_index=True)
    return both.drop_duplicates(list(RECORD[name].key), ignore_index=True)


def _with_segments(
    rungs: list[Rung], material: Material, segments: pd.DataFrame | None
) -> list[Rung]:
    """Each rung, followed by those of its segments."""
    if segments is None:
        return rungs
    found = []
    for rung in rungs:
        found.append(rung)
        names = sorted(set(rung.case.treated["segment"]) - {""})
        parts = (within(name, rung, material) for name in names)
        found += [part for part in parts if part is not None]
    return found


def _concluded(
    effects: pd.DataFrame,
    settings: Effectiveness,
    plan: pd.DataFrame | None,
    evidence: pd.DataFrame,
) -> pd.DataFrame:
    """Verdicts corrected for what is judged together, and decisions.

    Further outcomes of a strategy that was to move another one are corrected among themselves.
    """
    aims: dict[str, set[str]] = {}
    if plan is not None and not plan.empty:
        aims = {str(name): set(rows["kpi"]) for name, rows in plan.groupby("strategy")}
    pairs = list(zip(effects["strategy"], effects["outcome"], strict=True))
    aimed = pd.Series([outcome in aims.get(name, ()) for name, outcome in pairs], effects.index)
    judged = aimed | ~aimed.groupby(effects["strategy"]).transform("any")
    parts = []
    for mask in (judged, ~judged):
        rows = effects[mask]
        if len(rows):
            parts.append(conclude(rows, settings, evidence).set_axis(rows.index))
    return pd.concat(parts).sort_index() if parts else effects


def _row(rung: Rung, settings: Effectiveness) -> dict[str, Any]:
    case, found, done = rung.case, rung.found, rung.done
    n_treated, n_control = rung.sizes
    reached = case.started if rung.grade == "B" else case.treated
    cost, done_share = mean(reached, "cost"), mean(reached, "done")
    extra = math.nan
    if found is not None and case.unit == "money":
        extra = found.estimate * settings.margin_rate * n_treated
    line = verdicts.break_even(cost, settings.margin_rate, case.unit)
    verdict = _verdict(rung, settings, line, cost, done_share)
    mean_treated = mean(case.treated, "value")
    below_draw = found is not None and rung.grade in ("B", "C")
    groups = pd.concat([case.treated["group"], rung.comparison["group"]])
    return {
        "strategy": case.strategy,
        "arm": case.arm,
        "control": HELD_OUT if rung.grade == "A" or len(case.control) else UNTREATED,
        "outcome": case.outcome,
        "segment": case.segment,
        "method": found.method if found is not None else "none",
        "grade": rung.grade,
        "estimate": found.estimate if found is not None else math.nan,
        "low": found.low if found is not None else math.nan,
        "high": found.high if found is not None else math.nan,
        "level": settings.level,
        "unit": case.unit,
        "n_treated": n_treated,
        "n_control": n_control,
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "std_error": found.std_error if found is not None else math.nan,
        "p_value": found.p_value if found is not None else math.nan,
        "mean_treated": mean_treated,
        # Below a draw the comparison is what the treated would have had without the measure.
        "mean_control": (
            mean_treated - found.estimate
            if below_draw and found is not None
            else mean(rung.comparison, "value")
        ),
        "cost_per_customer": cost,
        "break_even": line if not math.isinf(line) else math.nan,
        "total_value": extra - cost * n_treated,
        "before_after": before_after(case.treated),
        "before_after_control": before_after(rung.comparison),
        "n_needed": verdict.n_needed,
        "periods_needed": verdict.periods_needed,
        "done_share": done_share,
        "cost_total": cost * n_treated,
        "extra_margin": extra,
        "balance_p": rung.balance_p,
        "margin_rate": settings.margin_rate,
        "as_done": done.estimate if done is not None else math.nan,
        "as_done_low": done.low if done is not None else math.nan,
        "as_done_high": done.high if done is not None else math.nan,
        "n_groups": groups.nunique(),
        "effective_n": rung.alike.effective_n if rung.grade == "C" and rung.alike else math.nan,
        "periods": rung.periods,
    }


def _verdict(
    rung: Rung, settings: Effectiveness, line: float, cost: float, done: float
) -> verdicts.Verdict:
    n_treated, n_control = rung.sizes
    sizes = {"n_treated": (n_treated, "count"), "n_control": (n_control, "count")}
    if rung.grade == "D":
        return verdicts.Verdict(verdicts.CANNOT_TELL, verdicts.reason(rung.why, **sizes))
    if rung.found is None and min(n_treated, n_control) >= settings.min_arm:
        text = verdicts.reason("one_group", **sizes)
        return verdicts.Verdict(verdicts.CANNOT_TELL, text)
    if rung.found is None:
        text = verdicts.reason("too_few", min_arm=(settings.min_arm, "count"), **sizes)
        smaller = min(n_treated, n_control)
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
    if rung.grade == "A" and rung.case.missing_p < settings.balance_alarm:
        return verdicts.Verdict(
            verdicts.CANNOT_TELL,
            verdicts.reason(
                "outcomes_missing",
                listed=(rung.case.listed[0], "count"),
                listed_control=(rung.case.listed[1], "count"),
                **sizes,
            ),
        )
    return verdicts.judge(
        rung.found,
        unit=rung.case.unit,
        threshold=line,
        cost_known=not math.isnan(cost) and cost > 0,
        n_treated=n_treated,
        n_control=n_control,
        power=settings.power,
        level=settings.level,
    )


def _evidence(
    effects: pd.DataFrame,
    settings: Effectiveness,
    period: Period | None,
    history: pd.DataFrame | None,
) -> pd.DataFrame:
    """Evidence of the period put to that of the periods before."""
    if period is None:
        return _empty("evidence")
    current = effects[effects["segment"] == ALL].assign(period=period.name)
    unfair = current["reason"].map(verdicts.key_of) == "outcomes_missing"
    current[["estimate", "std_error"]] = current[["estimate", "std_error"]].mask(unfair)
    return accumulate(current, history, settings.level, min_done=settings.min_done)
