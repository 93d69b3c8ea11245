"""Parquet: the file's own types are kept, so that nothing is parsed twice."""

from __future__ import annotations

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
            names = handle.schema_arrow.names
            cleaned = tuple(texts.header(n) for n in names)
            wanted = [i for i, n in enumerate(cleaned) if score((n,))[1]]
            schema = handle.schema_arrow
            nested = [names[i] for i in wanted if pa.types.is_nested(schema.field(i).type)]
            if nested:
                args = {"file": file.name, "headers": " | ".join(nested)}
                raise SourceError(Problem("sources.nested_columns", args))
            table = handle.read(columns=[names[i] for i in wanted])
            total = handle.metadata.num_rows
    except (pa.ArrowInvalid, UnicodeDecodeError, OSError) as error:
        raise SourceError(Problem("sources.damaged", {"file": file.name})) from error
    columns: list[pa.Array] = [pa.nulls(total)] * len(cleaned)
    for i in wanted:
        columns[i] = _flat(table.column(names[i]))
    rows = pa.array(range(1, total + 1), pa.int64())
    order = pa.array(range(total), pa.int64())
    return Grid("parquet", None, cleaned, None, tuple(columns), rows, order)


def _flat(column: pa.ChunkedArray) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        column = column.cast(pa.string())
    merged = column.combine_chunks()
    if isinstance(merged, pa.ChunkedArray):  # more text than one array can hold
        merged = pa.concat_arrays([c.cast(pa.large_string()) for c in merged.chunks])
    return merged
