"""Workbooks of Excel 97-2003 (xls): one visible sheet, read through Calamine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from python_calamine import (
    CalamineError,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    load_workbook,
)

from analysis.errors import Problem, SourceError
from analysis.settings_sources import Source
from analysis.sources.files import File
from analysis.sources.grid import Grid, Scorer
from analysis.sources.workbooks import choose, grid_of, with_sheet

# The stream in which an encrypted xlsx stands (MS-OFFCRYPTO 2.3.4.4).
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def read(file: File, source: Source, score: Scorer) -> Grid:
    """Read one sheet of an old workbook.

    An encrypted xlsx begins with the same bytes and comes here too.

    Raises
    ------
    SourceError
        If the workbook is damaged or locked by a password, or the sheet is missing or empty.
    """
    try:
        # Opened as bytes, so that the content and not the file's name says what it is.
        with file.path.open("rb") as handle, load_workbook(handle) as book:
            known = [s for s in book.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet]
            names = [s.name for s in known]
            visible = [s.name for s in known if s.visible == SheetVisibleEnum.Visible]
            title = choose(names, visible, source, file.name)
            sheet = book.get_sheet_by_name(title)
            # Calamine begins at the first cell in use; rows are counted from the sheet's top.
            above = sheet.start[0] if sheet.start else 0
            grid = grid_of(_cells(sheet, above), file, source, score, "xls")
    except CalamineError as error:
        locked = isinstance(error, PasswordError) or _ENCRYPTED in file.path.read_bytes()
        key = "sources.locked" if locked else "sources.damaged"
        raise SourceError(Problem(key, {"file": file.name})) from error
    return with_sheet(grid, title, [name for name in names if name != title])


def _cells(sheet: Any, above: int) -> Iterator[list[Any]]:
    yield from ([] for _ in range(above))
    for row in sheet.iter_rows():
        yield [None if cell == "" else cell for cell in row]
