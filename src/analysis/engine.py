"""Set-wise work on orders, activities and other large tables.

DuckDB in memory, which moves to a private folder what exceeds its limit. Money stays
DECIMAL(18,4), so sums do not depend on the order of rows or the number of threads; files and
extensions are out of reach of a query. What memory cannot hold is a `Stored` table: a query scans
it as any other, and `each` hands it to a function block by block.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count, pairwise
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis import stored
from analysis.errors import Problem, StageError
from analysis.stored import BLOCK, ROW_GROUP, Stored
from analysis.tables import Table

Frame: TypeAlias = pa.Table | pd.DataFrame
Rows: TypeAlias = pa.Table | Stored
Params: TypeAlias = Sequence[Any] | Mapping[str, Any]


@dataclass
class Resources:
    """What set-wise work may take; neither changes a result.

    Attributes
    ----------
    memory_mb
        What the database holds before it moves to disk; None: DuckDB's own share of the machine.
    block_rows
        Rows of a `Stored` table that are in memory at once.
    folder
        Where the private folder for both is made; None: the system's for temporary files.
    """

    memory_mb: int | None = None
    block_rows: int = 2_000_000
    folder: Path | None = None


resources = Resources()
SCRATCH = ".engine-"  # of the private folder's name: nothing of a stage's result


def query(sql: str, params: Params = (), **tables: Frame | Stored) -> pa.Table:
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
        table = _run(connection, sql, params, tables).to_arrow_table()
    return _plain(table)


def stream(sql: str, params: Params = (), **tables: Frame | Stored) -> Iterator[pa.Table]:
    """What `query` finds, block by block, at least one: for results that memory cannot hold."""
    with _database().cursor() as connection:
        reader = _run(connection, sql, params, tables).to_arrow_reader(ROW_GROUP)
        waiting: list[pa.RecordBatch] = []
        for batch in reader:
            waiting.append(batch)
            if sum(len(b) for b in waiting) >= resources.block_rows:
                yield _plain(pa.Table.from_batches(waiting))
                waiting = []
        yield _plain(pa.Table.from_batches(waiting, reader.schema))


def _run(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    params: Params,
    tables: Mapping[str, Frame | Stored],
) -> duckdb.DuckDBPyRelation:
    for name, table in tables.items():  # seen by this connection alone
        connection.register(name, table.dataset if isinstance(table, Stored) else table)
    return connection.sql(sql, params=params or None)


def each(rows: Rows, function: Callable[[pa.Table], pa.Table]) -> Rows:
    """A function of a table, taken block by block where the table is stored.

    The function has to be one that no block but its own matters to: see `spread`.
    """
    if isinstance(rows, Stored):
        return stored.keep(map(function, rows.blocks()), scratch())
    return function(rows)


def spread(rows: Rows, by: str) -> Rows:
    """Regroup a stored table: rows that agree in `by` share a block, and blocks ascend.

    Parameters
    ----------
    rows
        A table in memory stays as it is.
    by
        SQL of a text that is never null.
    """
    if not isinstance(rows, Stored):
        return rows
    seen: list[str] = []
    step = max(1, min(ROW_GROUP, resources.block_rows // 64))

    def in_order(block: pa.Table) -> pa.Table:
        made = query(f'SELECT *, {by} AS "{BLOCK}" FROM t ORDER BY "{BLOCK}"', t=block)  # noqa: S608
        seen.extend(made[BLOCK].take(list(range(step // 2, len(made), step))).to_pylist())
        return made

    made = stored.keep(map(in_order, rows.blocks()), scratch())
    seen.sort()
    blocks = -(-made.num_rows // resources.block_rows)
    bounds = sorted({seen[len(seen) * i // blocks] for i in range(1, blocks)})
    return Stored(made.files, rows.schema, tuple(bounds))


def together(parts: Sequence[Rows]) -> Rows:
    """Tables of one schema under one another: stored, if any of them is."""
    if not any(isinstance(part, Stored) for part in parts):
        return pa.concat_tables(parts)
    return stored.joined(p if isinstance(p, Stored) else stored.keep([p], scratch()) for p in parts)


def scratch() -> Path:
    """A new empty folder that goes with the process."""
    folder = _private() / f"{next(_folders):06}"
    folder.mkdir()
    return folder


_folders = count()


@cache
def _private() -> Path:
    folder = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=resources.folder))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """One empty database a process: opening one takes longer than most queries."""
    config: dict[str, Any] = {"threads": "2", "temp_directory": str(_private() / "database")}
    if resources.memory_mb is not None:
        config["memory_limit"] = f"{resources.memory_mb}MB"
    database = duckdb.connect(":memory:", config=config)
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


def conform_rows(rows: Rows, table: Table) -> Rows:
    """`conform` for rows that may be stored; these are sorted on disk.

    Raises
    ------
    StageError
        As `conform` does.
    """
    if not isinstance(rows, Stored):
        return conform(rows, table)
    keys = ", ".join(f'"{name}"' for name in table.key)
    blocks = stream(f"SELECT * FROM t ORDER BY {keys}", t=rows)  # noqa: S608 - names of a contract
    made = stored.keep((conform(block, table) for block in blocks), scratch())
    if not _ascends(made, table.key):
        args = {"table": table.name, "key": ", ".join(table.key), "count": 1}
        raise StageError(Problem("table.repeated_key", args))
    return made


def ordered(rows: Rows, table: Table) -> Rows:
    """Rows of which each block conforms, with the key ascending over all blocks."""
    if not isinstance(rows, Stored) or _ascends(rows, table.key):
        return rows
    return conform_rows(rows, table)


def _ascends(rows: Stored, key: Sequence[str]) -> bool:
    """Whether each block, sorted by the key, ends before the next begins."""
    edges: list[list[list[tuple[bool, Any]]]] = []
    for block in rows.blocks(list(key)):
        if len(block):
            ends = block.take([0, len(block) - 1]).to_pylist()
            edges.append([[(v is None, v) for v in end.values()] for end in ends])
    return all(one[1] < other[0] for one, other in pairwise(edges))


def null_count(rows: Rows, column: str) -> int:
    """Rows without a value in a column."""
    return rows.null_count(column) if isinstance(rows, Stored) else rows[column].null_count


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
