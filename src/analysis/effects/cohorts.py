"""Cohorts of a roll-out compared with the untreated: means and influence functions.

A comparison is a difference of periods of one cohort, read against customers who are not
treated in any of them. Whatever is averaged from comparisons carries each customer's
influence on it along, and with that its standard error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.effects.estimators import Floats

Untreated = Literal["not_yet", "never"]
Baseline = Literal["universal", "varying"]

SMALLEST_COHORT = 2  # a variance needs two customers
NEVER = np.iinfo(np.int64).max // 2  # leaves room to add an anticipation


@dataclass(frozen=True)
class Panel:
    """The panel as a matrix: customers × periods, sorted by customer and period."""

    outcome: Floats
    cohort: NDArray[np.int64]  # position of the first treated period; NEVER
    cluster: NDArray[np.int64]  # of each customer
    stratum: NDArray[np.int64]  # of each cluster: the cohort that began first
    periods: NDArray[np.int64]
    anticipation: int
    dropped: int
    no_baseline: int

    @property
    def scale(self) -> float:
        """The largest outcome in size, on which the digits that count depend."""
        return float(np.abs(self.outcome).max(initial=0.0))

    @property
    def freedoms(self) -> NDArray[np.int64]:
        """Clusters of each stratum less one."""
        return np.maximum(np.bincount(self.stratum) - 1, 1)

    @property
    def starts(self) -> list[tuple[int, int]]:
        """Each cohort with its baseline, where it has enough customers."""
        found, sizes = np.unique(self.cohort, return_counts=True)
        return [
            (int(start), int(start) - 1 - self.anticipation)
            for start, size in zip(found, sizes, strict=True)
            if start < len(self.periods) and size >= SMALLEST_COHORT
        ]


@dataclass(frozen=True)
class Comparison:
    """One comparison of a cohort: a difference of periods, read against the untreated."""

    cohort: int
    relative: int
    weights: tuple[tuple[int, float], ...]  # period position, weight; they add up to 0

    @property
    def last(self) -> int:
        """The last period that the comparison has to be untreated in."""
        return max(period for period, _ in self.weights)


@dataclass(frozen=True)
class Average:
    """An average of comparisons and each customer's influence on it (treated, control part)."""

    estimate: float
    treated: Floats
    control: Floats
    n_treated: int
    n_control: int


@dataclass(frozen=True)
class Comparisons:
    """Comparisons with their influence functions (customers × comparisons)."""

    cells: Sequence[Comparison]
    estimates: Floats
    treated: Floats
    control: Floats
    shares: Floats  # of the comparison's cohort among all customers
    is_treated: NDArray[np.bool_]
    is_control: NDArray[np.bool_]

    def influence(self) -> Floats:
        """Influence of every customer on every comparison, as treated and as untreated."""
        return self.treated + self.control

    def single(self, at: int) -> Average:
        """One comparison by itself."""
        return Average(
            float(self.estimates[at]),
            self.treated[:, at],
            self.control[:, at],
            int(self.is_treated[:, at].sum()),
            int(self.is_control[:, at].sum()),
        )

    def average(self, at: NDArray[np.intp]) -> Average:
        """Mean of comparisons, each by the size of its cohort, which is itself an estimate."""
        share = self.shares[at]
        total = share.sum()
        weight = share / total
        estimate = float(self.estimates[at] @ weight)
        drawn = self.is_treated[:, at] - share
        moved = (drawn - np.outer(drawn.sum(axis=1), weight)) / total
        return Average(
            estimate,
            self.treated[:, at] @ weight + moved @ self.estimates[at],
            self.control[:, at] @ weight,
            int(self.is_treated[:, at].any(axis=1).sum()),
            int(self.is_control[:, at].any(axis=1).sum()),
        )


