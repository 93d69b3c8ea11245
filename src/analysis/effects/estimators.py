"""Two comparisons of means: plain, and adjusted for the outcome before the measure.

Both are one computation. Each arm is fitted by itself (a mean, or a line through the outcome
before), the two fits are read at the common mean of the outcome before, and the variance is
the HC2 one of each fit. Without an adjustment that is Welch's comparison; with it, the fully
interacted regression of Lin (2013), Annals of Applied Statistics 7, 295-318.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.stats import steady

Floats = NDArray[np.float64]

FEW = 300  # below this many customers the p-value comes from permutations
PERMUTATIONS = 1999
_SMALLEST_ADJUSTED_ARM = 5  # a line through fewer points says nothing about its own error


@dataclass(frozen=True)
class Contrast:
    """A difference between two arms.

    Attributes
    ----------
    estimate, std_error, low, high
        In the unit of the outcome, per customer.
    p_value
        Two-sided, of no difference.
    method
        ``difference_in_means`` or ``regression_adjusted``.
    variance_treated, variance_control
        Variance of one customer's outcome in each arm after the adjustment: the standard
        error of arms of another size follows from them.
    """

    estimate: float
    std_error: float
    low: float
    high: float
    p_value: float
    method: str
    variance_treated: float
    variance_control: float


def contrast(
    treated: Floats,
    control: Floats,
    before_treated: Floats | None = None,
    before_control: Floats | None = None,
    *,
    level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> Contrast:
    """The effect of a measure as the difference between two arms.

    Parameters
    ----------
    treated, control
        Outcomes, one a customer; at least two in each arm.
    before_treated, before_control
        The same customers' outcome before the measure; with both, the estimate is adjusted.
        Where the outcome before does not vary, or an arm has fewer than five customers, the
        plain difference is used.
    level
        Level of the interval.
    rng
        With fewer than 300 customers in all and a generator, the p-value is that of 1,999
        permutations of the studentised difference.

    Returns
    -------
    Contrast
        Interval by the t distribution with the degrees of freedom of Welch and Satterthwaite,
        each arm counting its customers minus its fitted coefficients. Rounded: see
        `analysis.stats.steady`.
    """
    adjusted = (
        before_treated is not None
        and before_control is not None
        and min(len(treated), len(control)) >= _SMALLEST_ADJUSTED_ARM
        and np.ptp(before_treated) > 0
        and np.ptp(before_control) > 0
    )
    y = np.concatenate([treated, control]).astype(float)
    x = (
        np.concatenate([before_treated, before_control]).astype(float)
        if adjusted and before_treated is not None and before_control is not None
        else None
    )
    n = len(treated)
    mask = np.zeros((1, len(y)), dtype=bool)
    mask[0, :n] = True
    estimates, errors, freedom = _fits(y, x, mask)
    scale = float(np.abs(y).max())
    estimate, error = steady(float(estimates[0]), scale), steady(float(errors[0]), scale)
    variance_t, variance_c = (
        steady(variance, scale**2) for variance in _residual_variance(y, x, mask[0])
    )
    if error == 0.0:  # no spread at all: an exact statement, or none
        p = 1.0 if estimate == 0.0 else 0.0
        low = high = estimate
    else:
        half = float(stats.t.ppf(0.5 + level / 2, freedom[0])) * error
        low, high = steady(estimate - half, scale), steady(estimate + half, scale)
        p = float(2 * stats.t.sf(abs(estimate / error), freedom[0]))
        p = steady(p, p)
        if rng is not None and len(y) < FEW:
            p = _permutation_p(y, x, n, abs(estimate / error), rng)
    return Contrast(
        estimate,
        error,
        low,
        high,
        p,
        "regression_adjusted" if adjusted else "difference_in_means",
        variance_t,
        variance_c,
    )


def welch(first: Floats, second: Floats) -> float:
    """Two-sided p of equal means (Welch); 1 where neither arm varies and the means agree."""
    if min(len(first), len(second)) < 2:
        return math.nan
    return contrast(first, second).p_value


def _fits(y: Floats, x: Floats | None, treated: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Estimate, standard error and degrees of freedom for each row of `treated` (draws × n)."""
    at = float(x.mean()) if x is not None else 0.0
    means, variances, freedoms = [], [], []
    for arm in (treated, ~treated):
        weight = arm.astype(float)
        size = weight.sum(axis=1)
        mean_y = weight @ y / size
        if x is None:
            residual = (y - mean_y[:, None]) * weight
            # With a mean alone, HC2 is the textbook variance s²/n.
            variances.append((residual**2).sum(axis=1) / (size * (size - 1)))
            means.append(mean_y)
            freedoms.append(size - 1)
            continue
        mean_x = weight @ x / size
        spread = (x - mean_x[:, None]) * weight
        sum_xx = (spread**2).sum(axis=1)
        slope = np.divide(
            (spread * y).sum(axis=1), sum_xx, out=np.zeros_like(sum_xx), where=sum_xx > 0
        )
        fitted = mean_y[:, None] + slope[:, None] * (x - mean_x[:, None])
        safe = np.where(sum_xx > 0, sum_xx, 1.0)[:, None]
        leverage = 1 / size[:, None] + spread**2 / safe
        # A customer that alone fixes the line has leverage 1 and residual 0.
        free = np.clip(1 - leverage, 1e-8, None)
        # The fit read at the common mean is Σ w·y with these weights.
        reading = (1 / size[:, None] + (at - mean_x)[:, None] * spread / safe) * weight
        variances.append((reading**2 * (y - fitted) ** 2 / free).sum(axis=1))
        means.append(mean_y + slope * (at - mean_x))
        freedoms.append(size - 2)
    total = variances[0] + variances[1]
    parts = variances[0] ** 2 / freedoms[0] + variances[1] ** 2 / freedoms[1]
    freedom = np.divide(total**2, parts, out=np.ones_like(total), where=parts > 0)
    return means[0] - means[1], np.sqrt(total), freedom


def _residual_variance(
    y: Floats, x: Floats | None, treated: NDArray[np.bool_]
) -> tuple[float, float]:
    found = []
    for arm in (treated, ~treated):
        values = y[arm]
        if x is None:
            found.append(float(values.var(ddof=1)))
            continue
        slope, intercept = np.polyfit(x[arm] - x.mean(), values, 1)
        residual = values - intercept - slope * (x[arm] - x.mean())
        found.append(float((residual**2).sum() / (len(values) - 2)))
    return found[0], found[1]


def _permutation_p(
    y: Floats, x: Floats | None, treated: int, observed: float, rng: np.random.Generator
) -> float:
    """Share of random splits at least as far apart; studentised, so unequal spreads are fair."""
    order = rng.random((PERMUTATIONS, len(y))).argsort(axis=1)
    mask = order < treated
    estimates, errors, _ = _fits(y, x, mask)
    far = np.divide(np.abs(estimates), errors, out=np.zeros_like(errors), where=errors > 0)
    return float((1 + (far >= observed * (1 - 1e-9)).sum()) / (1 + PERMUTATIONS))
