"""The measures: drawn at random in pairs, with effects that the raw files show."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from analysis.demo.subscription import measures, population, terms
from analysis.demo.subscription.kinds import QUARTERS
from analysis.demo.subscription.world import simulate

FILES = {"2025Q2": "动作_2025Q2.csv", "2025Q3": "上季动作.csv"}


@pytest.fixture(scope="session")
def effects(truth):
    return truth("effects")


@pytest.mark.parametrize("period", FILES)
def test_the_file_is_the_draw(raw, effects, period):
    rows = effects[effects["period"] == period].reset_index(drop=True)
    frame = raw(FILES[period])
    assert list(frame["客户编号"]) == list(rows["customer_id"])
    assert list(frame["分组"] == "已执行") == list(rows["arm"] == "treated")
    assert (frame["分组"] == "已执行").eq(frame["批次"] == "第一批").to_numpy().all()
    assert list(frame["是否完成"] == "是") == list(rows["done"])
    assert not frame["客户编号"].duplicated().any()
    assert set(frame["动作"]) == {"主动关怀", "上线陪跑", "增购活动"}
    waiting = rows.groupby(["strategy", "block"])["arm"].agg(lambda a: (a == "held_out").sum())
    size = rows.groupby(["strategy", "block"]).size()
    assert (waiting[size == 2] == 1).all()


def test_outcomes_are_what_the_measure_is_about(raw, effects):
    for period in FILES:
        frame = raw(f"动作结果_{period}.csv").reset_index(drop=True)
        own = {"主动关怀": "是否续费", "上线陪跑": "九十天内上线", "增购活动": "增购账号数"}
        for measure, header in own.items():
            assert (frame[header] != "").eq(frame["动作"] == measure).all()
        seen = frame["九十天内上线"].replace("", np.nan).dropna().astype(int)
        rows = effects[effects["period"] == period].reset_index(drop=True)
        truly = np.where(rows["done"], rows["if_treated"], rows["if_not"])[seen.index]
        assert (seen == truly).all()


def test_what_nobody_carried_out_did_nothing(effects):
    idle = effects[~effects["done"]]
    assert (idle["effect"] == 0).all()
    assert (idle["arr_effect"] == 0).all()
    assert (effects.loc[effects["arm"] == "held_out", "done"] == False).all()  # noqa: E712


def test_no_measure_harms(effects):
    assert (effects["effect_if_treated"] >= 0).all()
    care = effects[effects["strategy"] == "proactive_care"]
    assert care["effect_if_treated"].mean() > 0.08
    assert set(care["effect_if_treated"]) == {0, 1}


@pytest.mark.slow
def test_care_shows_in_the_files(raw):
    """Over several seeds the difference between the arms is the planted one."""
    gaps, planted = [], []
    for seed in range(6):
        world = simulate(800, seed)
        rows = world.assigned[world.assigned["strategy"] == "proactive_care"]
        value = np.where(rows["done"], rows["if_treated"], rows["if_not"])
        treated = (rows["arm"] == "treated").to_numpy()
        gaps.append(value[treated].mean() - value[~treated].mean())
        planted.append(rows["effect"].to_numpy()[treated].mean())
    error = np.std(gaps, ddof=1) / math.sqrt(len(gaps))
    assert abs(np.mean(gaps) - np.mean(planted)) < 3 * error
    assert np.mean(gaps) > 0.06


def test_worlds_that_differ_in_a_measure_differ_by_it_alone():
    folk = population.build(400, np.random.default_rng(1))
    chance = terms.luck(400, np.random.default_rng(2))
    quarter = QUARTERS[1]
    nobody = np.full(400, np.nan)
    everybody = np.full(400, float(quarter.first + 5))
    before, _ = terms.live(folk, chance)
    after, _ = terms.live(folk, chance, [terms.Push(quarter, everybody, nobody, nobody)])
    key = ["customer", "number"]
    both = before.merge(after, on=key, suffixes=("", "_cared"))
    due = both["end"].between(quarter.first, quarter.last)
    assert (both["lost"] == both["lost_cared"])[~due & (both["start"] < quarter.first)].all()
    saved = both[due & both["lost"] & ~both["lost_cared"]]
    assert len(saved) > 0
    assert (saved["saved_on_cared"] == quarter.first + 5).all()
    assert not (both["lost_cared"] & ~both["lost"])[due].any()
    # the contract that care saved is signed after care began
    follows = after.merge(
        saved.assign(number=saved["number"] + 1)[key], on=key, validate="one_to_one"
    )
    assert (follows["signed"] >= quarter.first + 5).all()
    assert len(follows) == len(saved)


def test_tasks_belong_to_treated_customers(raw, effects):
    for period in FILES:
        tasks = raw(f"任务_{period}.csv")
        rows = effects[(effects["period"] == period) & (effects["arm"] == "treated")]
        assert set(tasks["客户编号"]) == set(rows["customer_id"])
        assert (tasks["完成日期"] != "").eq(tasks["状态"] == "已完成").all()
        assert 0.6 < (tasks["状态"] == "已完成").mean() < 0.97
        assert pd.to_datetime(tasks["完成日期"]).max() <= pd.Period(period, "Q").end_time
    assert measures.PAIR == 2
