"""An approved plan becomes the measures of the next period."""

from __future__ import annotations

import pandas as pd

from analysis.effects import treatments_from_plan
from analysis.engine import conform
from analysis.tables import RECORD


def test_first_wave_against_later_wave() -> None:
    plan = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c"],
            "strategy": ["visit"] * 3,
            "wave": ["first", "later", "exempt"],
            "start": pd.to_datetime(["2025-10-09", "2026-01-05", "2025-10-09"]),
            "cost": [10.0, 0.0, 10.0],
        }
    )
    found = treatments_from_plan(plan)
    assert list(found["customer_id"]) == ["a", "b"]
    assert list(found["arm"]) == ["treated", "held_out"]
    assert set(found["started_on"]) == {pd.Timestamp("2025-10-09")}
    assert conform(found, RECORD["treatments"]).num_rows == 2


def test_no_plan_no_measures() -> None:
    assert treatments_from_plan(None).empty
