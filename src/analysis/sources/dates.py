"""Days and times as exports write them: read by explicit formats, never guessed.

Year-first forms are unambiguous and may mix in a column. ``03/04/2024`` could be March or
April: it is refused unless the mapping states `date_format`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

STAMP = pa.timestamp("us")

_ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?$"
_MOMENT = re.compile(
    r"\A([0-9]{4})(?:([-/.])([0-9]{1,2})\2([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})日?)"
    r"(?:(?:T|\s*)(上午|下午)?\s*([0-9]{1,2})[:时]([0-9]{1,2})"
    r"(?:[:分]([0-9]{1,2})(?:\.([0-9]{1,9}))?秒?|分)?)?"
    r"\s*(Z|[+-][0-9]{2}:?[0-9]{2})?\Z",
    re.ASCII,
)
_COMPACT = re.compile(r"\A(19|20)[0-9]{6}\Z", re.ASCII)
_SERIAL = re.compile(r"\A[0-9]{5}(\.[0-9]+)?\Z", re.ASCII)
_DAY_OR_MONTH_FIRST = r"^[0-9]{1,2}[-/.][0-9]{1,2}[-/.]([0-9]{2}|[0-9]{4})([ T]|$)"
_EPOCH = datetime.combine(date(1899, 12, 30), time())


@dataclass(frozen=True)
class Zones:
    """The zone a source's times are in, and the zone in which the run cuts days."""

    source: str
    target: str

    @property
    def shift(self) -> bool:
        """Whether times without a zone have to be moved."""
        return self.source != self.target


@dataclass(frozen=True)
class Dates:
    """A column of moments, what could not be read, and what had to be interpreted."""

    data: pa.Array
    bad: pa.Array
    serials: int = 0
    ambiguous: int = 0


def parse(text: str, zones: Zones, date_format: str | None = None) -> datetime | None:
    """One moment in the target zone, without zone; None when it cannot be read for certain."""
    word = unicodedata.normalize("NFKC", text).strip()
    try:
        if date_format is not None:
            moment = datetime.strptime(word, date_format)  # noqa: DTZ007 - `_settle` knows
            return _settle(moment, zones, _timed(date_format))
        if _COMPACT.match(word):
            return datetime.combine(date(int(word[:4]), int(word[4:6]), int(word[6:])), time())
        if _SERIAL.match(word):
            return _from_serial(float(word))
        return _parse_moment(word, zones)
    except (ValueError, OverflowError):
        return None


def _timed(date_format: str) -> bool:
    return any(mark in date_format for mark in ("%H", "%I", "%X", "%c", "%T"))


def _from_serial(serial: float) -> datetime | None:
    """Excel's day count (1900 system): whole days and a fraction of a day, to the second."""
    if not 20000 <= serial <= 80000:
        return None
    return _EPOCH + timedelta(seconds=round(serial * 86400))


def _parse_moment(word: str, zones: Zones) -> datetime | None:
    match = _MOMENT.match(word)
    if match is None:
        return None
    year, _, m1, d1, m2, d2, half, hour, minute, second, fraction, offset = match.groups()
    hours = int(hour or 0)
    if half and not 0 <= hours <= 12:
        return None
    if half:
        hours = hours % 12 + (12 if half == "下午" else 0)
    micro = int((fraction or "").ljust(6, "0")[:6] or 0)
    day = date(int(year), int(m1 or m2), int(d1 or d2))
    moment = datetime.combine(day, time(hours, int(minute or 0), int(second or 0), micro))
    if offset:
        if hour is None:
            return None
        moment = moment.replace(tzinfo=_offset(offset))
    return _settle(moment, zones, hour is not None)


def _offset(text: str) -> timezone:
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "")
    delta = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-delta if text[0] == "-" else delta)


def _settle(moment: datetime, zones: Zones, timed: bool) -> datetime:
    """Without zone, in the target zone; a day without a time stays that day."""
    if moment.tzinfo is None:
        if not (timed and zones.shift):
            return moment
        moment = moment.replace(tzinfo=ZoneInfo(zones.source))
    return moment.astimezone(ZoneInfo(zones.target)).replace(tzinfo=None)


