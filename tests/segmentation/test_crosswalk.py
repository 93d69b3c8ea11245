"""Schemes beside each other, and tiers that do not fit, on customers whose answer is known."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.engine import conform
from analysis.segmentation import (
    crosswalk,
    crosswalk_table,
    estimate_cuts,
    load_scheme,
    load_schemes,
    scheme_rules,
    scheme_segments,
    segment,
    tier_differences,
)
from analysis.settings_segmentation import Segmentation
from analysis.tables import RECORD

# customer, segment, own tier, money
PLAIN = [
    ("A1", "high_value", "A", 900.0),
    ("A2", "high_value", "A", 800.0),
    ("A3", "high_value", "C", 700.0),  # too low a tier for its segment
    ("B1", "potential", "B", 300.0),
    ("B2", "potential", "A", 200.0),  # too high
    ("B3", "potential", "", 999.0),  # nobody gave it a tier
    ("C1", "churn_risk", "C", 50.0),
    ("C2", "churn_risk", "C", 0.0),
    ("C3", "churn_risk", "B", 20.0),  # too high
]


def tables(rows: list[tuple[str, str, str, float]]) -> tuple[pd.DataFrame, ...]:
    ids, segments, tiers, money = (list(column) for column in zip(*rows, strict=True))
    return (
        pd.DataFrame({"customer_id": ids, "scheme": "rfm5", "segment": segments}),
        pd.DataFrame(
            {
                "customer_id": ids,
                "own_tier": tiers,
                "name": [f"N{i}" for i in ids],
                "owner_id": "p1",
            }
        ),
        pd.DataFrame({"customer_id": ids, "monetary": money}),
    )


@pytest.mark.requirement("004-26")
def test_customers_whose_tier_does_not_fit() -> None:
    people = pd.DataFrame({"person_id": ["p1"], "name": ["Li"]})
    found = tier_differences(*tables(PLAIN), people, own_tiers=["A", "B", "C"])
    assert list(found["customer_id"]) == ["A3", "B2", "C3"]
    assert list(found["direction"]) == ["tier_too_low", "tier_too_high", "tier_too_high"]
    assert list(found["usual_tier"]) == ["A", "B", "C"]
    assert list(found["amount"]) == [700.0, 200.0, 20.0]
    assert list(found["rank"]) == [1, 2, 3]
    assert set(found["owner"]) == {"Li"}
    conform(found, RECORD["tier_differences"])


def test_the_order_of_tiers_is_by_money_unless_set() -> None:
    # by mean money A (633) is above C (250), and C above B (160)
    by_money = tier_differences(*tables(PLAIN)).set_index("customer_id")["direction"]
    assert dict(by_money) == {"A3": "tier_too_low", "B2": "tier_too_high", "C3": "tier_too_low"}
    upside_down = tier_differences(*tables(PLAIN), own_tiers=["C", "B", "A"])
    found = upside_down.set_index("customer_id")["direction"]
    assert dict(found) == {"A3": "tier_too_high", "B2": "tier_too_low", "C3": "tier_too_low"}
    assert list(upside_down["owner"]) == ["p1"] * 3


def test_with_four_tiers_a_neighbour_is_no_contradiction() -> None:
    rows = [(f"h{i}", "high_value", "A", 900.0 - i) for i in range(5)]
    rows += [("n", "high_value", "B", 500.0), ("far", "high_value", "C", 400.0)]
    rows += [(f"r{i}", "churn_risk", "C", 50.0 - i) for i in range(5)]
    # one customer with most of the segment's money does not make its tier the usual one
    rows += [("big", "churn_risk", "A", 5_000.0), ("low", "churn_risk", "D", 1.0)]
    found = tier_differences(*tables(rows), own_tiers=["A", "B", "C", "D"])
    assert dict(zip(found["customer_id"], found["direction"], strict=True)) == {
        "big": "tier_too_high",
        "far": "tier_too_low",
    }


def test_row_order_and_ids_do_not_matter() -> None:
    one = tier_differences(*tables(PLAIN))
    two = tier_differences(*tables(PLAIN[::-1]))
    pd.testing.assert_frame_equal(one, two)


def test_without_tiers_nothing_differs() -> None:
    segments, customers, features = tables([(i, s, "", m) for i, s, _, m in PLAIN])
    found = tier_differences(segments, customers, features)
    assert found.empty
    conform(found, RECORD["tier_differences"])
    bare = tier_differences(segments, customers[["customer_id"]], features)
    assert bare.empty


def test_all_schemes_beside_each_other(rows, root: Path) -> None:
    settings = Segmentation(scheme="platinum4", crosswalk=["rfm5", "saas3"])
    schemes = load_schemes(root, settings)
    features = rows(
        {"monetary": 1_500_000.0}, {"frequency": 1, "monetary": 10.0}, {"recency_cycles": 9.0}
    )
    customers = pd.DataFrame(
        {"customer_id": features["customer_id"], "own_tier": ["VIP", None, "B"]}
    )
    cuts = estimate_cuts(features, settings)
    placed = [segment(features, customers, s, cuts, settings) for s in schemes]
    found = crosswalk(placed[0], customers, *placed[1:])
    conform(found, RECORD["crosswalk"])
    counts = found["scheme"].value_counts()
    assert dict(counts) == {"platinum4": 3, "rfm5": 3, "saas3": 3, "own_tier": 2}
    table = crosswalk_table(placed[0], found, features)
    assert set(table["scheme"]) == {"rfm5", "saas3", "own_tier"}
    sums = table.groupby("scheme")[["customers", "amount"]].sum()
    assert list(sums.loc["rfm5"]) == [3, 1_500_310.0]
    listed = scheme_segments(*schemes)
    conform(listed, RECORD["scheme_segments"])
    assert list(listed.loc[listed["primary"], "segment"]) == list(schemes[0].segments)


def test_rules_with_their_customers(rows, root: Path) -> None:
    settings = Segmentation(scheme="saas3")
    scheme = load_scheme("saas3", root, settings)
    features = rows(
        {"recency_days": 29.0, "frequency": 12, "monetary": 90_000.0},  # within 5 % of 30 days
        {"recency_days": 10.0, "frequency": 20, "monetary": 90_000.0},
        {"recency_days": 100.0, "frequency": 3, "monetary": 7_000.0},
    )
    cuts = estimate_cuts(features, settings)
    nobody = pd.DataFrame({"customer_id": []})
    found = scheme_rules(features, nobody, scheme, cuts, settings).set_index("rule")
    conform(found.reset_index(), RECORD["scheme_rules"])
    assert list(found.index) == ["platinum", "gold", "ordinary", "stopped", "others"]
    assert list(found["customers"]) == [2, 0, 0, 0, 1]
    assert list(found["amount"]) == [180_000.0, 0.0, 0.0, 0.0, 7_000.0]
    assert list(found["near_cut"]) == [1, 0, 0, 0, 0]
    assert "monetary >= platinum_amount (50,000)" in found.loc["platinum", "condition"]
