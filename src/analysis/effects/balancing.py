"""Customers weighted until they resemble the treated: entropy balancing.

Hainmueller (2012), Political Analysis 20, 25-46. The comparison's customers get the weights
nearest to equal ones under which every trait has the mean it has among the treated. The
comparison then needs no model of the outcome; it is right as far as the traits tell who was
chosen, which no figure can prove (see `analysis.effects.sensitivity`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from analysis.effects.estimators import Contrast, Floats
from analysis.stats import steady

METHOD = "matched"
_SMALLEST_ARM = 2  # a variance needs two customers
_BALANCED = 1e-9  # standard deviations; one more step squares it
_STEPS = 200
_HALVINGS = 40


@dataclass(frozen=True)
class Matched:
    """What a measure did for its customers, against others weighted to resemble them.

    Attributes
    ----------
    contrast
        Mean effect on the treated.
    balance
        One row a trait: trait, treated, control, control_weighted (means), distance and
        distance_weighted (standard deviations), n [customers]. The standard deviation is the
        root of the mean of both variances before weighting.
    effective_n
        Customers of equal weight that would tell as much as the weighted comparison does.
    overlap
        Share of the treated with no trait beyond the smallest and largest of the comparison.
    trimmed
        Treated customers beyond it who had to be left out, as no weights resemble them; the
        effect is then that on the others. 0 where weights exist for all.
    dropped
        Customers without an outcome or a trait.
    n_treated, n_control
        Customers compared. Where all treated have a trait in common, so has the comparison.
    """

    contrast: Contrast
    balance: pd.DataFrame
    effective_n: float
    overlap: float
    trimmed: int
    dropped: int
    n_treated: int
    n_control: int


def matched(
    treated: pd.DataFrame,
    control: pd.DataFrame,
    traits: Sequence[str],
    *,
    level: float = 0.95,
    outcome: str = "value",
    group: str | None = None,
) -> Matched | None:
    """The effect on treated customers who were chosen, not drawn.

    Parameters
    ----------
    treated, control
        One row a customer: the outcome and the traits before the measure.
    traits
        Columns; each category of one that is not numeric counts as a trait of its own,
        called ``column=category``.
    level
        Level of the interval.
    outcome
        Column of the outcome.
    group
        Column of the corporate group, which errors then have in common; empty: alone.

    Returns
    -------
    Matched or None
        None where no weights balance the traits even without those treated who lie beyond
        the comparison, or where too few customers carry the weight to tell the error.

    Notes
    -----
    The standard error is the sandwich of all estimating equations together: means, and weights
    that depend on them. It reduces to residuals r of the outcome on the traits, fitted to the
    comparison with its weights: mean of r among the treated less weighted mean of r in the
    comparison, the latter's squares divided by one less the leverage (HC2). Interval by the t
    distribution, the comparison counting its effective customers less the fitted traits.
    """
    everyone = pd.concat([treated, control], ignore_index=True)
    is_treated = np.arange(len(everyone)) < len(treated)
    numbers = _numbers(everyone[list(traits)])
    y = everyone[outcome].to_numpy(float, na_value=np.nan)
    x = numbers.to_numpy(float)
    known = ~np.isnan(y) & ~np.isnan(x).any(axis=1) & everyone[list(traits)].notna().all(axis=1)
    cluster = _clusters(everyone[group] if group is not None else None, len(everyone))
    first, second = (np.flatnonzero(known & side) for side in (is_treated, ~is_treated))
    if min(len(first), len(second)) < _SMALLEST_ARM:
        return None
    inside = ((x[first] >= x[second].min(axis=0)) & (x[first] <= x[second].max(axis=0))).all(axis=1)
    for kept in (first, first[inside]):
        if len(kept) < _SMALLEST_ARM:
            return None
        others, weights = _weights(x, kept, second)
        if weights is not None:
            break
    else:
        return None
    effective = 1 / float(weights @ weights)
    found = _contrast(y, x, kept, others, weights, cluster, level)
    if found is None:
        return None
    return Matched(
        contrast=found,
        balance=_balance(list(numbers.columns), x, kept, second, others, weights),
        effective_n=steady(effective, effective),
        overlap=float(inside.mean()),
        trimmed=len(first) - len(kept),
        dropped=int((~known).sum()),
        n_treated=len(kept),
        n_control=len(others),
    )


def balancing_weights(distances: Floats) -> Floats | None:
    """Weights nearest to equal ones under which every column has the mean 0.

    Parameters
    ----------
    distances
        Customers × traits, in standard deviations from the mean to be met.

    Returns
    -------
    ndarray or None
        Weights, adding up to 1; None where no weights have these means.

    Notes
    -----
    Newton's method with halved steps on the dual, the log of a sum of exponentials. Its lowest
    value is the entropy of the weights, so that a value below 0 proves that there are none.
    """
    slopes = np.zeros(distances.shape[1])
    height, weights = _dual(distances, slopes)
    for _ in range(_STEPS):
        means = weights @ distances
        spread = (distances * weights[:, None]).T @ distances - np.outer(means, means)
        step = np.linalg.lstsq(spread, -means, rcond=1e-13)[0]
        if np.abs(means).max(initial=0.0) < _BALANCED:
            return _dual(distances, slopes + step)[1]
        descent = float(means @ step)
        size = 1.0
        for _ in range(_HALVINGS):
            trial, moved = _dual(distances, slopes + size * step)
            if trial <= height + 1e-4 * size * descent:
                break
            size /= 2
        else:
            return None
        slopes, height, weights = slopes + size * step, trial, moved
        if height < 0:
            return None
    return None


def _dual(distances: Floats, slopes: Floats) -> tuple[float, Floats]:
    reach = distances @ slopes
    top = float(reach.max())
    raised = np.exp(reach - top)
    total = float(raised.sum())
    return top + math.log(total), raised / total


def _numbers(traits: pd.DataFrame) -> pd.DataFrame:
    """Traits as numbers, a column a category where they are none."""
    named = [
        name
        for name in traits.columns
        if not pd.api.types.is_any_real_numeric_dtype(traits[name])
        and not pd.api.types.is_bool_dtype(traits[name])
    ]
    wide = pd.get_dummies(traits, columns=named, prefix_sep="=") if named else traits
    return wide.astype(float)


def _clusters(group: pd.Series | None, n: int) -> NDArray[np.intp]:
    """Number of each customer's corporate group; a customer without one is alone."""
    if group is None:
        return np.arange(n)
    codes = pd.factorize(group)[0]
    return np.where(codes < 0, codes.max(initial=-1) + 1 + np.arange(n), codes)


