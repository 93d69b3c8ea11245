"""Contracts, use, activity, margin, complaints and arrears as of a date; nothing later is seen."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.calendars import Period
from analysis.features import build
from analysis.settings_segmentation import ActivityWindow, Segmentation
from analysis.tables import RECORD

AS_OF = date(2025, 9, 30)
PERIOD = Period.parse("2025Q3")
START = date(2023, 1, 1)


def table_of(name: str, *rows: dict[str, Any]) -> pa.Table:
    """RECORD rows from maps; a day stands for its last minute where a time is wanted."""
    schema = RECORD[name].schema()
    kinds = {column.name: column.type for column in RECORD[name].columns}

    def cell(column: str, value: Any) -> Any:
        if value is None:
            return None
        if kinds[column] == "timestamp":
            return datetime.combine(value, time(23, 59))
        if kinds[column] == "date":
            return datetime.combine(value, time())
        return Decimal(str(value)) if kinds[column] == "money" else value

    return pa.table(
        {f.name: pa.array([cell(f.name, r.get(f.name)) for r in rows], f.type) for f in schema}
    )


def order(customer: str, day: date, amount: float = 100, cost: float | None = None) -> dict:
    key = f"{customer}-{day}"
    return {
        "order_id": key, "line_id": "1", "customer_id": customer, "ordered_at": day,
        "amount": amount, "cost": cost,
    }  # fmt: skip


def visit(customer: str, day: date, number: int = 0) -> dict:
    return {
        "activity_id": f"{customer}{day}{number}",
        "customer_id": customer,
        "happened_at": day,
        "kind": "visit",
    }


def term(number: str, customer: str, starts: date, ends: date, **more: Any) -> dict:
    given = {"arr": 1000, "seats": 10} | more
    return {
        "subscription_id": number,
        "customer_id": customer,
        "starts_on": starts,
        "ends_on": ends,
        **given,
    }


def use(customer: str, day: date, events: float | None, users: int = 5, feature: str = "f") -> dict:
    return {
        "customer_id": customer,
        "used_on": day,
        "feature": feature,
        "users": users,
        "events": events,
    }


def built(
    customers: list[str] | pd.DataFrame, as_of: date = AS_OF, **tables: list[dict]
) -> pd.DataFrame:
    if isinstance(customers, list):
        customers = pd.DataFrame({"customer_id": customers})
    made = {name: table_of(name, *rows) for name, rows in tables.items()}
    orders = made.pop("orders", table_of("orders"))
    options = {"as_of": as_of, "period": PERIOD, "settings": Segmentation()}
    return build(orders, customers, **made, **options).set_index("customer_id")


def ago(days: int) -> date:
    return AS_OF - timedelta(days=days)


def test_a_relationship_begins_with_the_file_or_the_first_order() -> None:
    customers = pd.DataFrame(
        {
            "customer_id": ["A", "B", "C"],
            "joined_on": pd.to_datetime(["2024-09-30", None, "2026-01-01"]),
        }
    )
    orders = [order("A", date(2025, 1, 1)), order("B", ago(40)), order("C", ago(7))]
    found = built(customers, orders=orders)["relationship_days"]
    assert found.to_dict() == {"A": 365, "B": 40, "C": 7}


def test_margin_needs_the_cost_of_every_line_of_the_window() -> None:
    found = built(
        ["A", "B", "C", "D"],
        orders=[
            order("A", ago(10), 100, 60),
            order("A", ago(20), -10, -6),
            order("A", ago(500), 100, None),
            order("B", ago(10), 100, 60),
            order("B", ago(20), 100, None),
            order("C", ago(500), 100, 60),
        ],
    )["margin"]
    assert found["A"] == 36
    assert found[["B", "C", "D"]].isna().all()


def test_contracts_that_run_and_those_that_have_ended() -> None:
    found = built(
        ["A", "B", "C", "D", "E"],
        subscriptions=[
            term("A1", "A", date(2024, 1, 1), date(2024, 12, 31)),
            term("A2", "A", date(2025, 1, 1), date(2025, 12, 31), arr=1500, predecessor="A1"),
            term("A3", "A", date(2025, 3, 1), date(2025, 10, 10), arr=200, seats=2),
            term("B1", "B", date(2023, 1, 1), date(2025, 8, 31)),
            term("C1", "C", date(2025, 10, 1), date(2026, 9, 30)),
            term("D1", "D", date(2024, 10, 1), AS_OF),
            term("E1", "E", date(2024, 10, 1), date(2025, 12, 31)),
            term("E2", "E", date(2025, 9, 1), date(2026, 8, 31), arr=900, predecessor="E1"),
        ],
    )
    # E1 was taken over early: its money is not counted beside its successor's
    assert found["arr"].drop("C").to_dict() == {"A": 1700, "B": 0, "D": 1000, "E": 900}
    days = found["days_to_renewal"].drop("C").to_dict()
    assert days == {"A": 10, "B": -30, "D": 0, "E": 335}
    assert found["renewal_on"]["A"] == pd.Timestamp(2025, 10, 10)
    # signed for later: not known by then
    assert found.loc["C", ["arr", "renewal_on", "days_to_renewal"]].isna().all()


def test_usage_is_compared_by_logged_day() -> None:
    rows = [use("A", ago(7 * week), 100.0 if week >= 13 else 60.0) for week in range(26)]
    rows += [use("B", ago(7 * week), 100.0 if week >= 13 else 60.0) for week in range(0, 26, 3)]
    rows += [use("C", ago(7 * week), 50.0) for week in range(5)]  # no log before
    found = built(
        ["A", "B", "C"],
        usage=rows,
        subscriptions=[term(c, c, START, date(2026, 1, 1)) for c in "ABC"],
    )
    assert found["usage_change"]["A"] == pytest.approx(-0.4)
    assert found["usage_change"]["B"] == pytest.approx(-0.4)  # fewer days logged is no fall
    assert pd.isna(found["usage_change"]["C"])
    assert set(found["seats_used"]) == {0.5}


def test_people_of_a_day_are_counted_once_over_features() -> None:
    rows = [use("A", ago(1), 3.0, users=8, feature="x"), use("A", ago(1), 2.0, 4, feature="y")]
    found = built(["A"], usage=rows, subscriptions=[term("1", "A", START, date(2026, 1, 1))])
    assert found["seats_used"]["A"] == 0.8


@pytest.mark.parametrize("measure", ["minutes", "users"])
def test_a_log_without_events_is_read_by_time_else_by_people(measure: str) -> None:
    rows = [
        {"customer_id": "A", "used_on": ago(day), "feature": "f", measure: value}
        for day, value in ((1, 30), (170, 60))
    ]
    assert built(["A"], usage=rows)["usage_change"]["A"] == -0.5


@pytest.mark.requirement("000-02")
def test_activity_against_the_window_before_and_a_year_ago() -> None:
    orders = [order("A", START), order("B", START)]
    for customer, now, before, year in (("A", 2, 6, 4), ("B", 6, 3, 3)):
        for count, first in ((now, 0), (before, 90), (year, 364)):
            # first and last day of each window: 0..89, 90..179, 364..453
            days = [first, first + 89, *range(first + 1, first + 89)][:count]
            orders += [order(customer, ago(day)) for day in days]
    found = built(["A", "B"], orders=orders)
    assert found["activity_change"].to_dict() == pytest.approx({"A": 2 / 6 - 1, "B": 1})
    assert found["activity_change_year"].to_dict() == pytest.approx({"A": 2 / 4 - 1, "B": 1})


def test_orders_contacts_and_uses_count_together() -> None:
    orders = [order("A", START), *(order("A", ago(d)) for d in (1, 100, 101))]
    activities = [visit("A", START), *(visit("A", ago(d), n) for n, d in enumerate((1, 95, 96)))]
    activities.append({**visit("A", ago(3), 9), "kind": "mail"})
    usage = [use("A", ago(d), 2.0) for d in (1, 2)] + [use("A", ago(95), 6.0)]
    found = built(["A"], orders=orders, activities=activities, usage=usage)
    # 1 order + 1 visit + 2 logged days of 2 uses, against 2 + 2 + 6 uses for as many days
    assert found["activity_change"]["A"] == pytest.approx((1 + 1 + 4) / (2 + 2 + 12) - 1)


def test_no_comparison_without_a_past() -> None:
    old = [order("A", START), *(order("A", ago(day)) for day in (1, 2, 100, 101))]
    young = [order("B", ago(day)) for day in (5, 110, 111, 112)]
    found = built(["A", "B"], orders=[*old, *young])["activity_change"]
    assert pd.isna(found["A"])  # two orders before are too few
    assert pd.isna(found["B"])  # a customer since less than both windows
    few = Segmentation(activity=ActivityWindow(least=2))
    made = table_of("orders", *old, *young)
    frame = pd.DataFrame({"customer_id": ["A", "B"]})
    again = build(made, frame, as_of=AS_OF, period=PERIOD, settings=few)
    assert again["activity_change"].iloc[0] == 0
    # visits that are only known since July say nothing of the time before
    calls = [visit("A", ago(day)) for day in range(10)]
    late = build(
        made, frame, table_of("activities", *calls), as_of=AS_OF, period=PERIOD, settings=few
    )
    assert late["activity_change"].iloc[0] == 0


def test_an_annual_buyer_has_not_fallen_by_everything() -> None:
    found = built(["A"], orders=[order("A", START), order("A", ago(100))])
    assert pd.isna(found["activity_change"]["A"])


def test_complaints_of_the_last_year() -> None:
    def ticket(day: date, kind: str) -> dict:
        return {"ticket_id": f"{day}{kind}", "customer_id": "A", "opened_at": day, "kind": kind}

    rows = [(ago(0), "complaint"), (ago(364), "complaint"), (ago(365), "complaint")]
    tickets = [ticket(*row) for row in rows] + [ticket(ago(3), "fault")]
    found = built(["A", "B"], tickets=tickets)["complaints"]
    assert found.to_dict() == {"A": 2, "B": 0}
    assert built(["A"])["complaints"].isna().all()


def test_overdue_of_the_latest_snapshot_by_then() -> None:
    def open_(customer: str, as_of: date, overdue: float | None, account: str = "") -> dict:
        return {
            "customer_id": customer, "as_of": as_of, "bucket": "1-30", "amount": 500,
            "overdue": overdue, "account": account,
        }  # fmt: skip

    rows = [
        open_("A", ago(92), 400),
        open_("A", ago(0), 70, "1"),
        open_("A", ago(0), 30, "2"),
        open_("B", ago(92), 50),
        open_("C", ago(0), None),
        open_("B", ago(-1), 999),
    ]
    found = built(["A", "B", "C"], receivables=rows)["overdue"]
    assert found["A"] == 100
    assert found["B"] == 0  # no longer in the snapshot: paid
    assert pd.isna(found["C"])  # the file does not tell
    assert built(["A"])["overdue"].isna().all()


DAYS = st.dates(date(2023, 6, 1), date(2026, 3, 1))
CUSTOMERS = st.sampled_from("ABC")
TABLES = st.fixed_dictionaries(
    {
        "orders": st.lists(
            st.builds(
                order,
                CUSTOMERS,
                DAYS,
                st.integers(-50, 900),
                st.one_of(st.none(), st.integers(0, 99)),
            ),
            max_size=12,
        ),
        "activities": st.lists(st.builds(visit, CUSTOMERS, DAYS), max_size=8),
        "usage": st.lists(st.builds(use, CUSTOMERS, DAYS, st.integers(0, 9)), max_size=12),
        "subscriptions": st.lists(
            st.builds(
                lambda n, c, day, days: term(n, c, day, day + timedelta(days=days)),
                st.sampled_from("123456"),
                CUSTOMERS,
                DAYS,
                st.integers(0, 500),
            ),
            max_size=6,
        ),
        "tickets": st.lists(
            st.builds(
                lambda c, day: {
                    "ticket_id": f"{c}{day}",
                    "customer_id": c,
                    "opened_at": day,
                    "kind": "complaint",
                },
                CUSTOMERS,
                DAYS,
            ),
            max_size=6,
        ),
        "receivables": st.lists(
            st.builds(
                lambda c, day, money: {
                    "customer_id": c,
                    "as_of": day,
                    "bucket": "1-30",
                    "amount": money,
                    "overdue": money,
                },
                CUSTOMERS,
                st.sampled_from([ago(92), ago(1), ago(0), ago(-1), ago(-60)]),
                st.integers(0, 99),
            ),
            max_size=6,
        ),
    }
)
DATED = {
    "orders": "ordered_at", "activities": "happened_at", "usage": "used_on",
    "subscriptions": "starts_on", "tickets": "opened_at", "receivables": "as_of",
}  # fmt: skip


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables=TABLES, seed=st.integers(0, 9))
def test_later_rows_and_their_order_change_nothing(
    tables: dict[str, list[dict]], seed: int
) -> None:
    """No column of the features sees a row dated after as_of."""
    seen = {n: [r for r in rows if r[DATED[n]] <= AS_OF] for n, rows in tables.items()}
    draw = np.random.default_rng(seed)
    shuffled = {n: [rows[i] for i in draw.permutation(len(rows))] for n, rows in tables.items()}
    expected = built(list("ABC"), **seen)
    pd.testing.assert_frame_equal(built(list("ABC"), **tables), expected)
    pd.testing.assert_frame_equal(built(list("ABC"), **shuffled), expected)


def weekly(customer: str, first: int, last: int = 0, events: float = 100.0) -> list[dict]:
    """Weekly rows from `first` days ago to `last` days ago."""
    return [use(customer, ago(day), events) for day in range(last, first, 7)]


def test_a_log_that_stopped_while_others_go_on_is_no_use() -> None:
    usage = [*weekly("A", 200), *weekly("B", 200), *weekly("D", 200)]
    usage += weekly("E", 200, 60)  # silent for two thirds of the window
    usage += weekly("F", 400, 120)  # silent for more than the window
    usage += weekly("G", 600, 250)  # silent for more than both
    usage += weekly("H", 200, 21)  # three weeks are no silence
    usage += [use("I", ago(day), 100.0) for day in range(40, 400, 60)]  # logs every two months
    terms = [term(c, c, START, date(2026, 1, 1)) for c in "ABCDEFGHI"]
    found = built(list("ABCDEFGHI"), usage=usage, subscriptions=terms)
    change = found["usage_change"]
    assert change["E"] == pytest.approx(5 / (5 + 60 / 7) - 1, abs=0.03)
    assert (change[["F", "G"]] == -1).all()
    assert (found.loc[["F", "G"], "seats_used"] == 0).all()
    assert (change[["A", "B", "D", "H", "I"]] == 0).all()
    assert pd.isna(change["C"])  # never logged: unknown, not unused


def test_a_log_that_ends_for_everybody_says_nothing_of_anybody() -> None:
    usage = [*weekly("A", 300, 100), *weekly("B", 300, 100)]
    assert built(["A", "B"], usage=usage)["usage_change"].isna().all()


def test_a_holiday_of_everybody_is_no_fall() -> None:
    names = [f"C{i}" for i in range(40)]
    rows = [
        use(name, ago(day), 100.0 if day >= 90 else 40.0 if name == "C0" else 80.0)
        for name in names
        for day in range(0, 180, 7)
    ]
    found = built(names, usage=rows)["usage_change"]
    assert found["C0"] == pytest.approx(-0.5)
    assert found.drop("C0").abs().max() < 1e-9
    few = [row for row in rows if row["customer_id"] in names[:3]]
    alone = built(names[:3], usage=few)["usage_change"]  # too few to know a season
    assert alone["C1"] == pytest.approx(-0.2)


def test_going_live_is_no_growth() -> None:
    usage = [*weekly("A", 200), *weekly("B", 200)]
    usage += [use("C", ago(day), 5.0 if day > 90 else 100.0) for day in range(0, 130, 7)]
    found = built(["A", "B", "C"], usage=usage)["usage_change"]
    assert pd.isna(found["C"])
