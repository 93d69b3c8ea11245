"""The files while they grow: block after block of customers, hidden until all of them are whole."""

from __future__ import annotations

import codecs
import io
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.demo import files
from analysis.demo.files import Export

UTF8 = "utf-8-sig"


class Output:
    """One file of the firm's, hidden beside its place until `publish`.

    Parameters
    ----------
    folder
        Where it belongs.
    first
        The export as the first block has it: name, headers, encoding.
    large
        Whether customer by customer a workbook would become too long: it is a CSV file then.
    """

    def __init__(self, folder: Path, first: Export, large: bool) -> None:
        if large and not first.whole and first.name.endswith(".xlsx"):
            first = replace(
                first, name=f"{first.name.removesuffix('.xlsx')}.csv", encoding=UTF8, title=""
            )
        self._shape = first
        self._path = folder / first.name
        self._part = folder / f".{first.name}.part"
        self._total: dict[str, object] | None = None
        self._sheet: list[pd.DataFrame] = []
        self._book = first.name.endswith(".xlsx")
        self._file: BinaryIO | None = None
        self.rows = 0
        if not self._book:
            self._file = self._part.open("wb")
            self._write(files.header(first.headers, self._separator), first=True)

    @property
    def name(self) -> str:
        """Name of the file."""
        return self._shape.name

    @property
    def table(self) -> str:
        """Canonical table that it feeds."""
        return self._shape.table

    @property
    def next_row(self) -> int:
        """Number of the next row, counted from 1 at the top of the file."""
        return self._shape.first_row + self.rows

    def add(self, export: Export) -> None:
        """Append the rows of a block."""
        body = export.frame[export.headers]
        self.rows += len(body)
        if self._book:
            self._sheet.append(body)
        else:
            for text in files.lines(body, self._separator):
                self._write(text)
        if export.total is not None:
            self._total = _added(self._total, export.total)

    def close(self) -> bool:
        """Write the end of the file; say whether it is a total row."""
        headers = self._shape.headers
        last = []
        if self._total is not None:
            last = [[self._total.get(name, "") for name in headers]]
            self.rows += 1
        if self._book:
            body = [row for frame in self._sheet for row in files.rows(frame)]
            self._part.write_bytes(files.workbook(headers, [*body, *last], self._shape.title))
            self._sheet.clear()
        elif self._file is not None:
            if last:
                self._write(next(files.lines(pd.DataFrame(last, dtype=object), self._separator)))
            self._file.close()
            self._file = None
        return bool(last)

    def publish(self) -> Path:
        """Put the file in its place: a half-written export is never taken for a whole one."""
        return self._part.replace(self._path)

    def discard(self) -> None:
        """Leave nothing behind."""
        if self._file is not None:
            self._file.close()
        self._part.unlink(missing_ok=True)

    @property
    def total_key(self) -> str:
        """What the total row says of itself; empty without one."""
        words = [v for v in (self._total or {}).values() if isinstance(v, str)]
        return words[0] if words else ""

    @property
    def _separator(self) -> str:
        return "\t" if self._shape.encoding == files.UNICODE_TEXT else ","

    def _write(self, text: str, first: bool = False) -> None:
        if self._file is None:
            raise ValueError(f"{self.name} is closed")
        encoding = self._shape.encoding
        if first and encoding == files.UNICODE_TEXT:
            self._file.write(codecs.BOM_UTF16_LE)
        # the mark at the beginning of the file stands there once
        self._file.write(text.encode(encoding if first else encoding.removesuffix("-sig")))


def _added(one: dict[str, object] | None, other: Mapping[str, object]) -> dict[str, object]:
    """Two total rows as one: numbers add up, words stay."""
    found = dict(one or {})
    for name, value in other.items():
        before = found.get(name)
        if isinstance(before, int | Decimal) and isinstance(value, int | Decimal):
            found[name] = before + value
        else:
            found[name] = value
    return found


class Note:
    """One truth file in the making: a Parquet file, a row group a block."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / name
        self._part = folder / f".{name}.part"
        self._writer: pq.ParquetWriter | None = None

    def add(self, frame: pd.DataFrame) -> None:
        """Append rows; the pandas note, which names versions, stays out."""
        schema = None if self._writer is None else self._writer.schema
        table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
        table = table.replace_schema_metadata(None)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._part, table.schema, compression="zstd")
        self._writer.write_table(table)

    def close(self) -> None:
        """Write the end of the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def publish(self) -> Path:
        """Put the file in its place."""
        return self._part.replace(self._path)

    def discard(self) -> None:
        """Leave nothing behind."""
        self.close()
        self._part.unlink(missing_ok=True)


def parquet(frame: pd.DataFrame) -> bytes:
    """A Parquet file without the pandas note, which names versions."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    content = io.BytesIO()
    pq.write_table(table, content, compression="zstd")
    return content.getvalue()


def save(path: Path, content: bytes) -> Path:
    """Write beside and rename."""
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(content)
    return beside.replace(path)
