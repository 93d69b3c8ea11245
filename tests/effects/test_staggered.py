"""Staggered roll-outs: published numbers, known truth, and what must not matter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from bench import published
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.effects.staggered import placebo_date, staggered


def roll_out(rng, sizes, *, starts=(2.0, 3.0), periods=4, effect=0.0, groups=0, shock=0.0):
    """Customers with their own level, a common trend and a constant effect since the start."""
    cohort = np.repeat([*starts, np.nan], sizes)
    n = len(cohort)
    group = np.arange(n) // (n // groups if groups else 1)  # a group starts as one
    value = 2 * rng.normal(size=(n, 1)) + 0.3 * np.arange(periods) + rng.normal(size=(n, periods))
    value += effect * (np.arange(periods) >= np.nan_to_num(cohort, nan=np.inf)[:, None])
    if groups:
        value += shock * rng.normal(size=(groups, periods))[group]
    return pd.DataFrame(
        {
            "customer_id": np.repeat([f"c{at:04}" for at in range(n)], periods),
            "period": np.tile(np.arange(periods), n),
            "value": value.ravel(),
            "cohort": np.repeat(cohort, periods),
            "group_id": np.repeat([f"g{at}" for at in group], periods),
        }
    )


@pytest.fixture(scope="module")
def counties():
    """Minimum wages and teenage employment, Callaway and Sant'Anna (2021)."""
    try:
        return published.counties()
    except published.Missing as missing:
        pytest.skip(f"{missing} is not here")


@pytest.mark.realdata
def test_published_numbers(counties):
    """The package's own table for this data set (R ``did``): what its effects rest on."""
    found = published.minimum_wage()
    assert found.pre_trend_p_large == pytest.approx(0.16812, abs=1e-5)
    assert (found.n_treated, found.n_control, found.dropped) == (191, 309, 0)


@pytest.mark.realdata
def test_both_baselines_tell_the_same_story(counties):
    universal = staggered(counties, comparison="never")
    varying = staggered(counties, comparison="never", baseline="varying")
    assert universal.overall == varying.overall
    first, second = (
        found.events.set_index("relative")["estimate"] for found in (universal, varying)
    )
    assert list(first.index) == [-4, -3, -2, -1, 0, 1, 2, 3]
    assert list(second.index) == [-3, -2, -1, 0, 1, 2, 3]
    assert first[-1] == 0.0
    # where the same cohorts count, a long difference is the sum of the short ones
    assert first[-2] == pytest.approx(-second[-1], abs=1e-9)
    assert universal.pre_trend_p == varying.pre_trend_p


@pytest.mark.realdata
def test_those_not_yet_treated_join_the_comparison(counties):
    found = staggered(counties)
    cells = found.group_time.set_index(["cohort", "period"])
    assert cells.loc[(2004, 2004), "n_control"] == 480
    assert cells.loc[(2004, 2006), "n_control"] == 440
    assert cells.loc[(2004, 2007), "n_control"] == 309
    by_hand = counties.pivot_table(index=["customer_id"], columns="period", values="value")
    start = counties.groupby("customer_id")["cohort"].first()
    change = by_hand[2005] - by_hand[2003]
    expected = change[start == 2004].mean() - change[(start > 2005) | start.isna()].mean()
    assert cells.loc[(2004, 2005), "estimate"] == pytest.approx(expected, abs=1e-9)


def test_one_cohort_two_periods_is_the_plain_difference_of_differences():
    rng = np.random.default_rng(1)
    panel = roll_out(rng, (20, 30), starts=(1.0,), periods=2, effect=1.0)
    found = staggered(panel)
    change = (
        panel.sort_values("period")
        .groupby("customer_id")["value"]
        .agg(["first", "last"])
        .diff(axis=1)["last"]
    )
    reached = panel.groupby("customer_id")["cohort"].first().notna()
    first, second = change[reached], change[~reached]
    assert found.overall.estimate == pytest.approx(first.mean() - second.mean(), abs=1e-9)
    error = np.sqrt(first.var(ddof=0) / 20 + second.var(ddof=0) / 30)
    assert found.overall.std_error == pytest.approx(error, abs=1e-9)
    # the interval is Welch's
    reference = stats.ttest_ind(first, second, equal_var=False)
    interval = reference.confidence_interval(0.95)
    assert (found.overall.low, found.overall.high) == pytest.approx(
        (interval.low, interval.high), abs=1e-8
    )
    assert found.overall.p_value == pytest.approx(reference.pvalue, rel=1e-6)


