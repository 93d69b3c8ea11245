"""A measure that began at different times: each cohort against those not reached yet.

Callaway and Sant'Anna (2021), Journal of Econometrics 225, 200-230, without covariates. Every
cohort that began in the same period is compared, period by period, with customers not yet (or
never) treated; the comparisons are then averaged. One regression with customer and period
effects would use customers already treated as a comparison and mix the effects up.

Every figure is a mean of influence functions, one value a customer, so that any average of
the comparisons has its standard error at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from analysis.effects.cohorts import (
    Average,
    Baseline,
    Comparisons,
    Panel,
    Untreated,
    against_baseline,
    before_baseline,
    estimable,
    into_baseline,
    read,
)
from analysis.effects.estimators import Contrast, Floats
from analysis.stats import steady

METHOD = "staggered"
_SINGULAR = 1e-10  # share of the largest variance below which a direction says nothing


@dataclass(frozen=True)
class Staggered:
    """What a staggered roll-out did.

    Attributes
    ----------
    overall
        Mean effect over all treated customers and periods since their start (aggregation
        "simple").
    dynamic
        Mean over the periods since the start, each period counting once ("dynamic").
    events
        One row a distance to the start: relative [periods], estimate, std_error, low, high,
        n_treated, n_control [customers]. With the universal baseline its own period is the
        row of zeros.
    group_time
        One row a cohort × period: cohort, period, then the columns of `events`.
    pre_trend_p
        Probability of the differences before the start if both moved alike (Wald), allowing
        for small cohorts; NaN where there are no earlier periods, or too many for so few
        customers. A large value does not prove that they moved alike.
    pre_trend_p_large
        The same as if the cohorts were large (chi-square), as R's ``did`` prints it.
    dip_by
        How far the treated lay at the baseline below their usual distance to the comparison,
        all periods before it taken together; None where there is no earlier period.
    n_treated, n_control
        Customers in the cohorts that could be judged, and customers that served as their
        comparison for at least one period; a customer can be both.
    n_clusters
        Corporate groups among all customers; customers where no group is given.
    dropped
        Customers left out because a period is missing.
    no_baseline
        Customers left out because they were treated before the first usable baseline.
    """

    overall: Contrast
    dynamic: Contrast
    events: pd.DataFrame
    group_time: pd.DataFrame
    pre_trend_p: float
    pre_trend_p_large: float
    dip_by: Contrast | None
    n_treated: int
    n_control: int
    n_clusters: int
    dropped: int
    no_baseline: int

    @property
    def dip(self) -> bool:
        """Whether the treated had slipped right before the start (Ashenfelter's dip).

        They then recover by themselves, and the recovery looks like an effect.
        """
        return self.dip_by is not None and self.dip_by.high < 0


def staggered(
    panel: pd.DataFrame,
    *,
    level: float = 0.95,
    anticipation: int = 0,
    group: str | None = None,
    comparison: Untreated = "not_yet",
    baseline: Baseline = "universal",
) -> Staggered | None:
    """The effect of a measure that reached its customers in waves.

    Parameters
    ----------
    panel
        customer_id, period (whole number), value, cohort (period of the start; empty: never);
        one row a customer × period. Distances are counted in periods that occur, a start
        between two of them is that of the later one.
    level
        Level of the intervals, each for itself.
    anticipation
        Periods before the start in which customers may already have reacted, or in which they
        were chosen for how they did: the baseline is the last period before these.
    group
        Column of the corporate group, which errors then have in common.
    comparison
        ``not_yet``: those never treated and those not treated yet; ``never`` the first alone.
    baseline
        Of the periods before the start: ``universal``, the period before the start for all;
        ``varying``, the period before each.

    Returns
    -------
    Staggered or None
        None where no cohort has two customers, a baseline and two customers to compare with.

    Raises
    ------
    ValueError
        A customer twice in a period, or with two different starts.

    Notes
    -----
    Standard errors are the analytic ones of the influence functions. Intervals and p-values
    widen them for small cohorts: n/(n − 1) each, and the t distribution with the degrees of
    freedom of Welch and Satterthwaite over the cohorts.
    """
    data = read(panel, group, anticipation)
    cells = estimable(data, against_baseline(data, baseline), comparison)
    distances = np.array([cell.relative for cell in cells.cells], dtype=int)
    after = distances >= 0
    if not after.any():
        return None

    def pooled(mask: NDArray[np.bool_]) -> Average:
        return cells.average(np.flatnonzero(mask))

    def row(average: Average) -> dict[str, float | int]:
        found = _contrast(average, data, level)
        return {
            "estimate": found.estimate,
            "std_error": found.std_error,
            "low": found.low,
            "high": found.high,
            "n_treated": average.n_treated,
            "n_control": average.n_control,
        }

    by_distance = {
        distance: pooled(distances == distance) for distance in np.unique(distances).tolist()
    }
    events = [{"relative": distance} | row(found) for distance, found in by_distance.items()]
    simple = pooled(after)
    if baseline == "universal":
        nothing = dict.fromkeys(("estimate", "std_error", "low", "high"), 0.0)
        sizes = {"n_treated": simple.n_treated, "n_control": simple.n_control}
        events.append({"relative": -1 - anticipation} | nothing | sizes)
    since_start = [found for distance, found in by_distance.items() if distance >= 0]
    # The same cells whatever the events are drawn against: their differences are the trend.
    varying = estimable(data, against_baseline(data, "varying"), comparison)
    before = np.array([cell.relative < -anticipation for cell in varying.cells], dtype=bool)
    trend, trend_large = _wald(varying.estimates[before], varying.influence()[:, before], data)
    dips = estimable(data, into_baseline(data), comparison)
    return Staggered(
        overall=_contrast(simple, data, level),
        dynamic=_contrast(_mean(since_start), data, level),
        events=pd.DataFrame(events).sort_values("relative", ignore_index=True),
        group_time=pd.DataFrame(
            {
                "cohort": data.periods[cell.cohort],
                "period": data.periods[cell.cohort + cell.relative],
            }
            | row(cells.single(at))
            for at, cell in enumerate(cells.cells)
        ),
        pre_trend_p=trend,
        pre_trend_p_large=trend_large,
        dip_by=_summary(dips, data, level),
        n_treated=simple.n_treated,
        n_control=simple.n_control,
        n_clusters=len(data.stratum),
        dropped=data.dropped,
        no_baseline=data.no_baseline,
    )


def placebo_date(
    panel: pd.DataFrame,
    *,
    earlier: int = 1,
    level: float = 0.95,
    anticipation: int = 0,
    group: str | None = None,
    comparison: Untreated = "not_yet",
) -> Contrast | None:
    """What the method finds if the measure is said to have begun earlier than it did.

    Only periods before the real start are used, so that there is nothing to be found: an
    interval without zero speaks against the comparison.

    Parameters
    ----------
    earlier
        Periods between the pretended start and the real one.
    panel, level, anticipation, group, comparison
        As for `staggered`.

    Returns
    -------
    Contrast or None
        None where no cohort has a period before the pretended start.
    """
    data = read(panel, group, anticipation)
    return _summary(estimable(data, before_baseline(data, earlier), comparison), data, level)


def _mean(averages: Sequence[Average]) -> Average:
    return Average(
        math.fsum(found.estimate for found in averages) / len(averages),
        np.mean([found.treated for found in averages], axis=0),
        np.mean([found.control for found in averages], axis=0),
        max(found.n_treated for found in averages),
        max(found.n_control for found in averages),
    )


def _summary(cells: Comparisons, data: Panel, level: float) -> Contrast | None:
    if not cells.cells:
        return None
    return _contrast(cells.average(np.arange(len(cells.cells))), data, level)


def _contrast(found: Average, data: Panel, level: float) -> Contrast:
    """Estimate with its error; the variance is split as its two parts are."""
    influence = np.bincount(data.cluster, found.treated + found.control) / len(data.cohort)
    parts = np.bincount(data.stratum, influence**2)
    freedoms = data.freedoms
    variance = float(parts.sum())
    error = steady(math.sqrt(variance), data.scale)
    estimate = steady(found.estimate, data.scale)
    if error == 0.0:
        exact = 1.0 if estimate == 0.0 else 0.0
        return Contrast(estimate, error, estimate, estimate, exact, METHOD, 0.0, 0.0)
    wider = parts * (1 + 1 / freedoms)
    freedom = wider.sum() ** 2 / (wider**2 / freedoms).sum()
    spread = math.sqrt(wider.sum())
    half = float(special.stdtrit(freedom, 0.5 + level / 2)) * spread
    p = float(2 * special.stdtr(freedom, -abs(found.estimate) / spread))
    own = float((found.treated**2).sum())
    share = own / (own + float((found.control**2).sum()))
    return Contrast(
        estimate,
        error,
        steady(found.estimate - half, data.scale),
        steady(found.estimate + half, data.scale),
        steady(p, p),
        METHOD,
        steady(variance * share * found.n_treated, data.scale**2),
        steady(variance * (1 - share) * found.n_control, data.scale**2),
    )


def _wald(estimates: Floats, influence: Floats, data: Panel) -> tuple[float, float]:
    """Joint p of estimates by their common influence functions, for small and large cohorts.

    The first is Hotelling's with the degrees of freedom of Krishnamoorthy and Yu (2004),
    Statistics & Probability Letters 66, 161-169: the covariance is a sum over the cohorts,
    each known as well as its customers are many.
    """
    size = len(estimates)
    sums = np.zeros((len(data.stratum), size))
    np.add.at(sums, data.cluster, influence / len(data.cohort))
    covariance = sums.T @ sums
    if not size or not np.trace(covariance) > 0:
        return math.nan, math.nan
    rank = int(np.linalg.matrix_rank(covariance, hermitian=True, rtol=_SINGULAR))
    large = special.chdtrc(rank, estimates @ _inverse(covariance) @ estimates)
    freedoms = data.freedoms
    parts = [
        sums[data.stratum == at].T @ sums[data.stratum == at] * (1 + 1 / freedom)
        for at, freedom in enumerate(freedoms)
    ]
    inverse = _inverse(np.sum(parts, axis=0))
    explained = [part @ inverse for part in parts]
    spent = sum(
        (np.trace(part @ part) + np.trace(part) ** 2) / freedom
        for part, freedom in zip(explained, freedoms, strict=True)
    )
    left = (rank + rank**2) / spent - rank + 1
    if left <= 0:
        return math.nan, steady(float(large), 1.0)
    statistic = estimates @ inverse @ estimates * left / (left + rank - 1) / rank
    return steady(float(special.fdtrc(rank, left, statistic)), 1.0), steady(float(large), 1.0)


def _inverse(covariance: Floats) -> Floats:
    return np.asarray(np.linalg.pinv(covariance, rcond=_SINGULAR, hermitian=True), dtype=float)
