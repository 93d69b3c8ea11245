"""What a file of the corpus holds, and what each of its lines stands for.

A line carries its truth beside its cells: who bought when for how much, and what must become of
it. Money is a Decimal of the generator; no reader has touched it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

KEPT = "kept"
HEADER = ("订单号", "客户编号", "下单日期", "金额", "联系人", "手机")
COLUMNS = {"order_id": "订单号", "customer_id": "客户编号", "ordered_at": "下单日期"} | {
    "amount": "金额"
}
# Made-up names and numbers of persons: no message may ever hold one of them.
PERSONS = ("诸葛不亮", "司马空城", "上官如烟", "东方未白")
PHONES = ("13800001111", "13900002222", "15000003333", "18600004444")


@dataclass(frozen=True)
class Line:
    """One line: its cells, its fate (kept, or a rule) and what it says where it is readable."""

    cells: tuple[Any, ...]
    order: str
    customer: str | None
    moment: datetime | None
    money: Decimal | None
    fate: str = KEPT

    def having(self, at: int, value: Any) -> Line:
        """The line with another value in a cell."""
        return replace(self, cells=(*self.cells[:at], value, *self.cells[at + 1 :]))


@dataclass(frozen=True)
class Sheet:
    """A table of cells below a header; `above`: rows of a title."""

    lines: tuple[Line, ...]
    header: tuple[str | None, ...] = HEADER
    above: tuple[tuple[Any, ...], ...] = ()
    hidden: frozenset[int] = field(default_factory=frozenset)  # positions of hidden lines
    page: int = 0  # lines on each sheet of a workbook, where they stand on several

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """All rows from the first title to the last line."""
        return [*self.above, self.header, *(line.cells for line in self.lines)]

    def numbers(self, form: str) -> list[int]:
        """The number of each line in a file of this form, as messages count."""
        first = 1 if form == "parquet" else len(self.above) + 2
        return [first + (i % self.page if self.page else i) for i in range(len(self.lines))]

    @property
    def money(self) -> Decimal:
        """The money of all lines whose amount can be read."""
        return sum((line.money for line in self.lines if line.money is not None), Decimal(0))


def base(size: int = 8) -> Sheet:
    """A sound export: one line an order, four customers, money to the cent."""
    return Sheet(tuple(sound(n) for n in range(1, size + 1)))


def sound(n: int, customer: str | None = None) -> Line:
    """The n-th sound line."""
    order, day = f"D{n:04d}", date(2025, 1 + (n - 1) % 6, 1 + n % 27)
    money = Decimal(10_010 + 12_345 * n % 900_000) / 100
    who = customer or f"C{n % 4 + 1:03d}"
    person, phone = PERSONS[n % 4], PHONES[n % 4]
    cells = (order, who, day, money, person, phone)
    return Line(cells, order, who, datetime(day.year, day.month, day.day), money)


_PLACE = {"order": 0, "customer": 1, "moment": 2, "money": 3}


def put(what: str, value: Any, truth: Any = None, fate: str = KEPT, at: int = 2) -> Sheet:
    """The sound sheet, but for one cell.

    Parameters
    ----------
    what
        order, customer, moment or money.
    value
        What the cell holds.
    truth
        What it means; None where nobody can say.
    fate
        What becomes of the line.
    at
        Which line, counted from 0.
    """
    sheet = base()
    line = sheet.lines[at].having(_PLACE[what], value)
    return with_line(sheet, at, replace(line, **{what: truth}, fate=fate))


def every(what: str, values: Sequence[Any], truths: Sequence[Any]) -> Sheet:
    """The sound sheet with a whole column of other cells; nothing is rejected."""
    lines = [
        replace(line.having(_PLACE[what], value), **{what: truth})
        for line, value, truth in zip(base(len(values)).lines, values, truths, strict=True)
    ]
    return Sheet(tuple(lines))


def with_line(sheet: Sheet, at: int, line: Line) -> Sheet:
    """The sheet with another line in a place."""
    return replace(sheet, lines=(*sheet.lines[:at], line, *sheet.lines[at + 1 :]))


def adding(sheet: Sheet, *lines: Line) -> Sheet:
    """The sheet with lines at its end."""
    return replace(sheet, lines=(*sheet.lines, *lines))


def odd(cells: Sequence[Any], fate: str) -> Line:
    """A line that is no order: a total, a remark, a row that does not fit."""
    return Line(tuple(cells), "", None, None, None, fate)
