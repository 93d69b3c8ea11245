"""What people decided on single customers: lists of overrides and returned review workbooks.

A list is a CSV file or workbook with the columns customer, segment, author, reason, decided on
and expires on, headed in either language. A returned review workbook has the column *opinion*
instead of *segment*: rows without an opinion say nothing. Both are read as every source is:
UTF-8 or GB18030, days as days or text, segments by key or by name.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from analysis import wording
from analysis.errors import Problem, SourceError
from analysis.settings_checks import nearest
from analysis.settings_model import Settings
from analysis.settings_segmentation import DECISION_FILES
from analysis.settings_sources import Source
from analysis.sources import dates, old_workbooks, text_files, texts, workbooks
from analysis.sources.dates import Zones
from analysis.sources.files import KINDS, File, kind_of, locate
from analysis.sources.grid import Grid

COLUMNS = [
    "customer_id",
    "segment",
    "author",
    "reason",
    "decided_on",
    "expires_on",
    "file",
    "row",
]
_FIELDS = ("customer_id", "segment", "opinion", "author", "reason", "decided_on", "expires_on")
_ALWAYS = ("customer_id", "author", "reason", "decided_on")
_ZONE = Zones("UTC", "UTC")  # days have no zone
_SHOWN = 40  # characters of a wrong value that a message repeats

Names = Mapping[str, Collection[str]]


def decisions(settings: Settings, root: Path, names: Names, as_of: date) -> pd.DataFrame:
    """Read every decision of a run's folder of decisions.

    Parameters
    ----------
    settings
        Run and ``segmentation.overrides``: the folder's files called like
        `analysis.settings_segmentation.DECISION_FILES` are read. It need not exist.
    root
        The project folder.
    names
        Segment key → the names that people write for it, beside the key itself.
    as_of
        Last day that counts: a decision that has expired by then may name a segment that the
        scheme no longer has.

    Returns
    -------
    pandas.DataFrame
        One row a decision, in `COLUMNS`: the segment as a key; ``decided_on`` the first day it
        holds; ``expires_on`` the last one, NaT without an end. Sorted by customer, day, file
        and row.

    Raises
    ------
    SourceError
        With every problem of every file: a missing column, customer, author or reason, an
        unknown segment, a day that cannot be read, or two decisions of one day on one customer.
    """
    rows: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for file in decision_files(settings, root):
        try:
            table = _read(file)
        except SourceError as error:
            problems += error.problems
            continue
        problems += table.misfits
        known = _Names(names)
        for line in table.lines():
            row, wrong = _decision(line, known, as_of)
            problems += wrong
            if row and not wrong:
                rows.append(row)
    problems += _contradictions(rows)
    if problems:
        raise SourceError(problems)
    found = pd.DataFrame(rows, columns=COLUMNS)
    for column in ("decided_on", "expires_on"):
        found[column] = pd.to_datetime(found[column]).astype("datetime64[us]")
    order = ["customer_id", "decided_on", "file", "row"]
    return found.sort_values(order, kind="stable", ignore_index=True)


def decision_files(settings: Settings, root: Path) -> list[File]:
    """The files of decisions of a run, by path."""
    folder = settings.segmentation.overrides.folder(settings.run)
    found: dict[Path, File] = {}
    for name in DECISION_FILES:
        for file in locate(Source(path=f"{folder}/{name}"), root)[0]:
            if file.path.suffix.lower() in KINDS:
                found.setdefault(file.path, file)
    return [found[path] for path in sorted(found)]


@dataclass(frozen=True)
class _Table:
    """A file of decisions: its rows, and which column of it is which field."""

    file: File
    grid: Grid
    places: Mapping[str, int]

    @property
    def review(self) -> bool:
        """Whether it came back from the review meeting."""
        return "opinion" in self.places

    @property
    def misfits(self) -> list[Problem]:
        return [
            Problem("decided.fields", {"expected": len(self.grid.header)}, self.file.name, row)
            for row, _ in self.grid.misfits
        ]

    def lines(self) -> Iterator[_Line]:
        columns = {
            field: texts.column(self.grid.columns[at], key=field != "reason").to_pylist()
            for field, at in self.places.items()
        }
        for at, row in enumerate(self.grid.rows.to_pylist()):
            yield _Line(self, int(row), {name: found[at] or "" for name, found in columns.items()})


@dataclass(frozen=True)
class _Line:
    """One row of a file, as text."""

    table: _Table
    row: int
    text: Mapping[str, str]

    def problem(self, key: str, field: str, **args: Any) -> Problem:
        """What is wrong with one of its fields; it says the column as the file heads it."""
        at = self.table.places.get(field)
        column = field if at is None else self.table.grid.header[at]
        found = self.text.get(field, "")[:_SHOWN]
        place = self.table.file.name
        return Problem(
            f"decided.{key}", {"column": column, "found": found, **args}, place, self.row
        )


def _read(file: File) -> _Table:
    """A file's rows and columns.

    Raises
    ------
    SourceError
        If it cannot be read, or no sheet of it has the columns of a decision.
    """
    kind = kind_of(file)
    if kind == "parquet":
        args = {"file": file.name, "found": kind, "named": file.path.suffix.lower()}
        raise SourceError(Problem("sources.wrong_kind", args))
    grids = [text_files.read(file, Source(path=file.name), _score)] if kind == "csv" else []
    if kind == "xls":
        grids.append(old_workbooks.read(file, Source(path=file.name), _score))
    for sheet in _sheets(file) if kind == "xlsx" else ():
        try:
            grids.append(workbooks.read(file, Source(path=file.name, sheet=sheet), _score))
        except SourceError as error:
            if error.problems[0].key != "sources.empty_file":
                raise
    best = max(grids, key=lambda grid: _score(grid.header), default=None)
    if best is None:
        raise SourceError(Problem("sources.empty_file", {"file": file.name}))
    places = _places(best.header)
    missing = _missing(places)
    if missing:
        raise SourceError(
            Problem(
                "decided.missing_column",
                {
                    "column": _header(field),
                    "found": [head for head in best.header if head][:10],
                },
                file.name,
                best.header_row or 0,
            )
            for field in missing
        )
    return _Table(file, best, places)


def _sheets(file: File) -> list[str]:
    """The visible sheets of a workbook."""
    try:
        book = load_workbook(file.path, read_only=True)
    except (InvalidFileException, KeyError, ValueError, OSError) as error:
        raise SourceError(Problem("sources.damaged", {"file": file.name})) from error
    try:
        return [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
    finally:
        book.close()


def _score(cells: Sequence[str]) -> tuple[bool, int]:
    places = _places(cells)
    return not _missing(places), len(places)


def _places(header: Sequence[str]) -> dict[str, int]:
    """Field → column; of two columns for one field the first."""
    accepted = {name: field for field in _FIELDS for name in _headers(field)}
    found: dict[str, int] = {}
    for at, head in enumerate(header):
        field = accepted.get(_plain(head))
        if field:
            found.setdefault(field, at)
    return found


def _missing(places: Mapping[str, int]) -> list[str]:
    missing = [field for field in _ALWAYS if field not in places]
    if "segment" not in places and "opinion" not in places:
        missing.append("segment")
    return missing


def _headers(field: str) -> set[str]:
    words = [
        w
        for lang in wording.LANGUAGES
        for w in wording.text(f"decided.head.{field}", lang).split("|")
    ]
    return {_plain(word) for word in (field, *words)}


def _header(field: str) -> str:
    """How to head a field: its name in English, and what Chinese files say."""
    return f"{field} / {wording.text(f'decided.head.{field}', 'zh').split('|')[0]}"


def _plain(word: str) -> str:
    """A word as it is compared: one form of width and case, no blanks, no underscores."""
    kept = unicodedata.normalize("NFKC", word).casefold()
    return "".join(c for c in kept if c.isalnum())


@dataclass(frozen=True)
class _Names:
    """The segments by everything that people may call them."""

    names: Names

    @cached_property
    def keys(self) -> dict[str, str]:
        return {_plain(word): key for key, words in self.names.items() for word in (*words, key)}

    @cached_property
    def allowed(self) -> list[str]:
        """One name a segment, as a message lists them."""
        return [next(iter(words), key) for key, words in self.names.items()]

    def key(self, word: str) -> str | None:
        """The segment called so."""
        return self.keys.get(_plain(word))

    def like(self, word: str) -> str:
        """The name most like a wrong one."""
        return nearest(word, {w for key, words in self.names.items() for w in (*words, key)})


def _decision(
    line: _Line, names: _Names, as_of: date
) -> tuple[dict[str, Any] | None, list[Problem]]:
    """One row's decision, None for a reviewed customer without an opinion; what is wrong."""
    field = "opinion" if line.table.review else "segment"
    named = line.text[field]
    if line.table.review and not named:
        return None, []
    problems = [
        line.problem("empty", needed)
        for needed in ("customer_id", field, "author", "reason", "decided_on")
        if not line.text[needed]
    ]
    days: dict[str, date | None] = {}
    for name in ("decided_on", "expires_on"):
        written = line.text.get(name, "")
        moment = dates.parse(written, _ZONE) if written else None
        days[name] = moment.date() if moment else None
        if written and moment is None:
            problems.append(line.problem("bad_day", name))
    start, end = days["decided_on"], days["expires_on"]
    if start and end and end < start:
        problems.append(line.problem("ends_before", "expires_on", start=start.isoformat()))
    key = names.key(named)
    if named and key is None and not (end and end < as_of):
        like = names.like(named)
        hint: Any = {"key": "error.decided.nearest", "found": like} if like else ""
        args = {"allowed": names.allowed, "nearest": hint}
        problems.append(line.problem("unknown_segment", field, **args))
    return {
        "customer_id": line.text["customer_id"],
        "segment": key or named,
        "author": line.text["author"],
        "reason": line.text["reason"],
        "decided_on": start,
        "expires_on": end,
        "file": line.table.file.name,
        "row": line.row,
    }, problems


def _contradictions(rows: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    """Two decisions of one day that put one customer in different segments."""
    first: dict[tuple[str, date], Mapping[str, Any]] = {}
    for row in rows:
        known = first.setdefault((row["customer_id"], row["decided_on"]), row)
        if known["segment"] != row["segment"]:
            args = {
                "customer": row["customer_id"],
                "day": row["decided_on"].isoformat(),
                "other": f"{known['file']}:{known['row']}",
            }
            yield Problem("decided.contradicts", args, row["file"], row["row"])
