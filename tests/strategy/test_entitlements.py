"""Benefits due and granted."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest

from analysis.engine import conform
from analysis.strategy import entitlements, load_playbook, segment_angles
from analysis.strategy.playbook import NO_PLAYBOOK
from analysis.tables import RECORD

from .conftest import ROOT

AS_OF = date(2025, 9, 30)


def sold(*lines):
    """Orders: customer, quantity, list price, amount, day."""
    who, quantity, listed, amount, day = zip(*lines, strict=True)
    return pa.table(
        {
            "customer_id": pa.array(who),
            "quantity": pa.array(quantity, pa.float64()),
            "list_price": pa.array(
                [None if v is None else Decimal(v) for v in listed], pa.decimal128(18, 4)
            ),
            "amount": pa.array([Decimal(v) for v in amount], pa.decimal128(18, 4)),
            "ordered_at": pa.array([datetime.fromisoformat(d) for d in day]),
        }
    )


@pytest.fixture
def placed():
    return pd.DataFrame(
        {
            "customer_id": ["A", "B", "C", "D", "E"],
            "segment": ["high_value", "high_value", "high_value", "new", "nowhere"],
        }
    )


ORDERS = [
    ("A", 10, "100", "850.0", "2025-09-30"),  # 15 %: the most
    ("B", 10, "100", "800.0", "2025-01-01"),  # 20 %: 50 beyond
    ("B", 10, "100", "700.0", "2025-01-02"),  # 30 %: 150 beyond
    ("B", 10, "100", "500.0", "2024-09-30"),  # before the window
    ("C", 3, "33.33", "99.90", "2025-03-01"),  # rounding
    ("C", 1, None, "10", "2025-03-01"),  # no list price
    ("D", -1, "100", "-50", "2025-03-01"),  # a return
    ("D", 1, "100", "99", "2025-03-02"),  # 1 %, may have 5 %
    ("E", 1, "100", "1", "2025-03-02"),  # of no segment of the playbook
]


@pytest.mark.requirement("004-12")
def test_granted_against_due(playbook, placed) -> None:
    found = entitlements(playbook, placed, sold(*ORDERS), AS_OF)
    conform(found, RECORD["entitlements"])
    own = found.set_index(["segment", "benefit"])
    best = own.loc[("high_value", "discount")]
    assert (best["entitled"], best["most"], best["unit"]) == (True, 0.15, "share")
    assert (best["n"], best["granted"], best["beyond"]) == (3, 2, 1)
    assert best["money_beyond"] == 200.0
    fresh = own.loc[("new", "discount")]
    assert (fresh["n"], fresh["granted"], fresh["beyond"], fresh["money_beyond"]) == (1, 1, 0, 0)
    # what the data cannot say of other benefits stays empty
    training = own.loc[("high_value", "training")]
    assert training["entitled"] and training["n"] == 0 and pd.isna(training["granted"])
    assert not own.loc[("new", "reserved_stock"), "entitled"]
    assert len(found) == len(playbook.segments) * found["benefit"].nunique()


def test_who_is_not_entitled_is_beyond_with_any_discount(playbook, placed) -> None:
    plan = playbook.segments["new"].model_copy(update={"entitlements": {}})
    strict = playbook.model_copy(update={"segments": {**playbook.segments, "new": plan}})
    found = entitlements(strict, placed, sold(*ORDERS), AS_OF).set_index(["segment", "benefit"])
    row = found.loc[("new", "discount")]
    assert not row["entitled"]
    assert (row["granted"], row["beyond"], row["money_beyond"]) == (1, 1, 1.0)


def test_without_list_prices_and_without_a_playbook(playbook, placed) -> None:
    bare = sold(*ORDERS).drop(["list_price"])
    for orders in (None, bare, sold(*[(*row[:2], None, *row[3:]) for row in ORDERS])):
        found = entitlements(playbook, placed, orders, AS_OF)
        conform(found, RECORD["entitlements"])
        assert found["granted"].isna().all()
        assert (found["n"] == 0).all()
    empty = entitlements(NO_PLAYBOOK, placed, sold(*ORDERS), AS_OF)
    assert empty.empty
    conform(empty, RECORD["entitlements"])
    conform(segment_angles(NO_PLAYBOOK), RECORD["segment_angles"])


@pytest.mark.requirement("001-18")
@pytest.mark.parametrize("name", ["rfm5", "platinum4", "maturity4", "urgency4", "saas3"])
def test_four_angles_of_every_segment(name) -> None:
    book = load_playbook(name, ROOT)
    found = segment_angles(book)
    conform(found, RECORD["segment_angles"])
    assert found["segment"].tolist() == list(book.segments)
    for angle in ("goal", "product", "communication", "resources", "frequency"):
        for said in map(json.loads, found[angle]):
            assert ("key" in said) != ("text" in said)
