"""Merged cells: their text stands for every row they cover, their number only once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from analysis.errors import Problem, SourceError
from analysis.sources.grid import Grid, Merge, Note, count


def positions(
    merges: Sequence[Merge], rows: np.ndarray, header_ends: int, width: int
) -> dict[int, tuple[tuple[int, int], ...]]:
    """By column, the first and last record of each range that goes down over several.

    Parameters
    ----------
    rows
        Row numbers of the records, ascending.
    header_ends
        Last row of the header: a range that begins there or above belongs to it.
    """
    found: dict[int, list[tuple[int, int]]] = {}
    for merge in merges:
        if merge.top <= header_ends or merge.left >= width or merge.top == merge.bottom:
            continue
        first = int(np.searchsorted(rows, merge.top))
        last = int(np.searchsorted(rows, merge.bottom, side="right")) - 1
        if last > first and rows[first] == merge.top:
            found.setdefault(merge.left, []).append((first, last))
    return {column: tuple(sorted(spans)) for column, spans in found.items()}


def fill(grid: Grid, used: Mapping[int, str], text: Collection[int], file: str) -> Grid:
    """The grid with merged text carried down, where the used columns have any.

    A number in a merged cell (the amount of an order over its three lines) is one number: it
    stays in the first row, and the note says so. An empty cell that is not merged stays empty.

    Parameters
    ----------
    used
        Position → header of the columns that are read.
    text
        Positions of those that do not hold numbers.
    file
        The file's name for messages.

    Raises
    ------
    SourceError
        If a used column holds a formula without a result.
    """
    problems = [
        Problem(
            "sources.formula_without_value",
            {"file": file, "cell": grid.uncalculated[i], "header": header or "-"},
        )
        for i, header in used.items()
        if i in grid.uncalculated
    ]
    if problems:
        raise SourceError(problems)
    columns = list(grid.columns)
    notes: list[Note] = []
    for i, header in used.items():
        spans = grid.merged.get(i, ())
        if not spans:
            continue
        rows = sum(last - first for first, last in spans)
        args = {"header": header, "rows": count(rows)}
        if i in text:
            columns[i] = _carried(columns[i], spans)
            notes.append(("note.merged_filled", args))
        else:
            notes.append(("note.merged_numbers", args))
    return replace(grid, columns=tuple(columns), notes=(*grid.notes, *notes))


def _carried(column: pa.Array, spans: Sequence[tuple[int, int]]) -> pa.Array:
    source = np.arange(len(column))
    for first, last in spans:
        source[first : last + 1] = first
    return column.take(pa.array(source))
