"""Every cause planted is found, and no other; with any scheme."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from analysis import wording
from analysis.engine import conform
from analysis.segmentation import Rulebook, Scheme, as_before, estimate_cuts, movements, rulebook
from analysis.segmentation.rulebook import Boundary
from analysis.settings_segmentation import Segmentation
from analysis.tables import RECORD
from analysis.wording.told import told

OLD = Segmentation(
    frequency_cuts=[3.0, 6.0], monetary_cuts=[100.0, 1000.0], mean_order_cuts=[50.0, 500.0]
)
NEW = OLD.model_copy(update={"frequency_cuts": [3.0, 8.0], "lapsed_cycles": 4.0})
NOBODY = pd.DataFrame({"customer_id": [], "on_trial": []})

BEST = {"frequency": 9, "monetary": 5000.0, "recency_cycles": 1.0, "mean_order": 100.0}
LESS = {**BEST, "frequency": 4, "monetary": 500.0}
RARE = {"frequency": 1, "mean_order": 900.0, "monetary": 0.0, "recency_cycles": 3.0}

SMALL = {"frequency": 2, "mean_order": 20.0, "monetary": 40.0, "tenure_days": 100.0}

# customer → what was known of it then, what is known of that day now, what it is now
PLANTED: dict[str, tuple[Any, Any, Any]] = {
    "stays": (BEST, BEST, BEST),
    "late": (BEST, BEST, {**BEST, "recency_cycles": 2.0}),
    "back": ({**BEST, "recency_cycles": 2.0}, {**BEST, "recency_cycles": 2.0}, BEST),
    "smaller": (BEST, BEST, {**BEST, "monetary": 500.0}),
    "oftener": (SMALL, SMALL, {**SMALL, "frequency": 4}),
    "booked late": (LESS, BEST, BEST),
    "corrected and gone": (LESS, BEST, {**BEST, "recency_cycles": 2.0}),
    "corrected in vain": (BEST, {**BEST, "monetary": 6000.0}, BEST),
    "recut": ({**BEST, "frequency": 7, "monetary": 600.0},) * 3,
    "other limit": (RARE, RARE, RARE),
    "merged": (BEST, None, None),
    "kept": (BEST, BEST, BEST),
    "gone": (BEST, BEST, None),
    "arrived": (None, None, {**BEST, "first_order_on": pd.Timestamp(2025, 8, 1)}),
    "forgotten": (None, BEST, BEST),
    "joined": (None, None, BEST),
    "former": (BEST, None, None),
}
EXPECTED = {
    "stays": ("same", ""),
    "late": ("own", "recency_cycles"),
    "back": ("own", "recency_cycles"),
    "smaller": ("own", "monetary"),
    "oftener": ("own", "frequency"),
    "booked late": ("data", "monetary"),
    "corrected and gone": ("data", "monetary"),
    "corrected in vain": ("same", ""),
    "recut": ("same", ""),
    "other limit": ("rules", ""),
    "merged": ("merged", ""),
    "kept": ("same", ""),
    "gone": ("lost", ""),
    "arrived": ("new", ""),
    "forgotten": ("data", ""),
    "joined": ("merged", ""),
    "former": ("merged", ""),
}
MERGED = pd.DataFrame({"customer_id": ["merged", "former"], "kept_id": ["kept", "joined"]})


def planted(rows, which: int, **dates: Any) -> pd.DataFrame:
    known = {name: states[which] for name, states in PLANTED.items() if states[which]}
    return rows(*known.values(), ids=list(known)).assign(**dates)


@pytest.fixture(scope="module")
def found(rows, rfm5: Scheme) -> pd.DataFrame:
    end = pd.Timestamp(2025, 6, 30)
    sealed, was, now = planted(rows, 0, as_of=end), planted(rows, 1, as_of=end), planted(rows, 2)
    now.loc[now["customer_id"] == "arrived", "first_order_on"] = pd.Timestamp(2025, 8, 1)
    old = rulebook(rfm5, NOBODY, estimate_cuts(sealed, OLD), OLD)
    new = rulebook(rfm5, NOBODY, estimate_cuts(now, NEW), NEW)
    before = as_before(old.place(sealed), "sealed")
    return movements(
        before,
        new.place(now),
        was,
        now,
        new,
        sealed_features=sealed,
        sealed_cuts=estimate_cuts(sealed, OLD),
        merged=MERGED,
    ).set_index("customer_id")


@pytest.mark.requirement("001-29")
def test_every_planted_cause_is_found_and_no_other(found: pd.DataFrame) -> None:
    kinds = zip(found["cause_kind"], found["feature"], strict=True)
    assert dict(zip(found.index, kinds, strict=True)) == EXPECTED
    conform(found.reset_index(), RECORD["movements"])


def test_a_correction_says_what_was_corrected_and_where_that_leads(found: pd.DataFrame) -> None:
    said = json.loads(found.loc["booked late", "cause"])
    assert said["key"] == "cause.data_corrected"
    assert (said["args"]["before"]["value"], said["args"]["after"]["value"]) == (500, 5000)
    assert said["args"]["place"] == {"key": "segment.high_value"}
    gone = json.loads(found.loc["corrected and gone", "cause"])
    assert gone["args"]["place"] == {"key": "segment.high_value"}
    assert found.loc["corrected and gone", "segment_after"] == "churn_risk"


def test_who_was_merged_is_named(found: pd.DataFrame) -> None:
    assert json.loads(found.loc["merged", "cause"])["args"] == {"kept": "kept"}
    assert json.loads(found.loc["joined", "cause"])["args"] == {"former": "former"}


@pytest.mark.parametrize("lang", wording.LANGUAGES)
def test_every_cause_reads_as_a_sentence(found: pd.DataFrame, lang: wording.Language) -> None:
    for cause in found["cause"]:
        words = told(cause, lang, "CNY")
        assert "{" not in words
        assert "cause." not in words
        assert "segment." not in words


@pytest.mark.requirement("003-06")
@pytest.mark.parametrize("kept", [True, False])
def test_a_moved_cut_is_a_change_of_rules(rows, rfm5: Scheme, kept: bool) -> None:
    same = rows({"frequency": 7, "monetary": 1500.0, "mean_order": 20.0, "recency_cycles": 2.0})
    known = rows({"frequency": 1, "monetary": 60.0, "mean_order": 60.0, "tenure_days": 20.0})
    features = pd.concat([same, known.assign(customer_id="small")], ignore_index=True)
    moved = OLD.model_copy(update={"mean_order_cuts": [80.0, 500.0]})
    before = rulebook(rfm5, NOBODY, estimate_cuts(features, OLD), OLD).place(features)
    new = rulebook(rfm5, NOBODY, estimate_cuts(features, moved), moved)
    told_moves = movements(
        as_before(before, "sealed"),
        new.place(features),
        features,
        features,
        new,
        sealed_features=features if kept else None,
        sealed_cuts=estimate_cuts(features, OLD),
    ).set_index("customer_id")
    assert list(told_moves["cause_kind"]) == ["same", "rules"]
    said = json.loads(told_moves.loc["small", "cause"])
    assert said["key"] == "cause.rules_cut"
    assert (said["args"]["before"]["value"], said["args"]["after"]["value"]) == (50, 80)
    assert told_moves.loc["small", "feature"] == "mean_order"


@pytest.mark.parametrize(
    ("side", "changes", "kind", "key"),
    [
        ("after", {"place": "override", "segment": "potential"}, "override", "override"),
        ("before", {"place": "override", "segment": "potential"}, "override", "override_ended"),
        ("before", {"rule": "held", "segment": "potential"}, "own", "confirmed"),
    ],
)
def test_what_people_and_patience_decide(rows, rfm5, side, changes, kind: str, key: str) -> None:
    features = rows(BEST)
    rules = rulebook(rfm5, NOBODY, estimate_cuts(features, OLD), OLD)
    placed = rules.place(features)
    tables = {"before": as_before(placed), "after": placed}
    tables[side] = tables[side].assign(**changes)
    row = movements(tables["before"], tables["after"], features, features, rules).iloc[0]
    assert row["cause_kind"] == kind
    assert json.loads(row["cause"])["key"] == f"cause.{key}"


def test_who_is_held_has_not_moved(rows, rfm5) -> None:
    features = rows(BEST)
    rules = rulebook(rfm5, NOBODY, estimate_cuts(features, OLD), OLD)
    placed = rules.place(features)
    held = placed.assign(rule="held", place="guard")
    row = movements(as_before(placed), held, features, features, rules).iloc[0]
    assert row["cause_kind"] == "held"


def by_usage(features: pd.DataFrame) -> pd.DataFrame:
    """A scheme that weighs visits and money together, and looks at tickets."""
    weight = features["visits"].to_numpy(float) * 10 + features["monetary"].to_numpy(float)
    rule = pd.Series("quiet", features.index).mask(weight >= 100, "busy")
    rule = rule.mask(features["tickets"].to_numpy(float) > 5, "noisy")
    return pd.DataFrame({"customer_id": features["customer_id"], "segment": rule, "rule": rule})


USAGE = Rulebook(
    by_usage,
    (
        Boundary("tickets", ">", {"": 5.0}, "noisy"),
        Boundary("visits", ">=", {"": float("inf")}, "busy"),
        Boundary("monetary", ">=", {"": float("inf")}, "busy"),
    ),
    {"busy": 3, "quiet": 2, "noisy": 1},
)


@pytest.mark.parametrize(
    ("before", "after", "feature", "key"),
    [
        ({"visits": 2, "monetary": 50.0}, {"visits": 9, "monetary": 50.0}, "visits", "changed"),
        ({"visits": 2, "monetary": 50.0}, {"visits": 3, "monetary": 90.0}, "monetary", "changed"),
        ({"visits": 4, "monetary": 40.0}, {"visits": 7, "monetary": 80.0}, "", "several"),
        ({"tickets": 2}, {"tickets": 6, "monetary": 1e6}, "tickets", "crossed_up"),
        ({"tickets": 6}, {"tickets": 2}, "tickets", "crossed_down"),
    ],
)
def test_any_scheme_names_what_decided(rows, before, after, feature: str, key: str) -> None:
    quiet = {"visits": 0, "monetary": 0.0, "tickets": 0}
    was, now = rows({**quiet, **before}), rows({**quiet, **after})
    row = movements(by_usage(was), by_usage(now), was, now, USAGE).iloc[0]
    assert (row["cause_kind"], row["feature"]) == ("own", feature)
    assert json.loads(row["cause"])["key"] == f"cause.{key}"
