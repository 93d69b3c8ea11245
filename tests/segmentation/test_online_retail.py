"""A real wholesaler, from order lines to segments and movement."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from analysis.calendars import Period
from analysis.engine import query
from analysis.features import build
from analysis.personas import profile
from analysis.segmentation import (
    accounts,
    as_before,
    estimate_cuts,
    flows,
    movements,
    rulebook,
    segment,
    summary,
)
from analysis.settings_model import Personas
from analysis.settings_segmentation import Segmentation

FILE = Path(__file__).parents[3] / "shared" / "data" / "online_retail_2yr_combined.parquet"

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not FILE.is_file(), reason=f"real data not here: {FILE.name}"),
]


@pytest.fixture(scope="module")
def orders() -> pa.Table:
    lines = pd.read_parquet(FILE)
    return query(
        """
        SELECT CAST(InvoiceNo AS VARCHAR) AS order_id,
               CAST(CustomerID AS VARCHAR) AS customer_id,
               InvoiceDate AS ordered_at, StockCode AS product,
               CAST(CAST(Quantity AS DECIMAL(18, 4)) * CAST(UnitPrice AS DECIMAL(12, 3))
                    AS DECIMAL(18, 4)) AS amount
        FROM lines
        WHERE CustomerID IS NOT NULL AND Quantity > 0 AND UnitPrice > 0
        """,
        lines=lines,
    )


def test_everyone_has_a_place_and_the_money_ties_out(orders, rfm5) -> None:
    settings = Segmentation()
    first = query(
        "SELECT customer_id, min(ordered_at) AS joined_on FROM orders GROUP BY ALL ORDER BY ALL",
        orders=orders,
    )
    customers = first.to_pandas()
    assert len(customers) == 5878
    period = Period.parse("2011Q4")
    now = build(orders, customers, as_of=date(2011, 12, 9), period=period, settings=settings)
    was = build(
        orders,
        customers,
        as_of=period.previous().end,
        period=period.previous(),
        settings=settings,
    )
    cuts = estimate_cuts(now, settings)
    segments = segment(now, customers, rfm5, cuts, settings)
    before = as_before(segment(was, customers, rfm5, cuts, settings))
    assert len(segments) == segments["customer_id"].nunique() == 5878
    assert now["orders_ever"].sum() == 36969
    assert len(before) == (now["first_order_on"] <= pd.Timestamp(2011, 9, 30)).sum()
    assert set(segments["segment"]) == set(rfm5.segments)

    moved = movements(before, segments, was, now, rulebook(rfm5, customers, cuts, settings))
    told = flows(moved).set_index("segment").loc["all"]
    assert told["amount_closing"] == pytest.approx(now["revenue_period"].sum(), abs=0.01)
    table = summary(segments, before, now).set_index("segment")
    assert table.loc["high_value", "yearly"] > 5 * table.loc["potential", "yearly"]
    listed = accounts(segments, moved, now, customers, None, 8)
    assert set(listed["list"]) == {"hold", "grow", "rescue", "reorder"}
    assert profile(segments, now, customers, Personas())["segment"].nunique() == 5
