"""Excel workbooks: one visible sheet, cells as text, formulas only with their values."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice
from typing import Any

import pyarrow as pa
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from analysis.errors import Problem, SourceError
from analysis.settings_sources import Source
from analysis.sources import texts
from analysis.sources.files import File
from analysis.sources.grid import HEADER_SEARCH, Grid, Note, Scorer, count, find_header

_MOST_BYTES = 2 * 1024**3
_MOST_RATIO = 200
_CHUNK = 1 << 20
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")  # any prefix, with or without attributes
_LONGEST_TAG = 64
_EXACT = 10**15  # beyond it a cell's number has lost its last digits


def read(file: File, source: Source, score: Scorer) -> Grid:
    """Read one sheet of a workbook.

    Raises
    ------
    SourceError
        If the workbook is damaged, the sheet is missing, or a cell holds a formula that was
        never calculated.
    """
    _check_size(file)
    try:
        book = load_workbook(file.path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise SourceError(Problem("sources.damaged", {"file": file.name})) from error
    try:
        sheet = _sheet(book, source, file.name)
        title = sheet.title
        sheet.reset_dimensions()  # the stated ones are not trusted
        grid = grid_of(sheet.iter_rows(values_only=True), file, source, score)
        others = [s.title for s in book.worksheets if s.title != title]
    finally:
        book.close()
    _check_formulas(file, title, grid)
    return with_sheet(grid, title, others)


def grid_of(
    cells: Iterable[Sequence[Any]], file: File, source: Source, score: Scorer, kind: str = "xlsx"
) -> Grid:
    """A sheet's cells as a grid: title rows skipped, empty rows dropped.

    Raises
    ------
    SourceError
        If the sheet is empty.
    """
    rows = _filled(cells)
    head = list(islice(rows, HEADER_SEARCH))
    if not head:
        raise SourceError(Problem("sources.empty_file", {"file": file.name}))
    at = _header_at(head, source, score)
    header_row, first = head[at]
    header = _trimmed([texts.header(c) for c in first])
    title = tuple(filter(None, (texts.header(c) for _, cells in head[:at] for c in cells)))
    return replace(_body(header, header_row, head[at + 1 :], rows), format=kind, title=title)


def with_sheet(grid: Grid, title: str, others: Sequence[str]) -> Grid:
    """The grid with a note which sheet was read, where there are several."""
    if not others:
        return grid
    note: Note = ("note.sheet", {"sheet": title, "others": " | ".join(others)})
    return replace(grid, notes=(*grid.notes, note))


def _check_size(file: File) -> None:
    """Refuse a small file that would unpack into gigabytes."""
    try:
        with zipfile.ZipFile(file.path) as package:
            total = sum(info.file_size for info in package.infolist())
    except zipfile.BadZipFile as error:
        raise SourceError(Problem("sources.damaged", {"file": file.name})) from error
    bomb = total > 200 * 1024**2 and total > _MOST_RATIO * file.path.stat().st_size
    if total > _MOST_BYTES or bomb:
        args = {"file": file.name, "megabytes": str(total // 1024**2)}
        raise SourceError(Problem("sources.too_large", args))


def _sheet(book: Any, source: Source, name: str) -> Any:
    visible = [s.title for s in book.worksheets if s.sheet_state == "visible"]
    title = choose([s.title for s in book.worksheets], visible, source, name)
    return next(s for s in book.worksheets if s.title == title)


def choose(sheets: Sequence[str], visible: Sequence[str], source: Source, name: str) -> str:
    """The sheet the settings name, else the first visible one.

    Raises
    ------
    SourceError
        If there is none.
    """
    wanted = source.sheet
    if wanted is not None and wanted in sheets:
        return wanted
    if wanted is None and visible:
        return visible[0]
    have = " | ".join(sheets) if wanted is not None else ""
    args = {"file": name, "sheet": wanted or "-", "available": have or "-"}
    raise SourceError(Problem("sources.no_sheet", args))


def _filled(cells: Iterable[Sequence[Any]]) -> Iterator[tuple[int, Sequence[Any]]]:
    """Rows with any content, with their row number."""
    for number, row in enumerate(cells, start=1):
        if any(c is not None and c != "" for c in row):
            yield number, row


def _header_at(head: Sequence[tuple[int, Sequence[Any]]], source: Source, score: Scorer) -> int:
    if source.header_row is not None:
        for position, (number, _) in enumerate(head):
            if number == source.header_row:
                return position
    return find_header([[texts.header(c) for c in cells] for _, cells in head], score)


def _trimmed(header: Sequence[str]) -> tuple[str, ...]:
    width = max((i + 1 for i, h in enumerate(header) if h), default=0)
    return tuple(header[:width])


def _body(
    header: tuple[str, ...],
    header_row: int,
    first: Iterable[tuple[int, Sequence[Any]]],
    rest: Iterable[tuple[int, Sequence[Any]]],
) -> Grid:
    width = len(header)
    columns: list[list[str | None]] = [[] for _ in header]
    rows: list[int] = []
    lossy: set[int] = set()
    outside = 0
    for part in (first, rest):
        for number, cells in part:
            if all(c is None or c == "" for c in cells[:width]):
                outside += 1
                continue
            rows.append(number)
            for i in range(width):
                value = cells[i] if i < len(cells) else None
                if isinstance(value, (int, float)) and abs(value) >= _EXACT:
                    lossy.add(i)
                columns[i].append(_as_text(value))
    notes: tuple[Note, ...] = (("note.cells_outside", {"rows": count(outside)}),) if outside else ()
    order = pa.array(range(len(rows)), pa.int64())
    arrays = tuple(pa.array(c, pa.string()) for c in columns)
    return Grid(
        "xlsx", None, header, header_row, arrays, pa.array(rows, pa.int64()), order,
        lossy=frozenset(lossy), notes=notes,
    )  # fmt: skip


def _as_text(value: Any) -> str | None:
    """A cell as text without loss: 13085.0 is 13085, a date is ISO."""
    if value is None:
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value)


def _check_formulas(file: File, title: str, grid: Grid) -> None:
    """A formula without a stored value reads as an empty cell: find it and say so."""
    missing = [i for i, c in enumerate(grid.columns) if c.null_count]
    if not missing or not _any_formula(file):
        return
    empty = {i: set(_rows_where_null(grid, i)) for i in missing}
    book = load_workbook(file.path, read_only=True, data_only=False)
    try:
        sheet = next(s for s in book.worksheets if s.title == title)
        sheet.reset_dimensions()
        for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
            for i in missing:
                value = cells[i] if i < len(cells) else None
                formula = (isinstance(value, str) and value.startswith("=")) or hasattr(
                    value, "ref"
                )
                if formula and number in empty[i]:
                    cell = f"{get_column_letter(i + 1)}{number}"
                    args = {"file": file.name, "sheet": title, "cell": cell}
                    args["header"] = grid.header[i] or "-"
                    raise SourceError(Problem("sources.formula_without_value", args))
    finally:
        book.close()


def _any_formula(file: File) -> bool:
    """Whether any part may hold a formula; parsing all cells again takes as long as reading."""
    with zipfile.ZipFile(file.path) as archive:
        for name in archive.namelist():
            if name.endswith(".xml") and "sharedStrings" not in name:
                with archive.open(name) as part:
                    tail = b""
                    while chunk := part.read(_CHUNK):
                        if _FORMULA.search(tail + chunk):
                            return True
                        tail = chunk[-_LONGEST_TAG:]
    return False


def _rows_where_null(grid: Grid, index: int) -> list[int]:
    mask = grid.columns[index].is_null()
    return [int(r) for r in grid.rows.filter(mask).to_pylist()]
