"""Movement: customers and money reconcile, every move has its cause."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import wording
from analysis.engine import conform
from analysis.segmentation import (
    as_before,
    estimate_cuts,
    flows,
    movement_matrix,
    movements,
    rulebook,
    segment,
    summary,
)
from analysis.segmentation.scheme import RFM5_RANKS
from analysis.settings_segmentation import Recency, Segmentation
from analysis.tables import RECORD
from analysis.wording.told import told as told_in_words

SETTINGS = Segmentation(
    frequency_cuts=[3.0, 6.0], monetary_cuts=[100.0, 1000.0], mean_order_cuts=[50.0, 500.0]
)
NOBODY = pd.DataFrame({"customer_id": [], "on_trial": []})


def placed(features, rfm5, settings_=SETTINGS) -> pd.DataFrame:
    return segment(features, NOBODY, rfm5, estimate_cuts(features, settings_), settings_)


def book(features, rfm5, settings_=SETTINGS):
    """The rulebook of the cuts that these features and settings give."""
    return rulebook(rfm5, NOBODY, estimate_cuts(features, settings_), settings_)


def moved(rows, rfm5, before: dict[str, Any], after: dict[str, Any], settings_=SETTINGS):
    """The movement of one customer between two states."""
    was, now = rows(before), rows(after)
    rules = book(now, rfm5, settings_)
    found = movements(as_before(rules.place(was)), rules.place(now), was, now, rules)
    return found.iloc[0]


BEST = {"frequency": 6, "monetary": 1000.0, "mean_order": 100.0, "recency_cycles": 1.0}


@pytest.mark.requirement("001-29")
@pytest.mark.parametrize(
    ("before", "after", "direction", "cause"),
    [
        (BEST, {**BEST, "recency_cycles": 2.0}, "worse", "recency_far_cycles"),
        ({**BEST, "recency_cycles": 2.0}, BEST, "better", "recency_near_cycles"),
        (BEST, {**BEST, "monetary": 999.0, "frequency": 5}, "worse", "monetary_down"),
        ({**BEST, "monetary": 999.0}, BEST, "better", "monetary_up"),
        (BEST, BEST, "same", "same"),
        (
            {"frequency": 1, "mean_order": 60.0, "monetary": 60.0},
            {"frequency": 1, "mean_order": 600.0, "monetary": 1100.0},
            "other",
            "mean_order_up",
        ),
        (
            {"frequency": 1, "mean_order": 10.0, "tenure_days": 150.0},
            {"frequency": 1, "mean_order": 10.0, "tenure_days": 240.0},
            "other",
            "known_long",
        ),
        (
            {"frequency": 1, "mean_order": 900.0, "monetary": 900.0, "recency_cycles": 2.0},
            {"frequency": 1, "mean_order": 900.0, "monetary": 0.0, "recency_cycles": 2.8},
            "worse",
            "lapsed",
        ),
    ],
)
def test_each_move_has_its_direction_and_cause(
    rows, rfm5, before, after, direction: str, cause: str
) -> None:
    found = moved(rows, rfm5, before, after)
    assert found["direction"] == direction
    assert json.loads(found["cause"])["key"] == f"cause.{cause}"


def test_the_cause_carries_the_numbers_of_both_sides(rows, rfm5) -> None:
    found = moved(rows, rfm5, BEST, {**BEST, "recency_cycles": 2.25})
    assert json.loads(found["cause"])["args"] == {
        "before": {"unit": "cycles", "value": 1.0},
        "after": {"unit": "cycles", "value": 2.25},
        "cut": {"unit": "cycles", "value": 1.5},
    }


def test_in_days_the_cause_speaks_of_days(rows, rfm5) -> None:
    by_days = SETTINGS.model_copy(update={"recency": Recency(mode="window")})
    found = moved(
        rows, rfm5, {**BEST, "recency_days": 10.0}, {**BEST, "recency_days": 100.0}, by_days
    )
    assert json.loads(found["cause"])["key"] == "cause.recency_far_days"


def test_a_first_order_is_the_cause(rows, rfm5, no_order) -> None:
    small = {"frequency": 3, "monetary": 200.0}
    found = moved(rows, rfm5, no_order, small)
    assert json.loads(found["cause"])["key"] == "cause.first_order"


def test_without_what_was_known_then_a_changed_past_is_a_correction(rows, rfm5) -> None:
    now = rows(BEST)
    sealed = pd.DataFrame(
        {"customer_id": now["customer_id"], "segment": ["potential"], "origin": ["sealed"]}
    )
    found = movements(sealed, placed(now, rfm5), now, now, book(now, rfm5))
    assert json.loads(found["cause"].iloc[0])["key"] == "cause.data"
    unknown = rows(BEST, ids=["somebody else"])
    found = movements(sealed, placed(now, rfm5), unknown, now, book(now, rfm5))
    assert json.loads(found.set_index("customer_id").loc["C0000", "cause"])["key"] == "cause.data"


def test_who_entered_and_who_left(rows, rfm5, no_order) -> None:
    was = rows(BEST, {**BEST, "revenue_period": 70.0}, ids=["stays", "leaves"])
    was["as_of"] = pd.Timestamp(2025, 6, 30)
    now = rows(
        BEST,
        {"first_order_on": pd.Timestamp(2025, 7, 2)},
        {"first_order_on": pd.Timestamp(2025, 6, 30)},
        no_order,
        ids=["stays", "first", "late", "file"],
    )
    found = movements(
        as_before(placed(was, rfm5)), placed(now, rfm5), was, now, book(now, rfm5)
    ).set_index("customer_id")
    causes = {name: json.loads(cause)["key"] for name, cause in found["cause"].items()}
    assert causes == {
        "stays": "cause.same",
        "leaves": "cause.left",
        "first": "cause.entered_first_order",
        "late": "cause.entered_late",
        "file": "cause.entered_without_order",
    }
    assert found.loc["leaves", ["segment_after", "amount_before", "amount_after"]].to_list() == [
        "left",
        70.0,
        0.0,
    ]
    assert found.loc["first", "segment_before"] == "entered"
    conform(found.reset_index(), RECORD["movements"])


def test_nothing_before_gives_valid_empty_tables(rows, rfm5) -> None:
    now = rows(BEST)
    after = placed(now, rfm5)
    found = movements(as_before(after).head(0), after, now.head(0), now, book(now, rfm5))
    assert found.empty
    conform(found, RECORD["movements"])
    conform(movement_matrix(found), RECORD["movement_matrix"])
    assert flows(found)["closing"].sum() == 0


MONEY = st.integers(-(10**6), 10**8).map(lambda cents: cents / 100)
SIDE = st.dictionaries(
    st.sampled_from([f"C{i}" for i in range(12)]),
    st.tuples(
        st.sampled_from([0.5, 2.0, 3.0]),
        st.sampled_from([1, 3, 6]),
        st.sampled_from([50.0, 500.0, 5000.0]),
        MONEY,
        MONEY,
    ),
    min_size=1,
)


def side(rows, customers: dict[str, tuple[Any, ...]]) -> pd.DataFrame:
    names = sorted(customers)
    return rows(
        *(
            {
                "recency_cycles": cycles,
                "frequency": f,
                "monetary": money,
                "mean_order": money,
                "revenue_period": period,
                "revenue_previous": previous,
            }
            for cycles, f, money, period, previous in (customers[name] for name in names)
        ),
        ids=names,
    )


@pytest.mark.requirement("001-29")
@settings(max_examples=30, deadline=None)
@given(before=SIDE, after=SIDE)
def test_opening_and_flows_make_the_closing(rows, rfm5, before, after) -> None:
    was, now = side(rows, before), side(rows, after)
    old, new = as_before(placed(was, rfm5)), placed(now, rfm5)
    found = movements(old, new, was, now, book(now, rfm5))
    assert len(found) == len(set(before) | set(after))

    told = flows(found)
    balance = told["opening"] + told["moved_in"] + told["entered"]
    assert (balance - told["moved_out"] - told["left"] == told["closing"]).all()
    money = told["amount_opening"] + told["amount_in"] - told["amount_out"] + told["amount_change"]
    assert np.allclose(money, told["amount_closing"], rtol=0, atol=1e-3)

    matrix = movement_matrix(found)
    for name in RFM5_RANKS:
        row, column = matrix["segment_before"] == name, matrix["segment_after"] == name
        line = told.set_index("segment").loc[name]
        assert (
            matrix.loc[row, "customers"].sum() == line["opening"] == (old["segment"] == name).sum()
        )
        assert matrix.loc[column, "customers"].sum() == line["closing"]
        assert matrix.loc[row, "amount_before"].sum() == pytest.approx(
            line["amount_opening"], abs=1e-3
        )
        assert matrix.loc[column, "amount_after"].sum() == pytest.approx(
            line["amount_closing"], abs=1e-3
        )
    everyone = told.set_index("segment").loc["all"]
    assert everyone["amount_closing"] == pytest.approx(now["revenue_period"].sum(), abs=1e-3)

    table = summary(new, old, now).set_index("segment")
    assert (
        table["customers"].drop("all") == told.set_index("segment")["closing"].drop("all")
    ).all()
    assert table.loc["all", "change"] == everyone["closing"] - everyone["opening"]
    shares = table["share"].drop("all")
    assert shares.sum() == pytest.approx(1)
    conform(matrix, RECORD["movement_matrix"])
    conform(table.reset_index(), RECORD["segment_summary"])

    for cause, lang in product(found["cause"], wording.LANGUAGES):
        assert "{" not in told_in_words(cause, lang, "CNY")


def test_directions_follow_the_ranks(rows, rfm5) -> None:
    found = movement_matrix(
        pd.DataFrame(
            {
                "customer_id": ["a"],
                "segment_before": ["new"],
                "segment_after": ["new"],
                "amount_before": [1.0],
                "amount_after": [2.0],
            }
        ),
        rfm5,
    ).set_index(["segment_before", "segment_after"])["direction"]
    assert found["potential", "high_value"] == "better"
    assert found["churn_risk", "low_frequency_essential"] == "better"
    assert found["high_value", "new"] == "worse"
    assert found["new", "potential"] == "other"
    assert found["new", "new"] == "same"
    assert found["entered", "new"] == "entered"
    assert found["new", "left"] == "left"
    assert len(found) == 6 * 6 - 1
