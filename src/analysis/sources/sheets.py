"""Sheets of a workbook: which ones are read, and their cells as a grid of text.

Calamine, openpyxl, HTML tables and XML spreadsheets all give sheets in this form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import chain, islice, zip_longest
from typing import Any

import numpy as np
import pyarrow as pa
from openpyxl.utils import get_column_letter

from analysis.errors import Problem, SourceError
from analysis.settings_sources import Source
from analysis.sources import cell_texts, headers, merged, texts
from analysis.sources.files import File
from analysis.sources.grid import MOST_COLUMNS, Grid, Merge, Note, Scorer, count
from analysis.sources.headers import Header
from analysis.sources.stated import above

_CHUNK = 20_000
_MAGIC = re.compile(r"[*?\[]")
# A sheet that repeats what the others hold: read beside them, it would count twice.
_SUMMARY = re.compile(r"(?i)汇总|合计|总计|总表|累计|全年|\b(total|summary|overview)\b")
_SHOWN = 12


@dataclass(frozen=True)
class Cells:
    """What one sheet holds.

    Attributes
    ----------
    rows
        (row number from 1, cells); rows without content may be left out.
    merges
        Its merged ranges.
    hidden
        Numbers of its hidden rows; None where the format does not say.
    uncalculated
        (row, column) of formulas without a result.
    """

    rows: Iterable[tuple[int, Sequence[Any]]]
    merges: tuple[Merge, ...] = ()
    hidden: frozenset[int] | None = frozenset()
    uncalculated: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True)
class Sheet:
    """A sheet by name; `load` gives its cells, from the top each time."""

    title: str
    visible: bool
    load: Callable[[], Cells]


@dataclass(frozen=True)
class _Context:
    file: File
    source: Source
    score: Scorer
    kind: str


def read(book: Sequence[Sheet], file: File, source: Source, score: Scorer, kind: str) -> Grid:
    """The sheets that the settings name as one grid; else the first visible one that fits.

    Raises
    ------
    SourceError
        If a sheet is missing or empty, a formula holds no result, or there are too many columns.
    """
    context = _Context(file, source, score, kind)
    wanted, every = _named(book, source, file.name)
    if wanted is None:
        sheet, alike = _fitting(book, context)
        grid = _grid(sheet, context)
        return _with_sheets(grid, book, [sheet.title], alike)
    if len(wanted) == 1 and not every:
        return _with_sheets(_grid(wanted[0], context), book, [wanted[0].title], [])
    return _together(wanted, book, context, every=every)


def _named(book: Sequence[Sheet], source: Source, name: str) -> tuple[list[Sheet] | None, bool]:
    """The sheets named; and whether a pattern named them, which may meet sheets of another kind."""
    if source.sheet is None:
        if any(s.visible for s in book):
            return None, False
        raise _no_sheet(book, "", name)
    parts = [source.sheet] if isinstance(source.sheet, str) else source.sheet
    by_title = {s.title: s for s in book}
    found: dict[str, Sheet] = {}
    every = False
    for part in parts:
        if part in by_title:
            found[part] = by_title[part]
            continue
        hits = [s for s in book if s.visible and fnmatchcase(s.title, part)]
        if not _MAGIC.search(part) or not hits:
            raise _no_sheet(book, part, name)
        every = True
        found |= {s.title: s for s in hits}
    return [s for s in book if s.title in found], every


def _no_sheet(book: Sequence[Sheet], wanted: str, name: str) -> SourceError:
    have = " | ".join(s.title for s in book) if wanted else ""
    args = {"file": name, "sheet": wanted or "-", "available": have or "-"}
    return SourceError(Problem("sources.no_sheet", args))


def _fitting(book: Sequence[Sheet], context: _Context) -> tuple[Sheet, list[str]]:
    """The first visible sheet that holds all headers, and the later ones with the same header."""
    visible = [s for s in book if s.visible]
    if len(visible) == 1:
        return visible[0], []
    heads = [_head(s.load(), context) for s in visible]
    ranks = [context.score(h) if any(h) else (False, -1) for h in heads]
    best = ranks.index(max(ranks, key=lambda r: (r[0], 0 if r[0] else r[1])))
    own = {h for h in heads[best] if h}
    alike = [
        s.title
        for s, head in zip(visible, heads, strict=True)
        if s is not visible[best] and len(own) > 1 and {h for h in head if h} == own
    ]
    return visible[best], alike


def _head(cells: Cells, context: _Context) -> tuple[str, ...]:
    rows = list(islice(_filled(cells.rows), headers.SEARCH))
    return _header(rows, cells, context).cells if rows else ()


def _with_sheets(
    grid: Grid, book: Sequence[Sheet], read_: Sequence[str], alike: Sequence[str]
) -> Grid:
    """The grid with notes which sheets were read and which were not."""
    notes: list[Note] = []
    others = [s.title for s in book if s.visible and s.title not in [*read_, *alike]]
    hidden = [s.title for s in book if not s.visible and s.title not in read_]
    args: dict[str, Any] = {"sheet": _listed(read_)}
    if others:
        notes.append(("note.sheet", {**args, "others": _listed(others)}))
    elif len(book) > 1:
        notes.append(("note.sheet_alone", args))
    if alike:
        notes.append(("note.sheets_alike", {"sheets": _listed(alike), "count": count(len(alike))}))
    if hidden:
        notes.append(("note.hidden_sheets", {"sheets": _listed(hidden)}))
    return replace(grid, notes=(*notes, *grid.notes))


def _listed(titles: Sequence[str]) -> str:
    shown = list(titles[:_SHOWN]) + (["…"] if len(titles) > _SHOWN else [])
    return " | ".join(shown)


def _together(
    wanted: Sequence[Sheet], book: Sequence[Sheet], context: _Context, *, every: bool
) -> Grid:
    """Several sheets as one table, their columns matched by header.

    Raises
    ------
    SourceError
        If a sheet that was named has another header, or none has one that fits.
    """
    grids: dict[str, Grid] = {}
    foreign: list[str] = []
    repeats = [s.title for s in wanted if every and _SUMMARY.search(s.title)]
    if len(repeats) == len(wanted):
        repeats = []
    for sheet in wanted:
        if sheet.title in repeats:
            continue
        try:
            grid = _grid(sheet, context)
            fits = context.score(grid.header)[0]
        except SourceError as error:
            if {p.key for p in error.problems} != {"sources.empty_file"}:
                raise
            fits = False
        if fits:
            grids[sheet.title] = grid
        elif every:
            foreign.append(sheet.title)
        else:
            args = {"file": context.file.name, "sheet": sheet.title}
            raise SourceError(Problem("sources.sheet_header", args))
    if not grids:
        return _grid(wanted[0], context)  # what its header lacks is told as of any file
    _same_units(grids, context.file.name)
    grid = _stacked(grids)
    notes: list[Note] = [
        ("note.sheets_joined", {"sheets": _listed(list(grids)), "count": count(len(grids))})
    ]
    for key, titles in (("sheets_foreign", foreign), ("sheets_summary", repeats)):
        if titles:
            notes.append((f"note.{key}", {"sheets": _listed(titles)}))
    hidden = [s.title for s in book if not s.visible and s.title not in grids]
    if hidden:
        notes.append(("note.hidden_sheets", {"sheets": _listed(hidden)}))
    return replace(grid, notes=(*notes, *grid.notes))


def _stacked(grids: Mapping[str, Grid]) -> Grid:
    """Grids below one another; a column is known by its header, repeated ones by their order."""
    labels = {title: _labels(grid.header) for title, grid in grids.items()}
    order = list(dict.fromkeys(chain.from_iterable(labels.values())))
    parts: list[list[pa.Array]] = [[] for _ in order]
    sheets: list[pa.Array] = []
    merges: dict[int, list[tuple[int, int]]] = {}
    uncalculated: dict[int, str] = {}
    start = 0
    for title, grid in grids.items():
        size = len(grid.rows)
        place = {label: i for i, label in enumerate(labels[title])}
        for to, label in enumerate(order):
            at = place.get(label)
            parts[to].append(pa.nulls(size, pa.string()) if at is None else grid.columns[at])
            if at is None:
                continue
            if at in grid.uncalculated:
                uncalculated.setdefault(to, grid.uncalculated[at])
            moved = [(a + start, b + start) for a, b in grid.merged.get(at, ())]
            merges.setdefault(to, []).extend(moved)
        sheets.append(pa.repeat(pa.scalar(title), size))
        start += size
    first = next(iter(grids.values()))
    lossy = {order.index(labels[t][i]) for t, g in grids.items() for i in g.lossy}
    return Grid(
        first.format, None, tuple(name for name, _ in order), first.header_row,
        tuple(pa.concat_arrays(p) for p in parts),
        pa.concat_arrays([g.rows for g in grids.values()]),
        pa.array(range(start), pa.int64()),
        tuple(chain.from_iterable(g.misfits for g in grids.values())),
        frozenset(lossy), _summed([n for g in grids.values() for n in g.notes]),
        pa.concat_arrays(sheets),
        tuple(title for title, g in grids.items() for _ in g.misfits),
        {i: tuple(m) for i, m in merges.items() if m}, uncalculated,
        title=first.title,
    )  # fmt: skip


def _same_units(grids: Mapping[str, Grid], name: str) -> None:
    """Refuse sheets above which different units stand, or on some of them none.

    Raises
    ------
    SourceError
        Below one header they would be read as one unit.
    """
    units = {title: above(grid.title) for title, grid in grids.items()}
    if len({(said.unit or "元", said.currency) for said in units.values()}) > 1:
        shown = [f"{title} {said.unit or said.currency or '-'}" for title, said in units.items()]
        raise SourceError(Problem("sources.sheet_units", {"file": name, "sheets": _listed(shown)}))


def in_cell(sheet: str, cell: str) -> str:
    """A cell of a sheet, as Excel names it."""
    return f"{sheet}!{cell}" if sheet else cell


def _labels(header: Sequence[str]) -> list[tuple[str, int]]:
    seen: dict[str, int] = {}
    found = []
    for name in header:
        seen[name] = seen.get(name, -1) + 1
        found.append((name, seen[name]))
    return found


def _summed(notes: Sequence[Note]) -> tuple[Note, ...]:
    """Notes of several sheets, their row counts added up."""
    total: dict[str, dict[str, Any]] = {}
    for key, args in notes:
        if key not in total:
            total[key] = dict(args)
        elif isinstance(args.get("rows"), dict):
            total[key]["rows"] = count(total[key]["rows"]["value"] + args["rows"]["value"])
    return tuple(total.items())


def _grid(sheet: Sheet, context: _Context) -> Grid:
    """A sheet's cells as a grid: title rows skipped, empty rows dropped.

    Raises
    ------
    SourceError
        If the sheet is empty or has too many columns.
    """
    file, source, cells = context.file, context.source, sheet.load()
    rows = _filled(cells.rows)
    head = list(islice(rows, headers.SEARCH))
    if not head:
        raise SourceError(Problem("sources.empty_file", {"file": file.name}))
    found = _header(head, cells, context)
    header = _trimmed(found.cells)
    if len(header) > MOST_COLUMNS:
        raise too_wide(file.name, len(header))
    first = head[found.at][0]
    last = head[found.at + found.depth - 1][0]
    body = chain(head[found.at + found.depth :], rows)
    read_ = _body(header, body, cells.hidden if source.hidden_rows == "leave_out" else frozenset())
    notes = list(read_.notes)
    if found.depth > 1:
        notes.insert(0, ("note.two_row_header", {"rows": f"{first}–{last}"}))
    hidden = _hidden(cells, read_, context, last)
    if hidden:
        notes.append(("note.hidden_rows_read", {"rows": count(hidden)}))
    misfits = tuple((row, "hidden_row") for row in read_.left_out)
    if misfits:
        notes.append(("note.hidden_rows_left_out", {"rows": count(len(misfits))}))
    numbers = np.asarray(read_.rows, dtype=np.int64)
    order = np.arange(len(numbers)) + np.searchsorted(np.asarray(read_.left_out), numbers)
    return Grid(
        context.kind, None, header, first, read_.columns, pa.array(numbers), pa.array(order),
        misfits, read_.lossy, tuple(notes),
        merged=merged.positions(cells.merges, numbers, last, len(header)),
        uncalculated=_uncalculated(cells, sheet.title, numbers, header),
        title=found.title,
    )  # fmt: skip


def too_wide(name: str, columns: int) -> SourceError:
    """The error for a file with more columns than any table of a business has."""
    args = {"file": name, "columns": f"{columns:,}", "most": f"{MOST_COLUMNS:,}"}
    return SourceError(Problem("sources.too_wide", args))


def _header(head: Sequence[tuple[int, Sequence[Any]]], cells: Cells, context: _Context) -> Header:
    rows = [[texts.header(c) for c in row] for _, row in head]
    numbers = [number for number, _ in head]
    named = context.source.header_row
    only = numbers.index(named) if named in numbers else None
    return headers.find(rows, context.score, numbers=numbers, merges=cells.merges, only=only)


def _hidden(cells: Cells, body: _Body, context: _Context, header_ends: int) -> int:
    """Hidden rows that were read.

    Raises
    ------
    SourceError
        If they are to be left out, and the format does not say which they are.
    """
    if cells.hidden is None:
        if context.source.hidden_rows == "leave_out":
            args = {"file": context.file.name, "format": context.kind}
            raise SourceError(Problem("sources.hidden_rows_unknown", args))
        return 0
    if not cells.hidden:
        return 0
    return int(np.isin(np.asarray(body.rows), np.fromiter(cells.hidden, np.int64)).sum())


def _uncalculated(
    cells: Cells, title: str, rows: np.ndarray, header: Sequence[str]
) -> dict[int, str]:
    """By column, the first cell below the header whose formula holds no result."""
    found: dict[int, str] = {}
    if not cells.uncalculated:
        return found
    kept = set(rows.tolist())
    for row, column in sorted(cells.uncalculated):
        if column < len(header) and row in kept:
            found.setdefault(column, in_cell(title, f"{get_column_letter(column + 1)}{row}"))
    return found


def _filled(rows: Iterable[tuple[int, Sequence[Any]]]) -> Iterator[tuple[int, Sequence[Any]]]:
    """Rows with any content, with their row number."""
    return (row for row in rows if _any(row[1]))


def _any(cells: Sequence[Any]) -> bool:
    if cells and cells[0]:
        return True
    return any(c is not None and c != "" for c in cells)


def _trimmed(header: Sequence[str]) -> tuple[str, ...]:
    width = max((i + 1 for i, h in enumerate(header) if h), default=0)
    return tuple(header[:width])


@dataclass(frozen=True)
class _Body:
    columns: tuple[pa.Array, ...]
    rows: list[int]
    left_out: list[int]
    lossy: frozenset[int]
    notes: tuple[Note, ...] = field(default=())


def _body(
    header: Sequence[str], rows: Iterator[tuple[int, Sequence[Any]]], hidden: frozenset[int] | None
) -> _Body:
    """The records below the header, a chunk of rows at a time."""
    width = len(header)
    parts: list[list[pa.Array]] = [[] for _ in header]
    numbers: list[int] = []
    left_out: list[int] = []
    lossy: set[int] = set()
    outside = 0
    while chunk := list(islice(rows, _CHUNK)):
        kept: list[Sequence[Any]] = []
        for number, cells in chunk:
            if hidden and number in hidden:
                left_out.append(number)
            elif _any(cells[:width]):
                numbers.append(number)
                kept.append(cells[:width])
            else:
                outside += 1
        across = list(zip_longest(*kept))
        for i in range(width):
            values = across[i] if i < len(across) else (None,) * len(kept)
            text, exact = cell_texts.as_texts(values)
            parts[i].append(text)
            if not exact:
                lossy.add(i)
    notes: tuple[Note, ...] = (("note.cells_outside", {"rows": count(outside)}),) if outside else ()
    columns = tuple(pa.concat_arrays(p) if p else pa.array([], pa.string()) for p in parts)
    return _Body(columns, numbers, left_out, frozenset(lossy), notes)
