"""The collection list as workbooks to fill in (document 001, table 1), and the orders behind it.

Two workbooks in each language: the list of customers with the document's two sample rows, and the
orders of the same two customers, which add up to what the list says of their six months.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from analysis import wording
from analysis.wording import Language

ROWS = 2_000  # as far down the drop-downs and checks reach


@dataclass(frozen=True)
class Field:
    """A column to fill in.

    Attributes
    ----------
    key
        In the catalogue: what it means, below ``template.how``.
    headers
        Its header, Chinese and English.
    unit
        In the catalogue below ``template.unit``.
    choices
        Words to choose from, Chinese and English; others may be written too.
    number
        Least and largest number, whole or not; None for text and days.
    """

    key: str
    headers: tuple[str, str]
    unit: str = "none"
    choices: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    number: tuple[Literal["whole", "decimal"], float, float] | None = None


_SIZES = ("100人以下", "100-300人", "300-500人", "500-1000人", "1000人以上")
_SIZES_EN = ("under 100", "100-300", "300-500", "500-1000", "over 1000")
_INDUSTRIES = ("信息技术", "机械制造", "电子制造", "医疗器械", "批发零售", "专业服务")
_INDUSTRIES_EN = ("IT", "machinery", "electronics", "medical devices", "wholesale", "services")
_MOST = 1e9
LIST: tuple[Field, ...] = (
    Field("customer_id", ("客户编号", "customer number")),
    Field("name", ("客户名称", "customer name")),
    Field("industry", ("行业", "industry"), choices=(_INDUSTRIES, _INDUSTRIES_EN)),
    Field("size", ("人员规模", "size"), "people", (_SIZES, _SIZES_EN)),
    Field("years", ("合作年限（年）", "years"), "years", number=("decimal", 0, 100)),
    Field(
        "purchases", ("近6个月采购额（万元）", "6-month purchases (RMB 10k)"), "ten_thousand",
        number=("decimal", -_MOST, _MOST),
    ),
    Field(
        "frequency", ("采购频次（次/季度）", "orders per quarter"), "times_a_quarter",
        number=("decimal", 0, 10_000),
    ),
    Field("category", ("主要采购品类", "main category")),
    Field(
        "satisfaction", ("满意度（1-5）", "satisfaction (1-5)"), "points", number=("decimal", 1, 5)
    ),
    Field(
        "complaints", ("近1年投诉次数", "complaints 1 year"), "times", number=("whole", 0, 10_000)
    ),
)  # fmt: skip
ORDERS: tuple[Field, ...] = (
    Field("order_id", ("订单编号", "order number")),
    Field("customer_id", ("客户编号", "customer number")),
    Field("ordered_at", ("下单日期", "order date"), "day"),
    Field("category", ("产品类别", "product category")),
    Field(
        "amount", ("金额（万元）", "amount (RMB 10k)"), "ten_thousand",
        number=("decimal", -_MOST, _MOST),
    ),
)  # fmt: skip
_SAMPLES: dict[Language, tuple[tuple[object, ...], ...]] = {
    "zh": (
        ("C001", "示例客户一", "信息技术", "500-1000人", 2, 120, 4, "软件授权", 4.5, 0),
        ("C002", "示例客户二", "机械制造", "100-300人", 0.5, 15, 1, "设备配件", 3.0, 2),
    ),
    "en": (
        ("C001", "Example one", "IT", "500-1000", 2, 120, 4, "software licences", 4.5, 0),
        ("C002", "Example two", "machinery", "100-300", 0.5, 15, 1, "equipment parts", 3.0, 2),
    ),
}
_DAYS: dict[str, tuple[date, ...]] = {
    "C001": tuple(
        date(2025, month, day)
        for month, day in ((4, 9), (4, 28), (5, 19), (6, 11), (7, 7), (7, 29), (8, 20), (9, 12))
    ),
    "C002": (date(2025, 5, 15), date(2025, 8, 20)),
}


def write(folder: Path) -> list[Path]:
    """Write ``customers.zh.xlsx``, ``orders.zh.xlsx`` and both in English, with sample rows.

    Returns
    -------
    list
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for lang in wording.LANGUAGES:
        for name, fields, rows in (
            ("customers", LIST, _SAMPLES[lang]),
            ("orders", ORDERS, _orders(lang)),
        ):
            path = folder / f"{name}.{lang}.xlsx"
            _book(name, fields, rows, lang).save(path)
            written.append(path)
    return written


