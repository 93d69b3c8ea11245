"""Boxes: products of sets of cells, one set an axis, each a whole number read as bits.

The space of a scheme is the box of all cells. Differences of boxes are boxes again, so the
parts of a space are counted exactly without ever listing its cells.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

Box = tuple[int, ...]

# Shipped schemes stay below a hundred; beyond this a proof would take longer than anyone waits.
MOST_PIECES = 3_000


class TooManyPieces(Exception):
    """The rules cut the space into more pieces than can be looked at."""


def cut(one: Box, other: Box) -> Box | None:
    """What two boxes share; None if nothing."""
    shared = tuple(a & b for a, b in zip(one, other, strict=True))
    return shared if all(shared) else None


def without(box: Box, other: Box) -> list[Box]:
    """A box less another one, as boxes that do not overlap."""
    if cut(box, other) is None:
        return [box]
    rest, left = [], list(box)
    for axis, (have, taken) in enumerate(zip(box, other, strict=True)):
        if outside := have & ~taken:
            rest.append((*left[:axis], outside, *box[axis + 1 :]))
        left[axis] = have & taken
    return rest


def less(boxes: Iterable[Box], others: Iterable[Box]) -> list[Box]:
    """Boxes less other ones; where the first do not overlap, the result does not either.

    Raises
    ------
    TooManyPieces
        If that takes more than `MOST_PIECES` boxes.
    """
    left = list(boxes)
    for other in others:
        if not left:
            break
        left = [piece for box in left for piece in without(box, other)]
        if len(left) > MOST_PIECES:
            raise TooManyPieces
    return left


def apart(boxes: Iterable[Box]) -> list[Box]:
    """The same cells as boxes that do not overlap."""
    found: list[Box] = []
    for box in boxes:
        found += less([box], found)
    return found


def shared(some: Iterable[Box], others: Iterable[Box]) -> list[Box]:
    """Every box that one of the first and one of the second have in common."""
    kept = list(others)
    return [found for one in some for other in kept if (found := cut(one, other)) is not None]


def size(boxes: Iterable[Box], weights: tuple[tuple[int, ...], ...]) -> int:
    """Cells in boxes that do not overlap; `weights` counts the cells behind each bit."""
    return sum(
        math.prod(
            sum(weight for bit, weight in enumerate(row) if member >> bit & 1)
            for member, row in zip(box, weights, strict=True)
        )
        for box in boxes
    )


def joined(boxes: Iterable[Box]) -> list[Box]:
    """The same cells in fewer boxes: two that differ on one axis alone become one."""
    left = list(boxes)
    merged = True
    while merged:
        merged = False
        for axis in range(len(left[0]) if left else 0):
            groups: dict[Box, int] = {}
            for box in left:
                key = (*box[:axis], *box[axis + 1 :])
                groups[key] = groups.get(key, 0) | box[axis]
            if len(groups) < len(left):
                left = [(*k[:axis], member, *k[axis:]) for k, member in groups.items()]
                merged = True
    return left
