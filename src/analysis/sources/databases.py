"""Databases: a table or a query becomes a typed Parquet file, once a run.

The rows are drawn in batches as plain text, sorted by their content and then given types: the
same content gives the same bytes, whatever order the database answers in. A row's number is its
place in that order. What is drawn is read like any other Parquet file and removed with the run.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.errors import Problem, SourceError
from analysis.settings_databases import KINDS, address, shown
from analysis.settings_model import Settings
from analysis.settings_sources import Source
from analysis.sources import parquet_files
from analysis.sources.files import RETURNED, File
from analysis.sources.grid import Grid, Scorer

FOLDER = "ANALYSIS_DRAWN"  # environment of a stage: where the run has drawn its databases
FORMATS = (*dict.fromkeys(KINDS.values()), "database")
_GROUP = 65_536  # rows of a row group
_SORT = {"threads": "1", "memory_limit": "512MB", "enable_external_access": "true"}
# What numbers.parse_column takes as DECIMAL(38,10); what is longer is read as text
_WHOLE, _PLACES = 28, 10
_EXACT_FLOAT = 15  # digits that a double always keeps
_MICRO = pa.timestamp("us")
_POINT = pa.timestamp("us", "UTC")


def label(name: str, source: Source) -> str:
    """How records and messages call a database source; `name` is its canonical table."""
    return f"{shown(source.url or '')}#{source.table or f'query({name})'}"


@contextmanager
def folder(given: Path | None = None) -> Iterator[Path]:
    """The folder of what is drawn: the given one, the run's, or one that goes away."""
    if given is not None or FOLDER in os.environ:
        yield given or Path(os.environ[FOLDER])
        return
    with tempfile.TemporaryDirectory(prefix="analysis-") as made:
        yield Path(made)


def fingerprints(settings: Settings, root: Path, drawn: Path) -> dict[str, str]:
    """Draw every database of the settings: sha256 of the content, by its name in records.

    Parameters
    ----------
    settings
        Uses `sources`.
    root
        Folder from which the paths of SQLite count.
    drawn
        Folder for the files; `files` finds them there and asks no database again.

    Raises
    ------
    SourceError
        With the problems of all databases.
    """
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for name, source in settings.sources.items():
        if source.url is None:
            continue
        try:
            file = _drawn(name, source, root, drawn)
        except SourceError as error:
            problems += error.problems
            continue
        with file.path.open("rb") as handle:
            found[file.name] = hashlib.file_digest(handle, "sha256").hexdigest()
    if problems:
        raise SourceError(problems)
    return dict(sorted(found.items()))


def files(name: str, source: Source, root: Path, drawn: Path) -> tuple[list[File], list[Problem]]:
    """What `analysis.sources.files.locate` gives for files: none for a returned table still empty.

    Parameters
    ----------
    name
        The canonical table.
    """
    try:
        file = _drawn(name, source, root, drawn)
    except SourceError as error:
        return [], list(error.problems)
    if name in RETURNED and not pq.read_metadata(file.path).num_rows:
        return [], []
    return [file], []


def read(file: File, source: Source, score: Scorer) -> Grid:
    """The grid of what was drawn; its format is the kind of database."""
    kind = KINDS.get((source.url or "").partition(":")[0], "database")
    return replace(parquet_files.read(file, score), format=kind)


def _drawn(name: str, source: Source, root: Path, drawn: Path) -> File:
    file = File(label(name, source), drawn / f"{name}.parquet")
    if not file.path.exists():
        with tempfile.TemporaryDirectory(dir=drawn) as work:
            _draw(source, root, file, Path(work))
    return file


def _draw(source: Source, root: Path, file: File, work: Path) -> None:
    """Draw a source into a sorted, typed Parquet file."""
    from analysis.sources.connections import rows_of

    plain = work / "plain.parquet"
    place = address(source.url or "", os.environ)
    asked = (source.table, source.query, source.timeout, file.name)
    with rows_of(place, root, *asked) as (headers, batches):
        repeated = sorted({h for h in headers if headers.count(h) > 1})
        if repeated:
            args = {"columns": " | ".join(repeated)}
            raise SourceError(Problem("databases.repeated_column", args, file.name))
        kinds = _write_plain(plain, headers, batches)
    binary = [h for h, found in zip(headers, kinds, strict=True) if "binary" in found]
    if binary:
        args = {"columns": " | ".join(binary)}
        raise SourceError(Problem("databases.binary_column", args, file.name))
    with duckdb.connect(":memory:", config={**_SORT, "temp_directory": str(work)}) as database:
        rows = database.read_parquet(str(plain))
        types = [_type(rows, f"c{i}", found) for i, found in enumerate(kinds)]
        rows.order("ALL").write_parquet(str(work / "sorted.parquet"), row_group_size=_GROUP)
    schema = pa.schema(list(zip(headers, types, strict=True)))
    finished = work / "typed.parquet"
    with (
        pq.ParquetFile(work / "sorted.parquet") as ordered,
        pq.ParquetWriter(finished, schema) as writer,
    ):
        for batch in ordered.iter_batches(_GROUP):
            columns = [_cast(c, t) for c, t in zip(batch.columns, types, strict=True)]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
    finished.replace(file.path)


