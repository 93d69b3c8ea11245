"""Bands of a feature that people name: years as a customer."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

YEARS = (1, 3)
YEARS_BANDS = ("up_to_one", "one_to_three", "over_three")


def years_band(days: pd.Series, as_of: date) -> pd.Series:
    """How long a customer has been one: up to one year, up to three, longer.

    Parameters
    ----------
    days
        ``relationship_days`` or ``tenure_days``.
    as_of
        The day they were counted to.

    Returns
    -------
    pandas.Series
        ``up_to_one`` (≤ 1 year), ``one_to_three`` (> 1, ≤ 3), ``over_three`` (> 3), None where
        the days are not known (requirement 001-12). Years are calendar years and the upper end
        is closed: a customer since the same day one year ago is still in the first band, leap
        year or not.
    """
    end = pd.Timestamp(as_of)
    edges = [(end - (end - pd.DateOffset(years=years))).days for years in YEARS]
    values = days.to_numpy(float)
    found = np.array(YEARS_BANDS, dtype=object)[np.searchsorted(edges, np.nan_to_num(values))]
    found[np.isnan(values)] = None
    return pd.Series(found, index=days.index, dtype=object)
