"""Estimates side by side: published numbers, numerical integration, known truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from bench.published import SCHOOL_ERRORS, SCHOOLS
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from statsmodels.stats.multitest import multipletests

from analysis.pooling import holm, pool, weighted_mean


def test_eight_schools_as_published():
    """BDA3 table 5.3 (uniform prior of τ): quartiles of each school, from 200 draws."""
    quartiles = [(7, 16), (3, 12), (2, 11), (4, 11), (1, 10), (2, 10), (7, 15), (3, 13)]
    found = pool(SCHOOLS, SCHOOL_ERRORS, level=0.5, prior_scale=50)
    # 200 draws know a quartile of a spread of 8 to ±0.8 (one standard error)
    assert found["low"].to_numpy() == pytest.approx([q[0] for q in quartiles], abs=1.6)
    assert found["high"].to_numpy() == pytest.approx([q[1] for q in quartiles], abs=1.6)


def test_against_numerical_integration():
    y, s, scale = np.array([3.0, -1.0, 4.0]), np.array([1.0, 2.0, 0.5]), 2.0

    def density(mu, tau):
        prior = stats.halfnorm.pdf(tau, scale=scale)
        return prior * np.prod(stats.norm.pdf(y, mu, np.sqrt(s**2 + tau**2)))

    def effect(mu, tau, j):
        drawn = s[j] ** 2 / (s[j] ** 2 + tau**2)
        return drawn * mu + (1 - drawn) * y[j]

    def over(f):
        return integrate.dblquad(f, 0, 9, -25, 30, epsabs=1e-7)[0]

    total = over(density)
    means = [over(lambda mu, tau, j=j: density(mu, tau) * effect(mu, tau, j)) for j in range(3)]
    found = pool(y, s, prior_scale=scale)["pooled"]
    assert found.to_numpy() == pytest.approx(np.array(means) / total, abs=2e-3)


def test_empty_where_there_is_nothing_to_draw_towards():
    assert pool([3.0], [1.0]).isna().all(axis=None)
    found = pool([3.0, np.nan, 1.0, 2.0], [1.0, 1.0, 0.0, 1.0])
    assert list(found["pooled"].notna()) == [True, False, False, True]
    assert np.isnan(weighted_mean([1.0], [0.0])).all()
    with pytest.raises(ValueError, match="one standard error"):
        pool([1.0, 2.0], [1.0])


def test_far_apart_and_alike():
    apart = pool([0.0, 100.0, 200.0, 300.0], [1.0] * 4)
    assert apart["pooled"].to_numpy() == pytest.approx([0, 100, 200, 300], abs=5)
    alike = pool([5.0] * 6, [1.0] * 6)
    assert alike["pooled"].to_numpy() == pytest.approx([5.0] * 6)
    assert (alike["high"] - alike["low"]).max() < 2 * 1.96  # together they know more than alone
    assert alike["chance"].min() > 0.99


CASES = st.lists(
    st.tuples(st.floats(-1e4, 1e4), st.floats(1.0, 1e3)), min_size=2, max_size=9, unique=True
)


@settings(max_examples=25, deadline=None)
@given(CASES, st.randoms())
def test_the_order_of_rows_means_nothing(cases, random):
    shuffled = cases.copy()
    random.shuffle(shuffled)
    first = pool(*zip(*cases, strict=True)).assign(case=cases).set_index("case")
    second = pool(*zip(*shuffled, strict=True)).assign(case=shuffled).set_index("case")
    pd.testing.assert_frame_equal(first.sort_index(), second.sort_index(), check_exact=True)


@settings(max_examples=25, deadline=None)
@given(CASES)
def test_drawn_towards_the_others_and_never_past_them(cases):
    y, s = (np.array(part) for part in zip(*cases, strict=True))
    found = pool(y, s)
    slack = 1e-6 * (np.abs(y).max() + s.max())
    assert (found["pooled"] >= y.min() - slack).all()
    assert (found["pooled"] <= y.max() + slack).all()
    assert (found["low"] <= found["pooled"]).all()
    assert (found["pooled"] <= found["high"]).all()
    moved = pool(y + 500.0, s)
    assert (moved["chance"] >= found["chance"] - 1e-9).all()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_between_the_plain_p_and_bonferroni(p):
    found = holm(p)
    assert found == pytest.approx(multipletests(p, method="holm")[1])
    assert (found >= np.array(p) - 1e-12).all()
    assert (found <= np.minimum(1, np.array(p) * len(p)) + 1e-12).all()
    order = np.argsort(p, kind="stable")
    assert (np.diff(found[order]) >= -1e-12).all()


def test_holm_by_hand():
    found = holm([0.01, np.nan, 0.04, 0.03])
    assert found == pytest.approx([0.03, np.nan, 0.06, 0.06], nan_ok=True)


@pytest.mark.slow
def test_intervals_cover_and_the_best_segment_is_no_longer_too_good():
    rng = np.random.default_rng(20)
    inside, claimed, real, promised = [], 0.0, 0.0, 0.0
    for draw in range(400):
        n = (4, 6, 8)[draw % 3]
        error = rng.uniform(0.5, 1.5, n)
        truth = rng.normal(1.0, (0.5, 1.0, 2.0)[draw // 3 % 3], n)
        seen = rng.normal(truth, error)
        found = pool(seen, error)
        inside.append((found["low"] < truth) & (truth < found["high"]))
        best = int(np.argmax(seen))
        claimed += seen[best]
        best = int(found["pooled"].to_numpy().argmax())
        promised, real = promised + found["pooled"].iloc[best], real + truth[best]
    coverage = np.concatenate(inside).mean()
    assert 0.93 <= coverage <= 0.97  # 2,400 intervals: ± 0.005
    assert promised / real == pytest.approx(1.0, abs=0.1)
    assert claimed / real > 1.15
