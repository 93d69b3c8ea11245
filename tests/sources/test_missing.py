"""Codes for "not known", as the settings name them."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from tests.sources.conftest import HEADER, ORDERS

from analysis import wording
from analysis.settings_model import Settings
from analysis.settings_sources import Source
from analysis.sources import Sources, missing, read

Make = Callable[..., Settings]


def noted(found: Sources) -> list[dict[str, Any]]:
    notes = json.loads(found.files["note"].iloc[0])
    return [note["args"] for note in notes if note["key"] == "note.missing_codes"]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("-99", -99),
        ("-99.0", -99),
        ("-99", "-99"),
        ("\u221299", -99),
        ("－９９", -99),
        (" -099 ", -99),
        ("0.50", 0.5),
        ("0", 0),
        ("n/a", "N/A"),
        ("不详", "不详"),
    ],
)
def test_a_code_however_it_is_written(cell: str, code: str | float) -> None:
    values, count = missing.drop(pa.array([cell, "7", None]), [code])
    assert (values.to_pylist(), count) == ([None, "7", None], 1)


@pytest.mark.parametrize(
    ("cell", "code"),
    [("99", -99), ("-990", -99), ("-99.5", -99), ("-9", -99), ("1-99", -99), ("nan", "NA"),
     ("10", 0), ("0.05", 0.5), ("NAME", "NA"), ("5", ".")],
)  # fmt: skip
def test_what_is_not_the_code_stays(cell: str, code: str | float) -> None:
    values, count = missing.drop(pa.array([cell]), [code])
    assert (values.to_pylist(), count) == ([cell], 0)


def test_typed_columns_keep_their_type() -> None:
    numbers, count = missing.drop(pa.array([1.5, -99.0, None]), [-99])
    assert (numbers.to_pylist(), numbers.type, count) == ([1.5, None, None], pa.float64(), 1)
    whole, _ = missing.drop(pa.array([3, -99]), [-99.0])
    assert (whole.to_pylist(), whole.type) == ([3, None], pa.int64())


@given(st.lists(st.integers(-200, 200)), st.integers(-200, 200))
def test_every_code_goes_and_nothing_else(cells: list[int], code: int) -> None:
    values, count = missing.drop(pa.array([str(c) for c in cells], pa.string()), [code])
    assert values.to_pylist() == [None if c == code else str(c) for c in cells]
    assert count == cells.count(code)


def test_codes_of_one_column_and_of_the_file(orders: Callable[..., Sources]) -> None:
    lines = f"{HEADER},城市\nD1,K1,2025-08-01,999,-\nD2,K2,2025-08-02,30,999\nD3,-,2025-08-03,7,x\n"
    of_amount = {**ORDERS, "amount": {"from": "金额", "missing": [999]}, "region": "城市"}
    found = orders(lines, columns=of_amount, missing=["-"])
    table = found.tables["orders"]
    assert table["amount"].to_pylist() == [None, Decimal(30), Decimal(7)]
    assert table["customer_id"].to_pylist() == ["K1", "K2", None]
    assert {n["header"]: n["rows"]["value"] for n in noted(found)} == {"客户编号": 1, "金额": 1}


def test_a_code_comes_before_units_dates_and_words(orders: Callable[..., Sources]) -> None:
    columns = {**ORDERS, "amount": {"from": "金额", "unit": "万元"}}
    lines = f"{HEADER}\nD1,K1,2025-08-01,-9\nD2,K2,1900-01-01,2\nD3,K3,2025-08-03,3\n"
    found = orders(lines, columns=columns, missing=[-9, "1900-01-01"])
    table = found.tables["orders"]
    assert table["amount"].to_pylist() == [None, Decimal(20000), Decimal(30000)]
    assert table["ordered_at"].null_count == 1
    assert found.rejected.num_rows == 0  # not known is not the same as unreadable


def test_workbooks_hold_numbers(tmp_path: Path, make: Make) -> None:
    book = Workbook()
    for row in (["customer_id", "visit", "spend"], ["K1", 1, -99], ["K2", -99, 12.5]):
        book.active.append(row)
    book.save(tmp_path / "o.xlsx")
    source = {"path": "o.xlsx", "wide": ["visit", "spend"], "missing": [-99]}
    found = read(make({"outcomes": source}), tmp_path)
    rows = found.tables["outcomes"].to_pylist()
    values = {(r["customer_id"], r["outcome"]): r["value"] for r in rows}
    assert values == {
        ("K1", "visit"): 1.0, ("K2", "visit"): None, ("K1", "spend"): None, ("K2", "spend"): 12.5
    }  # fmt: skip
    assert {n["header"]: n["rows"]["value"] for n in noted(found)} == {"visit": 1, "spend": 1}


def test_without_codes_nothing_is_looked_at() -> None:
    values = pa.array(["-99", "NA", ""])
    assert missing.drop(values, []) == (values, 0)
    assert Source.model_validate({"path": "x.csv"}).missing == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_note_has_words(lang: str) -> None:
    assert wording.text("note.missing_codes", lang, header="x", rows="3")
