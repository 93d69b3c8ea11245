"""Rows 2.2 of the catalogue that concern text files alone: encodings, separators, broken lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from tests.corpus import writers
from tests.corpus.rows import EVERY, Row, fails, ok, rejects
from tests.corpus.sheet import COLUMNS, Line, Sheet, adding, base, odd, put, sound

_LINED = ("csv", "csv-bom", "csv-gb18030", "csv-utf16", "tsv")
_ENGLISH = ("order_id", "customer_id", "ordered_at", "amount", "person", "phone")
_BY_NAME = {"columns": {name: name for name in COLUMNS}}
_CODECS = {"csv-gb18030": "gb18030", "csv-utf16": "utf-16", "csv-bom": "utf-8-sig"}


def codec(form: str) -> str:
    """The encoding of a text format."""
    return _CODECS.get(form, "utf-8")


def _as(encoding: str, mark: bytes = b"") -> Callable[[Sheet, str], bytes]:
    return lambda sheet, form: mark + writers.delimited(sheet.rows).encode(encoding)


def _edited(edit: Callable[[str, str], str]) -> Callable[[Sheet, str], bytes]:
    """The file's text changed by `edit` (text, separator)."""

    def content(sheet: Sheet, form: str) -> bytes:
        separator = "\t" if form == "tsv" else ","
        return edit(writers.delimited(sheet.rows, separator), separator).encode(codec(form))

    return content


def _separated(separator: str) -> Callable[[Sheet, str], bytes]:
    return lambda sheet, form: writers.delimited(sheet.rows, separator).encode(codec(form))


def _cut_bytes(count: int) -> Callable[[Sheet, str], bytes]:
    return lambda sheet, form: writers.write(sheet, form)[:-count]


def _longer(cells: tuple[object, ...]) -> tuple[object, ...]:
    return (cells[0], "多出来的", *cells[1:])


def _misfit(at: int, fate: str) -> Sheet:
    sheet = base()
    line = sheet.lines[at]
    cells = _longer(line.cells) if fate == "long_row" else line.cells[:4]
    lines = list(sheet.lines)
    lines[at] = odd(cells, fate)
    return replace(sheet, lines=tuple(lines))


def _last(line: Line) -> Sheet:
    sheet = base()
    return replace(sheet, header=sheet.header[:4], lines=tuple(
        replace(one, cells=one.cells[:4]) for one in (*sheet.lines, line)))  # fmt: skip


def _plain(sheet: Sheet) -> Sheet:
    """The sheet with nothing but ASCII in its headers and its columns of persons."""
    lines = [replace(line, cells=(*line.cells[:4], "x", "y")) for line in sheet.lines]
    return replace(sheet, lines=tuple(lines), header=_ENGLISH)


_NUMBER_LAST = _last(replace(sound(9), money=Decimal("999.0")).having(3, "9990.55"))
_CHARACTER_LAST = replace(base(), lines=(*base().lines, sound(9).having(5, "卡号")))
_NARROW = _last(odd(sound(9).cells, "short_row"))
_ASCII_THEN_NAME = _plain(adding(base(20_000), sound(20_001, "张三")))
_RARE = put("customer", "𠮷䶮厂", "𠮷䶮厂")

