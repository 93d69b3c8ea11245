"""Without orders, or without anybody, every table is empty or small, and valid."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from analysis.calendars import Period
from analysis.engine import conform
from analysis.features import build
from analysis.personas import headline, profile
from analysis.segmentation import (
    accounts,
    as_before,
    crosswalk,
    estimate_cuts,
    movement_matrix,
    movements,
    rulebook,
    segment,
    summary,
)
from analysis.settings_model import Personas
from analysis.settings_segmentation import Segmentation
from analysis.tables import RECORD


@pytest.mark.parametrize("ids", [[], ["A", "B"]])
def test_a_base_without_orders(rfm5, ids: list[str]) -> None:
    settings = Segmentation()
    customers = pd.DataFrame({"customer_id": pd.Series(ids, dtype=object)})
    orders = RECORD["orders"].schema().empty_table()
    now = build(
        orders,
        customers,
        as_of=date(2025, 9, 30),
        period=Period.parse("2025Q3"),
        settings=settings,
    )
    cuts = estimate_cuts(now, settings)
    segments = segment(now, customers, rfm5, cuts, settings)
    before = as_before(segments)
    moved = movements(before, segments, now, now, rulebook(rfm5, customers, cuts, settings))
    personas = profile(segments, now, customers, Personas())
    made = {
        "features": now,
        "cuts": cuts,
        "segments": segments,
        "segments_before": before,
        "movements": moved,
        "movement_matrix": movement_matrix(moved),
        "segment_summary": summary(segments, before, now),
        "accounts": accounts(segments, moved, now, customers, None, 5),
        "crosswalk": crosswalk(segments, customers),
        "personas": personas,
    }
    for name, frame in made.items():
        conform(frame, RECORD[name])
    assert list(segments["segment"]) == ["new"] * len(ids)
    assert set(segments["rule"]) <= {"no_order"}
    assert made["accounts"].empty
    assert len(headline(personas)) == min(len(ids), 1)
