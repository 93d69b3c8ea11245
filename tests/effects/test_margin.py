"""Extra revenue is valued at the margin that orders show; measures belong to their period."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest

from analysis.calendars import Period
from analysis.effects import margin_rate, of_period


def orders(costs: list[str | None]) -> pa.Table:
    money = pa.decimal128(18, 4)
    return pa.table(
        {
            "ordered_at": pa.array([datetime(2025, 7, 1)] * len(costs), pa.timestamp("us")),
            "amount": pa.array([Decimal(100)] * len(costs), money),
            "cost": pa.array([None if c is None else Decimal(c) for c in costs], money),
        }
    )


def test_margin_from_costs() -> None:
    assert margin_rate(orders(["70", "74"]), date(2025, 9, 30), 0.3) == pytest.approx(0.28)


@pytest.mark.parametrize("costs", [[None, None], ["70", None, None], []])
def test_without_enough_costs_the_setting_counts(costs: list[str | None]) -> None:
    assert margin_rate(orders(costs), date(2025, 9, 30), 0.3) == 0.3


def test_only_the_last_year_counts() -> None:
    assert margin_rate(orders(["50"]), date(2027, 9, 30), 0.3) == 0.3


def test_neither_an_earlier_period_nor_what_was_outside_the_draw_is_judged() -> None:
    frame = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c", "d"],
            "arm": ["treated", "treated", "held_out", "exempt"],
            "started_on": pd.to_datetime(["2025-07-10", "2025-10-09", None, "2025-10-09"]),
        }
    )
    assert list(of_period(frame, Period.parse("2025Q4"))["customer_id"]) == ["b", "c"]
