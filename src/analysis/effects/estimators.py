"""The comparison of two drawn arms: plain, adjusted, within blocks, by corporate group.

It is one regression: each arm has a mean for every block of the draw and, where the outcome
before the measure is known, one slope on it. Both arms are read at each block's common mean of
the outcome before, and the blocks count by their customers. With one block this is the fully
interacted regression of Lin (2013), Annals of Applied Statistics 7, 295-318; without an outcome
before it is the comparison of Welch, or with blocks the post-stratified one.

The error is the cluster-robust CR2 of Bell and McCaffrey (2002), Survey Methodology 28, 169-181,
with corporate groups as clusters: their customers are drawn as one and buy as one. For customers
on their own CR2 is HC2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.stats import steady

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Labels = Sequence[Any] | NDArray[Any]

FEW = 300  # below this many customers the p-value comes from permutations
PERMUTATIONS = 1999
_SMALLEST_ADJUSTED_ARM = 5  # a line through fewer points says nothing about its own error
_LEAST_UPTAKE = 0.01  # share more reached by the draw: below it the ratio is that of noise
_SMALLEST_CELL = 2  # groups of an arm in a block: fewer have no spread


@dataclass(frozen=True)
class Contrast:
    """A difference between two arms.

    Attributes
    ----------
    estimate, std_error, low, high
        In the unit of the outcome, per customer.
    p_value
        Two-sided, of no difference.
    method
        ``difference_in_means``, ``regression_adjusted``, or what another estimator calls itself.
    variance_treated, variance_control
        Variance of one customer's outcome in each arm after the adjustment: the squared error is
        variance_treated / n_treated + variance_control / n_control, so that the error of arms
        of another size follows from them.
    """

    estimate: float
    std_error: float
    low: float
    high: float
    p_value: float
    method: str
    variance_treated: float
    variance_control: float


def contrast(
    treated: Floats,
    control: Floats,
    before_treated: Floats | None = None,
    before_control: Floats | None = None,
    *,
    level: float = 0.95,
    rng: np.random.Generator | None = None,
    blocks: tuple[Labels, Labels] | None = None,
    groups: tuple[Labels, Labels] | None = None,
) -> Contrast:
    """The effect of a measure as the difference between two arms.

    Parameters
    ----------
    treated, control
        Outcomes, one a customer; at least two in each arm.
    before_treated, before_control
        The same customers' outcome before the measure; with both, the estimate is adjusted.
        Where the outcome before does not vary, or an arm has fewer than five customers, the
        plain difference is used.
    level
        Level of the interval.
    rng
        With fewer than 300 customers in all and a generator, the p-value is that of 1,999
        permutations of the studentised difference, within blocks and by whole groups.
    blocks
        Block of the draw of each customer, treated and control. A block with fewer than two
        groups in an arm is put together with the next.
    groups
        Corporate group of each customer, treated and control; None: everyone alone. A group
        counts in the block of its first customer.

    Returns
    -------
    Contrast
        Interval by the t distribution with the degrees of freedom of Welch and Satterthwaite,
        each arm of each block counting its groups minus its fitted coefficients: where a block
        of large customers makes most of the error, its few customers know it badly. Rounded: see
        `analysis.stats.steady`.
    """
    study = _study(treated, control, before_treated, before_control, blocks, groups)
    y = np.concatenate([treated, control]).astype(float)
    scale = float(np.abs(y).max())
    estimate = steady(study.estimate(y), scale)
    parts = study.variances(y)
    found = _contrast(study, estimate, parts, scale, level)
    if rng is None or len(y) >= FEW or found.std_error == 0.0:
        return found
    return Contrast(**{**vars(found), "p_value": _permutation_p(study, y, rng)})


def as_done(
    treated: Floats,
    control: Floats,
    done_treated: Floats,
    done_control: Floats,
    before_treated: Floats | None = None,
    before_control: Floats | None = None,
    *,
    level: float = 0.95,
    blocks: tuple[Labels, Labels] | None = None,
    groups: tuple[Labels, Labels] | None = None,
) -> Contrast | None:
    """The effect on those whom the measure reached because they were drawn.

    The Wald ratio: the effect of being drawn on the outcome over its effect on getting the
    measure (Angrist, Imbens and Rubin 1996, JASA 91, 444-455), which is two-stage least squares
    with the draw as instrument. Its error is that of outcome − ratio × done.

    Parameters
    ----------
    done_treated, done_control
        1 where the customer got the measure, 0 where not.

    Returns
    -------
    Contrast or None
        None where the draw did not clearly raise the share that got the measure: a ratio over
        nearly nothing is no effect.
    """
    study = _study(treated, control, before_treated, before_control, blocks, groups)
    y = np.concatenate([treated, control]).astype(float)
    d = np.concatenate([done_treated, done_control]).astype(float)
    reached = study.estimate(d)
    if reached <= _LEAST_UPTAKE:
        return None
    ratio = study.estimate(y) / reached
    parts = study.variances(y - ratio * d) / reached**2
    scale = float(np.abs(y).max()) / reached
    return _contrast(study, steady(ratio, scale), parts, scale, level)


def welch(first: Floats, second: Floats) -> float:
    """Two-sided p of equal means (Welch); 1 where neither arm varies and the means agree."""
    if min(len(first), len(second)) < 2:
        return math.nan
    return contrast(first, second).p_value


@dataclass(frozen=True)
class _Study:
    """The regression of two arms: what does not hang on the outcome.

    Attributes
    ----------
    treated
        Whether a customer is treated; n.
    block, group
        Codes from 0; a group lies in one block.
    before
        Outcome before, from its mean in the block; None without adjustment.
    spread
        The same from its mean in arm and block.
    reading
        Weights of the outcomes in the estimate; n.
    """

    treated: NDArray[np.bool_]
    block: Codes
    group: Codes
    before: Floats | None
    spread: Floats | None
    reading: Floats

    def estimate(self, y: Floats) -> float:
        """The difference between the arms."""
        return float(self.reading @ y)

    @property
    def cell(self) -> Codes:
        """Arm and block as one code."""
        code: Codes = self.block * 2 + self.treated
        return code

    def variances(self, y: Floats) -> Floats:
        """What each cell, arm and block, adds to the squared error (CR2)."""
        size = np.bincount(self.cell)
        residual = y - _means(y, self.cell)[self.cell]
        leverage = 1 / size[self.cell]
        slope_size = np.ones(len(y))
        if self.spread is not None:
            squares = np.bincount(self.treated, weights=self.spread**2, minlength=2)
            products = np.bincount(self.treated, weights=self.spread * y, minlength=2)
            slope_size = squares[self.treated.astype(int)]
            residual = residual - (products / squares)[self.treated.astype(int)] * self.spread
            leverage = leverage + self.spread**2 / slope_size
        # A customer that alone fixes the line has leverage 1 and residual 0.
        share = self.reading**2 * residual**2 / np.clip(1 - leverage, 1e-8, None)
        members = np.bincount(self.group)[self.group]
        share = np.where(members > 1, 0.0, share)
        for place in self._groups(members):
            linked = (self.cell[place][:, None] == self.cell[place]) / size[self.cell[place]]
            if self.spread is not None:
                same_arm = self.treated[place][:, None] == self.treated[place]
                outer = np.outer(self.spread[place], self.spread[place])
                linked = linked + same_arm * outer / slope_size[place]
            root = _inverse_root(np.eye(len(place)) - linked)
            total = float(self.reading[place] @ root @ residual[place]) ** 2
            share[place] = total / len(place)
        found: Floats = np.bincount(self.cell, weights=share).astype(float)
        return found

    def freedom(self) -> Floats:
        """Groups minus means of each cell; the cells of an arm share what its slope takes."""
        cell = np.unique(np.stack([self.cell, self.group]), axis=1)[0]
        free: Floats = np.bincount(cell).astype(float) - 1
        if self.spread is not None:
            arm = np.arange(len(free)) % 2
            total = np.maximum(np.bincount(arm, weights=free), 1.0)
            free = free * ((total - 1) / total)[arm]
        return free.clip(1.0)

    @staticmethod
    def _places(codes: Codes) -> list[Codes]:
        order = np.argsort(codes, kind="stable")
        cuts = np.flatnonzero(np.diff(codes[order])) + 1
        return [np.sort(part) for part in np.split(order, cuts)]

    def _groups(self, members: Codes) -> list[Codes]:
        several = np.flatnonzero(members > 1)
        if not len(several):
            return []
        return [several[part] for part in self._places(self.group[several])]


def _study(
    treated: Floats,
    control: Floats,
    before_treated: Floats | None,
    before_control: Floats | None,
    blocks: tuple[Labels, Labels] | None,
    groups: tuple[Labels, Labels] | None,
) -> _Study:
    n, total = len(treated), len(treated) + len(control)
    arm = np.arange(total) < n
    group = _codes(groups, total)
    block = _joined_blocks(_block_of_group(_codes(blocks, total, alone=False), group), group, arm)
    cell = block * 2 + arm
    weight = np.bincount(block) / total
    reading = weight[block] / np.bincount(cell)[cell]
    before = spread = None
    if before_treated is not None and before_control is not None:
        x = np.concatenate([before_treated, before_control]).astype(float)
        at = _means(x, cell)
        if _adjustable(x - at[cell], x, arm, block):
            before, spread = x - _means(x, block)[block], x - at[cell]
            squares = np.bincount(arm, weights=spread**2, minlength=2)
            gap = np.array(
                [
                    weight @ (_means(x, block) - at[np.arange(len(weight)) * 2 + side])
                    for side in (0, 1)
                ]
            )
            reading = reading + (gap / squares)[arm.astype(int)] * spread
    return _Study(arm, block, group, before, spread, np.where(arm, reading, -reading))


def _adjustable(spread: Floats, x: Floats, arm: NDArray[np.bool_], block: Codes) -> bool:
    """Whether each arm has customers and variation enough for a slope."""
    floor = 1e-12 * float(np.abs(x).max()) if len(x) else 0.0
    return all(
        side.sum() - block.max() >= _SMALLEST_ADJUSTED_ARM
        and float(np.abs(spread[side]).max()) > floor
        for side in (arm, ~arm)
    )


def _contrast(
    study: _Study, estimate: float, parts: Floats, scale: float, level: float
) -> Contrast:
    """Interval and p from the estimate and what each cell adds to its squared error."""
    total = float(parts.sum())
    error = steady(math.sqrt(total), scale)
    method = "difference_in_means" if study.spread is None else "regression_adjusted"
    sizes = (int(study.treated.sum()), int((~study.treated).sum()))
    arms = (float(parts[1::2].sum()), float(parts[::2].sum()))
    spread = [steady(part * size, scale**2) for part, size in zip(arms, sizes, strict=True)]
    if error == 0.0:  # no spread at all: an exact statement, or none
        p = 1.0 if estimate == 0.0 else 0.0
        return Contrast(estimate, error, estimate, estimate, p, method, spread[0], spread[1])
    freedom = total**2 / float((parts**2 / study.freedom()).sum())
    half = float(stats.t.ppf(0.5 + level / 2, freedom)) * error
    low, high = steady(estimate - half, scale), steady(estimate + half, scale)
    p = float(2 * stats.t.sf(abs(estimate / error), freedom))
    return Contrast(estimate, error, low, high, steady(p, p), method, spread[0], spread[1])


def _permutation_p(study: _Study, y: Floats, rng: np.random.Generator) -> float:
    """Share of random splits at least as far apart; studentised, so unequal spreads are fair.

    What block and outcome before explain of the outcome is taken out first, without regard to
    the arms (Freedman and Lane 1983, JBES 1, 292-298); then whole groups change places within
    their block. A group that is split between the arms was not drawn as one: its parts change
    places by themselves.
    """
    left = y - _means(y, study.block)[study.block]
    if study.before is not None:
        x = study.before
        left = left - float(x @ left) / float(x @ x) * x
    unit = np.unique(study.group * 2 + study.treated, return_inverse=True)[1]
    sums, sizes = np.bincount(unit, weights=left), np.bincount(unit).astype(float)
    first = np.unique(unit, return_index=True)[1]
    arm, block = study.treated[first], study.block[first]
    distance, variance = np.zeros(1 + PERMUTATIONS), np.zeros(1 + PERMUTATIONS)
    for code in range(int(block.max()) + 1):
        inside = np.flatnonzero(block == code)
        own = arm[inside]
        order = rng.random((PERMUTATIONS, len(inside))).argsort(axis=1)
        mask = np.vstack([own, order < own.sum()])
        s, m = sums[inside], sizes[inside]
        share = m.sum() / len(y)
        for sign, chosen in ((1.0, mask), (-1.0, ~mask)):
            one = chosen.astype(float)
            customers, groups = one @ m, float(one[0].sum())
            mean = one @ s / customers
            squares = one @ s**2 - 2 * mean * (one @ (s * m)) + mean**2 * (one @ m**2)
            distance += sign * share * mean
            variance += share**2 * squares.clip(0) * groups / (groups - 1) / customers**2
    far = np.divide(np.abs(distance), np.sqrt(variance), out=np.zeros_like(variance),
                    where=variance > 0)  # fmt: skip
    return float((1 + (far[1:] >= far[0] * (1 - 1e-9)).sum()) / (1 + PERMUTATIONS))


def _codes(labels: tuple[Labels, Labels] | None, total: int, *, alone: bool = True) -> Codes:
    """Labels of both arms as codes in their order; without labels everyone alone, or together."""
    if labels is None:
        return np.arange(total) if alone else np.zeros(total, dtype=np.int64)
    known = np.concatenate([np.asarray(part, dtype=object).astype(str) for part in labels])
    return np.unique(known, return_inverse=True)[1].astype(np.int64)


def _block_of_group(block: Codes, group: Codes) -> Codes:
    """The block of a group's first customer, for all its customers."""
    first = np.unique(group, return_index=True)[1]
    return block[first][group]


