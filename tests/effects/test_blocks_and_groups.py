"""A draw within blocks and by corporate group, and the effect on those whom it reached."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from analysis.effects.estimators import as_done, contrast


def blocked(rng, n=240, effect=0.4):
    """Three blocks with other levels, in which other shares wait."""
    block = rng.integers(0, 3, n)
    before = rng.normal(block * 2.0, 1.0)
    treated = rng.random(n) < np.array([0.8, 0.6, 0.4])[block]
    after = before + rng.normal(0, 0.5, n) + effect * treated
    return before, after, treated, block


def grouped(rng, groups=80, effect=0.0, spread=1.0):
    """Corporate groups of one to four customers with much in common, drawn as one."""
    size = rng.integers(1, 5, groups)
    group = np.repeat(np.arange(groups), size)
    drawn = rng.permutation(groups) < groups // 2
    treated = drawn[group]
    value = rng.normal(0, spread, groups)[group] + rng.normal(0, 0.5, len(group))
    return value + effect * treated, treated, group


def split(treated, *columns):
    return [part for column in columns for part in (column[treated], column[~treated])]


def by_arm(treated, column):
    return column[treated], column[~treated]


def test_blocks_are_the_regression_with_a_mean_for_every_arm_and_block():
    before, after, treated, block = blocked(np.random.default_rng(1))
    found = contrast(*split(treated, after, before), blocks=by_arm(treated, block.astype(str)))
    cells = np.column_stack([(treated == a) & (block == b) for a in (1, 0) for b in range(3)])
    slopes = np.column_stack([before * treated, before * ~treated])
    weight = np.bincount(block) / len(block)
    at = weight @ [before[block == b].mean() for b in range(3)]
    reading = np.concatenate([weight, -weight, [at, -at]])
    fit = sm.OLS(after, np.column_stack([cells.astype(float), slopes])).fit(cov_type="HC2")
    test = fit.t_test(reading)
    assert found.method == "regression_adjusted"
    assert found.estimate == pytest.approx(float(np.squeeze(test.effect)), abs=1e-9)
    assert found.std_error == pytest.approx(float(np.squeeze(test.sd)), abs=1e-9)


def test_blocks_in_which_other_shares_wait_do_not_mislead():
    """The levels of the blocks differ by more than the effect; only the blocks tell them apart."""
    rng = np.random.default_rng(2)
    plain, within = [], []
    for _ in range(150):
        _, after, treated, block = blocked(rng)
        values = by_arm(treated, after)
        plain.append(contrast(*values).estimate)
        within.append(contrast(*values, blocks=by_arm(treated, block)).estimate)
    assert np.mean(plain) < 0  # the block with the highest level waits most
    assert np.mean(within) == pytest.approx(0.4, abs=0.04)


def test_groups_of_one_size_count_as_their_means():
    """With groups of two, CR2 is the HC2 error of a regression of the groups' means."""
    rng = np.random.default_rng(3)
    group = np.repeat(np.arange(60), 2)
    treated = group < 25
    value = rng.normal(0, 1, 60)[group] + rng.normal(0, 1, 120)
    found = contrast(*by_arm(treated, value), groups=by_arm(treated, group))
    means = pd.Series(value).groupby(group).mean().to_numpy()
    arm = (np.arange(60) < 25).astype(float)
    fit = sm.OLS(means, sm.add_constant(arm)).fit(cov_type="HC2")
    assert found.estimate == pytest.approx(fit.params[1], abs=1e-9)
    assert found.std_error == pytest.approx(fit.bse[1], abs=1e-9)
    total = found.variance_treated / 50 + found.variance_control / 70
    assert found.std_error**2 == pytest.approx(total, rel=1e-7)


def test_groups_as_the_definition_of_the_error_says():
    """CR2 from the matrices of the definition, with groups of all sizes, blocks and a slope."""
    rng = np.random.default_rng(4)
    value, treated, group = grouped(rng, 50)
    before = value + rng.normal(0, 1, len(value))
    block = group % 2
    found = contrast(
        *split(treated, value, before),
        blocks=by_arm(treated, block),
        groups=by_arm(treated, group),
    )
    cells = np.column_stack([(treated == a) & (block == b) for a in (1, 0) for b in (0, 1)])
    design = np.column_stack([cells.astype(float), before * treated, before * ~treated])
    weight = np.bincount(block) / len(block)
    at = weight @ [before[block == b].mean() for b in (0, 1)]
    reading = np.concatenate([weight, -weight, [at, -at]])
    bread = np.linalg.inv(design.T @ design)
    residual = value - design @ bread @ design.T @ value
    total = 0.0
    for one in np.unique(group):
        rows = design[group == one]
        values, vectors = np.linalg.eigh(np.eye(len(rows)) - rows @ bread @ rows.T)
        root = vectors @ np.diag(values**-0.5) @ vectors.T
        total += (reading @ bread @ rows.T @ root @ residual[group == one]) ** 2
    assert found.std_error == pytest.approx(np.sqrt(total), rel=1e-7)


