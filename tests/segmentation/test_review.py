"""Who comes before the review meeting, why, and what is proposed."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pandas as pd
import pytest

from analysis import wording
from analysis.engine import conform
from analysis.segmentation import review
from analysis.settings_segmentation import Overrides
from analysis.tables import RECORD
from analysis.wording.told import told

AS_OF = date(2025, 9, 30)
IDS = ["A", "B", "C", "D", "E", "F"]
SEGMENTS = pd.DataFrame(
    {
        "customer_id": IDS,
        "segment": ["potential", "high_value", "churn_risk", "new", "potential", "high_value"],
        "system_segment": ["potential", "high_value", "churn_risk", "new", "new", "high_value"],
    }
)
FEATURES = pd.DataFrame({"customer_id": IDS, "monetary": [50.0, 400.0, 300.0, 20.0, 10.0, 90.0]})
CUSTOMERS = pd.DataFrame(
    {
        "customer_id": IDS,
        "name": [f"客户{i}" for i in IDS],
        "owner_id": ["P1", "P2", "P1", None, "P9", "P1"],
        "own_tier": ["A", "A", "A", "C", None, "A"],
    }
)
PEOPLE = pd.DataFrame({"person_id": ["P1", "P2"], "name": ["代表一", None]})
TIERS = pd.DataFrame(
    {
        "customer_id": ["A", "C"],
        "own_tier": ["A", "A"],
        "segment": ["potential", "churn_risk"],
        "usual_tier": ["B", None],
        "direction": ["tier_too_high", "other"],
    }
)
CLUSTERS = pd.DataFrame(
    {
        "customer_id": IDS,
        "cluster": ["high_value", "high_value", "churn_risk", "unnamed", "new", "high_value"],
        "agrees": [False, True, True, False, True, True],
    }
)
MOVES = pd.DataFrame(
    {
        "customer_id": IDS,
        "segment_before": ["potential", "high_value", "high_value", "entered", "new", "high_value"],
        "segment_after": SEGMENTS["segment"],
        "direction": ["same", "same", "worse", "entered", "same", "same"],
    }
)
OVERRIDES = pd.DataFrame(
    {
        "customer_id": ["E", "F"],
        "system_segment": ["new", "high_value"],
        "author": "总监",
        "decided_on": pd.to_datetime(["2025-01-01", "2025-01-01"]),
        "expires_on": pd.to_datetime(["2025-12-31", "2026-12-31"]),
        "state": "applied",
    }
)
BOUNDARY = pd.DataFrame(
    {
        "customer_id": ["D"], "score": "monetary", "unit": "money", "value": 20.0, "cut": 21.0,
        "gap": 1.0, "toward": "mid", "days": [None], "other_segment": "potential",
    }
)  # fmt: skip


def listed(length: int = 40, **tables: Any) -> pd.DataFrame:
    given = {
        "people": PEOPLE, "overrides": OVERRIDES, "movements": MOVES, "clusters": CLUSTERS,
        "tiers": TIERS, "boundary": BOUNDARY, **tables,
    }  # fmt: skip
    settings = Overrides(review_length=length, expiring_days=92)
    return review(SEGMENTS, FEATURES, CUSTOMERS, settings, as_of=AS_OF, **given)


@pytest.mark.requirement("004-26")
def test_those_on_whom_the_views_differ_by_money() -> None:
    found = listed()
    assert found["customer_id"].tolist() == ["C", "A", "D", "E"]
    assert found["rank"].tolist() == [1, 2, 3, 4]
    assert found["amount"].tolist() == [300.0, 50.0, 20.0, 10.0]
    keys = [[why["key"].rpartition(".")[2] for why in json.loads(row)] for row in found["why"]]
    assert keys == [
        ["tier_other", "moved_worse"], ["tier_too_high", "cluster"], ["boundary"], ["ending"],
    ]  # fmt: skip
    assert found["owner"].fillna("").tolist() == ["代表一", "代表一", "", "P9"]
    assert found["present_tier"].tolist()[:3] == ["A", "A", "C"]
    conform(found, RECORD["review"])
    assert list(found.columns) == RECORD["review"].names
    for lang in wording.LANGUAGES:
        assert all("{" not in told(why, lang, "CNY") for why in found["why"])


def test_the_proposal_follows_the_majority_only() -> None:
    # tier A means high value, where most of its money is; the cluster says so too
    proposed = listed().set_index("customer_id")["proposal"]
    assert proposed.to_dict() == {
        "A": "high_value", "C": "churn_risk", "D": "new", "E": "new",
    }  # fmt: skip


def test_the_list_has_a_length_and_decisions_about_to_end_are_never_cut() -> None:
    assert listed(2)["customer_id"].tolist() == ["C", "E"]
    assert listed(0).empty


def test_a_decision_against_the_rules_without_an_end_comes_back_every_time() -> None:
    endless = OVERRIDES.assign(expires_on=pd.NaT)
    assert listed(1, overrides=endless.iloc[:1])["customer_id"].tolist() == ["E"]
    today = endless.assign(decided_on=pd.Timestamp(AS_OF))
    assert "E" not in listed(overrides=today)["customer_id"].tolist()
    assert "E" not in listed(overrides=endless.assign(state="agrees"))["customer_id"].tolist()


def test_reasons_of_recency_are_told_in_days() -> None:
    far = BOUNDARY.assign(score="recency", unit="cycles", toward="far", days=3.0)
    why = listed(boundary=far).set_index("customer_id").loc["D", "why"]
    assert told(str(why), "zh", "CNY") == "再过 3 天不下单就归潜力客户"


def test_with_nothing_to_say_the_list_is_empty_but_valid() -> None:
    nothing = dict.fromkeys(("people", "overrides", "movements", "clusters", "tiers", "boundary"))
    found = listed(**nothing)
    assert found.empty
    conform(found, RECORD["review"])
    empty = {name: frame.iloc[:0] for name, frame in (
        ("overrides", OVERRIDES), ("movements", MOVES), ("clusters", CLUSTERS),
        ("tiers", TIERS), ("boundary", BOUNDARY), ("people", PEOPLE),
    )}  # fmt: skip
    assert listed(**empty).empty
    bare = review(
        SEGMENTS.iloc[:0], FEATURES.iloc[:0], CUSTOMERS.iloc[:0], Overrides(), as_of=AS_OF
    )
    conform(bare, RECORD["review"])


def test_the_order_of_rows_changes_nothing() -> None:
    turned = {
        "movements": MOVES[::-1], "clusters": CLUSTERS[::-1], "tiers": TIERS[::-1],
        "overrides": OVERRIDES[::-1],
    }  # fmt: skip
    pd.testing.assert_frame_equal(listed(), listed(**turned))
