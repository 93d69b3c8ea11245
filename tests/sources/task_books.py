"""Workbooks of tasks as they are handed out, filled in, and spoilt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

HEADS = {
    "zh": ("任务编号", "客户编号", "客户名称", "任务内容", "完成标准", "最迟日期", "完成情况",
           "完成日期", "改期到", "原因", "备注"),
    "en": ("Task ID", "Customer ID", "Customer", "What to do", "Done when", "Latest day", "Status",
           "Done on", "Moved to", "Reason", "Note"),
}  # fmt: skip
SHEETS = {"zh": "任务", "en": "Tasks"}
META = (("analysis-tasks", 1), ("run", "acme"), ("period", "2025Q4"), ("owner_id", "S01"))
COLUMNS = ("task_id", "status", "done_on", "moved_to", "reason", "note")


def row(task_id: str, status: Any = None, done_on: Any = None, moved_to: Any = None,
        reason: Any = None, note: Any = None, *, customer: str = "KH1",
        due: Any = "2025-10-17") -> list[Any]:  # fmt: skip
    """A row of the sheet."""
    given = [status, done_on, moved_to, reason, note]
    return [task_id, customer, "某某公司", "季度回访", "纪要发给客户", due, *given]


def book(
    path: Path,
    rows: Sequence[Sequence[Any]],
    lang: str = "zh",
    meta: Sequence[Sequence[Any]] | None = META,
    spoil: Callable[[Worksheet], None] | None = None,
) -> Path:
    """Write one filled workbook; `spoil` does to its sheet what people do."""
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.title = SHEETS[lang]
    sheet["A1"] = "2025Q4 S01"
    for at, cells in enumerate([HEADS[lang], *rows], start=3):
        for column, value in enumerate(cells, start=1):
            cell = sheet.cell(at, column, value)
            if column <= 2:
                cell.number_format = "@"
    if meta is not None:
        hidden = made.create_sheet("_meta")
        hidden.sheet_state = "hidden"
        for line in meta:
            hidden.append(list(line))
    if spoil is not None:
        spoil(sheet)
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save(path)
    return path
