"""The lists of a week: who owes is settled oldest first, and a week places nobody anew."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import segmentation
from analysis.engine import conform
from analysis.roles import Roles
from analysis.settings_segmentation import Segmentation
from analysis.tables import RECORD, Table

DAY = date(2025, 9, 28)
ROLES = Roles({"best": "best", "risk": "at_risk", "fresh": "new"}, {})


def made(table: str, rows: list[dict[str, Any]]) -> pa.Table:
    frame = pd.DataFrame(rows, columns=RECORD[table].names)
    return conform(frame, Table(table, "", (), RECORD[table].columns))


def bill(who: str, due: int, money: int, number: int = 0) -> dict[str, Any]:
    when = DAY + timedelta(days=due)
    issued = min(DAY, when - timedelta(days=30))
    return {
        "invoice_id": f"{who}{due}{number}", "customer_id": who, "invoiced_on": issued,
        "due_on": when, "amount": Decimal(money), "order_id": str(number),
    }  # fmt: skip


def pay(who: str, money: int, ago: int = 1) -> dict[str, Any]:
    when = DAY - timedelta(days=ago)
    return {
        "payment_id": f"{who}{money}{ago}", "customer_id": who, "paid_on": when,
        "amount": Decimal(money), "kind": "receivable",
    }  # fmt: skip


NONE = made("receivables", [])


def owed(bills: list[Any], paid: list[Any], aged: pa.Table = NONE) -> Any:
    return segmentation.owed(aged, made("invoices", bills), made("payments", paid), DAY)


def test_payments_settle_the_oldest_invoices() -> None:
    bills = [bill("A", -60, 100), bill("A", -5, 50), bill("A", 10, 30), bill("B", -1, 80)]
    rows, basis = owed(bills, [pay("A", 120), pay("B", 80)])
    found = rows.set_index(["list", "customer_id"])
    assert found.loc[("overdue_payment", "A"), ["amount", "days"]].tolist() == [30.0, 5.0]
    assert found.loc[("falling_due", "A"), ["amount", "days"]].tolist() == [30.0, 10.0]
    assert len(found) == 2
    assert found.loc[("overdue_payment", "A"), "fresh"]
    assert basis["source"] == "invoices"


def test_a_credit_note_counts_like_a_payment_and_later_money_is_not_seen() -> None:
    bills = [bill("A", -60, 100), bill("A", -20, -40)]
    rows, _ = owed(bills, [pay("A", 10, ago=-3), pay("B", 1)])
    assert rows["amount"].tolist() == [60.0]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-90, 40), st.integers(1, 99)), max_size=6),
    st.integers(0, 300),
)
def test_what_is_open_is_what_was_billed_less_what_was_paid(
    billed: list[tuple[int, int]], paid: int
) -> None:
    bills = [bill("A", due, money, n) for n, (due, money) in enumerate(billed)]
    rows, _ = owed([*bills, bill("Z", 35, 1)], [pay("A", paid), pay("Z", 1)])
    mine = rows[rows["customer_id"] == "A"].set_index("list")["amount"] if len(rows) else {}
    past = sum(money for due, money in billed if due < 0)
    soon = sum(money for due, money in billed if due <= 30)
    assert mine.get("overdue_payment", 0) == max(0, past - paid)
    assert mine.get("falling_due", 0) == max(0, soon - paid) - max(0, past - paid)


def ageing(ago: int) -> pa.Table:
    when = DAY - timedelta(days=ago)
    return made(
        "receivables",
        [
            {"customer_id": "A", "as_of": when, "bucket": "not_due", "amount": 5, "overdue": 0},
            {"customer_id": "A", "as_of": when, "bucket": "31-60", "amount": 7, "overdue": 7},
            {"customer_id": "A", "as_of": DAY + timedelta(days=2), "bucket": "1-30",
             "amount": 99, "overdue": 99},
        ],
    )  # fmt: skip


@pytest.mark.parametrize(("ago", "source"), [(7, "ageing"), (8, "invoices")])
def test_a_fresh_ageing_is_believed_before_invoices(ago: int, source: str) -> None:
    rows, basis = owed([bill("A", -5, 50)], [pay("A", 20)], ageing(ago))
    late = rows[rows["list"] == "overdue_payment"].set_index("customer_id").loc["A"]
    assert basis["source"] == source
    assert (late["amount"], late["days"]) == ((7.0, 31.0) if source == "ageing" else (30.0, 5.0))


def test_without_invoices_an_old_ageing_is_better_than_none() -> None:
    rows, basis = owed([], [], ageing(60))
    assert rows["amount"].tolist() == [7.0]
    assert basis["as_of"] == pd.Timestamp(DAY - timedelta(days=60))
    assert owed([], [])[1]["source"] == "none"


def features(*rows: tuple[str, float, float, int]) -> pd.DataFrame:
    """Customer, days since the last order, own cycle, intervals."""
    frame = pd.DataFrame(
        rows, columns=["customer_id", "recency_days", "expected_interval_days", "intervals"]
    )
    return frame.assign(
        as_of=pd.Timestamp(DAY), monetary=100.0, mean_order=10.0, days_to_renewal=float("nan"),
        recency_cycles=frame["recency_days"] / frame["expected_interval_days"],
    )  # fmt: skip


SEGMENTS = pd.DataFrame({"customer_id": list("ABCD"), "segment": ["best", "best", "risk", "best"]})


@pytest.mark.requirement("002-09")
def test_who_is_overdue_and_who_only_since_this_week() -> None:
    now = features(("A", 90, 60, 3), ("B", 74, 60, 3), ("C", 90, 60, 3), ("D", 90, 60, 0))
    ago = features(("A", 83, 60, 3), ("B", 67, 60, 3), ("C", 83, 60, 3), ("D", 83, 60, 0))
    found = segmentation.reorder_list(SEGMENTS, now, ago, ROLES).set_index("customer_id")
    assert found["fresh"].to_dict() == {"A": False, "B": True}  # C at risk, D without a cycle
    assert found.loc["A", "days"] == 30
    assert found.loc["A", "event_on"] == pd.Timestamp(DAY - timedelta(days=30))


def test_contracts_that_end_soon() -> None:
    now = features(("A", 1, 60, 3), ("B", 1, 60, 3), ("C", 1, 60, 3), ("D", 1, 60, 3))
    now["days_to_renewal"] = [30.0, 0.0, 31.0, -1.0]
    now["arr"], now["renewal_on"] = 5.0, pd.Timestamp(DAY)
    found = segmentation.renewal_list(now, 30).set_index("customer_id")
    assert found["fresh"].to_dict() == {"A": True, "B": False}


@pytest.mark.requirement("004-27")
def test_a_week_places_nobody_anew(root: Any) -> None:
    scheme = segmentation.load_scheme("rfm5", root)
    kept = SEGMENTS.assign(segment=["high_value", "potential", "churn_risk", "potential"])
    now = features(("A", 900, 60, 3), ("B", 1, 60, 3), ("E", 1, 60, 0))
    found = segmentation.standing_segments(kept, None, now, now, scheme, Segmentation())
    assert found["customer_id"].tolist() == ["A", "B", "E"]
    assert found["segment"].tolist() == ["high_value", "potential", "new"]


def test_lists_are_sorted_by_money_and_named() -> None:
    customers = pd.DataFrame(
        {"customer_id": list("AB"), "name": ["甲", "乙"], "owner_id": ["P1", "P2"],
         "team_id": None, "region": "x"}
    )  # fmt: skip
    rows = pd.DataFrame(
        {"list": "reorder", "customer_id": ["A", "B", "Z"], "amount": [1.0, 2.0, 3.0],
         "days": 1.0, "fresh": False}
    )  # fmt: skip
    people = pd.DataFrame({"person_id": ["P1"], "name": ["丙"]})
    found = segmentation.week_lists(rows, SEGMENTS, customers, people)
    assert list(found.columns) == RECORD["weekly_lists"].names
    assert found[["rank", "name", "owner"]].to_numpy().tolist() == [
        [1, "乙", "P2"],
        [2, "甲", "丙"],
    ]
