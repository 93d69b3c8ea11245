"""Every table of a record in one workbook: a list of contents, the tables, the data dictionary.

Headers are the tables' own column names, so that a formula or a pivot built on one period's
workbook also fits the next. Text from data is always text: never a formula, never a link.
The same tables give the same bytes.
"""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import pyarrow as pa
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from analysis import wording
from analysis.tables import ARROW_TYPES, RECORD, Column, Table

MOST_ROWS = 50_000  # rows of one sheet; beyond it a workbook opens slowly and is no help
EPOCH = (1980, 1, 1, 0, 0, 0)
_LONGEST_NAME = 31  # of a sheet, set by Excel
_LONGEST_TEXT = 32_767  # of a cell, likewise
_EXACT = 10**15  # beyond it a number in a cell loses its last digits
_FIRST_DAY = datetime(1900, 3, 1)  # noqa: DTZ001 - before it Excel's calendar is a day off
_WIDEST, _NARROWEST, _LOOKED_AT = 48, 9, 200

_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_NO_SHEET_NAME = re.compile(r"[\[\]:*?/\\']")

_SHOWN = {
    "money": "#,##0.00",
    "share": "0.0%",
    "date": "yyyy-mm-dd",
    "timestamp": "yyyy-mm-dd hh:mm",
    "integer": "#,##0",
    "string": "@",
    "json": "@",
}
_BY_UNIT = {"currency": "money", "share": "share"}  # of a number

Write = Callable[[int, int, Any], object]


def render_workbook(tables: Mapping[str, pa.Table]) -> bytes:
    """Write tables into one workbook.

    Parameters
    ----------
    tables
        Tables by name; those of `analysis.tables.RECORD` come first, in its order, then a
        company's own by name.

    Returns
    -------
    bytes
        An ``.xlsx`` file. A table of more than `MOST_ROWS` rows has no sheet: the contents say
        which file holds it and how many rows it has.
    """
    order = [name for name in RECORD if name in tables]
    order += sorted(set(tables) - set(order))
    content = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(content, options) as book:
        book.set_properties({"created": datetime(*EPOCH)})  # noqa: DTZ001
        sheets = _Sheets(book)
        listed = sheets.add(_both("contents"))
        places = {
            name: sheets.add(name) if len(tables[name]) <= MOST_ROWS else None for name in order
        }
        _contents(sheets, listed, [(name, tables[name], places[name]) for name in order])
        for name in order:
            place = places[name]
            if place is not None:
                sheets.fill(place, _contract(name, tables[name]), tables[name])
        contracts = [_contract(name, tables[name]) for name in order]
        _dictionary(sheets, sheets.add(_both("dictionary")), contracts)
    return pack(content)


def plain(text: str) -> str:
    """Text as a cell can hold it: no control characters, one kind of line end, not too long."""
    clean = text
    if not text.isprintable():  # few are not, and this asks in no time
        clean = _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return clean if len(clean) <= _LONGEST_TEXT else clean[: _LONGEST_TEXT - 1] + "…"


@dataclass
class _Sheets:
    """The sheets of one workbook: their names, their formats."""

    book: xlsxwriter.Workbook

    def __post_init__(self) -> None:
        shown = {kind: {"num_format": form} for kind, form in _SHOWN.items()}
        self.formats = {kind: self.book.add_format(form) for kind, form in shown.items()}
        self.head = self.book.add_format({"bold": True, "bg_color": "#E3E9EF", "bottom": 1})
        self._taken: set[str] = set()

    def add(self, name: str) -> Worksheet:
        """A new sheet, under a name that Excel accepts and no other sheet has."""
        base = _NO_SHEET_NAME.sub("_", plain(name))[:_LONGEST_NAME] or "_"
        found, number = base, 1
        while found.lower() in self._taken:
            number += 1
            end = f"~{number}"
            found = base[: _LONGEST_NAME - len(end)] + end
        self._taken.add(found.lower())
        return self.book.add_worksheet(found)

    def fill(self, sheet: Worksheet, contract: Table, table: pa.Table) -> None:
        """A table's headers and rows, each column in its own type."""
        columns = [contract.column(name) for name in table.column_names]
        self.header(sheet, contract.names, len(table))
        for at, column in enumerate(columns):
            values = table.column(column.name)
            form = self.formats.get(_kind(column))
            sheet.set_column(at, at, _width(column, values.slice(0, _LOOKED_AT)), form)
            write = _writer(sheet, column, form)
            for row, value in enumerate(_values(values), start=1):
                if value is not None:
                    write(row, at, value)

    def header(self, sheet: Worksheet, names: Sequence[str], rows: int) -> None:
        """The first row: it stays in sight and filters the rows below."""
        sheet.freeze_panes(1, 0)
        for at, name in enumerate(names):
            sheet.write_string(0, at, plain(name), self.head)
        if names:
            sheet.autofilter(0, 0, rows, len(names) - 1)


def _contract(name: str, table: pa.Table) -> Table:
    """What is known of a table's columns; a company's own table says it by its types."""
    if name in RECORD and RECORD[name].names == table.column_names:
        return RECORD[name]
    kinds = {kind: word for word, kind in reversed(ARROW_TYPES.items())}
    columns = (Column(f.name, kinds.get(f.type, "string"), "") for f in table.schema)
    return Table(name, "", (), tuple(columns))


def _kind(column: Column) -> str:
    return _BY_UNIT.get(column.unit, column.type) if column.type == "number" else column.type