def _write_plain(
    path: Path, headers: Sequence[str], batches: Iterator[Sequence[Sequence[Any]]]
) -> list[set[str]]:
    """Write batches as text, row group by row group; the kinds of value seen, a set a column."""
    kinds: list[set[str]] = [set() for _ in headers]
    schema = pa.schema([(f"c{i}", pa.string()) for i in range(len(headers))])
    with pq.ParquetWriter(path, schema, compression="lz4") as writer:
        for batch in batches:
            columns = []
            for values, seen in zip(zip(*batch, strict=True), kinds, strict=True):
                texts, found = as_text(values)
                seen.update(found)
                columns.append(texts)
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
    return kinds


def as_text(values: Sequence[Any]) -> tuple[pa.Array, set[str]]:
    """A batch of one column as canonical text, and which kinds of value it holds.

    Returns
    -------
    tuple
        Text (a moment with a zone in UTC, ending in ``Z``; a number without exponent where it is
        exact), and the kinds: text, truth, exact, float, day, time, moment, binary.
    """
    types = set(map(type, values)) - {type(None)}
    kinds = {_KINDS.get(t, "text") for t in types}
    if types == {str}:
        return pa.array(values, pa.string()), kinds
    if types == {int}:
        with suppress(OverflowError):  # beyond a bigint: one by one
            return pa.array(values, pa.int64()).cast(pa.string()), kinds
    if "time" in kinds and any(v.tzinfo for v in values if isinstance(v, datetime)):
        some = all(v.tzinfo for v in values if isinstance(v, datetime))
        kinds = (kinds - {"time"}) | ({"moment"} if some else {"time", "moment"})
    match sorted(kinds):
        case [("truth" | "float" | "day" | "time" | "moment") as only]:
            return pa.array(values, _ARROW[only]).cast(pa.string()), kinds
        case ["binary", *_] | []:
            return pa.nulls(len(values), pa.string()), kinds
    return pa.array([None if v is None else _one(v) for v in values], pa.string()), kinds


_KINDS: Mapping[type, str] = {
    bool: "truth", int: "exact", Decimal: "exact", float: "float", date: "day", datetime: "time",
    bytes: "binary", bytearray: "binary", memoryview: "binary",
}  # fmt: skip
_ARROW = {
    "truth": pa.bool_(), "float": pa.float64(), "day": pa.date32(), "time": _MICRO,
    "moment": _POINT,
}  # fmt: skip


def _one(value: Any) -> str:
    """One value as text: of a column that Arrow does not write by itself."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return f"{value.astimezone(UTC).replace(tzinfo=None)}Z"
    return str(value)


_EXACT = r"^-?[0-9]+(\.[0-9]+)?$"


def _type(rows: duckdb.DuckDBPyRelation, column: str, kinds: set[str]) -> pa.DataType:
    """The type of a column: its values' own where they agree, else text."""
    if not kinds:
        return pa.null()
    if not kinds <= {"exact", "float"}:
        return _ARROW.get(next(iter(kinds)), pa.string()) if len(kinds) == 1 else pa.string()
    found = rows.aggregate(
        f"bool_and(regexp_full_match({column}, '{_EXACT}')),"
        f" max(length(ltrim(split_part({column}, '.', 1), '-'))),"
        f" max(length(split_part({column}, '.', 2)))"
    ).fetchall()
    plain, whole, places = found[0]
    longest = _EXACT_FLOAT if "float" in kinds else _WHOLE
    if plain and whole <= longest and places <= _PLACES:
        small = places == 0 and whole < len(str(2**63 - 1))
        return pa.int64() if small else pa.decimal128(_WHOLE + _PLACES, places)
    return pa.string() if "exact" in kinds and kinds != {"exact", "float"} else pa.float64()


def _cast(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_null(kind):
        return pa.nulls(len(column))
    return column.cast(kind)
