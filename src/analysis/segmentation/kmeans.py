"""k-means that gives the same answer for the same customers, whatever their order.

Callers hand in rows sorted by their values: then a draw by position is a draw of values, and
identical rows are interchangeable.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import ThreadpoolController

Floats = NDArray[np.float64]
Codes = NDArray[np.integer[Any]]

STARTS = 10  # of a draw
ALL_STARTS = 100  # of the clusters themselves: another seed gives the same ones


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread, and no checks of input that has been checked: there are thousands of fits."""
    checked = config_context(assume_finite=True, skip_parameter_validation=True)
    with _threads().limit(limits=1), checked:
        yield


@cache
def _threads() -> ThreadpoolController:
    """The libraries that have threads; to find them takes longer than to fit."""
    return ThreadpoolController()


def by_value(values: Floats) -> NDArray[np.intp]:
    """Positions that sort rows by their values, first column first."""
    return np.lexsort(values.T[::-1])


def centres(values: Floats, k: int, seed: int, starts: int = STARTS) -> Floats | None:
    """The centres of `k` clusters, best profile first; None for fewer than `k` distinct rows.

    Parameters
    ----------
    values
        Shape (rows, features), sorted by `by_value`.
    k
        Clusters.
    seed
        Of the starting points.
    starts
        Starting points tried; the least sum of squares wins.

    Returns
    -------
    ndarray of shape (k, features)
        Ordered by mean, then by value: the order carries no number of the algorithm's.
    """
    if distinct(values) < k:
        return None
    # One thread: sums in another order differ in the last digit, and the result with them.
    with one_thread(), warnings.catch_warnings():
        # Rows that differ by dust alone may leave a cluster empty; it then fails by its size.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = KMeans(k, n_init=starts, tol=0, random_state=seed % 2**32).fit(values)
    found: Floats = model.cluster_centers_
    order = np.lexsort((*found.T[::-1], found.mean(axis=1)))[::-1]
    return found[order]


def nearest(values: Floats, middles: Floats) -> NDArray[np.intp]:
    """The nearest centre of every row; equally near: the first.

    Computed value by value, so that equal rows get equal centres wherever they stand.
    """
    apart = np.zeros((len(middles), len(values)))
    for i, middle in enumerate(middles):
        for j, place in enumerate(middle):
            apart[i] += (values[:, j] - place) ** 2
    found: NDArray[np.intp] = apart.argmin(axis=0)
    return found


def distinct(values: Floats) -> int:
    """Distinct rows among rows sorted by value."""
    if len(values) == 0:
        return 0
    return 1 + int((values[1:] != values[:-1]).any(axis=1).sum())
