"""Parquet: the file's own types are kept, so that nothing is parsed twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.errors import Problem, SourceError
from analysis.sources import texts
from analysis.sources.files import File
from analysis.sources.grid import Grid, Scorer


def read(file: File, score: Scorer) -> Grid:
    """Read the columns of a Parquet file that some canonical column may want.

    Rows are numbered from 1: there is no header row.

    Raises
    ------
    SourceError
        If the file is damaged, or a wanted column holds lists or records.
    """
    try:
        with pq.ParquetFile(file.path, page_checksum_verification=True) as handle:
            header, wanted = _layout(file, handle, score)
            return _grid(header, handle.read(columns=list(wanted.values())), wanted, 0)
    except (pa.ArrowInvalid, UnicodeDecodeError, OSError) as error:
        raise SourceError(Problem("sources.damaged", {"file": file.name})) from error


def blocks(file: File, score: Scorer, size: int) -> Iterator[Grid]:
    """`read`, at most `size` rows at a time, which are numbered through."""
    try:
        # without reading ahead: a row group may be as long as the file
        with pq.ParquetFile(file.path, pre_buffer=False, page_checksum_verification=True) as handle:
            header, wanted = _layout(file, handle, score)
            first = 0
            for batch in handle.iter_batches(size, columns=list(wanted.values())):
                yield _grid(header, pa.Table.from_batches([batch]), wanted, first)
                first += len(batch)
    except (pa.ArrowInvalid, UnicodeDecodeError, OSError) as error:
        raise SourceError(Problem("sources.damaged", {"file": file.name})) from error


def _layout(
    file: File, handle: pq.ParquetFile, score: Scorer
) -> tuple[tuple[str, ...], dict[int, str]]:
    """Headers, and the names of the columns wanted by their place."""
    schema = handle.schema_arrow
    cleaned = tuple(texts.header(n) for n in schema.names)
    wanted = {i: schema.names[i] for i, n in enumerate(cleaned) if score((n,))[1]}
    nested = [name for i, name in wanted.items() if pa.types.is_nested(schema.field(i).type)]
    if nested:
        args = {"file": file.name, "headers": " | ".join(nested)}
        raise SourceError(Problem("sources.nested_columns", args))
    return cleaned, wanted


def _grid(header: tuple[str, ...], table: pa.Table, wanted: Mapping[int, str], first: int) -> Grid:
    size = len(table)
    columns: list[pa.Array] = [pa.nulls(size)] * len(header)
    for i, name in wanted.items():
        columns[i] = _flat(table.column(name))
    rows = pa.array(range(first + 1, first + size + 1), pa.int64())
    order = pa.array(range(first, first + size), pa.int64())
    return Grid("parquet", None, header, None, tuple(columns), rows, order)


def _flat(column: pa.ChunkedArray) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        column = column.cast(pa.string())
    merged = column.combine_chunks()
    if isinstance(merged, pa.ChunkedArray):  # more text than one array can hold
        merged = pa.concat_arrays([c.cast(pa.large_string()) for c in merged.chunks])
    return merged
