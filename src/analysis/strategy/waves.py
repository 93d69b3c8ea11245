"""Who starts now and who in the next wave, drawn so that the effect can be seen.

Only extra measures are drawn. The largest accounts are outside the draw, and so is every duty.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.stats import keyed_uniform

FIRST, LATER, EXEMPT = "first", "later", "exempt"
BANDS = 3


def draw(
    customers: pd.DataFrame, exempt: frozenset[str], later_share: float, seed: int, salt: str
) -> np.ndarray:
    """The wave of each customer of one strategy.

    Within each third by money, a share of the customers goes into the later wave: those with
    the smallest number that their customer number, the seed and the salt give. Neither the
    order of the rows nor other customers' numbers matter to it.

    Parameters
    ----------
    customers
        customer_id, segment, monetary; each customer once.
    exempt
        Customers outside the draw.
    later_share
        Share of each third that waits, 0-1. Where that is no whole number of customers, the
        part is drawn too, so that small groups wait as often as large ones.
    seed, salt
        The run's seed, and what the draw is for: period and strategy.

    Returns
    -------
    ndarray of str
        first, later or exempt, row for row.
    """
    waves = np.full(len(customers), FIRST, dtype=object)
    ids = customers["customer_id"].to_numpy(dtype=object)
    outside = np.array([key in exempt for key in ids], dtype=bool)
    waves[outside] = EXEMPT
    drawn = pd.DataFrame(
        {
            "place": np.flatnonzero(~outside),
            "key": ids[~outside],
            "segment": customers["segment"].to_numpy(dtype=object)[~outside],
            "money": customers["monetary"].fillna(0.0).to_numpy(float)[~outside],
        }
    ).sort_values(["segment", "money", "key"], kind="stable")
    drawn["chance"] = keyed_uniform(drawn["key"], seed, salt)
    rank = drawn.groupby("segment").cumcount()
    size = drawn.groupby("segment")["key"].transform("size")
    drawn["band"] = rank * BANDS // size
    for (segment, band), group in drawn.groupby(["segment", "band"], sort=True):
        part = keyed_uniform([f"{segment}|{band}"], seed, f"{salt}|rounding")[0]
        # 1e-9: 0.3 × 10 must count as 3
        waiting = int(np.floor(later_share * len(group) + part + 1e-9))
        chosen = group.sort_values(["chance", "key"], kind="stable")["place"].to_numpy()
        waves[chosen[: min(waiting, len(group))]] = LATER
    return waves


def largest(features: pd.DataFrame, count: int) -> frozenset[str]:
    """The customers with the most money, ties by customer number."""
    ordered = features.assign(money=-features["monetary"].fillna(0.0)).sort_values(
        ["money", "customer_id"], kind="stable"
    )
    return frozenset(ordered["customer_id"].head(count))
