"""What stands in an xlsx beside its values: hidden rows, formulas, errors, and how large it is.

Calamine gives values ten times as fast as a parser in Python, and nothing else. The facts are found
by a pass over the sheet's XML with regular expressions, a piece at a time, so that it costs little
and holds nothing. The pass comes first: what would unpack into gigabytes never reaches the parser.
"""

from __future__ import annotations

import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree

from openpyxl.utils import column_index_from_string, get_column_letter

from analysis.errors import Problem, SourceError
from analysis.sources.files import File

# What reading a damaged package ends in.
BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, KeyError, ValueError, OSError, EOFError,
    NotImplementedError, RuntimeError, StopIteration, ElementTree.ParseError,
)  # fmt: skip
_MOST_BYTES = 2 * 1024**3
_MOST_RATIO = 200
_CHUNK = 4 << 20
_PROLOG = 1 << 16
_P = rb"(?:\w+:)?"  # any prefix
_ROW = re.compile(rb"<" + _P + rb'row\b[^>]*?\br="(\d+)"[^>]*>')
_HIDDEN = re.compile(rb'\bhidden="(?:1|true)"')
_CELL = re.compile(
    rb"<" + _P + rb"c\b([^>/]*)>(?=<" + _P + rb"f\b)<" + _P + rb"f\b(?:[^>]*/>|[^>]*>.*?</" + _P
    + rb"f>)(.*?)</" + _P + rb"c>", re.DOTALL,
)  # fmt: skip
_ERROR = re.compile(rb"<" + _P + rb'c\b([^>]*\bt="e"[^>]*)>.*?<' + _P + rb"v>([^<]*)</", re.DOTALL)
_PLACE = re.compile(rb'\br="([A-Z]+)(\d+)"')
_VALUED = re.compile(rb' r="([A-Z]{1,3})\d+"[^>/]*>')
_VALUE_ENDS = (b"v>", b"is>")
# A dense table of so many cells is held only if the sheet really fills a quarter of it.
_SPARSE = 4_000_000


@dataclass
class Facts:
    """What a pass over one sheet finds.

    Attributes
    ----------
    hidden
        Numbers of hidden rows.
    errors
        (row, column) → an error value such as ``#N/A``.
    uncalculated
        (row, column) of formulas without a result.
    last_row, last_column
        The furthest row and column (from 0) with a value.
    cells
        Cells with a value.
    """

    hidden: set[int] = field(default_factory=set)
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    uncalculated: set[tuple[int, int]] = field(default_factory=set)
    last_row: int = 0
    last_column: int = -1
    cells: int = 0

    @property
    def sparse(self) -> bool:
        """Whether a dense table of the sheet would be mostly nothing."""
        area = self.last_row * (self.last_column + 1)
        return area > _SPARSE and area > 4 * self.cells


def check(file: File) -> None:
    """Refuse a small file that would unpack into gigabytes, and XML that defines its own words.

    Raises
    ------
    SourceError
        If it is no sound package, too large, or holds a document type (no workbook has one).
    """
    try:
        with zipfile.ZipFile(file.path) as package:
            infos = package.infolist()
            total = sum(info.file_size for info in infos)
            bomb = total > 200 * 1024**2 and total > _MOST_RATIO * file.path.stat().st_size
            if total > _MOST_BYTES or bomb:
                args = {"file": file.name, "megabytes": f"{total // 1024**2:,}"}
                raise SourceError(Problem("sources.too_large", args))
            for info in infos:
                if info.filename.endswith((".xml", ".rels")):
                    with package.open(info) as part:
                        head = part.read(_PROLOG)
                    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
                        raise SourceError(Problem("sources.document_type", {"file": file.name}))
    except BROKEN as error:
        raise SourceError(Problem("sources.damaged", {"file": file.name})) from error


