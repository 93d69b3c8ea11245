"""The list of the review meeting as a workbook: people fill it in, and it reads back.

A first sheet says how; the second lists the customers, with five yellow columns for the
business. `analysis.sources.decisions` reads a filled copy. Text from data is always text, and the
same tables give the same bytes.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import pandas as pd
import pyarrow as pa
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from analysis import wording
from analysis.calendars import Period
from analysis.engine import to_frame
from analysis.report.row_heights import row_height
from analysis.report.workbook import EPOCH, pack, plain
from analysis.settings_model import Settings
from analysis.wording import Language
from analysis.wording.numbers import currency_word, format_day, format_period
from analysis.wording.told import told, word

_A4 = 9
_HEAD = 2  # row of the headers, below the title and what is shown
_STEPS = ("agree", "opinion", "from", "until", "back", "field")
# column → width in characters
_SYSTEM = {
    "rank": 5,
    "customer_id": 12,
    "name": 26,
    "owner": 9,
    "amount": 17,
    "system_segment": 12,
    "because": 40,
    "present_tier": 8,
    "cluster": 12,
    "why": 30,
    "in_force": 12,
    "proposal": 12,
}
_BUSINESS = {"opinion": 14, "reason": 26, "decided_on": 12, "expires_on": 12, "author": 12}
_READ = ("review", "segments", "segment_summary", "scheme_segments")


def render_review(
    tables: Mapping[str, pa.Table], settings: Settings, as_of: date, lang: Language
) -> bytes:
    """Write the workbook of the review meeting.

    Parameters
    ----------
    tables
        RECORD ``review``, ``segments`` and ``segment_summary``; ``scheme_segments`` where a
        scheme brings names of its own.
    settings
        Company, period, currency, window of money and folder of decisions.
    as_of
        Last day that counts; the day from which decisions hold unless people change it.

    Returns
    -------
    bytes
        An ``.xlsx`` file.
    """
    frames = {name: to_frame(tables[name]) for name in tables if name in _READ}
    pack_ = _Pack(frames, settings, as_of, lang)
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
        guide = book.add_worksheet(pack_.text("guide"))
        listed = book.add_worksheet(pack_.text("list"))
        names = _guide(guide, pack_, looks)
        _list(listed, pack_, looks, names)
        listed.activate()
    return pack(content)


@dataclass(frozen=True)
class _Looks:
    """The formats of the cells."""

    title: Format
    soft: Format
    head: Format
    head_yours: Format
    text: Format
    money: Format
    yours: Format
    day: Format
    step: Format

    @classmethod
    def of(cls, book: xlsxwriter.Workbook) -> _Looks:
        cell = {"font_size": 10, "valign": "top", "border": 1, "border_color": "#C5CDD6"}
        wrapped = {**cell, "text_wrap": True}
        head = {**wrapped, "bold": True, "bg_color": "#E3E9EF", "valign": "vcenter"}
        yellow = {"bg_color": "#FFF9DB"}
        day = {"num_format": "yyyy-mm-dd", "align": "left"}
        made = {
            "title": {"bold": True, "font_size": 15},
            "soft": {"font_size": 10, "font_color": "#55606B"},
            "head": head,
            "head_yours": {**head, "bg_color": "#FBE9A6"},
            "text": {**wrapped, "num_format": "@"},
            "money": {**cell, "num_format": "#,##0"},
            "yours": {**wrapped, **yellow, "num_format": "@"},
            "day": {**cell, **yellow, **day},
            "step": {"font_size": 11, "valign": "top", "text_wrap": True},
        }
        return cls(**{name: book.add_format(form) for name, form in made.items()})


@dataclass(frozen=True)
class _Pack:
    """What the workbook says."""

    frames: Mapping[str, pd.DataFrame]
    settings: Settings
    as_of: date
    lang: Language

    def text(self, key: str, **args: Any) -> str:
        return wording.text(f"review_pack.{key}", self.lang, **args)

    def head(self, column: str) -> str:
        if column in _BUSINESS:
            return wording.text(f"decided.head.{column}", self.lang).split("|")[0]
        if column == "amount":
            unit = currency_word(self.settings.currency, self.lang)
            return self.text("head.amount", window=self.window, unit=unit)
        return self.text(f"head.{column}")

    @property
    def window(self) -> str:
        """The window of money: months where it is whole years."""
        days = self.settings.segmentation.monetary_days
        years, rest = divmod(days, 365)
        return (
            self.text("window_days", count=days)
            if rest
            else self.text("window_months", count=years * 12)
        )

    @property
    def title(self) -> str:
        period = format_period(Period.parse(self.settings.period), self.lang)
        company = self.settings.report.company
        if not company:
            return self.text("title_short", period=period)
        return self.text("title", company=company, period=period)

    @property
    def segments(self) -> dict[str, str]:
        """The segments in the scheme's order, with their names."""
        own = self.frames.get("scheme_segments", pd.DataFrame())
        if len(own):
            own = own[own["primary"].astype(bool)].sort_values("position")
            named = zip(own["segment"], own[f"name_{self.lang}"].fillna(""), strict=True)
            return {key: str(name or word(f"segment.{key}", self.lang)) for key, name in named}
        keys = self.frames["segment_summary"]["segment"]
        return {key: word(f"segment.{key}", self.lang) for key in keys if key != "all"}

    def rows(self) -> list[dict[str, Any]]:
        """The list's rows as they are shown."""
        names = self.segments
        found = self.frames["review"].sort_values("rank")
        reasons = self.frames["segments"].set_index("customer_id")["reason"]
        currency = self.settings.currency
        return [
            {
                **{str(name): value for name, value in row.items()},
                "because": told(_by_rule(reasons[row["customer_id"]]), self.lang, currency),
                "why": told(row["why"], self.lang, currency),
                "in_force": names.get(row["segment"], row["segment"]),
                **{
                    column: names.get(row[column], row[column])
                    for column in ("system_segment", "proposal")
                },
                "cluster": names.get(row["cluster"], ""),
            }
            for row in found.to_dict("records")
        ]

    @property
    def columns(self) -> list[str]:
        """Those of the system, then those of the business.

        What is in force has a column only where it is not what the rules say.
        """
        review = self.frames["review"]
        differs = (review["segment"] != review["system_segment"]).any()
        return [name for name in _SYSTEM if differs or name != "in_force"] + list(_BUSINESS)


