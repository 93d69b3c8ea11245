"""From a verdict to a decision, by a written rule, and what would change it.

The rule
--------
1. Grade D, nothing fair to compare with: `none`. Waves from next period on would change that.
2. Grade C: `keep_testing`, at its present size, whatever it looks like.
3. `worked`, in money: `expand`, until the lower bound falls to the break-even. Where nobody
   wrote down a cost: `keep_testing`; the cost below which it pays is said.
4. `worked`, another outcome: `expand`; what one more of it costs is said, where a cost is known.
5. `did_not_pay`: `stop`, unless the upper bound comes up to the break-even, or the measure becomes
   so much cheaper.
6. `cannot_tell`: `keep_testing`, with the customers and periods still missing. If it costs
   money, would take more than eight periods, and pays with less than
   ``effectiveness.decision.stop_chance``: `stop`; the money tests something else.
"""

from __future__ import annotations

import json
import math

from analysis.effects.estimators import Contrast
from analysis.effects.returns import MONEY, Returns
from analysis.effects.verdicts import (
    DID_NOT_PAY,
    SLOW,
    WORKED,
    Verdict,
    args_of,
    key_of,
    reason,
)
from analysis.settings_measures import Effectiveness

EXPAND, KEEP_TESTING, STOP, NONE = "expand", "keep_testing", "stop", "none"

Args = dict[str, tuple[float, str]]


def decide(
    verdict: Verdict, worth: Returns, grade: str, settings: Effectiveness
) -> tuple[str, str]:
    """What to do with a measure, and what would change that.

    Parameters
    ----------
    verdict
        From `verdicts.judge`, after rules 6 to 8.
    worth
        From `returns.returns`.
    grade
        A-D.
    settings
        Section ``effectiveness``.

    Returns
    -------
    tuple of str
        ``expand``, ``keep_testing``, ``stop`` or ``none``; and JSON of a catalogue key below
        ``effect_change.`` with its arguments.
    """
    if grade == "D":
        return NONE, change("waves")
    why = key_of(verdict.reason)
    if why == "not_carried_out":
        return KEEP_TESTING, change("carry_out", min_done=(settings.min_done, "share"))
    if why == "outcomes_missing":
        return KEEP_TESTING, change("complete_outcomes")
    effect = worth.effect
    if why == "one_group":
        return KEEP_TESTING, change("one_group")
    if effect is None:
        return KEEP_TESTING, change("too_few", min_arm=(settings.min_arm, "count"))
    if grade == "C":
        return KEEP_TESTING, change("indicative")
    if verdict.verdict == WORKED:
        low, estimate, _ = _judged_on(verdict, why, effect)
        return _worked(worth, low, estimate)
    if verdict.verdict == DID_NOT_PAY:
        return STOP, _stop(worth, _judged_on(verdict, why, effect)[2])
    return _open(verdict, why, worth, settings)


def _judged_on(verdict: Verdict, why: str, effect: Contrast) -> tuple[float, float, float]:
    """Low end, estimate and high end that the verdict rests on: of all periods, or of this one."""
    if not why.startswith("together_"):
        return effect.low, effect.estimate, effect.high
    args = args_of(verdict.reason)
    low, estimate, high = (float(args[name]["value"]) for name in ("low", "estimate", "high"))
    return low, estimate, high


def change(key: str, **args: tuple[float, str]) -> str:
    """What would change a decision: catalogue key below ``effect_change.``, and numbers."""
    found = json.loads(reason("", **args))
    found["key"] = f"effect_change.{key}"
    return json.dumps(found, ensure_ascii=False, sort_keys=True)


def _shown(unit: str) -> str:
    return "points" if unit == "share" else unit


def _worked(worth: Returns, low: float, estimate: float) -> tuple[str, str]:
    low_end = (low, _shown(worth.unit))
    costs = worth.cost_per_customer > 0
    if worth.unit == MONEY and math.isnan(worth.cost_per_customer):
        affordable = (max(low, 0.0) * worth.margin_rate, MONEY)
        return KEEP_TESTING, change("cost_unknown", affordable=affordable)
    if worth.unit == MONEY and costs:
        return EXPAND, change("expand", low=low_end, break_even=(worth.line, MONEY))
    if costs and estimate > 0:
        price = (worth.cost_per_customer / estimate, MONEY)
        return EXPAND, change("expand_at_a_price", low=low_end, price=price)
    return EXPAND, change("expand_above_zero", low=low_end)


def _stop(worth: Returns, high: float) -> str:
    high_end = (high, _shown(worth.unit))
    if worth.unit != MONEY or high <= 0:
        return change("stop_below_zero", high=high_end)
    if math.isinf(worth.line):
        return change("stop_without_margin")
    affordable = (high * worth.margin_rate, MONEY)
    return change("stop", high=high_end, break_even=(worth.line, MONEY), affordable=affordable)


def _open(verdict: Verdict, why: str, worth: Returns, settings: Effectiveness) -> tuple[str, str]:
    if math.isnan(verdict.n_needed):
        known = why in ("no_spread", "periods_disagree", "not_after_pooling")
        return KEEP_TESTING, change(why if known else "confirm")
    sizes = args_of(verdict.reason)
    missing = sum(
        max(0.0, verdict.n_needed - verdict.told * float(sizes[arm]["value"]))
        for arm in ("n_treated", "n_control")
    )
    args: Args = {
        "n_more": (missing, "count"),
        "n_needed": (verdict.n_needed, "count"),
        "periods": (verdict.periods_needed, "count"),
    }
    slow = verdict.periods_needed > SLOW
    costs = worth.cost_per_customer > 0
    if slow and costs and worth.chance < settings.decision.stop_chance:
        return STOP, change("stop_slow", chance=(worth.chance, "share"), **args)
    if worth.unit == MONEY and costs:
        return KEEP_TESTING, change("keep_testing", break_even=(worth.line, MONEY), **args)
    return KEEP_TESTING, change("keep_testing_against_zero", **args)
