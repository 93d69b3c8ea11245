"""What the KPIs of orders are made of, by period and group.

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
conversion           customers first known in the last year who have ordered by the period's end /
                     customers first known in the last year; only where some known customer has
                     not ordered: a list of buyers alone says nothing of those who did not buy
lifetime_value       margin of the last year by buyer of that year / (1 − retention): the geometric
                     life of a customer at a constant loss (Gupta and Lehmann 2003, Journal of
                     Interactive Marketing 17(1), 9-24), without discounting
on_time_delivery     lines promised for a day of the period that left by that day / lines promised
return_rate          Σ returned / Σ sold, of the lines of the period; only where returns are known
discount             1 − Σ amount / Σ quantity × list price, of lines sold that have a list price
ytd revenue          Σ amount from 1 January to the period's end
quarter_end_push     Σ amount from the fifth last working day of the period on / revenue: what is
                     pushed out at the end often comes back

A window that begins before the first recorded order by more than a tenth of its length gives no
value: what was not recorded is not 0. New customers need a year of records before.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import pyarrow as pa

from analysis.calendars import Period, WorkingCalendar
from analysis.effects.kpi_groups import Grouping, picked, placed
from analysis.engine import query

MOST_UNRECORDED = 0.1  # share of a window that may lie before the first record
LAST_DAYS = 5  # working days at the period's end that show a push

_DOCS = """
SELECT segment, customer_id, order_id, CAST(ordered_at AS DATE) AS day,
       CAST(sum(amount) AS DECIMAL(18, 4)) AS amount,
       CAST(sum(CASE WHEN cost IS NOT NULL THEN amount END) AS DECIMAL(18, 4)) AS costed,
       CAST(sum(cost) AS DECIMAL(18, 4)) AS cost
FROM orders GROUP BY ALL
"""

_PERIOD = """
SELECT w.period, d.segment,
       CAST(sum(amount) AS DECIMAL(18, 4)) AS revenue,
       CAST(sum(costed) AS DECIMAL(18, 4)) AS costed,
       CAST(sum(costed) - sum(cost) AS DECIMAL(18, 4)) AS margin,
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
), earned AS (
    SELECT w.period, d.segment, CAST(sum(costed) - sum(cost) AS DECIMAL(18, 4)) AS year_margin
    FROM docs AS d JOIN windows AS w ON d.day BETWEEN w.year_start AND w.stop
    GROUP BY w.period, d.segment
), counted AS (
    SELECT period, segment,
           count(CASE WHEN year_before > 0 THEN 1 END) AS base,
           count(CASE WHEN year_before > 0 AND last_year > 0 THEN 1 END) AS kept,
           count(CASE WHEN last_year > 0 THEN 1 END) AS buyers,
           count(CASE WHEN last_year > 1 THEN 1 END) AS repeated
    FROM bought GROUP BY period, segment
)
SELECT c.*, CASE WHEN kept < base AND buyers > 0
            THEN year_margin / buyers / (1 - kept / CAST(base AS DOUBLE)) END AS lifetime
FROM counted AS c LEFT JOIN earned AS e ON e.period = c.period AND e.segment = c.segment
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

_CAME = """
WITH first AS (
    SELECT customer_id, min(day) AS day FROM docs WHERE amount > 0 GROUP BY customer_id
), known AS (
    SELECT w.period, m.segment, m.since >= w.year_start AS came, f.day IS NOT NULL AS bought
    FROM members AS m JOIN windows AS w ON m.since <= w.stop
    LEFT JOIN first AS f ON f.customer_id = m.customer_id AND f.day <= w.stop
)
SELECT period, segment, count(CASE WHEN came THEN 1 END) AS came,
       count(CASE WHEN came AND bought THEN 1 END) AS converted
FROM known
WHERE period IN (SELECT period FROM known WHERE NOT bought)
GROUP BY period, segment
"""

_YTD = """
SELECT w.period, d.segment, CAST(sum(amount) AS DECIMAL(18, 4)) AS ytd
FROM docs AS d JOIN windows AS w ON d.day BETWEEN w.january AND w.stop
GROUP BY w.period, d.segment
"""

_PUSH = """
SELECT w.period, d.segment,
       CAST(sum(CASE WHEN d.day >= w.push THEN amount ELSE 0 END) AS DECIMAL(18, 4)) AS pushed,
       CASE WHEN any_value(w.weekly) THEN 0 ELSE CAST(sum(amount) AS DECIMAL(18, 4)) END
           AS pushed_of,
       count(DISTINCT CASE WHEN d.day >= w.push AND amount > 0 THEN order_id END)
           AS pushed_orders
FROM docs AS d JOIN windows AS w ON d.day BETWEEN w.start AND w.stop
GROUP BY w.period, d.segment
"""

