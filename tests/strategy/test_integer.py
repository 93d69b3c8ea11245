"""Whole-number choice: the best by trying everything, bounds that hold, what fits is taken."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from analysis.strategy import integer
from analysis.strategy.integer import Problem, filled, solve


def problem(value, use, upper, most=None):
    value = np.array(value, dtype=float)
    most = np.ones(len(value)) if most is None else np.array(most, dtype=float)
    return Problem(
        value,
        most,
        np.ones(len(value), dtype=bool),
        sparse.csr_matrix(np.array(use, dtype=float)),
        np.array(upper, dtype=float),
    )


def best_of_all(case):
    """The best value, by trying every choice."""
    use = case.use.toarray()
    tried = (np.array(x, float) for x in product(*(range(int(m) + 1) for m in case.most)))
    return max(float(case.value @ x) for x in tried if (use @ x <= case.upper + 1e-9).all())


@st.composite
def cases(draw):
    n, m = draw(st.integers(1, 8)), draw(st.integers(1, 3))
    numbers = st.integers(0, 20)
    return problem(
        draw(st.lists(st.integers(-5, 30), min_size=n, max_size=n)),
        draw(st.lists(st.lists(numbers, min_size=n, max_size=n), min_size=m, max_size=m)),
        draw(st.lists(st.integers(0, 40), min_size=m, max_size=m)),
        draw(st.lists(st.integers(1, 2), min_size=n, max_size=n)),
    )


@given(cases())
@settings(max_examples=80, deadline=None)
def test_the_best_of_all(case):
    found = solve(case, gap=0.0, nodes=10_000)
    assert found.value == pytest.approx(best_of_all(case))
    assert found.bound >= found.value - 1e-6
    assert (case.use @ found.x <= case.upper + 1e-6).all()
    assert (found.prices >= 0).all()


@given(cases())
@settings(max_examples=40, deadline=None)
def test_the_core_and_the_search_beyond_it_find_the_best_too(case):
    kept = integer.CORE
    integer.CORE = 1
    try:
        found = solve(case, gap=0.0, nodes=10_000)
    finally:
        integer.CORE = kept
    assert found.value == pytest.approx(best_of_all(case))


def test_a_price_is_what_one_unit_more_brings():
    case = problem([30, 20, 10], [[1, 1, 1]], [1.5])
    assert solve(case, gap=0.0, nodes=100).prices[0] == pytest.approx(20)
    assert solve(case._replace(upper=np.array([9.0])), gap=0.0, nodes=100).prices[0] == 0


def test_what_still_fits_is_taken():
    case = problem([5, 4, 3], [[2, 2, 1]], [4])
    assert filled(case, np.array([1.0, 0.0, 0.0])).tolist() == [1, 1, 0]
    assert filled(case, np.array([1.0, 0.0, 1.0])).tolist() == [1, 0, 1]


def test_a_search_that_may_not_search_still_answers():
    rng = np.random.default_rng(0)
    use = rng.integers(20, 60, (5, 60))
    case = problem(rng.integers(20, 60, 60), use, use.sum(1) // 3)
    found = solve(case, gap=0.0, nodes=1)
    assert (case.use @ found.x <= case.upper + 1e-6).all()
    assert 0 < found.value <= found.bound
    assert found.gap == pytest.approx((found.bound - found.value) / found.value)
    better = solve(case, gap=0.0, nodes=10_000)
    assert better.value >= found.value
