"""Files too large for memory: understood block by block, kept on disk, told of as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from analysis import engine, stored
from analysis.engine import Rows
from analysis.errors import Problem, SourceError
from analysis.sources import parquet_files, text_blocks, verdicts
from analysis.sources.dates import TOGETHER
from analysis.sources.files import File, kind_of
from analysis.sources.grid import Grid, Note, Scorer
from analysis.sources.mapping import Resolved
from analysis.sources.understand import Job, Understood, about, notes_of, require, understand
from analysis.tables import Table

TABLES = ("orders",)  # what cleaning takes block by block
_LINE_BYTES = 64  # of a line of text: about the shortest that says who bought what, when


@dataclass(frozen=True)
class Part:
    """One file's contribution: its rows, those rejected, its row of ``sources``, what was said."""

    rows: Rows
    rejected: pa.Table
    about: dict[str, Any]
    resolved: Resolved
    header: tuple[str, ...]
    notes: Sequence[Note]


def too_many(files: Sequence[File]) -> bool:
    """Whether the rows of all files together are more than memory is meant to hold."""
    return sum(map(_rows, files)) > engine.resources.block_rows


def _rows(file: File) -> int:
    """About how many rows a file has; none where its own reader has to say what is wrong."""
    try:
        kind = kind_of(file)
        if kind == "parquet":
            return int(pq.read_metadata(file.path).num_rows)
        return file.path.stat().st_size // _LINE_BYTES if kind == "csv" else 0
    except (SourceError, pa.ArrowInvalid, UnicodeDecodeError, OSError):
        return 0


def read(job: Job, score: Scorer) -> Part | None:
    """A file block by block.

    Returns
    -------
    Part or None
        None where a block alone cannot tell what the whole file says: a column whose cells are
        all read alike, and in one block look different; or a file that its own reader refuses.
    """
    size = engine.resources.block_rows
    kind = kind_of(job.file)
    if kind == "parquet":
        grids = parquet_files.blocks(job.file, score, size)
    elif kind == "csv":
        grids = text_blocks.blocks(job.file, job.source, score, size)
    else:
        return None
    found: list[Understood] = []

    def rows() -> Iterator[pa.Table]:
        for grid in chain([first], grids):
            understood = understand(job, grid)
            empty = understood.kept.schema.empty_table()
            found.append(replace(understood, kept=empty, grid=_head(grid)))
            yield complete(job.table, understood.kept)

    try:
        first = next(grids)
        kept = stored.keep(rows(), engine.scratch())
    except (text_blocks.Indivisible, StopIteration):
        return None
    if not _agree(found) or any(u.exchanged for u in found):
        return None
    whole = _joined(found)
    require(job, whole)
    rejected = pa.concat_tables([whole.misfits, whole.rejected])
    notes = notes_of(whole, whole.records)
    return Part(kept, rejected, about(job, whole, notes), whole.resolved, first.header, notes)


def _head(grid: Grid) -> Grid:
    """A grid without its cells: what the file is."""
    return replace(grid, columns=(), rows=grid.rows[:0], order=grid.order[:0])


def complete(table: Table, rows: pa.Table) -> pa.Table:
    """All canonical columns, missing ones null, and the row's place."""
    fields = [*table.schema(), rows.schema.field("_file"), rows.schema.field("_row")]
    return pa.table(
        {
            f.name: rows[f.name].cast(f.type)
            if f.name in rows.column_names
            else pa.nulls(len(rows), f.type)
            for f in fields
        }
    )


def joined(parts: Sequence[Rows], table: Table) -> Rows:
    """The rows of all files of a table under one another."""
    if any(isinstance(part, stored.Stored) for part in parts):
        return engine.together(
            [p if isinstance(p, stored.Stored) else complete(table, p) for p in parts]
        )
    return pa.concat_tables(parts, promote_options="default").combine_chunks()


def _agree(found: Sequence[Understood]) -> bool:
    """Whether every column was read alike in all blocks that say how."""
    forms: dict[str, str] = {}
    return all(
        form != TOGETHER and forms.setdefault(name, form) == form
        for understood in found
        for name, form in understood.forms.items()
    )


def _joined(found: Sequence[Understood]) -> Understood:
    """What the blocks say, as the whole file would: counts of rows are added."""
    places = zip(*(u.notes for u in found), strict=True)
    problems = _added([[(p.key, p.args) for p in u.problems] for u in found])
    name = next((p.file for u in found for p in u.problems), "")
    return replace(
        found[0],
        keep=pa.concat_arrays([u.keep for u in found]),
        misfits=pa.concat_tables([u.misfits for u in found]),
        rejected=pa.concat_tables([u.rejected for u in found]),
        notes=tuple(_added(place) for place in places),
        evidence=verdicts.added(u.evidence for u in found),
        problems=tuple(Problem(key, args, name) for key, args in problems),
        forms={},
    )


def _added(lists: Iterable[Sequence[tuple[str, Mapping[str, Any]]]]) -> tuple[Note, ...]:
    """Statements of several blocks in the order in which each block makes them."""
    order: list[str] = []
    made: dict[str, Note] = {}
    for statements in lists:
        here = [_without_rows(key, args) for key, args in statements]
        for at, (same, (key, args)) in enumerate(zip(here, statements, strict=True)):
            if same in made:
                if "rows" in args:
                    made[same][1]["rows"] = _sum(made[same][1]["rows"], args["rows"])
                continue
            made[same] = (key, dict(args))
            after = next((s for s in here[at + 1 :] if s in order), None)
            order.insert(len(order) if after is None else order.index(after), same)
    return tuple(made[same] for same in order)


def _without_rows(key: str, args: Mapping[str, Any]) -> str:
    """What a statement says, but for how many rows."""
    other = {k: v for k, v in args.items() if k != "rows"}
    return json.dumps([key, other], sort_keys=True, default=str)


def _sum(one: Any, other: Any) -> Any:
    if isinstance(one, dict):
        return {**one, "value": one["value"] + other["value"]}
    return str(int(one) + int(other))
