"""The loop, proven on few seeds: `make bench-loop` prints the figures of many."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from bench import loop

from analysis.calendars import Period
from analysis.demo import blocks, plans, truth
from analysis.demo.kinds import AS_OF, rng
from analysis.demo.world import anyway, live, simulate

SEEDS = range(1, 5)


@pytest.fixture(scope="module")
def lived() -> loop.Run:
    return loop.several(SEEDS)


@pytest.fixture(scope="module")
def figures(lived: loop.Run) -> Mapping[str, loop.Figure]:
    return {line.what: line for line in loop.figures(lived)}


@pytest.mark.slow
@pytest.mark.requirement("000-24", "001-24")
def test_the_planted_effects_lie_in_their_intervals(figures):
    covered = figures["planted effect inside its interval"]
    assert covered.n >= 20
    assert (
        covered.low < 0.95 and covered.high >= 0.93
    )  # the bench holds the share itself, over many seeds


@pytest.mark.slow
def test_what_is_promised_comes(figures):
    assert 0.7 <= figures["claimed / realised"].value <= 1.3


@pytest.mark.slow
def test_ours_beats_the_habit_and_the_ranking(figures):
    """With the same budget, which the ranking spends to the end.

    Held to what ours spends it is nearly the best plan there is, as the one measure that pays is
    that of the largest customers; what ours lacks then is the price of what it learns.
    """
    assert figures["net value, ours / habit"].low > 2
    assert figures["net value, ours / ranking_budget"].value > 1.03
    assert figures["net value, ours / ranking"].value > 0.85
    assert figures["net value, ours / oracle"].value > 0.85


@pytest.mark.slow
def test_money_moves_to_what_works(lived, figures):
    before = figures["money on what pays, habit 2025Q4"].high
    for quarter in loop.QUARTERS:
        assert figures[f"money on what pays, ours {quarter.name}"].value > before + 0.1
    visits = lived.plans[lived.plans["strategy"] == "executive_visit"]
    assert set(visits.loc[visits["rule"] == loop.OURS, "seed"]) == set(SEEDS)


def test_what_a_plan_brings_is_what_the_company_lives_through():
    """The truth of a plan without living it, beside a company that did."""
    (block,) = blocks.blocks(150, 5)
    lives = anyway(block, rng(5, "products"))
    world = live(lives, AS_OF, {})
    firm = loop.Firm(world, loop._config(), *loop._rules(), 1e9)
    quarter = loop.QUARTERS[0]
    plan = loop.ranking(firm).plan
    given = {quarter.name: plans.checked(plan, quarter, 150, 0, "plan")}
    came = truth.effects(live(lives, quarter.end, given))
    came = came[(came["period"] == quarter.name) & (came["arm"] == "treated")]
    brings = firm.brings[firm.brings["period"] == quarter.name]
    both = came.merge(brings, on=loop.KEYS, validate="1:1")
    assert len(both) == len(plan)
    assert both["adds"].tolist() == both["effect"].tolist()
    assert both["adds"].sum() > 0


def test_the_same_lives_under_a_plan_are_the_company_itself():
    plan = pd.DataFrame({"customer_id": ["KH000001"], "strategy": ["welcome"]})
    quarter = Period.parse("2025Q4")
    given = {quarter.name: plans.checked(plan, quarter, 80, 0, "plan")}
    (block,) = blocks.blocks(80, 3)
    lives = anyway(block, rng(3, "products"))
    live(lives, AS_OF, {})  # one life leaves nothing behind for the next
    one, other = live(lives, quarter.end, given), simulate(80, 3, quarter.end, given)
    pd.testing.assert_frame_equal(one.sold, other.sold)
    pd.testing.assert_frame_equal(one.assigned, other.assigned)


def test_figures_of_a_run_that_is_known():
    intervals = pd.DataFrame({"truth": [1.0, 5.0], "low": [0.0, 0.0], "high": [2.0, 2.0]})
    rules = [loop.OURS, loop.SAME_MONEY, loop.WHOLE_BUDGET, loop.ORACLE, loop.HABIT]
    money = pd.DataFrame(
        [
            {"seed": seed, "rule": rule, "net": net, "claimed": 9.0, "realised": 10.0}
            for seed in (1, 2)
            for rule, net in zip(rules, (4.0, 2.0, 4.0, 5.0, 1.0), strict=True)
        ]
    )
    spent = pd.DataFrame(
        [
            {"seed": seed, "rule": rule, "period": q.name, "cost": cost, "net": net}
            for seed in (1, 2)
            for rule in rules
            for q in loop.QUARTERS
            for cost, net in ((3.0, 1.0), (1.0, -1.0))
        ]
    )
    found = {f.what: f.value for f in loop.figures(loop.Run(intervals, money, spent))}
    assert found["planted effect inside its interval"] == 0.5
    assert found["claimed / realised"] == pytest.approx(0.9)
    assert found["net value, ours / ranking"] == 2.0
    assert found["net value, ours / oracle"] == 0.8
    assert found["net value, ours / habit"] == 4.0
    assert found["money on what pays, ours 2026Q1"] == 0.75
    assert np.isfinite(list(found.values())).all()
