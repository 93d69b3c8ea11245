"""Recurring revenue from one evening to another, and what was renewed."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.calendars import Period
from analysis.demo.subscription.kinds import dates, day
from analysis.demo.subscription.ledger import bridge as of_the_book
from analysis.demo.subscription.world import simulate
from analysis.effects import arr_bridge, renewals
from analysis.engine import conform
from analysis.tables import RECORD

Q3 = Period.parse("2025Q3")
STATUS = {"已续": "renewed", "未到期": "active", "谈判中": "negotiating", "流失": "churned"}
COLUMNS = ("subscription_id", "customer_id", "starts_on", "ends_on", "arr", "predecessor", "status")


def ledger(*rows):
    """Rows of `COLUMNS`."""
    made = [
        {
            **dict(zip(COLUMNS, row, strict=True)),
            "starts_on": pd.Timestamp(row[2]),
            "ends_on": pd.Timestamp(row[3]),
            "arr": None if row[4] is None else Decimal(str(row[4])),
        }
        for row in rows
    ]
    return pa.Table.from_pylist(made, schema=RECORD["subscriptions"].schema())


def bridge(table, period=Q3, **more):
    """Step → (money, customers), exact."""
    rows = conform(arr_bridge(table, period, **more), RECORD["arr_bridge"]).to_pylist()
    return {row["step"]: (row["amount"], row["customers"]) for row in rows}


def moved(table, period=Q3, **more):
    """The changes that are not nothing."""
    found = bridge(table, period, **more)
    return {s: a for s, (a, n) in found.items() if n and s not in ("opening", "closing")}


def test_steps_by_hand():
    found = bridge(
        ledger(
            ("A1", "A", "2025-08-01", "2026-07-31", 100, None, "active"),  # new
            ("B1", "B", "2024-08-01", "2025-07-31", 50, None, "renewed"),
            ("B2", "B", "2025-08-01", "2026-07-31", 80, "B1", "active"),  # bought more
            ("C1", "C", "2024-09-01", "2025-08-31", 70, None, "renewed"),
            ("C2", "C", "2025-09-01", "2028-08-31", 60, "C1", "active"),  # three years, less
            ("D1", "D", "2024-09-01", "2025-08-31", 30, None, "churned"),  # left
            ("E1", "E", "2023-01-01", "2025-12-31", 11.11, None, "active"),  # nothing happened
        )
    )
    assert found == {
        "opening": (Decimal("161.11"), 4),
        "new": (100, 1),
        "expansion": (30, 1),
        "contraction": (-10, 1),
        "lost": (-30, 1),
        "closing": (Decimal("251.11"), 4),
    }


@pytest.mark.parametrize("start", ["2025-06-15", "2025-07-20", "2025-09-05"])
def test_an_early_and_a_late_renewal_change_nothing(start):
    table = ledger(
        ("A1", "A", "2024-07-12", "2025-07-11", 50, None, "renewed"),
        ("A2", "A", start, "2026-08-31", 50, "A1", "active"),
    )
    assert moved(table) == {}
    assert bridge(table)["closing"] == (50, 1)


def test_a_gap_of_more_than_the_setting_is_a_loss_and_a_return():
    table = ledger(
        ("A1", "A", "2024-07-11", "2025-07-10", 50, None, "renewed"),
        ("A2", "A", "2025-09-09", "2026-09-08", 50, "A1", "active"),  # 60 days between
        ("B1", "B", "2023-12-10", "2024-12-09", 40, None, "renewed"),
        ("B2", "B", "2025-07-02", "2026-07-01", 40, "B1", "active"),
    )
    assert moved(table) == {"new": 40}
    week = Period.parse("2025-W37")  # the second contract begins on its Tuesday
    assert moved(table, week, grace_days=60) == {}
    assert moved(table, week, grace_days=58) == {"new": 50}
    assert moved(table, Period.parse("2025Q1")) == {"lost": -40}


def test_what_nobody_renewed_counts_until_the_grace_is_over():
    table = ledger(
        ("A1", "A", "2024-08-16", "2025-08-15", 50, None, "negotiating"),
        ("B1", "B", "2024-08-16", "2025-08-15", 40, None, "churned"),
        ("C1", "C", "2024-08-16", "2025-08-15", 30, None, "whatever"),
    )
    assert moved(table) == {"lost": -40}
    assert moved(table, Q3.next()) == {"lost": -80}
    assert bridge(table)["closing"] == bridge(table, Q3.next())["opening"]
    assert moved(table, Q3, grace_days=30) == {"lost": -120}


def test_several_products_run_side_by_side():
    table = ledger(
        ("A1", "A", "2024-10-01", "2025-09-30", 50, None, "active"),
        ("A2", "A", "2025-09-01", "2026-08-31", 20, None, "active"),  # another product
    )
    assert moved(table) == {"expansion": 20}


def test_additional_seats_flow_into_the_renewal():
    table = ledger(
        ("A1", "A", "2024-09-01", "2025-08-31", 50, None, "renewed"),
        ("Z1", "A", "2025-01-10", "2025-08-31", 5, None, "renewed"),
        ("A2", "A", "2025-08-11", "2026-08-31", 55, "A1", "active"),
        ("Z2", "A", "2025-08-20", "2026-08-31", 7, None, "active"),
    )
    assert bridge(table)["opening"] == (55, 1)
    assert moved(table) == {"expansion": 7}
    found = renewals(table, Q3)
    assert found[["terms", "due", "renewed", "standing"]].to_numpy().tolist() == [
        [2, 55, 55, "renewed"]
    ]


def test_contracts_without_links_are_renewed_by_what_follows():
    table = ledger(
        ("A1", "A", "2024-09-01", "2025-08-31", 50, None, None),
        ("A2", "A", "2025-08-11", "2026-08-10", 60, None, None),
    )
    assert moved(table) == {"expansion": 10}


def test_renewals_by_hand():
    table = ledger(
        ("A1", "A", "2024-09-01", "2025-08-31", 50, None, "renewed"),
        ("A2", "A", "2025-09-01", "2026-08-31", 80, "A1", "active"),  # more: 50 were renewed
        ("B1", "B", "2024-09-01", "2025-08-31", 50, None, "renewed"),
        ("B2", "B", "2025-09-01", "2026-08-31", 20, "B1", "active"),  # less: 20
        ("C1", "C", "2024-09-01", "2025-08-31", 30, None, "churned"),
        ("D1", "D", "2024-09-01", "2025-08-31", 40, None, "negotiating"),
        ("E1", "E", "2024-07-02", "2025-07-01", 10, None, "negotiating"),  # out for too long
        ("F1", "F", "2024-12-01", "2025-11-30", 90, None, "active"),  # not due yet
    )
    found = renewals(table, Q3, 60).set_index("customer_id")
    assert found["standing"].to_dict() == {
        "A": "renewed",
        "B": "renewed",
        "C": "lost",
        "D": "negotiating",
        "E": "lost",
    }
    assert (found["due"].sum(), found["renewed"].sum()) == (180, 70)
    later = renewals(table, Q3, 60, as_of=date(2025, 12, 31)).set_index("customer_id")
    assert later.loc["D", "standing"] == "lost"


def test_no_contracts_no_bridge():
    assert arr_bridge(ledger(), Q3).empty
    assert renewals(ledger(), Q3).empty
    assert bridge(ledger(("A1", "A", "2020-01-01", "2020-12-31", None, None, "x")))["closing"] == (
        0,
        0,
    )


def counts_on(rows, day, grace):
    """The same rule for one day, term by term: what a clerk would tick off."""
    ids = {row[0]: row for row in rows}
    total = defaultdict(Decimal)
    for term, customer, starts, ends, arr, _, status in rows:
        heirs = [r for r in rows if r[5] == term and r[2] > starts]
        if not heirs and status != "churned":
            earliest = ends - timedelta(days=grace) if status in ("renewed", None) else (
                ends + timedelta(days=1))  # fmt: skip
            heirs = [
                r
                for r in rows
                if r[1] == customer and r[2] > starts and r[3] > ends
                and earliest <= r[2] <= ends + timedelta(days=grace + 1)
            ]  # fmt: skip
            heirs.sort(key=lambda r: (r[5] is None, r[2], r[0]))
        else:
            heirs.sort(key=lambda r: (r[2], r[0]))
        until = ends if status == "churned" else ends + timedelta(days=grace)
        if heirs and (heirs[0][2] - ends).days <= grace + 1:
            until = ids[heirs[0][0]][2] - timedelta(days=1)
        if starts <= day <= until:
            total[customer] += arr
    return total


@st.composite
def contracts(draw):
    rows = []
    for index in range(draw(st.integers(0, 12))):
        starts = draw(st.dates(date(2024, 1, 1), date(2025, 11, 30)))
        ends = starts + timedelta(days=draw(st.sampled_from([30, 89, 180, 364, 1095])))
        customer = draw(st.sampled_from("AB"))
        older = [r[0] for r in rows if r[1] == customer]
        rows.append(
            (
                f"T{index}",
                customer,
                starts,
                ends,
                draw(st.decimals(1, 99_999, places=2)),
                draw(st.sampled_from([None, *older])),
                draw(st.sampled_from(["active", "renewed", "churned", "negotiating", None])),
            )
        )
    return rows


@given(contracts(), st.sampled_from([0, 30, 60]), st.sampled_from(["2025Q1", "2025-06", "2025Q3"]))
@settings(max_examples=60, deadline=None)
def test_two_ways_of_counting_agree_to_the_cent(rows, grace, name):
    period = Period.parse(name)
    found = bridge(ledger(*rows), period, grace_days=grace) if rows else {}
    if not rows:
        return
    before = counts_on(rows, period.start - timedelta(days=1), grace)
    after = counts_on(rows, period.end, grace)
    assert found["opening"][0] == sum(before.values())
    assert found["closing"][0] == sum(after.values())
    changes = {c: after.get(c, Decimal(0)) - before.get(c, Decimal(0)) for c in {*before, *after}}
    stayed = [c for c in changes if c in before and c in after]
    assert found["new"][0] == sum(v for c, v in changes.items() if c not in before)
    assert found["lost"][0] == sum(v for c, v in changes.items() if c not in after)
    assert found["expansion"][0] == sum(changes[c] for c in stayed if changes[c] > 0)
    assert found["contraction"][0] == sum(changes[c] for c in stayed if changes[c] < 0)
    parts = sum((a for s, (a, _) in found.items() if s != "closing"), Decimal(0))
    assert parts == found["closing"][0]
    following = bridge(ledger(*rows), period.next(), grace_days=grace)
    assert following["opening"] == found["closing"]


def test_the_made_up_vendor_to_the_cent():
    """Its own ledger knows which contracts count on which day; ours reads the exported columns."""
    world = simulate(150, 7)
    book = world.book
    table = pa.table(
        {
            "subscription_id": pa.array(book["contract"], pa.string()),
            "customer_id": pa.array(book["customer"].astype(str), pa.string()),
            "starts_on": pa.array(pd.to_datetime(dates(book["start"].to_numpy()))),
            "ends_on": pa.array(pd.to_datetime(dates(book["end"].to_numpy()))),
            "arr": pa.array([Decimal(fen) / 100 for fen in book["arr"].tolist()]),
            "seats": pa.array(book["seats"], pa.int64()),
            "predecessor": pa.array(book["predecessor"].replace("", None), pa.string()),
            "status": pa.array(book["status"].map(STATUS), pa.string()),
        }
    )
    for name in ("2024Q1", "2024Q4", "2025Q3"):
        period = Period.parse(name)
        truth = of_the_book(book, day(period.start), day(period.end), 150)
        found = {step: int(money * 100) for step, (money, _) in bridge(table, period).items()}
        assert found == {
            "opening": truth["opening"],
            "new": truth["new"],
            "expansion": truth["expansion"],
            "contraction": -truth["contraction"],
            "lost": -truth["churn"],
            "closing": truth["closing"],
        }
