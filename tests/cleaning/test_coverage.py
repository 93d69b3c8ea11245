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
