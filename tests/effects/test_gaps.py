"""Gaps split to the cent: by product, customer, whoever is in charge, and in the arrears."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import wording
from analysis.calendars import Period
from analysis.effects import gaps
from analysis.effects.price_volume import products
from analysis.engine import conform
from analysis.tables import RECORD

Q3 = Period.parse("2025Q3")


def orders(*lines):
    """Lines of (customer, day, amount, product, quantity)."""
    rows = [
        {
            "order_id": f"O{i}",
            "line_id": "1",
            "customer_id": customer,
            "ordered_at": pd.Timestamp(day),
            "product": product,
            "quantity": None if quantity is None else float(quantity),
            "amount": Decimal(str(amount)),
        }
        for i, (customer, day, amount, product, quantity) in enumerate(lines)
    ]
    return pa.Table.from_pylist(rows, schema=RECORD["orders"].schema())


def target(value, period="2025Q3"):
    """RECORD ``kpis`` with the company's revenue target alone."""
    row = {"kpi": "revenue", "segment": "all", "period": period, "target": value}
    return pd.DataFrame([row], columns=RECORD["kpis"].names)


def steps(frame, split):
    """Step → money of one split, in order."""
    exact = conform(frame, RECORD["gaps"]).to_pylist()
    order = {step: i for i, step in enumerate(frame.loc[frame["split"] == split, "step"])}
    found = {row["step"]: row["amount"] for row in exact if row["split"] == split}
    return dict(sorted(found.items(), key=lambda item: order[item[0]]))


def residual(frame, split):
    found = steps(frame, split)
    return found.pop("actual") - sum(found.values())


SOLD = orders(
    ("A", "2025-05-10", 1000, "bolt", 100),  # 10 each
    ("A", "2025-08-10", 1320, "bolt", 120),  # 11 each
    ("B", "2025-05-10", 4000, "motor", 10),  # 400 each
    ("B", "2025-08-10", 3900, "motor", 10),  # 390 each
    ("B", "2025-05-11", 700, "old", 7),
    ("C", "2025-08-11", 250, "new", 5),
    ("A", "2025-05-11", 90, "service", None),
    ("A", "2025-08-11", 60, "service", None),
    ("A", "2025-05-12", 5, None, 1),
)


def test_volume_mix_price_by_hand():
    # Q0 = 110, A0 = 5000; Q1 = 130, A1 = 5220; at old prices 1200 + 4000 = 5200;
    # at the old mix 130 * 5000 / 110 = 5909.09
    found = steps(gaps(SOLD, None, Q3), "price")
    assert found == {
        "base": Decimal("5795"),
        "volume": Decimal("909.09"),
        "mix": Decimal("5200") - Decimal("5909.09"),
        "price": Decimal("20"),
        "new_products": Decimal("250"),
        "discontinued": Decimal("-700"),
        "unpriced": Decimal("-35"),
        "actual": Decimal("5530"),
    }


def test_products_are_named():
    found = products(SOLD, Q3, Q3.previous()).to_pylist()
    assert {row["product"]: row["kind"] for row in found} == {
        "bolt": "priced",
        "motor": "priced",
        "new": "new_products",
        "old": "discontinued",
        "service": "unpriced",
        "": "unpriced",
    }


def test_more_returned_than_sold_and_another_unit_have_no_price():
    table = orders(
        ("A", "2025-05-10", 100, "back", 10),
        ("A", "2025-08-10", -20, "back", -2),
        ("A", "2025-05-10", 100, "boxes", 1),
        ("A", "2025-08-10", 100, "boxes", 1000),
    )
    found = steps(gaps(table, None, Q3), "price")
    assert found["unpriced"] == Decimal("-120")
    assert "price" not in found


def test_the_customers_are_those_of_the_bridge():
    found = steps(gaps(SOLD, None, Q3), "customers")
    assert found["new"] == 250
    assert found["more"] == Decimal(1380 - 1095)
    assert found["less"] == Decimal(3900 - 4700)


def test_against_a_target_says_what_the_target_asked_beyond():
    found = gaps(SOLD, target(6000.0), Q3)
    assert set(found["against"]) == {"target"}
    for split in ("price", "customers"):
        walk = steps(found, split)
        assert walk["base"] == 6000
        assert walk["ambition"] == Decimal("-205")  # 5795 the period before, 6000 asked
        assert residual(found, split) == 0
    assert set(gaps(SOLD, target(6000.0, "2025Q2"), Q3)["against"]) == {"previous"}
    before = gaps(SOLD, target(6000.0), Q3, against="previous")
    assert steps(before, "price")["base"] == 5795
    assert steps(gaps(SOLD, None, Q3, against="year_ago"), "price")["base"] == 0


def test_cuts_by_whoever_is_in_charge():
    groups = pd.DataFrame({"customer_id": ["A", "B"], "owner_id": ["P1", "P2"]})
    found = gaps(SOLD, None, Q3, groups=groups)
    assert steps(found, "owner") == {
        "base": 5795,
        "P1": 1380 - 1095,
        "P2": 3900 - 4700,
        "unknown": 250,
        "actual": 5530,
    }


