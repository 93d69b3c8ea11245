"""Workbooks of Excel 97-2003, and workbooks that a password locks.

The files are small and made for these tests: a hidden sheet, a title above the header, dates as
Excel dates, an amount that binary numbers cannot hold exactly.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from analysis.errors import SourceError

FILES = Path(__file__).parent / "files"


def test_an_old_workbook_reads_like_a_new_one(orders) -> None:
    read = orders((FILES / "orders.xls").read_bytes(), "o.xls")
    lines = read.tables["orders"].sort_by("order_id").to_pylist()
    assert [(r["order_id"], r["customer_id"], r["amount"]) for r in lines] == [
        ("D1", "C001", Decimal("1250.5000")),
        ("D2", "C002", Decimal("80.0000")),
        ("D3", "C001", Decimal("0.3000")),
    ]
    assert [str(r["ordered_at"])[:10] for r in lines] == ["2025-01-03", "2025-02-28", "2025-03-31"]
    assert [r["_row"] for r in lines] == [4, 5, 6]
    file = read.files.iloc[0]
    assert (file["format"], file["header_row"], file["rows"]) == ("xls", 3, 3)
    assert "退货" in file["note"]  # the sheets that were left out are named


@pytest.mark.parametrize("name", ["o.xls", "o.xlsx"])
def test_a_locked_workbook_says_so(orders, name: str) -> None:
    with pytest.raises(SourceError) as caught:
        orders((FILES / "locked.xlsx").read_bytes(), name)
    assert [p.key for p in caught.value.problems] == ["sources.locked"]


def test_a_missing_sheet_names_those_that_are_there(orders) -> None:
    with pytest.raises(SourceError) as caught:
        orders((FILES / "orders.xls").read_bytes(), "o.xls", sheet="客户")
    (problem,) = caught.value.problems
    assert problem.key == "sources.no_sheet"
    assert "订单" in problem.args["available"]
