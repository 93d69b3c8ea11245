"""The KPIs' formulas, over orders, activities and tickets.

Every window ends on the period's last day. "The last year" is the twelve months up to that
day, "the year before" the twelve months before those.

revenue              Σ amount of the lines of the period
gross_margin_rate    (Σ amount − Σ cost) / Σ amount over the period's lines with a cost
active_customers     customers with an order in the period (an order whose lines add to more
                     than 0: a mere return is no purchase)
new_customers        customers whose first order ever lies in the period
retention            customers with an order in the year before who ordered again in the last
                     year / customers with an order in the year before
repurchase_rate      customers with two orders or more in the last year / customers with one
                     or more
average_order        revenue / orders in the period
visit_coverage       customers visited or called in the period / customers known by its end
satisfaction         mean rating of the tickets opened in the period
ytd revenue          Σ amount from 1 January to the period's end
quarter_end_push     Σ amount from the fifth last working day of the period on / revenue: what is
                     pushed out at the end often comes back

A window that begins before the first recorded order, or visit, by more than a tenth of its length
gives no value: what was not recorded is not 0. New customers need a year of records before.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import pandas as pd
import pyarrow as pa

from analysis.calendars import Period, WorkingCalendar
from analysis.engine import query, to_frame

MOST_UNRECORDED = 0.1  # share of a window that may lie before the first record
LAST_DAYS = 5  # working days at the period's end that show a push
_VISITS = ("visit", "call")

_DOCS = """
SELECT o.customer_id, o.order_id, CAST(o.ordered_at AS DATE) AS day, g.segment,
       CAST(sum(o.amount) AS DECIMAL(18, 4)) AS amount,
       CAST(sum(CASE WHEN o.cost IS NOT NULL THEN o.amount END) AS DECIMAL(18, 4)) AS costed,
       CAST(sum(o.cost) AS DECIMAL(18, 4)) AS cost
FROM orders AS o JOIN groups AS g USING (customer_id)
GROUP BY ALL
"""

_PERIOD = """
SELECT w.period, d.segment,
       CAST(sum(amount) AS DECIMAL(18, 4)) AS revenue,
       CAST(sum(costed) AS DECIMAL(18, 4)) AS costed,
       CAST(sum(cost) AS DECIMAL(18, 4)) AS cost,
       count(DISTINCT CASE WHEN amount > 0 THEN order_id END) AS orders,
       count(DISTINCT CASE WHEN amount > 0 THEN customer_id END) AS active
FROM docs AS d JOIN windows AS w ON d.day BETWEEN w.start AND w.stop
GROUP BY w.period, d.segment
"""

_YEAR = """
WITH bought AS (
    SELECT w.period, d.segment, d.customer_id,
           count(DISTINCT CASE WHEN day >= w.year_start THEN order_id END) AS last_year,
           count(DISTINCT CASE WHEN day < w.year_start THEN order_id END) AS year_before
    FROM docs AS d JOIN windows AS w ON d.day BETWEEN w.before_start AND w.stop
    WHERE d.amount > 0
    GROUP BY w.period, d.segment, d.customer_id
)
SELECT period, segment,
       count(CASE WHEN year_before > 0 THEN 1 END) AS base,
       count(CASE WHEN year_before > 0 AND last_year > 0 THEN 1 END) AS kept,
       count(CASE WHEN last_year > 0 THEN 1 END) AS buyers,
       count(CASE WHEN last_year > 1 THEN 1 END) AS repeated
FROM bought GROUP BY period, segment
"""

_NEW = """
WITH first AS (
    SELECT customer_id, segment, min(day) AS day FROM docs WHERE amount > 0
    GROUP BY customer_id, segment
)
SELECT w.period, f.segment, count(*) AS new
FROM first AS f JOIN windows AS w ON f.day BETWEEN w.start AND w.stop
GROUP BY w.period, f.segment
"""

_YTD = """
SELECT w.period, d.segment, CAST(sum(amount) AS DECIMAL(18, 4)) AS ytd
FROM docs AS d JOIN windows AS w ON d.day BETWEEN w.january AND w.stop
GROUP BY w.period, d.segment
"""

_PUSH = """
SELECT w.period, d.segment, CAST(sum(amount) AS DECIMAL(18, 4)) AS pushed,
       count(DISTINCT CASE WHEN amount > 0 THEN order_id END) AS pushed_orders
