"""A walk from one total to another: its steps, its levels, where the bars of totals are cut."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

from analysis.exhibits.markup import Rich
from analysis.exhibits.waterfall import Step


class Walk(NamedTuple):
    """What a bridge shows: its words, its steps with what is told of each, their facts."""

    title: Rich
    subtitle: Rich
    steps: list[Step]
    told: list[Rich]
    facts: list[str]
    cut: float


def levels(first: float, parts: Iterable[float]) -> list[float]:
    """Where a walk stands at its beginning and after each part."""
    return list(accumulate(parts, initial=first))


def cut_below(levels: Iterable[float]) -> float:
    """Value below which the bars of totals are cut, so that changes can be seen; 0 for none."""
    known = list(levels)
    low, high = min(known), max(known)
    span = high - low
    if low <= 0 or span <= 0 or span >= 0.35 * high:
        return 0.0
    unit = 10.0 ** math.floor(math.log10(span)) / 2
    return max(math.floor((low - 0.45 * span) / unit) * unit, 0.0)
