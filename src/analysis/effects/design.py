"""How many customers a comparison needs, and whether its arms were drawn fairly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

from analysis.pooling import holm
from analysis.stats import steady, wilson

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


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
    *,
    units: tuple[int, int] | None = None,
    fitted: int = 1,
) -> float:
    """The smallest difference of means that arms of these sizes show at `power`.

    Parameters
    ----------
    n_treated, n_control
        Customers in each arm.
    sd
        Standard deviation of one customer's outcome.
    power, level
        Probability of showing it, and level of the interval.
    units
        What was drawn, in each arm: corporate groups; default: the customers. They give the
        degrees of freedom.
    fitted
        Coefficients fitted in each arm: 1 for the mean, 2 with the outcome before.

    Returns
    -------
    float
        In the unit of `sd`; NaN where an arm has too few to say anything.
    """
    arms = units or (n_treated, n_control)
    fewest = 2 if fitted == 1 else 4
    if min(n_treated, n_control, *arms) < fewest or math.isnan(sd):
        return math.nan
    shares = [1 / n_treated, 1 / n_control]
    if fitted > 1:
        # Each arm's line is read at the common mean, away from its own: the farther, the fewer
        # customers the arm has (expected over draws, for a normal outcome before).
        total = sum(arms)
        shares = [
            share * (1 + (total - n) / (total * (n - 3)))
            for share, n in zip(shares, arms, strict=True)
        ]
    # Welch and Satterthwaite, for arms of the same spread.
    parts = sum(share**2 / (n - fitted) for share, n in zip(shares, arms, strict=True))
    return multiplier(power, level, sum(shares) ** 2 / parts) * sd * math.sqrt(sum(shares))


def multiplier(power: float, level: float, freedom: float = math.inf) -> float:
    """Standard errors between no effect and one that is shown with probability `power`.

    With few customers the standard error itself is uncertain: then quantiles of t with
    `freedom` degrees (Bloom 1995, Evaluation Review 19, 547-556).
    """
    law = stats.norm if math.isinf(freedom) else stats.t(freedom)
    return float(law.ppf(0.5 + level / 2) + law.ppf(power))


def design_effect(residuals: ArrayLike, groups: ArrayLike) -> float:
    """How much the variance of a mean grows because whole groups are drawn.

    Parameters
    ----------
    residuals
        One customer's outcome without what is known of it before the draw.
    groups
        Corporate group of each.

    Returns
    -------
    float
        Variance by group totals over variance by customers, at least 1; 1 where every
        customer is its own group. NaN for fewer than two groups.

    Notes
    -----
    With equal groups of m and a correlation r inside them it tends to 1 + (m - 1)·r (Kish
    1965, Survey Sampling); from totals it needs neither.
    """
    rest = np.asarray(residuals, dtype=float)
    _, place = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    totals = np.bincount(place, weights=rest)
    size, count = len(rest), len(totals)
    own = float((rest**2).sum()) * size / (size - 1) if size > 1 else 0.0
    if count < 2 or own == 0.0:
        return math.nan if count < 2 else 1.0
    return max(1.0, float((totals**2).sum()) * count / (count - 1) / own)


class SmallTier(NamedTuple):
    """What keeping every customer of a small tier can say (see `small_tier`)."""

    at_target: float
    at_other: float
    low: float
    needed: float


def small_tier(
    n: int, target: float, other: float, power: float = 0.80, level: float = 0.95
) -> SmallTier:
    """Whether a tier of `n` customers can tell one retention from another.

    Parameters
    ----------
    n
        Customers of the tier.
    target, other
        Shares kept, 0-1.
    power, level
        Of the comparison that could.

    Returns
    -------
    SmallTier
        Probability that none of `n` is lost under the one share and the other (exact), lower
        bound of the share kept when none was lost (Wilson), and the customers an arm needs to
        tell the two apart. With 15 customers, 98 % and 95 %: .74, .46, .796.
    """
    low, _ = wilson(n, n, level)
    return SmallTier(
        target**n, other**n, float(low), customers_for_shares(target, other, power, level)
    )


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


def balance(
    treated: pd.DataFrame,
    control: pd.DataFrame,
    traits: list[str],
    *,
    block: str | None = None,
    group: str | None = None,
) -> pd.DataFrame:
    """Whether two arms were alike before the measure.

    Parameters
    ----------
    treated, control
        One row a customer: the traits as numbers.
    traits
        Columns to compare; a customer without a value is left out of that trait.
    block
        Column of the blocks within which was drawn: the test compares within them, so that arms
        which differ only because the blocks waited in other shares are not taken for unfair.
    group
        Column of what was drawn as one; default: each customer.

    Returns
    -------
    DataFrame
        trait, treated, control (means), distance (of the means in standard deviations), p
        (two-sided, of no difference within the blocks, by Holm's method for all the traits
        together); NaN where too few are known.
    """
    both = pd.concat([treated.assign(_arm=1.0), control.assign(_arm=0.0)], ignore_index=True)
    rows = [_compared(both, trait, block, group) for trait in traits]
    found = pd.DataFrame(rows, columns=["trait", "treated", "control", "distance", "p"])
    return found.assign(p=holm(found["p"]))


def _compared(
    both: pd.DataFrame, trait: str, block: str | None, group: str | None
) -> tuple[str, float, float, float, float]:
    known = both[both[trait].notna()]
    arm = known["_arm"].to_numpy(float)
    value = known[trait].to_numpy(float)
    first, second = value[arm == 1], value[arm == 0]
    if min(len(first), len(second)) < 2:
        return trait, _mean(first), _mean(second), math.nan, math.nan
    scale = float(np.abs(value).max())
    gap = _mean(first) - _mean(second)
    spread = math.sqrt((first.var(ddof=1) + second.var(ddof=1)) / 2)
    distance = gap / spread if spread > 0 else (0.0 if gap == 0 else math.nan)
    blocks = np.zeros(len(known)) if block is None else pd.factorize(known[block])[0]
    units = np.arange(len(known)) if group is None else pd.factorize(known[group])[0]
    p = _within_p(value, arm, blocks.astype(int), units.astype(int))
    return trait, steady(_mean(first), scale), steady(_mean(second), scale), distance, p


def _within_p(value: Floats, arm: Floats, blocks: Ints, units: Ints) -> float:
    """Two-sided p of the arms' difference within blocks; its error counts `units` as one."""
    y, d = _centred(value, blocks), _centred(arm, blocks)
    share = float((d**2).sum())
    freedom = int(units.max()) + 1 - (int(blocks.max()) + 1) - 1
    if share == 0 or freedom < 1:
        return math.nan
    estimate = float((d * y).sum()) / share
    totals = np.bincount(units, weights=d * (y - estimate * d))
    count = len(totals)
    error = math.sqrt(float((totals**2).sum()) * count / freedom) / share
    if error <= 1e-12 * float(np.abs(value).max()):
        return 1.0 if abs(estimate) <= 1e-12 * float(np.abs(value).max()) else 0.0
    p = float(2 * stats.t.sf(abs(estimate / error), freedom))
    return steady(p, p)


def _centred(values: Floats, blocks: Ints) -> Floats:
    means = np.bincount(blocks, weights=values) / np.bincount(blocks)
    return values - means[blocks]


def _mean(values: Floats) -> float:
    return math.fsum(values) / len(values) if len(values) else math.nan
