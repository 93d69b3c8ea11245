"""CSV and its relatives: strict decoding, a separator that fits, every field as text."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from analysis.errors import Problem, SourceError
from analysis.settings_sources import Source
from analysis.sources import headers, sheets, texts
from analysis.sources.files import File
from analysis.sources.grid import MOST_COLUMNS, Grid, Note, Scorer, count
from analysis.sources.headers import Header

SEPARATORS = (",", ";", "\t", "，", "；", "|")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK = 50_000
_CHUNK_BYTES = 16 << 20
_HEAD = 800_000  # bytes within which the header must stand
_QUOTE, _BREAK, _RETURN = b'"\n\r'


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
    data, encoding = as_utf8(file.path.read_bytes(), file.name, source.encoding)
    if not data[:_CHUNK_BYTES].strip() and not data.strip():
        raise SourceError(Problem("sources.empty_file", {"file": file.name}))
    notes = encoding_notes(encoding)
    if file.path.suffix.lower() == ".xls":
        notes.append(("note.text_xls", {}))
    if nul := data.count(b"\x00"):
        data = data.replace(b"\x00", b"")
        notes.append(("note.nul_bytes", {"count": count(nul)}))
    shape = layout(data, source, score, file.name)
    found = shape.header
    if found.depth > 1:
        notes.append(("note.two_row_header", {"rows": f"{found.at + 1}–{found.at + 2}"}))
    grid = read_text(data, shape, encoding, file.name)
    return replace(grid, notes=(*notes, *grid.notes))


class Layout(NamedTuple):
    """The separator, and the header with its position among the records."""

    separator: str
    header: Header


def read_text(data: bytes, shape: Layout, encoding: str, name: str) -> Grid:
    """Read the records of a text in UTF-8, with its header.

    Raises
    ------
    SourceError
        If a quote never closes, or most rows do not have as many fields as the header.
    """
    grid = _fast(data, *shape, encoding)
    if grid is None:
        grid = _careful(data, *shape, encoding, name)
    told = (*grid.notes, *_end_notes(grid, data))
    return replace(grid, notes=told, title=shape.header.title)


def as_utf8(
    data: bytes, name: str, encoding: str | None = None, stated: str | None = None
) -> tuple[bytes, str]:
    """The text of a file as UTF-8, and the encoding that explains every byte of it.

    Parameters
    ----------
    encoding
        The one that the settings name: no other is tried.
    stated
        The one that the file itself names, which many exports do wrongly: UTF-8 comes first,
        as hardly any other text passes for it.

    Raises
    ------
    SourceError
        If none does.
    """
    tried = encodings(data[:4], name, encoding, stated)
    for codec in tried:
        try:
            text = _transcoded(data, codec)
        except UnicodeDecodeError as error:
            if _is_cut(error, data):
                raise SourceError(Problem("sources.cut_character", {"file": name})) from error
            continue
        if text.count(0, 0, 4096) * 10 > min(len(text), 4096):
            break
        return text.removeprefix(codecs.BOM_UTF8), codec.removesuffix("-sig")
    args = {"file": name, "tried": " / ".join(tried)}
    raise SourceError(Problem("sources.undecodable", args))


def _transcoded(data: bytes, codec: str) -> bytes:
    """The bytes as UTF-8, decoded strictly and a piece at a time: the text is never held whole.

    Raises
    ------
    UnicodeDecodeError
        If any byte does not fit.
    """
    decoder = codecs.getincrementaldecoder(codec)("strict")
    made = io.BytesIO()
    for start in range(0, len(data), _CHUNK_BYTES):
        end = start + _CHUNK_BYTES
        text = decoder.decode(data[start:end], final=end >= len(data))
        if codec != "utf-8":
            made.write(text.encode())
    return data if codec == "utf-8" else made.getvalue()


def _is_cut(error: UnicodeDecodeError, data: bytes) -> bool:
    """Whether all but the last character can be read, and the encoding is one that can tell."""
    tail = error.object[error.start :]
    if len(tail) > 4 or not data.endswith(tail) or error.encoding.startswith("cp"):
        return False
    ends = error.reason.startswith(("unexpected end", "truncated", "incomplete"))
    return ends and not data[: len(data) - len(tail)].isascii()


def encoding_notes(encoding: str) -> list[Note]:
    """Which encoding was found, where it is not the usual one."""
    if encoding == "utf-8":
        return []
    return [("note.encoding", {"encoding": encoding.upper()})]


def _known(stated: str | None) -> tuple[str, ...]:
    """The encoding that a file names, if there is one of that name that tells errors."""
    try:
        codec = codecs.lookup(stated or "").name
    except LookupError:
        return ()
    if codec.startswith(("iso8859", "cp125", "latin", "ascii")):
        return ()  # these decode anything
    return ("gb18030" if codec in ("gbk", "gb2312") else codec,)


def encodings(
    start: bytes, name: str, encoding: str | None = None, stated: str | None = None
) -> tuple[str, ...]:
    """The encodings to try on a file, by its first bytes, the settings and what it says itself.

    Raises
    ------
    SourceError
        If the settings name none that is known.
    """
    marked = next((codec for bom, codec in _BOMS if start.startswith(bom)), None)
    chosen = marked or (_codec(encoding, name) if encoding else None)
    if chosen:
        return (chosen,)
    return tuple(dict.fromkeys(("utf-8", *_known(stated), "gb18030")))


def _codec(name: str, file: str) -> str:
    try:
        codec = codecs.lookup(name).name
    except LookupError as error:
        args = {"file": file, "tried": name}
        raise SourceError(Problem("sources.undecodable", args)) from error
    return "gb18030" if codec in ("gbk", "gb2312") else codec


def _records(data: bytes, separator: str, errors: str = "strict") -> Iterator[list[str]]:
    lines = io.TextIOWrapper(io.BytesIO(data), "utf-8", errors=errors, newline="")
    return csv.reader(lines, delimiter=separator, strict=True)


def layout(data: bytes, source: Source, score: Scorer, name: str) -> Layout:
    """How a text is laid out, by its first records.

    Raises
    ------
    SourceError
        If no separator gives records, or there are too many columns.
    """
    choices = (source.separator,) if source.separator else SEPARATORS
    best: tuple[tuple[bool, int, int], str, Header] | None = None
    for separator in choices:
        head = _head(data, separator)
        only = None if source.header_row is None else source.header_row - 1
        if not head or (only is not None and only >= len(head)):
            continue
        if max(map(len, head)) > MOST_COLUMNS:
            raise sheets.too_wide(name, max(map(len, head)))
        cleaned = [[texts.header(c) for c in row] for row in head]
        found = headers.find(cleaned, score, only=only)
        rank = (*score(found.cells), len(found.cells))
        if best is None or rank > best[0]:
            best = (rank, separator, found)
    if best is None:
        raise SourceError(Problem("sources.unclosed_quote", {"file": name, "row": "-"}))
    return Layout(*best[1:])


def _head(data: bytes, separator: str) -> list[list[str]]:
    """The first records; what follows a quote that does not close is left to the reading."""
    found: list[list[str]] = []
    try:
        # the piece may end inside a character, which is no fault of the file
        records = _records(data[:_HEAD], separator, errors="ignore")
        found.extend(islice(records, headers.SEARCH))
    except csv.Error:
        return found
    return found


def _fast(data: bytes, separator: str, found: Header, encoding: str) -> Grid | None:
    """Arrow's parser, where it cannot differ from the careful one.

    No blank lines, equal field counts, and below the header every line is a record: quotes
    stand around whole fields only, and no field holds a line end.
    """
    header, header_at = found.cells, found.at + found.depth - 1
    if data.count(b"\r") != data.count(b"\r\n") or len(separator.encode()) != 1:
        return None
    body = 0
    for _ in range(header_at + 1):
        body = data.find(b"\n", body) + 1
    if not body or len(_head(data[:body], separator)) != header_at + 1:
        return None
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    if b"\n\n" in data or b"\n\r\n" in data or lines <= header_at + 1:
        return None
    quoted = data.find(b'"', body) >= 0
    if quoted and not _quotes_enclose_fields(data, body, ord(separator)):
        return None
    names = [str(i) for i in range(len(header))]
    try:
        table = pacsv.read_csv(
            pa.BufferReader(pa.py_buffer(data).slice(body)),
            read_options=pacsv.ReadOptions(column_names=names),
            parse_options=pacsv.ParseOptions(
                delimiter=separator,
                quote_char='"' if quoted else False,
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
    size = table.num_rows
    if size != lines - header_at - 1:
        return None
    columns = tuple(c.combine_chunks() for c in table.columns)
    if any(isinstance(c, pa.ChunkedArray) for c in columns) or _has_empty_rows(columns):
        return None
    order = np.arange(size)
    rows = pa.array(order + header_at + 2)
    return Grid("csv", encoding, header, found.at + 1, columns, rows, pa.array(order))


def _quotes_enclose_fields(data: bytes, start: int, separator: int) -> bool:
    """Whether quotes stand only around whole fields of one line, those inside doubled."""
    while start < len(data):
        cut = data.rfind(b"\n", start, start + _CHUNK_BYTES) + 1
        end = cut if cut > start else len(data)
        block = np.frombuffer(data, np.uint8, end - start, start)
        start = end
        quotes = np.flatnonzero(block == _QUOTE)
        breaks = np.flatnonzero(block == _BREAK)
        if len(quotes) % 2 or (np.searchsorted(quotes, breaks) % 2).any():
            return False  # a line ends inside quotes
        padded = np.concatenate(([_BREAK], block, [_BREAK]))
        before, after = padded[quotes[0::2]], padded[quotes[1::2] + 2]
        if not np.isin(before, (separator, _BREAK, _QUOTE)).all():
            return False
        if not np.isin(after, (separator, _BREAK, _RETURN, _QUOTE)).all():
            return False
    return True


def _has_empty_rows(columns: Sequence[pa.Array]) -> bool:
    """Rows of nothing but separators are no data."""
    empty = pc.equal(columns[0], "")
    for column in columns[1:]:
        if not pc.any(empty).as_py():
            return False
        empty = pc.and_(empty, pc.equal(column, ""))
    return bool(pc.any(empty).as_py())


def _careful(data: bytes, separator: str, found: Header, encoding: str, name: str) -> Grid:
    """Python's strict parser: quotes, line breaks inside fields, rows that do not fit."""
    header, header_at = found.cells, found.at + found.depth - 1
    width = len(header)
    least = max((i + 1 for i, cell in enumerate(header) if cell), default=0)
    chunks: list[list[pa.Array]] = [[] for _ in header]
    rows: list[int] = []
    order: list[int] = []
    misfits: list[tuple[int, str]] = []
    pending: list[list[str]] = []
    blank = trailing = 0
    number = 0

    def flush() -> None:
        for i in range(width):
            chunks[i].append(pa.array(list(map(itemgetter(i), pending)), pa.string()))
        pending.clear()

    try:
        for number, record in enumerate(_records(data, separator), start=1):
            if number <= header_at + 1:
                continue
            if not any(record):
                blank += 1
                continue
            if len(record) > width and not any(record[width:]):
                trailing += 1  # separators behind the last field shift nothing
                del record[width:]
            elif least <= len(record) < width:
                record.extend([""] * (width - len(record)))
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
    notes = [
        (f"note.{key}", {"rows": count(rows_)})
        for key, rows_ in (("blank_rows", blank), ("trailing_separators", trailing))
        if rows_
    ]
    columns = tuple(pa.concat_arrays(parts) for parts in chunks)
    return Grid(
        "csv", encoding, header, found.at + 1, columns, pa.array(rows, pa.int64()),
        pa.array(order, pa.int64()), tuple(misfits), notes=tuple(notes),
    )  # fmt: skip


def _end_notes(grid: Grid, data: bytes) -> list[Note]:
    """A file without a last line end may be cut."""
    if data.endswith((b"\n", b"\r")):
        return []
    last = int(grid.rows[-1].as_py()) if len(grid.rows) else 0
    cut = any(rule == "short_row" and row > last for row, rule in grid.misfits)
    return [("note.cut_file" if cut else "note.no_line_end", {})]
