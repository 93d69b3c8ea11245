"""One workbook for each person: what to do, in which week, and how it went.

A cover says what comes first; the sheet of tasks has five yellow columns with drop-downs that the
person fills in, and everything else is locked. A hidden sheet ``_meta`` says which run, period
and person it belongs to, so that a filled copy reads back. Text from data is always text, nobody
finds another person's rows in his copy, and the same tables give the same bytes.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from analysis.report.crm_files import ANSWERS
from analysis.report.desk_data import Desks, file_names
from analysis.report.desk_rows import Desk, Row, every_desk, monday_of
from analysis.report.row_heights import row_height
from analysis.report.workbook import EPOCH, pack, plain
from analysis.settings_model import Settings
from analysis.wording import Language
from analysis.wording.numbers import format_day, format_period

FOLDER = "desk"
META = "_meta"
FORMAT_NAME, FORMAT_VERSION = "analysis-tasks", 1
# columns → width in characters; of the sheet of tasks the last five are for the person
GIVEN = {"task_id": 14, "customer_id": 13, "customer": 26, "title": 28, "standard": 34, "due": 11}
ASKED = {"status": 10, "done_on": 11, "moved_to": 11, "reason": 16, "note": 28}
_VISITS = {
    "on_day": 12, "week": 11, "customer_id": 13, "customer": 30, "region": 10, "channel": 12,
    "title": 34, "due": 12, "late": 26,
}  # fmt: skip
_REMINDERS = {
    "remind_on": 12, "kind": 14, "customer_id": 13, "customer": 30, "text": 70, "event_on": 12,
}  # fmt: skip
_CUSTOMERS = {
    "customer_id": 13, "customer": 30, "segment": 16, "region": 10, "because": 60, "goal": 34,
    "tasks": 8, "due": 12,
}  # fmt: skip
_DAYS = ("due", "on_day", "remind_on", "event_on", "done_on", "moved_to")
_HEAD = 2  # row of the headers, below the title and what is shown
_FIRST_DAYS, _FIRST_LINES = 14, 20  # days that the cover lists, and lines of it
_A4 = 9
_LISTS = {"status": "D", "reason": "E"}  # columns of `_meta` with the options


def render_desks(
    tables: Mapping[str, pa.Table], settings: Settings, as_of: date, lang: Language
) -> dict[str, bytes]:
    """Write everybody's workbook.

    Parameters
    ----------
    tables
        RECORD ``tasks``, ``visits``, ``reminders``, ``customers``, ``people`` and ``segments``;
        ``account_plans`` and ``scheme_segments`` where there are any.
    settings
        Run, period and currency.
    as_of
        Last day that counts.
    lang
        Of everything in it.

    Returns
    -------
    dict
        Path below the exports → content, ``desk/<person>.xlsx``.
    """
    desks = Desks.of(tables, settings, as_of, lang)
    names = file_names(desks.owners)
    return {
        f"{FOLDER}/{names[desk.owner]}.xlsx": _Book(desk).content() for desk in every_desk(desks)
    }


@dataclass(frozen=True)
class _Looks:
    """The formats of the cells."""

    title: Format
    soft: Format
    part: Format
    head: Format
    head_yours: Format
    text: Format
    count: Format
    day: Format
    yours: Format
    yours_day: Format
    line: Format
    warn: Format

    @classmethod
    def of(cls, book: xlsxwriter.Workbook) -> _Looks:
        cell = {"font_size": 10, "valign": "top", "border": 1, "border_color": "#C5CDD6"}
        wrapped = {**cell, "text_wrap": True}
        head = {**wrapped, "bold": True, "bg_color": "#E3E9EF", "valign": "vcenter"}
        yours = {"bg_color": "#FFF9DB", "locked": False}
        day = {"num_format": "yyyy-mm-dd", "align": "left"}
        made = {
            "title": {"bold": True, "font_size": 15},
            "soft": {"font_size": 10, "font_color": "#55606B"},
            "part": {"bold": True, "font_size": 12, "font_color": "#1F4E79"},
            "head": head,
            "head_yours": {**head, "bg_color": "#FBE9A6"},
            "text": {**wrapped, "num_format": "@"},
            "count": {**cell, "num_format": "#,##0", "align": "left"},
            "day": {**cell, **day},
            "yours": {**wrapped, **yours, "num_format": "@"},
            "yours_day": {**cell, **yours, **day},
            "line": {"font_size": 11, "text_wrap": True, "valign": "top"},
            "warn": {"font_size": 11, "text_wrap": True, "bold": True, "font_color": "#9C2A10"},
        }
        return cls(**{name: book.add_format(form) for name, form in made.items()})


@dataclass(frozen=True)
class _Book:
    """One person's workbook."""

    desk: Desk

    def content(self) -> bytes:
        """The file."""
        desk, desks = self.desk, self.desk.desks
        content = io.BytesIO()
        options = {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        with xlsxwriter.Workbook(content, options) as book:
            book.set_properties({"created": datetime(*EPOCH)})  # noqa: DTZ001
            looks = _Looks.of(book)
            made = {
                name: book.add_worksheet(desks.text(f"sheet.{name}"))
                for name in ("cover", "tasks", "visits", "reminders", "customers")
            }
            hidden = book.add_worksheet(META)
            self._meta(hidden)
            self._cover(made["cover"], looks)
            self._list(made["tasks"], desk.tasks, {**GIVEN, **ASKED}, looks)
            self._answers(made["tasks"])
            self._list(made["visits"], desk.visits, _VISITS, looks)
            self._list(made["reminders"], desk.reminders, _REMINDERS, looks)
            self._list(made["customers"], desk.customers, _CUSTOMERS, looks)
            for sheet in (*made.values(), hidden):
                _lock(sheet)
            hidden.hide()
            made["cover"].activate()
        return pack(content)

    @property
    def _subtitle(self) -> str:
        """What it is made from."""
        desks = self.desk.desks
        return desks.text("subtitle", day=format_day(desks.as_of, desks.lang))

    def _meta(self, sheet: Worksheet) -> None:
        """Whose it is, and the options of the lists."""
        named = (
            (FORMAT_NAME, str(FORMAT_VERSION)),
            ("run", self.desk.desks.settings.run),
            ("period", self.desk.desks.period.name),
            ("owner_id", self.desk.owner),
            ("record", self.desk.fingerprint),
        )
        for row, pair in enumerate(named):
            for at, text in enumerate(pair):
                sheet.write_string(row, at, plain(text))
        for name, column in _LISTS.items():
            for row, text in enumerate(self._options(name), start=1):
                sheet.write_string(f"{column}{row}", text)

    def _options(self, name: str) -> list[str]:
        return [self.desk.desks.text(f"{name}.{key}") for key in ANSWERS[name]]

    def _list(
        self, sheet: Worksheet, rows: Sequence[Row], widths: Mapping[str, int], looks: _Looks
    ) -> None:
        """Title, headers in the third row, a row each."""
        sheet.write_string(0, 0, plain(self.desk.title), looks.title)
        sheet.write_string(1, 0, plain(self._subtitle), looks.soft)
        sheet.set_row(0, 24)
        sheet.set_row(_HEAD, 30)
        for at, (column, width) in enumerate(widths.items()):
            sheet.set_column(at, at, width)
            look = looks.head_yours if column in ASKED else looks.head
            sheet.write_string(_HEAD, at, self.desk.desks.head(column), look)
        for row, values in enumerate(rows, start=_HEAD + 1):
            for at, column in enumerate(widths):
                _cell(sheet, row, at, column, values.get(column), looks)
            texts = (
                (v, widths[c]) for c, v in values.items() if c in widths and isinstance(v, str)
            )
            sheet.set_row(row, row_height(texts))
        names = list(widths)
        sheet.freeze_panes(_HEAD + 1, names.index("customer") + 1)
        sheet.autofilter(_HEAD, 0, max(_HEAD + len(rows), _HEAD + 1), len(names) - 1)
        sheet.repeat_rows(0, _HEAD)
        self._paper(sheet)

    def _answers(self, sheet: Worksheet) -> None:
        """Drop-downs and days of the columns that the person fills in."""
        names = [*GIVEN, *ASKED]
        last = max(_HEAD + len(self.desk.tasks), _HEAD + 1)
        for column, letter in _LISTS.items():
            at = names.index(column)
            source = f"='{META}'!${letter}$1:${letter}${len(ANSWERS[column])}"
            rule: dict[str, Any] = {
                "validate": "list",
                "source": source,
                "input_title": self.desk.desks.head(column),
                "input_message": self.desk.desks.text(f"hint.{column}"),
                "error_message": self.desk.desks.text("wrong.list"),
            }
            sheet.data_validation(_HEAD + 1, at, last, at, rule)
        for column in ("done_on", "moved_to"):
            at = names.index(column)
            rule = {
                "validate": "date",
                "criteria": "between",
                "minimum": self.desk.desks.as_of,
                "maximum": self.desk.desks.period.end + timedelta(days=366),
                "input_title": self.desk.desks.head(column),
                "input_message": self.desk.desks.text("hint.day"),
                "error_message": self.desk.desks.text("wrong.day"),
            }
            sheet.data_validation(_HEAD + 1, at, last, at, rule)

    def _cover(self, sheet: Worksheet, looks: _Looks) -> None:
        """What comes first, then week by week, then how to fill in."""
        desks = self.desk.desks
        sheet.hide_gridlines(2)
        for at, width in enumerate((14, 20, 34, 60)):
            sheet.set_column(at, at, width)
        sheet.write_string(0, 0, plain(self.desk.title), looks.title)
        sheet.write_string(1, 0, plain(self._subtitle), looks.soft)
        counts = {
            "tasks": len(self.desk.tasks),
            "customers": len(self.desk.customers),
            "visits": len(self.desk.visits),
            "reminders": len(self.desk.reminders),
        }
        period = format_period(desks.period, desks.lang)
        said = {name: f"{count:,}" for name, count in counts.items()}
        row = _paragraph(sheet, 3, desks.text("total", period=period, **said), looks.line)
        late = sum(1 for visit in self.desk.visits if visit["late"])
        if late:
            row = _paragraph(sheet, row, desks.text("late_visits", visits=f"{late:,}"), looks.warn)
        row = self._first(sheet, row + 1, looks)
        row = self._weeks(sheet, row + 1, looks)
        sheet.write_string(row + 1, 0, desks.text("how"), looks.part)
        row += 2
        for number, step in enumerate(("status", "moved", "note", "back"), start=1):
            row = _paragraph(sheet, row, f"{number}. {desks.text(f'step.{step}')}", looks.line)
        self._paper(sheet)

    def _first(self, sheet: Worksheet, row: int, looks: _Looks) -> int:
        """What comes up first, a line each."""
        chosen, desks = self.desk.first(_FIRST_DAYS), self.desk.desks
        if not chosen:
            return row
        span = self._span(monday_of(chosen[0].day), _FIRST_DAYS)
        sheet.write_string(row, 0, desks.text("first_weeks", span=span), looks.part)
        for at, head in enumerate(("day", "kind", "customer", "what")):
            sheet.write_string(row + 1, at, desks.head(head), looks.head)
        row += 2
        for entry in chosen[:_FIRST_LINES]:
            sheet.write_datetime(row, 0, datetime.combine(entry.day, time()), looks.day)
            texts = (desks.text(f"kind.{entry.kind}"), entry.customer, entry.said)
            for at, text in enumerate(texts, start=1):
                _text(sheet, row, at, text, looks.text)
            row += 1
        if len(chosen) > _FIRST_LINES:
            more = desks.text("more", count=f"{len(chosen) - _FIRST_LINES:,}")
            sheet.write_string(row, 0, more, looks.soft)
            row += 1
        return row

    def _weeks(self, sheet: Worksheet, row: int, looks: _Looks) -> int:
        """How much of each kind comes up in each week."""
        desks = self.desk.desks
        counts = Counter((monday_of(entry.day), entry.kind) for entry in self.desk.agenda)
        sheet.write_string(row, 0, desks.text("by_week"), looks.part)
        for at, head in enumerate(("week", "span", "what")):
            sheet.write_string(row + 1, at, desks.head(head), looks.head)
        row += 2
        for monday in sorted({day for day, _ in counts}):
            year, week, _ = monday.isocalendar()
            said = desks.text("week.between").join(
                desks.text(f"week.{kind}", count=f"{counts[monday, kind]:,}")
                for kind in ("visit", "task", "reminder")
                if counts[monday, kind]
            )
            for at, text in enumerate((f"{year:04d}-W{week:02d}", self._span(monday, 7), said)):
                sheet.write_string(row, at, text, looks.text)
            row += 1
        return row

    def _span(self, monday: date, count: int) -> str:
        days = (monday, monday + timedelta(days=count - 1))
        return "～".join(format_day(day, self.desk.desks.lang, "short") for day in days)

    def _paper(self, sheet: Worksheet) -> None:
        """A4 across, one page wide."""
        sheet.set_paper(_A4)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.set_footer("&C" + self.desk.desks.text("page", page="&P", pages="&N"))


def _cell(sheet: Worksheet, row: int, at: int, column: str, value: Any, looks: _Looks) -> None:
    empty = value is None or value != value  # noqa: PLR0124 - not a day
    if column in ASKED:
        sheet.write_blank(row, at, None, looks.yours_day if column in _DAYS else looks.yours)
    elif column in _DAYS and not empty:
        sheet.write_datetime(row, at, pd.Timestamp(value).to_pydatetime(), looks.day)
    elif column == "tasks":
        sheet.write_number(row, at, int(value), looks.count)
    else:
        _text(sheet, row, at, "" if empty else str(value), looks.text)


def _text(sheet: Worksheet, row: int, at: int, text: str, look: Format) -> None:
    """A text as text; an empty one leaves the cell empty."""
    clean = plain(text)
    if clean:
        sheet.write_string(row, at, clean, look)
    else:
        sheet.write_blank(row, at, None, look)


def _paragraph(sheet: Worksheet, row: int, text: str, look: Format) -> int:
    """A text across the cover; the row below it."""
    sheet.merge_range(row, 0, row, 3, "", look)
    sheet.write_string(row, 0, plain(text), look)
    sheet.set_row(row, 32)
    return row + 1


def _lock(sheet: Worksheet) -> None:
    """No password: it keeps from slips, not from people. Filters and widths stay free."""
    free = ("autofilter", "sort", "format_columns", "format_rows")
    sheet.protect("", dict.fromkeys(free, True))
