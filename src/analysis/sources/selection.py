"""Some rows of a file only: a list of all deals, of which the won ones are orders.

What is left out is not a removed row: the settings say that it belongs to another table. The
file's note counts it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from analysis.errors import Problem, SourceError
from analysis.settings_sources import Source
from analysis.sources import texts
from analysis.sources.grid import Grid, Note, Scorer, count

_MOST_SHOWN = 8


def with_selecting(score: Scorer, source: Source) -> Scorer:
    """The score of a header row that also wants the headers by which rows are selected."""
    wanted = {texts.header(name) for name in source.only}

    def scored(cells: Sequence[str]) -> tuple[bool, int]:
        complete, hits = score(cells)
        return complete, hits + len(wanted.intersection(cells))

    return scored if wanted else score


def select(grid: Grid, only: Mapping[str, Sequence[str | int]], file: str) -> Grid:
    """The rows that hold one of the words under each header.

    Parameters
    ----------
    grid
        A file's content.
    only
        Header → words.
    file
        The file's name for messages.

    Raises
    ------
    SourceError
        If a header is not there, or no row holds any of its words.
    """
    for name, words in only.items():
        grid = _by_one(grid, texts.header(name), [str(word).strip() for word in words], file)
    return grid


def _by_one(grid: Grid, header: str, words: list[str], file: str) -> Grid:
    if grid.header.count(header) != 1:
        args = {"header": header, "present": [h for h in grid.header if h] or ["-"]}
        raise SourceError(Problem("sources.no_selecting_header", args, file))
    values = texts.column(grid.columns[grid.header.index(header)])
    keep = pc.fill_null(pc.is_in(values, value_set=pa.array(words, pa.string())), False)
    kept = pc.sum(keep).as_py() or 0
    if not kept and len(keep):
        held = sorted(set(pc.unique(values.drop_null()).to_pylist()))
        shown = [*held[:_MOST_SHOWN], *(["…"] if len(held) > _MOST_SHOWN else [])]
        args = {"header": header, "words": words, "present": shown or ["-"]}
        raise SourceError(Problem("sources.nothing_selected", args, file))
    note: Note = (
        "note.only_rows",
        {"header": header, "words": ", ".join(words), "rows": count(len(keep) - kept)},
    )
    return replace(
        grid,
        columns=tuple(c.filter(keep) for c in grid.columns),
        rows=grid.rows.filter(keep),
        order=grid.order.filter(keep),
        notes=(*grid.notes, note),
    )
