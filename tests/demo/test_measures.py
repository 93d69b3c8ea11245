"""The measures: drawn at random, with effects that the raw files show."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from analysis import demo

QUARTER = (pd.Timestamp("2025-07-01"), pd.Timestamp("2025-09-30"))


@pytest.fixture(scope="session")
def treatments(raw, orders):
    frame = raw("上季动作.csv")
    inside = orders[orders["day"].between(*QUARTER)]
    revenue = inside.groupby("customer")["fen"].sum() / 100
    frame["revenue"] = frame["客户编号"].map(revenue).fillna(0.0)
    frame["treated"] = frame["分组"] == "已执行"
    return frame


@pytest.fixture(scope="session")
def truth(company):
    return _taken(company)


def _taken(company):
    """The truth of last quarter's measures, one row for one row of the export."""
    found = pd.read_parquet(company / "truth" / "effects.parquet")
    return found[(found["period"] == "2025Q3") & found["arm"].notna()].reset_index(drop=True)


def difference(frame):
    """Difference in means with its standard error: what anybody can do with the two files."""
    one, other = frame.loc[frame["treated"], "revenue"], frame.loc[~frame["treated"], "revenue"]
    error = math.sqrt(one.var() / len(one) + other.var() / len(other))
    return one.mean() - other.mean(), error


@pytest.mark.parametrize(
    ("label", "strategy"),
    [
        ("高层互访", "executive_visit"),
        ("回归优惠", "win_back_offer"),
        ("新品试用", "product_trial"),
        ("定期补货", "scheduled_reorder"),
    ],
)
def test_the_planted_effect_is_recovered(treatments, truth, label, strategy):
    estimate, error = difference(treatments[treatments["动作"] == label])
    planted = truth[(truth["strategy"] == strategy) & (truth["arm"] == "treated")]["effect"].mean()
    assert abs(estimate - planted) < 1.96 * error


def test_the_visit_shows_and_the_offer_does_not_pay(treatments, truth):
    estimate, error = difference(treatments[treatments["动作"] == "高层互访"])
    assert estimate > 1.96 * error
    visited = truth[(truth["strategy"] == "executive_visit") & (truth["arm"] == "treated")]
    assert 0.22 < visited["effect"].mean() / visited["usual"].mean() < 0.34
    estimate, error = difference(treatments[treatments["动作"] == "回归优惠"])
    assert estimate + 1.96 * error < 3000 / 0.3  # what it would have to bring to pay
    assert (truth.loc[truth["strategy"] == "win_back_offer", "effect_if_treated"] == 0).all()


def test_onboarding_has_no_comparison(treatments):
    assert treatments.loc[treatments["动作"] == "新客陪跑", "treated"].all()


def test_shares_costs_and_days(treatments):
    sizes = treatments.groupby(["动作", "treated"]).size()
    # those drawn now, and those who were left waiting a quarter ago
    assert sizes["高层互访", True] == 133 + 22
    assert sizes["高层互访", False] == 67
    assert sizes["新品试用", True] == 70 + 24
    assert sizes["新品试用", False] == 70
    assert sizes["定期补货"].tolist() == [30, 30]
    assert 150 <= sizes["回归优惠"].sum() <= 240
    cost = treatments["费用(元)"].astype(int)
    assert (cost[~treatments["treated"]] == 0).all()
    assert set(cost[treatments["动作"] == "高层互访"]) == {0, 7500}
    start = pd.to_datetime(treatments["开始日期"], format="%Y.%m.%d")
    assert start.between("2025-07-07", "2025-07-20").all()
    done = treatments.loc[treatments["treated"], "是否完成"].value_counts(normalize=True)
    assert 0.01 < done["否"] < 0.15
    assert not treatments["客户编号"].duplicated().any()


def test_effects_of_untreated_and_undone_are_nil(treatments, truth):
    assert (truth.loc[~truth["done"], "effect"] == 0).all()
    assert not truth.loc[truth["arm"] == "held_out", "done"].any()
    both = truth.merge(treatments, left_on="customer_id", right_on="客户编号", validate="1:1")
    assert len(both) == len(treatments) == len(truth)
    assert (both["treated"] == (both["arm"] == "treated")).all()
    assert ((both["是否完成"] == "是") == both["done"]).all()


def test_those_who_wait_are_like_those_who_do_not(truth):
    drawn = truth[(truth["strategy"] != "onboarding") & (truth["block"] >= 0)]
    for _, rows in drawn.groupby("strategy"):
        treated = rows["arm"] == "treated"
        spread = rows["usual"].std()
        gap = rows.loc[treated, "usual"].mean() - rows.loc[~treated, "usual"].mean()
        assert abs(gap) < 0.25 * spread
        waiting = (~treated).groupby(rows["block"]).sum()
        assert waiting.max() == 1


@pytest.mark.slow
def test_the_estimate_is_unbiased_over_companies(tmp_path, read_raw):
    """The interval covers the truth about as often as it says."""
    covered = []
    for seed in range(12):
        folder = tmp_path / str(seed)
        demo.write(folder, customers=400, seed=seed)
        frame, truth = (
            _revenue(folder, read_raw),
            _taken(folder),
        )
        for label, strategy in (("高层互访", "executive_visit"), ("新品试用", "product_trial")):
            here = truth["strategy"] == strategy
            estimate, error = difference(frame[frame["动作"] == label])
            planted = truth[here & (truth["arm"] == "treated")]["effect"].mean()
            covered.append(abs(estimate - planted) < 2.2 * error)
    assert np.mean(covered) >= 0.8


def _revenue(folder, read_raw):
    frame = read_raw(folder / "上季动作.csv").reset_index(drop=True)
    dirt = pd.read_parquet(folder / "truth" / "dirt.parquet")
    name = "发货单_2024-2025.csv"
    clean = read_raw(folder / name).drop(index=dirt.loc[dirt["file"] == name, "row"])
    bridge = read_raw(folder / "客户档案_U8.csv")
    number = dict(zip(bridge["客户编码"], bridge["CRM客户编号"], strict=True))
    customer = clean["客户编码"].replace(number)
    day = pd.to_datetime(clean["发货日期"], format="%Y-%m-%d")
    money = clean["本币无税金额"].astype(float).where(day.between(*QUARTER), 0.0)
    frame["revenue"] = frame["客户编号"].map(money.groupby(customer).sum()).fillna(0.0)
    frame["treated"] = frame["分组"] == "已执行"
    return frame
