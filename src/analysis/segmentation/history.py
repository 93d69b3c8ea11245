"""How many customers each segment had, period after period."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

COLUMNS = ["period", "segment", "customers"]


def history(placed: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Count customers by segment at the end of each period.

    Parameters
    ----------
    placed
        Period → RECORD ``segments`` as of its end, all placed with the same cuts.

    Returns
    -------
    pandas.DataFrame
        RECORD ``segment_history``, by period and segment.
    """
    counted = [
        frame.groupby("segment").size().rename("customers").reset_index().assign(period=period)
        for period, frame in placed.items()
        if len(frame)
    ]
    if not counted:
        return pd.DataFrame(columns=COLUMNS)
    return pd.concat(counted)[COLUMNS].sort_values(["period", "segment"], ignore_index=True)
