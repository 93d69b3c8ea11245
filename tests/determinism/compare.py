"""Two folders that should hold the same bytes: the first difference of every file, by its place.

A difference in a table is named by column and key, in JSON by its pointer, in a page by its line,
in a workbook by member and cell. Who reads it knows where to look; a pair of checksums tells
nobody anything.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from pypdf import PdfReader

from analysis.tables import RECORD

Place = tuple[str, str, str]
_NOTHING = "(nothing)"
_AROUND = 60  # characters shown around a difference


@dataclass(frozen=True)
class Difference:
    """Where two files part: inside which file, at which place, and what stands there."""

    file: str
    place: str
    one: str
    other: str

    def __str__(self) -> str:
        return f"{self.file}: {self.place}: {self.one} | {self.other}"


@dataclass(frozen=True)
class Tolerance:
    """What may differ.

    Attributes
    ----------
    files
        Files that are not compared.
    columns
        Table → columns that may differ, in its Parquet file and in its sheet.
    pointers
        JSON file → pointers that are not compared.
    words
        For a folder, what stands for what in its texts: names that may differ between the two.
    """

    files: frozenset[str] = frozenset({"log.txt"})
    columns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    pointers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    words: Callable[[Path], Mapping[str, str]] = lambda _: {}

    def text(self, folder: Path, content: bytes) -> str:
        """A file's text, with the names that may differ replaced."""
        text = content.decode("utf-8", "replace")
        for found, stand_in in self.words(folder).items():
            text = text.replace(found, stand_in)
        return text


def differences(one: Path, other: Path, allowed: Tolerance | None = None) -> list[Difference]:
    """The first difference of every file in two folders; empty if they are the same."""
    allowed = allowed or Tolerance()
    ours, theirs = _files(one, allowed), _files(other, allowed)
    found = [
        Difference(name, "file", *(("there", _NOTHING) if name in ours else (_NOTHING, "there")))
        for name in sorted(ours ^ theirs)
    ]
    for name in sorted(ours & theirs):
        a, b = (one / name).read_bytes(), (other / name).read_bytes()
        if a == b:
            continue
        place = _first(name, (one, a), (other, b), allowed)
        if place is not None:
            found.append(Difference(name, *place))
    return found


def _files(folder: Path, allowed: Tolerance) -> set[str]:
    names = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return set(names) - allowed.files


Side = tuple[Path, bytes]


def _first(name: str, a: Side, b: Side, allowed: Tolerance) -> Place | None:
    """The first place where two files differ; None if only in what is allowed."""
    ending, table = Path(name).suffix, Path(name).stem
    if ending == ".parquet":
        left = allowed.columns.get(table, frozenset())
        return _in_parquet(table, a[1], b[1], left) or _bytes(a[1], b[1], bool(left))
    if ending == ".xlsx":
        return in_workbook(a[1], b[1], allowed.columns)
    if ending == ".pdf" and allowed.words(a[0]):  # other names need other parts of the font
        a, b = ((folder, _pages(content)) for folder, content in (a, b))
    one, other = (allowed.text(*side) for side in (a, b))
    if ending in (".json", ".ipynb"):
        left = allowed.pointers.get(name, frozenset())
        places = in_json(json.loads(one), json.loads(other))
        found = (p for p in places if not _below(p[0], left))
        return next(found, None) or _bytes(one.encode(), other.encode(), bool(left))
    return in_text(one, other)


def _pages(pdf: bytes) -> bytes:
    """What stands on the pages of a PDF."""
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).encode()


def _below(pointer: str, allowed: frozenset[str]) -> bool:
    return any(pointer == at or pointer.startswith(f"{at}/") for at in allowed)


def _bytes(a: bytes, b: bytes, tolerated: bool) -> Place | None:
    """Files that hold the same and yet are not the same bytes."""
    if tolerated or a == b:
        return None
    at = next(i for i, (x, y) in enumerate(zip_longest(a, b)) if x != y)
    around = slice(max(at - 20, 0), at + 20)
    return (f"same content, other bytes from byte {at}", repr(a[around]), repr(b[around]))


def _in_parquet(name: str, a: bytes, b: bytes, left: frozenset[str]) -> Place | None:
    one, other = (pq.read_table(pa.BufferReader(content)) for content in (a, b))
    one, other = (t.drop_columns([c for c in t.column_names if c in left]) for t in (one, other))
    return in_table(one, other, [k for k in _key(name) if k not in left])


def _key(name: str) -> list[str]:
    return list(RECORD[name].key) if name in RECORD else []


