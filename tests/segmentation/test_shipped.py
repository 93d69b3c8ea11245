"""The shipped schemes on customers whose place the documents print."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.engine import conform
from analysis.segmentation import (
    Scheme,
    estimate_cuts,
    load_scheme,
    score_anchors,
    segment,
    segment_scores,
    summary,
)
from analysis.settings_segmentation import Segmentation
from analysis.tables import RECORD

NOBODY = pd.DataFrame({"customer_id": []})
YEAR = 365.0


@cache
def loaded(name: str, root: Path) -> Scheme:
    return load_scheme(name, root)


def place(
    features: pd.DataFrame, name: str, root: Path, customers: pd.DataFrame = NOBODY, **changes: Any
) -> pd.DataFrame:
    settings_ = Segmentation(scheme=name, **changes)
    scheme = loaded(name, root)
    cuts = estimate_cuts(features, settings_)
    return segment(features, customers, scheme, cuts, settings_)


def known(rows, *changes: dict[str, Any]) -> pd.DataFrame:
    """Features with the columns of contracts and relations, empty where nothing is said."""
    extra = ["relationship_days", "margin", "arr", "days_to_renewal", "usage_change",
             "seats_used", "activity_change", "overdue"]  # fmt: skip
    frame = rows(*({k: v for k, v in c.items() if k not in extra} for c in changes))
    for column in extra:
        frame[column] = [float(c.get(column, "nan")) for c in changes]
    return frame


def table_two(rows) -> pd.DataFrame:
    """The 200 customers of decision D6."""
    steady = {"recency_days": 20.0, "satisfaction": 4.5}
    groups = [
        (15, 4.0 * YEAR, 2_100_000.0, steady),
        (35, 2.0 * YEAR, 600_000.0, steady),
        (100, 2.5 * YEAR, 140_000.0, steady),
        (50, 2.0 * YEAR, 70_000.0, {"recency_days": 120.0, "satisfaction": 2.5}),
    ]
    return known(
        rows,
        *(
            {"relationship_days": days, "monetary": money, "revenue_period": money, **rest}
            for count, days, money, rest in groups
            for _ in range(count)
        ),
    )


@pytest.mark.requirement("001-31")
def test_table_two_of_the_document(rows, root: Path) -> None:
    features = table_two(rows)
    scheme = load_scheme("platinum4", root)
    found = place(features, "platinum4", root)
    conform(found, RECORD["segments"])
    table = summary(found, None, features, scheme).set_index("segment")
    names = ["platinum", "gold", "loyal_base", "at_risk"]
    assert list(table.loc[names, "customers"]) == [15, 35, 100, 50]
    assert list(table.loc[names, "revenue_share"].round(12)) == [0.45, 0.30, 0.20, 0.05]
    # D3: the document prints 24 % for 50 of 200
    assert list(table.loc[names, "share"]) == [0.075, 0.175, 0.5, 0.25]
    assert set(found["place"]) == {"exact"}


@pytest.mark.requirement("001-31", "001-14")
@pytest.mark.parametrize(
    ("money", "days", "expected", "how"),
    [
        (999_999.0, 1095.0, "gold", "inferred"),
        (1_000_000.0, 1095.0, "platinum", "exact"),
        (1_000_001.0, 1095.0, "platinum", "exact"),
        (1_000_000.0, 1094.0, "gold", "inferred"),
        (1_000_000.0, float("nan"), "gold", "inferred"),
        (499_999.0, 730.0, "loyal_base", "exact"),
        (500_000.0, 730.0, "gold", "exact"),
        (500_000.0, 364.0, "gold", "inferred"),
        (500_000.0, 365.0, "gold", "exact"),
        (100_000.0, 729.0, "loyal_base", "inferred"),
        (100_000.0, 730.0, "loyal_base", "exact"),
        (99_999.0, 4000.0, "loyal_base", "inferred"),
    ],
)
def test_bounds_of_platinum4(rows, root: Path, money, days, expected, how) -> None:
    features = known(rows, {"monetary": money, "relationship_days": days, "satisfaction": 5.0})
    found = place(features, "platinum4", root).iloc[0]
    assert (found["segment"], found["place"]) == (expected, how)


@pytest.mark.requirement("001-22")
@pytest.mark.parametrize(
    ("days", "satisfaction", "cycles", "expected"),
    [
        (90.0, 3.0, 1.0, "loyal_base"),
        (91.0, 3.0, 1.0, "at_risk"),
        (91.0, 3.1, 1.0, "loyal_base"),
        (330.0, 5.0, 0.9, "loyal_base"),  # an annual buyer on time
        (330.0, float("nan"), 0.9, "loyal_base"),
        (120.0, float("nan"), 1.6, "at_risk"),
        (120.0, 5.0, 2.5, "loyal_base"),
        (120.0, 5.0, 2.6, "at_risk"),
    ],
)
def test_at_risk_of_platinum4(rows, root, days, satisfaction, cycles, expected) -> None:
    features = known(
        rows,
        {
            "recency_days": days, "satisfaction": satisfaction, "recency_cycles": cycles,
            "monetary": 140_000.0, "relationship_days": 800.0,
        },
    )  # fmt: skip
    assert place(features, "platinum4", root)["segment"].iloc[0] == expected
    large = features.assign(monetary=600_000.0)
    found = place(large, "platinum4", root).iloc[0]
    assert (found["tag"] == "must_win_back") == (expected == "at_risk")


def test_thresholds_are_settings(rows, root: Path) -> None:
    features = known(rows, {"monetary": 1_000_000.0, "relationship_days": 2000.0})
    moved = {"thresholds": {"platinum_amount": 1_200_000.0}}
    assert place(features, "platinum4", root)["segment"].iloc[0] == "platinum"
    assert place(features, "platinum4", root, **moved)["segment"].iloc[0] == "gold"


@pytest.mark.requirement("001-15")
@pytest.mark.parametrize(
    ("days", "orders", "money", "expected", "tag"),
    [
        (30.0, 10, 50_000.0, "saas_platinum", ""),
        (31.0, 10, 50_000.0, "saas_ordinary", ""),
        (30.0, 9, 50_000.0, "saas_gold", ""),
        (30.0, 10, 49_999.0, "saas_gold", ""),
        (30.0, 5, 20_000.0, "saas_gold", ""),
        (30.0, 4, 20_000.0, "saas_ordinary", ""),
        (30.0, 5, 19_999.0, "saas_ordinary", ""),
        (5.0, 2, 5_000.0, "saas_ordinary", ""),
    ],
)
def test_bounds_of_saas3(rows, root, days, orders, money, expected, tag) -> None:
    features = rows({"recency_days": days, "frequency": orders, "monetary": money})
    found = place(features, "saas3", root).iloc[0]
    assert (found["segment"], found["tag"]) == (expected, tag)


ACTIVE = """
scheme: active
segments: {active: {rank: 2, role: best}, other: {rank: 1, role: at_risk}}
rules: [{rule: high_value_active, segment: active, when: {frequency: ">= 4", mean_order: ">= 500"}}]
fallback: {rule: others, segment: other}
"""


@pytest.mark.requirement("001-11")
@pytest.mark.parametrize(
    ("orders", "mean", "expected"),
    [(4, 500.0, "active"), (3, 500.0, "other"), (4, 499.99, "other"), (4, 500.01, "active"),
     (5, 9_000.0, "active"), (4, float("nan"), "other")],
)  # fmt: skip
def test_four_orders_in_three_months_of_500_each(rows, tmp_path, orders, mean, expected) -> None:
    folder = tmp_path / "params" / "schemes"
    folder.mkdir(parents=True)
    (folder / "active.yml").write_text(ACTIVE, encoding="utf-8")
    features = rows({"frequency": orders, "mean_order": mean})
    assert place(features, "active", tmp_path, frequency_days=90)["segment"].iloc[0] == expected


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ({"arr": 500_000, "relationship_days": 900, "usage_change": 0.0}, "strategic"),
        ({"arr": 500_000, "relationship_days": 900, "usage_change": -0.3}, "renewal_risk"),
        ({"arr": 0, "relationship_days": 900, "days_to_renewal": -180}, "renewal_risk"),
        ({"arr": 0, "relationship_days": 900, "days_to_renewal": -181}, "contract_ended"),
        # nothing runs any more: how large it was, its contracts tell
        ({"arr": 0, "days_to_renewal": -1, "mean_order": 300_000}, "renewal_risk"),
        ({"arr": 0, "days_to_renewal": -1, "mean_order": 299_999}, "renewal_risk"),
        ({"arr": 50_000, "relationship_days": 89, "usage_change": -0.5}, "onboarding"),
        ({"arr": 50_000, "relationship_days": 90, "seats_used": 0.85}, "expanding"),
        ({"arr": 50_000, "relationship_days": 90, "seats_used": 0.84}, "steady"),
        ({"arr": 50_000, "relationship_days": 500, "usage_change": 0.2}, "expanding"),
        ({"arr": 50_000, "relationship_days": 500, "usage_change": -0.1, "days_to_renewal": 90},
         "renewal_risk"),
        ({"arr": 50_000, "relationship_days": 500, "usage_change": -0.1, "days_to_renewal": 91},
         "steady"),
        ({"arr": 50_000, "relationship_days": 500, "overdue": 1.0, "days_to_renewal": 30},
         "renewal_risk"),
        ({}, "steady"),
    ],
)  # fmt: skip
def test_places_of_subscription5(rows, root, numbers, expected) -> None:
    found = place(known(rows, numbers), "subscription5", root).iloc[0]
    assert found["segment"] == expected
    assert (found["tag"] == "must_win_back") == (
        expected == "renewal_risk" and max(numbers["arr"], numbers.get("mean_order", 0)) >= 300_000
    )


@pytest.mark.requirement("003-03", "003-04")
def test_grades_by_a_weighted_score_whose_parts_are_shown(rows, root: Path) -> None:
    count = 101
    features = known(
        rows,
        *(
            {
                "frequency": i, "mean_order": 10.0 * i, "margin": 5.0 * i, "relationship_days": i,
                "activity_change": i / 100, "recency_cycles": 3.0 if i % 10 == 0 else 1.0,
            }
            for i in range(count)
        ),
    )  # fmt: skip
    features.loc[7, ["margin", "activity_change"]] = np.nan
    settings_ = Segmentation(scheme="grade4")
    scheme = load_scheme("grade4", root, settings_)
    anchors = score_anchors(features, scheme)
    cuts = pd.concat([estimate_cuts(features, settings_), anchors])
    found = segment(features, NOBODY, scheme, cuts, settings_)
    parts = segment_scores(features, scheme, cuts)
    conform(parts, RECORD["segment_scores"])
    conform(anchors, RECORD["cuts"])
    assert sum(scheme.scores["value"].parts.values()) == pytest.approx(1)
    added = parts.groupby("customer_id")["contribution"].sum()
    assert np.allclose(added.to_numpy(), found["score"])
    assert parts["points"].dropna().between(0, 100).all()
    # all parts rise together, so the score is the customer's place among all
    assert found["score"].to_numpy()[10:] == pytest.approx(np.arange(10, count), abs=0.6)
    assert found.loc[7, "score"] == pytest.approx(7, abs=0.6)
    grades = dict(zip(range(count), found["segment"], strict=True))
    assert (grades[71], grades[45], grades[39]) == ("grade_high", "grade_potential", "grade_low")
    assert (grades[80], grades[50], grades[30]) == ("grade_maintain", "grade_maintain", "grade_low")
    assert found.loc[80, "tag"] == "must_win_back"
    # frozen: others change, the customer does not
    again = score_anchors(features.iloc[:5], scheme, cuts)
    assert list(again["value"]) == list(anchors["value"])
    alone = segment(features.iloc[[71]], NOBODY, scheme, cuts, settings_)
    assert alone["score"].iloc[0] == found.loc[71, "score"]


def test_equal_customers_get_equal_scores(rows, root: Path) -> None:
    found = place(known(rows, *({"margin": 5.0} for _ in range(30))), "grade4", root)
    assert len(set(found["score"])) == len(set(found["segment"])) == 1


CUSTOMER = st.fixed_dictionaries(
    {
        "recency_days": st.integers(0, 800).map(float),
        "recency_cycles": st.floats(0, 6).map(lambda v: round(v, 2)),
        "frequency": st.integers(0, 12),
        "monetary": st.integers(0, 2_000_000).map(float),
        "mean_order": st.integers(0, 90_000).map(float),
        "tenure_days": st.integers(0, 2000).map(float),
        "relationship_days": st.integers(0, 2000).map(float),
        "satisfaction": st.sampled_from([float("nan"), 1.0, 3.0, 3.1, 5.0]),
        "arr": st.sampled_from([0.0, 299_999.0, 300_000.0]),
        "usage_change": st.sampled_from([float("nan"), -0.5, -0.2, 0.0, 0.5]),
        "days_to_renewal": st.integers(-10, 400).map(float),
    }
)
NAMES = ("rfm5", "platinum4", "grade4", "saas3", "subscription5")


@settings(max_examples=20, deadline=None)
@given(customers=st.lists(CUSTOMER, min_size=2, max_size=25), data=st.data())
def test_one_place_each_whatever_the_order_and_the_ids(rows, root, customers, data) -> None:
    features = known(rows, *customers)
    order = data.draw(st.permutations(range(len(features))))
    shuffled = features.iloc[order].reset_index(drop=True)
    shuffled["customer_id"] = [f"Z{i}" for i in data.draw(st.permutations(range(len(features))))]
    for name in NAMES:
        found = place(features, name, root)
        assert list(found["customer_id"]) == list(features["customer_id"])
        assert found["segment"].notna().all()
        again = place(shuffled, name, root).set_index("customer_id")
        columns = ["segment", "rule", "tag", "reason"]
        moved = again.loc[shuffled["customer_id"], columns].reset_index(drop=True)
        expected = found.loc[order, columns].reset_index(drop=True)
        pd.testing.assert_frame_equal(moved, expected)


def scaled(scheme: Scheme, factor: float) -> dict[str, float]:
    return {n: t.value * factor for n, t in scheme.thresholds.items() if t.unit == "money"}


@settings(max_examples=15, deadline=None)
@given(
    customers=st.lists(CUSTOMER, min_size=1, max_size=20),
    factor=st.sampled_from([0.5, 4.0, 1024.0]),
)
def test_money_and_its_thresholds_scaled_together_change_nothing(
    rows, root, customers, factor
) -> None:
    features = known(rows, *customers)
    money = ["monetary", "mean_order", "arr", "margin", "overdue"]
    larger = features.assign(**{column: features[column] * factor for column in money})
    cuts = {"monetary_cuts": [50_000.0, 500_000.0], "mean_order_cuts": [5_000.0, 50_000.0]}
    more = {name: [v * factor for v in values] for name, values in cuts.items()}
    for name in NAMES:
        thresholds = scaled(loaded(name, root), factor)
        one = place(features, name, root, **cuts)
        two = place(larger, name, root, thresholds=thresholds, **more)
        assert list(one["segment"]) == list(two["segment"])
        assert list(one["rule"]) == list(two["rule"])


@settings(max_examples=40, deadline=None)
@given(customer=CUSTOMER, later=st.integers(1, 600))
def test_waiting_longer_is_never_better(rows, root, customer, later) -> None:
    """Monotone in recency: days and own cycles grow together, all else equal."""
    waited = {
        **customer,
        "recency_days": customer["recency_days"] + later,
        "recency_cycles": customer["recency_cycles"] + later / 100,
    }
    features = known(rows, customer, waited)
    for name in ("rfm5", "platinum4", "saas3"):
        ranks = loaded(name, root).ranks
        found = place(
            features, name, root, frequency_cuts=[3.0, 6.0], monetary_cuts=[1e5, 1e6],
            mean_order_cuts=[1e4, 5e4],
        )  # fmt: skip
        before, after = (ranks[s] for s in found["segment"])
        assert after <= before


def test_reasons_of_all_shipped_rules_are_json_with_words(rows, root: Path) -> None:
    features = known(rows, {"satisfaction": 2.0, "recency_days": 200.0, "arr": 4e5})
    for name in NAMES:
        told = json.loads(place(features, name, root)["reason"].iloc[0])
        assert told["key"] in ("reason.rule", "reason.rest") or name == "rfm5"
