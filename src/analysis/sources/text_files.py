"""CSV and its relatives: strict decoding, a separator that fits, every field as text."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from analysis.errors import Problem, SourceError
from analysis.settings_sources import Source
from analysis.sources import texts
from analysis.sources.files import File
from analysis.sources.grid import HEADER_SEARCH, Grid, Note, Scorer, find_header

SEPARATORS = (",", ";", "\t", "，", "；", "|")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK = 50_000


def read(file: File, source: Source, score: Scorer) -> Grid:
    """Read a delimited text file.

    The encoding is found without statistics: byte order mark, else UTF-8 over the whole
    file, else GB18030 over the whole file, else an error.

    Raises
    ------
    SourceError
        If the bytes cannot be decoded, a quote never closes, or most rows do not have as
        many fields as the header.
    """
    text, encoding = decode(file.path.read_bytes(), file.name, source.encoding)
    if not text.strip():
        raise SourceError(Problem("sources.empty_file", {"file": file.name}))
    return read_text(text, layout(text, source, score, file.name), encoding, file.name)


class Layout(NamedTuple):
    """Separator, position of the header among the records, and its cleaned cells."""

    separator: str
    header_at: int
    header: tuple[str, ...]


def read_text(text: str, layout: Layout, encoding: str, name: str) -> Grid:
    """Read the records of a text, with its header.

    Raises
    ------
    SourceError
        If a quote never closes, or most rows do not have as many fields as the header.
    """
    encoding = encoding.removesuffix("-sig")
    grid = _fast(text, *layout, encoding)
    if grid is None:
        grid = _careful(text, *layout, encoding, name)
    return _with_end_notes(grid, text)


def decode(data: bytes, name: str, encoding: str | None = None) -> tuple[str, str]:
    """The text of a file and the encoding that explains every byte of it.

    Raises
    ------
    SourceError
        If none does.
    """
    tried = encodings(data[:4], name, encoding)
    for codec in tried:
        try:
            text = data.decode(codec)
        except UnicodeDecodeError as error:
            cut = error.reason.startswith("unexpected end") and error.start >= len(data) - 4
            if codec.startswith("utf") and cut and not data[: error.start].isascii():
                raise SourceError(Problem("sources.cut_character", {"file": name})) from error
            continue
        if "\x00" in text[:4096]:
            break
        return text.removeprefix("\ufeff"), codec.removesuffix("-sig")
    args = {"file": name, "tried": " / ".join(tried)}
    raise SourceError(Problem("sources.undecodable", args))


def encodings(start: bytes, name: str, encoding: str | None = None) -> tuple[str, ...]:
    """The encodings to try on a file, by its first bytes and what the settings say.

    Raises
    ------
    SourceError
        If the settings name none that is known.
    """
    marked = next((codec for bom, codec in _BOMS if start.startswith(bom)), None)
    chosen = marked or (_codec(encoding, name) if encoding else None)
    return (chosen,) if chosen else ("utf-8", "gb18030")


def _codec(name: str, file: str) -> str:
    try:
        codec = codecs.lookup(name).name
    except LookupError as error:
        args = {"file": file, "tried": name}
        raise SourceError(Problem("sources.undecodable", args)) from error
    return "gb18030" if codec in ("gbk", "gb2312") else codec


def _records(text: str, separator: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)


def layout(text: str, source: Source, score: Scorer, name: str) -> Layout:
    """How a text is laid out, by its first records.

    Raises
    ------
    SourceError
        If no separator gives records.
    """
    choices = (source.separator,) if source.separator else SEPARATORS
    best: tuple[tuple[bool, int, int], str, int, list[str]] | None = None
    for separator in choices:
        head = _head(text, separator)
        if not head:
            continue
        cleaned = [[texts.header(c) for c in row] for row in head]
        if source.header_row is not None:
            at = source.header_row - 1
            if at >= len(head):
                continue
        else:
            at = find_header(cleaned, score)
        complete, hits = score(cleaned[at])
        rank = (complete, hits, len(cleaned[at]))
        if best is None or rank > best[0]:
            best = (rank, separator, at, head[at])
    if best is None:
        raise SourceError(Problem("sources.unclosed_quote", {"file": name, "row": "-"}))
    _, separator, at, cells = best
    return Layout(separator, at, tuple(texts.header(c) for c in cells))


def _head(text: str, separator: str) -> list[list[str]]:
    """The first records; what follows a quote that does not close is left to the reading."""
    found: list[list[str]] = []
    try:
        found.extend(islice(_records(text[:200_000], separator), HEADER_SEARCH))
    except csv.Error:
        return found
    return found


def _fast(
    text: str, separator: str, header_at: int, header: tuple[str, ...], encoding: str
) -> Grid | None:
    """Arrow's parser, where it cannot differ from the careful one.

    No quotes below the header, no blank lines, equal field counts.
    """
    if "\r" in text.replace("\r\n", "") or len(separator.encode()) != 1:
        return None
    body = 0
    for _ in range(header_at + 1):
        body = text.find("\n", body) + 1
    if not body or '"' in text[body:] or len(_head(text[:body], separator)) != header_at + 1:
        return None
    lines = text.count("\n") + (not text.endswith("\n"))
    if "\n\n" in text or "\n\r\n" in text or lines <= header_at + 1:
        return None
    names = [str(i) for i in range(len(header))]
    try:
        table = pacsv.read_csv(
            pa.BufferReader(text.encode()),
            read_options=pacsv.ReadOptions(column_names=names, skip_rows=header_at + 1),
            parse_options=pacsv.ParseOptions(
                delimiter=separator,
                quote_char=False,
                ignore_empty_lines=False,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != lines - header_at - 1:
        return None
    order = pa.array(range(table.num_rows), pa.int64())
    columns = tuple(c.combine_chunks() for c in table.columns)
    if any(isinstance(c, pa.ChunkedArray) for c in columns) or _has_empty_rows(columns):
        return None
    rows = pa.array(range(header_at + 2, header_at + 2 + table.num_rows), pa.int64())
    return Grid("csv", encoding, header, header_at + 1, columns, rows, order)


def _has_empty_rows(columns: Sequence[pa.Array]) -> bool:
    """Rows of nothing but separators are no data."""
    empty = pc.equal(columns[0], "")
    for column in columns[1:]:
        if not pc.any(empty).as_py():
            return False
        empty = pc.and_(empty, pc.equal(column, ""))
    return bool(pc.any(empty).as_py())


def _careful(
    text: str, separator: str, header_at: int, header: tuple[str, ...], encoding: str, name: str
) -> Grid:
    """Python's strict parser: quotes, line breaks inside fields, rows that do not fit."""
    width = len(header)
    chunks: list[list[pa.Array]] = [[] for _ in header]
    rows: list[int] = []
    order: list[int] = []
    misfits: list[tuple[int, str]] = []
    pending: list[list[str]] = []
    blank = 0
    number = 0

    def flush() -> None:
        for i in range(width):
            chunks[i].append(pa.array(list(map(itemgetter(i), pending)), pa.string()))
        pending.clear()

    try:
        for number, record in enumerate(_records(text, separator), start=1):
            if number <= header_at + 1:
                continue
            if not any(record):
                blank += 1
                continue
            if len(record) != width:
                misfits.append((number, "short_row" if len(record) < width else "long_row"))
                continue
            order.append(len(order) + len(misfits))
            rows.append(number)
            pending.append(record)
            if len(pending) == _CHUNK:
                flush()
    except csv.Error as error:
        args = {"file": name, "row": str(number + 1)}
        raise SourceError(Problem("sources.unclosed_quote", args)) from error
    flush()
    if len(misfits) > len(rows):
        args = {"file": name, "header": str(width), "rows": str(len(misfits))}
        args["first"] = str(misfits[0][0])
        raise SourceError(Problem("sources.field_count", args))
    notes: tuple[Note, ...] = ()
    if blank:
        notes = (("note.blank_rows", {"rows": {"value": blank, "unit": "count"}}),)
    columns = tuple(pa.concat_arrays(parts) for parts in chunks)
    return Grid(
        "csv", encoding, header, header_at + 1, columns, pa.array(rows, pa.int64()),
        pa.array(order, pa.int64()), tuple(misfits), notes=notes,
    )  # fmt: skip


def _with_end_notes(grid: Grid, text: str) -> Grid:
    """Say where the encoding was found, and that a file without a last line end may be cut."""
    notes = list(grid.notes)
    if grid.encoding not in ("utf-8", None):
        notes.append(("note.encoding", {"encoding": (grid.encoding or "").upper()}))
    if not text.endswith(("\n", "\r")):
        last = int(grid.rows[-1].as_py()) if len(grid.rows) else 0
        cut = any(rule == "short_row" and row > last for row, rule in grid.misfits)
        notes.append(("note.cut_file" if cut else "note.no_line_end", {}))
    return Grid(**{**grid.__dict__, "notes": tuple(notes)})