def _orders(lang: Language) -> list[tuple[object, ...]]:
    """Orders that make up the six months of the sample customers."""
    lines: list[tuple[object, ...]] = []
    for customer, *_, amount, _frequency, category, _mark, _complaints in _SAMPLES[lang]:
        days = _DAYS[str(customer)]
        each = float(str(amount)) / len(days)
        lines += [
            (f"{customer}-{number}", customer, day, category, each)
            for number, day in enumerate(days, start=1)
        ]
    return lines


def _book(
    name: str, fields: Sequence[Field], rows: Sequence[Sequence[object]], lang: Language
) -> Workbook:
    book = Workbook()
    book.properties.created = book.properties.modified = datetime(2025, 1, 1)  # noqa: DTZ001
    sheet = book.worksheets[0]
    sheet.title = wording.text(f"template.sheet.{name}", lang)
    at = wording.LANGUAGES.index(lang)
    for row in ([f.headers[at] for f in fields], *rows):
        sheet.append(list(row))
    for number, (cell, one) in enumerate(zip(sheet[1], fields, strict=True), start=1):
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="DDE6EE")
        cell.alignment = Alignment(wrap_text=True, vertical="center")
        letter = get_column_letter(number)
        sheet.column_dimensions[letter].width = 18
        _checked(sheet, f"{letter}2:{letter}{ROWS}", one, at)
        if one.unit == "day":
            for (below,) in sheet[f"{letter}2:{letter}{ROWS}"]:
                below.number_format = "yyyy-mm-dd"
    sheet.freeze_panes = "A2"
    _notes(book, sheet.title, fields, rows[0], lang)
    return book


def _checked(sheet: Worksheet, cells: str, one: Field, at: int) -> None:
    """Drop-downs that also take other words; numbers out of their range are refused."""
    if one.choices[at]:
        listed = ",".join(one.choices[at])
        rule = DataValidation(
            "list", formula1=f'"{listed}"', allow_blank=True, errorStyle="warning"
        )
    elif one.number:
        kind, least, most = one.number
        rule = DataValidation(kind, "between", f"{least:g}", f"{most:.0f}", allow_blank=True)
    elif one.unit == "day":
        rule = DataValidation("date", "greaterThan", "36526", allow_blank=True)
    else:
        return
    rule.add(cells)
    sheet.add_data_validation(rule)


def _notes(
    book: Workbook, title: str, fields: Sequence[Field], example: Sequence[object], lang: Language
) -> None:
    """How to fill in each column: its unit, what it means, an example."""
    notes = book.create_sheet(wording.text("template.sheet.notes", lang))
    notes.append([wording.text("template.title", lang)])
    notes.append([wording.text("template.intro", lang, sheet=title)])
    notes.append([])
    notes.append(
        [wording.text(f"template.head.{key}", lang) for key in ("column", "unit", "how", "example")]
    )
    at = wording.LANGUAGES.index(lang)
    for one, value in zip(fields, example, strict=True):
        how = wording.text(f"template.how.{one.key}", lang)
        if one.choices[at]:
            how += wording.text("template.choose", lang, words=" / ".join(one.choices[at]))
        shown = value.isoformat() if isinstance(value, date) else value
        notes.append([one.headers[at], wording.text(f"template.unit.{one.unit}", lang), how, shown])
    notes["A1"].font = Font(bold=True, size=14)
    for cell in notes[4]:
        cell.font = Font(bold=True)
    for letter, width in zip("ABCD", (24, 14, 64, 18), strict=True):
        notes.column_dimensions[letter].width = width
    for row in notes.iter_rows(min_row=5):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
