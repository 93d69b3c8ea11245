"""Where the money came from and went to since the period before, to the cent."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from analysis.calendars import Period
from analysis.engine import query, to_frame

STEPS = ("previous", "new", "returned", "more", "less", "not_bought", "current")

_SQL = """
WITH lines AS (
    SELECT customer_id, CAST(ordered_at AS DATE) AS day, amount FROM orders
), customers AS (
    SELECT customer_id,
           min(day) AS first_day,
           count(CASE WHEN day BETWEEN $start AND $end THEN 1 END) AS lines_now,
           count(CASE WHEN day BETWEEN $from AND $to THEN 1 END) AS lines_then,
           coalesce(sum(CASE WHEN day BETWEEN $start AND $end THEN amount END), 0) AS now,
           coalesce(sum(CASE WHEN day BETWEEN $from AND $to THEN amount END), 0) AS before
    FROM lines GROUP BY customer_id
), steps AS (
    SELECT CASE WHEN lines_now = 0 THEN 'not_bought'
                WHEN lines_then > 0 AND now > before THEN 'more'
                WHEN lines_then > 0 AND now < before THEN 'less'
                WHEN lines_then > 0 THEN 'same'
                WHEN first_day >= $start THEN 'new'
                ELSE 'returned' END AS step,
           now - before AS amount
    FROM customers WHERE lines_now > 0 OR lines_then > 0
)
SELECT step, CAST(sum(amount) AS DECIMAL(18, 4)) AS amount, count(*) AS customers
FROM steps GROUP BY step
UNION ALL
SELECT 'previous', CAST(coalesce(sum(before), 0) AS DECIMAL(18, 4)), count(*)
FROM customers WHERE lines_then > 0
UNION ALL
SELECT 'current', CAST(coalesce(sum(now), 0) AS DECIMAL(18, 4)), count(*)
FROM customers WHERE lines_now > 0
"""


def bridge(orders: pa.Table, period: Period, previous: Period | None = None) -> pd.DataFrame:
    """Revenue of the previous period turned into that of this one.

    Parameters
    ----------
    orders
        RECORD ``orders``.
    period
        The period.
    previous
        What it is compared with; default: the period before.

    Returns
    -------
    DataFrame
        RECORD ``bridge``, the steps in order. ``new``: first order ever in the period;
        ``returned``: ordered before, but not in the previous period; ``more``, ``less``:
        ordered in both; ``not_bought``: ordered then and not now. previous + new + returned +
        more + less + not_bought = current, exactly: the sums are those of decimal numbers.
        Customers who bought for exactly the same money count in none of the changes.
    """
    found = steps(orders, period, previous or period.previous())
    frame = to_frame(found).set_index("step").reindex(list(STEPS))
    frame["amount"] = frame["amount"].fillna(0.0)
    frame["customers"] = frame["customers"].fillna(0).astype("int64")
    return frame.reset_index()[["step", "amount", "customers"]]


def steps(orders: pa.Table, period: Period, then: Period) -> pa.Table:
    """The steps that occur, with money as decimal numbers: step, amount, customers."""
    return query(
        _SQL,
        {"start": period.start, "end": period.end, "from": then.start, "to": then.end},
        orders=orders.select(["customer_id", "ordered_at", "amount"]),
    )
