"""The plan as files that a CRM loads: segments and next actions by customer, tasks by number.

Each list comes as a workbook and as CSV. Keys stay text, and the same task has the same number
each time, so that loading twice makes no second one. What people fill in over there is never
written. A workbook holds text as text; in a CSV, which people open in a spreadsheet although it is
not meant for that, nothing stands that could be taken for a formula: it is left out there, and
the workbook says so.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from analysis import wording
from analysis.report.crm_mapping import Crm
from analysis.report.desk_data import Desks
from analysis.report.workbook import EPOCH, pack, plain
from analysis.settings_model import Settings
from analysis.wording import Language

FOLDER = "crm"
_TRIGGERS = frozenset("=+-@\t\r\n\0")  # what a spreadsheet may take for the start of a formula
_DAYS = ("set_on", "due")
_WIDTH = {"because": 60, "standard": 60, "action": 40, "title": 40}
ANSWERS = {
    "status": ("done", "open", "moved", "dropped"),
    "reason": (
        "customer_unreachable",
        "no_need",
        "price",
        "competitor",
        "timing",
        "wrong_contact",
        "no_time",
        "other",
    ),
}


def render_crm(
    tables: Mapping[str, pa.Table], settings: Settings, as_of: date, lang: Language, crm: Crm
) -> dict[str, bytes]:
    """Write the import files.

    Parameters
    ----------
    tables
        RECORD ``segments``, ``customers`` and ``tasks``; ``people`` where the CRM knows persons
        by name, ``customer_keys`` where it has numbers of its own, ``scheme_segments`` where a
        scheme brings names of its own.
    settings
        Run, period and currency.
    as_of
        The day of the segments.
    lang
        Of segments, actions and reasons.
    crm
        Names and formats.

    Returns
    -------
    dict
        Path below the exports → content: ``crm/customers.csv`` and ``.xlsx``, ``crm/tasks.csv``
        and ``.xlsx``; with more rows than the CRM takes at once they are numbered. The first
        workbook of each also lists the options to create beforehand, and what its CSV leaves out.
    """
    desks = Desks.of(tables, settings, as_of, lang)
    keys = _keys(desks, crm)
    found: dict[str, bytes] = {}
    for name, rows in (("customers", _customers(desks, crm)), ("tasks", _tasks(desks, crm))):
        listed = _List(name, getattr(crm, name), _with_keys(rows, keys), crm, lang)
        found |= listed.files(_options(desks, crm, name))
    return found


def risky(text: str) -> bool:
    """Whether a spreadsheet that opens a CSV file may take a text for a formula."""
    known = unicodedata.normalize("NFKC", text).lstrip(" \u200b\ufeff")
    return text[:1] in _TRIGGERS or known[:1] in _TRIGGERS


def _keys(desks: Desks, crm: Crm) -> pd.DataFrame:
    """Our number → the CRM's; more than one where the CRM has the customer more than once."""
    frame = desks.frames["customer_keys"]
    own = frame[frame["system"] == crm.key_system] if crm.key_system else frame.head(0)
    return own[["customer_id", "key"]].sort_values(["customer_id", "key"])


def _with_keys(rows: pd.DataFrame, keys: pd.DataFrame) -> pd.DataFrame:
    """The CRM's numbers for ours, where it has its own.

    A task of a customer whom the CRM has twice is one task, and goes to the first number.
    """
    own = keys if "task_id" not in rows else keys.drop_duplicates("customer_id")
    found = rows.merge(own, on="customer_id", how="left")
    found["customer_id"] = found["key"].fillna(found["customer_id"])
    return found.drop(columns="key")


def _customers(desks: Desks, crm: Crm) -> pd.DataFrame:
    """A row a customer: the segment, why, and the first thing to be done next."""
    rows = desks.frames["segments"][["customer_id", "segment", "reason"]]
    rows = rows.sort_values("customer_id").merge(
        desks.frames["customers"][["customer_id", "owner_id"]], on="customer_id", how="left"
    )
    tasks = desks.frames["tasks"].sort_values(["due", "task_id"]).drop_duplicates("customer_id")
    tasks = tasks[["customer_id", "title", "due", "owner_id"]]
    rows = rows.merge(tasks, on="customer_id", how="left", suffixes=("_customer", ""))
    names = desks.segments
    owner = rows["owner_id"].where(rows["owner_id"].notna(), rows["owner_id_customer"])
    return pd.DataFrame(
        {
            "customer_id": rows["customer_id"],
            "segment": [names.get(key, key) for key in rows["segment"]],
            "because": [desks.told(reason) for reason in rows["reason"]],
            "set_on": pd.Timestamp(desks.as_of),
            "action": [desks.words.get(title, "") for title in rows["title"]],
            "owner": _persons(owner, desks, crm),
            "due": pd.to_datetime(rows["due"]),
        }
    )


def _tasks(desks: Desks, crm: Crm) -> pd.DataFrame:
    rows = desks.frames["tasks"].sort_values(["due", "customer_id", "task_id"])
    words = desks.words
    return pd.DataFrame(
        {
            "task_id": rows["task_id"],
            "customer_id": rows["customer_id"],
            "title": [words[text] for text in rows["title"]],
            "standard": [words[text] for text in rows["standard"]],
            "owner": _persons(rows["owner_id"], desks, crm),
            "due": pd.to_datetime(rows["due"]),
        }
    )


