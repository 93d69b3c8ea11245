"""Chance that hangs on a thing's own number, so that what comes later changes nothing before."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
from scipy.special import ndtri


def uniform(keys: pd.Series, seed: int, subject: str) -> np.ndarray:
    """One number between 0 and 1, exclusive, for each key: the same key, the same number."""
    salt = hashlib.blake2b(f"{seed}/{subject}".encode(), digest_size=8).hexdigest()
    if keys.dtype.kind in "iu":
        hashed = _mixed(keys.to_numpy().astype(np.uint64) ^ np.uint64(int(salt, 16)))
    else:
        hashed = pd.util.hash_array(keys.to_numpy().astype(object), hash_key=salt)
    return np.asarray(((hashed >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53)


def normal(keys: pd.Series, seed: int, subject: str) -> np.ndarray:
    """A standard normal number for each key."""
    return np.asarray(ndtri(uniform(keys, seed, subject)))


def whole(keys: pd.Series, seed: int, subject: str, low: int, high: int) -> np.ndarray:
    """A whole number for each key, from `low` up to but not including `high`."""
    drawn = low + np.floor((high - low) * uniform(keys, seed, subject))
    return np.asarray(drawn.astype(np.int64))


def _mixed(numbers: np.ndarray) -> np.ndarray:
    """Whole numbers scattered evenly: the finaliser of SplitMix64 (Steele, Lea, Flood 2014)."""
    found = numbers + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        found = (found ^ (found >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(found ^ (found >> np.uint64(31)))
