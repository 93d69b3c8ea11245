"""One row a customer from orders, activities and tickets, as of a date.

Only rows dated on or before `as_of` are seen, so any past day can be recomputed and a
back-test cannot peek. Words used here:

order
    Lines with one order number whose money nets to more than zero. A credit note under a
    number of its own is no order; it does reduce money.
order day
    A day on which an order has a line with positive money. Later returns move no date.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa

from analysis.calendars import Period
from analysis.engine import conform, query, to_frame
from analysis.settings_model import Segmentation
from analysis.tables import RECORD

YEAR_DAYS = 365
CONTACT_KINDS = ("visit", "call")

# Windows are half open: the last N days up to and with as_of are `day > as_of − N`.
_SQL = """
WITH lines AS (
    SELECT customer_id, order_id, CAST(ordered_at AS DATE) AS day, amount, product
    FROM orders
    WHERE ordered_at < $end
),
-- one row an order: credit notes and fully returned orders drop out
bought AS (
    SELECT customer_id, order_id,
           min(day) FILTER (WHERE amount > 0) AS first_day,
           max(day) FILTER (WHERE amount > 0) AS last_day
    FROM lines
    GROUP BY customer_id, order_id
    HAVING sum(amount) > 0
),
per_order AS (
    SELECT customer_id,
           min(first_day) AS first_order_on,
           max(last_day) AS last_order_on,
           count(*) AS orders_ever,
           count(*) FILTER (WHERE last_day > $frequency_from) AS frequency,
           count(*) FILTER (WHERE last_day > $monetary_from) AS orders_monetary
    FROM bought
    GROUP BY customer_id
),
per_day AS (
    SELECT customer_id, count(DISTINCT day) - 1 AS intervals
    FROM lines
    JOIN bought USING (customer_id, order_id)
    WHERE amount > 0
    GROUP BY customer_id
),
per_line AS (
    SELECT customer_id,
           sum(amount) AS money_ever,
           sum(amount) FILTER (WHERE day > $frequency_from) AS money_frequency,
           sum(amount) FILTER (WHERE day > $monetary_from) AS monetary,
           sum(amount) FILTER (WHERE day BETWEEN $start AND $stop) AS revenue_period,
           sum(amount) FILTER (WHERE day BETWEEN $previous_start AND $previous_end)
               AS revenue_previous,
           sum(amount) FILTER (WHERE day BETWEEN $ago_start AND $ago_end) AS revenue_year_ago,
           count(DISTINCT product) FILTER (WHERE day > $monetary_from AND amount > 0)
               AS products
    FROM lines
    GROUP BY customer_id
),
-- known by then: an order, or a start date that is not in the future
known AS (
    SELECT customer_id, any_value(industry) AS industry
    FROM customers
    WHERE joined_on IS NULL OR joined_on < $end
       OR customer_id IN (SELECT customer_id FROM per_line)
    GROUP BY customer_id
    UNION ALL
    SELECT customer_id, NULL
    FROM per_line
    WHERE customer_id NOT IN (SELECT customer_id FROM customers)
),
cycles AS (
    SELECT customer_id, industry, intervals,
           date_diff('day', first_order_on, last_order_on) / nullif(intervals, 0) AS own
    FROM known
    JOIN per_order USING (customer_id)
    JOIN per_day USING (customer_id)
),
industry_cycles AS (
    SELECT industry, median(own) AS cycle
    FROM cycles
    WHERE own IS NOT NULL AND industry IS NOT NULL
    GROUP BY industry
),
usual_cycles AS (
    SELECT customer_id, intervals, own,
           coalesce(industry_cycles.cycle, (SELECT median(own) FROM cycles), $default_cycle)
               AS usual
    FROM cycles
    LEFT JOIN industry_cycles USING (industry)
),
expected AS (
    SELECT customer_id, intervals,
           CASE WHEN own IS NULL OR intervals + $weight = 0 THEN usual
                ELSE (intervals * own + $weight * usual) / (intervals + $weight)
           END AS expected_interval_days
    FROM usual_cycles
),
visited AS (
    SELECT customer_id, count(*) AS visits
    FROM activities
    WHERE happened_at >= $start AND happened_at < $end AND CAST(happened_at AS DATE) <= $stop
      AND kind IN (SELECT unnest($kinds))
    GROUP BY customer_id
),
served AS (
    SELECT customer_id, count(*) AS tickets,
           sum(CAST(satisfaction AS DECIMAL(18, 4))) / count(satisfaction) AS satisfaction
    FROM tickets
    WHERE opened_at < $end AND CAST(opened_at AS DATE) > $year_from
    GROUP BY customer_id
)
SELECT customer_id,
       $as_of AS as_of,
       CAST(date_diff('day', last_order_on, $as_of) AS DOUBLE) AS recency_days,
       coalesce(frequency, 0) AS frequency,
       CAST(coalesce(monetary, 0) AS DECIMAL(18, 4)) AS monetary,
       CAST(CASE WHEN orders_monetary > 0 THEN monetary / orders_monetary
                 WHEN frequency > 0 THEN money_frequency / frequency
                 WHEN orders_ever > 0 THEN money_ever / orders_ever END
            AS DECIMAL(18, 4)) AS mean_order,
       CAST(date_diff('day', first_order_on, $as_of) AS DOUBLE) AS tenure_days,
       expected_interval_days,
       date_diff('day', last_order_on, $as_of) / expected_interval_days AS recency_cycles,
       intervals,
       first_order_on,
       last_order_on,
       coalesce(orders_ever, 0) AS orders_ever,
       CAST(coalesce(revenue_period, 0) AS DECIMAL(18, 4)) AS revenue_period,
       CAST(coalesce(revenue_previous, 0) AS DECIMAL(18, 4)) AS revenue_previous,
       CAST(coalesce(revenue_year_ago, 0) AS DECIMAL(18, 4)) AS revenue_year_ago,
       coalesce(products, 0) AS products,
       CASE WHEN $with_activities THEN coalesce(visits, 0) END AS visits,
       CASE WHEN $with_tickets THEN coalesce(tickets, 0) END AS tickets,
       satisfaction
