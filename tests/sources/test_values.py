"""What a file's values become: a value, a rejected row with its rule, or a counted note."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.errors import SourceError
from analysis.sources import Sources, read


@pytest.fixture
def table(tmp_path: Path, make: Callable[..., Any]) -> Callable[..., Sources]:
    def _table(name: str, columns: dict[str, Any], rows: list[list[str]], **more: Any) -> Sources:
        lines = [list(columns), *rows]
        text = "\n".join(",".join(f'"{c}"' for c in line) for line in lines) + "\n"
        (tmp_path / "t.csv").write_text(text, encoding="utf-8")
        settings = {k: v for k, v in more.items() if k != "source"}
        mapped = {c: ({"from": c, **how} if how else c) for c, how in columns.items()}
        source = {"path": "t.csv", "columns": mapped, **more.get("source", {})}
        return read(make({name: source}, **settings), tmp_path)

    return _table


def notes(found: Sources) -> dict[str, int]:
    told = json.loads(found.files["note"].iloc[0])
    return {n["key"].removeprefix("note."): n["args"]["rows"]["value"] for n in told}


ORDERS: dict[str, Any] = {"customer_id": {}, "ordered_at": {}, "amount": {}}


@pytest.mark.requirement("000-04")
def test_every_cell_is_a_value_or_rejects_its_row_by_name(table) -> None:
    cells = {
        "1,234.50": None, "￥1.2万": None, "(500)": None, "USD 100": "other_currency",
        "1.234,50": "ambiguous_number", "1,23": "ambiguous_number", "12%": "unreadable_number",
        "1e3": "unreadable_number", "99999999999999999": "too_large", "-": None, "": None,
    }  # fmt: skip
    days = {
        "2024-02-30": "unreadable_date", "45294": "other_date_format",
        "03/04/2024": "ambiguous_date", "0000-00-00": "no_day", "9999-12-31": None,
    }  # fmt: skip
    rows = [["A", "2024-01-03", cell] for cell in cells]
    rows += [["A", day, "1"] for day in days]
    rows += [["A", "2024/1/4", "1"]] * 30
    found = table("orders", ORDERS, rows)
    expected = [why for why in [*cells.values(), *days.values()] if why]
    assert found.rejected["rule"].to_pylist() == expected
    assert found.tables["orders"].num_rows + found.rejected.num_rows == len(rows)
    assert found.tables["orders"]["amount"].to_pylist()[:5] == [
        Decimal("1234.5"), Decimal(12000), Decimal(-500), None, None,
    ]  # fmt: skip
    assert notes(found) == {"dashes": 1}
    reasons = [json.loads(r) for r in found.rejected["reason"].to_pylist()]
    assert reasons[0] == {"key": "removed.other_currency", "args": {"header": "amount"}}


def test_optional_columns_count_what_they_leave_empty(table) -> None:
    columns = {**ORDERS, "shipped_on": {}, "returned": {}, "quantity": {}, "unit_price": {}}
    plain = ["A", "2024-01-03", "1", "2024-01-05", "是", "1", "2.5"]
    wrong = ["A", "2024-01-03", "1", "9999-12-31", "也许", "多", "0.123456"]
    never = ["A", "2024-01-03", "1", "1900-01-00", "", "$5", "—"]
    found = table("orders", columns, [plain] * 5 + [wrong, never])
    assert not found.rejected.num_rows
    assert notes(found) == {
        "no_day": 2, "unreadable_values": 1, "other_currency": 1, "rounded": 1, "dashes": 1,
    }  # fmt: skip
    assert found.tables["orders"]["shipped_on"].null_count == 2


def test_a_point_between_thousands_is_the_settings_to_say(table) -> None:
    rows = [["A", "2024-01-03", cell] for cell in ("1.234,50", "1.234", "7")]
    with pytest.raises(SourceError, match="ambiguous_numbers"):
        table("orders", ORDERS, rows)
    found = table("orders", ORDERS, rows, source={"decimal": ","})
    assert found.tables["orders"]["amount"].to_pylist() == [Decimal("1234.5"), 1234, 7]


def test_ratings_by_a_declared_word_map(table) -> None:
    words = {"很满意": "5", "满意": "4", "一般": "3"}
    columns = {"customer_id": {}, "opened_at": {}, "satisfaction": {"map": words}}
    cells = ["5分", "满意", "很满意", "4.5", "3星", "还行", "一般"]
    found = table("tickets", columns, [["A", "2024-01-03", cell] for cell in cells])
    values = found.tables["tickets"]["satisfaction"].to_pylist()
    assert values == [5, 4, 5, 4.5, 3, None, 3]
    assert notes(found) == {"unreadable_values": 1}


def test_whole_numbers_and_shares(table) -> None:
    columns = {"customer_id": {}, "name": {}, "employees": {}}
    cells = ["3", "3.0", "3.5", "1,200人", "9007199254740993"]
    found = table("customers", columns, [[f"C{i}", "x", c] for i, c in enumerate(cells)])
    assert found.tables["customers"]["employees"].to_pylist() == [3, 3, None, 1200, None]
    assert notes(found) == {"not_whole": 1, "too_large": 1}
    columns = {"customer_id": {}, "other_id": {}, "kind": {}, "share": {}}
    rows = [["A", f"B{i}", "parent", c] for i, c in enumerate(["51%", "0.4", "51"])]
    found = table("relations", columns, rows)
    assert found.tables["relations"]["share"].to_pylist() == [0.51, 0.4, None]
    assert notes(found) == {"not_a_share": 1}


def test_months_of_finance_are_read_in_any_form_and_never_passed_over(table) -> None:
    columns = {"month": {}, "amount": {}}
    rows = [
        ["2024-1", "1"],
        ["2024年2月", "2"],
        ["202403", "3"],
        ["2024-04-30", "4"],
        ["五月", "5"],
    ]
    found = table("controls", columns, rows)
    assert found.tables["controls"]["month"].to_pylist() == [f"2024-0{i}" for i in range(1, 5)]
    assert found.rejected["rule"].to_pylist() == ["unreadable_month"]
    assert found.rejected["amount"].to_pylist() == [5]


def test_numbers_of_customers_stay_text(table) -> None:
    def ids(*cells: str) -> list[str]:
        rows = [[cell, "2024-01-03", "1"] for cell in cells]
        found: list[str] = table("orders", ORDERS, rows).tables["orders"]["customer_id"].to_pylist()
        return found

    long = "6222021234567890123"
    assert ids("00123", long, "12E5", "Ａ０１") == ["00123", long, "12E5", "A01"]
    assert ids("00123.0", "7.0") == ["00123", "7"]
    with pytest.raises(SourceError, match="scientific_key"):
        ids("A1", "1.23457E+16")
    mixed = table("orders", ORDERS, [["7.0", "2024-01-03", "1"], ["7", "2024-01-03", "1"]])
    assert notes(mixed) == {"some_float_keys": 1}


def test_numbers_of_customers_in_parquet(tmp_path: Path, make: Callable[..., Any]) -> None:
    def ids(values: pa.Array) -> list[str]:
        days = pa.array(["2024-01-03"] * len(values))
        data = {"customer_id": values, "ordered_at": days, "amount": [1.0] * len(values)}
        pq.write_table(pa.table(data), tmp_path / "o.parquet")
        found = read(make({"orders": {"path": "o.parquet"}}), tmp_path)
        column: list[str] = found.tables["orders"]["customer_id"].to_pylist()
        return column

    exact = [Decimal(6222021234567890123), None]
    assert ids(pa.array(exact, pa.decimal128(21, 2))) == ["6222021234567890123", None]
    with pytest.raises(SourceError, match="imprecise_key"):
        ids(pa.array([20_000_001.0], pa.float32()))