def _weights(
    x: Floats, treated: NDArray[np.intp], control: NDArray[np.intp]
) -> tuple[NDArray[np.intp], Floats | None]:
    """Those of the comparison who can resemble the treated, and their weights."""
    common = np.ptp(x[treated], axis=0) == 0
    control = control[(x[control][:, common] == x[treated[0], common]).all(axis=1)]
    if len(control) < _SMALLEST_ARM:
        return control, None
    return control, balancing_weights(_distances(x, treated, control)[:, ~common])


def _distances(x: Floats, treated: NDArray[np.intp], control: NDArray[np.intp]) -> Floats:
    """How far the comparison lies from the treated's means, in standard deviations."""
    away: Floats = (x[control] - x[treated].mean(axis=0)) / _spread(x, treated, control)
    return away


def _spread(x: Floats, treated: NDArray[np.intp], control: NDArray[np.intp]) -> Floats:
    both = (x[treated].var(axis=0, ddof=1) + x[control].var(axis=0, ddof=1)) / 2
    return np.where(both > 0, np.sqrt(both), 1.0)


def _contrast(
    y: Floats,
    x: Floats,
    treated: NDArray[np.intp],
    control: NDArray[np.intp],
    weights: Floats,
    cluster: NDArray[np.intp],
    level: float,
) -> Contrast | None:
    """Difference of the means with its sandwich; None without a customer left for the error."""
    spread, centre = _spread(x, treated, control), x[treated].mean(axis=0)
    near, far = ((x[side] - centre) / spread for side in (treated, control))
    root = np.sqrt(weights)[:, None]
    mean_first, mean_second = float(y[treated].mean()), float(weights @ y[control])
    # The traits' weighted mean is 0 there, so that the fit needs no constant.
    base, sizes, turn = np.linalg.svd(root * far, full_matrices=False)
    kept = sizes > sizes.max(initial=0.0) * 1e-9
    slopes = turn[kept].T @ (
        base[:, kept].T @ (root[:, 0] * (y[control] - mean_second)) / sizes[kept]
    )
    leverage = weights + (base[:, kept] ** 2).sum(axis=1)
    n, effective, traits = len(treated), 1 / float(weights @ weights), int(kept.sum())
    freedom_second = effective - traits - 1
    if freedom_second < 1:
        return None
    # A customer that alone meets a trait has leverage 1 and residual 0.
    free = np.sqrt(np.clip(1 - leverage, 1e-8, None))
    influence = np.zeros(len(y))
    influence[treated] = (y[treated] - mean_first - near @ slopes) / math.sqrt(n * (n - 1))
    influence[control] = -weights * (y[control] - mean_second - far @ slopes) / free
    sums = np.bincount(cluster, influence)
    first = np.bincount(cluster[treated], minlength=len(sums)) > 0
    second = (np.bincount(cluster[control], minlength=len(sums)) > 0) & ~first
    variances = np.array([(sums[side] ** 2).sum() for side in (first, second)])
    scale = float(np.abs(y[np.concatenate([treated, control])]).max())
    estimate = steady(mean_first - mean_second, scale)
    error = steady(math.sqrt(variances.sum()), scale)
    if error == 0.0:
        exact = 1.0 if estimate == 0.0 else 0.0
        return Contrast(estimate, error, estimate, estimate, exact, METHOD, 0.0, 0.0)
    freedoms = np.array([max(first.sum() - 1, 1), max(min(freedom_second, second.sum() - 1), 1)])
    freedom = float(variances.sum() ** 2 / (variances**2 / freedoms).sum())
    half = float(special.stdtrit(freedom, 0.5 + level / 2)) * error
    p = float(2 * special.stdtr(freedom, -abs(estimate) / error))
    return Contrast(
        estimate,
        error,
        steady(estimate - half, scale),
        steady(estimate + half, scale),
        steady(p, p),
        METHOD,
        steady(float(variances[0]) * n, scale**2),
        steady(float(variances[1]) * len(control), scale**2),
    )


def _balance(
    names: Sequence[str],
    x: Floats,
    treated: NDArray[np.intp],
    everyone: NDArray[np.intp],
    control: NDArray[np.intp],
    weights: Floats,
) -> pd.DataFrame:
    spread = _spread(x, treated, everyone)
    means = (x[treated].mean(axis=0), x[everyone].mean(axis=0), weights @ x[control])
    rows = []
    for at, name in enumerate(names):
        scale = float(np.abs(x[:, at]).max())
        first, plain, weighted = (steady(float(mean[at]), scale) for mean in means)
        rows.append(
            {
                "trait": name,
                "treated": first,
                "control": plain,
                "control_weighted": weighted,
                "distance": steady(float((means[0] - means[1])[at] / spread[at]), 1.0),
                "distance_weighted": steady(float((means[0] - means[2])[at] / spread[at]), 1.0),
                "n": len(treated) + len(everyone),
            }
        )
    return pd.DataFrame(rows)
