"""From an interval to a verdict, by a written rule.

The rule
--------
1. No held-out customers, or a comparison that nothing makes fair: no estimate, grade D,
   `cannot_tell`.
2. An arm with fewer than ``min_arm`` customers, or all of one corporate group, which buys as
   one: no estimate, `cannot_tell`. So it is where both
   arms ended exactly alike, or where outcomes are missing in one arm more often than a draw would
   have it (p below ``balance_alarm``): the draw does not protect from who is missing.
3. Less than ``min_done`` of the treated customers got the measure: `cannot_tell`. It was not
   carried out; that is never "it did not work".
4. Money: the break-even is the cost per treated customer divided by the margin rate: so much
   a customer must buy more before the measure has paid for itself. `worked` if the whole
   interval lies above the break-even, `did_not_pay` if it lies wholly below, else
   `cannot_tell`. Where no cost is known the break-even is 0.
5. Other outcomes: `worked` if the interval lies above 0, `did_not_pay` if below, else
   `cannot_tell`.
6. Customers chosen by somebody and matched afterwards (grade C) may differ in what nobody
   recorded, to either side: `cannot_tell`, with what it looks like as an indication. Waves and
   staged roll-outs (A, B) settle it.
7. Several strategies judged together: the best of many looks good by luck. `worked` also needs
   the p of an effect on the break-even, after Holm's correction over the strategies and arms
   of the outcome, to be at most 1 − level. Segments are a closer look at one strategy: there
   `worked` needs the interval drawn towards the other segments (`pooling.pool`) above the line.
8. Earlier periods: what this period's wave leaves open is settled by all periods together once
   they do (`evidence.accumulate`); where all periods together lie on the other side of the
   line, this period's `worked` or `did_not_pay` is `cannot_tell`. Where they lie on the same side
   and their wider interval does not leave the line, it stands, and its reason says so.

How much is missing
-------------------
`cannot_tell` says how many customers an arm needs. The distance to be shown is that between
the estimate and the break-even, but at least the break-even itself: then a measure without
any effect is shown not to pay, and one that returns twice its cost is shown to work. Where the
arms have that size already, the effect lies close to the break-even, and the distance between
the two counts, down to a quarter of the break-even. Without a break-even the distance is the
estimate's from 0, at least a tenth of the outcome's standard deviation: a smaller effect is not
worth waiting for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.effects.design import customers_for_means
from analysis.effects.estimators import Contrast
from analysis.effects.returns import break_even

__all__ = [
    "CANNOT_TELL",
    "DID_NOT_PAY",
    "SLOW",
    "WORKED",
    "Verdict",
    "args_of",
    "break_even",
    "corrected",
    "counting",
    "indicative",
    "judge",
    "key_of",
    "reason",
    "reworded",
]

WORKED, DID_NOT_PAY, CANNOT_TELL = "worked", "did_not_pay", "cannot_tell"

_SMALLEST_IN_SD = 0.1
_CLOSEST_SHARE_OF_BREAK_EVEN = 0.25
SLOW = 8  # more periods than this: waiting is no plan


@dataclass(frozen=True)
class Verdict:
    """The verdict, its reason as JSON, and how much is missing (NaN: nothing, or unknown).

    ``told`` says how many periods as precise as this one are on record, this one included.
    """

    verdict: str
    reason: str
    n_needed: float = math.nan
    periods_needed: float = math.nan
    told: float = 1.0


def reason(key: str, **args: tuple[float, str]) -> str:
    """A reason: catalogue key below ``effect_reason.`` and numbers with their units."""
    return json.dumps(
        {
            "key": f"effect_reason.{key}",
            "args": {
                name: {"value": _plain(value), "unit": unit}
                for name, (value, unit) in sorted(args.items())
            },
        },
        ensure_ascii=False,
        sort_keys=True,
    )


def _plain(value: float) -> float | int | None:
    number = float(value)
    if math.isnan(number) or math.isinf(number):
        return None
    return int(number) if number.is_integer() else number


def judge(
    found: Contrast,
    *,
    unit: str,
    threshold: float,
    cost_known: bool,
    n_treated: int,
    n_control: int,
    power: float,
    level: float,
) -> Verdict:
    """Rules 4 and 5 for an estimate that may be judged.

    Parameters
    ----------
    found
        The estimate.
    unit
        ``money``, ``share``, ``count`` or ``number``.
    threshold
        Break-even for money; ignored for other outcomes, where 0 counts.
    cost_known
        Whether the break-even rests on a cost.
    n_treated, n_control
        Customers in each arm.
    power, level
        Of the comparison that would settle it, and of the interval.
    """
    money = unit == "money"
    line = threshold if money else 0.0
    shown = "points" if unit == "share" else unit
    args: dict[str, tuple[float, str]] = {
        "estimate": (found.estimate, shown),
        "low": (found.low, shown),
        "high": (found.high, shown),
        "n_treated": (n_treated, "count"),
        "n_control": (n_control, "count"),
    }
    if money and cost_known:
        args["break_even"] = (line, "money")
    suffix = "" if money and cost_known else "_against_zero"
    alike = found.variance_treated + found.variance_control == 0
    if alike and found.estimate in (0.0, line):  # nothing was recorded, or nothing to tell apart
        return Verdict(CANNOT_TELL, reason("no_spread"))
    if math.isinf(line):
        del args["break_even"]
        return Verdict(DID_NOT_PAY, reason("without_margin", **args))
    if found.low > line:
        return Verdict(WORKED, reason("worked" + suffix, **args))
    if found.high < line:
        return Verdict(DID_NOT_PAY, reason("did_not_pay" + suffix, **args))
    needed, close = _needed(found, line, min(n_treated, n_control), power, level)
    more = max(1, math.ceil(needed / min(n_treated, n_control)) - 1)
    args |= {"n_needed": (needed, "count"), "periods_needed": (more, "count")}
    key = "undecided_slow" if more > SLOW else "undecided"
    key = "near_break_even" if close else key + suffix
    return Verdict(CANNOT_TELL, reason(key, **args), needed, more)


def _needed(
    found: Contrast, line: float, smaller_arm: int, power: float, level: float
) -> tuple[float, bool]:
    """Customers per arm (rounded up), and whether the effect lies close to the break-even."""
    variances = (found.variance_treated, found.variance_control)

    def customers(distance: float) -> float:
        return math.ceil(customers_for_means(distance, *variances, power, level))

    gap = abs(found.estimate - line)
    if line <= 0 or math.isinf(line):
        sd = math.sqrt(sum(variances) / 2)
        return customers(max(gap, _SMALLEST_IN_SD * sd)), False
    needed = customers(max(gap, line))
    if needed > smaller_arm:
        return needed, False
    closer = customers(max(gap, _CLOSEST_SHARE_OF_BREAK_EVEN * line))
    return max(closer, smaller_arm + 1), True


def indicative(found: Verdict) -> Verdict:
    """Rule 6: the verdict on matched customers."""
    if found.verdict == CANNOT_TELL:
        return found
    return Verdict(CANNOT_TELL, reworded(found.reason, "indicative_" + key_of(found.reason)))


def corrected(found: Verdict, p_adjusted: float, n_judged: int, level: float) -> Verdict:
    """Rule 7: the verdict where `n_judged` strategies and arms are judged together.

    Parameters
    ----------
    p_adjusted
        Holm's, of an effect on the line; NaN: not judged together with others.
    """
    if found.verdict != WORKED or math.isnan(p_adjusted) or p_adjusted <= 1 - level:
        return found
    text = reworded(found.reason, "not_after_correction", n_judged=(n_judged, "count"))
    return Verdict(CANNOT_TELL, text)


def counting(found: Verdict, told: float, smaller_arm: int) -> Verdict:
    """How much is missing, where earlier periods have told something already.

    Parameters
    ----------
    found
        Of one period.
    told
        Periods as precise as this one that are on record, this one included.
    smaller_arm
        Customers of the smaller arm in a period.
    """
    if math.isnan(found.periods_needed) or not told > 1:
        return found
    more = max(1, math.ceil(found.n_needed / smaller_arm - told))
    key = key_of(found.reason)
    if more <= SLOW:
        key = key.replace("undecided_slow", "undecided")
    text = reworded(found.reason, key, periods_needed=(more, "count"))
    return Verdict(found.verdict, text, found.n_needed, more, told)


def key_of(text: str) -> str:
    """The key of a reason below ``effect_reason.``."""
    return str(json.loads(text)["key"]).removeprefix("effect_reason.")


def reworded(text: str, key: str, **more: tuple[float, str]) -> str:
    """The same arguments in another sentence."""
    args = {name: (_number(one["value"]), one["unit"]) for name, one in args_of(text).items()}
    return reason(key, **(args | more))


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def args_of(text: str) -> Mapping[str, Any]:
    """The arguments of a reason, for tests and exhibits."""
    loaded: Mapping[str, Any] = json.loads(text)["args"]
    return loaded
