"""Intervals, shares that add up, false discoveries, draws that do not depend on order."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats as _stats

Floats = NDArray[np.float64]

# Processors add the terms of a sum in different orders, so that results differ in their last
# digits; nobody can use more digits than these, and records stay the same everywhere.
DIGITS = 10


def wilson(successes: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Wilson score interval of a share.

    Parameters
    ----------
    successes, n
        Counts; broadcast against each other.
    level
        Confidence level, 0–1.

    Returns
    -------
    tuple of ndarray
        Lower and upper bound, 0–1; NaN where ``n`` is 0.

    Notes
    -----
    Wilson (1927), JASA 22, 209–212.
    """
    k = np.asarray(successes, dtype=float)
    size = np.asarray(n, dtype=float)
    z = _stats.norm.ppf(0.5 + level / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = k / size
        centre = (share + z**2 / (2 * size)) / (1 + z**2 / size)
        half = z / (1 + z**2 / size) * np.sqrt(share * (1 - share) / size + z**2 / (4 * size**2))
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def mean_interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float, float]:
    """Mean with its t interval.

    Returns
    -------
    tuple of float
        Mean, lower and upper bound; the bounds are NaN for fewer than two values.
    """
    x = np.asarray(values, dtype=float)
    x = x[~np.isnan(x)]
    if len(x) == 0:
        return math.nan, math.nan, math.nan
    mean = float(x.mean())
    if len(x) == 1:
        return mean, math.nan, math.nan
    half = float(_stats.t.ppf(0.5 + level / 2, len(x) - 1) * x.std(ddof=1) / math.sqrt(len(x)))
    return mean, mean - half, mean + half


def steady(value: float, scale: float) -> float:
    """A result without the last digits, in which processors differ.

    Parameters
    ----------
    value
        What was computed from numbers of up to `scale` in size.
    scale
        A difference of large numbers is no more exact than these: `DIGITS` digits of them count.
    """
    if not (math.isfinite(value) and scale > 0):
        return value
    return round(value, DIGITS - 1 - math.floor(math.log10(scale))) + 0.0  # no minus zero


def largest_remainder(values: ArrayLike, total_units: int = 1000) -> list[int]:
    """Round shares so that they add up (decision D3).

    Parameters
    ----------
    values
        Non-negative amounts.
    total_units
        What the rounded shares add to: 1000 gives per mille, printed as 12.3 %.

    Returns
    -------
    list of int
        Units per value, adding to ``total_units``; all 0 if the values are all 0. Ties of
        the remainder go to the earlier value.
    """
    x = np.asarray(values, dtype=float)
    if (x < 0).any():
        raise ValueError("shares of negative amounts do not exist")
    if x.sum() == 0:
        return [0] * len(x)
    exact = x / x.sum() * total_units
    floor = np.floor(exact + 1e-9)
    missing = round(float(total_units - floor.sum()))
    order = np.argsort(-(exact - floor), kind="stable")
    floor[order[:missing]] += 1
    return [int(unit) for unit in floor]


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Adjusted p-values that hold the false discovery rate.

    NaN stays NaN and does not count. Benjamini and Hochberg (1995), JRSS B 57, 289–300.
    """
    p = np.asarray(p_values, dtype=float)
    out = np.full(p.shape, np.nan)
    known = ~np.isnan(p)
    if known.any():
        out[known] = _stats.false_discovery_control(p[known], method="bh")
    return out


def keyed_uniform(keys: Iterable[str], seed: int, salt: str) -> Floats:
    """A number in [0, 1) for each key, from the key alone.

    A draw by key does not depend on the order of rows, on other rows, on threads or on the
    version of a random generator: the same customer gets the same number tomorrow.

    Parameters
    ----------
    keys
        Identifiers, e.g. customer numbers.
    seed, salt
        The run's seed and what the draw is for (period, strategy).
    """
    prefix = f"{seed}|{salt}|".encode()
    digests = [hashlib.sha256(prefix + str(key).encode()).digest()[:8] for key in keys]
    return np.array([int.from_bytes(d, "big") / 2**64 for d in digests], dtype=float)
