"""How far customers are from the cuts, and which small steps matter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.segmentation import boundary_cases, cut_distances, scores

Rows = Callable[..., pd.DataFrame]
CUTS = pd.DataFrame(
    [
        ("recency", 1, 1.5, "cycles"),
        ("frequency", 1, 3.0, "count"),
        ("frequency", 2, 10.0, "count"),
        ("monetary", 1, 1000.0, "money"),
        ("monetary", 2, 5000.0, "money"),
    ],
    columns=["score", "boundary", "value", "unit"],
).assign(source="settings")


def steps(frame: pd.DataFrame, cuts: pd.DataFrame = CUTS) -> dict[tuple[str, str], float]:
    found = cut_distances(frame, cuts)
    return {(row["score"], row["toward"]): row["gap"] for row in found.to_dict("records")}


def test_the_gap_to_each_cut_beside_the_value(rows: Rows) -> None:
    frame = rows({"frequency": 5, "monetary": 988.0, "recency_cycles": 0.5})
    assert steps(frame) == {
        ("recency", "far"): 1.0,
        ("frequency", "low"): 3,  # from 5 to 2: three orders itself is middle
        ("frequency", "high"): 5,
        ("monetary", "mid"): 12.0,
    }


def test_recency_in_days(rows: Rows) -> None:
    frame = rows(
        {"recency_cycles": 0.5, "expected_interval_days": 60.0},
        {"recency_cycles": 2.0, "expected_interval_days": 60.0},
        {"recency_cycles": 1.5, "expected_interval_days": 60.0},
    )
    found = cut_distances(frame, CUTS)
    found = found[found["score"] == "recency"]
    # 1.5 cycles are day 90, still near; it is far on day 91
    assert found["days"].tolist() == [61.0, 30.0, 1.0]
    window = CUTS.assign(
        value=np.where(CUTS["score"] == "recency", 90.0, CUTS["value"]),
        unit=np.where(CUTS["score"] == "recency", "days", CUTS["unit"]),
    )
    found = cut_distances(rows({"recency_days": 30.0}, {"recency_days": 100.0}), window)
    assert found.loc[found["score"] == "recency", "days"].tolist() == [61.0, 10.0]


def test_without_a_value_no_distance(rows: Rows, no_order: dict[str, Any]) -> None:
    found = cut_distances(rows(no_order), CUTS)
    assert set(found["score"]) == {"frequency", "monetary"}
    assert cut_distances(rows().iloc[:0], CUTS).empty


def test_an_industry_with_cuts_of_its_own(rows: Rows) -> None:
    own = CUTS[CUTS["score"] == "monetary"].assign(value=[10.0, 20.0], industry="tools")
    cuts = pd.concat([CUTS.assign(industry=""), own], ignore_index=True)
    frame = rows({"monetary": 12.0}, {"monetary": 12.0}).assign(peer_industry=["tools", None])
    found = cut_distances(frame, cuts)
    found = found[found["score"] == "monetary"]
    assert found[["customer_id", "band", "toward"]].to_numpy().tolist() == [
        ["C0000", "mid", "low"], ["C0000", "mid", "high"], ["C0001", "low", "mid"],
    ]  # fmt: skip


VALUES = st.tuples(st.integers(0, 14), st.floats(0, 8000), st.floats(0, 4, exclude_min=True))


@settings(max_examples=30, deadline=None)
@given(values=st.lists(VALUES, min_size=1, max_size=4))
def test_a_step_of_the_gap_reaches_the_band_and_a_smaller_one_does_not(
    rows: Rows, values: list[tuple[int, float, float]]
) -> None:
    frame = rows(*({"frequency": f, "monetary": m, "recency_cycles": r} for f, m, r in values))
    before = scores(frame, CUTS).set_index("customer_id")
    for step in cut_distances(frame, CUTS).to_dict("records"):
        one = frame[frame["customer_id"] == step["customer_id"]]
        assert before.loc[step["customer_id"], step["score"]] == step["band"]
        sign = 1 if step["rising"] else -1
        beyond = 1.0 if step["unit"] == "count" else 1e-6
        over = 0.0 if step["unit"] == "count" else beyond  # bounds are open on one side
        for gap, band in (
            (step["gap"] + over, step["toward"]),
            (step["gap"] - beyond, step["band"]),
        ):
            moved = one.assign(**{step["feature"]: step["value"] + sign * gap})
            assert scores(moved, CUTS)[step["score"]].iloc[0] == band


def test_only_steps_that_change_the_segment_are_boundary_cases(rows: Rows) -> None:
    frame = rows(
        {"monetary": 4900.0}, {"monetary": 990.0}, {"monetary": 5100.0}, {"monetary": 4000.0},
        {"frequency": 10, "monetary": 3000.0},
    )  # fmt: skip

    def place(features: pd.DataFrame) -> pd.DataFrame:
        marks = scores(features, CUTS)  # only high money matters to these rules
        segment = np.where(marks["monetary"] == "high", "best", "rest")
        return pd.DataFrame({"customer_id": marks["customer_id"], "segment": segment})

    found = boundary_cases(frame, place(frame), CUTS, place, 0.05)
    assert found[["customer_id", "score", "other_segment"]].to_numpy().tolist() == [
        ["C0000", "monetary", "best"], ["C0002", "monetary", "rest"],
    ]  # fmt: skip
    none = boundary_cases(frame, place(frame), CUTS, place, 0.0)
    assert none.empty
    shuffled = frame.iloc[::-1].reset_index(drop=True)
    again = boundary_cases(shuffled, place(shuffled), CUTS, place, 0.05)
    pd.testing.assert_frame_equal(found, again)
