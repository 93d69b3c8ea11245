"""What the KPIs of payments and receivables are made of, by period and group.

collected        Σ amount of the payments of the period, tax included as banks have it
collection_rate  collected / its target
receivables      Σ open balance of the latest snapshot in the period
overdue          Σ overdue money of that snapshot
overdue_share    overdue / receivables

A period without a snapshot gives no value.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pyarrow as pa

from analysis.effects.kpi_groups import Grouping, placed
from analysis.engine import Frame, query

_COUNTED = """
SELECT * FROM payments
WHERE NOT list_contains($not_collected, lower(coalesce(kind, '')))
  AND NOT list_contains($not_collected, lower(coalesce(method, '')))
"""
_COLLECTED = """
WITH days AS (
    SELECT segment, CAST(paid_on AS DATE) AS day, sum(amount) AS amount, count(*) AS payments
    FROM payments GROUP BY ALL
)
SELECT w.period, d.segment, CAST(sum(amount) AS DECIMAL(18, 4)) AS collected,
       sum(payments) AS payments
FROM days AS d JOIN windows AS w ON d.day BETWEEN w.start AND w.stop
GROUP BY w.period, d.segment
"""
# The latest snapshot is the company's: a customer that is not in it owes nothing.
_OPEN = """
WITH latest AS (
    SELECT w.period, max(CAST(r.as_of AS DATE)) AS day
    FROM receivables AS r JOIN windows AS w ON CAST(r.as_of AS DATE) BETWEEN w.start AND w.stop
    GROUP BY w.period
), customers AS (
    SELECT l.period, r.segment, r.customer_id, sum(r.amount) AS balance, sum(r.overdue) AS overdue
    FROM receivables AS r JOIN latest AS l ON CAST(r.as_of AS DATE) = l.day
    GROUP BY ALL
)
SELECT period, segment, CAST(sum(balance) AS DECIMAL(18, 4)) AS balance,
       CAST(sum(overdue) AS DECIMAL(18, 4)) AS overdue,
       count(CASE WHEN balance > 0 THEN 1 END) AS debtors,
       count(CASE WHEN overdue > 0 THEN 1 END) AS late
FROM customers GROUP BY period, segment
"""


def money_sums(tables: Mapping[str, Frame], groups: Grouping, windows: pa.Table) -> list[pa.Table]:
    """The sums of payments and receivables.

    Parameters
    ----------
    tables
        RECORD tables by name, the payments as `counted` leaves them; those that are missing or
        empty have no sums.
    groups, windows
        As in `kpi_values.order_sums`.
    """
    found = []
    if "payments" in tables and len(tables["payments"]):
        rows = placed(tables["payments"], "payments", ["paid_on", "amount"], groups)
        found.append(query(_COLLECTED, payments=rows, windows=windows))
    if "receivables" in tables and len(tables["receivables"]):
        columns = ["as_of", "amount", "overdue"]
        rows = placed(tables["receivables"], "receivables", columns, groups)
        found.append(query(_OPEN, receivables=rows, windows=windows))
    return found


def counted(payments: Frame, not_collected: Collection[str]) -> pa.Table:
    """The payments that count as collected.

    Parameters
    ----------
    not_collected
        Kinds and methods of payment that do not count, in any case.
    """
    without = {"not_collected": sorted(word.strip().lower() for word in not_collected)}
    return query(_COUNTED, without, payments=payments)