def test_intervals_by_group_cover_and_those_without_do_not():
    rng = np.random.default_rng(5)
    runs, alone, together = 400, 0, 0
    for _ in range(runs):
        value, treated, group = grouped(rng, 60, effect=0.5)
        arms = by_arm(treated, value)
        first = contrast(*arms)
        second = contrast(*arms, groups=by_arm(treated, group))
        alone += first.low <= 0.5 <= first.high
        together += second.low <= 0.5 <= second.high
    assert alone / runs < 0.85
    assert 0.92 <= together / runs <= 0.98  # 2.7 standard errors of .95 in 400 runs are .03


def test_permutations_change_whole_groups_within_blocks():
    rng = np.random.default_rng(6)
    far = []
    for run in range(150):
        value, treated, group = grouped(rng, 24)
        block = np.where(group < 12, "a", "b")
        found = contrast(
            *by_arm(treated, value + 3.0 * (group < 12)),
            rng=np.random.default_rng(run),
            blocks=by_arm(treated, block),
            groups=by_arm(treated, group),
        )
        far.append(found.p_value)
    assert np.mean(np.array(far) < 0.05) <= 0.10
    assert 0.4 < np.mean(far) < 0.6


def test_a_group_in_both_arms_is_still_one_cluster():
    rng = np.random.default_rng(7)
    group = np.repeat(np.arange(40), 2)
    treated = np.arange(80) % 2 == 0  # one customer of each group
    common = rng.normal(0, 2, 40)[group]
    value = common + rng.normal(0, 0.1, 80)
    alone = contrast(*by_arm(treated, value))
    paired = contrast(
        *by_arm(treated, value), groups=by_arm(treated, group), rng=np.random.default_rng(0)
    )
    assert paired.std_error < alone.std_error / 5  # what they have in common cancels out
    assert 0 < paired.p_value <= 1


def test_a_block_with_too_few_joins_its_neighbour():
    rng = np.random.default_rng(8)
    treated = np.array([True] * 20 + [False] * 20)
    value = rng.normal(0, 1, 40)
    block = np.array(["a"] * 10 + ["b"] * 9 + ["c"] + ["a"] * 10 + ["b"] * 10)
    found = contrast(*by_arm(treated, value), blocks=by_arm(treated, block))
    same = np.where(block == "c", "b", block)
    assert found == contrast(*by_arm(treated, value), blocks=by_arm(treated, same))
    one = contrast(
        *by_arm(treated, value), blocks=by_arm(treated, np.array([f"{i:02d}" for i in range(40)]))
    )
    assert one.estimate == contrast(*by_arm(treated, value)).estimate


def test_as_done_is_the_ratio_of_two_differences():
    """By hand: 8 of 10 treated and 1 of 10 held out got it; 6.0 against 2.5."""
    rng = np.random.default_rng(9)
    first, second = rng.normal(6.0, 1, 10), rng.normal(2.5, 1, 10)
    done_first, done_second = np.repeat([1.0, 0.0], [8, 2]), np.repeat([1.0, 0.0], [1, 9])
    found = as_done(first, second, done_first, done_second)
    ratio = (first.mean() - second.mean()) / (0.8 - 0.1)
    assert found is not None
    assert found.estimate == pytest.approx(ratio, abs=1e-7)
    left = [first - ratio * done_first, second - ratio * done_second]
    error = np.sqrt(sum(part.var(ddof=1) / 10 for part in left)) / 0.7
    assert found.std_error == pytest.approx(error, abs=1e-7)
    assert as_done(first, second, done_second, done_first) is None


def test_as_done_covers_the_effect_on_those_reached():
    """Willing customers buy more anyway: comparing those reached with the rest misleads."""
    rng = np.random.default_rng(10)
    covered, naive = 0, []
    for _ in range(400):
        willing = rng.normal(0, 1, 200)
        drawn = rng.permutation(200) < 120
        done = (drawn & (willing > -0.5)).astype(float)
        value = willing + rng.normal(0, 0.5, 200) + 1.0 * done
        found = as_done(*by_arm(drawn, value), *by_arm(drawn, done))
        covered += found.low <= 1.0 <= found.high
        naive.append(value[done == 1].mean() - value[done == 0].mean())
    assert 0.92 <= covered / 400 <= 0.98
    assert np.mean(naive) > 1.3


def test_order_of_customers_does_not_matter():
    rng = np.random.default_rng(11)
    value, treated, group = grouped(rng, 150)
    value = value * 1e6
    before, block = value + rng.normal(0, 1e5, len(value)), group % 3
    n = int(treated.sum())

    def found(order_first, order_second):
        pick = [
            (part[order_first] if at % 2 == 0 else part[order_second])
            for at, part in enumerate(split(treated, value, before, block, group))
        ]
        return contrast(*pick[:4], blocks=(pick[4], pick[5]), groups=(pick[6], pick[7]))

    first = found(np.arange(n), np.arange(len(value) - n))
    for seed in range(4):
        mixed = np.random.default_rng(seed)
        assert found(mixed.permutation(n), mixed.permutation(len(value) - n)) == first
