"""Sensitivity: published numbers, and the trap that all of this is about."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.effects.estimators import Contrast
from analysis.effects.sensitivity import e_value, e_value_of, placebo_outcome, robustness_value


def difference(estimate, low, high):
    return Contrast(estimate, 1.0, low, high, 0.5, "matched", 1.0, 1.0)


@pytest.mark.parametrize(
    ("ratio", "published"),
    [
        (3.9, 7.26),  # maternal feeding and infant death, VanderWeele and Ding (2017)
        (1.8, 3.00),
        (1.0, 1.0),
        (2.0, 2 + math.sqrt(2)),
        (1 / 3.9, 7.26),
    ],
)
def test_published_e_values(ratio, published):
    assert e_value(ratio) == pytest.approx(published, abs=5e-3)


@pytest.mark.parametrize("ratio", [0.0, -1.0, math.nan, math.inf])
def test_no_ratio_no_e_value(ratio):
    assert math.isnan(e_value(ratio))


def test_e_value_of_shares():
    # .05 of the comparison, .195 of the treated: a ratio of 3.9
    found = e_value_of(difference(0.145, 0.04, 0.25), share=0.05)
    assert found == pytest.approx((7.26, 3.00), abs=5e-3)
    falling = e_value_of(difference(-0.2, -0.3, -0.1), share=0.4)
    assert falling == pytest.approx((e_value(2.0), e_value(4 / 3)), abs=1e-9)


def test_e_value_of_standardised_means():
    found = e_value_of(difference(50.0, 20.0, 80.0), sd=100.0)
    assert found == pytest.approx((e_value(math.exp(0.455)), e_value(math.exp(0.182))), abs=1e-9)


def test_an_interval_with_zero_needs_nothing_to_explain_it():
    assert e_value_of(difference(50.0, -1.0, 101.0), sd=100.0).limit == 1.0
    assert e_value_of(difference(-0.1, -0.3, 0.1), share=0.4).limit == 1.0


def test_without_a_base_there_is_no_e_value():
    assert math.isnan(e_value_of(difference(0.1, 0.05, 0.15), share=0.0).estimate)
    assert math.isnan(e_value_of(difference(0.1, 0.05, 0.15), sd=0.0).estimate)
    assert math.isnan(e_value_of(difference(-0.5, -0.6, -0.4), share=0.4).estimate)
    for wrong in ({}, {"sd": 1.0, "share": 0.1}):
        with pytest.raises(ValueError, match="either"):
            e_value_of(difference(0.1, 0.05, 0.15), **wrong)


def test_published_robustness_values():
    """Darfur, Cinelli and Hazlett (2020): 13.9 % and, for the interval, 7.6 %."""
    assert robustness_value(4.18, 783) == pytest.approx(0.1385, abs=5e-4)
    assert robustness_value(-4.18, 783, level=0.95) == pytest.approx(0.076, abs=5e-4)
    assert robustness_value(1.5, 100, level=0.95) == 0.0
    assert robustness_value(0.0, 100) == 0.0
    assert math.isnan(robustness_value(math.nan, 100))
    assert math.isnan(robustness_value(2.0, 1))


@given(t=st.floats(0, 50), freedom=st.integers(2, 10_000))
def test_robustness_value_undoes_the_effect(t, freedom):
    """A share r of both is worth r²/(1 − r) of partial f²: the definition, solved."""
    found = robustness_value(t, freedom)
    assert 0 <= found <= 1
    if found < 0.999:
        assert found**2 / (1 - found) == pytest.approx(t**2 / freedom, rel=1e-5, abs=1e-8)


def test_a_placebo_outcome_betrays_a_hidden_choice():
    rng = np.random.default_rng(1)
    seen, hidden = rng.normal(size=(2, 600))
    frame = pd.DataFrame({"seen": seen, "before": seen + hidden + 0.5 * rng.normal(size=600)})
    by_seen = rng.random(600) < 1 / (1 + np.exp(1 - seen))
    by_hidden = rng.random(600) < 1 / (1 + np.exp(1 - hidden))
    fair = placebo_outcome(frame[by_seen], frame[~by_seen], ["seen", "before"], "before")
    unfair = placebo_outcome(frame[by_hidden], frame[~by_hidden], ["seen", "before"], "before")
    assert fair.low < 0 < fair.high
    assert unfair.low > 0.5
    assert placebo_outcome(frame.head(1), frame, ["seen"], "before") is None


@pytest.mark.requirement("003-07")
def test_customers_chosen_because_they_did_badly_improve_by_themselves():
    """No effect at all, the worst fifth chosen: they seem to have improved by about 31 %."""
    rng = np.random.default_rng(2)
    usual = rng.normal(10, 2, 200_000)
    before, after = usual + rng.normal(0, 2, (2, 200_000))
    chosen = before < np.quantile(before, 0.2)
    apparent = after[chosen].mean() / before[chosen].mean() - 1
    assert apparent == pytest.approx(0.31, abs=0.05)
    drawn = chosen & (rng.random(200_000) < 0.5)
    assert after[drawn].mean() == pytest.approx(after[chosen & ~drawn].mean(), abs=0.1)