TEXTS = [
    Row("2.2", "sound", base(), ok(), EVERY),
    Row("2.2", "rare characters", _RARE, ok(), EVERY),
    Row("2.2", "UTF-16, most significant byte first", base(), ok("encoding"), ["csv"],
        _as("utf-16-be", b"\xfe\xff")),
    Row("2.2", "GBK named in the settings is read as GB18030", _RARE, ok("encoding"), ["csv"],
        _as("gb18030"), source={"encoding": "gbk"}),
    Row("2.2", "Big5 named in the settings", _plain(put("customer", "聯華", "聯華")),
        ok("encoding"), ["csv"], _as("big5"), source={"encoding": "big5", **_BY_NAME}),
    Row("2.2", "20,000 lines of ASCII, then one name in GB18030", _ASCII_THEN_NAME,
        ok("encoding"), ["csv"], _as("gb18030"), source=_BY_NAME),
    Row("2.2", "Latin-1 is neither UTF-8 nor GB18030",
        replace(put("customer", "Café", "Café"), header=_ENGLISH), fails("undecodable"), ["csv"],
        lambda sheet, form: "order_id,customer_id,ordered_at,amount\nD1,Café,2025-01-03,5\n"
        .encode("latin-1"), source=_BY_NAME),
    Row("2.2", "UTF-16 without its mark", base(), fails("undecodable"), ["csv"],
        _as("utf-16-le")),
    Row("2.2", "an unknown encoding in the settings", base(),
        fails("undecodable", tried="klingon"), ["csv"], source={"encoding": "klingon"}),
    Row("2.2", "cut inside a character", _CHARACTER_LAST, fails("cut_character"),
        ["csv", "csv-bom", "csv-gb18030", "tsv"], _cut_bytes(2)),
    Row("2.2", "cut inside a character", _CHARACTER_LAST, fails("cut_character"),
        ["csv-utf16"], _cut_bytes(3)),
    Row("2.2", "cut inside the last number", _NUMBER_LAST, ok("no_line_end"), _LINED,
        _edited(lambda text, _: text[: text.rindex("9990.55")] + "999.0")),
    Row("2.2", "cut inside the last line", _NARROW, rejects("cut_file", short_row=1), _LINED,
        _edited(lambda text, sep: text[: text.rindex(sep)])),
    Row("2.2", "a separator too many behind every line", base(),
        ok("trailing_separators"), _LINED,
        _edited(lambda text, sep: text.replace("\n", f"{sep}\n").replace(f"{sep}\n", "\n", 1))),
    Row("2.2", "a separator too many behind every line and the header", base(), ok(), _LINED,
        _edited(lambda text, sep: text.replace("\n", f"{sep}\n"))),
    Row("2.2", "a field too many in the first line", _misfit(0, "long_row"),
        rejects(long_row=1), _LINED),
    Row("2.2", "a field too many in a later line", _misfit(4, "long_row"), rejects(long_row=1),
        _LINED),
    Row("2.2", "fields missing in a line", _misfit(3, "short_row"), rejects(short_row=1), _LINED),
    Row("2.2", "a quote that never closes", base(), fails("unclosed_quote", row="6"), _LINED,
        _edited(lambda text, sep: text.replace("D0005", '"D0005'))),
    Row("2.2", "a line break inside quotes", put("customer", "甲\n公司", "甲 公司"), ok(), _LINED),
    Row("2.2", "a separator and a quote inside quotes", put("customer", '甲,"乙"', '甲,"乙"'),
        ok(), (*_LINED, "csv-semicolon")),
    Row("2.2", "line ends of Windows", base(), ok(), _LINED,
        _edited(lambda text, _: text.replace("\n", "\r\n"))),
    Row("2.2", "line ends of old Macs", base(), ok(), _LINED,
        _edited(lambda text, _: text.replace("\n", "\r"))),
    Row("2.2", "columns apart by |", base(), ok(), ["csv", "csv-gb18030"], _separated("|")),
    Row("2.2", "columns apart by ；", base(), ok(), ["csv", "csv-gb18030"], _separated("；")),
    Row("2.2", "columns apart by an unknown sign", base(),
        fails("one_column", header="订单号"), ["csv", "csv-gb18030"], _separated("^")),
    Row("2.2", "the unknown sign named in the settings", base(), ok(), ["csv", "csv-gb18030"],
        _separated("^"), source={"separator": "^"}),
    Row("2.2", "a NUL byte in a number", put("customer", "C0\x0003", "C003"), ok("nul_bytes"),
        ["csv", "csv-gb18030", "tsv"]),
    Row("2.2", "not a text but random bytes", base(), fails("undecodable"), ["csv", "tsv"],
        lambda sheet, form: bytes(range(128, 256)) * 8),
]  # fmt: skip
