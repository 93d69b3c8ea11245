"""XML spreadsheets of Excel 2003, which some ERP systems save under the name .xls."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any
from xml.parsers import expat

from analysis.errors import Problem, SourceError
from analysis.settings_sources import Source
from analysis.sources import sheets
from analysis.sources.files import File
from analysis.sources.grid import MOST_COLUMNS, Grid, Merge, Scorer
from analysis.sources.sheets import Cells, Sheet

_OFFICE = "urn:schemas-microsoft-com:office:spreadsheet|"
_MOST_ROWS = 1_048_576


@dataclass
class _Page:
    title: str
    visible: bool = True
    rows: list[tuple[int, list[Any]]] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)
    row: int = 0

    def cells(self) -> Cells:
        return Cells(self.rows, tuple(self.merges), frozenset(self.hidden))


class _Reader:
    """Follows the elements Worksheet, Row, Cell and Data."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.pages: list[_Page] = []
        self.text: list[str] | None = None
        self.kind = ""
        self.skip = 0  # columns that the last cell's merge covers

    def start(self, name: str, attributes: dict[str, str]) -> None:
        given = {k.removeprefix(_OFFICE): v for k, v in attributes.items()}
        tag = name.removeprefix(_OFFICE)
        if tag == "Worksheet":
            self.pages.append(_Page(given.get("Name", "")))
        elif tag == "Visible" or not self.pages:
            return
        elif tag == "Row":
            self._row(given)
        elif tag == "Cell":
            self._cell(given)
        elif tag == "Data":
            self.text, self.kind = [], given.get("Type", "String")
        elif name.endswith("|Visible"):
            self.text = []

    def _row(self, given: dict[str, str]) -> None:
        page = self.pages[-1]
        page.row = _number(given.get("Index"), page.row + 1, _MOST_ROWS)
        page.rows.append((page.row, []))
        self.skip = 0
        if given.get("Hidden") == "1":
            page.hidden.add(page.row)

    def _cell(self, given: dict[str, str]) -> None:
        page = self.pages[-1]
        cells = page.rows[-1][1]
        at = _number(given.get("Index"), len(cells) + 1 + self.skip, MOST_COLUMNS + 1) - 1
        cells += [None] * (at + 1 - len(cells))
        self.skip = _number(given.get("MergeAcross"), 0, MOST_COLUMNS)
        down = _number(given.get("MergeDown"), 0, _MOST_ROWS)
        if self.skip or down:
            page.merges.append(Merge(page.row, at, page.row + down, at + self.skip))
        if len(cells) + self.skip > MOST_COLUMNS:
            raise sheets.too_wide(self.file, len(cells) + self.skip)

    def data(self, text: str) -> None:
        if self.text is not None:
            self.text.append(text)

    def end(self, name: str) -> None:
        tag = name.rpartition("|")[2]
        if self.text is None or not self.pages:
            return
        if tag == "Visible":
            self.pages[-1].visible = "Hidden" not in "".join(self.text)
        elif tag == "Data" and self.pages[-1].rows and self.pages[-1].rows[-1][1]:
            self.pages[-1].rows[-1][1][-1] = _value("".join(self.text), self.kind)
        if tag in ("Visible", "Data"):
            self.text = None


def _number(text: str | None, default: int, most: int) -> int:
    return min(int(text), most) if text and text.isascii() and text.isdigit() else default


def _value(text: str, kind: str) -> Any:
    if kind == "DateTime":  # 2025-01-03T00:00:00.000
        return text.replace("T", " ").removesuffix(".000")
    if kind == "Number":
        try:
            return float(text)
        except ValueError:
            return text
    return {"1": "true", "0": "false"}.get(text, text) if kind == "Boolean" else text


def read(file: File, source: Source, score: Scorer) -> Grid:
    """Read one sheet, or several as one table.

    Raises
    ------
    SourceError
        If the file is damaged, or defines entities of its own (no spreadsheet does).
    """
    reader = _Reader(file.name)
    parser = expat.ParserCreate(namespace_separator="|")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data

    def refuse(*_: Any) -> None:
        raise SourceError(Problem("sources.document_type", {"file": file.name}))

    parser.StartDoctypeDeclHandler = refuse
    try:
        with file.path.open("rb") as handle:
            parser.ParseFile(handle)
    except expat.ExpatError as error:
        raise SourceError(Problem("sources.damaged", {"file": file.name})) from error
    if not reader.pages:
        raise SourceError(Problem("sources.no_table", {"file": file.name}))
    pages = [Sheet(p.title, p.visible, partial(_Page.cells, p)) for p in reader.pages]
    return sheets.read(pages, file, source, score, "xml")
