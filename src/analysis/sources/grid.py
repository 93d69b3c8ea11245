"""What every kind of file is first read into: a header, columns, and rows that did not fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa

Note = tuple[str, dict[str, Any]]
Scorer = Callable[[Sequence[str]], tuple[bool, int]]

MOST_COLUMNS = 1_000  # more are no table of a business but a damaged or mistaken file


class Merge(NamedTuple):
    """A merged range: rows counted from 1, columns from 0, both ends in it."""

    top: int
    left: int
    bottom: int
    right: int


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
        Rows that are not read: (row, rule), mostly for having another number of fields.
    lossy
        Positions of columns holding whole numbers beyond what the file's type keeps exactly.
    sheets
        Sheet of each record, where several sheets of a workbook make one table.
    misfit_sheets
        Sheet of each of `misfits` then.
    merged
        By column, the positions (first, last) of records that one merged cell covers.
    uncalculated
        By column, the first cell with a formula that holds no result.
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
    sheets: pa.Array | None = None
    misfit_sheets: tuple[str, ...] = ()
    merged: Mapping[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    uncalculated: Mapping[int, str] = field(default_factory=dict)
    title: tuple[str, ...] = ()

    def places(self, file: str) -> pa.Array:
        """Where each record stands: the file, with its sheet where several were read."""
        if self.sheets is None:
            return pa.repeat(pa.scalar(file), len(self.rows))
        encoded = self.sheets.dictionary_encode()
        names = pa.array([in_sheet(file, s) for s in encoded.dictionary.to_pylist()], pa.string())
        return names.take(encoded.indices)

    def misfit_places(self, file: str) -> list[str]:
        """As `places`, of the rows that are not read."""
        if not self.misfit_sheets:
            return [file] * len(self.misfits)
        return [in_sheet(file, sheet) for sheet in self.misfit_sheets]


def in_sheet(file: str, sheet: str) -> str:
    """A file and a sheet of it, as records name them."""
    return f"{file} › {sheet}"


def count(number: int) -> dict[str, Any]:
    """A number as an argument of a note."""
    return {"value": number, "unit": "count"}
