"""A segment against the other customers: value, interval, test."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats as scipy_stats

from analysis.personas.traits import Flags, Floats, Number, Share
from analysis.stats import mean_interval, wilson


@dataclass(frozen=True)
class Difference:
    """One trait of one segment.

    Attributes
    ----------
    value, low, high
        Share, mean or median of the segment, with its interval.
    rest
        The same of the other customers.
    n
        Customers of the segment that it rests on.
    p
        Two-sided p that segment and rest are alike.
    """

    value: float
    low: float
    high: float
    rest: float
    n: int
    p: float


def share(trait: Share, inside: Flags, level: float, min_group: int) -> Difference | None:
    """Compare a share; None where either side has fewer than `min_group` customers.

    Notes
    -----
    Wilson interval. Two-proportion z test; Fisher's exact test where an expected count is below
    five, because the z test finds too much there.
    """
    n, others = int((trait.base & inside).sum()), int((trait.base & ~inside).sum())
    if min(n, others) < min_group:
        return None
    k = int((trait.member & trait.base & inside).sum())
    rest = int((trait.member & trait.base & ~inside).sum())
    low, high = wilson(k, n, level)
    return Difference(
        k / n, float(low), float(high), rest / others, n, _two_shares(k, n, rest, others)
    )


def number(trait: Number, inside: Flags, level: float, min_group: int) -> Difference | None:
    """Compare a mean or median; None where either side has fewer than `min_group` customers.

    Notes
    -----
    t interval of the mean, order-statistic interval of the median; rank test (Mann and Whitney,
    1947), which holds for skewed values and ties.
    """
    known = ~np.isnan(trait.values)
    own, others = trait.values[inside & known], trait.values[~inside & known]
    if min(len(own), len(others)) < min_group:
        return None
    if trait.statistic == "mean":
        value, low, high = mean_interval(own, level)
        rest = float(others.mean())
    else:
        value, low, high = median_interval(own, level)
        rest = float(np.median(others))
    return Difference(value, low, high, rest, len(own), _ranks(own, others))


def median_interval(values: Floats, level: float) -> tuple[float, float, float]:
    """Median with its distribution-free interval.

    Returns
    -------
    tuple of float
        Median, lower and upper bound: order statistics whose coverage is at least `level`, or
        the extremes where there are too few values for it.
    """
    ordered = np.sort(values)
    rank = int(scipy_stats.binom.ppf((1 - level) / 2, len(ordered), 0.5))
    at = min(max(rank - 1, 0), (len(ordered) - 1) // 2)
    return float(np.median(ordered)), float(ordered[at]), float(ordered[len(ordered) - 1 - at])


def lift(value: float, rest: float) -> float:
    """How many times the rest; NaN where the rest has none."""
    return value / rest if rest > 0 and not math.isnan(value) else math.nan


def _two_shares(k: int, n: int, rest: int, others: int) -> float:
    total, everyone = k + rest, n + others
    if total in (0, everyone):
        return 1.0
    expected = min(n, others) * min(total, everyone - total) / everyone
    if expected < 5:
        table: NDArray[np.int64] = np.array([[k, n - k], [rest, others - rest]])
        return float(scipy_stats.fisher_exact(table).pvalue)
    pooled = total / everyone
    error = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / others))
    return float(2 * scipy_stats.norm.sf(abs(k / n - rest / others) / error))


def _ranks(own: Floats, others: Floats) -> float:
    if np.ptp(np.concatenate([own, others])) == 0:
        return 1.0
    test = scipy_stats.mannwhitneyu(own, others, alternative="two-sided", method="asymptotic")
    return float(test.pvalue)
