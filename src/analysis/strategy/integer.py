"""Whole-number choice under linear limits: the best plan, how far from best, and the prices.

The relaxation without whole numbers gives a bound and, for each limit, the value of one unit
more. Few of its choices are broken; the core method settles those together with the choices that
are nearly indifferent and leaves the others as they are (Balas and Zemel 1980, Operations
Research 28, 1130-1154). Where that is not close enough to the bound, everything is searched that
the bound does not settle.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

CORE = 500  # choices that are settled together
_WHOLE = 1e-6  # nearer to a whole number is one


class Problem(NamedTuple):
    """Maximise ``value @ x`` with ``use @ x <= upper`` and ``0 <= x <= most``.

    Attributes
    ----------
    value, most
        Of each choice; `most` is finite.
    whole
        Whether it must be a whole number.
    use
        Limits × choices.
    upper
        Of each limit.
    """

    value: Floats
    most: Floats
    whole: Flags
    use: sparse.csr_matrix
    upper: Floats


class Solution(NamedTuple):
    """What is chosen.

    Attributes
    ----------
    x
        How many of each choice.
    value, bound
        Its value, and what no choice can exceed.
    prices
        Value of one unit more of each limit, by the relaxation; 0: it does not bind.
    """

    x: Floats
    value: float
    bound: float
    prices: Floats

    @property
    def gap(self) -> float:
        """What a better choice could gain at most, as a share of the value."""
        missing = max(self.bound - self.value, 0.0)
        if missing <= 1e-9 * max(abs(self.bound), 1.0):
            return 0.0
        return missing / max(abs(self.value), 1e-12)


def solve(problem: Problem, *, gap: float, nodes: int, start: Floats | None = None) -> Solution:
    """The best choice, to within `gap`.

    Parameters
    ----------
    problem
        Choices and limits. Rows that cannot bind cost nothing.
    gap
        Share of the value that a better choice may still gain.
    nodes
        Nodes that the search may visit: a limit of time would make results differ.
    start
        A choice that keeps the limits; default: nothing.

    Returns
    -------
    Solution
        Always one: where the search ends early, the best that was found.
    """
    most = problem.use.maximum(0) @ problem.most
    tight = np.flatnonzero(most > problem.upper + 1e-9 * np.maximum(1.0, np.abs(problem.upper)))
    prices = np.zeros(len(problem.upper))
    if not len(tight):
        x = np.where(problem.value > 0, problem.most, 0.0)
        return Solution(x, _sum(problem.value, x), _sum(problem.value, x), prices)
    small = problem._replace(use=problem.use[tight], upper=problem.upper[tight])
    relaxed, cost, dual, bound = _relax(small)
    prices[tight] = dual
    best = np.zeros(len(small.value)) if start is None else start
    best = _better(small, best, np.floor(relaxed + _WHOLE))
    allowed = gap * abs(bound)
    worth = np.abs(cost)
    broken = small.whole & (np.abs(relaxed - np.round(relaxed)) > _WHOLE)
    near = np.argsort(np.where(broken, -1.0, worth), kind="stable")[: max(CORE, int(broken.sum()))]
    core = ~small.whole
    core[near] = True
    found, limit = _search(small, relaxed, core, allowed, nodes)
    best = _better(small, best, found)
    missing = bound - _sum(small.value, best)
    if core.all():
        bound = min(bound, max(limit, _sum(small.value, best)))
    elif missing > allowed:
        # What costs more to change than is missing cannot be otherwise in a better choice.
        core |= broken | (worth <= missing * (1 + 1e-9) + 1e-9)
        found, limit = _search(small, relaxed, core, allowed, nodes)
        best = _better(small, best, found)
        bound = min(bound, max(limit, _sum(small.value, best)))
    best = filled(small, best)
    return Solution(best, _sum(problem.value, best), bound, prices)


def filled(problem: Problem, x: Floats) -> Floats:
    """A choice with whatever still fits, the most valuable first."""
    x = x.copy()
    left = problem.upper - problem.use @ x
    columns = problem.use.tocsc()
    order = np.argsort(-problem.value, kind="stable")
    order = order[(problem.value[order] > 0) & problem.whole[order]]
    while len(order):
        order = order[(x[order] < problem.most[order] - 0.5) & _fits(columns, left)[order]]
        if not len(order):
            break
        x[order[0]] += 1
        left = left - columns[:, order[0]].toarray().ravel()
    return x


def _fits(columns: sparse.csc_matrix, left: Floats) -> Flags:
    """Which choices fit once more."""
    over = (columns.data > 0) & (columns.data > left[columns.indices] + 1e-9)
    choice = np.repeat(np.arange(columns.shape[1]), np.diff(columns.indptr))
    fits: Flags = np.bincount(choice[over], minlength=columns.shape[1]) == 0
    return fits


def _relax(problem: Problem) -> tuple[Floats, Floats, Floats, float]:
    """Choice, reduced value, prices and bound of the relaxation."""
    found = optimize.linprog(
        -problem.value,
        A_ub=problem.use,
        b_ub=problem.upper,
        bounds=np.column_stack([np.zeros(len(problem.most)), problem.most]),
        method="highs-ipm",  # then crossed over to a corner: many times faster than the simplex
    )
    if found.x is None:  # numerically out of reach: nothing is settled, nothing is priced
        prices = np.zeros(len(problem.upper))
        bound = _sum(np.maximum(problem.value, 0.0), problem.most)
        return np.zeros(len(problem.most)), np.zeros(len(problem.most)), prices, bound
    prices = np.maximum(-found.ineqlin.marginals, 0.0)
    # By weak duality any prices give a bound: it holds even where the solver stopped early.
    cost = problem.value - problem.use.T @ prices
    bound = _sum(problem.upper, prices) + _sum(np.maximum(cost, 0.0), problem.most)
    return np.clip(found.x, 0.0, problem.most), cost, prices, bound


def _search(
    problem: Problem, relaxed: Floats, core: Flags, allowed: float, nodes: int
) -> tuple[Floats | None, float]:
    """The best choice in the core, everything else as the relaxation has it; and its bound."""
    x = np.where(core, 0.0, np.round(relaxed))
    inside = np.flatnonzero(core)
    upper = problem.upper - problem.use @ x
    own = abs(_sum(problem.value[inside], relaxed[inside]))
    found = optimize.milp(
        -problem.value[inside],
        constraints=optimize.LinearConstraint(problem.use[:, inside], -np.inf, upper),
        integrality=problem.whole[inside].astype(int),
        bounds=optimize.Bounds(0.0, problem.most[inside]),
        options={"mip_rel_gap": min(allowed / 2 / max(own, 1e-12), 1.0), "node_limit": nodes},
    )
    known = found.mip_dual_bound is not None and np.isfinite(found.mip_dual_bound)
    bound = _sum(problem.value, x) - found.mip_dual_bound if known else np.inf
    if found.x is None:
        return None, bound
    x[inside] = np.where(problem.whole[inside], np.round(found.x), found.x)
    return x, bound


def _better(problem: Problem, first: Floats, second: Floats | None) -> Floats:
    """The more valuable of two choices; the second only if it keeps every limit."""
    if second is None or not _kept(problem, second):
        return first
    return second if _sum(problem.value, second) > _sum(problem.value, first) else first


def _kept(problem: Problem, x: Floats) -> bool:
    return bool((problem.use @ x <= problem.upper + _WHOLE).all())


def _sum(value: Floats, x: Floats) -> float:
    return float(value @ x)
