"""Workbooks of tasks that come back filled in: whose they are, and of which plan.

The tool hands every person a workbook with a hidden sheet that says which run, period and person
it is for. A file with that sheet is read by the headers of its form (``params/mappings/
tasks_workbook.yml``) whatever the settings say of the other files of the same source, so that a
CRM's export of tasks and the workbooks may lie in one folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from analysis.calendars import Period
from analysis.errors import Problem, SourceError
from analysis.settings_model import Settings
from analysis.settings_sources import ColumnSource, Source
from analysis.sources import packages, texts, workbooks
from analysis.sources.files import File, kind_of
from analysis.sources.grid import Grid, Scorer
from analysis.sources.mapping import Wanted

TABLE = "tasks"
MAPPING = "tasks_workbook"
META = "_meta"
KIND, VERSION = "analysis-tasks", "1"
# What a seller answers with: a day among them that cannot be read makes the answer unusable.
ANSWERED = ("done_on", "moved_to")


@dataclass(frozen=True)
class Form:
    """What the hidden sheet of a workbook of tasks says.

    Attributes
    ----------
    run, period
        The plan's; `period` is the one that the tasks are for.
    owner_id
        The person it was made for; may be empty.
    """

    run: str
    period: str
    owner_id: str

    def foreign(self, settings: Settings) -> bool:
        """Whether it belongs to another run, or to a period that the settings' does not touch."""
        if self.run != settings.run:
            return True
        try:
            own, now = Period.parse(self.period), Period.parse(settings.period)
        except ValueError:
            return True
        return own.start > now.end or own.end < now.start

    @property
    def starts_on(self) -> Any:
        """First day of its period; None where it names none."""
        try:
            return Period.parse(self.period).start
        except ValueError:
            return None


def form_of(file: File) -> Form | None:
    """What the hidden sheet of a file says; None for every other file.

    Raises
    ------
    SourceError
        If the workbook is damaged, or of a form of a later version.
    """
    if kind_of(file) != "xlsx":
        return None
    try:
        book = load_workbook(file.path, read_only=True, data_only=True)
    except (InvalidFileException, *packages.BROKEN) as error:
        raise SourceError(Problem("sources.damaged", {"file": file.name})) from error
    try:
        if META not in book.sheetnames:
            return None
        rows = book[META].iter_rows(max_row=4, max_col=2, values_only=True)
        said = {texts.header(row[0]): texts.header(row[-1]) for row in rows if len(row) > 1}
    finally:
        book.close()
    version = said.get(KIND)
    if version is None:
        return None
    if version != VERSION:
        args = {"file": file.name, "found": version or "-", "allowed": VERSION}
        raise SourceError(Problem("sources.form_version", args))
    return Form(*(said.get(name, "") for name in ("run", "period", "owner_id")))


def source_of(form: Form, file: File) -> Source:
    """How a filled workbook is read."""
    owner = {"owner_id": ColumnSource(value=form.owner_id)} if form.owner_id else {}
    return Source(path=file.name, mapping=MAPPING, columns=owner)


def needed(wanted: Sequence[Wanted]) -> list[Wanted]:
    """The form's columns: without its status it says nothing."""
    return [replace(w, must=w.must or w.column.name == "status") for w in wanted]


def read_form(file: File, source: Source, score: Scorer) -> Grid:
    """The sheet with the tasks, wherever it stands and whatever it is called now.

    Raises
    ------
    SourceError
        If no sheet has the form's columns, and one of them cannot be read either.
    """
    book = load_workbook(file.path, read_only=True)
    try:
        visible = [s.title for s in book.worksheets if s.sheet_state == "visible"]
    finally:
        book.close()
    found: list[Grid] = []
    problems: list[Problem] = []
    for sheet in visible:
        try:
            named = source.model_copy(update={"sheet": sheet})
            found.append(workbooks.read(file, named, score))
        except SourceError as error:
            problems += error.problems
    best = max(found, key=lambda grid: score(grid.header), default=None)
    if best is not None and (score(best.header)[0] or not problems):
        return best
    raise SourceError(problems or [Problem("sources.empty_file", {"file": file.name})])
