"""Numbers and written ranges in bands: years with the firm, size of a company.

A band's edge belongs to the band below it where it says "up to" (`up_to`), and to the band
above it where it says "from" (`from_on`): the edges are the tests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

UNKNOWN = "unknown"
SIZES = ("micro", "small", "medium", "large")
YEARS = (365.0, 1095.0)  # days: up to one year, up to three, more
TENURES = ("first_year", "to_three_years", "over_three_years")

_NUMBER = re.compile(r"\d+(?:\.\d+)?\s*万?")
_BELOW = re.compile(r"以下|以内|不足|少于|小于|<|≤|under|below|less|up to", re.IGNORECASE)
_ABOVE = re.compile(r"以上|超过|多于|大于|>|≥|\+|over|above|more|from", re.IGNORECASE)


def up_to(values: pd.Series, edges: Sequence[float], names: Sequence[str]) -> pd.Series:
    """The band of each value; a value equal to an edge is in the band below it.

    Parameters
    ----------
    values
        Numbers, e.g. ``tenure_days``.
    edges
        Rising; one fewer than `names`.
    names
        Band keys, lowest first.

    Returns
    -------
    pandas.Series
        Band keys with the index of `values`; ``unknown`` where a value is missing.
    """
    return _bands(values, edges, names, "left")


def from_on(values: pd.Series, edges: Sequence[float], names: Sequence[str]) -> pd.Series:
    """As `up_to`, but a value equal to an edge is in the band above it."""
    return _bands(values, edges, names, "right")


def _bands(values: pd.Series, edges: Sequence[float], names: Sequence[str], side: str) -> pd.Series:
    x = values.to_numpy(float, na_value=np.nan)
    place = np.searchsorted(np.asarray(edges, dtype=float), x, side=side)  # type: ignore[call-overload]
    found = np.array([*names, UNKNOWN], dtype=object)[np.where(np.isnan(x), len(names), place)]
    return pd.Series(found, index=values.index)


def employees(text: str) -> tuple[float, float] | None:
    """The range of employees that a company wrote; None where no number can be read.

    ``100-300人`` → (100, 300); ``50人以下`` → (0, 50); ``2000人以上`` → (2000, inf);
    ``120`` → (120, 120).
    """
    # Thousands separators would part a number in two.
    plain = re.sub(r"(?<=\d)[,，](?=\d{3}(?!\d))", "", text)
    numbers = [_number(found) for found in _NUMBER.findall(plain)]
    if not numbers:
        return None
    if len(numbers) > 1:
        return min(numbers[:2]), max(numbers[:2])
    if _BELOW.search(plain):
        return 0.0, numbers[0]
    return numbers[0], np.inf if _ABOVE.search(plain) else numbers[0]


def _number(text: str) -> float:
    return float(text.rstrip("万 ")) * (10_000 if "万" in text else 1)


def size_classes(
    written: pd.Series,
    industries: pd.Series,
    edges: Sequence[float],
    bands: Mapping[str, Sequence[float]] | None = None,
) -> pd.Series:
    """大型, 中型, 小型, 微型 by employees, as statistics offices class companies.

    Parameters
    ----------
    written
        Size bands as the company writes them; a range is classed by its middle, an open one
        by its number.
    industries
        Industry of the same customers.
    edges
        First number of employees of small, medium and large.
    bands
        The same by industry, where an industry has its own.

    Returns
    -------
    pandas.Series
        ``micro``, ``small``, ``medium``, ``large``, ``unknown``.
    """
    ranges = {text: employees(str(text)) for text in written.dropna().unique()}
    middles = {
        text: (low if np.isinf(high) else (low + high) / 2)
        for text, (low, high) in ((t, r) for t, r in ranges.items() if r is not None)
    }
    sizes = written.map(middles).astype(float)
    found = from_on(sizes, edges, SIZES)
    for industry, own in (bands or {}).items():
        here = (industries == industry).fillna(False).to_numpy(bool)
        found[here] = from_on(sizes[here], own, SIZES)
    return found


def in_size_order(names: Sequence[str]) -> list[str]:
    """Written size bands from small to large; those without a number come last, by name."""

    def place(name: str) -> tuple[float, float, str]:
        low, high = employees(name) or (np.inf, np.inf)
        return low, high, name

    return sorted(names, key=place)