def test_persons_with_targets_are_held_against_their_own():
    groups = pd.DataFrame({"customer_id": ["A", "B", "C"], "owner_id": ["P1", "P2", "P1"]})
    row = {"kpi": "revenue", "period": "2025Q3", "cut": "owner"}
    rows = [{**row, "member": "P1", "target": 1500.0}, {**row, "member": "P2", "target": 5000.0}]
    cuts = pd.DataFrame(rows, columns=RECORD["kpi_cuts"].names)
    found = gaps(SOLD, target(6000.0), Q3, groups=groups, kpi_cuts=cuts)
    assert steps(found, "owner") == {
        "base": 6000,
        "not_assigned": 500,
        "P1": 1630 - 1500,
        "P2": 3900 - 5000,
        "actual": 5530,
    }
    # one without a target: the period before counts for all
    assert "ambition" in steps(gaps(SOLD, target(6000.0), Q3, groups=groups, kpi_cuts=cuts[:1]),
                               "owner")  # fmt: skip


def receivables(*rows):
    """Rows of (customer, day, bucket, overdue)."""
    made = [
        {
            "customer_id": customer,
            "as_of": pd.Timestamp(day),
            "bucket": bucket,
            "amount": Decimal(overdue),
            "overdue": Decimal(overdue),
        }
        for customer, day, bucket, overdue in rows
    ]
    return pa.Table.from_pylist(made, schema=RECORD["receivables"].schema())


def test_overdue_by_hand():
    table = receivables(
        ("A", "2025-06-30", "1-30", 100),
        ("B", "2025-06-30", "31-60", 80),
        ("C", "2025-03-31", "1-30", 999),  # an older count
        ("A", "2025-09-30", "91-180", 40),  # 60 of the 100 came in
        ("A", "2025-09-30", "1-30", 30),  # fell due in the quarter
        ("D", "2025-09-30", "61-90", 50),
        ("D", "2025-09-30", "361+", 5),  # was not on the list before: newly there
    )
    found = gaps(SOLD, None, Q3, receivables=table)
    assert steps(found, "collection") == {
        "base": 180,
        "newly_overdue": 30 + 55,
        "collected": -(60 + 80),
        "actual": 125,
    }
    counts = found[found["split"] == "collection"].set_index("step")["n"].to_dict()
    assert counts == {"base": 2, "newly_overdue": 2, "collected": 2, "actual": 2}


def test_without_both_counts_there_is_no_split_of_arrears():
    table = receivables(("A", "2025-09-30", "1-30", 30))
    assert "collection" not in set(gaps(SOLD, None, Q3, receivables=table)["split"])


days = st.dates(date(2024, 6, 1), date(2025, 10, 31))
money = st.decimals(-99_999, 999_999, places=2, allow_nan=False)
lines_of = st.lists(
    st.tuples(
        st.sampled_from("ABCDEF"),
        days,
        money,
        st.sampled_from(["bolt", "motor", "pump", "belt", None]),
        st.one_of(st.none(), st.decimals(-50, 9_999, places=3, allow_nan=False)),
    ),
    max_size=40,
)
ledger_of = st.lists(
    st.tuples(
        st.sampled_from("ABCDEF"),
        st.sampled_from(["2025-06-30", "2025-08-31", "2025-09-30", "2025-08-24", "2025-08-31"]),
        st.sampled_from(["not_due", "1-30", "31-60", "61-90", "91-180", "361+"]),
        money,
    ),
    max_size=20,
)


@given(
    lines_of,
    ledger_of,
    st.one_of(st.none(), money),
    st.sampled_from(["2025Q3", "2025-08", "2025-W35", "2025H1"]),
    st.sampled_from([None, "previous", "year_ago"]),
)
@settings(max_examples=40, deadline=None)
@pytest.mark.requirement("000-27")
def test_every_split_adds_up_to_the_gap_exactly(lines, ledger, goal, name, against):
    period = Period.parse(name)
    groups = pd.DataFrame({"customer_id": list("ABCD"), "region": ["x", "x", "y", None]})
    kpis = None if goal is None else target(float(goal), name)
    table = orders(*lines)
    found = gaps(
        table, kpis, period, against=against, groups=groups, receivables=receivables(*ledger)
    )
    assert {"price", "customers", "region"} <= set(found["split"])
    for split in set(found["split"]):
        assert residual(found, split) == 0
    actual = sum((a for _, day, a, *_ in lines if period.start <= day <= period.end), Decimal(0))
    assert steps(found, "price")["actual"] == actual
    backwards = gaps(
        table.take(pa.array(range(len(lines) - 1, -1, -1), pa.int64())),
        kpis,
        period,
        against=against,
        groups=groups,
        receivables=receivables(*ledger),
    )
    pd.testing.assert_frame_equal(found, backwards)


def test_the_parts_have_words():
    found = gaps(SOLD, target(6000.0), Q3)
    for lang in ("zh", "en"):
        for key in (*(f"gap_step.{s}" for s in found["step"]),
                    *(f"gap_split.{s}" for s in found["split"])):  # fmt: skip
            assert wording.has(key), (key, lang)
