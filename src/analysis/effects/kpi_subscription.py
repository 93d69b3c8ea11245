"""Yearly recurring revenue and renewals, by period and group.

Until when a contract counts and what renews it stands in `analysis.effects.terms`: an early
renewal is not counted twice, and the gap before a late one is no loss. Added seats are contracts
too, renewed with the one they belong to.

arr                      Σ yearly revenue of the contracts that count on the period's last day
net_revenue_retention    of the customers on the evening before the period: their yearly revenue
                         on its last day / on the evening before
gross_revenue_retention  the same, no customer with more than it had before
lost_arr                 yearly revenue of the evening before, of customers without any at the end
renewal_rate             customers with a renewal / customers with contracts that end in the period
renewal_rate_value       by customer, what was renewed, at most what ended / what ended
live_rate                customers who had `live_share` of their seats in use within `live_days`
                         of their first contract / customers whose `live_days` ended in the period;
                         only those whose use is logged
red_arr                  Σ yearly revenue on the last day of the customers at risk
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from analysis.calendars import Period
from analysis.effects.kpi_groups import Grouping, picked
from analysis.effects.terms import terms
from analysis.engine import Frame, query
from analysis.tables import RECORD

_RUNNING = """
SELECT t.term, t.customer_id, t.starts, t.ends, t.until, t.arr, t.follower,
       coalesce(m.segment, $rest) AS segment, s.seats
FROM terms AS t
LEFT JOIN members AS m ON m.customer_id = t.customer_id
LEFT JOIN seats AS s ON s.subscription_id = t.term
WHERE coalesce(m.segment, $rest) IS NOT NULL
"""
_BOOK = """
WITH customers AS (
    SELECT w.period, r.customer_id, r.segment,
           sum(CASE WHEN r.starts < w.start AND r.until >= w.eve THEN r.arr ELSE 0 END) AS before,
           sum(CASE WHEN r.starts <= w.stop AND r.until >= w.stop THEN r.arr ELSE 0 END) AS after
    FROM running AS r JOIN windows AS w ON r.starts <= w.stop AND r.until >= w.eve
    GROUP BY ALL
)
SELECT period, segment,
       CAST(sum(before) AS DECIMAL(18, 4)) AS arr_start,
       CAST(sum(after) AS DECIMAL(18, 4)) AS arr_end,
       CAST(sum(CASE WHEN before > 0 THEN after ELSE 0 END) AS DECIMAL(18, 4)) AS arr_net,
       CAST(sum(least(before, after)) AS DECIMAL(18, 4)) AS arr_gross,
       CAST(sum(CASE WHEN after = 0 THEN before ELSE 0 END) AS DECIMAL(18, 4)) AS arr_lost,
       count(CASE WHEN before > 0 THEN 1 END) AS arr_opening,
       count(CASE WHEN after > 0 THEN 1 END) AS arr_customers,
       count(CASE WHEN before > 0 AND after = 0 THEN 1 END) AS arr_gone
FROM customers GROUP BY period, segment
"""
_RENEWALS = """
WITH ended AS (
    SELECT w.period, r.segment, r.customer_id, r.term, r.arr, r.follower
    FROM running AS r JOIN windows AS w ON r.ends BETWEEN w.start AND w.stop
), followed AS (
    SELECT e.period, e.customer_id, sum(r.arr) AS after
    FROM (SELECT DISTINCT period, customer_id, follower FROM ended) AS e
    JOIN running AS r ON r.term = e.follower
    GROUP BY e.period, e.customer_id
), customers AS (
    SELECT e.period, e.segment, e.customer_id, sum(e.arr) AS before,
           any_value(f.after) AS after
    FROM ended AS e
    LEFT JOIN followed AS f ON f.period = e.period AND f.customer_id = e.customer_id
    GROUP BY ALL
)
SELECT period, segment, count(*) AS expiring, count(after) AS renewed,
       CAST(sum(before) AS DECIMAL(18, 4)) AS arr_expiring,
       CAST(sum(least(before, coalesce(after, 0))) AS DECIMAL(18, 4)) AS arr_renewed
