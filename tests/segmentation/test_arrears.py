"""Who owes, who is in arrears, and the list of those to collect from."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from analysis import wording
from analysis.calendars import Period
from analysis.engine import conform
from analysis.segmentation import accounts, arrears
from analysis.tables import RECORD

Q3 = Period.parse("2025Q3")


def receivables(*rows: tuple[str, str, str, Any, Any]) -> pa.Table:
    made = [
        {
            "customer_id": customer,
            "as_of": pd.Timestamp(day),
            "bucket": bucket,
            "amount": Decimal(str(amount)),
            "overdue": None if overdue is None else Decimal(str(overdue)),
        }
        for customer, day, bucket, amount, overdue in rows
    ]
    return pa.Table.from_pylist(made, schema=RECORD["receivables"].schema())


OPEN = receivables(
    ("A", "2025-06-30", "361+", 900, 900),
    ("A", "2025-09-30", "not_due", 100, 0),
    ("A", "2025-09-30", "91-180", "40.50", "40.50"),
    ("A", "2025-09-30", "1-30", 10, 10),
    ("B", "2025-09-30", "1-30", 70, 70),
    ("C", "2025-09-30", "361+", 500, 500),
    ("D", "2025-09-30", "61-90", 0, 0),
    ("E", "2025-09-30", "31-60", 80, 80),
)
SEGMENTS = pd.DataFrame(
    {
        "customer_id": list("ABCDE"),
        "segment": ["high_value", "high_value", "potential", "high_value", "high_value"],
        "tag": "",
        "r_score": "near",
        "m_score": "mid",
    }
)


def test_the_latest_snapshot_and_the_oldest_bucket() -> None:
    frame = arrears(OPEN, SEGMENTS, Q3)
    assert conform(frame, RECORD["arrears"]).num_rows == 5
    rows = frame.set_index("customer_id")
    assert rows.loc["A", ["balance", "overdue", "bucket", "days"]].tolist() == [
        150.5,
        50.5,
        "91-180",
        91,
    ]
    # B is late by less than a month, C is not of the best segment, D owes nothing
    assert rows["collect"].to_dict() == {"A": True, "B": False, "C": False, "D": False, "E": True}
    assert arrears(OPEN, SEGMENTS, Q3, arrears_days=0).set_index("customer_id")["collect"]["B"]


def test_without_a_snapshot_of_the_period_nobody_owes() -> None:
    assert arrears(OPEN, SEGMENTS, Period.parse("2025Q2"))["customer_id"].tolist() == ["A"]
    for nothing in (
        arrears(OPEN, SEGMENTS, Period.parse("2024Q1")),
        arrears(OPEN[:0], SEGMENTS, Q3),
    ):
        assert nothing.empty
        assert conform(nothing, RECORD["arrears"]).num_rows == 0


def test_unknown_overdue_lists_nobody() -> None:
    frame = arrears(receivables(("A", "2025-09-30", "1-30", 5, None)), SEGMENTS, Q3)
    assert frame[["balance", "overdue", "collect"]].to_numpy().tolist() == [[5, 0, False]]


@pytest.fixture
def listed() -> pd.DataFrame:
    features = pd.DataFrame(
        {
            "customer_id": list("ABCDE"),
            "monetary": [1000.0, 900, 800, 700, 0],
            "recency_days": 10.0,
            "recency_cycles": 0.5,
            "intervals": 3,
            "expected_interval_days": 20.0,
            "revenue_period": 1.0,
            "revenue_previous": 1.0,
        }
    )
    moves = pd.DataFrame(
        {
            "customer_id": list("ABCDE"),
            "segment_before": SEGMENTS["segment"],
            "direction": ["better", "same", "same", "same", "same"],
        }
    )
    customers = pd.DataFrame({"customer_id": list("ABCDE"), "name": list("甲乙丙丁戊")})
    owing = arrears(OPEN, SEGMENTS, Q3)
    return accounts(SEGMENTS, moves, features, customers, None, 8, arrears=owing)


def test_those_to_collect_from_stand_beside_their_other_list(listed: pd.DataFrame) -> None:
    mine = listed[listed["list"] == "collect"]
    assert list(zip(mine["customer_id"], mine["amount"], mine["rank"], strict=True)) == [
        ("E", 80.0, 1),  # bought nothing of late, and owes all the same
        ("A", 50.5, 2),
    ]
    assert listed.loc[listed["customer_id"] == "A", "list"].tolist() == ["grow", "collect"]
    assert conform(listed, RECORD["accounts"]).num_rows == len(listed)


def test_the_reason_says_how_old_the_oldest_is(listed: pd.DataFrame) -> None:
    reason = json.loads(listed.query("list == 'collect' and customer_id == 'A'")["reason"].iloc[0])
    assert reason["key"] == "account.collect"
    assert reason["args"]["days"] == {"unit": "days", "value": 91}
    assert reason["args"]["amount"] == {"unit": "money", "value": 50.5}
    for part in ("account", "account_list", "account_list_definition"):
        assert wording.has(f"{part}.collect")
