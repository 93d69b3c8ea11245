"""Light mode: customer, day, amount and an industry give segments, lists and cuts."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from analysis import cleaning, settings, sources
from analysis.cleaning import clean
from analysis.engine import conform, to_frame
from analysis.features import build
from analysis.personas import profile
from analysis.segmentation import (
    accounts,
    as_before,
    estimate_cuts,
    movement_matrix,
    movements,
    rulebook,
    segment,
    summary,
)
from analysis.tables import RECORD

ROOT = Path(__file__).parents[2]
END = date(2025, 9, 30)


def write_orders(path: Path, customers: int = 120, seed: int = 7) -> None:
    """Shops that order every few weeks; a fifth stopped in spring, a fifth has just begun."""
    draw = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        kind = number % 5
        cycle = float(draw.uniform(15, 60))
        day, last = date(2024, 1, 5) + timedelta(days=int(draw.uniform(0, 60))), END
        if kind == 0:
            last = date(2025, 4, 1)
        if kind == 1:
            day = date(2025, 9, 1)
        size = float(draw.lognormal(7, 1))
        while day <= last:
            rows.append((f"K{number:03d}", day.isoformat(), f"{size * draw.uniform(0.5, 2):.2f}"))
            day += timedelta(days=max(1, int(draw.normal(cycle, cycle / 5))))
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("客户编号", "下单日期", "金额"), *rows])


@pytest.mark.requirement("004-25")
def test_three_columns_give_segments_lists_and_cuts(tmp_path: Path, rfm5) -> None:
    (tmp_path / "data").mkdir()
    write_orders(tmp_path / "data" / "light.csv")
    config = settings.load("params/examples/light.yml", ROOT)
    options = config.settings.segmentation
    read = sources.read(config.settings, tmp_path)
    kept = clean(read.tables, config.settings, config.as_of, read.rejected).tables
    cleaning.require_orders(kept["orders"], config.period, config.as_of)
    customers = to_frame(kept["customers"])
    assert len(customers) == 120
    days = {"now": (config.as_of, config.period), "was": (config.previous.end, config.previous)}
    found = {
        name: build(
            kept["orders"], customers, kept["activities"], kept["tickets"],
            usage=kept["usage"], subscriptions=kept["subscriptions"],
            receivables=kept["receivables"], as_of=day, period=period, settings=options,
        )
        for name, (day, period) in days.items()
    }  # fmt: skip
    now, was = found["now"], found["was"]
    cuts = estimate_cuts(now, options)
    placed = segment(now, customers, rfm5, cuts, options)
    before = as_before(segment(was, customers, rfm5, cuts, options))
    moved = movements(before, placed, was, now, rulebook(rfm5, customers, cuts, options))
    listed = accounts(placed, moved, now, customers, None, 8, scheme=rfm5)
    made = {
        "features": now,
        "cuts": cuts,
        "segments": placed,
        "movements": moved,
        "movement_matrix": movement_matrix(moved, rfm5),
        "segment_summary": summary(placed, before, now, rfm5),
        "accounts": listed,
        "personas": profile(placed, now, customers, config.settings.personas),
    }
    for name, frame in made.items():
        conform(frame, RECORD[name])
    assert list(placed["customer_id"]) == sorted(now["customer_id"])
    assert len(cuts) == 7
    segments = placed.set_index("customer_id")["segment"]
    gone = [name for name in segments.index if int(name[1:]) % 5 == 0]
    assert set(segments[gone]) <= {"churn_risk", "low_frequency_essential"}
    assert (segments[gone] == "churn_risk").mean() > 0.8
    assert set(segments) >= {"high_value", "potential", "churn_risk", "new"}
    assert len(listed) and listed["name"].isna().all()


@pytest.mark.requirement("004-25")
def test_a_short_history_takes_the_templates_cycle(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    text = "客户编号,下单日期,金额\nA,2025-09-01,10\nB,2025-08-01,20\n"
    (tmp_path / "data" / "light.csv").write_text(text, encoding="utf-8")
    cycles = {}
    for template in ("wholesale_retail", "saas"):
        chosen = {"segmentation.industry_template": template}
        config = settings.load("params/examples/light.yml", ROOT, chosen)
        read = sources.read(config.settings, tmp_path)
        kept = clean(read.tables, config.settings, config.as_of, read.rejected).tables
        found = build(
            kept["orders"], to_frame(kept["customers"]), as_of=config.as_of,
            period=config.period, settings=config.settings.segmentation,
        )  # fmt: skip
        cycles[template] = set(found["expected_interval_days"])
    assert cycles == {"wholesale_retail": {30.0}, "saas": {365.0}}
