"""The portrait of every segment: trait by trait, against the other customers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.personas.compare import Difference, lift, number, share
from analysis.personas.traits import Number, Share, gather
from analysis.settings_model import Personas
from analysis.stats import benjamini_hochberg

COLUMNS = [
    "segment",
    "aspect",
    "trait",
    "value",
    "unit",
    "statistic",
    "lift",
    "low",
    "high",
    "n",
    "rest",
    "notable",
]


def profile(
    segments: pd.DataFrame,
    features: pd.DataFrame,
    customers: pd.DataFrame,
    settings: Personas,
    *,
    activities: pa.Table | None = None,
    tickets: pa.Table | None = None,
) -> pd.DataFrame:
    """Compare each segment with the other customers.

    Parameters
    ----------
    segments, features, customers
        RECORD tables; customers that have a segment count.
    settings
        Smallest group, level of intervals, false discoveries, levels shown.
    activities, tickets
        RECORD tables with texts, kinds and answering times; None: those traits are missing.

    Returns
    -------
    pandas.DataFrame
        RECORD ``personas``, sorted by segment, aspect and trait. Every segment has the row
        ``basic`` / ``customers`` (its share of all customers); other rows need
        ``settings.min_group`` customers of the segment, and as many others, of whom the trait is
        known. ``value`` is a share, a mean (counts, ratings) or a median (money, days).

    Notes
    -----
    ``notable``: the difference to the rest is found at a false discovery rate of
    ``settings.false_discovery`` (Benjamini and Hochberg, 1995). The traits that segments are
    made from (money, orders, recency, tenure) differ by construction. They are judged among
    themselves: their sure findings would loosen the threshold for all the others.
    """
    frame = _joined(segments, features, customers)
    if frame.empty:
        return pd.DataFrame(columns=COLUMNS)
    names = sorted(frame["segment"].unique())
    inside = {name: (frame["segment"] == name).to_numpy() for name in names}
    rows = [_size(name, inside[name]) for name in names]
    tested: list[tuple[dict[str, Any], float, bool]] = []
    for trait in gather(
        frame,
        activities,
        tickets,
        min_group=settings.min_group,
        top_levels=settings.top_levels,
    ):
        for name in names:
            if isinstance(trait, Share):
                found = share(trait, inside[name], settings.level, settings.min_group)
            else:
                found = number(trait, inside[name], settings.level, settings.min_group)
            if found is not None:
                tested.append((_row(name, trait, found), found.p, trait.defining))
    for defining in (True, False):
        family = [(row, p) for row, p, own in tested if own is defining]
        adjusted = benjamini_hochberg([p for _, p in family])
        for (row, _), q in zip(family, adjusted, strict=True):
            rows.append(row | {"notable": bool(q <= settings.false_discovery)})
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.sort_values(["segment", "aspect", "trait"], kind="stable", ignore_index=True)


def _joined(
    segments: pd.DataFrame, features: pd.DataFrame, customers: pd.DataFrame
) -> pd.DataFrame:
    own = customers.drop(columns=[c for c in customers.columns if c in features.columns[1:]])
    frame = segments[["customer_id", "segment"]].merge(features, on="customer_id")
    frame = frame.merge(own, on="customer_id", how="left")
    return frame.sort_values("customer_id", kind="stable", ignore_index=True)


def _size(name: str, inside: np.ndarray[Any, np.dtype[np.bool_]]) -> dict[str, Any]:
    """How large the segment is: a count of everyone, so without interval and test."""
    return {
        "segment": name,
        "aspect": "basic",
        "trait": "customers",
        "value": float(inside.mean()),
        "unit": "share",
        "statistic": "share",
        "lift": math.nan,
        "low": math.nan,
        "high": math.nan,
        "n": int(inside.sum()),
        "rest": math.nan,
        "notable": False,
    }


def _row(name: str, trait: Share | Number, found: Difference) -> dict[str, Any]:
    return {
        "segment": name,
        "aspect": trait.aspect,
        "trait": trait.trait,
        "value": found.value,
        "unit": "share" if isinstance(trait, Share) else trait.unit,
        "statistic": "share" if isinstance(trait, Share) else trait.statistic,
        "lift": lift(found.value, found.rest),
        "low": found.low,
        "high": found.high,
        "n": found.n,
        "rest": found.rest,
        "notable": False,
    }
