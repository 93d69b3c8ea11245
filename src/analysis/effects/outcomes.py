"""What the customers of a measure bought, and what they bought before it."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pyarrow as pa

from analysis.calendars import Period
from analysis.engine import query, to_frame

_SQL = """
SELECT c.customer_id,
       CAST(coalesce(sum(CASE WHEN o.day BETWEEN $start AND $end THEN o.amount END), 0)
            AS DECIMAL(18, 4)) AS value,
       CAST(coalesce(sum(CASE WHEN o.day BETWEEN $from AND $to THEN o.amount END), 0)
            AS DECIMAL(18, 4)) AS before
FROM (SELECT DISTINCT customer_id FROM treated) AS c
LEFT JOIN (
    SELECT customer_id, CAST(ordered_at AS DATE) AS day, amount FROM orders
) AS o USING (customer_id)
GROUP BY c.customer_id
ORDER BY c.customer_id
"""


def outcomes_from_orders(
    orders: pa.Table, treatments: pd.DataFrame | pa.Table, period: Period
) -> pd.DataFrame:
    """Revenue of every customer in `treatments`, in the period and before the measure.

    The baseline must not overlap with what triggered the measure or with the measure itself:
    it is the window as long as the period that ends on the day before the earliest
    ``started_on``, or before the period where that is earlier. A customer without orders has
    bought for 0.

    Parameters
    ----------
    orders
        RECORD ``orders``.
    treatments
        RECORD ``treatments``; held-out customers included.
    period
        The period in which the measures ran.

    Returns
    -------
    DataFrame
        customer_id, outcome (``revenue``), value, before [currency]; one row a customer,
        sorted. ``before`` is missing for everyone where the orders do not reach back to it.
    """
    table = treatments if isinstance(treatments, pa.Table) else _arrow(treatments)
    start, end = baseline(table, period)
    found = query(
        _SQL,
        {"start": period.start, "end": period.end, "from": start, "to": end},
        orders=orders.select(["customer_id", "ordered_at", "amount"]),
        treated=table.select(["customer_id"]),
    )
    frame = to_frame(found)
    if not _reaches(orders, end):
        frame["before"] = float("nan")
    frame.insert(1, "outcome", "revenue")
    return frame


def baseline(treatments: pa.Table, period: Period) -> tuple[date, date]:
    """First and last day of the window before the measures (see `outcomes_from_orders`)."""
    first = period.start
    if "started_on" in treatments.column_names:
        started = [day for day in treatments.column("started_on").to_pylist() if day is not None]
        first = min([first, *(day.date() if hasattr(day, "date") else day for day in started)])
    return first - timedelta(days=period.days), first - timedelta(days=1)


def _reaches(orders: pa.Table, day: date) -> bool:
    """Whether there is any order on or before `day`: otherwise 0 would mean "not recorded"."""
    found = query(
        "SELECT count(*) AS n FROM orders WHERE CAST(ordered_at AS DATE) <= $day",
        {"day": day},
        orders=orders.select(["ordered_at"]),
    )
    return bool(found.column("n")[0].as_py())


def _arrow(treatments: pd.DataFrame) -> pa.Table:
    columns = {"customer_id": pa.array(treatments["customer_id"].astype(str), pa.string())}
    if "started_on" in treatments:
        days = pd.to_datetime(treatments["started_on"])
        columns["started_on"] = pa.array(days, pa.timestamp("us"), from_pandas=True)
    return pa.table(columns)
