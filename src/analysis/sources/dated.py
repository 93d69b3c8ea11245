"""The day that a file's name holds: 应收账龄_2025-09-30.xlsx."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import replace
from datetime import date
from pathlib import PurePath

from analysis.errors import Problem, SourceError
from analysis.sources.mapping import Wanted
from analysis.tables import Table

_DAY = re.compile(r"(?<!\d)(20\d{2})(?:[-._年](\d{1,2})[-._月](\d{1,2})日?|(\d{2})(\d{2}))(?!\d)")
_MONTH = re.compile(r"(?<!\d)(20\d{2})(?:[-._年](\d{1,2})月?|(0[1-9]|1[0-2]))(?![\d-])")


def day_in(name: str) -> date | None:
    """The one day in a file's name; of a month its last. None if there is none, or several."""
    stem = PurePath(name).stem
    found = {_day(*(part or "" for part in m.groups())) for m in _DAY.finditer(stem)} - {None}
    if not found:
        found = {_month_end(m[1], m[2] or m[3]) for m in _MONTH.finditer(stem)} - {None}
    return found.pop() if len(found) == 1 else None


def with_file_name(wanted: list[Wanted], table: Table, file: str) -> list[Wanted]:
    """Columns that the file's name fills, filled.

    Raises
    ------
    SourceError
        If the name does not hold exactly one day.
    """
    if not any(w.file_name for w in wanted):
        return wanted
    day = day_in(file)
    if day is None:
        columns = [f"{table.name}.{w.column.name}" for w in wanted if w.file_name]
        args = {"column": ", ".join(columns), "file": file}
        raise SourceError(Problem("sources.no_day_in_name", args, file))
    return [replace(w, value=day.isoformat()) if w.file_name else w for w in wanted]


def _day(year: str, month: str, day: str, short_month: str, short_day: str) -> date | None:
    try:
        return date(int(year), int(month or short_month), int(day or short_day))
    except ValueError:
        return None


def _month_end(year: str, month: str) -> date | None:
    number = int(month)
    if not 1 <= number <= 12:
        return None
    return date(int(year), number, monthrange(int(year), number)[1])
