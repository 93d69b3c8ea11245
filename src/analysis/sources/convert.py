"""From a column as the file has it to a canonical column, with a mask of what was unreadable."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from analysis.errors import Problem
from analysis.sources import dates, missing, numbers, texts
from analysis.sources.dates import Zones
from analysis.sources.grid import Grid, Note, count
from analysis.sources.mapping import Origin
from analysis.tables import ARROW_TYPES, Column

_KEYS = ("customer_id", "key", "credit_code", "predecessor", "system", "account")
_SCIENTIFIC = r"^[0-9](\.[0-9]+)?[eE]\+[0-9]+$"
_FLOAT_ID = r"^[0-9]+\.0$"
_TRUE = ("true", "yes", "y", "t", "1", "是", "√", "有", "已完成", "完成")
_FALSE = ("false", "no", "n", "f", "0", "否", "×", "无", "未完成")


@dataclass(frozen=True)
class Context:
    """What a conversion needs to know of the run."""

    file: str
    table: str
    zones: Zones
    currency: str


@dataclass(frozen=True)
class Converted:
    """A canonical column of one file.

    `exact` holds numbers at ten decimal places, for products. `form` says how the column was
    read, where that depends on all its cells together; blocks of a file have to agree in it.
    """

    data: pa.Array
    bad: pa.Array
    exact: pa.Array | None = None
    ambiguous: int = 0
    notes: tuple[Note, ...] = ()
    problems: tuple[Problem, ...] = ()
    form: str | None = None


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
        return Converted(values, _none(size))
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
    if column.type in ("string", "json"):
        return _string(raw, origin, grid, context)
    if column.type == "boolean":
        return _boolean(raw)
    if column.type in ("date", "timestamp"):
        return _moment(raw, origin, context)
    return _number(raw, origin, context)


def _none(size: int) -> pa.Array:
    return pa.repeat(pa.scalar(False), size)


def _plain_text(raw: pa.Array) -> tuple[pa.Array, int]:
    """Any type as text: whole floats without their ``.0``; missing stays missing."""
    if pa.types.is_floating(raw.type):
        raw = pc.if_else(pc.is_finite(raw), raw, pa.scalar(None, raw.type))
        if pc.all(pc.equal(raw, pc.round(raw))).as_py() is not False:
            large = pc.sum(pc.greater_equal(pc.abs(raw), 2.0**53)).as_py() or 0
            return raw.cast(pa.int64(), safe=False).cast(pa.string()), int(large)
    if pa.types.is_boolean(raw.type):
        return pc.if_else(raw, "true", "false"), 0
    return raw.cast(pa.string()), 0


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
    form = dates.float_form(raw)
    if grid.format in ("xlsx", "xls"):
        text, wrong = texts.drop_cell_errors(text)
        if wrong:
            notes.append(("note.cell_errors", {"header": origin.header, "rows": count(wrong)}))
    if is_key(column) and origin.index is not None:
        place = {"column": f"{context.table}.{column.name}", "header": origin.header}
        mangled = _count(pc.match_substring_regex(text, _SCIENTIFIC))
        if mangled:
            args = {**place, "rows": str(mangled)}
            problems.append(Problem("sources.scientific_key", args, context.file))
        if lost or origin.index in grid.lossy:
            problems.append(Problem("sources.imprecise_key", place, context.file))
        if grid.format == "csv":
            floats = pc.match_substring_regex(text, _FLOAT_ID)
            form = {True: "floats", False: "text"}.get(pc.all(floats, min_count=1).as_py())
            if form == "floats":
                text = pc.replace_substring_regex(text, pattern=r"\.0$", replacement="")
                notes.append(("note.float_keys", {"header": origin.header}))
    return Converted(
        text, _none(len(text)), notes=tuple(notes), problems=tuple(problems), form=form
    )


def _boolean(raw: pa.Array) -> Converted:
    text = pc.utf8_lower(texts.column(_plain_text(raw)[0], key=True))
    yes = pc.is_in(text, value_set=pa.array(_TRUE))
    no = pc.is_in(text, value_set=pa.array(_FALSE))
    known = pc.or_(yes, no)
    values = pc.if_else(known, yes, pa.scalar(None, pa.bool_()))
    return Converted(values, pc.and_(pc.is_valid(text), pc.invert(known)))


def _moment(raw: pa.Array, origin: Origin, context: Context) -> Converted:
    found = dates.parse_column(raw, context.zones, origin.wanted.date_format)
    values = found.data
    if origin.wanted.column.type == "date":
        values = pc.floor_temporal(values, unit="day")
    notes: tuple[Note, ...] = ()
    if found.serials:
        args = {"header": origin.header, "rows": count(found.serials)}
        notes = (("note.excel_serials", args),)
    form = dates.form(raw, context.zones)
    return Converted(values, found.bad, ambiguous=found.ambiguous, notes=notes, form=form)


def _number(raw: pa.Array, origin: Origin, context: Context) -> Converted:
    column = origin.wanted.column
    if pa.types.is_boolean(raw.type):
        raw = raw.cast(pa.int64())
    exact, bad = numbers.parse_column(raw, origin.unit, context.currency)
    if column.type == "money":
        return Converted(numbers.money(exact), bad, exact)
    values = exact.cast(pa.float64())
    if column.type == "integer":
        whole = pc.fill_null(pc.equal(values, pc.round(values)), True)
        bad = pc.or_(bad, pc.invert(whole))
        values = pc.if_else(whole, values, pa.scalar(None, pa.float64()))
    return Converted(values.cast(ARROW_TYPES[column.type]), bad, exact)


def _count(mask: pa.Array) -> int:
    return int(pc.sum(mask).as_py() or 0)
