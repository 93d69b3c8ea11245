"""The margin with which extra revenue is valued."""

from __future__ import annotations

import math
from datetime import date

import pandas as pd
import pyarrow as pa

from analysis.engine import query

_SQL = """
SELECT CAST(sum(CASE WHEN cost IS NOT NULL THEN amount END) AS DECIMAL(18, 4)) AS costed,
       CAST(sum(amount) AS DECIMAL(18, 4)) AS amount,
       CAST(sum(cost) AS DECIMAL(18, 4)) AS cost
FROM orders WHERE ordered_at >= $since
"""
_ENOUGH = 0.5  # share of revenue whose cost must be known


def margin_rate(orders: pa.Table, as_of: date, default: float) -> float:
    """Gross margin of the last twelve months where orders carry their cost.

    Parameters
    ----------
    orders
        RECORD ``orders``.
    default
        Rate where the cost of less than half the revenue is known (setting
        ``effectiveness.margin_rate``).

    Returns
    -------
    float
        Margin / revenue [share].
    """
    since = pd.Timestamp(as_of) - pd.DateOffset(years=1)
    row = query(_SQL, {"since": since.to_pydatetime()}, orders=orders).to_pylist()[0]
    amount, costed, cost = (float(row[k] or math.nan) for k in ("amount", "costed", "cost"))
    if not costed > 0 or not costed >= _ENOUGH * amount or math.isnan(cost):
        return default
    return (costed - cost) / costed
