"""The health warning: who is warned, and whether the firm's own record tells the truth."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from analysis import wording
from analysis.calendars import Period
from analysis.engine import conform
from analysis.features import build
from analysis.segmentation import hits_and_misses, warned, warning_record, warnings
from analysis.segmentation.warning import judged
from analysis.settings_model import HealthWarning, Segmentation
from analysis.tables import RECORD
from analysis.wording.told import told

HEALTH = HealthWarning()
ENDS = pd.to_datetime(["2024-12-31", "2025-03-31", "2025-06-30", "2025-09-30"])


@pytest.mark.requirement("000-02")
def test_who_is_warned_of(rows) -> None:
    features = rows(
        {"recency_cycles": 1.2},
        {"recency_cycles": 1.21},
        {"recency_cycles": 1.21, "intervals": 0},
        {"recency_cycles": 2.5},
        {"recency_cycles": 2.51},
        {"recency_cycles": float("nan")},
        {"recency_cycles": 0.5},
        {"recency_cycles": 2.0},
        {"recency_cycles": 3.0},
        {"recency_cycles": 0.5},
    )
    features["activity_change"] = [np.nan] * 6 + [-0.30, -0.9, -0.9, -0.29]
    assert warned(features, HEALTH).fillna("lost").to_list() == [
        "none",
        "cycle_exceeded",
        "none",
        "cycle_exceeded",
        "lost",
        "lost",
        "activity_down",
        "both",
        "lost",
        "none",
    ]
    stricter = HEALTH.model_copy(update={"drop": 0.2, "cycles": 1.5, "lost_cycles": 2.0})
    assert warned(features, stricter).fillna("lost").to_list()[1] == "none"
    assert warned(features, stricter).fillna("lost").to_list()[9] == "activity_down"
    bare = features.drop(columns="activity_change")
    assert set(warned(bare, HEALTH).dropna()) == {"none", "cycle_exceeded"}


def test_who_has_a_contract_is_lost_at_its_end_and_not_by_silence(rows) -> None:
    then = rows(*[{"recency_cycles": 0.9, "recency_days": 330.0}] * 5)
    then["days_to_renewal"] = [30.0, 30.0, 200.0, -5.0, np.nan]
    then["activity_change"] = [-0.5, 0.0, 0.0, 0.0, 0.0]
    then.loc[1, "recency_cycles"] = 2.4  # silent, as everybody with a contract of two years
    assert warned(then, HEALTH).fillna("lost").to_list() == [
        "activity_down", "none", "none", "lost", "none",
    ]  # fmt: skip
    later = then.assign(days_to_renewal=[-60.0, 305.0, 110.0, -95.0, np.nan])
    record = warning_record({"2025Q1": then}, {"2025Q1": later}, HEALTH)
    pooled = record[record["period"] == "all"].set_index("rule")
    # one ended and was not followed, one was renewed, the third does not end within the horizon
    assert (pooled.loc["activity_down", "customers"], pooled.loc["activity_down", "lost"]) == (1, 1)
    assert pooled.loc["activity_down", "lead_days"] == 31
    quiet = judged(then, later, HEALTH).set_index("customer_id")["lost"]
    assert not quiet["C0001"] and "C0002" not in quiet


def history(
    rng: np.random.Generator,
    rates: tuple[float, float],
    customers: int,
    settings: HealthWarning,
    stubborn: float = 0.0,
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """Past ends, and what followed, with the planted share lost of the warned and the others.

    A `stubborn` share of the customers behaves the same way at every end.
    """
    past, later = {}, {}
    own, sticks = rng.random(customers), rng.random(customers) < stubborn
    for end in ENDS:
        down = rng.random(customers) < 0.4
        chance = np.where(down, *rates)
        lost = np.where(sticks, own, rng.random(customers)) < chance
        last = end - pd.Timedelta(days=50)
        past[str(end.date())] = pd.DataFrame(
            {
                "customer_id": [f"C{i:05d}" for i in range(customers)],
                "as_of": end,
                "recency_days": 50.0,
                "expected_interval_days": 50.0,
                "recency_cycles": 1.0,
                "intervals": 3,
                "last_order_on": last,
                "activity_change": np.where(down, -0.5, 0.1),
            }
        )
        after = np.where(lost, last, end + pd.Timedelta(days=settings.horizon_days // 2))
        later[str(end.date())] = past[str(end.date())].assign(last_order_on=pd.to_datetime(after))
    return past, later


@pytest.mark.requirement("000-02")
def test_a_planted_rate_of_loss_is_found() -> None:
    past, later = history(np.random.default_rng(7), (0.65, 0.10), 400, HEALTH)
    record = warning_record(past, later, HEALTH).set_index(["rule", "period"])
    pooled = record.loc[("activity_down", "all")]
    assert pooled["low"] < 0.65 < pooled["high"]
    assert pooled["high"] - pooled["low"] < 0.10
    assert pooled["lift"] == pytest.approx(0.65 / (0.4 * 0.65 + 0.6 * 0.10), abs=0.25)
    quiet = record.loc[("none", "all")]
    assert quiet["low"] < 0.10 < quiet["high"]
    assert pooled["lead_days"] == 126 - 50
    conform(record.reset_index(), RECORD["warning_record"])
    told_again = hits_and_misses(record.reset_index()).set_index("period")
    assert (told_again.drop("all").sum() == told_again.loc["all"]).all()
    assert told_again.loc["all", "judged"] == 4 * 400
    assert told_again.loc["all", "hits"] == pooled["lost"]
    assert told_again.loc["all", "misses"] == quiet["lost"]


@pytest.mark.requirement("000-02")
@pytest.mark.parametrize("horizon", [60, 90, 120])
def test_the_horizon_is_a_parameter(horizon: int) -> None:
    settings = HEALTH.model_copy(update={"horizon_days": horizon})
    past, later = history(np.random.default_rng(1), (0.65, 0.10), 60, settings)
    record = warning_record(past, later, settings).set_index(["rule", "period"])
    # Lost counts from day 126 without an order on: 76 days after the end.
    assert ("any", "all") in record.index if horizon >= 76 else record.empty


@pytest.mark.slow
@pytest.mark.parametrize("stubborn", [0.0, 0.5, 1.0])
def test_the_interval_is_not_too_narrow(stubborn: float) -> None:
    covered = []
    for seed in range(150):
        past, later = history(np.random.default_rng(seed), (0.65, 0.1), 60, HEALTH, stubborn)
        record = warning_record(past, later, HEALTH).set_index(["rule", "period"])
        row = record.loc[("activity_down", "all")]
        covered.append(row["low"] <= 0.65 <= row["high"])
    assert np.mean(covered) > 0.91


def test_too_few_cannot_tell() -> None:
    past, later = history(np.random.default_rng(3), (0.65, 0.10), 10, HEALTH)
    record = warning_record(past, later, HEALTH).set_index(["rule", "period"])
    first = record.loc[("any", "2024-12-31")]
    assert first["customers"] < HEALTH.min_customers
    assert first[["rate", "low", "high", "lift"]].isna().all()
    assert record.loc[("both", "all"), "customers"] == 0


def test_without_activity_the_record_says_so() -> None:
    past, later = history(np.random.default_rng(3), (0.65, 0.10), 50, HEALTH)
    bare = {name: frame.drop(columns="activity_change") for name, frame in past.items()}
    record = warning_record(bare, later, HEALTH).set_index(["rule", "period"])
    assert record.loc[("activity_down", "all"), "customers"] == 0
    assert np.isnan(record.loc[("activity_down", "all"), "rate"])
    assert record.loc[("none", "all"), "customers"] == 200


def test_no_past_gives_a_valid_empty_record(rows) -> None:
    record = warning_record({}, {}, HEALTH)
    conform(record, RECORD["warning_record"])
    assert hits_and_misses(record).empty
    found = warnings(rows({"recency_cycles": 1.5}), record, HEALTH)
    assert list(found["rule"]) == ["cycle_exceeded"]
    assert found["chance"].isna().all()
    conform(found, RECORD["warnings"])


@pytest.mark.parametrize("lang", wording.LANGUAGES)
def test_a_warning_brings_the_share_of_its_own_kind(rows, lang: wording.Language) -> None:
    past, later = history(np.random.default_rng(7), (0.65, 0.10), 400, HEALTH)
    record = warning_record(past, later, HEALTH)
    now = rows(
        {"recency_cycles": 0.5, "monetary": 5.0},
        {"recency_cycles": 1.5, "monetary": 9.0},
        {"recency_cycles": 1.5, "monetary": 7.0},
        {"recency_cycles": 0.5},
    )
    now["activity_change"] = [-0.4, -0.4, 0.0, 0.0]
    found = warnings(now, record, HEALTH)
    assert list(found["rule"]) == ["both", "cycle_exceeded", "activity_down"]
    pooled = record[(record["period"] == "all")].set_index("rule")
    assert found["chance"].iloc[2] == pooled.loc["activity_down", "rate"]
    assert found["chance"].iloc[:2].isna().all()
    for reason in found["reason"]:
        assert "{" not in told(reason, lang, "CNY")
    conform(found, RECORD["warnings"])


def ordered(days: Mapping[str, list[date]]) -> pa.Table:
    rows = [(name, on, f"{name}-{on}") for name, dates in days.items() for on in dates]
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "order_id"])
    frame = frame.assign(line_id="1", amount=100.0, ordered_at=pd.to_datetime(frame["ordered_at"]))
    return conform(frame, RECORD["orders"])


def test_from_orders_to_the_day_of_loss_without_peeking() -> None:
    end = date(2025, 3, 31)
    regular = [end - timedelta(days=30 * k) for k in range(8, 0, -1)]
    orders = ordered(
        {
            "silent": [day - timedelta(days=20) for day in regular],
            "returns": [*(day - timedelta(days=20) for day in regular), end + timedelta(days=90)],
            "too late": [*(day - timedelta(days=20) for day in regular), end + timedelta(days=91)],
        }
    )
    customers = pd.DataFrame({"customer_id": ["silent", "returns", "too late"]})
    period = Period.parse("2025Q1")
    few = Segmentation.model_validate({"recency": {"cycle_customers": 1}})
    past, later = (
        build(orders, customers, as_of=day, period=period, settings=few)
        for day in (end, end + timedelta(days=90))
    )
    settings = HEALTH.model_copy(update={"min_customers": 1})
    record = warning_record({"2025Q1": past}, {"2025Q1": later}, settings)
    row = record.set_index(["rule", "period"]).loc[("any", "2025Q1")]
    assert (row["customers"], row["lost"]) == (3, 2)
    # Own cycle 30 days, silent for 50 at the end: lost on the day after 2.5 cycles.
    assert row["lead_days"] == 26
