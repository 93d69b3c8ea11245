"""Months and periods as columns name them: 2024-1, 2024年1月, 202401; 2025Q3, 2025年第三季度."""

from __future__ import annotations

import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from analysis.calendars import Period
from analysis.sources import dates, texts
from analysis.sources.dates import Zones

_MONTH = re.compile(
    r"\A([0-9]{4})(?:[-/.]([0-9]{1,2})|年([0-9]{1,2})月份?|(0[1-9]|1[0-2])(?:\.0+)?)\Z", re.ASCII
)
_QUARTER = re.compile(r"\A([0-9]{4})[-年 ]?(?:Q([1-4])|第?([1-4一二三四])季度?)\Z", re.ASCII | re.I)
_HALF = re.compile(r"\A([0-9]{4})[-年 ]?(?:H([12])|([上下])半年)\Z", re.ASCII | re.I)
_YEAR = re.compile(r"\A([0-9]{4})(?:年|年度|\.0+)?\Z", re.ASCII)
_NUMERALS = {"一": "1", "二": "2", "三": "3", "四": "4", "上": "1", "下": "2"}
_ZONES = Zones("UTC", "UTC")  # days have no zone


def months(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    """A column of months as ``YYYY-MM``, and the mask of cells that name none.

    Parameters
    ----------
    values
        Months, or days in them, as text, numbers or dates.
    """
    return _named(values, month)


def periods(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    """A column of periods as the settings name them, and the mask of cells that name none."""
    return _named(values, _period)


def month(text: str) -> str | None:
    """The month that a text names, or in which the day lies that it names."""
    found = _MONTH.match(text)
    if found:
        number = int(found[2] or found[3] or found[4])
        return f"{found[1]}-{number:02d}" if 1 <= number <= 12 else None
    day = dates.parse(text, _ZONES) if len(text) >= 8 else None
    return day.strftime("%Y-%m") if day else None


def _period(text: str) -> str | None:
    for form, mark in ((_QUARTER, "Q"), (_HALF, "H")):
        if found := form.match(text):
            part = found[2] or found[3]
            return f"{found[1]}{mark}{_NUMERALS.get(part, part)}"
    if found := _YEAR.match(text):
        return found[1]
    try:
        return Period.parse(text.upper()).name
    except ValueError:
        return month(text)


def _named(values: pa.Array, read: Callable[[str], str | None]) -> tuple[pa.Array, pa.Array]:
    if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
        values = pc.strftime(dates.parse_column(values, _ZONES).data, "%Y-%m")
    encoded = texts.plain(values.cast(pa.string())).dictionary_encode()
    found = [read(word) if word else None for word in encoded.dictionary.to_pylist()]
    names = pa.array(found, pa.string()).take(encoded.indices)
    given = pc.fill_null(pc.not_equal(encoded.dictionary, "").take(encoded.indices), False)
    return names, pc.and_(given, pc.is_null(names))