def sheet_parts(file: File) -> dict[str, str]:
    """Where each sheet of a workbook stands in its package.

    Raises
    ------
    One of `BROKEN`
        If it does not say.
    """
    with zipfile.ZipFile(file.path) as package:
        main = next(
            target for kind, _, target in _relations(package, "", "_rels/.rels")
            if kind.endswith("/officeDocument")
        )  # fmt: skip
        folder, name = posixpath.split(main)
        rels = f"{folder}/_rels/{name}.rels".lstrip("/")
        targets = {key: target for _, key, target in _relations(package, folder, rels)}
        book = ElementTree.fromstring(package.read(main))  # noqa: S314 - see `check`
    found = {}
    for element in book.iter():
        if element.tag.rpartition("}")[2] == "sheet":
            key = next(v for k, v in element.attrib.items() if k.endswith("}id"))
            found[element.attrib["name"]] = targets[key]
    return found


def _relations(package: zipfile.ZipFile, folder: str, part: str) -> Iterator[tuple[str, str, str]]:
    root = ElementTree.fromstring(package.read(part))  # noqa: S314 - see `check`
    for element in root:
        target = element.attrib["Target"]
        where = target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
        yield element.attrib["Type"], element.attrib["Id"], posixpath.normpath(where)


def scan(file: File, part: str) -> Facts:
    """The facts of one sheet.

    Raises
    ------
    SourceError
        If the part is damaged.
    """
    facts = Facts()
    try:
        with zipfile.ZipFile(file.path) as package, package.open(part) as handle:
            rest = b""
            row = 0
            while chunk := handle.read(_CHUNK):
                block = rest + chunk
                cut = block.rfind(b"row>") + 4  # whole rows only, with any prefix
                if cut < 4:  # rows of nothing close themselves
                    cut = block.rfind(b"/>") + 2
                rest = block[cut:]
                row = _look(block[:cut], facts, row)
            _look(rest, facts, row)
    except BROKEN as error:
        raise SourceError(Problem("sources.damaged", {"file": file.name})) from error
    return facts


def _look(block: bytes, facts: Facts, row: int) -> int:
    """Add what a piece of whole rows holds; the last row's number."""
    values = max(block.count(b"v>") // 2, 0) + block.count(b"is>") // 2
    facts.cells += values
    if b' hidden="' in block:
        facts.hidden |= {int(m[1]) for m in _ROW.finditer(block) if _HIDDEN.search(m[0])}
    if b't="e"' in block:
        for found in _ERROR.finditer(block):
            if place := _place(found[1]):
                facts.errors[place] = found[2].decode(errors="replace")
    if b"f>" in block or b"<f " in block:
        for found in _CELL.finditer(block):
            empty = not re.search(rb"v>[^<]", found[2])
            if empty and b't="str"' not in found[1] and (place := _place(found[1])):
                facts.uncalculated.add(place)
    if values:
        end = max(block.rfind(mark) for mark in _VALUE_ENDS)
        start = block.rfind(b"row ", 0, end)
        tag = _ROW.match(block, block.rfind(b"<", 0, start + 1)) if start >= 0 else None
        facts.last_row = max(facts.last_row, int(tag[1]) if tag else row + block.count(b"row>"))
        facts.last_column = _furthest(block, facts.last_column)
    return facts.last_row


def _furthest(block: bytes, known: int) -> int:
    """The furthest column with a value; a search looks only for what is beyond the known one."""
    at = 0
    while found := _beyond(known).search(block, at):
        at = block.find(b"row>", found.end())
        at = len(block) if at < 0 else at
        names = _VALUED.findall(block, found.start(), at)
        known = max(column_index_from_string(name.decode()) - 1 for name in names)
    return known


def _beyond(column: int) -> re.Pattern[bytes]:
    """Cells with content in columns after this one."""
    if column < 0:
        return _VALUED
    name = get_column_letter(column + 1)
    longer = f"[A-Z]{{{len(name) + 1},3}}" if len(name) < 3 else ""
    same = [
        f"{name[:i]}[{chr(ord(c) + 1)}-Z][A-Z]{{{len(name) - i - 1}}}"
        for i, c in enumerate(name) if c != "Z"
    ]  # fmt: skip
    options = "|".join([longer, *same]) if longer else "|".join(same)
    return re.compile(rf' r="({options or "(?!)"})\d+"[^>/]*>'.encode())


def _place(attributes: bytes) -> tuple[int, int] | None:
    found = _PLACE.search(attributes)
    return (int(found[2]), column_index_from_string(found[1].decode()) - 1) if found else None
