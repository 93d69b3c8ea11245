"""Days and times as exports write them: read by explicit formats, never guessed.

One way of writing explains a column. Forms that begin with the year are one way, whatever parts
year, month and day: none of them can be mistaken for another day. Excel's day counts are another
one; where a text file holds both, the rarer are refused, while in a workbook a date that lost its
cell format is still the same number. Each refusal has its rule:

ambiguous_date
    ``03/04/2024``, ``24-1-3``: which is the day is not known unless the mapping states
    `date_format`.
other_date_format
    A day count among dates, or a date among day counts.
no_day
    ``0000-00-00``, ``1900-01-00``: what systems and Excel write where there is no day.
unreadable_date
    Everything else, also 30 February, a month or a year alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.sources import texts

STAMP = pa.timestamp("us")
SERIALS = (20_000, 80_000)  # 1954 to 2119: outside, a number is no day count
_AT_ONCE = 100_000  # cells whose digits are looked at together: bounds the memory
_TENS = 10 ** np.arange(19)
_MOSTLY = 0.995  # one way of writing must explain that much of a column [share]

# Year-first days as they stand in exports, with or without a time. None has a second reading.
_N = "[0-9]{1,2}"
_CLOCK = rf"{_N}:{_N}(?::{_N}(?:\.[0-9]{{1,6}})?)?"
_YEAR_FIRST = (
    rf"^[0-9]{{4}}(?:(?:-{_N}-{_N}|/{_N}/{_N}|\.{_N}\.{_N}|年{_N}月{_N})(?:(?:T| +){_CLOCK})?"
    rf"|年{_N}月{_N}日(?: *{_CLOCK})?)$"
)
_ZONED = rf"^(?P<local>[0-9]{{4}}-{_N}-{_N}[T ]{_CLOCK}) ?(?P<offset>Z|[+-][0-9]{{2}}:?[0-9]{{2}})$"
_ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?$"
_COMPACT = r"^((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})(?:\.0+)?$"
_COMPACT_TIME = r"^((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})$"
_SERIAL = r"^[0-9]{5}(\.[0-9]+)?$"
_NO_DAY = (
    r"^(0000[-/.]0?0[-/.]0?0|0000年0?0月0?0日|1900[-/.]0?1[-/.]0?0|1900年0?1月0?0日|0)"
    r"( 0?0:00(:00(\.0+)?)?)?$"
)
_DAY_OR_MONTH_FIRST = r"^[0-9]{1,2}[-/.][0-9]{1,2}[-/.]([0-9]{1,2}|[0-9]{4})([ T]|$)"
_SPOKEN = re.compile(
    r"\A([0-9]{4})(?:([-/.])([0-9]{1,2})\2([0-9]{1,2})(?=\D)|年([0-9]{1,2})月([0-9]{1,2})(?:日|(?=\D)))"
    r"[T ]*(上午|下午|AM|PM)?\s*(?<=\D)([0-9]{1,2})[:时点]([0-9]{1,2})"
    r"(?:[:分]([0-9]{1,2})(?:\.([0-9]{1,9}))?秒?|分)?\s*(AM|PM)?\s*(Z|[+-][0-9]{2}:?[0-9]{2})?\Z",
    re.ASCII | re.IGNORECASE,
)
_CHINESE = re.compile(
    r"\A([〇零○一二三四五六七八九]{4})年([一二三四五六七八九十]{1,2})月([一二三四五六七八九十]{1,3})日\Z"
)
_NUMERALS = {c: i for i, c in enumerate("〇一二三四五六七八九十")} | {"零": 0, "○": 0}


# A column that no part of it can read alone, and the rules that look at all its cells.
TOGETHER = "together"
_BY_COLUMN = ("ambiguous_date", "other_date_format")


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
    """A column of moments, why the others could not be read, and what had to be interpreted.

    Attributes
    ----------
    data
        Naive microsecond timestamps in the target zone.
    rules
        Why a cell is no date; null where it is one, or empty.
    serials
        Day counts that were converted.
    swapped
        Whether Excel seems to have turned a part of a day-first column into dates, perhaps with
        day and month exchanged, and left the rest as text.
    """

    data: pa.Array
    rules: pa.Array
    serials: int = 0
    swapped: bool = False

    @property
    def bad(self) -> pa.Array:
        """Cells that hold something unreadable."""
        return pc.is_valid(self.rules)


def parse(text: str, zones: Zones, date_format: str | None = None) -> datetime | None:
    """One moment in the target zone, without zone; None when it cannot be read for certain."""
    values = pa.array([text], pa.string())
    found: datetime | None = parse_column(values, zones, date_format).data[0].as_py()
    return found


def parse_column(
    values: pa.Array, zones: Zones, date_format: str | None = None, *, workbook: bool = False
) -> Dates:
    """A column of days or moments.

    Parameters
    ----------
    values
        Text, timestamps, dates or numbers (Excel serials, ``20250131``).
    zones
        Times with a zone are converted; times without are moved only if the source's zone
        differs from the target's. Where clocks go back, the second reading counts, in standard
        time; where they go forward, the next moment that exists.
    date_format
        A strptime format; when given, no other text is accepted.
    workbook
        Whether the text comes from a workbook, whose dates are day counts anyway.
    """
    kind = values.type
    if pa.types.is_timestamp(kind):
        return Dates(_stamps(values, zones), pa.nulls(len(values), pa.string()))
    if pa.types.is_date(kind):
        return Dates(values.cast(STAMP), pa.nulls(len(values), pa.string()))
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        values = values.cast(pa.float64())
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)
    text = pc.utf8_trim_whitespace(values.cast(pa.string()))
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    if date_format is not None:
        return _stated(text, zones, date_format)
    if (plain := _iso(text, zones)) is not None:
        return Dates(plain, pa.nulls(len(text), pa.string()))
    encoded = text.dictionary_encode()
    moments, reasons, counted = _words(encoded.dictionary, zones)
    data, rules, serial = (c.take(encoded.indices) for c in (moments, reasons, counted))
    if not (workbook or pa.types.is_floating(kind) or pa.types.is_integer(kind)):
        data, rules, serial = _one_way(data, rules, serial)
    ambiguous = pc.fill_null(pc.equal(rules, "ambiguous_date"), False)
    return Dates(data, rules, _count(serial), _swapped(text, data, ambiguous))


def form(values: pa.Array, found: Dates, zones: Zones) -> str | None:
    """How `parse_column` read all cells of a column together; None where each speaks for itself."""
    kind = values.type
    if pa.types.is_timestamp(kind):
        if kind.tz is not None or not zones.shift or values.null_count == len(values):
            return None
        stamps = values.cast(STAMP, safe=False)
        days = pc.equal(stamps, pc.floor_temporal(stamps, unit="day"))
        return "days" if _all(days) else "times"
    if not pa.types.is_string(kind):
        return None
    # day counts beside days, and days that may be either: the column decides as a whole
    doubtful = pc.any(pc.is_in(found.rules, value_set=pa.array(_BY_COLUMN))).as_py()
    return TOGETHER if doubtful or found.serials or found.swapped else None


def holds(values: pa.Array, days: Collection[date]) -> pa.Array:
    """Which moments lie on one of the days."""
    stamps = pa.array([datetime(d.year, d.month, d.day) for d in sorted(days)], STAMP)  # noqa: DTZ001
    found: pa.Array = pc.is_in(pc.floor_temporal(values, unit="day"), value_set=stamps)
    return found


def _words(words: pa.Array, zones: Zones) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Distinct cells as moments, with rules and which of them are day counts."""
    moments = _year_first(words, zones)
    rest = pc.and_(pc.is_valid(words), pc.is_null(moments))
    rules, counted = pa.nulls(len(words), pa.string()), _no(len(words))
    if not pc.any(rest).as_py():
        return moments, rules, counted
    plain = texts.plain(words.filter(rest))
    plain = pc.if_else(pc.equal(plain, ""), pa.scalar(None, pa.string()), plain)
    serials = _from_serials(plain)
    found = [_year_first(plain, zones), _zoned(plain, zones), serials]
    found += [_year_first(_spaced(plain, p), zones) for p in (_COMPACT, _COMPACT_TIME)]
    late = pc.coalesce(*found)
    none = pc.and_(pc.is_valid(plain), pc.is_null(late))
    if pc.any(none).as_py():
        spoken = pa.array([_spoken(word) for word in plain.filter(none).to_pylist()], pa.string())
        read = pc.coalesce(_year_first(spoken, zones), _zoned(spoken, zones))
        late = pc.replace_with_mask(late, none, read)
        none = pc.and_(pc.is_valid(plain), pc.is_null(late))
    why = pc.if_else(none, "unreadable_date", pa.scalar(None, pa.string()))
    for pattern, rule in ((_DAY_OR_MONTH_FIRST, "ambiguous_date"), (_NO_DAY, "no_day")):
        why = pc.if_else(pc.and_(pc.match_substring_regex(plain, pattern), none), rule, why)
    return (
        pc.replace_with_mask(moments, rest, late),
        pc.replace_with_mask(rules, rest, why),
        pc.replace_with_mask(counted, rest, pc.is_valid(serials)),
    )