def _by_rule(reason: str) -> str:
    """The reason of the rules, also where a person decided otherwise."""
    system = json.loads(reason).get("args", {}).get("system_reason")
    return str(system or reason)


def _guide(sheet: Worksheet, pack_: _Pack, looks: _Looks) -> str:
    """How to fill in, and the segments; the range of their names."""
    folder = pack_.settings.segmentation.overrides.folder(pack_.settings.run)
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 84)
    sheet.write_string(0, 0, plain(pack_.title), looks.title)
    row = 2
    for number, step in enumerate(_STEPS, start=1):
        args = {"folder": folder} if step == "back" else {}
        line = f"{number}. {pack_.text(f'step.{step}', **args)}"
        sheet.merge_range(row, 0, row, 1, "", looks.step)
        sheet.write_string(row, 0, plain(line), looks.step)
        sheet.set_row(row, 33)
        row += 1
    row += 1
    for at, key in enumerate(("segments", "meaning")):
        sheet.write_string(row, at, pack_.text(key), looks.head)
    first = row + 1
    for key, name in pack_.segments.items():
        row += 1
        sheet.write_string(row, 0, plain(name), looks.text)
        meaning = f"segment_definition.{pack_.settings.segmentation.scheme}.{key}"
        told_ = wording.text(meaning, pack_.lang) if wording.has(meaning) else ""
        sheet.write_string(row, 1, told_, looks.text)
    _paper(sheet, pack_)
    corners = (xl_rowcol_to_cell(at, 0, row_abs=True, col_abs=True) for at in (first, row))
    return f"='{pack_.text('guide')}'!" + ":".join(corners)


def _list(sheet: Worksheet, pack_: _Pack, looks: _Looks, names: str) -> None:
    """The customers, a row each."""
    rows, columns = pack_.rows(), pack_.columns
    widths = _SYSTEM | _BUSINESS
    subtitle = pack_.text(
        "subtitle",
        day=format_day(pack_.as_of, pack_.lang),
        window=pack_.window,
        count=f"{len(rows):,}",
    )
    sheet.write_string(0, 0, plain(pack_.title), looks.title)
    sheet.write_string(1, 0, plain(subtitle), looks.soft)
    sheet.set_row(0, 24)
    sheet.set_row(_HEAD, 32)
    for at, column in enumerate(columns):
        sheet.set_column(at, at, widths[column])
        look = looks.head_yours if column in _BUSINESS else looks.head
        sheet.write_string(_HEAD, at, pack_.head(column), look)
    last = max(_HEAD + len(rows), _HEAD + 1)
    for row, values in enumerate(rows, start=_HEAD + 1):
        for at, column in enumerate(columns):
            _cell(sheet, (row, at), column, values.get(column), pack_, looks)
        texts = ((_shown(values.get(c)), widths[c]) for c in columns if c != "amount")
        sheet.set_row(row, row_height(texts))
    opinion = columns.index("opinion")
    sheet.data_validation(
        _HEAD + 1,
        opinion,
        last,
        opinion,
        {
            "validate": "list",
            "source": names,
            "input_title": pack_.text("hint_title"),
            "input_message": pack_.text("hint"),
            "error_message": pack_.text("wrong"),
        },
    )
    for column in ("decided_on", "expires_on"):
        at = columns.index(column)
        hint = {"input_title": pack_.head(column), "input_message": pack_.text("day_hint")}
        sheet.data_validation(_HEAD + 1, at, last, at, {"validate": "any", **hint})
    sheet.freeze_panes(_HEAD + 1, columns.index("name") + 1)
    sheet.autofilter(_HEAD, 0, last, len(columns) - 1)
    sheet.repeat_rows(0, _HEAD)
    _paper(sheet, pack_)


def _cell(
    sheet: Worksheet,
    place: tuple[int, int],
    column: str,
    value: Any,
    pack_: _Pack,
    looks: _Looks,
) -> None:
    row, at = place
    if column == "decided_on":
        sheet.write_datetime(row, at, datetime.combine(pack_.as_of, time()), looks.day)
    elif column in _BUSINESS:
        sheet.write_blank(row, at, None, looks.day if column == "expires_on" else looks.yours)
    elif column in ("rank", "amount"):
        sheet.write_number(row, at, float(value), looks.money)
    else:
        sheet.write_string(row, at, plain(_shown(value)), looks.text)


def _shown(value: Any) -> str:
    return "" if value is None or value != value else str(value)  # noqa: PLR0124


def _paper(sheet: Worksheet, pack_: _Pack) -> None:
    """A4 across, one page wide."""
    sheet.set_paper(_A4)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.set_footer("&C" + pack_.text("page", page="&P", pages="&N"))
