"""Where low ends and high begins.

Settings come first, then the previous period's frozen cuts, then the data. Estimated cuts are
terciles that never part equal values. A cut can only lie in a gap between two values that
differ:

- *low* ends at the gap below which the share of customers is nearest to a third,
- *mid* ends at the gap above that one that is nearest to halving the rest,
- *high* is what remains; of two gaps equally near the lower one is taken.

Where no second gap is left, the upper customers are high if they are the minority, else mid.
Without ties these are terciles. With 80 % one-order customers low is "one order", and the
others are parted between mid and high. Two hundred identical customers have no gap: all are
low. Customers without a positive value (no order in the window) say nothing about sizes: they
are left out of the estimate and always score low.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import Problem, SettingsError
from analysis.settings_model import Segmentation

# score → the feature it reads, its unit, and the smallest step between two values
SCORES: dict[str, tuple[str, str, float]] = {
    "frequency": ("frequency", "count", 1.0),
    "monetary": ("monetary", "money", 0.0001),
    "mean_order": ("mean_order", "money", 0.0001),
}
COLUMNS = ["score", "boundary", "value", "unit", "source"]


def estimate_cuts(
    features: pd.DataFrame, settings: Segmentation, previous: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The boundaries of every score.

    Parameters
    ----------
    features
        RECORD ``features``.
    settings
        ``frequency_cuts``, ``monetary_cuts`` and ``mean_order_cuts`` win where given.
    previous
        RECORD ``cuts`` of the previous period: reused as they are, so that a customer does not
        move because the others did. None re-estimates on purpose.

    Returns
    -------
    pandas.DataFrame
        RECORD ``cuts``. ``value`` is the first value of the upper band: a customer with exactly
        that value is in the upper band. The recency boundary is the last value that is still
        near. A score that nobody has a positive value in gets no rows; all are low.

    Raises
    ------
    SettingsError
        If two cuts of the settings do not rise.
    """
    recency = settings.recency
    own_cycle = recency.mode == "own_cycle"
    rows: list[tuple[str, int, float, str, str]] = [
        (
            "recency",
            1,
            recency.far_cycles if own_cycle else float(recency.window_days),
            "cycles" if own_cycle else "days",
            "settings",
        )
    ]
    problems: list[Problem] = []
    for score, (feature, unit, step) in SCORES.items():
        given: Sequence[float] | None = getattr(settings, f"{score}_cuts")
        source = "settings"
        if given is not None and not 0 < given[0] < given[1]:
            problems.append(
                Problem(
                    "segmentation.cuts_must_rise",
                    {"setting": f"segmentation.{score}_cuts", "found": list(given)},
                )
            )
            continue
        if given is None and previous is not None:
            given, source = _frozen(previous, score), "previous"
        if given is None:
            given, source = _terciles(features[feature].to_numpy(float), step), "estimated"
        if given is not None:
            rows += [(score, i + 1, float(value), unit, source) for i, value in enumerate(given)]
    if problems:
        raise SettingsError(problems)
    return pd.DataFrame(rows, columns=COLUMNS)


def _frozen(previous: pd.DataFrame, score: str) -> list[float] | None:
    rows = previous[previous["score"] == score].sort_values("boundary")
    values = [float(value) for value in rows["value"]]
    return values if len(values) == 2 else None


def _terciles(values: NDArray[np.float64], step: float) -> list[float] | None:
    """First value of mid and of high; one or two steps above the largest where a band is empty."""
    known = values[~np.isnan(values)]
    levels, counts = np.unique(known[known > 0], return_counts=True)
    if len(levels) == 0:
        return None
    below = np.cumsum(counts)
    # Whole numbers on both sides: a third of 300 customers is 100, without binary dust.
    gaps = below[:-1]
    beyond = float(levels[-1]) + step
    if len(gaps) == 0:
        return [beyond, beyond + step]
    low = int(np.argmin(np.abs(3 * gaps - below[-1])))
    if low + 1 == len(gaps):
        upper = float(levels[low + 1])
        return [upper, upper if 2 * gaps[low] > below[-1] else beyond]
    rest = below[-1] - gaps[low]
    mid = low + 1 + int(np.argmin(np.abs(2 * (gaps[low + 1 :] - gaps[low]) - rest)))
    return [float(levels[low + 1]), float(levels[mid + 1])]
