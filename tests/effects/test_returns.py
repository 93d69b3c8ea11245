"""An effect in money: linear bounds, Fieller's, and the chance that it pays."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.effects.estimators import Contrast, contrast
from analysis.effects.returns import break_even, chance_above, fieller, returns
from analysis.effects.tiers import returns_by_tier


def found(estimate, error, multiple=1.959963984540054):
    half = multiple * error
    return Contrast(
        estimate, error, estimate - half, estimate + half, 0.5, "difference_in_means", 1.0, 1.0
    )


def test_by_hand():
    # 84 customers, 6.8 each (2.1 to 11.5), margin 27.5 %, cost 0.75 each, in 10,000 yuan
    effect = found(6.8, 4.7 / 1.959963984540054)
    worth = returns(effect, 84, 0.75, 0.275, "money")
    assert worth.extra == pytest.approx(84 * 6.8 * 0.275)
    assert (worth.low, worth.high) == pytest.approx((84 * 2.1 * 0.275, 84 * 11.5 * 0.275))
    assert worth.rate == pytest.approx(6.8 * 0.275 / 0.75)
    assert worth.rate_low == pytest.approx(2.1 * 0.275 / 0.75)
    assert worth.line == pytest.approx(0.75 / 0.275)
    z = (6.8 - 0.75 / 0.275) / (4.7 / 1.959963984540054)
    assert worth.chance == pytest.approx(stats.norm.cdf(z), abs=1e-9)


def test_break_even():
    assert break_even(60.0, 0.3, "money") == pytest.approx(200.0)
    assert break_even(math.nan, 0.3, "money") == 0.0
    assert math.isinf(break_even(60.0, 0.0, "money"))
    assert math.isnan(break_even(60.0, 0.3, "share"))


def test_what_has_no_return_has_none():
    share = returns(found(0.05, 0.01), 100, 60.0, 0.3, "share")
    assert math.isnan(share.extra)
    assert math.isnan(share.rate)
    assert share.chance == pytest.approx(1.0, abs=1e-6)  # above 0
    free = returns(found(5.0, 1.0), 100, 0.0, 0.3, "money")
    assert free.extra == pytest.approx(150.0)
    assert math.isnan(free.rate)
    assert math.isnan(returns(None, 0, 1.0, 0.3, "money").chance)
    hopeless = returns(found(5.0, 1.0), 100, 1.0, 0.0, "money")
    assert hopeless.chance == 0.0
    assert hopeless.p_value == 0.0


def test_chance_and_interval_agree():
    """A lower bound on the line is a chance of 97.5 %, with few degrees of freedom as well."""
    rng = np.random.default_rng(3)
    for size in (3, 8, 40, 4000):
        effect = contrast(rng.normal(5, 2, size), rng.normal(3, 1, size))
        assert chance_above(effect, effect.low) == pytest.approx(0.975, abs=1e-6)
        assert chance_above(effect, effect.high) == pytest.approx(0.025, abs=1e-6)
        assert chance_above(effect, effect.estimate) == pytest.approx(0.5)


def test_fieller_against_its_definition():
    low, high = fieller(12.0, 4.0, 1.5, 0.4, 0.1, 1.96)
    for ratio in (low, high):
        error = math.sqrt(1.5**2 + ratio**2 * 0.4**2 - 2 * ratio * 0.1)
        assert abs(12.0 - ratio * 4.0) == pytest.approx(1.96 * error)
    assert all(math.isnan(bound) for bound in fieller(12.0, 0.5, 1.5, 0.4, 0.0, 1.96))
    # without an error below it is the linear interval
    assert fieller(12.0, 4.0, 1.5, 0.0, 0.0, 2.0) == pytest.approx((9 / 4, 15 / 4))


def test_ratio_of_totals_and_not_mean_of_ratios():
    """Two kinds of customers: what they bring over what they cost together is 2, not 4.2."""
    brought, cost = np.array([80.0, 120.0] * 50), np.array([10.0, 90.0] * 50)
    effect = contrast(brought / 0.5, np.zeros(100))
    worth = returns(effect, 100, float(cost.mean()), 0.5, "money")
    assert worth.rate == pytest.approx(brought.sum() / cost.sum())
    assert abs(worth.rate - (brought / cost).mean()) > 2


NUMBERS = st.floats(-1e4, 1e4)


@settings(max_examples=80, deadline=None)
@given(NUMBERS, st.floats(0.1, 1e3), st.floats(1.0, 1e3), st.floats(0.05, 0.9))
def test_monotone(estimate, error, cost, margin):
    base = returns(found(estimate, error), 50, cost, margin, "money")
    better = returns(found(estimate + 10, error), 50, cost, margin, "money")
    dearer = returns(found(estimate, error), 50, cost * 2, margin, "money")
    assert better.chance >= base.chance >= dearer.chance
    assert better.rate > base.rate
    assert base.low <= base.extra <= base.high
    assert (base.rate >= 1) == (base.extra >= cost * 50) or base.rate == pytest.approx(1)
    unsure = returns(found(estimate, error), 50, cost, margin, "money", cost_error=cost / 20)
    if not math.isnan(unsure.rate_low):
        assert unsure.rate_low <= base.rate <= unsure.rate_high


@pytest.mark.requirement("004-14")
def test_what_each_tier_cost_adds_up_to_the_whole():
    def row(segment, n, cost, extra=math.nan, unit="money", strategy="visit"):
        rate = extra / cost if cost else math.nan
        return {
            "strategy": strategy, "arm": "treated", "outcome": "revenue", "segment": segment,
            "unit": unit, "n_treated": n, "cost_total": cost, "extra_margin": extra,
            "return_rate": rate, "return_low": rate - 1, "return_high": rate + 1,
        }  # fmt: skip

    frame = pd.DataFrame(
        [
            row("all", 100, 1000.30, 3000.0),
            row("gold", 60, 600.20, 2400.0), row("base", 30, 300.05, 150.0),
            row("all", 50, 10.0, 20.0, strategy="mail"),
            row("gold", 50, 10.0, 20.0, strategy="mail"),
            row("all", 9, 5.0, unit="share", strategy="call"),
            row("gold", 9, 5.0, unit="share", strategy="call"),
        ]
    )  # fmt: skip
    found = returns_by_tier(frame)
    assert list(found["segment"]) == ["gold", "all", "gold", "base", "rest", "all"]
    visit = found[found["strategy"] == "visit"].set_index("segment")
    parts = visit.drop("all")
    assert parts["n_treated"].sum() == 100
    assert math.fsum(parts["cost_total"]) == pytest.approx(1000.30, abs=1e-9)
    assert visit.loc["gold", "return_rate"] == pytest.approx(2400 / 600.20)
    assert math.isnan(visit.loc["rest", "return_rate"])
    assert returns_by_tier(frame.iloc[:0]).empty


@pytest.mark.slow
@pytest.mark.requirement("004-14")
def test_returns_cover_the_truth():
    """95 % of the intervals of the return hold the true one, with known and with noisy cost."""
    rng = np.random.default_rng(8)
    runs, n, truth, price, margin = 2000, 150, 40.0, 10.0, 0.3
    known = noisy = 0
    for _ in range(runs):
        treated, control = rng.normal(300 + truth, 90, n), rng.normal(300, 90, n)
        effect = contrast(treated, control)
        real = returns(effect, n, price, margin, "money")
        known += real.rate_low <= margin * truth / price <= real.rate_high
        # dear customers also buy more: cost and outcome of the treated go together
        cost = price + 0.05 * (treated - 300 - truth) + rng.normal(0, 3, n)
        shared = float(np.cov(treated, cost)[0, 1]) / n
        error = float(cost.std(ddof=1)) / math.sqrt(n)
        real = returns(
            effect,
            n,
            float(cost.mean()),
            margin,
            "money",
            cost_error=error,
            covariance=shared,
        )
        noisy += real.rate_low <= margin * truth / price <= real.rate_high
    assert 0.935 <= known / runs <= 0.965
    assert 0.935 <= noisy / runs <= 0.965
