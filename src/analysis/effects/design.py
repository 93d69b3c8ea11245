"""How many customers a comparison needs, and whether its arms were drawn fairly."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy import optimize, stats


def customers_for_shares(
    first: float, second: float, power: float = 0.80, level: float = 0.95
) -> float:
    """Customers per arm that show the difference between two shares.

    Parameters
    ----------
    first, second
        Shares, 0-1, not equal.
    power, level
        Probability of showing it, and level of the interval.

    Returns
    -------
    float
        Not rounded: ``customers_for_shares(.5, .75, power=.9)`` is 76.65, as R's
        ``power.prop.test`` gives.
    """
    if first == second:
        return math.inf
    # As power.prop.test: the pooled share under no difference, its own share for each arm.
    z = stats.norm.ppf(0.5 + level / 2)

    def shortfall(n: float) -> float:
        pooled = (first + second) / 2
        null = math.sqrt(2 * pooled * (1 - pooled))
        own = math.sqrt(first * (1 - first) + second * (1 - second))
        reached = stats.norm.cdf((math.sqrt(n) * abs(first - second) - z * null) / own)
        return float(reached) - power

    return float(optimize.brentq(shortfall, 1e-6, 1e12))


def customers_for_means(
    distance: float,
    variance_treated: float,
    variance_control: float,
    power: float = 0.80,
    level: float = 0.95,
) -> float:
    """Customers per arm so that an effect `distance` away is told apart; not rounded.

    The normal approximation: ``(z₁ + z₂)² (v_t + v_c) / distance²``.
    """
    if distance == 0:
        return math.inf
    return multiplier(power, level) ** 2 * (variance_treated + variance_control) / distance**2


def detectable(
    n_treated: int,
    n_control: int,
    sd: float,
    power: float = 0.80,
    level: float = 0.95,
) -> float:
    """The smallest difference of means that arms of these sizes show at `power`.

    Returns
    -------
    float
        In the unit of `sd`; NaN where an arm has fewer than two customers.
    """
    if min(n_treated, n_control) < 2 or math.isnan(sd):
        return math.nan
    return multiplier(power, level) * sd * math.sqrt(1 / n_treated + 1 / n_control)


def multiplier(power: float, level: float) -> float:
    """Standard errors between no effect and one that is shown with probability `power`."""
    return float(stats.norm.ppf(0.5 + level / 2) + stats.norm.ppf(power))


def sample_ratio_p(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Probability of arm sizes this far from the planned shares (chi-square).

    Parameters
    ----------
    counts, shares
        Customers in each arm, and the share each was planned to get.
    """
    total, planned = sum(counts), sum(shares)
    expected = [total * share / planned for share in shares]
    if total == 0 or min(expected) == 0:
        return math.nan
    return float(stats.chisquare(list(counts), expected).pvalue)
