"""Rows 2.2 and 2.3 of the catalogue: files that are not what they seem, Excel, Parquet."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl import Workbook

from tests.corpus import old_excel, writers
from tests.corpus.rows import Row, fails, ok, rejects
from tests.corpus.sheet import COLUMNS, HEADER, Sheet, base, every, odd, put

_LOCKED = Path(__file__).parents[1] / "sources" / "files" / "locked.xlsx"
_BOTH = ("xlsx", "xls")


def _changed(change: Callable[[Workbook], None]) -> Callable[[Sheet, str], bytes]:
    return lambda sheet, form: writers.excel(sheet, change)


def _as(form: str) -> Callable[[Sheet, str], bytes]:
    return lambda sheet, _: writers.write(sheet, form)


def _cut(sheet: Sheet, form: str) -> bytes:
    whole = writers.write(sheet, form)
    return whole[: len(whole) // 2]


def _hidden_sheet(sheet: Sheet, form: str) -> bytes:
    other = [HEADER, *(line.cells for line in base(3).lines)]
    if form == "xls":
        return old_excel.workbook([("旧", other), ("明细", sheet.rows)], hidden=["旧"])

    def change(book: Workbook) -> None:
        page = book.create_sheet("旧", 0)
        for row in other:
            page.append([writers.excel_value(value) for value in row])
        page.sheet_state = "hidden"

    return writers.excel(sheet, change)


def _merged(sheet: Sheet, form: str) -> bytes:
    """Customer cells merged over two lines: the second is empty in the file."""
    if form == "xls":
        return old_excel.workbook([("Sheet1", sheet.rows)], merged=[(3, 5, 1, 1)])
    return writers.excel(sheet, lambda book: book.worksheets[0].merge_cells("B4:B6"))


def _formula(book: Workbook) -> None:
    book.worksheets[0]["D3"] = "=1+1"


def _far_cell(book: Workbook) -> None:
    book.worksheets[0].cell(1_048_000, 3).number_format = "0.00"


def _red(book: Workbook) -> None:
    for row in book.worksheets[0].iter_rows(min_row=2, min_col=4, max_col=4):
        row[0].number_format = "#,##0.00;[Red]#,##0.00"


def _bomb(sheet: Sheet, form: str) -> bytes:
    return _member(writers.excel(sheet), "xl/worksheets/sheet1.xml",
                   b"<worksheet><sheetData>" + b" " * (220 * 1024**2))  # fmt: skip


def _laughs(sheet: Sheet, form: str) -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    evil = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{entities}]>'
    inner = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>&l9;</t></is></c></row></sheetData></worksheet>'
    )
    return _member(writers.excel(sheet), "xl/worksheets/sheet1.xml", (evil + inner).encode())


def _member(package: bytes, name: str, content: bytes) -> bytes:
    """A package with another content of one member."""
    written = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(package)) as old,
        zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            new.writestr(info.filename, content if info.filename == name else old.read(info))
    return written.getvalue()


def _without(name: str) -> Callable[[Sheet, str], bytes]:
    def content(sheet: Sheet, form: str) -> bytes:
        written = io.BytesIO()
        with (
            zipfile.ZipFile(io.BytesIO(writers.excel(sheet))) as old,
            zipfile.ZipFile(written, "w") as new,
        ):
            for info in old.infolist():
                if info.filename != name:
                    new.writestr(info.filename, old.read(info))
        return written.getvalue()

    return content


def _beside(sheet: Sheet, form: str) -> bytes:
    rows = [(*row, None, "备注" if i == 4 else None) for i, row in enumerate(sheet.rows)]
    if form == "xls":
        return old_excel.workbook([("Sheet1", rows)])
    header, *lines = rows
    return writers.excel(Sheet(tuple(odd(cells, "") for cells in lines), header))


def _monthly(
    sheet: Sheet,
    form: str,
    more: Sequence[tuple[str, Sequence[Sequence[Any]]]] = (),
    above: Mapping[str, str] | None = None,
) -> bytes:
    """Four lines a sheet; `above`: what stands above the header of a sheet."""
    rows = [line.cells for line in sheet.lines]
    pages: list[tuple[str, Sequence[Sequence[Any]]]] = [
        (f"{1 + i // 4}月", [HEADER, *rows[i : i + 4]]) for i in range(0, len(rows), 4)
    ]
    told = above or {}
    pages = [(name, [[told[name]], *page] if name in told else page) for name, page in pages]
    pages += more
    if form == "xls":
        return old_excel.workbook(pages)

    def change(book: Workbook) -> None:
        book.remove(book.worksheets[0])
        for title, lines in pages:
            page = book.create_sheet(title)
            for line in lines:
                page.append([writers.excel_value(value) for value in line])

    return writers.excel(base(0), change)


def _two_rows(sheet: Sheet, form: str) -> bytes:
    """本币 and 原币 over two columns each."""
    if form == "xls":
        merged = [(0, 0, 3, 4), (0, 0, 5, 6), *((0, 1, i, i) for i in range(3))]
        return old_excel.workbook([("Sheet1", sheet.rows)], merged=merged)
    if form == "html":
        whole = writers.web_page(sheet.rows).decode()
        for word in ("本币", "原币"):
            whole = whole.replace(f"<td>{word}</td><td></td>", f'<td colspan="2">{word}</td>')
        return whole.encode()

    def change(book: Workbook) -> None:
        for cells in ("D1:E1", "F1:G1", "A1:A2", "B1:B2", "C1:C2"):
            book.worksheets[0].merge_cells(cells)

    return writers.excel(sheet, change)


def _wide(width: int) -> Sheet:
    """A sheet with so many columns."""
    more = tuple(f"字段{n}" for n in range(width - len(HEADER)))
    lines = [replace(one, cells=(*one.cells, *(1,) * len(more))) for one in base().lines]
    return Sheet(tuple(lines), (*HEADER, *more))


def _nested(sheet: Sheet, form: str) -> bytes:
    names = list(sheet.header)
    columns = [pa.array([[1]] if name == "金额" else ["x"]) for name in names]
    written = io.BytesIO()
    pq.write_table(pa.table(columns, names), written)
    return written.getvalue()


def _busy(sheet: Sheet, form: str) -> bytes:
    menu = "<table><tr><td>首页</td><td>退出</td></tr></table><script>if (1<2) {}</script>"
    return writers.web_page(sheet.rows).replace(b"<body>", f"<body>{menu}".encode())


def _page_cut(sheet: Sheet, form: str) -> bytes:
    whole = writers.web_page(base().rows)
    return whole[: whole.index(b"<td>D0005")]


_MERGED = replace(base(), lines=tuple(
    replace(line.having(1, None) if at in (3, 4) else line,
            customer=base().lines[2].customer if at in (3, 4) else line.customer)
    for at, line in enumerate(base().lines)))  # fmt: skip
_LEFT_OUT = replace(base(), hidden=frozenset({2, 5}), lines=tuple(
    replace(line, money=None, fate="hidden_row") if at in (2, 5) else line
    for at, line in enumerate(base().lines)))  # fmt: skip
_MONTHS = replace(base(12), page=4)
_LOCAL = {"columns": {**COLUMNS, "amount": "本币金额"}}
_TWO = Sheet(
    tuple(replace(line, cells=(*line.cells[:4], 1, 2, 3)) for line in base().lines),
    (None, None, None, "金额", "税额", "金额", "税额"),
    ((*HEADER[:3], "本币", None, "原币", None),),
)
_HIDDEN = replace(base(), hidden=frozenset({2, 5}))
_MIXED = every(
    "moment", [datetime(2025, 1, 3), "2025/1/4", 45662], [datetime(2025, 1, n) for n in (3, 4, 5)]
)

KINDS = [
    Row("2.2", "a workbook called .csv", base(), fails("wrong_kind", found="xlsx", named=".csv"),
        ["xlsx"], suffix="csv"),
    Row("2.2", "a text called .xlsx", base(), fails("wrong_kind", found="csv", named=".xlsx"),
        ["csv"], suffix="xlsx"),
    Row("2.2", "a text called .xls", base(), ok("text_xls"),
        ["csv", "csv-gb18030", "tsv"], suffix="xls"),
    Row("2.2", "a Parquet file called .csv", base(),
        fails("wrong_kind", found="parquet", named=".csv"), ["parquet"], suffix="csv"),
    Row("2.2", "a packed file called .csv", base(),
        fails("wrong_kind", found="gzip", named=".csv"), ["csv"],
        lambda sheet, form: gzip.compress(writers.write(sheet, "csv"), mtime=0)),
    Row("2.2", "a PDF called .xls", base(), fails("wrong_kind", found="pdf", named=".xls"), ["xls"],
        lambda sheet, form: b"%PDF-1.7\n" + b"x" * 600),
    Row("2.2", "cut in half", base(200), fails("damaged"), ["xlsx", "xls", "parquet"], _cut),
    Row("2.2", "the first bytes alone", base(), fails("damaged"), ["xlsx", "xls", "parquet"],
        lambda sheet, form: writers.write(sheet, form)[:16]),
    Row("2.2", "a workbook without its sheet", base(), fails("damaged"), ["xlsx"],
        _without("xl/worksheets/sheet1.xml")),
    Row("2.2", "a package that is no workbook", base(), fails("damaged"), ["xlsx"],
        _without("xl/workbook.xml")),
    Row("2.2", "a workbook that unpacks without end", base(), fails("too_large"), ["xlsx"], _bomb),
    Row("2.2", "a workbook whose entities grow without end", base(), fails("document_type"),
        ["xlsx"], _laughs),
    Row("2.3", "a workbook with a password", base(), fails("locked"), ["xlsx"],
        lambda sheet, form: _LOCKED.read_bytes()),
]  # fmt: skip

BOOK_ROWS = [
    Row("2.3", "merged customers", _MERGED, ok("merged_filled"), _BOTH, _merged),
    Row("2.3", "a formula without its value", base(),
        fails("formula_without_value", cell="Sheet!D3", header="金额"), ["xlsx"],
        _changed(_formula)),
    Row("2.3", "#N/A instead of a customer",
        put("customer", "#N/A", None, "missing_customer"),
        rejects("cell_errors", missing_customer=1), ["xlsx"]),
    Row("2.3", "#DIV/0! instead of money", put("money", "#DIV/0!", None, "unreadable_number"),
        rejects(unreadable_number=1), ["xlsx"]),
    # the library that reads old workbooks hands errors over as empty cells
    Row("2.3", "#N/A instead of a customer", put("customer", "#N/A", None, "missing_customer"),
        rejects(missing_customer=1), ["xls"]),
    Row("2.3", "#DIV/0! instead of money", put("money", "#DIV/0!", None, "missing_value"),
        rejects(missing_value=1), ["xls"]),
    Row("2.3", "days as days, text and numbers", _MIXED, ok("excel_serials"), _BOTH),
    Row("2.3", "0001 in a text cell", put("customer", "0001", "0001"), ok(), _BOTH),
    Row("2.3", "18 digits stored as a number",
        every("customer", [123456789012345678 + n for n in range(8)], [None] * 8),
        fails("imprecise_key", header="客户编号", column="orders.customer_id"), _BOTH),
    Row("2.3", "short numbers stored as numbers",
        every("customer", [float(1000 + n) for n in range(8)],
              [str(1000 + n) for n in range(8)]), ok(), (*_BOTH, "parquet")),
    Row("2.3", "a hidden sheet before the visible one", base(),
        ok("sheet_alone", "hidden_sheets"), _BOTH, _hidden_sheet),
    Row("6", "rows that a filter hides", _HIDDEN, ok("hidden_rows_read"), ["xlsx"]),
    Row("6", "rows that a filter hides, left out as the settings say", _LEFT_OUT,
        rejects("hidden_rows_left_out", hidden_row=2), ["xlsx"],
        source={"hidden_rows": "leave_out"}),
    Row("6", "hidden rows cannot be told in the format", base(), fails("hidden_rows_unknown"),
        ["xls"], source={"hidden_rows": "leave_out"}),
    Row("6", "one sheet a month, as the settings say", _MONTHS, ok("sheets_joined"), _BOTH,
        _monthly, source={"sheet": "*"}),
    Row("6", "one sheet a month: the others are named", base(4),
        ok("sheet_alone", "sheets_alike"), _BOTH,
        lambda sheet, form: _monthly(base(12), form)),
    Row("6", "one sheet a month and their sum", _MONTHS, ok("sheets_joined", "sheets_summary"),
        _BOTH, lambda sheet, form: _monthly(sheet, form, [("全年汇总", [*base(12).rows])]),
        source={"sheet": "*"}),
    Row("6", "one sheet a month, in different units", base(8), fails("sheet_units"), _BOTH,
        lambda sheet, form: _monthly(sheet, form, above={"2月": "单位：万元"}),
        source={"sheet": "*"}),
    Row("6", "a header of two rows", _TWO, ok("two_row_header"), (*_BOTH, "html"), _two_rows,
        source=_LOCAL),
    Row("2.3", "a sheet that is not there", base(), fails("no_sheet", sheet="明细"), _BOTH,
        source={"sheet": "明细"}),
    Row("2.3", "a styled empty cell in row 1,048,000", base(), ok(), ["xlsx"],
        _changed(_far_cell)),
    Row("6", "red lines without a minus sign on the screen",
        put("money", Decimal("-500.25"), Decimal("-500.25")), ok(), ["xlsx"], _changed(_red)),
    Row("2.3", "binary money",
        every("money", [0.1 + 0.2, 1.1 * 3, 40.5], [Decimal(n) for n in ("0.3", "3.3", "40.5")]),
        ok(), (*_BOTH, "xml", "parquet")),
    Row("2.2", "10,000 columns", _wide(10_000), fails("too_wide", columns="10,000"),
        ("csv", "xlsx", "html")),
    Row("2.2", "10,000 columns, of which those wanted alone are read", _wide(10_000), ok(),
        ["parquet"]),
    Row("2.2", "500 columns", _wide(500), ok(), ("csv", "xlsx", "html", "parquet")),
    Row("2.2", "a column of lists", base(), fails("nested_columns", headers="金额"), ["parquet"],
        _nested),
    Row("2.2", "a page that asks to log in", base(0), fails("no_table"), ["html"],
        lambda sheet, form: b"<html><body><form>user, password</form></body></html>"),
    Row("2.2", "a page in GB18030 that says so", base(), ok("encoding"), ["html"],
        lambda sheet, form: writers.web_page(sheet.rows, "gb18030")),
    Row("2.2", "a page that says utf-8 and is GB18030", base(), ok("encoding"), ["html"],
        lambda sheet, form: writers.web_page(sheet.rows).decode().encode("gb18030")),
    Row("2.2", "a page whose cells and rows never end", base(), ok(), ["html"],
        lambda sheet, form: writers.web_page(sheet.rows).replace(b"</td>", b"")
        .replace(b"</tr>", b"")),
    Row("2.2", "a page with a menu, a script and two tables", base(), ok(), ["html"], _busy),
    Row("2.2", "a page cut in half", replace(base(), lines=base().lines[:4]), ok("cut_file"),
        ["html"], _page_cut),
    Row("2.3", "remarks beside the table", base(), ok(), _BOTH,
        _beside),
]  # fmt: skip
