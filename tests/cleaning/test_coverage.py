"""A period without an order is a missing export, not a quarter of zero."""

from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa
import pytest

from analysis import wording
from analysis.calendars import Period
from analysis.cleaning import require_orders
from analysis.errors import ScopeError

Q4 = Period.parse("2025Q4")


def orders(*days: datetime) -> pa.Table:
    return pa.table({"ordered_at": pa.array(days, pa.timestamp("us"))})


def test_last_quarters_export_is_refused() -> None:
    with pytest.raises(ScopeError) as caught:
        require_orders(orders(datetime(2025, 9, 30)), Q4, date(2025, 12, 31))
    assert caught.value.exit_code == 4
    assert "2025-09-30" in wording.explain(caught.value, "zh")[0]


def test_one_order_is_enough_and_none_given_is_another_matter() -> None:
    require_orders(orders(datetime(2025, 9, 30), datetime(2025, 10, 1)), Q4, date(2025, 12, 31))
    require_orders(orders(), Q4, date(2025, 12, 31))


def test_a_week_without_a_working_day_may_bring_none() -> None:
    before = orders(datetime(2025, 1, 24))
    festival = Period.parse("2025-W05")  # 27 January to 2 February 2025: Spring Festival
    first = Period.parse("2024-W41")
    with pytest.raises(ScopeError):
        require_orders(before, festival, festival.end, "DE")
    with pytest.raises(ScopeError):  # 27 January 2025 was a working day in China
        require_orders(before, festival, festival.end)
    holiday = Period.parse("2026-W08")  # 16 to 22 February 2026
    require_orders(before, holiday, holiday.end)
    require_orders(orders(datetime(2024, 10, 9)), first, first.end)