def test_the_variance_is_that_of_both_sides():
    found = staggered(roll_out(np.random.default_rng(2), (20, 30, 40)))
    for contrast, sizes in (
        (found.overall, (found.n_treated, found.n_control)),
        (found.dynamic, (found.n_treated, found.n_control)),
    ):
        total = contrast.variance_treated / sizes[0] + contrast.variance_control / sizes[1]
        assert contrast.std_error**2 == pytest.approx(total, rel=1e-6)


def test_a_dip_before_the_start_is_seen_and_an_earlier_baseline_avoids_it():
    """Customers chosen in the quarter in which they did badly recover by themselves."""
    rng = np.random.default_rng(3)
    panel = roll_out(rng, (60, 120), starts=(3.0,), periods=5)
    slipped = (panel["cohort"] == 3) & (panel["period"] == 2)
    panel.loc[slipped, "value"] -= 2
    naive, careful = staggered(panel), staggered(panel, anticipation=1)
    assert naive.dip and naive.pre_trend_p < 0.01
    assert naive.overall.low > 1  # an effect where there is none
    assert not careful.dip
    assert careful.overall.low < 0 < careful.overall.high
    events = careful.events.set_index("relative")
    assert events.loc[-2, "estimate"] == 0.0
    assert events.loc[-1, "high"] < -1


def test_a_pretended_start_finds_nothing_unless_they_moved_apart():
    rng = np.random.default_rng(4)
    alarms = 0
    for _ in range(100):
        panel = roll_out(rng, (20, 30), starts=(3.0,), periods=5, effect=3.0)
        found = placebo_date(panel, earlier=2)
        alarms += not found.low <= 0 <= found.high
    assert alarms <= 12
    panel["value"] += panel["period"] * panel["cohort"].notna()
    assert placebo_date(panel, earlier=2).low > 0
    assert placebo_date(panel, earlier=3) is None


def test_customers_that_cannot_be_used_are_counted():
    panel = roll_out(np.random.default_rng(5), (10, 10, 10))
    panel.loc[panel["customer_id"] == "c0000", "cohort"] = 0.0
    gap = panel.drop(panel.index[(panel["customer_id"] == "c0001") & (panel["period"] == 3)])
    gap.loc[(gap["customer_id"] == "c0029") & (gap["period"] == 0), "value"] = np.nan
    found = staggered(gap)
    assert (found.dropped, found.no_baseline) == (2, 1)
    assert (found.n_treated, found.n_control) == (18, 19)


def test_too_few_give_nothing():
    panel = roll_out(np.random.default_rng(6), (10, 10, 10))
    reached = panel[panel["cohort"] == 2]
    assert staggered(reached) is None
    assert staggered(panel[panel["cohort"].notna()], comparison="never") is None
    one = reached[reached["customer_id"] == "c0000"]
    assert staggered(pd.concat([one, panel[panel["cohort"].isna()]])) is None
    assert staggered(panel[panel["cohort"].isna()]) is None
    assert staggered(panel.iloc[:0]) is None
    assert placebo_date(panel.iloc[:0]) is None


def test_without_a_period_before_there_is_no_pre_trend():
    found = staggered(roll_out(np.random.default_rng(7), (10, 10), starts=(1.0,), periods=3))
    assert np.isnan(found.pre_trend_p)
    assert found.dip_by is None and not found.dip


def test_more_periods_than_customers_leave_the_pre_trend_open():
    rng = np.random.default_rng(13)
    found = staggered(roll_out(rng, (2, 2, 3), starts=(6.0, 7.0), periods=8))
    assert np.isnan(found.pre_trend_p)
    assert found.pre_trend_p_large < 1  # which chi-square would not have noticed
    assert found.overall.std_error > 0


def test_a_constant_outcome_is_an_exact_statement():
    panel = roll_out(np.random.default_rng(8), (10, 10, 10)).assign(value=7.0)
    found = staggered(panel).overall
    assert (found.estimate, found.std_error, found.p_value) == (0.0, 0.0, 1.0)