def _joined_blocks(block: Codes, group: Codes, arm: NDArray[np.bool_]) -> Codes:
    """Codes of blocks that have two groups in each arm: what has fewer joins the next, or the last.

    Parameters
    ----------
    block
        Codes in the order of their labels, so that neighbours are alike.
    """
    held: list[list[int]] = []
    waiting: list[int] = []
    for code in np.unique(block):
        waiting.append(int(code))
        inside = np.isin(block, waiting)
        sizes = [len(np.unique(group[inside & side])) for side in (arm, ~arm)]
        if min(sizes) >= _SMALLEST_CELL:
            held.append(waiting)
            waiting = []
    if waiting:
        held = [*held[:-1], [*(held[-1] if held else []), *waiting]]
    place = {code: number for number, codes in enumerate(held) for code in codes}
    return np.array([place[int(code)] for code in block], dtype=np.int64)


def _means(values: Floats, codes: NDArray[Any]) -> Floats:
    """Mean of each code."""
    found: Floats = np.bincount(codes, weights=values) / np.bincount(codes)
    return found


def _inverse_root(matrix: Floats) -> Floats:
    """The symmetric (I − H)^(−1/2); directions that the fit uses up count for nothing."""
    values, vectors = np.linalg.eigh(matrix)
    scaled = np.where(values > 1e-8, 1 / np.sqrt(np.clip(values, 1e-8, None)), 0.0)
    found: Floats = (vectors * scaled) @ vectors.T
    return found
