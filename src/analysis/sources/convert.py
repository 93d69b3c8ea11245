"""From a column as the file has it to a canonical column, with a mask of what was unreadable."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from analysis.errors import Problem
from analysis.sources import dates, missing, numbers, periods, texts
from analysis.sources.dates import Zones
from analysis.sources.grid import Grid, Note, count
from analysis.sources.mapping import Origin
from analysis.tables import ARROW_TYPES, Column

_KEYS = ("customer_id", "key", "credit_code", "predecessor", "system", "account")
_SCIENTIFIC = r"^[0-9](\.[0-9]+)?[eE]\+[0-9]+$"
_FLOAT_ID = r"^[0-9]+\.0$"
_TRUE = ("true", "yes", "y", "t", "1", "1.0", "是", "√", "有", "已完成", "完成")
_FALSE = ("false", "no", "n", "f", "0", "0.0", "否", "×", "无", "未完成")
_MONTHS, _PERIODS = {("controls", "month")}, {("targets", "period")}
# What people write behind a number of the column's own unit, and how many of it that is.
_WORDS: dict[str, tuple[tuple[str, int], ...]] = {
    "points": (("分", 1), ("星", 1)),
    "people": (("人", 1), ("名", 1)),
    "times": (("次", 1),),
    "visits": (("次", 1),),
    "seats": (("席", 1), ("个", 1), ("人", 1)),
    "minutes": (("分钟", 1), ("min", 1), ("小时", 60), ("h", 60)),
}
_NOISE = 5e-6  # what binary fractions are off by stays below half a unit of the fifth decimal


@dataclass(frozen=True)
class Context:
    """What a conversion needs to know of the run and the source.

    Attributes
    ----------
    decimal
        The decimal mark of the source's numbers.
    no_days
        Days that systems write where there is none.
    """

    file: str
    table: str
    zones: Zones
    currency: str
    decimal: str = "."
    no_days: frozenset[date] = frozenset()


@dataclass(frozen=True)
class Converted:
    """A canonical column of one file.

    Attributes
    ----------
    data
        The values.
    rules
        Why a cell could not be read; null where it could, or is empty.
    exact
        Numbers at ten decimal places, for products.
    form
        How the column was read, where that depends on all its cells together: blocks of a file
        have to agree in it, and none may be `dates.TOGETHER`.
    """

    data: pa.Array
    rules: pa.Array
    exact: pa.Array | None = None
    notes: tuple[Note, ...] = ()
    problems: tuple[Problem, ...] = ()
    form: str | None = None

    @property
    def bad(self) -> pa.Array:
        """Cells that could not be read."""
        return pc.is_valid(self.rules)


def is_key(column: Column) -> bool:
    """Whether a column identifies something: always text, compared in one form."""
    return column.type == "string" and (column.name.endswith("_id") or column.name in _KEYS)


def convert(origin: Origin, grid: Grid, offset: int, context: Context) -> Converted:
    """One canonical column.

    Parameters
    ----------
    origin
        Where it comes from.
    grid
        The file.
    offset
        Records of the table's earlier files, so that numbered rows go on counting.
    context
        Names for messages, zones, currency.
    """
    size = len(grid.rows)
    if origin.wanted.row_number:
        values = pc.add(grid.order, offset + 1).cast(pa.string())
        return Converted(values, _read(size))
    if origin.wanted.value is not None:
        raw: pa.Array = pa.repeat(pa.scalar(origin.wanted.value, pa.string()), size)
        return _typed(raw, origin, grid, context)
    raw, unknown = missing.drop(grid.columns[origin.index or 0], origin.wanted.missing)
    found = _typed(raw, origin, grid, context)
    if not unknown:
        return found
    note = ("note.missing_codes", {"header": origin.header, "rows": count(unknown)})
    return replace(found, notes=(note, *found.notes))


def _typed(raw: pa.Array, origin: Origin, grid: Grid, context: Context) -> Converted:
    column = origin.wanted.column
    if pa.types.is_null(raw.type):
        raw = raw.cast(pa.string())
    if origin.wanted.words:
        raw = _translate(_plain_text(raw)[0], origin)
    place = (context.table, column.name)
    if place in _MONTHS | _PERIODS:
        return _named(raw, month=place in _MONTHS)
    if column.type in ("string", "json"):
        return _string(raw, origin, grid, context)
    if column.type == "boolean":
        return _boolean(raw)
    if column.type in ("date", "timestamp"):
        return _moment(raw, origin, grid, context)
    return _number(raw, origin, context)


def _read(size: int) -> pa.Array:
    """No rule for any cell."""
    return pa.nulls(size, pa.string())


def _ruled(bad: pa.Array, rule: str) -> pa.Array:
    return pc.if_else(bad, pa.scalar(rule), pa.scalar(None, pa.string()))


def _named(raw: pa.Array, *, month: bool) -> Converted:
    dated = pa.types.is_timestamp(raw.type) or pa.types.is_date(raw.type)
    given = raw if dated else _plain_text(raw)[0]
    values, bad = periods.months(given) if month else periods.periods(given)
    return Converted(values, _ruled(bad, "unreadable_month" if month else "unreadable_period"))


def _plain_text(raw: pa.Array) -> tuple[pa.Array, int]:
    """Any type as text, and how many numbers are too long for it to be exact.

    Whole numbers stand without their ``.0``; missing stays missing.
    """
    if pa.types.is_decimal(raw.type) and raw.type.scale > 0:
        whole = pc.round(raw)
        if pc.all(pc.equal(raw, whole)).as_py() is not False:
            return whole.cast(pa.decimal256(76, 0)).cast(pa.string()), 0
    if pa.types.is_floating(raw.type):
        exact = 2.0**24 if raw.type == pa.float32() else 2.0**53
        raw = pc.if_else(pc.is_finite(raw), raw, pa.scalar(None, raw.type))
        if pc.all(pc.equal(raw, pc.round(raw))).as_py() is not False:
            large = pc.sum(pc.greater_equal(pc.abs(raw), exact)).as_py() or 0
            return raw.cast(pa.int64(), safe=False).cast(pa.string()), int(large)
    if pa.types.is_boolean(raw.type):
        return pc.if_else(raw, "true", "false"), 0
    return raw.cast(pa.string()), 0


def _plain_form(raw: pa.Array) -> str | None:
    """Whether numbers that become text are whole ones all of them; None without any."""
    scaled = pa.types.is_decimal(raw.type) and raw.type.scale > 0
    if not (scaled or pa.types.is_floating(raw.type)):
        return None
    finite = raw if scaled else pc.if_else(pc.is_finite(raw), raw, pa.scalar(None, raw.type))
    whole = pc.all(pc.equal(finite, pc.round(finite)), min_count=1).as_py()
    return None if whole is None else "whole" if whole else "fractions"


def _translate(values: pa.Array, origin: Origin) -> pa.Array:
    words = {texts.header(k): v for k, v in origin.wanted.words.items()}
    encoded = values.dictionary_encode()
    mapped = [words.get(texts.header(w), w) for w in encoded.dictionary.to_pylist()]
    return pa.array(mapped, pa.string()).take(encoded.indices)


def _string(raw: pa.Array, origin: Origin, grid: Grid, context: Context) -> Converted:
    column = origin.wanted.column
    text, lost = _plain_text(raw)
    text = texts.column(text, key=is_key(column))
    notes: list[Note] = []
    problems: list[Problem] = []
    form = _plain_form(raw)
    if grid.format in ("xlsx", "xls"):
        text, wrong = texts.drop_cell_errors(text)
        if wrong:
            notes.append(("note.cell_errors", {"header": origin.header, "rows": count(wrong)}))
    if is_key(column) and origin.index is not None:
        place = {"column": f"{context.table}.{column.name}", "header": origin.header}
        mangled = _count(_scientific(text))
        if mangled:
            args = {**place, "rows": str(mangled)}
            problems.append(Problem("sources.scientific_key", args, context.file))
        if lost or origin.index in grid.lossy:
            problems.append(Problem("sources.imprecise_key", place, context.file))
        if grid.format == "csv":
            floats = pc.all(pc.match_substring_regex(text, _FLOAT_ID), min_count=1).as_py()
            form = None if floats is None else "floats" if floats else "text"
            text, note = _without_point(text, origin)
            notes += note
    elif column.name == "product" and (mangled := _count(_scientific(text))):
        notes.append(("note.scientific", {"header": origin.header, "rows": count(mangled)}))
    return Converted(
        text, _read(len(text)), notes=tuple(notes), problems=tuple(problems), form=form
    )


def _scientific(text: pa.Array) -> pa.Array:
    return pc.match_substring_regex(text, _SCIENTIFIC)


def _without_point(text: pa.Array, origin: Origin) -> tuple[pa.Array, list[Note]]:
    """Keys that a program wrote as numbers with a decimal: all of them, or it is only told."""
    floats = pc.match_substring_regex(text, _FLOAT_ID)
    if not pc.any(floats).as_py():
        return text, []
    if not pc.all(floats).as_py():
        args = {"header": origin.header, "rows": count(_count(floats))}
        return text, [("note.some_float_keys", args)]
    text = pc.replace_substring_regex(text, pattern=r"\.0$", replacement="")
    return text, [("note.float_keys", {"header": origin.header})]


def _boolean(raw: pa.Array) -> Converted:
    text = pc.utf8_lower(texts.column(_plain_text(raw)[0], key=True))
    yes = pc.is_in(text, value_set=pa.array(_TRUE))
    no = pc.is_in(text, value_set=pa.array(_FALSE))
    known = pc.or_(yes, no)
    values = pc.if_else(known, yes, pa.scalar(None, pa.bool_()))
    return Converted(values, _ruled(pc.and_not(pc.is_valid(text), known), "unreadable_value"))


def _moment(raw: pa.Array, origin: Origin, grid: Grid, context: Context) -> Converted:
    column = origin.wanted.column
    workbook = grid.format in ("xlsx", "xls")
    stated = origin.wanted.date_format if origin.index is not None else None
    own = origin.wanted.timezone
    zones = Zones(own, context.zones.target) if own else context.zones
    found = dates.parse_column(raw, zones, stated, workbook=workbook)
    values, rules = found.data, found.rules
    if column.type == "date":
        values = pc.floor_temporal(values, unit="day")
    if not column.required:  # a row that needs its day keeps it: cleaning tells what it is
        never = pc.fill_null(dates.holds(values, context.no_days), False)
        values = pc.if_else(never, pa.scalar(None, values.type), values)
        rules = pc.if_else(never, "no_day", rules)
    notes: tuple[Note, ...] = ()
    if found.serials:
        args = {"header": origin.header, "rows": count(found.serials)}
        notes = (("note.excel_serials", args),)
    problems: tuple[Problem, ...] = ()
    if found.swapped and workbook:
        place = {"column": f"{context.table}.{column.name}", "header": origin.header}
        problems = (Problem("sources.half_converted_dates", place, context.file),)
    form = dates.form(raw, found, zones)
    return Converted(values, rules, notes=notes, problems=problems, form=form)


def _number(raw: pa.Array, origin: Origin, context: Context) -> Converted:
    column = origin.wanted.column
    if pa.types.is_boolean(raw.type):
        counted = column.type in ("number", "integer")
        raw = raw.cast(pa.int64() if counted else pa.string())
    style = numbers.Style(
        origin.unit, context.currency, context.decimal, column.type == "share",
        _WORDS.get(column.unit, ()),
    )  # fmt: skip
    found = numbers.parse_column(raw, style)
    exact, rules = found.data, found.rules
    rounded = found.rounded
    if column.type == "money":
        values = numbers.money(exact)
        off = pc.abs(pc.subtract(exact.cast(pa.float64()), values.cast(pa.float64())))
        binary = pa.types.is_floating(raw.type)
        rounded += _count(
            pc.greater(off, _NOISE) if binary else pc.not_equal(exact, values.cast(numbers.EXACT))
        )
    elif column.type == "integer":
        whole = pc.equal(exact, pc.round(exact))
        rules = pc.if_else(pc.fill_null(pc.invert(whole), False), "not_whole", rules)
        values = pc.if_else(whole, exact, pa.scalar(None, exact.type)).cast(pa.int64())
    else:
        values = exact.cast(ARROW_TYPES[column.type])
    notes: list[Note] = []
    for key, rows in (("note.dashes", found.dashes), ("note.rounded", rounded)):
        if rows:
            notes.append((key, {"header": origin.header, "rows": count(rows)}))
    doubtful = pc.any(pc.equal(rules, "ambiguous_number")).as_py()
    return Converted(values, rules, exact, tuple(notes), form=dates.TOGETHER if doubtful else None)


def _count(mask: pa.Array) -> int:
    return int(pc.sum(mask).as_py() or 0)
