"""Delimited text too large for memory, a block of lines at a time.

Each block is read by `text_files` as if it were a file with the same head, so that its rules are
written down once. The encoding is still the one that explains the whole file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import IO

import pyarrow.compute as pc

from analysis.errors import SourceError
from analysis.settings_sources import Source
from analysis.sources import text_files
from analysis.sources.files import File
from analysis.sources.grid import Grid, Scorer

_HEAD = 200_000  # characters within which the header stands
_PIECE = 1 << 24  # characters decoded at once


class Indivisible(Exception):
    """A block says what holds only of the whole file."""


def blocks(file: File, source: Source, score: Scorer, size: int) -> Iterator[Grid]:
    """`text_files.read`, about `size` rows at a time, which are numbered through.

    Raises
    ------
    Indivisible
        If the file cannot be read, so that `text_files.read` has to say why.
    """
    try:
        codec, quoted = _survey(file, source)
        with file.path.open(encoding=codec, newline="") as handle:
            yield from _grids(handle, file, source, score, size, codec, quoted=quoted)
    except (SourceError, UnicodeDecodeError, csv.Error) as error:
        raise Indivisible from error


def _survey(file: File, source: Source) -> tuple[str, bool]:
    """The encoding that explains every byte, and whether there is a quote anywhere."""
    if file.path.suffix.lower() == ".xls":
        raise Indivisible
    with file.path.open("rb") as handle:
        tried = text_files.encodings(handle.read(4), file.name, source.encoding)
    for codec in tried:
        try:
            quoted = _has_quotes(file.path, codec)
        except UnicodeDecodeError as error:
            if error.reason.startswith("unexpected end"):  # perhaps a cut file: no other codec
                raise Indivisible from error
        else:
            return codec, quoted
    raise Indivisible


def _has_quotes(path: Path, codec: str) -> bool:
    found = False
    with path.open(encoding=codec, newline="") as handle:
        while piece := handle.read(_PIECE):
            if "\x00" in piece:
                raise Indivisible
            found = found or '"' in piece
    return found


def _grids(
    handle: IO[str],
    file: File,
    source: Source,
    score: Scorer,
    size: int,
    codec: str,
    *,
    quoted: bool,
) -> Iterator[Grid]:
    shape = text_files.layout(handle.read(_HEAD).encode(), source, score, file.name)
    if shape.header.depth > 1:
        raise Indivisible
    told = text_files.encoding_notes(codec.removesuffix("-sig"))
    handle.seek(0)
    records = _records(handle, shape.separator) if quoted else iter(handle)
    head = "".join(islice(records, shape.header.at + 1)).removeprefix("\ufeff")
    before = fitting = misfits = 0
    while block := list(islice(records, size)):
        text = (head + "".join(block)).encode()
        grid = text_files.read_text(text, shape, codec.removesuffix("-sig"), file.name)
        grid = replace(grid, notes=(*told, *grid.notes))
        yield _moved(grid, before, fitting + misfits)
        before += len(block)
        fitting += len(grid.rows)
        misfits += len(grid.misfits)
    if misfits > fitting:
        raise Indivisible


def _records(handle: IO[str], separator: str) -> Iterator[str]:
    """The text of each record: a line, or several where a quoted field spans them."""
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in handle:
            taken.append(line)
            yield line

    for _ in csv.reader(lines(), delimiter=separator, strict=True):
        yield "".join(taken)
        taken.clear()


def _moved(grid: Grid, before: int, records: int) -> Grid:
    """Rows and records counted from the beginning of the file."""
    return replace(
        grid,
        rows=pc.add(grid.rows, before),
        order=pc.add(grid.order, records),
        misfits=tuple((row + before, rule) for row, rule in grid.misfits),
    )
