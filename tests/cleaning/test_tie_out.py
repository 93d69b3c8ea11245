"""Ours against finance's, to the cent, and never across two bases."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import wording
from analysis.calendars import Period
from analysis.cleaning import TieOut, tie_out
from analysis.cleaning.tie_out import canonical_basis
from analysis.settings_sources import Source
from analysis.tables import RECORD

Q3 = Period.parse("2025Q3")
MONTHS = ("2025-07", "2025-08", "2025-09")
ORDERS = Source(path="o.csv", event="shipped", tax="excluded")


def orders(*lines: tuple[str, Any]) -> pa.Table:
    rows = [
        {
            "order_id": f"O{i}",
            "line_id": "1",
            "customer_id": "A",
            "ordered_at": pd.Timestamp(day),
            "amount": Decimal(str(amount)),
        }
        for i, (day, amount) in enumerate(lines)
    ]
    return pa.Table.from_pylist(rows, schema=RECORD["orders"].schema())


def totals(*rows: tuple[str, str | None, Any]) -> pa.Table:
    made = [{"month": m, "basis": b, "amount": Decimal(str(a))} for m, b, a in rows]
    return pa.Table.from_pylist(made, schema=RECORD["controls"].schema())


LINES = orders(
    ("2025-06-30 23:59", 999),
    ("2025-07-01", "100.10"),
    ("2025-08-31 23:59", 200),
    ("2025-09-30 12:00", "300.05"),
    ("2025-10-01", 999),
)


def compare(
    controls: pa.Table,
    own: Source | None = ORDERS,
    theirs: Source | None = None,
    as_of: date = Q3.end,
) -> TieOut:
    sources = {n: s for n, s in (("orders", own), ("controls", theirs)) if s is not None}
    return tie_out(LINES, controls, sources, Q3, as_of)


def test_month_by_month_and_the_period() -> None:
    found = compare(
        totals(
            ("2025-06", "发货·不含税", 1),
            ("2025-07", "发货·不含税", "100.00"),
            ("2025-08", "发货（不含税）", 200),
            ("2025-09", "shipped, excluding tax", "310.05"),
        )
    )
    rows = {r["month"]: (r["ours"], r["finance"], r["difference"]) for r in found.rows.to_pylist()}
    assert rows == {
        "2025-07": (Decimal("100.1"), Decimal(100), Decimal("0.1")),
        "2025-08": (Decimal(200), Decimal(200), Decimal(0)),
        "2025-09": (Decimal("300.05"), Decimal("310.05"), Decimal(-10)),
        "all": (Decimal("600.15"), Decimal("610.05"), Decimal("-9.9")),
    }
    assert set(found.rows["basis"].to_pylist()) == {"shipped/excluded"}
    share = {r["month"]: r["share"] for r in found.rows.to_pylist()}["all"]
    assert share == pytest.approx(-9.9 / 610.05)
    assert found.left_out.num_rows == 0


def obstacles(found: TieOut) -> dict[str, str]:
    return {r["month"]: r["obstacle"] for r in found.left_out.to_pylist()}


def test_another_basis_is_told_and_never_compared() -> None:
    found = compare(totals(*((m, "开票·含税", 1) for m in MONTHS)))
    assert found.rows.num_rows == 0
    assert obstacles(found) == dict.fromkeys(MONTHS, "other_basis")
    assert found.left_out["basis"].to_pylist() == ["invoiced/included"] * 3


def test_without_a_basis_on_either_side_there_is_no_row() -> None:
    plain = totals(*((m, None, 1) for m in MONTHS))
    assert obstacles(compare(plain)) == dict.fromkeys(MONTHS, "basis_unknown")
    assert obstacles(compare(plain, own=None)) == dict.fromkeys(MONTHS, "own_basis_unknown")
    theirs = Source(path="c.csv", event="shipped", tax="excluded")
    assert compare(plain, theirs=theirs).rows.num_rows == 4


def test_a_month_that_is_missing_or_not_over_leaves_no_total_of_the_period() -> None:
    two = totals(*((m, "发货不含税", 1) for m in MONTHS[:2]))
    found = compare(two)
    assert found.rows["month"].to_pylist() == ["2025-07", "2025-08"]
    assert obstacles(found) == {"2025-09": "no_total"}
    three = totals(*((m, "发货不含税", 1) for m in MONTHS))
    early = compare(three, as_of=date(2025, 9, 15))
    assert obstacles(early) == {"2025-09": "month_not_over"}
    assert "all" not in early.rows["month"].to_pylist()


def test_a_second_total_is_told() -> None:
    found = compare(totals(("2025-07", "发货·不含税", 1), ("2025-07", "发货不含税", 2)))
    assert obstacles(found) == {
        "2025-07": "second_total",
        "2025-08": "no_total",
        "2025-09": "no_total",
    }


def test_without_controls_both_are_empty() -> None:
    found = compare(totals())
    assert (found.rows.num_rows, found.left_out.num_rows) == (0, 0)
    assert found.rows.schema.equals(RECORD["tie_out"].schema())


def test_obstacles_have_words() -> None:
    known = RECORD["tie_out_left_out"].column("obstacle").meaning.split(", ")
    assert len(known) == 6
    assert all(wording.has(f"obstacle.{name.strip()}") for name in known)


@pytest.mark.parametrize(
    ("words", "basis"),
    [
        ("发货·不含税", "shipped/excluded"),
        ("shipped/excluded", "shipped/excluded"),
        ("开票 价税合计", "invoiced/included"),
        ("下单，含税", "ordered/included"),
        ("未税 出库", "shipped/excluded"),
        ("发货", ""),
        ("不含税", ""),
        ("发货、开票 含税", ""),
        ("", ""),
    ],
)
def test_a_basis_in_words(words: str, basis: str) -> None:
    assert canonical_basis(words) == basis


@settings(max_examples=30, deadline=None)
@given(
    ours=st.lists(st.integers(-(10**11), 10**11), min_size=3, max_size=3),
    finance=st.lists(st.integers(-(10**11), 10**11), min_size=3, max_size=3),
)
def test_differences_add_up_to_the_cent(ours: list[int], finance: list[int]) -> None:
    lines = orders(*((f"{m}-15", Decimal(v) / 100) for m, v in zip(MONTHS, ours, strict=True)))
    given_totals = totals(
        *((m, "发货不含税", Decimal(v) / 100) for m, v in zip(MONTHS, finance, strict=True))
    )
    rows = tie_out(lines, given_totals, {"orders": ORDERS}, Q3, Q3.end).rows.to_pylist()
    whole = next(r for r in rows if r["month"] == "all")
    assert whole["difference"] == Decimal(sum(ours) - sum(finance)) / 100
    assert whole["difference"] == sum(r["difference"] for r in rows if r["month"] != "all")
