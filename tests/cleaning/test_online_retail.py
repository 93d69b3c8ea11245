"""A real wholesaler's two years: known customers, orders and money, to the penny."""

from __future__ import annotations

import time
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pyarrow.compute as pc
import pytest

from analysis.cleaning import clean
from analysis.settings_model import Settings
from analysis.sources import read

ROOT = Path(__file__).parents[2]
FILE = "../shared/data/online_retail_2yr_combined.parquet"
pytestmark = pytest.mark.skipif(
    not (ROOT / FILE).is_file(), reason=f"real data {FILE} is not beside the project"
)


@pytest.mark.requirement("000-06")
def test_customers_orders_and_money_are_reproduced() -> None:
    columns = {
        "customer_id": "CustomerID", "order_id": "InvoiceNo", "product": "StockCode",
        "ordered_at": "InvoiceDate", "quantity": "Quantity", "unit_price": "UnitPrice",
    }  # fmt: skip
    settings = Settings.model_validate(
        {
            "run": "online_retail",
            "period": "2011",
            "timezone": "Europe/London",
            "currency": "GBP",
            "sources": {"orders": {"path": FILE, "columns": columns}},
            "cleaning": {"rules": {"repeated_lines": "off", "returns_netted": "off"}},
        }
    )
    start = time.perf_counter()
    sources = read(settings, ROOT)
    found = clean(sources.tables, settings, date(2011, 12, 31), sources.rejected)
    assert time.perf_counter() - start < 30
    orders = found.tables["orders"]
    assert found.tables["customers"].num_rows == 5_878
    assert len(pc.unique(orders["order_id"])) == 36_969
    money = Decimal(pc.sum(orders["amount"]).as_py())
    assert money.quantize(Decimal("0.01"), ROUND_HALF_UP) == Decimal("17431533.18")
    assert orders.num_rows + found.removed.num_rows == 1_044_847
    rules = pc.value_counts(found.removed["rule"]).to_pylist()
    assert {r["values"]: r["counts"] for r in rules} == {
        "missing_customer": 235_287, "returns_removed": 18_446, "zero_amount": 70,
    }  # fmt: skip
    days = pc.min_max(orders["ordered_at"]).as_py()
    assert str(days["min"]) == "2009-12-01 07:45:00"
    assert str(days["max"]) == "2011-12-09 12:50:00"
