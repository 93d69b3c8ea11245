"""Who changed hands is said beside who moved."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.exhibits import movement
from analysis.tables import RECORD

from . import sample

CHANGES = pd.DataFrame(
    [
        ("C1", "2025-07-04", "owner_id", "P1", "P2"),
        ("C1", "2025-09-30", "owner_id", "P2", "P3"),  # the same customer once more
        ("C2", "2025-08-01", "owner_id", "P1", "P2"),
        ("C3", "2025-06-30", "owner_id", "P1", "P2"),  # before the period
        ("C4", "2025-08-01", "owner_id", None, "P2"),  # had nobody
        ("C5", "2025-08-01", "own_tier", "A", "B"),
    ],
    columns=RECORD["customer_changes"].names,
)


@pytest.mark.parametrize(
    ("lang", "line"), [("zh", "有 2 家换了负责人"), ("en", "2 customers changed hands")]
)
def test_customers_who_changed_hands_are_counted(lang: str, line: str) -> None:
    tables = sample.tables()
    for frames, there in ((tables, False), ({**tables, "customer_changes": CHANGES}, True)):
        shown = movement.what_follows(sample.book(lang, frames))
        assert shown is not None
        assert (line in shown.plain) == there
