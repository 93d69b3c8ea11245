"""What customers bought in the period, before the measure, and period by period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pandas as pd
import pyarrow as pa

from analysis.calendars import Period
from analysis.engine import query, to_frame

REVENUE = "revenue"
_LATE = timedelta(days=7)  # orders that begin later than this within a period cover a part of it

_OUTCOMES = """
SELECT c.customer_id,
       CAST(coalesce(sum(CASE WHEN o.day BETWEEN $start AND $end THEN o.amount END), 0)
            AS DECIMAL(18, 4)) AS value,
       CAST(coalesce(sum(CASE WHEN o.day BETWEEN $from AND $to THEN o.amount END), 0)
            AS DECIMAL(18, 4)) AS before
FROM who AS c
LEFT JOIN (
    SELECT customer_id, CAST(ordered_at AS DATE) AS day, amount FROM orders
) AS o USING (customer_id)
GROUP BY c.customer_id
ORDER BY c.customer_id
"""

_PANEL = """
WITH bought AS (
    SELECT o.customer_id, p.period, CAST(sum(o.amount) AS DECIMAL(18, 4)) AS value
    FROM orders AS o
    JOIN periods AS p ON CAST(o.ordered_at AS DATE) BETWEEN p.first_day AND p.last_day
    GROUP BY o.customer_id, p.period
)
SELECT c.customer_id, p.period,
       CAST(coalesce(b.value, 0) AS DECIMAL(18, 4)) AS value
FROM who AS c CROSS JOIN periods AS p
LEFT JOIN bought AS b ON b.customer_id = c.customer_id AND b.period = p.period
ORDER BY c.customer_id, p.period
"""

_TRAITS = """
WITH lines AS (
    SELECT customer_id, CAST(ordered_at AS DATE) AS day, amount,
           CAST(floor(date_diff('day', CAST(ordered_at AS DATE), $day) / $days) AS INTEGER) + 1
               AS back
    FROM orders WHERE CAST(ordered_at AS DATE) <= $day
), reach AS (
    SELECT date_diff('day', min(day), $day) + 1 AS span FROM lines
), seen AS (
    SELECT customer_id,
           sum(CASE WHEN back = 1 THEN amount END) AS money_1,
           sum(CASE WHEN back = 2 THEN amount END) AS money_2,
           sum(CASE WHEN back = 3 THEN amount END) AS money_3,
           sum(CASE WHEN back = 4 THEN amount END) AS money_4,
           min(day) AS first_day, max(day) AS last_day, count(DISTINCT day) AS days_ever,
           count(DISTINCT CASE WHEN day > $year_ago THEN day END) AS days_year
    FROM lines GROUP BY customer_id
)
SELECT c.customer_id,
       CAST(coalesce(s.money_1, 0) AS DECIMAL(18, 4)) AS money_1,
       CAST(coalesce(s.money_2, 0) AS DECIMAL(18, 4)) AS money_2,
       CAST(coalesce(s.money_3, 0) AS DECIMAL(18, 4)) AS money_3,
       CAST(coalesce(s.money_4, 0) AS DECIMAL(18, 4)) AS money_4,
       CAST(coalesce(date_diff('day', s.last_day, $day), reach.span) AS DOUBLE) AS recency_days,
       CAST(coalesce(s.days_year, 0) AS DOUBLE) AS order_days,
       CAST(CASE WHEN s.days_ever > 1
                 THEN date_diff('day', s.first_day, s.last_day) / (s.days_ever - 1)
                 ELSE reach.span END AS DOUBLE) AS cycle_days,
       CAST(coalesce(date_diff('day', s.first_day, $day), 0) AS DOUBLE) AS tenure_days
