"""Workbooks of Excel 97-2003 (xls), read through Calamine."""

from __future__ import annotations

from functools import partial

from python_calamine import CalamineWorkbook, SheetVisibleEnum

from analysis.settings_sources import Source
from analysis.sources import sheets
from analysis.sources.files import File
from analysis.sources.grid import Grid, Scorer
from analysis.sources.sheets import Cells, Sheet
from analysis.sources.workbooks import merges, numbered, opened


def read(file: File, source: Source, score: Scorer) -> Grid:
    """Read one sheet of an old workbook, or several as one table.

    An encrypted xlsx begins with the same bytes and comes here too. The format's hidden rows are
    not known to the parser.

    Raises
    ------
    SourceError
        If the workbook is damaged or locked by a password, or the sheet is missing or empty.
    """
    with opened(file) as (book, known):
        found = [
            Sheet(s.name, s.visible == SheetVisibleEnum.Visible, partial(_cells, book, s.name))
            for s in known
        ]
        return sheets.read(found, file, source, score, "xls")


def _cells(book: CalamineWorkbook, title: str) -> Cells:
    sheet = book.get_sheet_by_name(title)
    return Cells(numbered(sheet), merges(sheet), None)