def parse_column(values: pa.Array, zones: Zones, date_format: str | None = None) -> Dates:
    """A column of days or moments.

    Parameters
    ----------
    values
        Text, timestamps, dates or numbers (Excel serials, ``20250131``).
    zones
        Times with a zone are converted; times without are moved only if the source's zone
        differs from the target's.
    date_format
        A strptime format; when given, nothing else is accepted.

    Returns
    -------
    Dates
        Naive microsecond timestamps in the target zone.
    """
    kind = values.type
    if pa.types.is_timestamp(kind):
        return _typed(values, zones)
    if pa.types.is_date(kind):
        return Dates(values.cast(STAMP), _all_false(len(values)))
    if pa.types.is_floating(kind):
        whole = pc.all(pc.equal(values, pc.round(values))).as_py()
        values = values.cast(pa.int64()) if whole else values
    return _text(values.cast(pa.string()), zones, date_format)


def form(values: pa.Array, zones: Zones) -> str | None:
    """How `parse_column` reads all cells of a column; None where each speaks for itself."""
    kind = values.type
    if pa.types.is_timestamp(kind) and kind.tz is None and zones.shift:
        if values.null_count == len(values):
            return None
        return "times" if _has_times(values.cast(STAMP, safe=False)) else "days"
    return float_form(values)


def float_form(values: pa.Array) -> str | None:
    """Whether floats are whole numbers all of them; None for other types and without any."""
    if not pa.types.is_floating(values.type):
        return None
    finite = values.filter(pc.fill_null(pc.is_finite(values), False))
    if not len(finite):
        return None
    return "whole" if pc.all(pc.equal(finite, pc.round(finite))).as_py() else "fractions"


def _typed(values: pa.Array, zones: Zones) -> Dates:
    aware = values.type.tz is not None
    plain = values.cast(pa.timestamp("us", values.type.tz), safe=False)
    timed = not aware and zones.shift and _has_times(plain)
    if aware or timed:
        series = pd.Series(pd.DatetimeIndex(plain.to_pandas()))
        if not aware:
            # Clocks going back: the second, standard-time reading. Going forward: the next
            # moment that exists.
            series = series.dt.tz_localize(
                zones.source,
                ambiguous=np.zeros(len(series), dtype=bool),
                nonexistent="shift_forward",
            )
        moved = series.dt.tz_convert(zones.target).dt.tz_localize(None)
        plain = pa.Array.from_pandas(moved).cast(STAMP, safe=False)
    return Dates(plain, _all_false(len(plain)))


def _all_false(count: int) -> pa.Array:
    return pa.repeat(pa.scalar(False), count)


def _has_times(values: pa.Array) -> bool:
    day = pc.floor_temporal(values, unit="day")
    return bool(pc.any(pc.not_equal(values, day)).as_py())


def _text(values: pa.Array, zones: Zones, date_format: str | None) -> Dates:
    text = pc.utf8_trim_whitespace(values)
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    fast_form = date_format is None and not zones.shift
    iso = pc.fill_null(pc.match_substring_regex(text, _ISO), False)
    if not fast_form:
        iso = _all_false(len(text))
    try:
        fast = pc.if_else(iso, text, pa.scalar(None, pa.string())).cast(STAMP)
    except pa.ArrowInvalid:  # an impossible day such as 02-30: find it value by value
        iso = _all_false(len(text))
        fast = pa.nulls(len(text), STAMP)
    rest = pc.and_not(pc.is_valid(text), iso)
    if not pc.any(rest).as_py():
        return Dates(fast, rest)
    encoded = pc.if_else(rest, text, pa.scalar(None, pa.string())).dictionary_encode()
    parsed = [parse(word, zones, date_format) for word in encoded.dictionary.to_pylist()]
    result = pc.coalesce(fast, pa.array(parsed, STAMP).take(encoded.indices))
    bad = pc.and_(rest, pc.is_null(result))
    serial = pc.and_(pc.match_substring_regex(text, _SERIAL.pattern.replace(r"\Z", "$")), rest)
    doubtful = pc.and_(pc.match_substring_regex(text, _DAY_OR_MONTH_FIRST), bad)
    serials = 0 if date_format else _count(pc.and_not(serial, bad))
    return Dates(result, bad, serials, _count(doubtful))


def _count(mask: pa.Array) -> int:
    return int(pc.sum(mask).as_py() or 0)
