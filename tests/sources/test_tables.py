"""Workbooks, Parquet, mappings, and what a source may say of its columns."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from analysis.errors import SourceError
from analysis.settings_model import Settings
from analysis.sources import Sources, read
from analysis.sources.named import load
from analysis.tables import INPUT

COLUMNS = {"customer_id": "客户编号", "ordered_at": "下单日期", "amount": "金额"}
Make = Callable[..., Settings]


def book(path: Path, rows: list[list[Any]], **sheets: list[list[Any]]) -> None:
    workbook = Workbook()
    first = workbook.active
    assert first is not None
    first.title = "隐藏"
    first.append(["客户编号", "下单日期", "金额"])
    first.append(["wrong", datetime(2025, 1, 1), 1])
    first.sheet_state = "hidden"
    for title, content in {"明细": rows, **sheets}.items():
        sheet = workbook.create_sheet(title)
        for row in content:
            sheet.append(row)
    workbook.save(path)


def from_book(tmp_path: Path, make: Make, rows: list[list[Any]], **more: Any) -> Sources:
    book(tmp_path / "o.xlsx", rows, 其他=[["x"], ["y"]])
    return read(make({"orders": {"path": "o.xlsx", "columns": COLUMNS, **more}}), tmp_path)


def test_workbook_cells_keep_their_meaning(tmp_path: Path, make: Make) -> None:
    found = from_book(
        tmp_path,
        make,
        [
            ["二〇二五年销售明细"],
            [],
            ["客户编号", "下单日期", "金额", "备注"],
            [13085.0, datetime(2025, 1, 3, 9, 30), 0.1 + 0.2],
            ["0001", "2025/1/4", "1,200.50"],
            [7, 45294, -5],
            ["合计", None, 1195.8],
        ],
    )
    table = found.tables["orders"]
    assert table["customer_id"].to_pylist() == ["13085", "0001", "7"]
    assert table["ordered_at"].to_pylist() == [
        datetime(2025, 1, 3, 9, 30), datetime(2025, 1, 4), datetime(2024, 1, 3),
    ]  # fmt: skip
    assert table["amount"].to_pylist() == [Decimal("0.3"), Decimal("1200.5"), Decimal(-5)]
    assert table["_row"].to_pylist() == [4, 5, 6]
    assert found.rejected["rule"].to_pylist() == ["total_row"]
    keys = [n["key"] for n in json.loads(found.files["note"].iloc[0])]
    assert keys == ["note.sheet", "note.hidden_sheets", "note.excel_serials"]
    assert found.files["header_row"].tolist() == [3]


def test_the_first_visible_sheet_or_the_one_named(tmp_path: Path, make: Make) -> None:
    rows: list[list[Any]] = [["客户编号", "下单日期", "金额"], ["A", "2025-01-03", 1]]
    assert from_book(tmp_path, make, rows).tables["orders"]["customer_id"].to_pylist() == ["A"]
    named = from_book(tmp_path, make, rows, sheet="隐藏")
    assert named.tables["orders"]["customer_id"].to_pylist() == ["wrong"]
    with pytest.raises(SourceError, match="no_sheet"):
        from_book(tmp_path, make, rows, sheet="没有")


def test_a_formula_without_a_value_is_an_error(tmp_path: Path, make: Make) -> None:
    with pytest.raises(SourceError, match=r"formula_without_value.*C2"):
        from_book(tmp_path, make, [["客户编号", "下单日期", "金额"], ["A", "2025-01-03", "=1+1"]])


def test_numbers_too_long_to_be_exact_are_no_keys(tmp_path: Path, make: Make) -> None:
    with pytest.raises(SourceError, match="imprecise_key"):
        from_book(
            tmp_path,
            make,
            [["客户编号", "下单日期", "金额"], [6.22202123456789e18, "2025-01-03", 1]],
        )


def test_parquet_keys_as_floats_and_null_keys(tmp_path: Path, make: Make) -> None:
    table = pa.table(
        {
            "客户编号": pa.array([13085.0, None, float("nan")]),
            "下单日期": pa.array([datetime(2025, 1, 3)] * 3, pa.timestamp("ns")),
            "金额": pa.array([6.95, 2.55, 1.0]),
        }
    )
    pq.write_table(table, tmp_path / "o.parquet")
    found = read(make({"orders": {"path": "o.parquet", "columns": COLUMNS}}), tmp_path)
    assert found.tables["orders"]["customer_id"].to_pylist() == ["13085", None, None]
    assert found.tables["orders"]["amount"].to_pylist() == [
        Decimal("6.95"), Decimal("2.55"), Decimal(1),
    ]  # fmt: skip
    assert found.files["format"].tolist() == ["parquet"]


def test_amount_from_quantity_and_price_is_exact(tmp_path: Path, make: Make) -> None:
    (tmp_path / "o.csv").write_text("c,d,q,p\nA,2025-01-03,3,0.1\nB,2025-01-03,,5\n")
    columns = {"customer_id": "c", "ordered_at": "d", "quantity": "q", "unit_price": "p"}
    found = read(make({"orders": {"path": "o.csv", "columns": columns}}), tmp_path)
    assert found.tables["orders"]["amount"].to_pylist() == [Decimal("0.3"), None]


def test_experiment_in_one_file(tmp_path: Path, make: Make) -> None:
    text = "segment,visit,spend\nMail,1,0.5\nNo E-Mail,0,\nbad\nMail,0,2\n"
    (tmp_path / "c.csv").write_text(text)
    number = {"row_number": True}
    settings = make(
        {
            "treatments": {
                "path": "c.csv",
                "columns": {
                    "customer_id": number,
                    "strategy": {"value": "email"},
                    "arm": "segment",
                },
                "held_out": "No E-Mail",
            },
            "outcomes": {
                "path": "c.csv",
                "columns": {"customer_id": number},
                "wide": ["visit", "spend"],
            },
        }
    )
    found = read(settings, tmp_path)
    assert found.tables["treatments"].select(["customer_id", "strategy", "arm"]).to_pylist() == [
        {"customer_id": "1", "strategy": "email", "arm": "Mail"},
        {"customer_id": "2", "strategy": "email", "arm": "held_out"},
        {"customer_id": "4", "strategy": "email", "arm": "Mail"},
    ]
    got = found.tables["outcomes"].select(["customer_id", "outcome", "value"]).to_pylist()
    assert [tuple(r.values()) for r in got] == [
        ("1", "visit", 1.0), ("2", "visit", 0.0), ("4", "visit", 0.0),
        ("1", "spend", 0.5), ("2", "spend", None), ("4", "spend", 2.0),
    ]  # fmt: skip


def test_a_comparison_that_is_not_there_is_an_error(tmp_path: Path, make: Make) -> None:
    (tmp_path / "c.csv").write_text("id,arm\n1,Mail\n")
    columns = {"customer_id": "id", "arm": "arm", "strategy": {"value": "email"}}
    source = {"path": "c.csv", "columns": columns, "held_out": "Nobody"}
    with pytest.raises(SourceError, match="no_held_out"):
        read(make({"treatments": source}), tmp_path)


def test_words_become_keys(tmp_path: Path, make: Make) -> None:
    (tmp_path / "a.csv").write_text(
        "客户,时间,方式\nA,2025-01-03 10:00, 现场拜访 \nA,2025-01-03 11:00,别的\n", encoding="utf-8"
    )
    columns = {"customer_id": "客户", "happened_at": "时间"}
    kind = {"from": "方式", "map": {"现场拜访": "visit"}}
    settings = make({"activities": {"path": "a.csv", "columns": {**columns, "kind": kind}}})
    assert read(settings, tmp_path).tables["activities"]["kind"].to_pylist() == ["visit", "别的"]


def test_columns_in_place_come_before_a_named_mapping(tmp_path: Path, make: Make) -> None:
    folder = tmp_path / "params" / "mappings"
    folder.mkdir(parents=True)
    (folder / "crm.yml").write_text(
        "tables: {orders: {columns: {customer_id: [客户编号, 客户编码], ordered_at: 日期,"
        " amount: {from: 金额, unit: 万元}, product: 产品}}}",
        encoding="utf-8",
    )
    text = "客户编码,日期,建单,金额\nA,2025-01-01,2025-01-03,1.5\n"
    (tmp_path / "o.csv").write_text(text, encoding="utf-8")
    source = {"path": "o.csv", "mapping": "crm", "columns": {"ordered_at": "建单"}}
    table = read(make({"orders": source}), tmp_path).tables["orders"]
    assert table["ordered_at"].to_pylist() == [datetime(2025, 1, 3)]
    assert table["amount"].to_pylist() == [Decimal(15000)]
    assert "product" not in table.column_names
    with pytest.raises(SourceError, match="unknown_mapping"):
        read(make({"orders": {"path": "o.csv", "mapping": "other"}}), tmp_path)


def test_canonical_headers_need_no_mapping(tmp_path: Path, make: Make) -> None:
    (tmp_path / "o.csv").write_text("customer_id,ordered_at,amount\nA,2025-01-03,1\n")
    found = read(make({"orders": {"path": "o.csv"}}), tmp_path)
    assert found.tables["orders"].column_names == [
        "customer_id", "ordered_at", "amount", "_file", "_row",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["generic_zh", "generic_en"])
def test_shipped_mappings_cover_what_is_required(name: str) -> None:
    root = Path(__file__).parents[2]
    found, problems = load(name, root)
    assert not problems and found is not None
    for table, part in found.tables.items():
        assert set(INPUT[table].required) <= set(part.columns), table


def test_basis_is_what_the_settings_declare(tmp_path: Path, make: Make) -> None:
    (tmp_path / "o.csv").write_text("customer_id,ordered_at,amount\nA,2025-01-03,1\n")
    source = {"path": "o.csv", "event": "shipped", "tax": "excluded"}
    assert read(make({"orders": source}), tmp_path).basis == {"event": "shipped", "tax": "excluded"}
    assert read(make({"orders": {"path": "o.csv"}}), tmp_path).basis == {"event": None, "tax": None}


def parquet(tmp_path: Path, rows: int = 3_000, **more: Any) -> Path:
    table = pa.table(
        {
            "客户编号": [f"C{i}" for i in range(rows)],
            "下单日期": pa.array([datetime(2025, 1, 3)] * rows, pa.timestamp("us")),
            "金额": [i / 100 for i in range(rows)],
            **more,
        }
    )
    path = tmp_path / "o.parquet"
    pq.write_table(table, path, write_page_checksum=True, compression="none")
    return path


def test_a_parquet_file_with_a_flipped_bit_is_damaged(tmp_path: Path, make: Make) -> None:
    path = parquet(tmp_path)
    settings = make({"orders": {"path": "o.parquet", "columns": COLUMNS}})
    whole = path.read_bytes()
    assert read(settings, tmp_path).tables["orders"].num_rows == 3_000
    for at in range(100, len(whole) - 4_000, len(whole) // 25):
        spoilt = bytearray(whole)
        spoilt[at] ^= 4
        path.write_bytes(spoilt)
        with pytest.raises(SourceError, match=r"sources\.damaged"):
            read(settings, tmp_path)
    for end in (0, 3, 8, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(SourceError):
            read(settings, tmp_path)


def test_nested_columns_are_refused_only_if_they_are_read(tmp_path: Path, make: Make) -> None:
    parquet(tmp_path, 2, lines=[[1, 2], [3]])
    columns = {**COLUMNS, "product": "lines"}
    assert read(make({"orders": {"path": "o.parquet", "columns": COLUMNS}}), tmp_path)
    with pytest.raises(SourceError, match=r"sources\.nested_columns"):
        read(make({"orders": {"path": "o.parquet", "columns": columns}}), tmp_path)