def _values(values: pa.ChunkedArray) -> Iterator[Any]:
    if pa.types.is_decimal(values.type):
        values = values.cast(pa.float64())
    for chunk in values.chunks:
        yield from chunk.to_pylist()


def _writer(sheet: Worksheet, column: Column, form: Format | None) -> Write:
    """What puts a value of this column into a cell."""

    def text(row: int, at: int, value: Any) -> None:
        clean = plain(str(value))
        if clean:
            sheet.write_string(row, at, clean, form)

    def number(row: int, at: int, value: Any) -> None:
        if value != value:  # noqa: PLR0124 - not a number: the cell stays empty
            return
        if abs(value) < _EXACT:
            sheet.write_number(row, at, value, form)
        else:
            text(row, at, value)

    def day(row: int, at: int, value: datetime) -> None:
        if value >= _FIRST_DAY:
            sheet.write_datetime(row, at, value, form)
        else:
            text(row, at, value.isoformat(" "))

    if column.type in ("date", "timestamp"):
        return day
    if column.type in ("integer", "number", "money", "share"):
        return number
    if column.type == "boolean":
        return lambda row, at, value: sheet.write_boolean(row, at, value, form)
    return text


def _width(column: Column, values: pa.ChunkedArray) -> int:
    """Wide enough for the header and what the first rows show."""
    shown = _SHOWN.get(_kind(column), "")
    widest = max(len(shown) if column.type in ("date", "timestamp") else 0, len(column.name) + 3)
    if column.type in ("string", "json"):
        widest = max((_cells(v) for v in values.to_pylist() if v), default=0) + 2
        widest = max(widest, len(column.name) + 3)
    elif _kind(column) == "money":
        widest = max(widest, 16)
    return min(max(widest, _NARROWEST), _WIDEST)


def _cells(text: str) -> int:
    """Room a text takes: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in islice(text, _WIDEST))


def _both(key: str) -> str:
    """A text of the catalogues in both languages."""
    return " ".join(wording.text(f"workbook.{key}", lang) for lang in wording.LANGUAGES)


def _word(key: str, lang: wording.Language) -> str:
    """A text of the catalogues; empty for what only the company knows."""
    return wording.text(f"workbook.{key}", lang) if wording.has(f"workbook.{key}") else ""


def _heads(heads: Sequence[str]) -> list[str]:
    """Headers in both languages, or, written ``name.zh``, in one of them."""
    return [
        wording.text(f"workbook.head.{key}", "zh" if lang == "zh" else "en")
        if lang
        else _both(f"head.{key}")
        for key, _, lang in (head.partition(".") for head in heads)
    ]


def _contents(
    sheets: _Sheets, sheet: Worksheet, found: Sequence[tuple[str, pa.Table, Worksheet | None]]
) -> None:
    """The first sheet: every table, what one row is, and where it stands."""
    heads = ("table", "name.zh", "grain.zh", "name.en", "grain.en", "rows", "columns", "place")
    sheets.header(sheet, _heads(heads), len(found))
    for at, width in enumerate((20, 18, 40, 26, 44, 12, 12, 50)):
        sheet.set_column(at, at, width)
    count = sheets.formats["integer"]
    for row, (name, table, place) in enumerate(found, start=1):
        texts = [
            _word(f"{k}.{name}", lang) for lang in wording.LANGUAGES for k in ("table", "grain")
        ]
        for at, text in enumerate((name, *texts)):
            sheet.write_string(row, at, plain(text))
        sheet.write_number(row, 5, len(table), count)
        sheet.write_number(row, 6, table.num_columns, count)
        sheet.write_string(row, 7, _place(name, table, place))


def _place(name: str, table: pa.Table, sheet: Worksheet | None) -> str:
    if sheet is not None:
        return str(sheet.get_name())
    args = {"file": f"tables/{plain(name)}.parquet", "rows": f"{len(table):,}"}
    return " ".join(wording.text("workbook.in_file", lang, **args) for lang in wording.LANGUAGES)


def _dictionary(sheets: _Sheets, sheet: Worksheet, contracts: Sequence[Table]) -> None:
    """The last sheet: every column with its type, unit and meaning."""
    heads = ("table", "column", "name.zh", "name.en", "type", "unit", "key", "required")
    rows = [(table, column) for table in contracts for column in table.columns]
    sheets.header(sheet, _heads([*heads, "meaning.en"]), len(rows))
    for at, width in enumerate((20, 26, 26, 34, 12, 12, 10, 14, 70)):
        sheet.set_column(at, at, width)
    yes = _both("yes")
    for row, (table, column) in enumerate(rows, start=1):
        texts = (
            table.name,
            column.name,
            *(column_name(table.name, column.name, lang) for lang in wording.LANGUAGES),
            column.type,
            column.unit,
            yes if column.name in table.key else "",
            yes if column.required else "",
            column.meaning,
        )
        for at, text in enumerate(texts):
            if text:
                sheet.write_string(row, at, plain(text))


def column_name(table: str, column: str, lang: wording.Language) -> str:
    """What people call a column; the same key can mean different things in two tables."""
    own = _word(f"column_of.{table}.{column}", lang)
    return own or _word(f"column.{column}", lang)


def pack(content: io.BytesIO) -> bytes:
    """The same members in sorted order, all of one day and one system."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(content) as made,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in sorted(made.namelist()):
            member = zipfile.ZipInfo(name, EPOCH)
            member.create_system = 0
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, made.read(name))
    return packed.getvalue()
