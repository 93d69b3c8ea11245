"""What an effect is worth: extra margin, return on cost, and the chance that it pays.

An effect on revenue is worth its margin. The return is the margin that all treated customers
brought over what the measure cost for all of them: a ratio of totals, never a mean of the
customers' own ratios, in which the cheapest customers count most.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import optimize, stats

from analysis.effects.estimators import Contrast
from analysis.stats import steady

MONEY = "money"


@dataclass(frozen=True)
class Returns:
    """An effect in money. NaN: the outcome is no money, or no cost is known.

    Attributes
    ----------
    extra, low, high
        Margin that the measure brought with all treated customers [currency].
    rate, rate_low, rate_high
        Extra margin / cost [times]. Unbounded bounds are NaN.
    chance
        Chance that the effect lies above the line: the break-even where there is one, else 0
        [share].
    line
        That line, in the unit of the outcome; infinite where no revenue can pay for the measure.
    effect
        The estimate itself; None where there is none.
    unit
        Of the outcome.
    cost_per_customer
        [currency].
    margin_rate
        At which extra revenue was valued [share].
    """

    extra: float = math.nan
    low: float = math.nan
    high: float = math.nan
    rate: float = math.nan
    rate_low: float = math.nan
    rate_high: float = math.nan
    chance: float = math.nan
    line: float = math.nan
    effect: Contrast | None = None
    unit: str = MONEY
    cost_per_customer: float = math.nan
    margin_rate: float = math.nan

    @property
    def p_value(self) -> float:
        """Two-sided p of an effect that lies on the line."""
        return 2 * min(self.chance, 1 - self.chance)


def break_even(cost_per_customer: float, margin_rate: float, unit: str) -> float:
    """The effect at which a measure pays for itself [currency]; NaN for other outcomes.

    An unknown cost counts as 0: the verdict then only says whether customers bought more.
    A margin rate of 0 can never pay anything back.
    """
    if unit != MONEY:
        return math.nan
    if math.isnan(cost_per_customer) or cost_per_customer == 0:
        return 0.0
    return cost_per_customer / margin_rate if margin_rate > 0 else math.inf


def returns(
    effect: Contrast | None,
    n_treated: int,
    cost_per_customer: float,
    margin_rate: float,
    unit: str,
    level: float = 0.95,
    *,
    cost_error: float = 0.0,
    covariance: float = 0.0,
) -> Returns:
    """An effect in money.

    Parameters
    ----------
    effect
        The estimate with its interval of `level`; None: nothing to value.
    n_treated
        Treated customers [customers].
    cost_per_customer
        Mean cost per treated customer [currency]; NaN if unknown.
    margin_rate
        Margin in extra revenue [share].
    unit
        Of the outcome; only ``money`` has a return.
    cost_error
        Standard error of the mean cost. 0 (what these customers cost is known): the bounds of the
        return are those of the effect. Above 0 (the cost of the next customers is meant): by
        Fieller.
    covariance
        Of the estimate and the mean cost.

    Notes
    -----
    Fieller (1954), JRSS B 16, 175-185. Where the cost itself may be 0 within its error the bounds
    are infinite and come out as NaN.
    """
    line = break_even(cost_per_customer, margin_rate, unit)
    against = line if unit == MONEY else 0.0
    if effect is None or math.isnan(effect.estimate):
        return Returns(
            line=against, unit=unit, cost_per_customer=cost_per_customer, margin_rate=margin_rate
        )
    chance = chance_above(effect, against, level, cost_error, covariance, margin_rate)
    if unit != MONEY:
        return Returns(
            chance=chance,
            line=against,
            effect=effect,
            unit=unit,
            cost_per_customer=cost_per_customer,
            margin_rate=margin_rate,
        )
    worth = margin_rate * n_treated
    rate = rate_low = rate_high = math.nan
    if cost_per_customer > 0:
        rate, rate_low, rate_high = (
            margin_rate * value / cost_per_customer
            for value in (effect.estimate, effect.low, effect.high)
        )
        if cost_error > 0:
            rate_low, rate_high = fieller(
                margin_rate * effect.estimate,
                cost_per_customer,
                margin_rate * effect.std_error,
                cost_error,
                margin_rate * covariance,
                _multiple(effect),
            )
    return Returns(
        effect.estimate * worth,
        effect.low * worth,
        effect.high * worth,
        rate,
        rate_low,
        rate_high,
        chance,
        against,
        effect,
        unit,
        cost_per_customer,
        margin_rate,
    )


def fieller(
    above: float,
    below: float,
    error_above: float,
    error_below: float,
    covariance: float,
    multiple: float,
) -> tuple[float, float]:
    """Bounds of a ratio of two means that both have an error.

    Parameters
    ----------
    above, below
        Numerator and denominator.
    error_above, error_below, covariance
        Their standard errors, and the covariance of the two.
    multiple
        Standard errors on each side, e.g. 1.96.

    Returns
    -------
    tuple of float
        All ratios r for which ``above − r·below`` is within its error of 0; NaN where these
        reach to infinity.
    """
    square = multiple**2
    a = below**2 - square * error_below**2
    b = above * below - square * covariance
    c = above**2 - square * error_above**2
    root = b**2 - a * c
    if a <= 0 or root < 0:
        return math.nan, math.nan
    return (b - math.sqrt(root)) / a, (b + math.sqrt(root)) / a


def chance_above(
    effect: Contrast,
    line: float,
    level: float = 0.95,
    cost_error: float = 0.0,
    covariance: float = 0.0,
    margin_rate: float = 0.0,
) -> float:
    """The chance that the effect lies above a line [share].

    From the distribution that the interval was made with, so that the two agree: a lower bound
    of 95 % on the line is a chance of 97.5 %.
    """
    if math.isinf(line):
        return 0.0
    error = effect.std_error
    if cost_error > 0 and margin_rate > 0:  # the line itself has an error
        line_error = cost_error / margin_rate
        error = math.sqrt(max(0.0, error**2 + line_error**2 - 2 * covariance / margin_rate))
    distance = effect.estimate - line
    if error == 0:
        return 0.5 if distance == 0 else float(distance > 0)
    inverse = _inverse_freedom(_multiple(effect), level)
    score = distance / error
    found = stats.t.cdf(score, 1 / inverse) if inverse > 0 else stats.norm.cdf(score)
    return steady(float(found), 1.0)


def _multiple(effect: Contrast) -> float:
    """Standard errors on each side of the estimate."""
    if effect.std_error == 0:
        return 0.0
    return (effect.high - effect.low) / 2 / effect.std_error


def _inverse_freedom(multiple: float, level: float) -> float:
    """1 / degrees of freedom of the t distribution behind an interval; 0: the normal one."""
    tail = 0.5 + level / 2
    if multiple <= float(stats.norm.ppf(tail)) * (1 + 1e-9):
        return 0.0
    if multiple >= float(stats.t.ppf(tail, 1)):
        return 1.0
    return float(optimize.brentq(lambda x: stats.t.ppf(tail, 1 / x) - multiple, 1e-9, 1.0))
