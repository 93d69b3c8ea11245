"""Anti-flapping: off by default, exact at its edges, and worth it in a simulation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import wording
from analysis.segmentation import Rulebook, steady
from analysis.segmentation.rulebook import Boundary
from analysis.settings_segmentation import Steady
from analysis.wording.told import told

CUTS = (9.5, 10.5)
TIERS = ("churn_risk", "potential", "high_value")
ENDS = [f"2024Q{q}" for q in range(1, 5)] + [f"2025Q{q}" for q in range(1, 5)]


def place(features: pd.DataFrame) -> pd.DataFrame:
    code = np.searchsorted(CUTS, features["monetary"].to_numpy(float), side="right")
    tier = np.array(TIERS, dtype=object)[code]
    return pd.DataFrame(
        {
            "customer_id": features["customer_id"],
            "segment": tier,
            "place": "exact",
            "rule": tier,
            "tag": "",
            "reason": "{}",
        }
    )


RULES = Rulebook(
    place,
    tuple(Boundary("monetary", ">=", {"": cut}, "monetary", is_score=True) for cut in CUTS),
    {name: rank for rank, name in enumerate(TIERS)},
)


def seen(*values: Any, orders: int = 5) -> dict[str, pd.DataFrame]:
    """One end after the other, each a list of the customers' values."""
    ends = pd.date_range("2024-03-31", periods=len(values), freq="QE")
    return {
        name: pd.DataFrame(
            {
                "customer_id": [f"C{i}" for i in range(len(now))],
                "as_of": end,
                "monetary": now,
                "orders_ever": orders,
            }
        )
        for name, end, now in zip(ENDS, ends, values, strict=False)
    }


def told_segments(features: Mapping[str, pd.DataFrame], **settings: Any) -> dict[str, list[str]]:
    placed = {name: place(frame) for name, frame in features.items()}
    found = steady(placed, features, RULES, Steady(**settings))
    return {name: list(frame["segment"]) for name, frame in found.items()}


def test_off_it_changes_nothing() -> None:
    features = seen([9.0, 11.0], [9.6, 10.4])
    placed = {name: place(frame) for name, frame in features.items()}
    found = steady(placed, features, RULES, Steady())
    assert all(found[name].equals(placed[name]) for name in placed)


def test_the_margin_is_a_share_of_the_cut_on_either_side() -> None:
    edge = 9.5 * 1.02
    features = seen([9.0, 9.0, 9.6, 9.6], [edge - 1e-9, edge + 1e-9, 9.5 * 0.98, 9.3])
    assert told_segments(features, margin=0.02)[ENDS[1]] == [
        "churn_risk",
        "potential",
        "potential",
        "churn_risk",
    ]


def test_a_fall_waits_for_confirmation_and_a_rise_does_not() -> None:
    features = seen([11.0, 9.0], [9.0, 11.0], [9.0, 11.0], [9.0, 11.0])
    found = told_segments(features, confirm=3)
    assert [found[end][0] for end in ENDS[:4]] == ["high_value"] * 3 + ["churn_risk"]
    assert [found[end][1] for end in ENDS[:4]] == ["churn_risk"] + ["high_value"] * 3
    back = told_segments(seen([11.0], [9.0], [11.0], [9.0], [9.0]), confirm=2)
    assert [back[end][0] for end in ENDS[:5]] == ["high_value"] * 4 + ["churn_risk"]


def test_a_first_order_moves_at_once() -> None:
    features = seen([11.0], [9.0])
    features[ENDS[0]]["orders_ever"] = 0
    assert told_segments(features, confirm=2)[ENDS[1]] == ["churn_risk"]


def test_what_a_person_decided_is_not_held() -> None:
    features = seen([11.0], [9.0])
    placed = {name: place(frame) for name, frame in features.items()}
    sealed = placed[ENDS[0]].assign(place="override")
    found = steady(placed, features, RULES, Steady(confirm=2), sealed)
    assert list(found[ENDS[1]]["segment"]) == ["churn_risk"]
    found = steady(placed, features, RULES, Steady(confirm=2), placed[ENDS[0]])
    assert list(found[ENDS[1]]["segment"]) == ["high_value"]


@pytest.mark.parametrize(
    ("settings", "key"), [({"margin": 0.1}, "margin"), ({"confirm": 2}, "confirm")]
)
def test_who_is_held_says_so_with_both_segments(settings, key: str) -> None:
    features = seen([9.6], [9.4])
    placed = {name: place(frame) for name, frame in features.items()}
    row = steady(placed, features, RULES, Steady(**settings))[ENDS[1]].iloc[0]
    assert (row["segment"], row["place"], row["rule"]) == ("potential", "guard", "held")
    assert json.loads(row["reason"])["key"] == f"reason.held_{key}"
    zh = told(row["reason"], "zh", "CNY")
    for name in ("potential", "churn_risk"):
        assert wording.text(f"segment.{name}", "zh") in zh


def test_the_order_of_rows_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    features = seen(*(10 + rng.normal(size=50) for _ in range(4)))
    shuffled = {name: frame.sample(frac=1, random_state=3) for name, frame in features.items()}
    results = []
    for source in (features, shuffled):
        placed = {name: place(frame).reset_index(drop=True) for name, frame in source.items()}
        found = steady(placed, source, RULES, Steady(margin=0.03, confirm=2))
        results.append(found[ENDS[3]].set_index("customer_id").sort_index())
    pd.testing.assert_frame_equal(*results)


def simulate(settings: Steady, customers: int = 4000, noise: float = 0.37) -> tuple[float, float]:
    """Share of moves, and of to-and-fro (A-B-A) over three ends, in eight ends.

    A value of standard deviation 1 that changes for good in a few per cent of quarters, seen
    with noise; tiers of about a third each.
    """
    rng = np.random.default_rng(20)
    true = 10 + rng.normal(size=customers)
    ends = []
    for _ in range(8):
        true = np.where(rng.random(customers) < 0.066, 10 + rng.normal(size=customers), true)
        ends.append(true + rng.normal(scale=noise, size=customers))
    features = seen(*ends)
    placed = {name: place(frame) for name, frame in features.items()}
    found = steady(placed, features, RULES, settings)
    told = np.array([found[name]["segment"].to_numpy(str) for name in ENDS])
    flaps = (told[:-2] == told[2:]) & (told[1:-1] != told[2:])
    return float((told[1:] != told[:-1]).mean()), float(flaps.mean())


def test_margin_and_confirmation_end_the_flapping() -> None:
    raw_moves, raw_flaps = simulate(Steady())
    assert 0.12 < raw_flaps < 0.145
    # A quarter of a standard deviation is 2.5 % of a cut near ten.
    margin_moves, margin_flaps = simulate(Steady(margin=0.025))
    confirm_moves, confirm_flaps = simulate(Steady(confirm=2))
    assert max(margin_flaps, confirm_flaps) < 0.04
    # Steadier, not deaf.
    assert min(margin_moves, confirm_moves) > 0.04
    assert max(margin_moves, confirm_moves) < raw_moves / 1.5
