"""How far a customer is from the cuts that band it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.segmentation.cuts import SCORES
from analysis.segmentation.scores import BANDS

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Place = Callable[[pd.DataFrame], pd.DataFrame]

COLUMNS = [
    "customer_id",
    "score",
    "feature",
    "unit",
    "value",
    "band",
    "toward",
    "rising",
    "cut",
    "gap",
    "days",
]


def cut_distances(features: pd.DataFrame, cuts: pd.DataFrame) -> pd.DataFrame:
    """The cuts next to every customer's values.

    Parameters
    ----------
    features
        RECORD ``features``; any customers of them.
    cuts
        RECORD ``cuts``.

    Returns
    -------
    pandas.DataFrame
        One row a customer, score and band beside its own, in the order of the features and
        scores: ``band`` it is in, ``toward`` the band on the other side, ``rising`` whether the
        value must rise to get there, ``cut`` between them, ``gap`` the change that brings it
        over, at least zero, in the feature's ``unit``. A whole number has to fall by one more
        than the difference: the cut itself belongs to the upper band. Of recency, ``days`` says
        the gap in whole days: of silence until it is far, or beyond the cut. Customers without
        a value have no row for that score.
    """
    parts = [_recency(features, cuts)]
    for score, (feature, unit, step) in SCORES.items():
        values = features[feature].to_numpy(float)
        whole = step if unit == "count" else 0.0
        for own, edges in _edges(features, cuts, score):
            band = np.where(own & ~np.isnan(values), np.searchsorted(edges, values, "right"), -1)
            for at, cut in enumerate(edges):
                kind, low, high = (score, feature, unit, cut), BANDS[at], BANDS[at + 1]
                up, down = cut - values, values - cut + whole
                parts += [
                    _rows(features, band == at, kind, (low, high), up, rising=True),
                    _rows(features, band == at + 1, kind, (high, low), down, rising=False),
                ]
    found = pd.concat(parts, ignore_index=True)
    order = pd.Index(features["customer_id"]).get_indexer(found["customer_id"])
    return found.iloc[np.argsort(order, kind="stable")][COLUMNS].reset_index(drop=True)


def _edges(features: pd.DataFrame, cuts: pd.DataFrame, score: str) -> Iterator[tuple[Mask, Floats]]:
    """The cuts of a score and whose they are: an industry may have cuts of its own."""
    rows = cuts[cuts["score"] == score].sort_values("boundary")
    industry = rows["industry"].fillna("") if "industry" in rows else pd.Series("", rows.index)
    peers = features.get("peer_industry", pd.Series(None, features.index, dtype=object))
    others = np.ones(len(features), dtype=bool)
    for name in sorted(set(industry) - {""}):
        own = (peers == name).to_numpy(bool)
        others &= ~own
        yield own, rows.loc[industry == name, "value"].to_numpy(float)
    yield others, rows.loc[industry == "", "value"].to_numpy(float)


def boundary_cases(
    features: pd.DataFrame,
    segments: pd.DataFrame,
    cuts: pd.DataFrame,
    place: Place,
    near: float,
) -> pd.DataFrame:
    """Customers whom a small step over one cut would put into another segment.

    Parameters
    ----------
    segments
        RECORD ``segments`` as the rules place them.
    place
        The scheme: RECORD ``features`` in, RECORD ``segments`` out. Customers near a cut are
        placed again with the one value moved over it.
    near
        A gap of at most this share of the cut is near.

    Returns
    -------
    pandas.DataFrame
        Columns of `cut_distances` and ``other_segment``; one row a customer: its nearest cut
        that matters. Sorted by customer.
    """
    gaps = cut_distances(features, cuts)
    gaps = gaps[gaps["gap"] <= near * gaps["cut"].abs()]
    own = segments.set_index("customer_id")["segment"]
    parts = []
    for (feature, _toward), group in gaps.groupby(["feature", "toward"], sort=True):
        moved = features[features["customer_id"].isin(group["customer_id"])].copy()
        step = group.set_index("customer_id").loc[moved["customer_id"]]
        moved[feature] = _beyond(step)
        there = place(moved).set_index("customer_id")["segment"]
        other = there.reindex(group["customer_id"]).to_numpy(object)
        parts.append(group.assign(other_segment=other))
    if not parts:
        return pd.DataFrame(columns=[*COLUMNS, "other_segment"])
    found = pd.concat(parts)
    found = found[found["other_segment"] != found["customer_id"].map(own)]
    found = found.assign(_near=found["gap"] / found["cut"].abs())
    found = found.sort_values(["customer_id", "_near", "score", "toward"], kind="stable")
    found = found.drop_duplicates("customer_id").reset_index(drop=True)
    return found[[*COLUMNS, "other_segment"]]


def _beyond(step: pd.DataFrame) -> Floats:
    """The first value on the other side of the cut."""
    cut = step["cut"].to_numpy(float)
    # The cut of recency is still near; every other one belongs to the upper band.
    rising = np.where(step["toward"] == "far", np.nextafter(cut, np.inf), cut)
    below = np.where(step["unit"] == "count", cut - 1, np.nextafter(cut, -np.inf))
    falling = np.where(step["toward"] == "near", cut, below)
    return np.where(step["rising"], rising, falling)


def _recency(features: pd.DataFrame, cuts: pd.DataFrame) -> pd.DataFrame:
    """Near and far: the cut itself is near."""
    boundary = cuts[cuts["score"] == "recency"]
    if boundary.empty:
        return pd.DataFrame(columns=COLUMNS)
    cut, unit = float(boundary["value"].iloc[0]), str(boundary["unit"].iloc[0])
    feature = "recency_cycles" if unit == "cycles" else "recency_days"
    values = features[feature].to_numpy(float)
    kind = ("recency", feature, unit, cut)
    step = 1.0 if unit == "days" else 0.0
    near = _rows(features, values <= cut, kind, ("near", "far"), cut - values + step, rising=True)
    far = _rows(features, values > cut, kind, ("far", "near"), values - cut, rising=False)
    found = pd.concat([near, far], ignore_index=True)
    if unit == "days":
        return found.assign(days=np.ceil(found["gap"]))
    cycle = features.set_index("customer_id")["expected_interval_days"]
    days = found["gap"] * found["customer_id"].map(cycle)
    # At the cut itself a customer is still near: far comes the day after.
    return found.assign(days=np.where(found["rising"], np.floor(days) + 1, np.ceil(days)))


def _rows(
    features: pd.DataFrame,
    here: Mask,
    kind: tuple[str, str, str, float],
    way: tuple[str, str],
    gap: Floats,
    *,
    rising: bool,
) -> pd.DataFrame:
    score, feature, unit, cut = kind
    return pd.DataFrame(
        {
            "customer_id": features["customer_id"].to_numpy()[here],
            "score": score,
            "feature": feature,
            "unit": unit,
            "value": features[feature].to_numpy(float)[here],
            "band": way[0],
            "toward": way[1],
            "rising": rising,
            "cut": float(cut),
            "gap": gap[here],
        }
    )
