"""Near or far; low, mid or high. Equal values get equal scores."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.segmentation.cuts import SCORES

RECENCY = ("none", "near", "far")
BANDS = ("low", "mid", "high")


def scores(features: pd.DataFrame, cuts: pd.DataFrame) -> pd.DataFrame:
    """Score every customer.

    Parameters
    ----------
    features
        RECORD ``features``.
    cuts
        RECORD ``cuts``, as `estimate_cuts` gives them.

    Returns
    -------
    pandas.DataFrame
        One row a row of `features`, in the same order: ``customer_id``; ``recency`` (none
        without an order, near, far); ``frequency``, ``monetary``, ``mean_order`` (low, mid,
        high). A missing value is low.

    Notes
    -----
    far is strictly above the recency boundary; a value equal to another boundary belongs to
    the upper band.
    """
    boundary = cuts[cuts["score"] == "recency"].iloc[0]
    column = "recency_cycles" if boundary["unit"] == "cycles" else "recency_days"
    recency = features[column].to_numpy(float)
    known = ~np.isnan(features["recency_days"].to_numpy(float))
    place = np.where(known, np.where(recency > float(boundary["value"]), 2, 1), 0)
    found = {
        "customer_id": features["customer_id"].to_numpy(),
        "recency": np.array(RECENCY, dtype=object)[place],
    }
    for score, (feature, _, _) in SCORES.items():
        found[score] = np.array(BANDS, dtype=object)[
            _band(features[feature].to_numpy(float), boundaries(cuts, score))
        ]
    return pd.DataFrame(found)


def boundaries(cuts: pd.DataFrame, score: str) -> NDArray[np.float64]:
    """The boundaries of one score, rising; empty if it has none."""
    return cuts.loc[cuts["score"] == score].sort_values("boundary")["value"].to_numpy(float)


def _band(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.intp]:
    return np.where(np.isnan(values), 0, np.searchsorted(edges, values, side="right"))