FROM docs AS d JOIN windows AS w ON d.day BETWEEN w.push AND w.stop
GROUP BY w.period, d.segment
"""

_COVERAGE = """
SELECT w.period, g.segment, count(*) AS known,
       count(CASE WHEN EXISTS (
           SELECT 1 FROM visits AS v
           WHERE v.customer_id = g.customer_id AND v.day BETWEEN w.start AND w.stop
       ) THEN 1 END) AS visited
FROM groups AS g JOIN windows AS w ON g.since <= w.stop
WHERE date_diff('day', w.start, CAST((SELECT min(day) FROM visits) AS DATE))
      <= $unrecorded * (date_diff('day', w.start, w.stop) + 1)
GROUP BY w.period, g.segment
"""

_SATISFACTION = """
SELECT w.period, g.segment, avg(t.satisfaction) AS satisfaction, count(*) AS rated
FROM tickets AS t
JOIN groups AS g USING (customer_id)
JOIN windows AS w ON CAST(t.opened_at AS DATE) BETWEEN w.start AND w.stop
WHERE t.satisfaction IS NOT NULL
GROUP BY w.period, g.segment
"""


def first_day(orders: pa.Table) -> date | None:
    """Day of the first recorded order."""
    found = query(
        "SELECT min(CAST(ordered_at AS DATE)) AS day FROM orders",
        orders=orders.select(["ordered_at"]),
    )
    day = found.column("day")[0].as_py()
    return None if day is None else day.date()


def raw_values(
    orders: pa.Table,
    groups: pd.DataFrame,
    periods: Iterable[Period],
    activities: pa.Table | None,
    tickets: pa.Table | None,
    calendar: WorkingCalendar,
) -> pd.DataFrame:
    """Everything the KPIs are made of.

    Parameters
    ----------
    orders, activities, tickets
        RECORD tables.
    groups
        customer_id, segment (``all`` for everybody), since: the day the customer is known
        from.
    periods
        The periods.
    calendar
        Whose working days count at the period's end.

    Returns
    -------
    DataFrame
        One row a period and segment, indexed by both: revenue, costed, cost, orders, active,
        base, kept, buyers, repeated, new, ytd, pushed, pushed_orders and, where the tables are
        given, known, visited, satisfaction, rated.
    """
    spans = _windows(periods, calendar)
    members = pa.table(
        {
            "customer_id": pa.array(groups["customer_id"].astype(str), pa.string()),
            "segment": pa.array(groups["segment"].astype(str), pa.string()),
            "since": pa.array(pd.to_datetime(groups["since"]), pa.timestamp("us")),
        }
    )
    columns = ["customer_id", "order_id", "ordered_at", "amount", "cost"]
    docs = query(_DOCS, orders=orders.select(columns), groups=members)
    parts = [query(sql, docs=docs, windows=spans) for sql in (_PERIOD, _YEAR, _NEW, _YTD, _PUSH)]
    if activities is not None and len(activities):
        visits = query(
            "SELECT DISTINCT customer_id, CAST(happened_at AS DATE) AS day FROM activities"
            " WHERE kind IN ($visit, $call)",
            dict(zip(("visit", "call"), _VISITS, strict=True)),
            activities=activities.select(["customer_id", "happened_at", "kind"]),
        )
        unrecorded = {"unrecorded": MOST_UNRECORDED}
        parts.append(query(_COVERAGE, unrecorded, visits=visits, groups=members, windows=spans))
    if tickets is not None and len(tickets):
        chosen = tickets.select(["customer_id", "opened_at", "satisfaction"])
        parts.append(query(_SATISFACTION, tickets=chosen, groups=members, windows=spans))
    frames = [to_frame(part).set_index(["period", "segment"]) for part in parts]
    return pd.concat(frames, axis=1).sort_index()


def year_start(stop: date) -> date:
    """First of the twelve months that end on `stop`."""
    after = stop + timedelta(days=1)
    leap = after.month == 2 and after.day == 29
    return after.replace(year=after.year - 1, day=28 if leap else after.day)


def _windows(periods: Iterable[Period], calendar: WorkingCalendar) -> pa.Table:
    rows = []
    for period in sorted(set(periods)):
        last_year = year_start(period.end)
        rows.append(
            {
                "period": period.name,
                "start": period.start,
                "stop": period.end,
                "year_start": last_year,
                "before_start": year_start(last_year - timedelta(days=1)),
                "january": date(int(period.name[:4]), 1, 1),
                "push": calendar.nth_last_working(period.end, LAST_DAYS),
            }
        )
    return pa.Table.from_pylist(rows)
