"""HTML tables, which many CRM systems save under the name of a workbook (.xls)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

from analysis.errors import Problem, SourceError
from analysis.settings_sources import Source
from analysis.sources import sheets, text_files
from analysis.sources.files import File
from analysis.sources.grid import MOST_COLUMNS, Grid, Merge, Note, Scorer
from analysis.sources.sheets import Cells, Sheet

_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_-]+)", re.IGNORECASE)
_HEAD = 4096  # bytes within which a page says its encoding
_PIECE = 1 << 20
_MOST_ROWS = 1_048_576


@dataclass
class _Table:
    rows: list[list[str]] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    taken: dict[int, tuple[int, int]] = field(default_factory=dict)  # column → rows left, colspan
    cell: list[str] | None = None
    span: tuple[int, int] = (1, 1)
    hidden: set[int] = field(default_factory=set)

    def cells(self) -> Cells:
        rows = enumerate(self.rows, start=1)
        return Cells(rows, tuple(self.merges), frozenset(self.hidden))

    def open_row(self) -> None:
        self.close_cell()
        self.rows.append([])

    def open_cell(self, span: tuple[int, int]) -> None:
        self.close_cell()
        if not self.rows:
            self.open_row()
        self.cell, self.span = [], span

    def close_cell(self) -> None:
        """Put the open cell where no cell from above reaches down to."""
        if self.cell is None:
            return
        row, number = self.rows[-1], len(self.rows)
        while (reach := self.taken.get(len(row), (0, 0)))[0] >= number:
            row += [""] * reach[1]
        left = len(row)
        down, across = self.span
        row += [" ".join("".join(self.cell).split()), *[""] * (across - 1)]
        if down > 1 or across > 1:
            self.merges.append(Merge(number, left, number + down - 1, left + across - 1))
        if down > 1:
            self.taken[left] = (number + down - 1, across)
        self.cell = None


class _Tables(HTMLParser):
    """All tables of a page; the ends of cells and rows may be missing, as in many exports."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[_Table] = []
        self.open: list[_Table] = []
        self.unseen = 0  # inside script or style

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.open.append(_Table())
            self.found.append(self.open[-1])
        elif tag in ("script", "style"):
            self.unseen += 1
        elif not self.open:
            return
        elif tag == "tr":
            self.open[-1].open_row()
            given = dict(attrs)
            if "display:none" in (given.get("style") or "").replace(" ", "").lower():
                self.open[-1].hidden.add(len(self.open[-1].rows))
        elif tag in ("td", "th"):
            given = dict(attrs)
            down = _span(given.get("rowspan"), _MOST_ROWS)
            self.open[-1].open_cell((down, _span(given.get("colspan"), MOST_COLUMNS + 1)))
        elif tag in ("br", "p", "div"):
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self.unseen = max(0, self.unseen - 1)
        elif not self.open:
            return
        elif tag in ("td", "th", "tr"):
            self.open[-1].close_cell()
        elif tag == "table":
            self.open.pop().close_cell()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1].cell is not None and not self.unseen:
            self.open[-1].cell.append(data)


def _span(text: str | None, most: int) -> int:
    plain = (text or "").strip()
    return min(max(int(plain), 1), most) if plain.isascii() and plain.isdigit() else 1


def read(file: File, source: Source, score: Scorer) -> Grid:
    """Read the table of a page whose header fits best; of equal ones the largest.

    Raises
    ------
    SourceError
        If the text cannot be decoded, or the page has no table (a login page, for one).
    """
    data = file.path.read_bytes()
    plain, encoding = text_files.as_utf8(data, file.name, source.encoding, _stated(data))
    text = plain.decode()
    parser = _Tables()
    for start in range(0, len(text), _PIECE):
        parser.feed(text[start : start + _PIECE])
    parser.close()
    for table in parser.open:
        table.close_cell()
    found = [t for t in parser.found if any(any(row) for row in t.rows)]
    if not found:
        raise SourceError(Problem("sources.no_table", {"file": file.name}))
    wide = max((len(row) for t in found for row in t.rows), default=0)
    if wide > MOST_COLUMNS:
        raise sheets.too_wide(file.name, wide)
    full = [t for t in found if len(t.rows) > 1 and wide > 1] or found
    places = sorted(enumerate(full, start=1), key=lambda each: -len(each[1].rows))
    pages = [Sheet(str(place), True, table.cells) for place, table in places]
    grid = sheets.read(pages, file, source, score, "html")
    notes: list[Note] = [("note.html", {}), *text_files.encoding_notes(encoding), *grid.notes]
    if parser.open:
        notes.append(("note.cut_file", {}))
    return replace(grid, encoding=encoding, notes=tuple(notes))


def _stated(data: bytes) -> str | None:
    found = _CHARSET.search(data[:_HEAD])
    return found[1].decode() if found else None
