"""Whether clusters are there, or only drawn into a cloud.

Four questions, each with a number: do the centres of one half of the customers predict who
belongs together in the other (`prediction_strength`), does every cluster come back when the
customers are drawn again (`resampled`), are they tighter than slices of one cloud of the same
shape (`against_cloud`), and how far apart are they (`silhouette`).

Silhouette and agreement cannot choose a number of clusters, and with many customers not even
strength can: slices of an elongated cloud (a gradient from small to large customers) are
predicted and come back as well as true clusters do. They are just not tighter.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sklearn.metrics import adjusted_rand_score, silhouette_score

from analysis.segmentation.kmeans import (
    Codes,
    Floats,
    by_value,
    centres,
    distinct,
    nearest,
    one_thread,
)

MOST_SILHOUETTE = 2_000  # rows: all pairs of them are compared
CLOUDS = 10


class Stability(NamedTuple):
    """What resamples say of a set of clusters."""

    jaccard: float
    agreement: float


def prediction_strength(values: Floats, k: int, splits: int, seed: int) -> float:
    """How well the centres of one half predict which rows of the other belong together.

    Parameters
    ----------
    values
        Shape (rows, features), sorted by value.
    k
        Clusters.
    splits
        Random halves; each half predicts the other.
    seed
        Of halves and starting points.

    Returns
    -------
    float
        0–1, mean over the splits of the minimum over a half's clusters; NaN for fewer than
        `k` distinct rows or fewer than two rows a cluster and half. A cluster of a single row
        has no pair that could be confirmed and counts 0.

    Notes
    -----
    Tibshirani and Walther (2005), Cluster validation by prediction strength, JCGS 14, 511–528.
    """
    if len(values) < 4 * k or distinct(values) < k:
        return float("nan")
    rng = np.random.default_rng([seed, 1])
    found: list[float] = []
    for _ in range(splits):
        drawn = rng.permutation(len(values))
        middle = len(values) // 2
        halves = [values[np.sort(part)] for part in (drawn[:middle], drawn[middle:])]
        middles = [centres(half, k, seed) for half in halves]
        found += [
            0.0 if own is None or other is None else _confirmed(half, own, other)
            for half, own, other in zip(halves, middles, middles[::-1], strict=True)
        ]
    return float(np.mean(found))


def _confirmed(half: Floats, own: Floats, other: Floats) -> float:
    """Least share of a cluster's pairs that the other half's centres put together as well."""
    counts = overlap(nearest(half, own), nearest(half, other), len(own))
    sizes = counts.sum(axis=1)
    pairs = sizes * (sizes - 1)
    together = (counts * (counts - 1)).sum(axis=1)
    return float(np.min(np.divide(together, pairs, out=np.zeros(len(own)), where=pairs > 0)))


def resampled(values: Floats, middles: Floats, resamples: int, seed: int) -> Stability:
    """How far clusters come back when the customers are drawn again, with replacement.

    Parameters
    ----------
    values
        Shape (rows, features), sorted by value.
    middles
        Centres found on all of them.
    resamples
        Bootstrap draws.
    seed
        Of draws and starting points.

    Returns
    -------
    Stability
        ``jaccard``: of the cluster that comes back worst, the mean over the draws of the best
        Jaccard overlap with a cluster of the draw; each drawn row counts once.
        ``agreement``: mean adjusted Rand index of the two groupings of the drawn rows.

    Notes
    -----
    Hennig (2007), Cluster-wise assessment of cluster stability, CSDA 52, 258–271: below .75 a
    cluster is doubtful, below .5 it dissolves.
    """
    labels = nearest(values, middles)
    rng = np.random.default_rng([seed, 2])
    best = np.zeros(len(middles))
    agreement = 0.0
    for _ in range(resamples):
        drawn = np.sort(rng.integers(len(values), size=len(values)))
        again = centres(values[drawn], len(middles), seed)
        if again is None:
            continue
        once = np.unique(drawn)
        new = nearest(values[once], again)
        counts = overlap(labels[once], new, len(middles))
        union = counts.sum(axis=1, keepdims=True) + counts.sum(axis=0, keepdims=True) - counts
        jaccard = np.divide(counts, union, out=np.zeros(counts.shape), where=union > 0)
        best += jaccard.max(axis=1)
        agreement += float(adjusted_rand_score(labels[once], new))
    return Stability(float(best.min()) / resamples, agreement / resamples)


def against_cloud(values: Floats, middles: Floats, winsor: float, seed: int) -> float:
    """How much tighter the clusters are than the same number cut out of one cloud.

    Parameters
    ----------
    values
        Shape (rows, features), sorted by value.
    middles
        Centres found on all of them.
    winsor
        Share drawn in at either end of each feature, as of the values.
    seed
        Of the clouds.

    Returns
    -------
    float
        Spread within clusters as a share of all spread, divided by its mean over ten normal
        clouds with the same number of rows and the same covariance. About 1: there is one
        cloud; .6 to .8: clusters 4.4 to 3.5 of their own standard deviations apart. NaN where
        all rows are equal.

    Notes
    -----
    The cluster index and its null of Liu, Hayes, Nobel and Marron (2008), Statistical
    significance of clustering, JASA 103, 1281–1293; taken as a ratio, because with many
    customers every cloud differs significantly from a normal one.
    """
    spread = np.cov(values.T, bias=True)
    if not spread.any():
        return float("nan")
    rng = np.random.default_rng([seed, 4])
    shares = []
    for _ in range(CLOUDS):
        with one_thread():
            drawn = rng.multivariate_normal(
                np.zeros(values.shape[1]), spread, size=len(values), method="eigh"
            )
        cloud = np.clip(drawn, *np.quantile(drawn, [winsor, 1 - winsor], axis=0))
        cloud = cloud[by_value(cloud)]
        cut = centres(cloud, len(middles), seed)
        if cut is not None:
            shares.append(_within(cloud, cut))
    return _within(values, middles) / float(np.mean(shares))


def _within(values: Floats, middles: Floats) -> float:
    off = values - middles[nearest(values, middles)]
    return float((off**2).sum() / ((values - values.mean(axis=0)) ** 2).sum())


def silhouette(values: Floats, labels: Codes, seed: int) -> float:
    """Mean silhouette, of 2,000 drawn rows where there are more; NaN for a single cluster."""
    if len(values) > MOST_SILHOUETTE:
        rng = np.random.default_rng([seed, 3])
        drawn = np.sort(rng.choice(len(values), MOST_SILHOUETTE, replace=False))
        values, labels = values[drawn], labels[drawn]
    if not 1 < len(np.unique(labels)) < len(labels):
        return float("nan")
    with one_thread():
        return float(silhouette_score(values, labels))


def overlap(first: Codes, second: Codes, k: int) -> Codes:
    """Rows by both labels: shape (k, k)."""
    return np.bincount(first * k + second, minlength=k * k).reshape(k, k)
