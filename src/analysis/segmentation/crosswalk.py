"""The same customers under several schemes, the company's own tier among them."""

from __future__ import annotations

import pandas as pd

OWN_TIER = "own_tier"


def crosswalk(
    segments: pd.DataFrame, customers: pd.DataFrame, *others: pd.DataFrame
) -> pd.DataFrame:
    """One row a customer and scheme.

    Parameters
    ----------
    segments
        RECORD ``segments`` of the primary scheme.
    customers
        RECORD ``customers``; ``own_tier`` becomes the scheme ``own_tier`` where it is filled in.
    others
        RECORD ``segments`` of further schemes.

    Returns
    -------
    pandas.DataFrame
        RECORD ``crosswalk``, sorted by customer, schemes in the given order.
    """
    columns = ["customer_id", "scheme", "segment"]
    parts = [frame[columns] for frame in (segments, *others)]
    if OWN_TIER in customers.columns:
        own = customers[customers["customer_id"].isin(segments["customer_id"])]
        own = own[own[OWN_TIER].notna() & (own[OWN_TIER] != "")]
        parts.append(own.assign(scheme=OWN_TIER).rename(columns={OWN_TIER: "segment"})[columns])
    found = pd.concat([part.astype(object) for part in parts], ignore_index=True)
    return found.sort_values("customer_id", kind="stable", ignore_index=True)
