"""Exports on disk: CSV in several encodings, workbooks, always the same bytes for the same content.

Workbooks are written by hand: openpyxl stamps the clock into them and its bytes depend on the XML
library that happens to be installed. Members are stored, not compressed, because compressed bytes
differ between versions of zlib.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

SLICE = 20_000  # rows
UNICODE_TEXT = "utf-16-le"
EPOCH = (1980, 1, 1, 0, 0, 0)
_DAY_ZERO = datetime.combine(date(1899, 12, 30), time())
_STYLE_DAY, _STYLE_MOMENT, _STYLE_HEAD = 1, 2, 3


@dataclass(frozen=True)
class Export:
    """One file of the firm's.

    Parameters
    ----------
    name
        File name; its ending says the format.
    table
        Canonical table it feeds.
    frame
        Cells under their headers; columns that start with ``_`` are notes for the truth files
        (``_why``: the rule that should remove the row, ``_key``: the row's key, ``_flaw``: what is
        wrong with a row that stays).
    encoding
        Of a CSV file; UTF-16 is separated by tabs, as Excel's "Unicode text" is.
    title
        Lines above the header of a workbook; empty for none.
    total
        A last row: cells by header. Large companies are written in blocks of customers, and
        numbers (int, Decimal) add up over them; words stay.
    whole
        About the company as a whole, not about its customers one by one: of several blocks, the
        last one's counts.
    """

    name: str
    table: str
    frame: pd.DataFrame
    encoding: str = "utf-8-sig"
    title: str = ""
    total: Mapping[str, object] | None = None
    whole: bool = False

    @property
    def headers(self) -> list[str]:
        """Headers in the file."""
        return [str(c) for c in self.frame.columns if not str(c).startswith("_")]

    @property
    def first_row(self) -> int:
        """Number of the first data row, counted from 1 at the top of the file."""
        return len(self.title.splitlines()) + 2


@dataclass(frozen=True)
class Filed:
    """All exports, and what was planted in them beyond single rows.

    Parameters
    ----------
    exports
        In the order in which they are written.
    planted
        Truth tables by name.
    """

    exports: Sequence[Export]
    planted: Mapping[str, pd.DataFrame]


def rows(frame: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """The rows as Python values, a slice at a time: a large export never stands in memory twice."""
    for first in range(0, len(frame), SLICE):
        part = frame.iloc[first : first + SLICE]
        yield from zip(*(part[name].tolist() for name in part.columns), strict=True)


def lines(frame: pd.DataFrame, separator: str = ",") -> Iterator[str]:
    """The rows as a CSV file holds them, a slice at a time.

    As `csv.writer` writes them, quoting only what needs it, but by columns: large companies have
    tens of millions of rows.
    """
    for first in range(0, len(frame), SLICE):
        part = frame.iloc[first : first + SLICE]
        cells = [_quoted(_text(part[name]), separator) for name in part.columns]
        joined = pc.binary_join_element_wise(*cells, separator)
        yield "\r\n".join([*joined.to_pylist(), ""])


def header(names: Sequence[str], separator: str = ",") -> str:
    """The header of a CSV file."""
    return next(lines(pd.DataFrame([names]), separator))


def _text(cells: pd.Series) -> pa.Array:
    """Every cell as text; nothing where there is none."""
    if cells.dtype.kind in "iu":
        return pa.array(cells.to_numpy()).cast(pa.string())
    if isinstance(cells.dtype, pd.StringDtype):
        return pa.array(cells.array, type=pa.string()).fill_null("")
    try:
        found = pa.array(cells.to_numpy(dtype=object), type=pa.string(), from_pandas=False)
    except (pa.ArrowTypeError, pa.ArrowInvalid):  # dates, decimals, numbers beside empty cells
        found = pa.array([None if v is None else str(v) for v in cells.tolist()], type=pa.string())
    return found.fill_null("")


def _quoted(cells: pa.Array, separator: str) -> pa.Array:
    special = pc.match_substring_regex(cells, f'["{separator}\r\n]')
    if not pc.any(special).as_py():
        return cells
    doubled = pc.replace_substring(cells, '"', '""')
    return pc.if_else(special, pc.binary_join_element_wise('"', doubled, '"', ""), cells)


def workbook(headers: Sequence[str], body_rows: Iterable[Sequence[Any]], title: str = "") -> bytes:
    """A workbook of one sheet; dates are real dates, numbers real numbers."""
    top = [[(line, _STYLE_HEAD)] for line in title.splitlines()]
    top.append([(name, _STYLE_HEAD) for name in headers])
    body: list[str] = []
    for number, line in enumerate(top, start=1):
        body.append(_row(number, [_cell(_place(c, number), v, s) for c, (v, s) in enumerate(line)]))
    letters = [_letters(c) for c in range(len(headers))]
    for number, row in enumerate(body_rows, start=len(top) + 1):
        body.append(
            _row(number, [_cell(f"{a}{number}", v) for a, v in zip(letters, row, strict=True)])
        )
    extent = f"A1:{letters[-1]}{len(body)}"
    sheet = (
        f'{_XML}<worksheet xmlns="{_MAIN}"><dimension ref="{extent}"/>'
        f"<sheetData>{''.join(body)}</sheetData></worksheet>"
    )
    return _zip({**_PARTS, "xl/worksheets/sheet1.xml": sheet})


def _row(number: int, cells: Sequence[str]) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


def _cell(place: str, value: Any, style: int = 0) -> str:
    mark = f' s="{style}"' if style else ""
    if value == "" or pd.isna(value):
        return ""
    if isinstance(value, str):
        return f'<c r="{place}"{mark} t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    if isinstance(value, datetime):
        return f'<c r="{place}" s="{_STYLE_MOMENT}"><v>{_serial(value)}</v></c>'
    if isinstance(value, date):
        moment = datetime.combine(value, time())
        return f'<c r="{place}" s="{_STYLE_DAY}"><v>{_serial(moment)}</v></c>'
    number = str(value) if isinstance(value, Decimal) else repr(value)
    return f'<c r="{place}"{mark}><v>{number}</v></c>'


def _serial(moment: datetime) -> str:
    """Days since the workbook's day zero; minutes as a fraction."""
    gone = moment - _DAY_ZERO
    minutes = gone // timedelta(minutes=1)
    whole, rest = divmod(minutes, 1440)
    return str(whole) if rest == 0 else f"{whole + rest / 1440:.10f}"


