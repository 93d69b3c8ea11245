"""Tables too large for memory: Parquet files, read one block of rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

BLOCK = "_block"  # column by which rows were spread over the blocks
ROW_GROUP = 32_768  # rows that are skipped or read together: a block is many of them


@dataclass(frozen=True)
class Stored:
    """A table on disk.

    Attributes
    ----------
    files
        Parquet files of one schema, each sorted by the column `BLOCK` where there are bounds.
    schema
        Columns of the table, without `BLOCK`.
    bounds
        Values of `BLOCK` at which a new block begins, ascending; empty: each file is a block.
    """

    files: tuple[Path, ...]
    schema: pa.Schema
    bounds: tuple[str, ...] = ()

    @property
    def column_names(self) -> list[str]:
        """Names of the columns, in order."""
        return list(self.schema.names)

    @cached_property
    def num_rows(self) -> int:
        """Rows in all files, from their footers."""
        return sum(pq.read_metadata(path).num_rows for path in self.files)

    def __len__(self) -> int:
        return self.num_rows

    @cached_property
    def dataset(self) -> ds.Dataset:
        """The files as one table that a query scans."""
        return ds.dataset(list(self.files), self.schema, format="parquet")

    def null_count(self, column: str) -> int:
        """Rows without a value in a column, from the footers' statistics."""
        found = 0
        for path in self.files:
            about = pq.read_metadata(path)
            at = about.schema.to_arrow_schema().names.index(column)
            groups = (about.row_group(i).column(at) for i in range(about.num_row_groups))
            found += sum(group.statistics.null_count for group in groups)
        return found

    def blocks(self, columns: Sequence[str] = ()) -> Iterator[pa.Table]:
        """The rows, as many at a time as memory is meant to hold; of `columns`, else of all."""
        names = list(columns) or self.column_names
        if not self.bounds:
            for path in self.files:
                yield pq.read_table(path, columns=names)
            return
        keyed = ds.dataset(
            list(self.files), self.schema.append(pa.field(BLOCK, pa.string())), format="parquet"
        )
        for low, high in pairwise((None, *self.bounds, None)):
            inside = ds.scalar(True)
            if low is not None:
                inside = inside & (ds.field(BLOCK) >= low)
            if high is not None:
                inside = inside & (ds.field(BLOCK) < high)
            yield keyed.to_table(columns=names, filter=inside)


def keep(tables: Iterable[pa.Table], folder: Path) -> Stored:
    """Write tables of one schema, at least one, each as a block of its own.

    Parameters
    ----------
    tables
        Taken one by one: none of them stays in memory.
    folder
        An empty one.
    """
    files: list[Path] = []
    for number, table in enumerate(tables):
        files.append(folder / f"{number:06}.parquet")
        pq.write_table(table, files[-1], compression="lz4", row_group_size=ROW_GROUP)
    return Stored(tuple(files), pq.read_schema(files[0]).remove_metadata())


def joined(parts: Iterable[Stored]) -> Stored:
    """Tables of one schema, one after another."""
    every = list(parts)
    return Stored(tuple(path for part in every for path in part.files), every[0].schema)
