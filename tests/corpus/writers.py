"""The formats in which companies export, each from the same sheet."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl import Workbook

from tests.corpus import old_excel
from tests.corpus.sheet import Sheet

SUFFIX = {
    "csv": "csv", "csv-bom": "csv", "csv-gb18030": "csv", "csv-utf16": "csv", "tsv": "tsv",
    "csv-semicolon": "csv", "csv-wide-comma": "csv", "xlsx": "xlsx", "xls": "xls",
    "html": "xls", "xml": "xls", "parquet": "parquet",
}  # fmt: skip
_ENCODINGS = {"csv-bom": "utf-8-sig", "csv-gb18030": "gb18030", "csv-utf16": "utf-16"}
_SEPARATORS = {"tsv": "\t", "csv-semicolon": ";", "csv-wide-comma": "，"}


def text_of(value: Any) -> str:
    """A cell as a text export writes it."""
    if value is None:
        return ""
    return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)


def delimited(rows: Sequence[Sequence[Any]], separator: str = ",", end: str = "\n") -> str:
    """Rows as text, quoted only where it must be."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=separator, lineterminator=end)
    writer.writerows([text_of(value) for value in row] for row in rows)
    return written.getvalue()


def _text(sheet: Sheet, form: str) -> bytes:
    text = delimited(sheet.rows, _SEPARATORS.get(form, ","))
    return text.encode(_ENCODINGS.get(form, "utf-8"))


def excel_value(value: Any) -> Any:
    """A cell as Excel stores it: binary numbers."""
    return float(value) if isinstance(value, Decimal) else value


def excel(sheet: Sheet, change: Callable[[Workbook], None] | None = None) -> bytes:
    """A workbook with one sheet, and what `change` does to it."""
    book = Workbook()
    page = book.active
    assert page is not None
    for row in sheet.rows:
        page.append([excel_value(value) for value in row])
    first = len(sheet.above) + 2
    for at in sheet.hidden:
        page.row_dimensions[first + at].hidden = True
    if change is not None:
        change(book)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def web_page(rows: Sequence[Sequence[Any]], encoding: str = "utf-8") -> bytes:
    """A page with one table, as many systems call an Excel export."""
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(text_of(value))}</td>" for value in row) + "</tr>\n"
        for row in rows
    )
    head = f'<html><head><meta charset="{encoding}"></head><body><table border="1">\n'
    return f"{head}{body}</table></body></html>\n".encode(encoding)


def xml_workbook(rows: Sequence[Sequence[Any]]) -> bytes:
    """A spreadsheet of XML (2003), another format under the name .xls."""
    lines = ["<Row>" + "".join(map(_xml_cell, row)) + "</Row>" for row in rows]
    return (
        '<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"'
        ' xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
        '<Worksheet ss:Name="Sheet1"><Table>\n'
        + "\n".join(lines)
        + "\n</Table></Worksheet></Workbook>\n"
    ).encode()


def _xml_cell(value: Any) -> str:
    if value is None:
        return "<Cell/>"
    kind, text = "String", html.escape(text_of(value))
    if isinstance(value, (int, float, Decimal)):
        kind = "Number"
    elif isinstance(value, (date, datetime)):
        moment = value if isinstance(value, datetime) else datetime(*value.timetuple()[:3])
        kind, text = "DateTime", moment.isoformat(timespec="milliseconds")
    return f'<Cell><Data ss:Type="{kind}">{text}</Data></Cell>'


def parquet(sheet: Sheet, *, checked: bool = True) -> bytes:
    """A Parquet file; a column of one type keeps it, others are text."""
    columns = [_array([line.cells[i] for line in sheet.lines]) for i in range(len(sheet.header))]
    written = io.BytesIO()
    table = pa.Table.from_arrays(columns, names=list(sheet.header))
    pq.write_table(table, written, write_page_checksum=checked)
    return written.getvalue()


def _array(values: Sequence[Any]) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {Decimal}:
        return pa.array(values, pa.decimal128(38, 10))
    if len(kinds) == 1 and kinds <= {date, datetime, float, int}:
        return pa.array(values)
    return pa.array([None if value is None else text_of(value) for value in values], pa.string())


def write(sheet: Sheet, form: str) -> bytes:
    """The sheet in one of the formats."""
    if form == "xlsx":
        return excel(sheet)
    if form == "xls":
        return old_excel.workbook([("Sheet1", sheet.rows)])
    if form == "html":
        return web_page(sheet.rows)
    if form == "xml":
        return xml_workbook(sheet.rows)
    if form == "parquet":
        return parquet(sheet)
    return _text(sheet, form)
