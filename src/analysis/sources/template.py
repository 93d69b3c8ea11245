"""The collection list as a workbook to fill in (document 001, table 1)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

HEADERS: dict[str, tuple[str, ...]] = {
    "zh": (
        "客户编号", "客户名称", "行业", "人员规模", "合作年限（年）", "近6个月采购额（万元）",
        "采购频次（次/季度）", "主要采购品类", "满意度（1-5）", "近1年投诉次数",
    ),
    "en": (
        "customer number", "customer name", "industry", "size", "years",
        "6-month purchases (RMB 10k)",
        "orders per quarter", "main category", "satisfaction (1-5)", "complaints 1 year",
    ),
}  # fmt: skip
_ROWS: dict[str, tuple[tuple[object, ...], ...]] = {
    "zh": (
        ("C001", "示例客户一", "信息技术", "500-1000人", 2, 120, 4, "软件授权", 4.5, 0),
        ("C002", "示例客户二", "机械制造", "100-300人", 0.5, 15, 1, "设备配件", 3.0, 2),
    ),
    "en": (
        ("C001", "Example one", "IT", "500-1000", 2, 120, 4, "software licences", 4.5, 0),
        ("C002", "Example two", "machinery", "100-300", 0.5, 15, 1, "equipment parts", 3.0, 2),
    ),
}


def write(folder: Path) -> list[Path]:
    """Write ``customers.zh.xlsx`` and ``customers.en.xlsx`` with two sample rows each."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for lang, headers in HEADERS.items():
        book = Workbook()
        book.properties.created = book.properties.modified = datetime(2025, 1, 1)  # noqa: DTZ001
        sheet = book.active
        if sheet is None:
            continue
        sheet.title = "customers"
        for row in (headers, *_ROWS[lang]):
            sheet.append(list(row))
        for number, cell in enumerate(sheet[1], start=1):
            cell.font = Font(bold=True)
            sheet.column_dimensions[get_column_letter(number)].width = 18
        sheet.freeze_panes = "A2"
        path = folder / f"customers.{lang}.xlsx"
        book.save(path)
        written.append(path)
    return written
