"""Excel workbooks (xlsx): values through Calamine, all else by a pass over the sheet's XML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import openpyxl
from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetMetadata,
    SheetTypeEnum,
    SheetVisibleEnum,
    load_workbook,
)

from analysis.errors import Problem, SourceError
from analysis.settings_sources import Source
from analysis.sources import packages, sheets
from analysis.sources.files import File
from analysis.sources.grid import MOST_COLUMNS, Grid, Merge, Scorer
from analysis.sources.packages import Facts
from analysis.sources.sheets import Cells, Sheet

# The stream in which an encrypted xlsx stands (MS-OFFCRYPTO 2.3.4.4).
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def read(file: File, source: Source, score: Scorer) -> Grid:
    """Read one sheet of a workbook, or several as one table.

    Raises
    ------
    SourceError
        If the workbook is damaged or too large, or the sheet is missing or empty.
    """
    packages.check(file)
    with opened(file) as (book, known):
        try:
            parts = packages.sheet_parts(file)
            found = [
                Sheet(s.name, s.visible == SheetVisibleEnum.Visible,
                      partial(_cells, file, book, s.name, parts[s.name]))
                for s in known
            ]  # fmt: skip
        except packages.BROKEN as error:
            raise SourceError(Problem("sources.damaged", {"file": file.name})) from error
        return sheets.read(found, file, source, score, "xlsx")


@contextmanager
def opened(file: File) -> Iterator[tuple[CalamineWorkbook, list[SheetMetadata]]]:
    """A workbook and its sheets of cells; what Calamine cannot read is damaged or locked.

    Raises
    ------
    SourceError
        If it is.
    """
    try:
        # Opened as bytes, so that the content and not the file's name says what it is.
        with file.path.open("rb") as handle, load_workbook(handle) as book:
            yield book, [s for s in book.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet]
    except BaseException as error:
        # A fault inside the parser arrives as a PanicException, which is no Exception.
        if not isinstance(error, CalamineError) and type(error).__name__ != "PanicException":
            raise
        locked = isinstance(error, PasswordError) or _ENCRYPTED in file.path.read_bytes()
        key = "sources.locked" if locked else "sources.damaged"
        raise SourceError(Problem(key, {"file": file.name})) from error


def _cells(file: File, book: CalamineWorkbook, title: str, part: str) -> Cells:
    facts = packages.scan(file, part)
    if facts.last_column >= MOST_COLUMNS:
        raise sheets.too_wide(file.name, facts.last_column + 1)
    uncalculated, hidden = frozenset(facts.uncalculated), frozenset(facts.hidden)
    if facts.sparse:
        return Cells(_streamed(file, title), (), hidden, uncalculated)
    sheet = book.get_sheet_by_name(title)
    rows = _with_errors(numbered(sheet), facts)
    return Cells(rows, merges(sheet), hidden, uncalculated)


def numbered(sheet: Any) -> Iterator[tuple[int, Sequence[Any]]]:
    """The rows of a sheet in use, with their numbers."""
    # Calamine begins at the first row in use; rows are counted from the sheet's top.
    above = sheet.start[0] if sheet.start else 0
    return enumerate(sheet.iter_rows(), start=above + 1)


def merges(sheet: Any) -> tuple[Merge, ...]:
    """The merged ranges of a sheet."""
    return tuple(
        Merge(top + 1, left, bottom + 1, right)
        for (top, left), (bottom, right) in sheet.merged_cell_ranges or ()
    )


def _with_errors(
    rows: Iterator[tuple[int, Sequence[Any]]], facts: Facts
) -> Iterator[tuple[int, Sequence[Any]]]:
    """Error values, which Calamine gives as nothing, in their places."""
    if not facts.errors:
        return rows
    by_row: dict[int, list[tuple[int, str]]] = {}
    for (row, column), text in facts.errors.items():
        by_row.setdefault(row, []).append((column, text))
    return ((number, _placed(cells, by_row.get(number, ()))) for number, cells in rows)


def _placed(cells: Sequence[Any], errors: Sequence[tuple[int, str]]) -> Sequence[Any]:
    if not errors:
        return cells
    found = list(cells)
    for column, text in errors:
        found += [""] * (column + 1 - len(found))
        found[column] = text
    return found


def _streamed(file: File, title: str) -> Iterator[tuple[int, Sequence[Any]]]:
    """Rows one at a time, for a sheet with a value far off that would fill memory with nothing."""
    book = openpyxl.load_workbook(file.path, read_only=True, data_only=True)
    try:
        sheet = book[title]
        sheet.reset_dimensions()  # the stated ones are not trusted
        yield from enumerate(sheet.iter_rows(values_only=True), start=1)
    finally:
        book.close()