def in_table(one: pa.Table, other: pa.Table, key: list[str]) -> Place | None:
    """The first difference of two tables: schema, a row that only one has, or a cell.

    Parameters
    ----------
    key
        Columns that name a row; without them rows are compared by their order. If they do not
        name it alone, rows of the same key are compared in the order of their content.
    """
    if one.schema != other.schema:
        pairs = zip_longest(one.schema, other.schema)
        a, b = next((x, y) for x, y in pairs if x != y)
        return ("schema", str(a), str(b))
    rows, others = one.to_pylist(), other.to_pylist()
    if key:
        for many in (rows, others):
            many.sort(key=lambda row: (repr([row[k] for k in key]), repr(row)))
    for at, (row, match) in enumerate(zip_longest(rows, others)):
        if row is None or match is None or any(row[k] != match[k] for k in key):
            return (f"row {at + 1}", _row(row, key), _row(match, key))
        for column in row:
            if repr(row[column]) != repr(match[column]):
                place = f"column {column}, row {_row(row, key) if key else at + 1}"
                return (place, repr(row[column]), repr(match[column]))
    return None


def _row(row: Mapping[str, Any] | None, key: list[str]) -> str:
    if row is None:
        return _NOTHING
    return ", ".join(f"{k}={row[k]}" for k in (key or row))


def in_json(one: Any, other: Any, pointer: str = "") -> Iterator[Place]:
    """Every difference of two JSON values, by its pointer."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted({*one, *other}):
            at = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            yield from in_json(one.get(name, _NOTHING), other.get(name, _NOTHING), at)
    elif isinstance(one, list) and isinstance(other, list):
        for index, (x, y) in enumerate(zip_longest(one, other, fillvalue=_NOTHING)):
            yield from in_json(x, y, f"{pointer}/{index}")
    elif type(one) is not type(other) or one != other:
        _, x, y = in_text(str(one), str(other)) or ("", repr(one), repr(other))
        yield (pointer or "/", x, y)


def in_text(one: str, other: str) -> Place | None:
    """The first line that differs, and what stands around the difference."""
    for number, (a, b) in enumerate(zip_longest(one.split("\n"), other.split("\n")), start=1):
        if a != b:
            if a is None or b is None:
                return (f"line {number}", str(a or _NOTHING)[:80], str(b or _NOTHING)[:80])
            at = next(i for i, (x, y) in enumerate(zip_longest(a, b)) if x != y)
            part = slice(max(at - _AROUND, 0), at + _AROUND)
            return (f"line {number}, character {at + 1}", a[part], b[part])
    return None


def in_workbook(
    a: bytes, b: bytes, columns: Mapping[str, frozenset[str]] | None = None
) -> Place | None:
    """The first cell that differs; else the first member, or what the zip says of it.

    Parameters
    ----------
    columns
        Sheet → columns that may differ; the order of its rows then does not count either.
    """
    place = None if a == b else _in_cells(a, b, columns or {})
    return place or (None if a == b or columns else _in_members(a, b))


def _in_members(a: bytes, b: bytes) -> Place:
    with zipfile.ZipFile(io.BytesIO(a)) as one, zipfile.ZipFile(io.BytesIO(b)) as other:
        for left, right in zip_longest(one.infolist(), other.infolist()):
            if left is None or right is None or left.filename != right.filename:
                names = [info.filename if info else _NOTHING for info in (left, right)]
                return ("members", names[0], names[1])
            texts = [z.read(i).decode("utf-8", "replace") for z, i in ((one, left), (other, right))]
            inside = in_text(*texts)
            if inside is not None:
                return (f"{left.filename}, {inside[0]}", *inside[1:])
            for what in ("date_time", "create_system", "compress_type", "external_attr", "extra"):
                x, y = getattr(left, what), getattr(right, what)
                if x != y:
                    return (f"{left.filename}, {what}", repr(x), repr(y))
    return ("same members, other bytes", str(len(a)), str(len(b)))


def _in_cells(a: bytes, b: bytes, columns: Mapping[str, frozenset[str]]) -> Place | None:
    one, other = (load_workbook(io.BytesIO(content), read_only=True) for content in (a, b))
    if one.sheetnames != other.sheetnames:
        return ("sheets", ", ".join(one.sheetnames), ", ".join(other.sheetnames))
    for name in one.sheetnames:
        left = columns.get(name, frozenset())
        rows, others = (_rows(book[name], left) for book in (one, other))
        for number, (row, match) in enumerate(zip_longest(rows, others, fillvalue=()), start=1):
            for at, (x, y) in enumerate(zip_longest(row, match), start=1):
                if x != y:
                    return (f"cell {name}!{get_column_letter(at)}{number}", repr(x), repr(y))
    return None


def _rows(sheet: Any, left: frozenset[str]) -> list[tuple[Any, ...]]:
    rows = list(sheet.iter_rows(values_only=True))
    if not left:
        return rows
    kept = [at for at, head in enumerate(rows[0]) if head not in left]
    head, *body = [tuple(row[at] for at in kept) for row in rows]
    return [head, *sorted(body, key=repr)]