def _spaced(words: pa.Array, pattern: str) -> pa.Array:
    """ISO for days without separators; null for everything else."""
    hit = pc.fill_null(pc.match_substring_regex(words, pattern), False)
    kept = pc.if_else(hit, words, pa.scalar(None, pa.string()))
    iso = r"\1-\2-\3" if pattern == _COMPACT else r"\1-\2-\3 \4:\5:\6"
    return pc.replace_substring_regex(kept, pattern=pattern, replacement=iso)


def _year_first(words: pa.Array, zones: Zones) -> pa.Array:
    """Days and times in the zone of the run; null where it is another form, or no real day."""
    hit = pc.fill_null(pc.match_substring_regex(words, _YEAR_FIRST), False)
    if not pc.any(hit).as_py():
        return pa.nulls(len(words), STAMP)
    kept = words.filter(hit)
    if (plain := _iso(kept, zones)) is not None:
        return pc.replace_with_mask(pa.nulls(len(words), STAMP), hit, plain)
    parts = [_moments(kept.slice(at, _AT_ONCE)) for at in range(0, len(kept), _AT_ONCE)]
    moments = pa.concat_arrays([moment for moment, _ in parts])
    if zones.shift:
        moments = _moved(moments, pa.concat_arrays([timed for _, timed in parts]), zones)
    return pc.replace_with_mask(pa.nulls(len(words), STAMP), hit, moments)


