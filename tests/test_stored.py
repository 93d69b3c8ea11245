"""Order lines that memory cannot hold: the same bytes as those that it can."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis import cleaning, engine, features, sources, store
from analysis.calendars import Period
from analysis.settings_model import Settings
from analysis.stored import Stored
from analysis.tables import RECORD

AS_OF = date(2025, 9, 30)
LARGE = 10**9


@pytest.fixture(autouse=True)
def limits(tmp_path: Path) -> Iterator[engine.Resources]:
    before = dict(engine.resources.__dict__)
    yield engine.resources
    engine.resources.__dict__.update(before)


def lines(count: int, seed: int = 1) -> pd.DataFrame:
    """Order lines with every kind of dirt that a rule looks for, as text."""
    draw = np.random.default_rng(seed)
    order = draw.integers(0, count // 3 + 1, count)
    number = draw.integers(1, 4, count)
    day = np.array([f"{datetime(2023, 1, 1) + timedelta(days=int(d)):%Y-%m-%d}" for d in
                    draw.integers(0, 1000, count)])  # fmt: skip
    frame = pd.DataFrame(
        {
            "order_id": [f"D{n:05}" for n in order],
            "line_id": [str(n) for n in number],
            "customer_id": [f"C{n % 37:03}" for n in order],
            "ordered_at": day,
            "product": [f"产品{n}" for n in draw.integers(0, 9, count)],
            "quantity": [str(n) for n in draw.integers(-1, 9, count)],
            "amount": [f"{n / 100:.2f}" for n in draw.integers(-500, 900_000, count)],
            "cost": [f"{n / 100:.2f}" for n in draw.integers(0, 500_000, count)],
            "status": draw.choice(["正常", "作废", "已取消"], count, p=[0.96, 0.02, 0.02]),
            "returned": draw.choice(["否", "是", ""], count, p=[0.9, 0.03, 0.07]),
            "owner_id": [f"P{n}" for n in draw.integers(0, 5, count)],
        }
    )
    hit = draw.random((count, 6))
    frame.loc[hit[:, 0] < 0.02, "order_id"] = ""
    frame.loc[hit[:, 1] < 0.02, "line_id"] = ""
    frame.loc[hit[:, 2] < 0.02, "customer_id"] = ""
    frame.loc[hit[:, 3] < 0.02, "ordered_at"] = "unknown"
    frame.loc[hit[:, 4] < 0.01, "amount"] = "n/a"
    frame.loc[hit[:, 5] < 0.01, "customer_id"] = "test01"
    frame.loc[hit[:, 5] > 0.99, "amount"] = "0"
    frame.loc[hit[:, 4] > 0.99, "ordered_at"] = "1990-01-01"
    again = frame[(hit[:, 3] > 0.98)]
    return pd.concat([frame, again, again], ignore_index=True)


def typed(frame: pd.DataFrame) -> pa.Table:
    """The lines as a warehouse writes them; what no type can hold is missing."""
    empty = frame.replace({"": None, "unknown": None, "n/a": None})
    return pa.table(
        {
            **{n: pa.array(empty[n], pa.string()) for n in frame.columns},
            "ordered_at": pa.array(pd.to_datetime(empty["ordered_at"]), pa.timestamp("us")),
            "quantity": pa.array([float(v) for v in empty["quantity"]]),
            "amount": pa.array([v and Decimal(v) for v in empty["amount"]], pa.decimal128(12, 2)),
        }
    )


@dataclass
class Result:
    """All that comes of the files."""

    read: sources.Sources
    cleaned: cleaning.Cleaned
    files: dict[str, bytes]
    features: pd.DataFrame


def run(folder: Path, given: dict[str, Any], scope: dict[str, Any], block_rows: int) -> Result:
    """From the files to the record's tables and the features, with so many rows in memory."""
    engine.resources.block_rows = block_rows
    settings = Settings.model_validate(
        {"run": "t", "period": "2025Q3", "sources": given, "scope": scope}
    )
    read = sources.read(settings, folder)
    cleaned = cleaning.clean(read.tables, settings, AS_OF, read.rejected)
    made = folder / f"made-{block_rows}"
    tables = {**cleaned.tables, "removed_rows": cleaned.removed, "sources": read.files}
    for name in ("reconciliation", "quality", "key_bridge", "unmatched_keys"):
        tables[name] = getattr(cleaned, name)
    files = {n: store.write_table(made, RECORD[n], t).read_bytes() for n, t in tables.items()}
    orders = store.open_table(made / "tables" / "orders.parquet")
    period = Period.parse("2025Q3")
    found = features.build(
        orders,
        engine.to_frame(cleaned.tables["customers"]),
        as_of=AS_OF,
        period=period,
        settings=settings.segmentation,
    )
    return Result(read, cleaned, files, found)


def same(small: Result, large: Result) -> None:
    assert isinstance(small.read.tables["orders"], pa.Table)
    assert isinstance(large.read.tables["orders"], Stored)
    assert isinstance(large.cleaned.tables["orders"], Stored)
    pd.testing.assert_frame_equal(small.read.files, large.read.files)
    assert small.cleaned.reconciliation.equals(large.cleaned.reconciliation)
    assert {n for n, b in small.files.items() if b != large.files[n]} == set()
    pd.testing.assert_frame_equal(small.features, large.features)


SCOPES: list[dict[str, Any]] = [{}, {"orders_since": "2025-08-20"}]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("reverse", [False, True])
def test_parquet_in_blocks_gives_the_same_bytes(
    tmp_path: Path, scope: dict[str, Any], reverse: bool
) -> None:
    table = typed(lines(900))
    if reverse:
        table = table.take(pa.array(range(len(table)))[::-1])
    pq.write_table(table.slice(0, 500), tmp_path / "a.parquet", row_group_size=64)
    pq.write_table(table.slice(500).drop_columns(["cost"]), tmp_path / "b.parquet")
    given = {"orders": {"path": "*.parquet"}}
    same(run(tmp_path, given, scope, LARGE), run(tmp_path, given, scope, 70))


@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16", "utf-8-sig"])
def test_text_in_blocks_gives_the_same_bytes(tmp_path: Path, encoding: str, quoted: bool) -> None:
    frame = lines(900)
    if quoted:
        frame.loc[frame.index % 50 == 7, "product"] = 'a "b",\nc'
    text = frame.to_csv(index=False)
    at = text.splitlines(keepends=True)
    spoilt = [*at[:200], "\n", "short,row\n", *at[200:], "D1,1,C001,2025-"]
    (tmp_path / "o.csv").write_text("".join(spoilt), encoding=encoding, newline="")
    customers = pd.DataFrame({"customer_id": [f"C{n:03}" for n in range(30)], "name": "甲"})
    customers.to_csv(tmp_path / "c.csv", index=False)
    given = {"orders": {"path": "o.csv"}, "customers": {"path": "c.csv"}}
    same(run(tmp_path, given, {}, LARGE), run(tmp_path, given, {}, 70))