def read(panel: pd.DataFrame, group: str | None, anticipation: int) -> Panel:
    """Customers with every period and a possible baseline, as a matrix.

    Parameters
    ----------
    panel, group, anticipation
        As for `analysis.effects.staggered.staggered`.

    Raises
    ------
    ValueError
        A customer twice in a period, or with two different starts.
    """
    names, first, row = np.unique(
        panel["customer_id"].astype(str), return_index=True, return_inverse=True
    )
    periods, column = np.unique(panel["period"].to_numpy(np.int64), return_inverse=True)
    if len(np.unique(row * len(periods) + column)) < len(panel):
        raise ValueError("a customer stands twice in a period")
    starts = panel["cohort"].to_numpy(float, na_value=np.nan)
    start = starts[first]
    if not np.array_equal(starts, start[row], equal_nan=True):
        raise ValueError("a customer has two different starts")
    values = np.full((len(names), len(periods)), np.nan)
    values[row, column] = panel["value"].to_numpy(float, na_value=np.nan)
    cohort = np.where(
        np.isnan(start), NEVER, np.searchsorted(periods, np.nan_to_num(start, nan=0.0))
    )
    own = "alone|" + names.astype(object)
    if group is None:
        groups = own
    else:
        given = panel[group].iloc[first]
        groups = np.where(given.isna(), own, "group|" + given.astype(str))
    complete = ~np.isnan(values).any(axis=1)
    usable = cohort > anticipation
    keep = complete & usable
    cluster = np.unique(groups[keep].astype(str), return_inverse=True)[1]
    earliest = np.full(cluster.max(initial=-1) + 1, NEVER)
    np.minimum.at(earliest, cluster, cohort[keep])
    return Panel(
        values[keep],
        cohort[keep],
        cluster,
        np.unique(earliest, return_inverse=True)[1],
        periods,
        anticipation,
        int((~complete).sum()),
        int((complete & ~usable).sum()),
    )


def against_baseline(data: Panel, baseline: Baseline) -> Iterable[Comparison]:
    """Every period of every cohort against its baseline."""
    for start, base in data.starts:
        for period in range(len(data.periods)):
            against = period - 1 if baseline == "varying" and period <= base else base
            if against >= 0 and against != period:
                yield Comparison(start, period - start, ((period, 1.0), (against, -1.0)))


def into_baseline(data: Panel) -> Iterable[Comparison]:
    """The baseline of every cohort against the mean of all periods before it."""
    for start, base in data.starts:
        if base >= 1:
            earlier = tuple((period, -1 / base) for period in range(base))
            yield Comparison(start, base - start, ((base, 1.0), *earlier))


def before_baseline(data: Panel, earlier: int) -> Iterable[Comparison]:
    """The `earlier` periods up to the baseline against the one before them."""
    for start, base in data.starts:
        if base - earlier >= 0:
            pretended = tuple((base - step, 1 / earlier) for step in range(earlier))
            yield Comparison(start, base - start, ((base - earlier, -1.0), *pretended))


def estimable(data: Panel, candidates: Iterable[Comparison], comparison: Untreated) -> Comparisons:
    """Comparisons with two customers on either side; means and influence functions at once."""
    cells, treated, control = [], [], []
    for cell in candidates:
        reach = NEVER - 1 if comparison == "never" else cell.last + data.anticipation
        others = (data.cohort > reach) & (data.cohort != cell.cohort)
        if others.sum() >= SMALLEST_COHORT:
            cells.append(cell)
            treated.append(data.cohort == cell.cohort)
            control.append(others)
    n = len(data.cohort)
    weights = np.zeros((len(data.periods), len(cells)))
    for at, cell in enumerate(cells):
        for period, weight in cell.weights:
            weights[period, at] = weight
    first = np.array(treated, dtype=bool).reshape(len(cells), n).T
    second = np.array(control, dtype=bool).reshape(len(cells), n).T
    change = data.outcome @ weights
    size_first, size_second = first.sum(axis=0), second.sum(axis=0)
    mean_first = (change * first).sum(axis=0) / size_first
    mean_second = (change * second).sum(axis=0) / size_second
    return Comparisons(
        cells,
        mean_first - mean_second,
        first * (change - mean_first) * (n / size_first),
        second * (mean_second - change) * (n / size_second),
        size_first / n,
        first,
        second,
    )
