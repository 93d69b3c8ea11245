"""Features as of a date: figures by hand, no peeking, no dependence on the order of rows."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.calendars import Period
from analysis.features import build
from analysis.settings_segmentation import Recency, Segmentation
from analysis.tables import MONEY, RECORD

AS_OF = date(2025, 9, 30)
PERIOD = Period.parse("2025Q3")
Line = tuple[str, str, date, str]
ANY_CYCLE = Segmentation(recency=Recency(cycle_customers=1))


def orders_of(lines: list[Line], product: str = "P") -> pa.Table:
    schema = RECORD["orders"].schema()
    columns = {
        "order_id": [order for _, order, _, _ in lines],
        "line_id": [str(i) for i in range(len(lines))],
        "customer_id": [customer for customer, _, _, _ in lines],
        # the last minute of the day: a day that counts counts to its end
        "ordered_at": [datetime.combine(d, time(23, 59)) for _, _, d, _ in lines],
        "product": [product] * len(lines),
        "amount": [Decimal(amount) for _, _, _, amount in lines],
    }
    return pa.table(
        {f.name: pa.array(columns.get(f.name, [None] * len(lines)), f.type) for f in schema}
    )


def customers_of(*ids: str, **columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": list(ids), **columns})


def build_of(lines: list[Line], customers: pd.DataFrame | None = None, **options) -> pd.DataFrame:
    if customers is None:
        customers = customers_of(*sorted({line[0] for line in lines}))
    arguments = {"as_of": AS_OF, "period": PERIOD, "settings": Segmentation()} | options
    return build(orders_of(lines), customers, **arguments).set_index("customer_id")


def test_the_figures_of_one_customer() -> None:
    found = build_of(
        [
            ("A", "1", date(2025, 9, 30), "100.10"),
            ("A", "1", date(2025, 9, 30), "0.20"),
            ("A", "2", date(2025, 5, 1), "50"),
            ("A", "3", date(2024, 8, 15), "30"),
            ("A", "4", date(2023, 9, 30), "7"),
        ]
    ).loc["A"]
    assert found["recency_days"] == 0
    assert found["frequency"] == 3  # the fourth lies one day before the window of 730 days
    assert found["orders_ever"] == 4
    assert found["monetary"] == pytest.approx(150.30, abs=1e-9)
    assert found["mean_order"] == pytest.approx(75.15, abs=1e-9)
    assert found["revenue_period"] == pytest.approx(100.30, abs=1e-9)
    assert found["revenue_previous"] == 50
    assert found["revenue_year_ago"] == 30
    assert found["tenure_days"] == 731
    assert found["intervals"] == 3
    assert found["first_order_on"] == pd.Timestamp(2023, 9, 30)
    assert found["last_order_on"] == pd.Timestamp(2025, 9, 30)
    assert pd.isna(found["visits"]) and pd.isna(found["tickets"])


def test_credit_notes_reduce_money_and_are_no_orders() -> None:
    found = build_of(
        [
            ("A", "1", date(2025, 3, 1), "100"),
            ("A", "C1", date(2025, 9, 1), "-40"),
            ("A", "2", date(2025, 4, 1), "80"),
            ("A", "2", date(2025, 8, 1), "-80"),
        ]
    ).loc["A"]
    assert found["frequency"] == 1
    assert found["monetary"] == 60
    assert found["recency_days"] == (AS_OF - date(2025, 3, 1)).days
    assert found["revenue_period"] == -120


@pytest.mark.requirement("000-14")
def test_the_cycle_shrinks_towards_the_industry() -> None:
    days = [date(2025, 1, 1) + timedelta(days=20 * i) for i in range(4)]
    lines = [("A", f"a{i}", d, "1") for i, d in enumerate(days)]
    lines += [("B", "b1", date(2024, 1, 1), "1"), ("B", "b2", date(2024, 4, 10), "1")]
    lines += [("C", "c1", date(2025, 9, 1), "1")]
    lines += [("D", "d1", date(2025, 9, 1), "1")]
    customers = customers_of("A", "B", "C", "D", industry=["x", "x", "x", "other"])
    found = build_of(lines, customers, settings=ANY_CYCLE)
    industry = (20 + 100) / 2
    cycle = found["expected_interval_days"]
    assert cycle["A"] == pytest.approx((3 * 20 + 2 * industry) / 5)
    assert cycle["B"] == pytest.approx((1 * 100 + 2 * industry) / 3)
    assert cycle["C"] == industry
    assert cycle["D"] == industry  # no cycle in its industry: that of all customers
    assert found["recency_cycles"]["C"] == pytest.approx(29 / industry)
    assert set(found["industry_cycle_days"]) == {industry}


@pytest.mark.requirement("000-14")
@pytest.mark.parametrize(
    ("in_industry", "elsewhere", "expected"), [(5, 0, 10), (4, 0, 90), (4, 1, 10), (4, 20, 40)]
)
def test_too_few_who_ordered_twice_give_no_cycle(
    in_industry: int, elsewhere: int, expected: int
) -> None:
    """The industry's own, else that of all customers, else what the template or default says."""
    count = in_industry + elsewhere
    ids = [f"C{i:02d}" for i in range(count)]
    step = [10] * in_industry + [40] * elsewhere
    lines = [(c, f"{c}1", date(2025, 1, 1), "1") for c in ids]
    lines += [
        (c, f"{c}2", date(2025, 1, 1) + timedelta(days=d), "1")
        for c, d in zip(ids, step, strict=True)
    ]
    lines.append(("ONCE", "x", date(2025, 9, 1), "1"))
    industries = ["a"] * in_industry + [f"b{i}" for i in range(elsewhere)]
    customers = customers_of(*ids, "ONCE", industry=[*industries, "a"])
    found = build_of(lines, customers).loc["ONCE"]
    assert found["expected_interval_days"] == found["industry_cycle_days"] == expected


