"""A row of the catalogue: what is odd, in which formats it occurs, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.corpus import writers
from tests.corpus.sheet import COLUMNS, Sheet

TEXT = ("csv", "csv-bom", "csv-gb18030", "csv-utf16", "tsv")
BOOKS = ("xlsx", "xls", "html", "xml")
EVERY = (*TEXT, "csv-semicolon", "csv-wide-comma", *BOOKS, "parquet")
CELLS = ("csv", "csv-gb18030", "tsv", "xlsx", "xls", "html", "xml", "parquet")
# Formats with titles and totals.
RAGGED = (
    "csv",
    "csv-gb18030",
    "tsv",
    "xlsx",
    "xls",
    "html",
    "xml",
)

# What is said of every file of a format, whatever it holds.
IMPLIED = {"csv-gb18030": {"encoding"}, "csv-utf16": {"encoding"}, "html": {"html"}}


@dataclass(frozen=True)
class Outcome:
    """What must come of a file.

    Attributes
    ----------
    notes
        All that the report says of the reading, without ``note.``.
    rules
        Rule → lines that it takes away, at reading or in cleaning.
    error, says
        The problem instead, without ``sources.``, and what it must name.
    code
        Exit code of a command that reads the file.
    """

    notes: frozenset[str] = frozenset()
    rules: Mapping[str, int] = field(default_factory=dict)
    error: str = ""
    says: Mapping[str, str] = field(default_factory=dict)

    @property
    def code(self) -> int:
        """Exit code of ``analysis check``."""
        return 3 if self.error else 0

    def __str__(self) -> str:
        if self.error:
            said = ", ".join(f"{k}={v}" for k, v in self.says.items())
            return f"{self.error}({said})"
        return " + ".join([*self.notes, *(f"{rule}={n}" for rule, n in self.rules.items())]) or "ok"


def ok(*notes: str) -> Outcome:
    """Everything is read, with these notes."""
    return Outcome(frozenset(notes))


def rejects(*notes: str, **rules: int) -> Outcome:
    """These rules take lines away; the others are read."""
    return Outcome(frozenset(notes), rules)


def fails(error: str, **says: str) -> Outcome:
    """The file is refused: this problem, naming these things."""
    return Outcome(error=error, says=says)


@dataclass(frozen=True)
class Row:
    """A row of the catalogue.

    Attributes
    ----------
    section, name
        Where it stands in the catalogue, and what is odd.
    sheet
        Cells and truth.
    outcome
        What must come of it.
    forms
        Formats in which it occurs.
    content
        The bytes, where the sheet alone does not make them: of the sheet's in that format.
    suffix
        The name's ending, where it is not the format's.
    source
        Further settings of the source.
    """

    section: str
    name: str
    sheet: Sheet
    outcome: Outcome
    forms: Sequence[str] = CELLS
    content: Callable[[Sheet, str], bytes] | None = None
    suffix: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A row of the catalogue in one format: a file."""

    row: Row
    form: str
    file: str

    @property
    def name(self) -> str:
        """How the case is called in reports."""
        return f"{self.row.section} {self.row.name} [{self.form}]"

    @property
    def notes(self) -> set[str]:
        """All notes that are due, also those of the format."""
        return {f"note.{n}" for n in self.row.outcome.notes | IMPLIED.get(self.form, set())}

    def content(self) -> bytes:
        """The file's bytes."""
        if self.row.content is not None:
            return self.row.content(self.row.sheet, self.form)
        return writers.write(self.row.sheet, self.form)

    def source(self) -> dict[str, Any]:
        """The settings that name the file."""
        return {"path": self.file, "columns": COLUMNS, **self.row.source}


def cases(rows: Sequence[Row]) -> list[Case]:
    """Every row in each of its formats."""
    found = []
    for number, row in enumerate(rows):
        for form in row.forms:
            suffix = row.suffix or writers.SUFFIX[form]
            found.append(Case(row, form, f"{number:03d}-{form}.{suffix}"))
    return found
