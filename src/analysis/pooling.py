"""Several estimates side by side: drawn together, put together, and corrected for their number.

The estimate of one segment rests on few customers, and the best of several measures is too good
by luck. `pool` draws each towards the others as far as they agree (normal–normal hierarchical
model); `weighted_mean` puts estimates of one and the same effect together; `holm` corrects
p-values of several strategies that are judged at once.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from analysis.stats import steady

Floats = NDArray[np.float64]

POOLED = ["pooled", "low", "high", "chance"]
PRIOR_IN_ERRORS = 3.0  # scale of the prior of τ, in typical standard errors
_POINTS = 201  # of the grid of τ
_REACH = 4.0  # end of the grid, in scales of the prior: beyond it lie 6 of 100,000
_HALVINGS = 50


def pool(
    estimates: ArrayLike,
    std_errors: ArrayLike,
    level: float = 0.95,
    *,
    prior_scale: float | None = None,
) -> pd.DataFrame:
    """Draw estimates of several segments towards one another.

    The model: each estimate is normal around its segment's effect with its own standard error;
    the effects are normal around a common mean with spread τ; the mean has a flat prior, τ a
    half-normal one. Given τ everything is known in closed form; the results are mixed over a grid
    of τ with its posterior weights, so that not knowing τ widens the intervals.

    Parameters
    ----------
    estimates, std_errors
        One a segment, in one unit. Unknown ones, and those without a positive standard error,
        come out empty and take no part.
    level
        Of the intervals.
    prior_scale
        Of the half-normal prior, in the unit of the estimates. By default three times the typical
        (root of the median squared) standard error: wide against what the segments can tell
        about their spread, so that effects that do differ are left apart, and still proper
        with two segments.

    Returns
    -------
    DataFrame
        A row an estimate, in their order: ``pooled``, ``low``, ``high`` in their unit and
        ``chance``, the probability that the effect is above 0. Empty where fewer than two
        estimates are known: then there is nothing to draw towards.

    Notes
    -----
    Gelman et al., Bayesian Data Analysis, 3rd ed. (2013), section 5.4, equations 5.17-5.21;
    the prior: Gelman (2006), Bayesian Analysis 1, 515-534.
    """
    y, s = _numbers(estimates, std_errors)
    out = pd.DataFrame(np.nan, index=range(len(y)), columns=POOLED)
    known = np.flatnonzero(np.isfinite(y) & np.isfinite(s) & (s > 0))
    if len(known) < 2:
        return out
    # Sums in one order of their own, so that the result does not depend on that of the rows.
    order = known[np.lexsort((s[known], y[known]))]
    y, s = y[order], s[order]
    scale = prior_scale if prior_scale is not None else typical_error(s) * PRIOR_IN_ERRORS
    weights, means, sds = _given_spread(y, s, scale)
    tail = (1 - level) / 2
    size = float(np.abs(y).max() + s.max())
    found = {
        "pooled": weights @ means,
        "low": _quantile(tail, weights, means, sds),
        "high": _quantile(1 - tail, weights, means, sds),
        "chance": weights @ ndtr(means / sds),
    }
    for name, values in found.items():
        unit = 1.0 if name == "chance" else size
        out.loc[order, name] = [steady(float(value), unit) for value in values]
    return out


def weighted_mean(estimates: ArrayLike, std_errors: ArrayLike) -> tuple[float, float]:
    """Independent estimates of one effect, weighted by their precision.

    Returns
    -------
    tuple of float
        Mean and standard error; NaN where no estimate has a positive standard error.
    """
    y, s = _numbers(estimates, std_errors)
    known = np.isfinite(y) & np.isfinite(s) & (s > 0)
    if not known.any():
        return math.nan, math.nan
    precision = 1 / s[known] ** 2
    total = math.fsum(precision)
    mean = math.fsum(precision * y[known]) / total
    size = float(np.abs(y[known]).max() + s[known].max())
    return steady(mean, size), steady(1 / math.sqrt(total), size)


def typical_error(std_errors: ArrayLike) -> float:
    """The root of the median squared standard error."""
    return float(np.sqrt(np.median(np.square(np.asarray(std_errors, dtype=float)))))


def holm(p_values: ArrayLike) -> Floats:
    """Adjusted p-values that hold the chance of even one false alarm.

    NaN stays NaN and does not count. Holm (1979), Scandinavian Journal of Statistics 6, 65-70.
    """
    p = np.asarray(p_values, dtype=float)
    out = np.full(p.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    # Not by statsmodels, whose function collects the garbage of the whole process each time.
    times = np.arange(len(order), 0, -1)
    out[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * times))
    return out


def _numbers(estimates: ArrayLike, std_errors: ArrayLike) -> tuple[Floats, Floats]:
    y, s = np.asarray(estimates, dtype=float), np.asarray(std_errors, dtype=float)
    if y.shape != s.shape or y.ndim != 1:
        raise ValueError("one standard error an estimate")
    return y, s


def _given_spread(y: Floats, s: Floats, scale: float) -> tuple[Floats, Floats, Floats]:
    """Weight of each τ of the grid; mean and sd of each effect given it (grid × estimates)."""
    tau = np.linspace(0, _REACH * scale, _POINTS)[:, None]
    precision = 1 / (s**2 + tau**2)
    total = precision.sum(axis=1)
    centre = (precision * y).sum(axis=1) / total
    # log p(τ | y), up to a constant (BDA3, 5.21)
    log_weight = (
        -0.5 * (tau[:, 0] / scale) ** 2
        - 0.5 * np.log(total)
        + 0.5 * np.log(precision).sum(axis=1)
        - 0.5 * (precision * (y - centre[:, None]) ** 2).sum(axis=1)
    )
    weights = np.exp(log_weight - log_weight.max())
    weights[[0, -1]] /= 2  # trapezoids
    weights /= weights.sum()
    drawn = s**2 * precision  # how far towards the centre
    means = drawn * centre[:, None] + (1 - drawn) * y
    variances = (1 - drawn) * s**2 + drawn**2 / total[:, None]
    return weights, means, np.sqrt(variances)


def _quantile(share: float, weights: Floats, means: Floats, sds: Floats) -> Floats:
    """Quantile of each mixture of normals, by halving."""
    reach = 10 * sds.max(axis=0)
    low, high = means.min(axis=0) - reach, means.max(axis=0) + reach
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = weights @ ndtr((middle - means) / sds) < share
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    found: Floats = (low + high) / 2
    return found