def test_without_any_second_order_the_default_cycle_stands() -> None:
    settings_ = Segmentation(recency=Recency(default_cycle_days=77))
    found = build_of([("A", "1", date(2025, 9, 1), "1")], settings=settings_)
    assert found["expected_interval_days"]["A"] == 77


def test_weight_nought_takes_the_own_cycle_alone() -> None:
    lines = [("A", "1", date(2025, 1, 1), "1"), ("A", "2", date(2025, 1, 11), "1")]
    lines += [("B", "3", date(2025, 1, 1), "1"), ("B", "4", date(2025, 1, 31), "1")]
    lines += [("C", "5", date(2025, 1, 31), "1")]
    settings_ = Segmentation(recency=Recency(cycle_weight=0, cycle_customers=1))
    found = build_of(lines, settings=settings_)["expected_interval_days"]
    assert found.to_dict() == {"A": 10, "B": 30, "C": 20}


@pytest.mark.requirement("000-12")
def test_a_customer_without_orders_has_no_recency() -> None:
    customers = customers_of("A", "T", on_trial=[None, True])
    found = build_of([("A", "1", date(2025, 9, 1), "1")], customers).loc["T"]
    assert found["frequency"] == 0
    assert found["monetary"] == 0
    assert found["orders_ever"] == 0
    assert pd.isna(found["recency_days"]) and pd.isna(found["recency_cycles"])


def test_the_size_of_an_order_does_not_fade() -> None:
    found = build_of(
        [
            ("A", "1", date(2024, 6, 1), "900"),
            ("B", "2", date(2020, 6, 1), "500"),
        ]
    )
    assert found["monetary"].to_dict() == {"A": 0, "B": 0}
    assert found["mean_order"].to_dict() == {"A": 900, "B": 500}


def test_who_joined_later_was_not_known() -> None:
    customers = customers_of(
        "A", "B", "C", joined_on=pd.to_datetime(["2025-10-01", "2025-09-30", None])
    )
    assert list(build_of([], customers).index) == ["B", "C"]
    with_order = build_of([("A", "1", date(2025, 9, 1), "1")], customers)
    assert list(with_order.index) == ["A", "B", "C"]


def test_money_adds_up_to_the_cent() -> None:
    lines = [("A", str(i), date(2025, 9, 1), "0.10") for i in range(1000)]
    assert build_of(lines)["monetary"]["A"] == 100.0


def test_visits_and_tickets() -> None:
    def at(*day: int) -> datetime:
        return datetime.combine(date(*day), time(18))

    activities = pa.table(
        {
            "customer_id": ["A", "A", "A", "B"],
            "happened_at": pa.array(
                [at(2025, 9, 30), at(2025, 6, 30), at(2025, 10, 1), at(2025, 9, 30)],
                pa.timestamp("us"),
            ),
            "kind": ["visit", "visit", "visit", "mail"],
        }
    )
    tickets = pa.table(
        {
            "customer_id": ["A", "A", "A"],
            "opened_at": pa.array(
                [at(2025, 9, 30), at(2025, 1, 1), at(2025, 10, 1)], pa.timestamp("us")
            ),
            "satisfaction": [4.0, None, 1.0],
        }
    )
    lines = [("A", "1", date(2025, 9, 1), "1"), ("B", "2", date(2025, 9, 1), "1")]
    found = build_of(lines, activities=activities, tickets=tickets)
    assert found["visits"].to_dict() == {"A": 1, "B": 0}
    assert found["tickets"].to_dict() == {"A": 2, "B": 0}
    assert found["satisfaction"]["A"] == 4.0
    assert pd.isna(found["satisfaction"]["B"])


DAYS = st.dates(date(2023, 1, 1), date(2026, 3, 1))
LINES = st.lists(
    st.tuples(
        st.sampled_from("ABCD"),
        st.sampled_from("123456"),
        DAYS,
        st.integers(-500, 2000).map(lambda cents: str(Decimal(cents) / 100)),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lines=LINES, seed=st.integers(0, 9))
def test_later_rows_and_their_order_change_nothing(lines: list[Line], seed: int) -> None:
    customers = customers_of("A", "B", "C", "D", industry=["x", "x", "y", None])
    seen = [line for line in lines if line[2] <= AS_OF]
    shuffled = [lines[i] for i in np.random.default_rng(seed).permutation(len(lines))]
    expected = build_of(seen, customers)
    pd.testing.assert_frame_equal(build_of(lines, customers), expected)
    pd.testing.assert_frame_equal(build_of(shuffled, customers), expected)


def test_the_table_keeps_its_contract() -> None:
    orders = orders_of([("A", "1", date(2025, 9, 1), "1")])
    assert orders.schema.field("amount").type == MONEY
    found = build_of([("A", "1", date(2025, 9, 1), "1")]).reset_index()
    assert list(found.columns) == RECORD["features"].names
