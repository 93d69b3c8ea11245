"""What every kind of file is first read into: a header, columns, and rows that did not fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

Note = tuple[str, dict[str, Any]]
Scorer = Callable[[Sequence[str]], tuple[bool, int]]

HEADER_SEARCH = 30  # rows within which the header must stand


@dataclass(frozen=True)
class Grid:
    """One file's content before any meaning is given to it.

    Attributes
    ----------
    header
        Cleaned headers, in order.
    columns
        One array a header: text, or the types the file itself carries.
    rows
        Row of each record in the file, counted from 1 with the header.
    order
        Position of each record among all records, also those that did not fit.
    misfits
        Rows whose number of fields is not the header's: (row, rule).
    lossy
        Positions of columns holding whole numbers beyond what the file's type keeps exactly.
    title
        Texts of the rows above the header: they may state the unit of the numbers below.
    """

    format: str
    encoding: str | None
    header: tuple[str, ...]
    header_row: int | None
    columns: tuple[pa.Array, ...]
    rows: pa.Array
    order: pa.Array
    misfits: tuple[tuple[int, str], ...] = ()
    lossy: frozenset[int] = frozenset()
    notes: tuple[Note, ...] = field(default=())
    title: tuple[str, ...] = ()


def count(number: int) -> dict[str, Any]:
    """A number as an argument of a note."""
    return {"value": number, "unit": "count"}


def find_header(rows: Sequence[Sequence[str]], score: Scorer) -> int:
    """Position of the first row that holds the wanted headers, else of the best one.

    Parameters
    ----------
    rows
        The first rows of the file, cells cleaned as headers.
    score
        Says of a row whether it is complete, and how many wanted headers it holds.
    """
    best, most = -1, 0
    for position, cells in enumerate(rows):
        complete, hits = score(cells)
        if complete:
            return position
        if hits > most:
            best, most = position, hits
    if best >= 0:
        return best
    return next((i for i, cells in enumerate(rows) if any(cells)), 0)
