"""The estimators against published numbers, another implementation and known truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from bench.published import variance_ratio
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.effects import design
from analysis.effects.estimators import contrast, welch
from analysis.stats import steady


def experiment(rng, n, effect, rho=0.8, share=0.3):
    """Lognormal revenue before and after, correlated, with an additive effect."""
    spread = math.sqrt(math.log(1 + 0.6**2))
    common = rng.normal(size=n)
    own = rng.normal(size=(2, n))
    before, after = np.exp(
        spread * (math.sqrt(rho) * common + math.sqrt(1 - rho) * own) - spread**2 / 2
    )
    held = rng.permutation(n) < round(share * n)
    return before, after + effect * ~held, held


def test_welch_agrees_with_scipy():
    rng = np.random.default_rng(1)
    first, second = rng.normal(1, 2, 40), rng.normal(0, 1, 90)
    found = contrast(first, second)
    reference = stats.ttest_ind(first, second, equal_var=False)
    interval = reference.confidence_interval(0.95)
    assert found.method == "difference_in_means"
    assert found.p_value == pytest.approx(reference.pvalue, rel=1e-7)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-9)


def test_adjusted_estimate_is_the_interacted_regression_with_hc2():
    rng = np.random.default_rng(2)
    before, after, held = experiment(rng, 150, 0.3)
    found = contrast(after[~held], after[held], before[~held], before[held])
    centred, treated = before - before.mean(), (~held).astype(float)
    design_matrix = np.column_stack([np.ones(150), treated, centred, treated * centred])
    fit = sm.OLS(after, design_matrix).fit(cov_type="HC2")
    assert found.method == "regression_adjusted"
    assert found.estimate == pytest.approx(fit.params[1], abs=1e-9)
    assert found.std_error == pytest.approx(fit.bse[1], abs=1e-9)


def test_adjustment_reduces_the_error_as_the_correlation_says():
    """The published ratio of variances is 1 − ρ²: .51 for ρ = .7."""
    assert variance_ratio() == pytest.approx(0.51, abs=0.01)


@pytest.mark.requirement("003-07")
def test_intervals_cover_the_truth():
    rng = np.random.default_rng(4)
    runs, covered = 400, 0
    for _ in range(runs):
        before, after, held = experiment(rng, 200, 0.25)
        found = contrast(after[~held], after[held], before[~held], before[held])
        covered += found.low <= 0.25 <= found.high
    # two standard errors of a coverage of .95 in 400 runs are .022
    assert 0.92 <= covered / runs <= 0.98


def test_no_effect_rarely_looks_like_one():
    rng = np.random.default_rng(5)
    runs, above, below = 400, 0, 0
    for _ in range(runs):
        before, after, held = experiment(rng, 200, 0.0)
        found = contrast(after[~held], after[held], before[~held], before[held])
        above += found.low > 0
        below += found.high < 0
    assert above <= 20  # 2.5 % of 400 are 10; 20 is three standard errors above
    assert below <= 20


def test_few_customers_get_a_permutation_p():
    rng = np.random.default_rng(6)
    first, second = rng.lognormal(0, 1.5, 30), rng.lognormal(0, 1.5, 100)
    plain = contrast(first, second).p_value
    permuted = contrast(first, second, rng=np.random.default_rng(0)).p_value
    again = contrast(first, second, rng=np.random.default_rng(0)).p_value
    reference = stats.permutation_test(
        (first, second),
        lambda a, b: abs(stats.ttest_ind(a, b, equal_var=False).statistic),
        n_resamples=2000,
        alternative="greater",
        vectorized=False,
        rng=1,
    ).pvalue
    assert permuted == again
    assert permuted != plain
    assert permuted == pytest.approx(reference, abs=0.04)


def test_permutation_p_is_fair_without_an_effect():
    rng = np.random.default_rng(7)
    p_values = []
    for run in range(150):
        x, y = rng.lognormal(0, 1, (2, 60))
        p_values.append(
            contrast(y[:20], y[20:], x[:20], x[20:], rng=np.random.default_rng(run)).p_value
        )
    assert np.mean(np.array(p_values) < 0.05) <= 0.10
    assert 0.4 < np.mean(p_values) < 0.6


def test_outcomes_without_spread_do_not_divide_by_zero():
    zero, one = np.zeros(5), np.ones(5)
    assert welch(zero, zero) == 1.0
    same = contrast(zero, zero)
    assert (same.estimate, same.low, same.high, same.p_value) == (0, 0, 0, 1)
    assert contrast(one, zero).p_value == 0.0
    assert contrast(one, zero, zero, zero).method == "difference_in_means"
    # one customer alone fixes the line of its arm
    before = np.array([0.0, 0, 0, 0, 9])
    lone = contrast(np.array([1.0, 2, 3, 4, 50]), np.arange(5.0), before, np.arange(5.0))
    assert math.isfinite(lone.std_error)


def test_power_of_shares_as_published():
    """R's help of power.prop.test: p1 = .50, p2 = .75, power = .90 needs n = 76.7."""
    assert design.customers_for_shares(0.5, 0.75, power=0.9) == pytest.approx(76.7, abs=0.05)
    # further published cases of the same function, rounded up
    assert math.ceil(design.customers_for_shares(0.65, 0.55)) == 376
    assert math.ceil(design.customers_for_shares(0.65, 0.50)) == 170
    assert design.customers_for_shares(0.10, 0.15) == pytest.approx(681, abs=5)
    assert design.customers_for_shares(0.5, 0.5) == math.inf


def test_power_of_means_is_reached():
    n = math.ceil(design.customers_for_means(0.5, 1, 1, power=0.8))
    assert n == 63  # the normal approximation; power.t.test says 63.8
    assert design.detectable(n, n, 1.0) == pytest.approx(0.5, abs=0.01)
    rng = np.random.default_rng(8)
    shown = [contrast(rng.normal(0.5, 1, n), rng.normal(0, 1, n)).low > 0 for _ in range(400)]
    assert np.mean(shown) == pytest.approx(0.8, abs=0.06)
    assert math.isnan(design.detectable(1, 50, 1.0))


def test_sample_ratio():
    assert design.sample_ratio_p([70, 30], [0.7, 0.3]) == 1.0
    assert design.sample_ratio_p([800, 200], [0.7, 0.3]) < 1e-6
    assert math.isnan(design.sample_ratio_p([0, 0], [0.5, 0.5]))


def test_a_result_does_not_hang_on_the_order_of_the_sum():
    rng = np.random.default_rng(4)
    before, after, held = experiment(rng, 900, 0.3)
    arms = [values * 1e6 for values in (after[~held], after[held], before[~held], before[held])]
    found = contrast(*arms)
    for seed in range(5):
        first, second = (np.random.default_rng(seed).permutation((~k).sum()) for k in (held, ~held))
        other = contrast(arms[0][first], arms[1][second], arms[2][first], arms[3][second])
        assert other == found


@given(value=st.floats(-1e12, 1e12), scale=st.floats(1e-6, 1e12))
def test_what_is_cut_off_is_small(value, scale):
    cut = steady(value, scale)
    assert abs(cut - value) <= 1e-9 * max(scale, abs(value) * 1e-6)
    assert steady(cut, scale) == cut
    assert math.copysign(1, cut) == 1 or cut < 0
