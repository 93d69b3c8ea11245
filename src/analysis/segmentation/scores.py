"""Near or far; low, mid or high. Equal values get equal scores."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.segmentation.cuts import ALL, SCORES, industry_codes

RECENCY = ("none", "near", "far")
BANDS = ("low", "mid", "high")
Codes: TypeAlias = NDArray[np.int8]


def scores(features: pd.DataFrame, cuts: pd.DataFrame) -> pd.DataFrame:
    """Score every customer.

    Parameters
    ----------
    features
        RECORD ``features``. Without ``peer_industry`` the cuts that all share are used.
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
    found = {"customer_id": features["customer_id"].to_numpy()}
    for score, codes in score_codes(features, cuts).items():
        found[score] = np.array(RECENCY if score == "recency" else BANDS, dtype=object)[codes]
    return pd.DataFrame(found)


def score_codes(features: pd.DataFrame, cuts: pd.DataFrame) -> dict[str, Codes]:
    """The scores as positions in `RECENCY` and `BANDS`, one byte a customer.

    Parameters
    ----------
    features, cuts
        As for `scores`.

    Returns
    -------
    dict
        recency, frequency, monetary, mean_order → array of the length of `features`.
    """
    boundary = cuts[cuts["score"] == "recency"].iloc[0]
    column = "recency_cycles" if boundary["unit"] == "cycles" else "recency_days"
    recency = features[column].to_numpy(float)
    known = ~np.isnan(features["recency_days"].to_numpy(float))
    codes = {"recency": known * (1 + (recency > float(boundary["value"]))).astype(np.int8)}
    for score, (feature, _, _) in SCORES.items():
        codes[score] = _band(features[feature].to_numpy(float), features, cuts, score)
    return codes


def boundaries(cuts: pd.DataFrame, score: str, industry: str = ALL) -> NDArray[np.float64]:
    """The boundaries of one score, rising; empty if it has none.

    Parameters
    ----------
    cuts
        RECORD ``cuts``.
    industry
        Its own boundaries, or those that all others share where it has none.
    """
    rows = cuts[cuts["score"] == score]
    if "industry" in rows.columns:
        rows = rows[rows["industry"] == (industry if (rows["industry"] == industry).any() else ALL)]
    return rows.sort_values("boundary")["value"].to_numpy(float)


def _band(
    values: NDArray[np.float64], features: pd.DataFrame, cuts: pd.DataFrame, score: str
) -> Codes:
    """How many boundaries a value has reached; none where it is missing."""
    rows = cuts[cuts["score"] == score]
    own = sorted(set(rows["industry"]) - {ALL}) if "industry" in rows.columns else []
    found = np.zeros(len(values), dtype=np.int8)
    if not own or "peer_industry" not in features.columns:
        for edge in boundaries(cuts, score):
            found += values >= edge
        return found
    # position of the customer's industry among those with cuts of their own; the last: all others
    codes, names = industry_codes(features)
    place = np.append(pd.Index(own).get_indexer(pd.Index(names, dtype=object)), -1)[codes]
    edges = np.array([boundaries(cuts, score, name) for name in (*own, ALL)])
    for edge in edges.T:
        found += values >= edge[place]
    return found