def _persons(owners: pd.Series, desks: Desks, crm: Crm) -> list[str]:
    known = desks.person if crm.owner == "name" else {}
    return [known.get(who, who) if isinstance(who, str) else "" for who in owners]


def _options(desks: Desks, crm: Crm, table: str) -> list[tuple[str, str]]:
    """Field and option of every list that the CRM must know before the file is loaded."""
    if table == "customers":
        field = crm.customers.get("segment", "")
        return [(field, name) for name in desks.segments.values()] if field else []
    return [
        (crm.answers[answer], desks.text(f"{answer}.{key}"))
        for answer, keys in ANSWERS.items()
        if answer in crm.answers
        for key in keys
    ]


@dataclass(frozen=True)
class _List:
    """One list on its way into files."""

    name: str
    fields: Mapping[str, str]
    rows: pd.DataFrame
    crm: Crm
    lang: Language

    def files(self, options: Sequence[tuple[str, str]]) -> dict[str, bytes]:
        """Path → content of every file of the list."""
        most = self.crm.rows
        starts = range(0, max(len(self.rows), 1), most)
        found = {}
        for number, start in enumerate(starts, start=1):
            part = self.rows.iloc[start : start + most]
            stem = f"{FOLDER}/{self.name}" + (f"_{number:02d}" if len(starts) > 1 else "")
            found[f"{stem}.csv"] = self._csv(part)
            found[f"{stem}.xlsx"] = self._workbook(part, options if number == 1 else ())
        return found

    def _text(self, column: str, value: Any) -> str:
        if column in _DAYS:
            return "" if pd.isna(value) else str(value.strftime(self.crm.day))
        return plain(value) if isinstance(value, str) else ""

    def _lines(self, rows: pd.DataFrame) -> Iterator[list[str]]:
        for values in rows[list(self.fields)].itertuples(index=False):
            yield [self._text(c, v) for c, v in zip(self.fields, values, strict=True)]

    def _csv(self, rows: pd.DataFrame) -> bytes:
        content = io.StringIO(newline="")
        writer = csv.writer(content, lineterminator="\r\n")
        writer.writerow(self.fields.values())
        keys = [column.endswith("_id") for column in self.fields]
        for line in self._lines(rows):
            wrong = [risky(text) for text in line]
            if not any(bad and key for bad, key in zip(wrong, keys, strict=True)):
                writer.writerow(
                    "" if bad else _one_line(text) for text, bad in zip(line, wrong, strict=True)
                )
        return content.getvalue().encode("utf-8-sig", "replace")

    def _left_out(self, rows: pd.DataFrame) -> Iterator[tuple[str, str]]:
        """Key and reason of what the CSV does not hold."""
        for line in self._lines(rows):
            wrong = [column for column, text in zip(self.fields, line, strict=True) if risky(text)]
            if any(column.endswith("_id") for column in wrong):
                yield line[0], wording.text("crm.why.row", self.lang)
                continue
            for column in wrong:
                yield line[0], wording.text("crm.why.cell", self.lang, field=self.fields[column])

    def _workbook(self, rows: pd.DataFrame, options: Sequence[tuple[str, str]]) -> bytes:
        content = io.BytesIO()
        given = {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        with xlsxwriter.Workbook(content, given) as book:
            book.set_properties({"created": datetime(*EPOCH)})  # noqa: DTZ001
            head = book.add_format({"bold": True, "bg_color": "#E3E9EF", "num_format": "@"})
            text = book.add_format({"num_format": "@"})
            sheet = book.add_worksheet(self._word(f"sheet.{self.name}"))
            widths = [_WIDTH.get(column, 20) for column in self.fields]
            lines = self._lines(rows)
            _fill(sheet, list(self.fields.values()), lines, widths, (head, text))
            more = (
                ("options", ("field", "option"), list(options)),
                ("left_out", ("key", "why"), list(self._left_out(rows))),
            )
            for name, heads, listed in more:
                if listed:
                    other = book.add_worksheet(self._word(f"sheet.{name}"))
                    names = [self._word(f"head.{key}") for key in heads]
                    _fill(other, names, listed, [30, 80], (head, text))
        return pack(content)

    def _word(self, key: str) -> str:
        return wording.text(f"crm.{key}", self.lang)


def _one_line(text: str) -> str:
    """A record of a CSV file that goes into a CRM stands on one line."""
    return " ".join(text.split("\n"))


def _fill(
    sheet: Worksheet,
    heads: Sequence[str],
    lines: Iterator[list[str]] | Sequence[tuple[str, str]],
    widths: Sequence[int],
    forms: tuple[Any, Any],
) -> None:
    """Headers and rows, every cell as text."""
    head, text = forms
    sheet.freeze_panes(1, 1)
    for at, (name, width) in enumerate(zip(heads, widths, strict=True)):
        sheet.set_column(at, at, width, text)
        sheet.write_string(0, at, plain(name), head)
    for row, line in enumerate(lines, start=1):
        for at, value in enumerate(line):
            if value:
                sheet.write_string(row, at, plain(value), text)