# A sum a day first: the join with the windows then sees days, not lines.
_LINES = """
WITH lines AS (
    SELECT segment, CAST(ordered_at AS DATE) AS day, amount,
           CASE WHEN amount > 0 AND quantity > 0 AND list_price > 0
                THEN CAST(quantity * list_price AS DECIMAL(18, 4)) END AS listed
    FROM orders
), days AS (
    SELECT segment, day, sum(CASE WHEN amount < 0 THEN -amount ELSE 0 END) AS sent_back,
           sum(CASE WHEN amount > 0 THEN amount ELSE 0 END) AS sent, count(*) AS lines,
           sum(listed) AS listed, sum(CASE WHEN listed IS NOT NULL THEN amount END) AS sold_at,
           count(listed) AS listed_lines
    FROM lines GROUP BY segment, day
)
SELECT w.period, d.segment, CAST(sum(sent_back) AS DECIMAL(18, 4)) AS sent_back,
       CASE WHEN (SELECT sum(sent_back) FROM days) > 0
            THEN CAST(sum(sent) AS DECIMAL(18, 4)) END AS sent,
       sum(lines) AS lines, CAST(sum(listed) AS DECIMAL(18, 4)) AS listed_at,
       CAST(sum(sold_at) AS DECIMAL(18, 4)) AS sold_at, sum(listed_lines) AS listed_lines
FROM days AS d JOIN windows AS w ON d.day BETWEEN w.start AND w.stop
GROUP BY w.period, d.segment
"""

_PROMISES = """
WITH days AS (
    SELECT segment, CAST(promised_on AS DATE) AS day, count(*) AS promised,
           count(CASE WHEN CAST(shipped_on AS DATE) <= CAST(promised_on AS DATE) THEN 1 END)
               AS on_time
    FROM orders
    WHERE promised_on IS NOT NULL AND amount > 0
      AND (SELECT count(shipped_on) FROM orders) > 0
    GROUP BY segment, day
)
SELECT w.period, d.segment, sum(promised) AS promised, sum(on_time) AS on_time
FROM days AS d JOIN windows AS w ON d.day BETWEEN w.start AND w.stop
GROUP BY w.period, d.segment
"""


def first_day(table: pa.Table, column: str = "ordered_at") -> date | None:
    """Day of the first row of a table, by one of its columns."""
    found = query(
        f"SELECT min(CAST({column} AS DATE)) AS day FROM t",  # noqa: S608
        t=table.select([column]),
    )
    day = found.column("day")[0].as_py()
    return None if day is None else day.date()


def order_sums(orders: pa.Table, groups: Grouping, windows: pa.Table) -> list[pa.Table]:
    """The sums of the KPIs of orders.

    Parameters
    ----------
    orders
        RECORD table.
    groups
        Whom each customer counts for.
    windows
        As `windows` makes them.

    Returns
    -------
    list of pyarrow.Table
        Each one row a period and segment (the group): revenue, costed, margin, orders, active;
        base, kept, buyers, repeated, lifetime; new; came, converted; ytd; pushed, pushed_of,
        pushed_orders; sent_back, sent, lines, listed_at, sold_at, listed_lines; promised,
        on_time.
    """
    columns = ["order_id", "ordered_at", "amount", "cost"]
    docs = query(_DOCS, orders=placed(orders, "orders", columns, groups))
    by_docs = (_PERIOD, _YEAR, _NEW, _YTD, _PUSH)
    found = [query(sql, docs=docs, windows=windows) for sql in by_docs]
    found.append(query(_CAME, docs=docs, windows=windows, members=groups.members))
    lines = ["ordered_at", "amount", "quantity", "list_price"]
    found.append(query(_LINES, orders=placed(orders, "orders", lines, groups), windows=windows))
    if picked(orders, "orders", ["promised_on"])["promised_on"].null_count < orders.num_rows:
        dates = placed(orders, "orders", ["amount", "promised_on", "shipped_on"], groups)
        found.append(query(_PROMISES, orders=dates, windows=windows))
    return found


def year_start(stop: date) -> date:
    """First of the twelve months that end on `stop`."""
    after = stop + timedelta(days=1)
    leap = after.month == 2 and after.day == 29
    return after.replace(year=after.year - 1, day=28 if leap else after.day)


def windows(periods: Iterable[Period], calendar: WorkingCalendar) -> pa.Table:
    """Every day that a sum begins or ends on, a row a period."""
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
                "weekly": period.kind == "week",
            }
        )
    return pa.Table.from_pylist(rows)
