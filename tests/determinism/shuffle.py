"""The same rows in another order, as the same query gives them on another day."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

TOTALS = ("合计", "总计", "小计", "Total")


def shuffle(folder: Path, seed: int = 7) -> None:
    """Shuffle the data rows of every export in a folder; titles, headers and totals stay."""
    for path in sorted(folder.iterdir()):
        if path.suffix == ".csv":
            _text_file(path, random.Random(f"{seed}{path.name}"))
        elif path.suffix == ".xlsx":
            _workbook(path, random.Random(f"{seed}{path.name}"))


def _text_file(path: Path, lot: random.Random) -> None:
    content = path.read_bytes()
    marks = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16"}
    encoding = next((marks[m] for m in marks if content.startswith(m)), "gb18030")
    tabs = {"delimiter": "\t"} if encoding == "utf-16" else {}
    text = io.StringIO(content.decode(encoding), newline="")
    rows: list[list[Any]] = list(csv.reader(text, **tabs))
    first, last = _body(rows)
    body = rows[first:last]
    lot.shuffle(body)
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n", **tabs).writerows([*rows[:first], *body, *rows[last:]])
    path.write_bytes(text.getvalue().encode(encoding))


def _workbook(path: Path, lot: random.Random) -> None:
    book = load_workbook(path)
    sheet = max(book.worksheets, key=lambda s: s.max_row)
    cells = [[(cell.value, cell.number_format) for cell in row] for row in sheet.iter_rows()]
    first, last = _body([[value for value, _ in row] for row in cells])
    order = list(range(first, last))
    lot.shuffle(order)
    for place, origin in zip(range(first, last), order, strict=True):
        for column, (value, form) in enumerate(cells[origin], start=1):
            cell = sheet.cell(place + 1, column)
            cell.value, cell.number_format = value, form
    book.save(path)


def _body(rows: list[list[Any]]) -> tuple[int, int]:
    """Where the data begins and ends: below the header, above totals."""
    filled = [sum(value not in (None, "") for value in row) for row in rows]
    header = filled.index(max(filled[:10]))
    last = len(rows)
    while any(str(value).strip().startswith(TOTALS) for value in rows[last - 1]):
        last -= 1
    return header + 1, last
