"""The space of a scheme's features, and how much of it the rules cover."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from analysis.segmentation import boxes as bx
from analysis.segmentation.axes import Axis
from analysis.segmentation.boxes import Box
from analysis.segmentation.compiled import Compiled, compiled
from analysis.segmentation.findings import Point
from analysis.segmentation.rules import Scheme
from analysis.settings_segmentation import Segmentation


@dataclass(frozen=True)
class Coverage:
    """How much of the space the rules cover.

    Attributes
    ----------
    cells
        Cells of the whole space; cells that no rule parts count once.
    uncovered, overlapping
        Cells that no rule takes; that more than one rule takes (the fallback aside).
    taken
        Cells that each rule gets when its turn comes, by written order.
    """

    cells: int
    uncovered: int
    overlapping: int
    taken: Mapping[str, int]


class Space:
    """The regions of a compiled scheme."""

    def __init__(self, made: Compiled) -> None:
        self.made = made
        self.raw = [made.boxes(i) for i in range(len(made.rules))]
        fallback = made.scheme.fallback is not None
        self.chosen = len(self.raw) - fallback  # rules without the fallback

    @cached_property
    def got(self) -> list[list[Box]]:
        """What each rule gets after those before it, as boxes that do not overlap."""
        found, before = [], list[Box]()
        for boxes in self.raw:
            found.append(bx.joined(bx.apart(bx.less(boxes, before))))
            before += boxes
        return found

    @cached_property
    def gaps(self) -> list[Box]:
        """What no rule takes."""
        taken = [box for boxes in self.raw for box in boxes]
        return bx.joined(bx.less([self.made.space], taken))

    @cached_property
    def weights(self) -> tuple[tuple[int, ...], ...]:
        """1 for the first of the cells that no rule parts, 0 for the others of them."""
        rows = []
        for i, axis in enumerate(self.made.axes):
            members = {a.box[i] for a in self.made.alternatives}
            seen, row = set[tuple[bool, ...]](), []
            for bit in range(len(axis.cells)):
                mark = tuple(bool(m >> bit & 1) for m in sorted(members))
                row.append(int(axis.name in self.made.scheme.grid or mark not in seen))
                seen.add(mark)
            rows.append(tuple(row))
        return tuple(rows)

    def size(self, boxes: Iterable[Box]) -> int:
        """Cells of boxes that do not overlap; cells that no rule parts count once."""
        return bx.size(boxes, self.weights)

    @cached_property
    def cells(self) -> int:
        """Cells of the whole space."""
        return self.size([self.made.space])

    def point(self, box: Box, *, whole: bool = False) -> Point:
        """An example of a box; unless `whole`, axes on which it takes everything are left out."""
        return {
            feature_of(axis): _typical(axis, member)
            for axis, member in zip(self.made.axes, box, strict=True)
            if whole or member != axis.full
        }


def coverage(
    scheme: Scheme, settings: Segmentation, cuts: pd.DataFrame | None = None
) -> Coverage | None:
    """Count the cells that rules cover; None where they cannot be counted (``too_many``)."""
    try:
        return _coverage(Space(compiled(scheme, settings, cuts)))
    except bx.TooManyPieces:
        return None


def _coverage(space: Space) -> Coverage:
    once, twice = list[Box](), list[Box]()
    for boxes in space.raw[: space.chosen]:
        twice += bx.less(bx.apart(bx.shared(boxes, once)), twice)
        once += bx.less(bx.apart(boxes), once)
    taken = {
        rule.rule: space.size(boxes)
        for rule, boxes in zip(space.made.rules, space.got, strict=True)
    }
    return Coverage(space.cells, space.size(space.gaps), space.size(twice), taken)


def feature_of(axis: Axis) -> str:
    """The feature whose cells an axis has."""
    return axis.name.removeprefix("score.")


def _typical(axis: Axis, member: int) -> float | str | None:
    """An example of some cells of an axis: a number with both ends before a missing one."""

    def preference(i: int) -> tuple[int, int]:
        cell = axis.cells[i]
        if cell.example is None:
            return 3, i
        if isinstance(cell.example, str) or cell.point:
            return 1, i
        return (0 if np.isfinite(cell.low) and np.isfinite(cell.high) else 2), i

    places = [i for i in range(len(axis.cells)) if member >> i & 1]
    return axis.cells[min(places, key=preference)].example