def test_wrong_panels_are_refused():
    panel = roll_out(np.random.default_rng(9), (5, 5, 5))
    with pytest.raises(ValueError, match="twice"):
        staggered(pd.concat([panel, panel.head(1)]))
    panel.loc[0, "cohort"] = 3.0
    with pytest.raises(ValueError, match="two different starts"):
        staggered(panel)


def test_quarters_count_by_their_order():
    panel = roll_out(np.random.default_rng(10), (10, 10, 10), effect=1.0)
    quarters = np.array([20253, 20254, 20261, 20262])
    named = panel.assign(
        period=quarters[panel["period"]],
        cohort=panel["cohort"].map({2.0: 20255.0, 3.0: 20262.0}),  # between two: the later one
    )
    first, second = staggered(panel), staggered(named)
    assert first.overall == second.overall
    pd.testing.assert_frame_equal(first.events, second.events)
    assert set(second.group_time["cohort"]) == {20261, 20262}


def test_errors_of_a_corporate_group_belong_together():
    """With shocks that a group has in common, customers counted one by one seem too sure."""
    rng = np.random.default_rng(11)
    panel = roll_out(rng, (40, 40, 80), groups=32, shock=1.0)
    alone, together = staggered(panel), staggered(panel, group="group_id")
    assert together.overall.estimate == alone.overall.estimate
    assert together.overall.std_error > 1.3 * alone.overall.std_error
    assert together.n_clusters == 32
    own = panel.assign(group_id=panel["group_id"].where(panel["group_id"] == "g1"))
    assert staggered(own, group="group_id").n_clusters == 155 + 1


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), factor=st.sampled_from([1e-3, 0.7, 40.0, 1e5]))
def test_order_names_and_unit_do_not_matter(seed, factor):
    rng = np.random.default_rng(seed)
    panel = roll_out(rng, (6, 8, 10), effect=1.0)
    base = staggered(panel, group="group_id")
    shuffled = panel.sample(frac=1, random_state=seed % 2**32)
    assert_same(staggered(shuffled, group="group_id"), base, 1)
    names = dict(
        zip(sorted(set(panel["customer_id"])), rng.permutation(24).astype(str), strict=True)
    )
    renamed = panel.assign(customer_id=panel["customer_id"].map(names))
    assert_same(staggered(renamed, group="group_id"), base, 1)
    scaled = panel.assign(value=panel["value"] * factor)
    assert_same(staggered(scaled, group="group_id"), base, factor)
    shifted = panel.assign(value=panel["value"] + 3 * panel["period"] ** 2)
    assert staggered(shifted).overall.estimate == pytest.approx(base.overall.estimate, abs=1e-7)


def assert_same(found, base, factor):
    for name in ("estimate", "std_error", "low", "high"):
        expected = factor * getattr(base.overall, name)
        assert getattr(found.overall, name) == pytest.approx(expected, rel=1e-7, abs=1e-8 * factor)
    assert found.overall.p_value == pytest.approx(base.overall.p_value, rel=1e-6, abs=1e-12)
    assert found.pre_trend_p == pytest.approx(base.pre_trend_p, abs=1e-6)
    expected = base.events[["estimate", "std_error", "low", "high"]] * factor
    np.testing.assert_allclose(
        found.events[["estimate", "std_error", "low", "high"]], expected, atol=1e-7 * factor
    )


@pytest.mark.slow
@pytest.mark.requirement("003-07", "004-17")
def test_intervals_cover_and_the_tests_before_the_start_keep_their_level():
    rng = np.random.default_rng(12)
    runs = 2000
    estimates, covered, alarms, dips = [], 0, 0, 0
    for _ in range(runs):
        found = staggered(roll_out(rng, (12, 15, 30), effect=0.5))
        estimates.append(found.overall.estimate)
        covered += found.overall.low <= 0.5 <= found.overall.high
        alarms += found.pre_trend_p < 0.05
        dips += found.dip
    assert np.mean(estimates) == pytest.approx(0.5, abs=4 * np.std(estimates) / runs**0.5)
    assert 0.935 <= covered / runs <= 0.965
    assert 0.035 <= alarms / runs <= 0.065
    assert 0.01 <= dips / runs <= 0.035