FROM known
LEFT JOIN per_line USING (customer_id)
LEFT JOIN per_order USING (customer_id)
LEFT JOIN expected USING (customer_id)
LEFT JOIN visited USING (customer_id)
LEFT JOIN served USING (customer_id)
ORDER BY customer_id
"""


def build(
    orders: pa.Table,
    customers: pd.DataFrame,
    activities: pa.Table | None = None,
    tickets: pa.Table | None = None,
    *,
    as_of: date,
    period: Period,
    settings: Segmentation,
) -> pd.DataFrame:
    """What is known of every customer at the end of `as_of`.

    Parameters
    ----------
    orders
        RECORD ``orders``; money DECIMAL(18,4).
    customers
        RECORD ``customers``. Those who joined after `as_of` and have no order by then are
        left out. Customers who stand only in `orders` are added.
    activities, tickets
        RECORD ``activities`` and ``tickets``; None or empty: their columns stay empty.
    as_of
        Last day that counts.
    period
        Period of ``revenue_period`` and ``visits`` (up to `as_of`); the one before it and the
        one a year before give the other two amounts.
    settings
        Windows and the weight of the industry's cycle.

    Returns
    -------
    pandas.DataFrame
        RECORD ``features``, one row a customer, sorted by ``customer_id``. Customers without
        an order have frequency 0, money 0 and no recency.

    Notes
    -----
    ``expected_interval_days`` shrinks a customer's own mean interval towards the median of its
    industry: ``(k · own + w · industry) / (k + w)`` with ``k`` own intervals between order
    days and ``w = settings.recency.cycle_weight`` (decision D11). The industry's median takes
    customers with at least two order days; without any it is that of all customers, and
    without those ``settings.recency.default_cycle_days``.

    ``mean_order`` is money per order in the monetary window; a customer whose last order lies
    before it keeps the mean of the frequency window, else of all time: the size of an order
    does not fade while the customer is away.
    """
    contracts = {"activities": activities, "tickets": tickets}
    params: dict[str, Any] = {
        "as_of": as_of,
        "end": datetime.combine(as_of + timedelta(days=1), time()),
        "frequency_from": as_of - timedelta(days=settings.frequency_days),
        "monetary_from": as_of - timedelta(days=settings.monetary_days),
        "year_from": as_of - timedelta(days=YEAR_DAYS),
        "start": period.start,
        "stop": min(as_of, period.end),
        "previous_start": period.previous().start,
        "previous_end": period.previous().end,
        "ago_start": period.year_ago().start,
        "ago_end": period.year_ago().end,
        "weight": float(settings.recency.cycle_weight),
        "default_cycle": float(settings.recency.default_cycle_days),
        "kinds": list(CONTACT_KINDS),
        **{f"with_{name}": bool(table) for name, table in contracts.items()},
    }
    found = query(
        _SQL,
        params,
        orders=orders,
        customers=_keys(customers),
        **{
            name: RECORD[name].schema().empty_table() if table is None else table
            for name, table in contracts.items()
        },
    )
    return to_frame(conform(found, RECORD["features"]))


def _keys(customers: pd.DataFrame) -> pa.Table:
    """The three customer columns the statement needs, typed even where all is empty."""
    schema = pa.schema(
        [
            ("customer_id", pa.string()),
            ("industry", pa.string()),
            ("joined_on", pa.timestamp("us")),
        ]
    )
    arrays = [
        pa.Array.from_pandas(customers[field.name], type=field.type, safe=False)
        if field.name in customers.columns
        else pa.nulls(len(customers), field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