FROM customers GROUP BY period, segment
"""
_LIVE = """
WITH logged AS (SELECT DISTINCT customer_id FROM usage),
first AS (
    SELECT r.customer_id, r.segment, CAST(min(r.starts) AS DATE) AS day,
           arg_min(r.seats, (r.starts, r.term))
               AS seats
    FROM running AS r JOIN logged AS l ON l.customer_id = r.customer_id
    GROUP BY ALL
), judged AS (
    SELECT w.period, f.* FROM first AS f
    JOIN windows AS w ON CAST(f.day + CAST($days AS INTEGER) AS DATE) BETWEEN w.start AND w.stop
    WHERE f.seats > 0 AND f.day >= (SELECT min(CAST(used_on AS DATE)) FROM usage)
), went AS (
    SELECT DISTINCT j.customer_id FROM judged AS j JOIN usage AS u
      ON u.customer_id = j.customer_id AND u.users >= $share * j.seats
     AND CAST(u.used_on AS DATE) BETWEEN j.day AND CAST(j.day + CAST($days AS INTEGER) AS DATE)
)
SELECT j.period, j.segment, count(*) AS started, count(v.customer_id) AS live
FROM judged AS j LEFT JOIN went AS v ON v.customer_id = j.customer_id
GROUP BY j.period, j.segment
"""
_RED = """
SELECT $period AS period, r.segment, CAST(sum(r.arr) AS DECIMAL(18, 4)) AS red_arr,
       count(DISTINCT r.customer_id) AS red_customers
FROM running AS r JOIN red ON red.customer_id = r.customer_id
WHERE r.starts <= $stop AND r.until >= $stop
GROUP BY r.segment
"""


def running(subscriptions: Frame, groups: Grouping, gap_days: int) -> pa.Table:
    """Every contract with its group.

    Parameters
    ----------
    subscriptions
        RECORD table.
    groups
        Whom each customer counts for.
    gap_days
        Days within which a contract can still be renewed, see `analysis.effects.terms`.

    Returns
    -------
    pyarrow.Table
        term, customer_id, segment (the group), arr, seats, starts, ends, until (last day on
        which it counts), follower (the contract that renews it, or null).
    """
    book = picked(subscriptions, "subscriptions", RECORD["subscriptions"].names)
    return query(
        _RUNNING,
        {"rest": groups.rest},
        terms=terms(book, gap_days),
        members=groups.members,
        seats=book.select(["subscription_id", "seats"]),
    )


def subscription_sums(
    book: pa.Table,
    tables: Mapping[str, Frame],
    windows: pa.Table,
    *,
    live_days: int,
    live_share: float,
) -> list[pa.Table]:
    """The sums of contracts.

    Parameters
    ----------
    book
        The contracts as `running` gives them.
    tables
        RECORD tables by name; ``usage`` says who is live.
    windows
        As in `kpi_values.order_sums`.
    live_days, live_share
        Days within which, and share of the seats from which a customer is live.
    """
    eves = query("SELECT *, CAST(start - INTERVAL 1 DAY AS DATE) AS eve FROM w", w=windows)
    found = [
        query(_BOOK, running=book, windows=eves),
        query(_RENEWALS, running=book, windows=eves),
    ]
    if "usage" in tables and len(tables["usage"]):
        used = picked(tables["usage"], "usage", ["customer_id", "used_on", "users"])
        limits = {"days": live_days, "share": live_share}
        found.append(query(_LIVE, limits, running=book, usage=used, windows=windows))
    return found


def red_sums(book: pa.Table, segments: Frame, at_risk: str, period: Period) -> pa.Table:
    """Yearly revenue on the period's last day of the customers that are in the segment at risk."""
    named = picked(segments, "segments", ["customer_id", "segment"])
    red = query("SELECT customer_id FROM s WHERE segment = $red", {"red": at_risk}, s=named)
    days = {"period": period.name, "stop": period.end}
    return query(_RED, days, running=book, red=red)
