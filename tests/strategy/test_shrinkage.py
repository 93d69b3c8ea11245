"""Effects drawn in before they are planned with."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.settings_accounts import Accounts
from analysis.settings_measures import Strategy
from analysis.strategy.evidence import Evidence
from analysis.strategy.shrinkage import learnt, planned, worth

from .conftest import effect


def one(estimate, error, **more):
    low, high = estimate - 2 * error, estimate + 2 * error
    return Evidence(
        "A", estimate, low, high, "cannot_tell", "keep_testing", 40, error=error, **more
    )


def test_few_are_trusted_by_a_share():
    evidence = {"a": one(100.0, 10.0), "b": one(50.0, 10.0), "d": Evidence("D", 80.0)}
    found = planned(evidence, Strategy(trust=0.8), {"a": 1.0, "b": 1.0})
    assert (found["a"].planned, found["a"].planned_low) == (80.0, 64.0)
    assert math.isnan(found["d"].planned)  # no comparison, nothing to plan with
    assert not found["d"].negative
    assert planned({"a": one(-5.0, 1.0)}, Strategy(), {})["a"].negative


def test_effects_are_drawn_together_as_shares_of_what_customers_buy():
    # the same ten percent of large and of small accounts: nothing to draw in
    usual = {"large": 1e6, "middle": 1e5, "small": 1e4}
    evidence = {name: one(0.1 * money, 0.05 * money) for name, money in usual.items()}
    found = planned(evidence, Strategy(), usual)
    assert [found[name].planned for name in usual] == pytest.approx([1e5, 1e4, 1e3])
    # the best of three alike is drawn in; nothing is promised beyond what was measured
    uneven = {"a": one(30.0, 10.0), "b": one(10.0, 10.0), "c": one(-10.0, 10.0)}
    drawn = planned(uneven, Strategy(), dict.fromkeys(uneven, 1.0))
    assert 10 < drawn["a"].planned < 30
    assert drawn["b"].planned <= 10
    assert drawn["c"].planned == -10
    assert drawn["c"].negative
    for each in drawn.values():
        assert each.planned_low <= each.planned <= each.planned_high


def test_worth_by_the_customers_own_size():
    evidence = {"s": Evidence(planned=1_000.0, planned_low=-500.0, planned_high=2_500.0)}
    rows = pd.DataFrame({"strategy": ["s", "s", "s", "t"], "money": [100.0, 5e4, 1e5, 1e5]})
    found = worth(rows, evidence, Accounts(), 0.3, {"s": 5e4})
    assert found["worth"].tolist()[:3] == [30.0, 300.0, 300.0]  # its own margin at most
    assert found["low"].tolist()[:3] == [-150.0, -150.0, -150.0]
    assert found.loc[3].isna().all()
    sized = worth(rows, evidence, Accounts(scaling="proportional"), 0.3, {"s": 5e4})
    assert sized["worth"].tolist()[:3] == pytest.approx([0.6, 300.0, 600.0])
    grows = {"s": replace(evidence["s"], elasticity=0.5, money=5e4)}
    half = worth(rows, grows, Accounts(), 0.3, {"s": 9e9})
    assert half["worth"].tolist()[1:3] == pytest.approx([300.0, 450.0])
    free = worth(rows, evidence, Accounts(most_gain=None), 0.3, {"s": 5e4})
    assert free["worth"].tolist()[0] == pytest.approx(300.0)


def test_where_it_is_known_how_an_effect_grows_it_takes_the_place_of_the_segments():
    segments = pd.DataFrame({"customer_id": ["C1"], "segment": "potential"})
    features = pd.DataFrame({"customer_id": ["C1"], "monetary": [8e4]})
    effects = pd.DataFrame([effect("visit", value=900.0, std_error=300.0)])
    plays = SimpleNamespace(
        measures=lambda: [("potential", "m", SimpleNamespace(strategy="visit"))]
    )
    grows = pd.DataFrame(
        [{"strategy": "visit", "arm": "treated", "estimate": 1_500.0, "std_error": 200.0,
          "elasticity": 0.75, "mean_money": 1e4}]
    )  # fmt: skip
    own = Strategy(trust=0.8)
    plain = learnt(effects, None, segments, features, plays, own)["visit"]
    assert plain.planned == pytest.approx(720.0)
    assert math.isnan(plain.elasticity)
    known = learnt(effects, None, segments, features, plays, own, scaling=grows, windows=4.0)
    found = known["visit"]
    assert (found.planned, found.error) == (pytest.approx(1_200.0), 200.0)
    assert (found.elasticity, found.money, found.by_segment) == (0.75, 4e4, False)
    assert found.verdict == plain.verdict


@pytest.mark.slow
def test_what_is_claimed_comes_in():
    """Of 40 measures the ten best-looking are taken, in 400 worlds."""
    rng = np.random.default_rng(6)
    raw = drawn = real = inside = 0.0
    runs, n, top = 400, 40, 10
    usual = {f"m{i:02d}": 1.0 for i in range(n)}
    for _ in range(runs):
        errors = rng.uniform(5, 30, n)
        truth = rng.normal(5, 10, n)
        seen = truth + rng.normal(0, errors)
        evidence = {name: one(y, s) for name, y, s in zip(usual, seen, errors, strict=True)}
        found = list(planned(evidence, Strategy(), usual).values())
        mean = np.array([each.planned for each in found])
        best = np.argsort(-mean)[:top]
        drawn += mean[best].sum()
        real += truth[best].sum()
        raw += np.sort(seen)[-top:].sum()
        low = np.array([each.planned_low for each in found])
        high = np.array([each.planned_high for each in found])
        inside += ((low <= truth) & (truth <= high)).mean()
    assert 0.9 < drawn / real < 1.1
    assert raw / real > 1.8  # what the raw estimates would have claimed
    assert 0.93 < inside / runs < 0.97
