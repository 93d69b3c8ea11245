"""One row a customer from orders, contracts, use, contacts and service, as of a date.

Only rows dated on or before `as_of` are seen, so any past day can be recomputed and a
back-test cannot peek. Words used here:

order
    Lines with one order number whose money nets to more than zero. A credit note under a
    number of its own is no order; it does reduce money.
order day
    A day on which an order has a line with positive money. Later returns move no date.
activity
    Orders, visits and calls, and uses of the product, counted together.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa

from analysis.calendars import Period
from analysis.engine import Rows, conform, query, to_frame
from analysis.features.from_contracts import ACTIVITY, CONTRACTS, OWED, USAGE
from analysis.features.from_orders import CONTACTS, CYCLES, ORDERS
from analysis.settings_segmentation import Segmentation
from analysis.stored import Stored
from analysis.tables import RECORD

YEAR_DAYS = 365
SEASON_PEERS = 30  # fewer customers with use in both windows: no season is taken out
SAME_WEEKS = timedelta(weeks=52)  # a year ago by weeks: the same weekdays
CONTACT_KINDS = ("visit", "call")

_SELECT = """
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
       CASE WHEN met_at_all THEN coalesce(visits, 0) END AS visits,
       CASE WHEN served_at_all THEN coalesce(tickets, 0) END AS tickets,
       satisfaction,
       CAST(date_diff('day', coalesce(joined_on, first_order_on), $as_of) AS DOUBLE)
           AS relationship_days,
       CAST(margin AS DECIMAL(18, 4)) AS margin,
       CAST(arr AS DECIMAL(18, 4)) AS arr,
       renewal_on,
       CAST(date_diff('day', $as_of, renewal_on) AS DOUBLE) AS days_to_renewal,
       CAST(usage_change AS DOUBLE) AS usage_change,
       CAST(users / nullif(seats, 0) AS DOUBLE) AS seats_used,
       CAST(activity_change AS DOUBLE) AS activity_change,
       CASE WHEN served_at_all THEN coalesce(complaints, 0) END AS complaints,
       -- who is not in a snapshot owes nothing; who is in it without the word is unknown
       CAST(CASE WHEN owed.customer_id IS NOT NULL THEN overdue
                 WHEN owed_at_all THEN 0 END AS DECIMAL(18, 4)) AS overdue,
       industry_cycle_days,
       CAST(activity_change_year AS DOUBLE) AS activity_change_year,
       industry AS peer_industry
FROM known
CROSS JOIN known_at_all
LEFT JOIN per_line USING (customer_id)
LEFT JOIN per_order USING (customer_id)
LEFT JOIN expected USING (customer_id)
LEFT JOIN visited USING (customer_id)
LEFT JOIN served USING (customer_id)
LEFT JOIN contracted USING (customer_id)
LEFT JOIN used USING (customer_id)
LEFT JOIN owed USING (customer_id)
LEFT JOIN activity USING (customer_id)
ORDER BY customer_id
"""
# A table without a row by then says nothing; with one, who is not in it has none.
_AT_ALL = """
known_at_all AS (
    SELECT EXISTS (SELECT 1 FROM activities WHERE happened_at < $end) AS met_at_all,
           EXISTS (SELECT 1 FROM tickets WHERE opened_at < $end) AS served_at_all,
           EXISTS (SELECT 1 FROM owed) AS owed_at_all
)"""
_PARTS = (ORDERS, CYCLES, CONTACTS, CONTRACTS, USAGE, OWED, ACTIVITY, _AT_ALL)
_SQL = "WITH " + ",".join(_PARTS) + _SELECT


def build(
    orders: Rows,
    customers: pd.DataFrame,
    activities: pa.Table | None = None,
    tickets: pa.Table | None = None,
    *,
    usage: pa.Table | None = None,
    subscriptions: pa.Table | None = None,
    receivables: pa.Table | None = None,
    as_of: date,
    period: Period,
    settings: Segmentation,
) -> pd.DataFrame:
    """What is known of every customer at the end of `as_of`.

    Parameters
    ----------
    orders
        RECORD ``orders``, in memory or on disk; money DECIMAL(18,4).
    customers
        RECORD ``customers``. Those who joined after `as_of` and have no order by then are
        left out. Customers who stand only in `orders` are added.
    activities, tickets, usage, subscriptions, receivables
        RECORD tables; None or empty: their columns stay empty.
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
    ``expected_interval_days`` shrinks a customer's own mean interval towards
    ``industry_cycle_days``: ``(k · own + w · industry) / (k + w)`` with ``k`` own intervals
    between order days and ``w = settings.recency.cycle_weight`` (decision D11). The industry's
    cycle is the median of its customers with at least two order days, where they are at least
    ``settings.recency.cycle_customers``; else that median of all customers, with as many; else
    ``settings.recency.default_cycle_days``, which an industry template sets. What the firm has
    seen itself goes before what a template expects.

    ``mean_order`` is money per order in the monetary window; a customer whose last order lies
    before it keeps the mean of the frequency window, else of all time: the size of an order
    does not fade while the customer is away.

    ``margin`` is money minus cost over the lines of the monetary window; empty if any of them
    carries no cost.

    ``arr`` and seats are those of the terms that run on `as_of` (0 once all have ended);
    ``renewal_on`` is the first day on which one of them ends, or the last day of the latest
    when none runs: ``days_to_renewal`` is then negative.

    ``usage_change`` sets the uses per logged day in the last N days (N =
    ``settings.activity.days``) against the N days before, over what the middle customer's use
    did: a holiday that everybody takes is no sign of any one. −1 where the log of others goes
    on and the customer's stopped: no usage recorded (`analysis.features.from_contracts`).
    ``seats_used`` is people per logged day (of a day, the largest number over its features) in
    the last N days over seats.

    ``activity_change`` sets orders + visits and calls + uses of the last N days against the N
    days before, ``activity_change_year`` against the same weeks a year ago. Uses are those per
    logged day, times the logged days of the better-logged window. Left out are: a table that
    does not reach back to the earlier window, the log of a customer that is empty in either
    window. Empty where the relationship is younger than the comparison, or where the earlier
    window holds fewer than ``settings.activity.least``: an annual buyer has not fallen by 100 %.

    ``overdue`` is from the latest snapshot of receivables by `as_of`.
    """
    given = {
        "activities": activities,
        "tickets": tickets,
        "usage": usage,
        "subscriptions": subscriptions,
        "receivables": receivables,
    }
    span = timedelta(days=settings.activity.days)
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
        "cycle_customers": settings.recency.cycle_customers,
        "default_cycle": float(settings.recency.default_cycle_days),
        "span": span.days,
        "peers": SEASON_PEERS,
        "least": settings.activity.least,
        "span_from": as_of - span,
        "before_from": as_of - 2 * span,
        "year_ago": as_of - SAME_WEEKS,
        "year_ago_from": as_of - SAME_WEEKS - span,
        "kinds": list(CONTACT_KINDS),
    }
    found = query(
        _SQL,
        params,
        orders=_complete("orders", orders),
        customers=_keys(customers),
        **{
            name: _complete(name, RECORD[name].schema().empty_table() if table is None else table)
            for name, table in given.items()
        },
    )
    return to_frame(conform(found, RECORD["features"]))


def _complete(name: str, table: Rows) -> Rows:
    """A table with all columns of its contract; those it lacks are empty."""
    if isinstance(table, Stored):
        return table
    for field in RECORD[name].schema():
        if field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(len(table), field.type))
    return table


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