FROM who AS c CROSS JOIN reach LEFT JOIN seen AS s USING (customer_id)
WHERE reach.span IS NOT NULL
ORDER BY c.customer_id
"""


def outcomes_from_orders(
    orders: pa.Table,
    treatments: pd.DataFrame | pa.Table,
    period: Period,
    customers: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Revenue of every customer, in the period and before the measure.

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
    customers
        RECORD ``customers``: those in scope whom no measure reached are there to be compared
        with. None: only the customers of the measures.

    Returns
    -------
    DataFrame
        customer_id, outcome (``revenue``), value, before [currency]; one row a customer,
        sorted. ``before`` is missing for everyone where the orders do not reach back to it.
    """
    start, end = baseline(treatments, period)
    found = query(
        _OUTCOMES,
        {"start": period.start, "end": period.end, "from": start, "to": end},
        orders=orders.select(["customer_id", "ordered_at", "amount"]),
        who=_who(treatments, customers),
    )
    frame = to_frame(found)
    first = _first_day(orders)
    if first is None or first > end:  # 0 would mean "not recorded"
        frame["before"] = float("nan")
    frame.insert(1, "outcome", REVENUE)
    return frame


def panel_from_orders(
    orders: pa.Table, customers: pd.DataFrame, periods: Sequence[Period]
) -> pd.DataFrame:
    """Revenue of every customer in every period.

    Parameters
    ----------
    orders
        RECORD ``orders``.
    customers
        RECORD ``customers``: who is in scope.
    periods
        One after the other, the latest last.

    Returns
    -------
    DataFrame
        customer_id, period (0, 1, … of those the orders cover, the latest last), value
        [currency]; 0 where nothing was bought. Sorted.
    """
    first = _first_day(orders)
    covered = [p for p in periods if first is not None and first <= p.start + _LATE]
    spans = pa.table(
        {
            "period": pa.array(range(len(covered)), pa.int64()),
            "first_day": pa.array([p.start for p in covered], pa.date32()),
            "last_day": pa.array([p.end for p in covered], pa.date32()),
        }
    )
    found = query(
        _PANEL,
        orders=orders.select(["customer_id", "ordered_at", "amount"]),
        periods=spans,
        who=_who(customers, None),
    )
    return to_frame(found)


def traits_from_orders(
    orders: pa.Table,
    treatments: pd.DataFrame | pa.Table,
    period: Period,
    customers: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """What was known of every customer on the day before the measure.

    Parameters
    ----------
    orders, treatments, period, customers
        As of `outcomes_from_orders`; nothing after the baseline is seen.

    Returns
    -------
    DataFrame
        customer_id; money_1 … money_4: money of the last windows as long as the period, the
        latest first [currency]; recency_days; order_days: days with an order in the last year
        [days]; cycle_days: mean distance of order days; tenure_days since the first order. Who
        never bought, or only once, has a recency or a cycle as long as the orders reach back.
        Empty where they do not.
    """
    _, day = baseline(treatments, period)
    found = query(
        _TRAITS,
        {"day": day, "days": period.days, "year_ago": day - timedelta(days=365)},
        orders=orders.select(["customer_id", "ordered_at", "amount"]),
        who=_who(treatments, customers),
    )
    return to_frame(found)


def baseline(treatments: pd.DataFrame | pa.Table, period: Period) -> tuple[date, date]:
    """First and last day of the window before the measures (see `outcomes_from_orders`)."""
    first = period.start
    frame = to_frame(treatments) if isinstance(treatments, pa.Table) else treatments
    if "started_on" in frame:
        started = pd.to_datetime(frame["started_on"]).min()
        if not pd.isna(started):
            first = min(first, started.date())
    return first - timedelta(days=period.days), first - timedelta(days=1)


def _first_day(orders: pa.Table) -> date | None:
    """Day of the first order."""
    found = query(
        "SELECT min(CAST(ordered_at AS DATE)) AS day FROM orders",
        orders=orders.select(["ordered_at"]),
    )
    day = found.column("day")[0].as_py()
    return day.date() if day is not None else None


def _who(first: pd.DataFrame | pa.Table, second: pd.DataFrame | None) -> pa.Table:
    """The customers of one or two tables, each once."""
    tables = [part for part in (first, second) if part is not None]
    known: set[str] = set()
    for part in tables:
        column = part["customer_id"]
        values = column.to_pylist() if isinstance(column, pa.ChunkedArray) else column.astype(str)
        known.update(values)
    return pa.table({"customer_id": pa.array(sorted(known), pa.string())})
