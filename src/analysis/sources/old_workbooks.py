"""Workbooks of Excel 97-2003 (xls), read through Calamine."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from python_calamine import CalamineWorkbook, SheetVisibleEnum

from analysis.errors import Problem, SourceError
from analysis.settings_sources import Source
from analysis.sources import sheets
from analysis.sources.files import File
from analysis.sources.grid import Grid, Scorer
from analysis.sources.sheets import Cells, Sheet
from analysis.sources.workbooks import merges, numbered, opened

# In the format nothing tells a damaged number from a sound one. A cell moved to the far end makes
# the parser ask for gigabytes and end the process: another process tries the file first.
_TRY = """
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
except (ImportError, ValueError):
    pass
from python_calamine import CalamineError, load_workbook
try:
    with open(sys.argv[1], "rb") as handle, load_workbook(handle) as book:
        for name in book.sheet_names:
            book.get_sheet_by_name(name)
except CalamineError:
    pass
"""
_LONGEST = 300  # seconds; the largest sheet of the format takes one


def read(file: File, source: Source, score: Scorer) -> Grid:
    """Read one sheet of an old workbook, or several as one table.

    An encrypted xlsx begins with the same bytes and comes here too. The format's hidden rows are
    not known to the parser.

    Raises
    ------
    SourceError
        If the workbook is damaged or locked by a password, or the sheet is missing or empty.
    """
    _try(file)
    with opened(file) as (book, known):
        found = [
            Sheet(s.name, s.visible == SheetVisibleEnum.Visible, partial(_cells, book, s.name))
            for s in known
        ]
        return sheets.read(found, file, source, score, "xls")


def _cells(book: CalamineWorkbook, title: str) -> Cells:
    sheet = book.get_sheet_by_name(title)
    return Cells(numbered(sheet), merges(sheet), None)


def _try(file: File) -> None:
    """Read the file in another process, which may die of it.

    Raises
    ------
    SourceError
        If it does. What the parser refuses in order is told by who reads it here.
    """
    try:
        subprocess.run(  # noqa: S603 - this interpreter, the text above
            [sys.executable, "-P", "-c", _TRY, str(file.path)],
            check=True, capture_output=True, timeout=_LONGEST,
        )  # fmt: skip
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise SourceError(Problem("sources.damaged", {"file": file.name})) from error
