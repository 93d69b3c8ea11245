"""Decisions of people are applied last, by the day that counts, and show everywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.engine import conform
from analysis.segmentation import apply_overrides, segment_names
from analysis.tables import RECORD
from analysis.wording.told import told

AS_OF = date(2025, 9, 30)


def placed(**segments: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": list(segments),
            "scheme": "rfm5",
            "segment": list(segments.values()),
            "place": "exact",
            "rule": "near_high_high",
            "tag": "must_win_back",
            "reason": '{"args": {}, "key": "reason.no_order"}',
        }
    )


def decided(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Rows of customer, segment, first day, last day."""
    found = pd.DataFrame(
        [
            (customer, segment, "销售总监", "框架协议。", start, end, "o.csv", at)
            for at, (customer, segment, start, end) in enumerate(rows, start=2)
        ],
        columns=[
            "customer_id", "segment", "author", "reason", "decided_on", "expires_on", "file", "row",
        ],
    )  # fmt: skip
    return found.assign(
        decided_on=pd.to_datetime(found["decided_on"]),
        expires_on=pd.to_datetime(found["expires_on"]),
    )


@pytest.mark.requirement("003-06")
def test_a_decision_wins_over_every_rule() -> None:
    now, overrides = apply_overrides(
        placed(A="potential", B="new"),
        decided(("A", "high_value", "2025-09-01", "2026-03-31")),
        AS_OF,
    )
    a, b = now.to_dict("records")
    assert (a["segment"], a["system_segment"], a["place"], a["rule"], a["tag"]) == (
        "high_value", "potential", "override", "override", "",
    )  # fmt: skip
    assert (b["segment"], b["system_segment"], b["place"], b["tag"]) == (
        "new", "new", "exact", "must_win_back",
    )  # fmt: skip
    said = told(a["reason"], "zh", "CNY")
    assert said == (
        "由销售总监指定：框架协议。2025-09-01 起生效，到 2026-03-31 为止；按规则归入潜力客户。"
    )
    assert told(json.loads(a["reason"])["args"]["system_reason"], "en", "CNY")
    assert overrides["state"].tolist() == ["applied"]
    assert overrides["system_segment"].tolist() == ["potential"]
    conform(overrides, RECORD["overrides"])
    assert list(overrides.columns) == RECORD["overrides"].names
    assert [c for c in RECORD["segments"].names if c in now] == list(now.columns)


def test_every_state_by_the_day_that_counts() -> None:
    found = decided(
        ("A", "high_value", "2025-09-30", "2025-09-30"),  # both days inside
        ("B", "high_value", "2025-01-01", "2025-09-29"),
        ("C", "high_value", "2025-10-01", None),
        ("D", "potential", "2025-01-01", None),
        ("E", "high_value", "2025-01-01", None),
    )
    segments = placed(A="new", B="new", C="new", D="potential")
    now, overrides = apply_overrides(segments, found, AS_OF)
    states = dict(zip(overrides["customer_id"], overrides["state"], strict=True))
    assert states == {
        "A": "applied", "B": "expired", "C": "not_yet", "D": "agrees", "E": "unknown_customer",
    }  # fmt: skip
    assert now["segment"].tolist() == ["high_value", "new", "new", "potential"]
    assert now["place"].tolist() == ["override", "exact", "exact", "exact"]
    earlier, _ = apply_overrides(segments, found, date(2025, 9, 29))
    assert earlier["segment"].tolist() == ["new", "high_value", "new", "potential"]
    later, _ = apply_overrides(segments, found, date(2026, 1, 1))
    assert later["segment"].tolist() == ["new", "new", "high_value", "potential"]


def test_the_latest_that_holds_counts() -> None:
    found = decided(
        ("A", "high_value", "2025-01-01", None),
        ("A", "churn_risk", "2025-06-01", "2025-08-31"),
        ("A", "new", "2025-12-01", None),
    )
    for day, segment in (
        (date(2025, 3, 1), "high_value"),
        (date(2025, 7, 1), "churn_risk"),
        (date(2025, 9, 30), "high_value"),  # the later one has ended
        (date(2025, 12, 1), "new"),
    ):
        now, overrides = apply_overrides(placed(A="potential"), found, day)
        assert now["segment"].tolist() == [segment]
        assert len(overrides) == 1


def test_the_rules_own_place_stays_beside_a_held_one() -> None:
    held = placed(A="high_value").assign(system_segment="potential")
    now, overrides = apply_overrides(held, decided(("A", "new", "2025-01-01", None)), AS_OF)
    assert now[["segment", "system_segment"]].to_numpy().tolist() == [["new", "potential"]]
    assert overrides["system_segment"].tolist() == ["potential"]
    assert list(now.columns).count("system_segment") == 1


def test_nothing_decided_changes_nothing() -> None:
    segments = placed(A="new", B="potential")
    now, overrides = apply_overrides(segments, decided(), AS_OF)
    pd.testing.assert_frame_equal(now.drop(columns="system_segment"), segments)
    assert overrides.empty
    conform(overrides, RECORD["overrides"])
    none, _ = apply_overrides(placed(), decided(("A", "new", "2025-01-01", None)), AS_OF)
    assert none.empty


SEGMENTS = st.sampled_from(["high_value", "potential", "new"])
DAYS = st.dates(date(2025, 1, 1), date(2026, 12, 31))
ROWS = st.lists(
    st.tuples(st.sampled_from("ABCD"), SEGMENTS, DAYS, st.none() | DAYS), max_size=8,
    unique_by=lambda row: (row[0], row[2]),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, order=st.randoms())
def test_one_place_each_in_any_order_of_rows(rows: list[Any], order: Any) -> None:
    rows = [row for row in rows if row[3] is None or row[3] >= row[2]]
    segments = placed(A="new", B="potential", C="high_value")
    now, overrides = apply_overrides(segments, decided(*rows), AS_OF)
    assert now["customer_id"].tolist() == ["A", "B", "C"]
    assert now["system_segment"].tolist() == segments["segment"].tolist()
    assert overrides["customer_id"].is_unique
    assert set(overrides["customer_id"]) == {row[0] for row in rows}
    for customer, segment, place in zip(
        now["customer_id"], now["segment"], now["place"], strict=True
    ):
        hold = [
            r for r in rows if r[0] == customer and r[2] <= AS_OF and not (r[3] and r[3] < AS_OF)
        ]
        system = dict(zip(segments["customer_id"], segments["segment"], strict=True))[customer]
        expected = max(hold, key=lambda r: r[2])[1] if hold else system
        assert segment == expected
        assert (place == "override") == (segment != system)
    shuffled = list(rows)
    order.shuffle(shuffled)
    again, _ = apply_overrides(segments, decided(*shuffled), AS_OF)
    pd.testing.assert_frame_equal(now, again)


def test_names_of_segments() -> None:
    own = pd.DataFrame(
        {"segment": ["gold", "new"], "name_zh": ["金牌", None], "name_en": ["Gold", None]}
    )
    names = segment_names(["gold", "new"], own)
    # the scheme's own names first, then those of the catalogues
    assert names["gold"][:2] == ("金牌", "Gold")
    assert names["new"] == ("新客户", "New")
    many: Callable[..., Any] = segment_names
    assert many({"high_value": 3})["high_value"][:2] == ("高价值客户", "High-value")
