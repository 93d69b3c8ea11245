"""Order lines that memory cannot hold: the same bytes as those that it can."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bench import ingest

from analysis import cleaning, engine, features, sources, store, stored
from analysis.calendars import Period
from analysis.errors import SourceError, StageError
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


def ids(*blocks: list[float | None]) -> pa.Table:
    """Order lines with numbers as a spreadsheet exports them, one block after another."""
    numbers = [n for block in blocks for n in block]
    size = len(numbers)
    return pa.table(
        {
            "order_id": pa.array(numbers, pa.float64()),
            "customer_id": ["A"] * size,
            "ordered_at": pa.array([datetime(2025, 1, 1)] * size, pa.timestamp("us")),
            "amount": pa.array([Decimal(1)] * size, pa.decimal128(9, 0)),
        }
    )


def orders_read(folder: Path, table: pa.Table, block_rows: int) -> Any:
    pq.write_table(table, folder / "o.parquet")
    engine.resources.block_rows = block_rows
    given = {"orders": {"path": "o.parquet"}}
    settings = Settings.model_validate({"run": "t", "period": "2025Q3", "sources": given})
    return sources.read(settings, folder).tables["orders"]


def test_blocks_that_would_be_read_differently_are_read_together(tmp_path: Path) -> None:
    mixed = ids([1.0, 2.0, 3.0], [4.0, 5.5, 6.0])
    assert orders_read(tmp_path, mixed, LARGE).equals(orders_read(tmp_path, mixed, 3))
    alike = orders_read(tmp_path, ids([1.0, 2.0, None], [None, None, None], [7.0, 8.0, 9.0]), 3)
    assert isinstance(alike, Stored)
    assert [b["order_id"].to_pylist() for b in alike.blocks()] == [
        ["1", "2", None], [None, None, None], ["7", "8", "9"],
    ]  # fmt: skip


@pytest.mark.parametrize("spoil", ["amount", "ordered_at", "quote", "utf", "fields", "header"])
def test_what_is_wrong_is_told_as_for_a_small_file(tmp_path: Path, spoil: str) -> None:
    frame = lines(200)
    if spoil in frame.columns:
        frame.loc[frame.index % 3 != 1, spoil] = "?"
    text = frame.to_csv(index=False)
    if spoil == "header":
        text = text.replace("customer_id", "who")
    data = text.encode()
    data += {"quote": b'"', "utf": b"\xe4\xba", "fields": b"x\n" * 300}.get(spoil, b"")
    (tmp_path / "o.csv").write_bytes(data)
    given = {"orders": {"path": "o.csv"}}
    settings = Settings.model_validate({"run": "t", "period": "2025Q3", "sources": given})
    told = []
    for block_rows in (LARGE, 50):
        engine.resources.block_rows = block_rows
        with pytest.raises(SourceError) as caught:
            sources.read(settings, tmp_path)
        told.append(caught.value.as_json())
    assert told[0] == told[1]


def test_rows_that_agree_share_a_block_and_blocks_ascend(tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    table = pa.table({"k": [f"{n:03}" for n in draw.integers(0, 90, 1000)], "n": range(1000)})
    engine.resources.block_rows = 100
    pieces = stored.keep((table.slice(i, 100) for i in range(0, 1000, 100)), tmp_path)
    blocks = list(engine.spread(pieces, "k").blocks())
    keys = [set(block["k"].to_pylist()) for block in blocks]
    assert sum(len(block) for block in blocks) == 1000
    assert sum(map(len, keys)) == len(set.union(*keys))
    assert all(max(one) < min(other) for one, other in pairwise(keys))
    assert max(map(len, blocks)) < 300


def test_what_does_not_ascend_is_sorted_on_disk(tmp_path: Path) -> None:
    contract = RECORD["key_bridge"]
    rows = [
        pa.Table.from_pylist(
            [{"table": t, "system": "erp", "became": "translated", "keys": 1, "rows": 1}],
            contract.schema(),
        )
        for t in ("b", "a", "c")
    ]
    found = engine.conform_rows(stored.keep(rows, tmp_path), contract)
    assert isinstance(found, Stored)
    assert pa.concat_tables(found.blocks())["table"].to_pylist() == ["a", "b", "c"]
    twice = stored.keep([*rows, rows[0]], engine.scratch())
    with pytest.raises(StageError, match=r"table\.repeated_key"):
        engine.conform_rows(twice, contract)


@pytest.mark.slow
def test_two_million_lines_stay_within_bounds(tmp_path: Path) -> None:
    path = tmp_path / "lines.parquet"
    ingest.write_lines(path, 2_000_000)
    out = tmp_path / "out"
    out.mkdir()
    command = [sys.executable, ingest.__file__, "--one", "ours", str(path), str(out), "512"]
    found = ingest.measured([*command, "250000"], cap_mb=1536)
    assert "failed" not in found
    assert found["customers"] == 2_000_000 / ingest.LINES_A_CUSTOMER
    steps = pq.read_table(out / "tables" / "reconciliation.parquet").to_pylist()
    rows = {s["step"]: s["rows"] for s in steps if s["table"] == "orders"}
    assert rows["read"] == 2_000_000
    assert sum(n for step, n in rows.items() if step != "kept") == rows["kept"] == found["kept"]
