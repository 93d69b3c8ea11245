"""Set-wise work on orders, activities and other large tables.

DuckDB in memory. Money stays DECIMAL(18,4), so sums do not depend on the order of rows or
the number of threads; files and extensions are out of reach of a query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.errors import Problem, StageError
from analysis.tables import Table

Frame: TypeAlias = pa.Table | pd.DataFrame


def query(sql: str, params: Sequence[Any] | Mapping[str, Any] = (), **tables: Frame) -> pa.Table:
    """Run one SQL statement over the given tables.

    Parameters
    ----------
    sql
        Standard SQL; values come in through ``?`` or ``$name``, never through the text.
    params
        Values of the placeholders.
    tables
        Tables by the name the statement uses.

    Returns
    -------
    pyarrow.Table
        The rows, in the statement's order.
    """
    with _database().cursor() as connection:
        for name, table in tables.items():
            connection.register(name, table)  # seen by this connection alone
        table = connection.sql(sql, params=params or None).to_arrow_table()
    return _plain(table)


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """One empty database a process: opening one takes longer than most queries."""
    database = duckdb.connect(":memory:", config={"threads": "2"})
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")
    return database


def _plain(table: pa.Table) -> pa.Table:
    """Types as the rooms expect them: int64 counts, microsecond times, DECIMAL(18,4) money."""
    for index, field in enumerate(table.schema):
        kind: pa.DataType | None = None
        if pa.types.is_decimal(field.type):
            kind = pa.int64() if field.type.scale == 0 else pa.decimal128(18, 4)
        elif pa.types.is_integer(field.type):
            kind = pa.int64()
        elif pa.types.is_date(field.type) or pa.types.is_timestamp(field.type):
            kind = pa.timestamp("us")
        if kind is not None and kind != field.type:
            table = table.set_column(index, field.name, table.column(index).cast(kind))
    return table


def to_frame(table: pa.Table) -> pd.DataFrame:
    """An Arrow table as pandas: money as float64, days as datetime64, text as str objects.

    Integer columns with gaps become float64.
    """
    data: dict[str, Any] = {}
    for field in table.schema:
        column = table.column(field.name)
        if pa.types.is_decimal(field.type):
            column = column.cast(pa.float64())
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            data[field.name] = np.array(column.to_pylist(), dtype=object)
        else:
            data[field.name] = column.to_pandas().to_numpy()
    return pd.DataFrame(
        {k: pd.Series(v, dtype=object if v.dtype == object else None) for k, v in data.items()}
    )


def as_text(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Part of a key as text: a day without its midnight."""
    if pa.types.is_timestamp(values.type):
        return pc.strftime(values, format="%Y-%m-%d")
    return values.cast(pa.string())


def conform(frame: Frame, table: Table) -> pa.Table:
    """Bring a frame into a table's contract.

    Columns are chosen, cast and ordered as the contract says; optional columns that are
    missing become null; rows are sorted by the key.

    Raises
    ------
    StageError
        If a required column is missing or has nulls, a value does not fit its type, or the
        key repeats. All problems at once.
    """
    problems: list[Problem] = []
    found = frame.column_names if isinstance(frame, pa.Table) else list(frame.columns)
    count = len(frame)
    arrays: list[pa.Array | pa.ChunkedArray] = []
    schema = table.schema()
    for column, field in zip(table.columns, schema, strict=True):
        args = {"table": table.name, "column": column.name}
        if column.name not in found:
            if column.required:
                problems.append(Problem("table.missing_column", args))
            arrays.append(pa.nulls(count, field.type))
            continue
        try:
            values = _cast(frame[column.name], field.type)
        except (
            pa.ArrowInvalid,
            pa.ArrowTypeError,
            pa.ArrowNotImplementedError,
        ) as error:
            problems.append(
                Problem(
                    "table.wrong_type",
                    {**args, "type": column.type, "found": str(error)[:80]},
                )
            )
            values = pa.nulls(count, field.type)
        if column.required and values.null_count:
            problems.append(Problem("table.empty_value", {**args, "count": values.null_count}))
        arrays.append(values)
    if problems:
        raise StageError(problems)
    result = pa.Table.from_arrays(arrays, schema=schema)
    keys = [name for name in table.key if name in result.column_names]
    if keys and count:
        result = result.sort_by([(name, "ascending") for name in keys])
        groups = result.select(keys).group_by(keys).aggregate([]).num_rows
        if groups != count:
            raise StageError(
                Problem(
                    "table.repeated_key",
                    {
                        "table": table.name,
                        "key": ", ".join(keys),
                        "count": count - groups,
                    },
                )
            )
    return result.combine_chunks()


def _cast(values: Any, kind: pa.DataType) -> pa.ChunkedArray | pa.Array:
    if isinstance(values, pd.Series):
        if pd.api.types.is_extension_array_dtype(values.dtype):
            values = values.astype(object)
        array = pa.Array.from_pandas(values)
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
    else:
        array = values
    if array.type == kind:
        return array
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), kind)
    if pa.types.is_decimal(kind) and pa.types.is_floating(array.type):
        # Floats carry binary dust: 0.1 + 0.2 is not 0.3. Four places are the contract.
        return pc.round(array, 4).cast(kind, safe=False)
    if pa.types.is_decimal(kind) and pa.types.is_integer(array.type):
        return array.cast(pa.decimal128(38, 0)).cast(kind)
    if pa.types.is_timestamp(kind) and pa.types.is_timestamp(array.type):
        return array.cast(kind, safe=False)
    return array.cast(kind)
