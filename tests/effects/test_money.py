"""Money collected, money open, the year, and the push at the period's end."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.calendars import Period, WorkingCalendar
from analysis.effects import kpis
from analysis.effects.kpi_compare import status
from analysis.effects.kpi_dictionary import BY_KEY
from analysis.engine import conform
from analysis.settings_measures import Effectiveness
from analysis.tables import RECORD

Q3 = Period.parse("2025Q3")
MONEY = ("collected", "collection_rate", "receivables", "overdue", "overdue_share")


def table(name: str, *rows: dict[str, Any]) -> pa.Table:
    days = ("ordered_at", "paid_on", "as_of")
    made = [{k: pd.Timestamp(v) if k in days else v for k, v in row.items()} for row in rows]
    return pa.Table.from_pylist(made, schema=RECORD[name].schema())


def order(number: int, day: str, amount: Any) -> dict[str, Any]:
    return {"order_id": f"O{number}", "line_id": "1", "customer_id": "A", "ordered_at": day,
            "amount": Decimal(str(amount))}  # fmt: skip


def payment(number: int, day: str, amount: Any, **more: Any) -> dict[str, Any]:
    return {"payment_id": f"P{number}", "customer_id": "A", "paid_on": day,
            "amount": Decimal(str(amount)), **more}  # fmt: skip


def owed(customer: str, day: str, bucket: str, amount: Any, overdue: Any) -> dict[str, Any]:
    late = None if overdue is None else Decimal(str(overdue))
    return {"customer_id": customer, "as_of": day, "bucket": bucket,
            "amount": Decimal(str(amount)), "overdue": late}  # fmt: skip


def targets(*rows: tuple[str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["kpi", "period", "value"])
    return frame.assign(segment=None, owner_id=None)


ORDERS = table(
    "orders",
    *(order(i, day, 100) for i, day in enumerate(
        [f"{y}-{m:02d}-10" for y in (2023, 2024, 2025) for m in range(1, 13)]
    ) if day < "2025-10"),
    order(900, "2025-09-25", 30),  # the fifth last working day: 28 September is one as well
    order(901, "2025-09-27", 20),  # a Saturday in between
    order(902, "2025-09-30", 50),
    order(903, "2025-09-24", 400),
)  # fmt: skip
PAYMENTS = table(
    "payments",
    payment(1, "2024-07-01", 10),
    payment(2, "2025-04-01", 70),
    payment(3, "2025-07-01", "60.05", kind="receivable"),
    payment(4, "2025-09-30", 40, kind="advance", method="银行承兑汇票"),
    payment(5, "2025-10-01", 999),
)
RECEIVABLES = table(
    "receivables",
    owed("A", "2025-06-30", "not_due", 80, 0),
    owed("A", "2025-06-30", "1-30", 20, 20),
    owed("A", "2025-08-31", "1-30", 500, 500),  # an earlier one of the same quarter
    owed("A", "2025-09-30", "not_due", 60, 0),
    owed("A", "2025-09-30", "1-30", 15, 15),
    owed("B", "2025-09-30", "91-180", 25, 25),
    owed("C", "2025-09-30", "not_due", -10, 0),
)


def found(*given_targets: tuple[str, str, float], **more: Any) -> pd.DataFrame:
    settings = Effectiveness(not_collected=more.pop("not_collected", []))
    as_of = more.pop("as_of", None)
    tables = {"payments": PAYMENTS, "receivables": RECEIVABLES, **more}
    frame = kpis(ORDERS, targets(*given_targets), Q3, settings, tables=tables, as_of=as_of)
    assert conform(frame, RECORD["kpis"]).num_rows == len(frame)
    return frame


def one(frame: pd.DataFrame, kpi: str, period: str = "2025Q3") -> pd.Series:
    rows = frame.query("kpi == @kpi and period == @period and segment == 'all'")
    assert len(rows) == 1
    return rows.iloc[0]


def test_money_collected_against_its_target() -> None:
    frame = found(("collected", "2025Q3", 125.0), ("collected", "2025Q2", 70.0))
    row = one(frame, "collected")
    assert (row["value"], row["n"], row["target"]) == (100.05, 2, 125)
    assert (row["previous"], row["year_ago"]) == (70, 10)
    assert row["status"] == "below"
    rate = one(frame, "collection_rate")
    assert rate["value"] == pytest.approx(100.05 / 125)
    assert (rate["numerator"], rate["denominator"], rate["target"]) == (100.05, 125, 1)
    assert (rate["previous"], rate["status"]) == (1, "below")
    assert math.isnan(one(frame, "collected", "2024Q3")["previous"])  # not recorded, not nothing


def test_kinds_and_methods_that_do_not_count() -> None:
    assert one(found(not_collected=["Advance"]), "collected")["value"] == 60.05
    assert one(found(not_collected=["银行承兑汇票"]), "collected")["value"] == 60.05


def test_months_of_a_target_add_up() -> None:
    months = [("collected", f"2025-{m:02d}", 10.0 * m) for m in (7, 8, 9)]
    assert one(found(*months), "collected")["target"] == 240
    assert math.isnan(one(found(*months[:2]), "collected")["target"])


def test_open_money_is_that_of_the_latest_snapshot() -> None:
    frame = found(("overdue_share", "2025Q3", 0.4))
    balance, overdue, share = (one(frame, k) for k in ("receivables", "overdue", "overdue_share"))
    assert (balance["value"], balance["n"], balance["previous"]) == (90, 2, 100)
    assert (overdue["value"], overdue["n"], overdue["previous"]) == (40, 2, 20)
    assert share["value"] == pytest.approx(40 / 90)
    assert (share["previous"], share["status"]) == (0.2, "below")  # above its bound
    assert math.isnan(share["year_ago"])


def test_a_bound_is_kept_from_below() -> None:
    kpi = BY_KEY["overdue_share"]
    assert status(kpi, 0.18, 0.18, 0.02) == "on_target"
    assert status(kpi, 0.19, 0.18, 0.02) == "watch"
    assert status(kpi, 0.21, 0.18, 0.02) == "below"


def test_where_the_file_does_not_tell_what_is_overdue() -> None:
    frame = found(receivables=table("receivables", owed("A", "2025-09-30", "1-30", 5, None)))
    assert one(frame, "receivables")["value"] == 5
    assert not set(frame["kpi"]) & {"overdue", "overdue_share"}


def test_without_the_tables_there_are_no_rows_rather_than_nought() -> None:
    for none in (None, RECORD["payments"].schema().empty_table()):
        frame = kpis(
            ORDERS, None, Q3, Effectiveness(), tables={"payments": none, "receivables": None}
        )
        assert not set(frame["kpi"]) & set(MONEY)
    old = found(receivables=table("receivables", owed("A", "2025-06-30", "1-30", 5, 5)))
    assert old.query("kpi == 'overdue' and period == '2025Q3'").empty
    assert found().query("kpi == 'collection_rate'").empty  # no target


def test_the_year() -> None:
    frame = found(("revenue", "2025", 1600.0))
    row = one(frame, "revenue_ytd")
    assert (row["value"], row["target"], row["gap"]) == (1400, 1600, -200)
    assert row["attainment"] == pytest.approx(0.875)
    assert row["status"] == "on_target"  # three quarters of the year: 1,200 were due
    assert row["year_ago"] == 900
    assert math.isnan(row["previous"])
    assert one(found(("revenue", "2025", 2400.0)), "revenue_ytd")["status"] == "below"
    assert one(frame, "time_elapsed")["value"] == 0.75


def test_the_push_at_the_end_counts_chinese_working_days() -> None:
    row = one(found(), "quarter_end_push")
    assert (row["numerator"], row["denominator"]) == (100, 800)
    assert (row["value"], row["n"]) == (0.125, 3)
    assert row["year_ago"] == 0
    early = found(as_of=date(2025, 9, 20))
    assert early.query("kpi == 'quarter_end_push' and period == '2025Q3'").empty
    assert one(early, "quarter_end_push", "2025Q2")["value"] == 0


def test_the_last_working_days() -> None:
    calendar = WorkingCalendar("CN")
    assert calendar.nth_last_working(Q3.end, 1) == date(2025, 9, 30)
    assert calendar.nth_last_working(Q3.end, 5) == date(2025, 9, 25)  # with Sunday the 28th


def test_parts_of_a_period() -> None:
    names = [[p.name for p in parts] for parts in Period.parse("2025H2").parts()]
    months = [f"2025-{m:02d}" for m in range(7, 13)]
    assert names == [["2025Q3", "2025Q4"], months]
    assert Period.parse("2025-07").parts() == Period.parse("2025-W36").parts() == []


@settings(max_examples=20, deadline=None)
@given(cents=st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=8))
def test_no_cent_of_the_payments_is_lost(cents: list[int]) -> None:
    rows = [payment(i, "2025-08-01", Decimal(c) / 100) for i, c in enumerate(cents)]
    value = one(found(payments=table("payments", *rows)), "collected")["value"]
    assert value == float(Decimal(sum(cents)) / 100)