def _iso(words: pa.Array, zones: Zones) -> pa.Array | None:
    """Cells as Arrow reads them, if they all are complete ISO and real days: most files' are."""
    if not _all(pc.match_substring_regex(words, _ISO)):
        return None
    try:
        moments = words.cast(STAMP)
    except pa.ArrowInvalid:  # 30 February
        return None
    return _moved(moments, pc.greater(pc.utf8_length(words), 10), zones) if zones.shift else moments


def _moments(words: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Year-first cells as moments without zone, null where there is no such day or time.

    The digits of a cell are read group by group: year, month, day, hour, minute, second,
    fraction.
    """
    values, lengths, first, count = _groups(words)

    def group(place: int) -> np.ndarray:
        at = np.minimum(first + place, len(values) - 1)
        return np.where(count > place, values[at], 0)

    year, month, day, hour, minute, second = (group(place) for place in range(6))
    digits = np.where(count > 6, lengths[np.minimum(first + 6, len(values) - 1)], 6)
    micro = group(6) * _TENS[6 - digits]
    months = (year - 1970).astype("M8[Y]").astype("M8[M]") + (month - 1).astype("m8[M]")
    days = months.astype("M8[D]") + (day - 1).astype("m8[D]")
    real = (year > 0) & (month >= 1) & (month <= 12) & (day >= 1)
    real &= (days.astype("M8[M]") == months) & (hour < 24) & (minute < 60) & (second < 60)
    clock = ((hour * 60 + minute) * 60 + second) * 1_000_000 + micro
    moments = days.astype("M8[us]") + clock.astype("m8[us]")
    return pa.array(moments, STAMP, mask=~real), pa.array(count > 3)


def _groups(words: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The groups of digits in a row: values and lengths; of each cell the first, and how many."""
    joined = pa.concat_arrays([words])
    offsets = np.frombuffer(joined.buffers()[1], np.int32)[joined.offset :][: len(words) + 1]
    data = np.frombuffer(joined.buffers()[2], np.uint8)[offsets[0] : offsets[-1]]
    begins = offsets[:-1] - offsets[0]
    digit = (data >= ord("0")) & (data <= ord("9"))
    starts = digit.copy()
    starts[1:] &= ~digit[:-1]
    starts[begins] = True  # two cells stand side by side
    at = np.flatnonzero(digit)
    group = np.cumsum(starts)[at] - 1
    places = np.flatnonzero(starts)
    lengths = np.bincount(group)
    weights = _TENS[lengths[group] - 1 - (at - places[group])]
    values = np.bincount(group, (data[at] - ord("0")) * weights).astype(np.int64)
    first = np.searchsorted(places, begins)
    return values, lengths, first, np.diff(np.append(first, len(places)))


def _zoned(words: pa.Array, zones: Zones) -> pa.Array:
    """Moments that state how far their clock is from UTC."""
    fields = pc.extract_regex(words, pattern=_ZONED)
    if fields.null_count == len(fields):
        return pa.nulls(len(words), STAMP)
    local = _year_first(fields.field(0), Zones("UTC", "UTC"))
    encoded = fields.field(1).dictionary_encode()
    ahead = [_seconds(offset) for offset in encoded.dictionary.to_pylist()]
    shift = pa.array(ahead, pa.duration("s")).take(encoded.indices)
    utc = pc.subtract(local, shift).cast(pa.timestamp("us", "UTC"))
    return _stamps(utc, zones)


def _seconds(offset: str) -> int | None:
    """How far a clock is ahead of UTC; None beyond any zone there is."""
    if offset in ("Z", ""):
        return 0
    hours, minutes = int(offset[1:3]), int(offset[-2:])
    if hours > 14 or minutes > 59:
        return None
    return (-1 if offset[0] == "-" else 1) * (hours * 3600 + minutes * 60)


def _from_serials(words: pa.Array) -> pa.Array:
    """Excel's day count (1900 system): whole days and a fraction of a day, to the second."""
    hit = pc.fill_null(pc.match_substring_regex(words, _SERIAL), False)
    serial = pc.if_else(hit, words, pa.scalar(None, pa.string())).cast(pa.float64())
    hit = pc.and_(pc.greater_equal(serial, SERIALS[0]), pc.less_equal(serial, SERIALS[1]))
    seconds = pc.round(pc.multiply(pc.if_else(hit, serial, pa.scalar(None, pa.float64())), 86400))
    epoch = pa.scalar(datetime(1899, 12, 30), STAMP)  # noqa: DTZ001 - no zone
    return pc.add(seconds.cast(pa.int64()).cast(pa.duration("s")), epoch).cast(STAMP)


def _spoken(word: str) -> str | None:
    """ISO for 上午 and 下午, 时 and 分, and days in Chinese numerals."""
    written = _CHINESE.match(word)
    if written:
        year = "".join(str(_NUMERALS[c]) for c in written[1])
        month, day = _numeral(written[2]), _numeral(written[3])
        return f"{year}-{month:02d}-{day:02d}" if month and day else None
    found = _SPOKEN.match(word)
    if found is None:
        return None
    year, _, m1, d1, m2, d2, before, hour, minute, second, fraction, behind, offset = found.groups()
    halves = [h.upper() for h in (before, behind) if h]
    hours = int(hour)
    if len(halves) > 1 or (halves and hours > 12):
        return None
    if halves:
        hours = hours % 12 + (12 if halves[0] in ("下午", "PM") else 0)
    clock = f"{hours}:{minute}:{second or 0}" + (f".{fraction[:6]}" if fraction else "")
    return f"{year}-{m1 or m2}-{d1 or d2} {clock}{(offset or '').upper()}"


def _numeral(word: str) -> int:
    """1 to 99 in Chinese; 0 where it is none."""
    tens, ten, ones = word.rpartition("十")
    if len(tens) > 1 or len(ones) > 1:
        return 0
    return (_NUMERALS[tens] if tens else bool(ten)) * 10 + (_NUMERALS[ones] if ones else 0)


def _stated(text: pa.Array, zones: Zones, date_format: str) -> Dates:
    """A column in the one format that the settings state."""
    encoded = text.dictionary_encode()
    timed = any(mark in date_format for mark in ("%H", "%I", "%X", "%c", "%T"))
    found = [_strptime(w, date_format) for w in texts.plain(encoded.dictionary).to_pylist()]
    if "%z" in date_format:
        utc = [m and m.replace(tzinfo=m.tzinfo or UTC) for m in found]
        moments = _stamps(pa.array(utc, pa.timestamp("us", "UTC")), zones)
    else:
        moments = pa.array(found, STAMP)
        if timed and zones.shift:
            moments = _moved(moments, pc.is_valid(moments), zones)
    data = moments.take(encoded.indices)
    bad = pc.and_(pc.is_valid(text), pc.is_null(data))
    rules = pc.if_else(bad, "unreadable_date", pa.scalar(None, pa.string()))
    return Dates(data, rules)


def _strptime(word: str, date_format: str) -> datetime | None:
    try:
        return datetime.strptime(word, date_format)  # noqa: DTZ007 - the zone follows
    except (ValueError, OverflowError):
        return None


def _one_way(
    data: pa.Array, rules: pa.Array, serial: pa.Array
) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Day counts and dates in one text column: the rarer are refused, in doubt the counts."""
    counts = _count(serial)
    dates = _count(pc.is_valid(data)) - counts
    if not counts or not dates:
        return data, rules, serial
    wrong = serial if counts <= dates else pc.and_not(pc.is_valid(data), serial)
    data = pc.if_else(wrong, pa.scalar(None, STAMP), data)
    rules = pc.if_else(wrong, "other_date_format", rules)
    return data, rules, pc.and_not(serial, wrong)


def _swapped(text: pa.Array, data: pa.Array, ambiguous: pa.Array) -> bool:
    """Dates none of which is after the 12th, beside others that begin with the day or month."""
    if _count(ambiguous) <= (1 - _MOSTLY) * _count(pc.is_valid(text)):
        return False
    latest = pc.max(pc.day(data)).as_py()
    return latest is not None and latest <= 12


def _stamps(values: pa.Array, zones: Zones) -> pa.Array:
    """Timestamps with or without zone as naive ones in the target zone."""
    plain = values.cast(pa.timestamp("us", values.type.tz), safe=False)
    if values.type.tz is None:
        timed = zones.shift and _count(pc.not_equal(plain, pc.floor_temporal(plain, unit="day")))
        return _moved(plain, pc.is_valid(plain), zones) if timed else plain
    moved = pd.Series(pd.DatetimeIndex(plain.to_pandas())).dt.tz_convert(zones.target)
    return pa.Array.from_pandas(moved.dt.tz_localize(None)).cast(STAMP, safe=False)


def _moved(values: pa.Array, which: pa.Array, zones: Zones) -> pa.Array:
    """Naive times of the source's zone in the target's."""
    series = pd.Series(pd.DatetimeIndex(values.to_pandas()))
    aware = series.dt.tz_localize(
        zones.source, ambiguous=np.zeros(len(series), dtype=bool), nonexistent="shift_forward"
    )
    moved = pa.Array.from_pandas(aware.dt.tz_convert(zones.target).dt.tz_localize(None))
    return pc.if_else(pc.fill_null(which, False), moved.cast(STAMP, safe=False), values)


def _all(mask: pa.Array) -> bool:
    return bool(pc.all(mask).as_py())


def _no(size: int) -> pa.Array:
    return pa.repeat(pa.scalar(False), size)


def _count(mask: pa.Array) -> int:
    return int(pc.sum(mask).as_py() or 0)
