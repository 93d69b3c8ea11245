"""Axes: the values a feature can take, cut at every number that a scheme mentions.

An axis is a row of cells, each a point, an open interval, a word or "missing". A condition
cannot part two values of the same cell, so what holds at a cell's example holds everywhere in
it, and the whole space has finitely many cells: nothing is sampled.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.conditions import BANDS, RECENCY, SWITCH
from analysis.tables import RECORD, Column

TRIAL = "on_trial"
MONEY_SETTING = "monetary_setting"
# scores with bands; the raw column of the same name (recency: none) has an axis of its own
SCORES: dict[str, tuple[str, ...]] = {
    "recency": RECENCY, "frequency": BANDS, "monetary": BANDS, "mean_order": BANDS,
}  # fmt: skip
_NUMERIC = ("number", "integer", "money", "share")
# days that are counted from one day to another
_WHOLE = {"recency_days", "tenure_days", "relationship_days", "days_to_renewal", "intervals"}
# may lie below zero: returns, losses, a renewal that is past
_SIGNED = {"monetary", "mean_order", "margin", "days_to_renewal", "usage_change", "activity_change"}
# less of it is better; more of the other three
SOONER = ("recency", "recency_days", "recency_cycles")
MORE = ("frequency", "monetary", "mean_order", "arr", "margin", "orders_ever", "revenue_period")
FEWER = (*SOONER, "complaints", "overdue")


@dataclass(frozen=True)
class Domain:
    """What is known of a feature's values before any customer is seen."""

    unit: str = "number"
    whole: bool = False
    low: float = -math.inf
    high: float = math.inf
    optional: bool = True


@dataclass(frozen=True)
class Cell:
    """Values that no condition of the scheme parts.

    Attributes
    ----------
    example
        A value of it: a number, a word, None for missing.
    low, high
        Ends of an open interval; both equal `example` for a point; NaN for words and missing.
    """

    example: float | str | None
    low: float = math.nan
    high: float = math.nan

    @property
    def point(self) -> bool:
        """Whether it is a single number."""
        return self.low == self.high


@dataclass(frozen=True)
class Axis:
    """A feature's cells. `name` is the feature; a score's axis is ``score.<name>``."""

    name: str
    cells: tuple[Cell, ...]
    unit: str = "number"
    cuts: tuple[float, ...] = ()

    @property
    def full(self) -> int:
        """All cells, one bit each."""
        return (1 << len(self.cells)) - 1


def features() -> dict[str, Domain]:
    """Every feature a rule may compare: numeric columns of RECORD ``features``."""
    return {c.name: _domain(c) for c in RECORD["features"].columns if c.type in _NUMERIC}


def unit_of(column: Column) -> str:
    """The unit a column's numbers are written in."""
    if column.type == "money":
        return "money"
    if column.unit in ("days", "cycles", "share"):
        return column.unit
    return "count" if column.type == "integer" else "number"


def _domain(column: Column) -> Domain:
    signed = column.name in _SIGNED or column.name.startswith("revenue")
    if column.name == "satisfaction":
        return Domain("number", low=1.0, high=5.0)
    return Domain(
        unit_of(column),
        whole=column.type == "integer" or column.name in _WHOLE,
        low=-1.0 if "_change" in column.name else -math.inf if signed else 0.0,
        optional=not column.required,
    )


def number_axis(name: str, domain: Domain, cuts: Iterable[float]) -> Axis:
    """An axis of numbers: missing, then points and the open intervals between them.

    Cells that hold no value of the domain are left out: between 9 and 10 orders lies nothing.
    """
    inner = sorted({float(c) for c in cuts if domain.low <= c <= domain.high and math.isfinite(c)})
    cells = [Cell(None)] if domain.optional else []
    ends = [-math.inf, *inner, math.inf]
    for i, low in enumerate(ends[:-1]):
        if i > 0 and not (domain.whole and low != int(low)):
            cells.append(Cell(low, low, low))
        example = _between(low, ends[i + 1], domain)
        if example is not None:
            cells.append(Cell(example, low, ends[i + 1]))
    return Axis(name, tuple(cells), domain.unit, tuple(inner))


def word_axis(name: str, words: Sequence[str]) -> Axis:
    """An axis of words."""
    return Axis(name, tuple(Cell(word) for word in words), "word")


def grid_axis(name: str, values: Sequence[float]) -> Axis:
    """An axis that has these numbers and no others."""
    points = sorted({float(v) for v in values})
    return Axis(name, tuple(Cell(v, v, v) for v in points), "number", tuple(points))


def _between(low: float, high: float, domain: Domain) -> float | None:
    """A round value of the domain inside an open interval; None if it has none."""
    least, most = max(low, domain.low), min(high, domain.high)
    if least > most:
        return None
    if domain.whole:
        if math.isfinite(least):
            least = float(math.floor(least) + 1 if least == low else math.ceil(least))
        if math.isfinite(most):
            most = float(math.ceil(most) - 1 if most == high else math.floor(most))
        if least > most:
            return None
    elif least == most:
        return least if low < least < high else None
    return _round_between(least, most, low, high, domain.whole)


def _round_between(least: float, most: float, low: float, high: float, whole: bool) -> float:
    """The value nearest to the middle with the fewest digits, for an example that reads well."""
    if math.isinf(least) and math.isinf(most):
        return 0.0
    step = max(abs(x) for x in (least, most) if math.isfinite(x)) or 10.0
    if math.isinf(most):
        return float(math.floor(least + step)) if whole else least + step
    if math.isinf(least):
        return float(math.ceil(most - step)) if whole else most - step
    middle = (least + most) / 2
    if most == least:
        return least
    for places in range(-int(math.log10(most - least)) - 1, 16):
        found = round(middle, places)
        if low < found < high and least <= found <= most:
            return float(found)
    return middle


def codes(axis: Axis, values: NDArray[Any]) -> NDArray[np.intp]:
    """The cell of every value; NaN is missing.

    A value outside the axis's domain (a missing one where none was expected, a half order)
    counts with the nearest cell.
    """
    if axis.unit == "word":
        places = pd.Index([cell.example for cell in axis.cells])
        found: NDArray[np.intp] = places.get_indexer(pd.Index(values))
        return found
    cuts = np.array(axis.cuts)
    spot = np.searchsorted(cuts, values, "left") + np.searchsorted(cuts, values, "right")
    known = [(cell, i) for i, cell in enumerate(axis.cells) if cell.example is not None]
    # spot 2k is the interval below cut k, 2k + 1 the point itself
    table = np.empty(2 * len(cuts) + 1, dtype=np.intp)
    spots = [2 * axis.cuts.index(c.low) + 1 if c.point else _spot(axis, c) for c, _ in known]
    for i in range(len(table)):
        nearest = min(range(len(spots)), key=lambda k: (abs(spots[k] - i), spots[k]))
        table[i] = known[nearest][1]
    missing = next((i for i, cell in enumerate(axis.cells) if cell.example is None), None)
    lowest = 0 if missing is None else missing
    return np.where(np.isnan(values), lowest, table[spot])


def _spot(axis: Axis, cell: Cell) -> int:
    return 0 if math.isinf(cell.low) else 2 * (axis.cuts.index(cell.low) + 1)


def switch_words(values: NDArray[np.bool_]) -> NDArray[np.object_]:
    """True and false as the words of a switch."""
    words: NDArray[np.object_] = np.array(SWITCH, dtype=object)[values.astype(int)]
    return words