def _place(column: int, row: int) -> str:
    return f"{_letters(column)}{row}"


def _letters(column: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    found = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(65 + rest) + found
    return found


def _zip(parts: dict[str, str]) -> bytes:
    """Stored members in sorted order, all of the same day."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(parts):
            member = zipfile.ZipInfo(name, EPOCH)
            member.create_system = 0  # the same on every system
            archive.writestr(member, parts[name].encode())
    return content.getvalue()


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS: dict[str, str] = {
    "[Content_Types].xml": (
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        '<Override PartName="/docProps/core.xml" '
        'ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>'
        "</Types>"
    ),
    "_rels/.rels": (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        f'<Relationship Id="rId2" Type="{_PACKAGE}/relationships/metadata/core-properties" '
        'Target="docProps/core.xml"/></Relationships>'
    ),
    "docProps/core.xml": (
        f'{_XML}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:creator>analysis</dc:creator>'
        '<dcterms:created xsi:type="dcterms:W3CDTF">1980-01-01T00:00:00Z</dcterms:created>'
        '<dcterms:modified xsi:type="dcterms:W3CDTF">1980-01-01T00:00:00Z</dcterms:modified>'
        "</cp:coreProperties>"
    ),
    "xl/workbook.xml": (
        f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": (
        f'{_XML}<styleSheet xmlns="{_MAIN}"><numFmts count="2">'
        '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
        '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm"/></numFmts>'
        '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
        '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border/></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
        "</cellStyleXfs>"
        '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
        "</styleSheet>"
    ),
}
