"""The KPIs' formulas over payments and receivables.

collected        Σ amount of the payments of the period, tax included as banks have it
collection_rate  collected / its target
receivables      Σ open balance of the latest snapshot in the period
overdue          Σ overdue money of that snapshot
overdue_share    overdue / receivables

A period without a snapshot gives no value, nor one that began before the first recorded payment
by more than a tenth of its length: what was not recorded is not 0.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from datetime import date

import pyarrow as pa

from analysis.calendars import Period
from analysis.effects.kpi_values import MOST_UNRECORDED
from analysis.engine import query

Measured = tuple[float, float, float, float]  # value, n, numerator, denominator

_DAYS = """
SELECT CAST(paid_on AS DATE) AS day, CAST(sum(amount) AS DECIMAL(18, 4)) AS amount,
       count(*) AS payments
FROM payments
WHERE NOT list_contains($not_collected, lower(coalesce(kind, '')))
  AND NOT list_contains($not_collected, lower(coalesce(method, '')))
GROUP BY day
"""
_PERIODS = """
SELECT w.period, CAST(sum(d.amount) AS DECIMAL(18, 4)) AS amount, sum(d.payments) AS payments
FROM days AS d JOIN windows AS w ON d.day BETWEEN w.start AND w.stop GROUP BY w.period
"""
_SNAPSHOTS = """
WITH customers AS (
    SELECT CAST(as_of AS DATE) AS day, customer_id,
           sum(amount) AS balance, sum(overdue) AS overdue
    FROM receivables GROUP BY ALL
)
SELECT day, CAST(sum(balance) AS DECIMAL(18, 4)) AS balance,
       CAST(sum(overdue) AS DECIMAL(18, 4)) AS overdue,
       count(CASE WHEN balance > 0 THEN 1 END) AS debtors,
       count(CASE WHEN overdue > 0 THEN 1 END) AS late
FROM customers GROUP BY day ORDER BY day
"""


def measure_money(
    periods: Iterable[Period],
    reported: Period,
    payments: pa.Table | None,
    receivables: pa.Table | None,
    not_collected: Collection[str],
) -> dict[tuple[str, str], Measured]:
    """What payments and receivables give for each period.

    Parameters
    ----------
    periods
        The periods; `reported` counts however late in it the first payment was recorded.
    payments, receivables
        RECORD tables; None or empty: their KPIs are not among the result.
    not_collected
        Kinds and methods of payment that do not count, lower case.

    Returns
    -------
    dict
        (KPI, period) → value, n (payments; customers who owe), numerator, denominator.
    """
    found: dict[tuple[str, str], Measured] = {}
    spans = sorted(set(periods))
    if payments is not None and len(payments):
        found |= _collected(spans, reported, payments, not_collected)
    if receivables is not None and len(receivables):
        found |= _open(spans, receivables)
    return found


def _collected(
    spans: list[Period], reported: Period, payments: pa.Table, not_collected: Collection[str]
) -> dict[tuple[str, str], Measured]:
    without = {"not_collected": sorted(word.strip().lower() for word in not_collected)}
    days = query(_DAYS, without, payments=payments)
    if not len(days):
        return {}
    windows = pa.Table.from_pylist(
        [{"period": p.name, "start": p.start, "stop": p.end} for p in spans]
    )
    sums = {row["period"]: row for row in query(_PERIODS, days=days, windows=windows).to_pylist()}
    first = min(_day(day) for day in days["day"].to_pylist())
    found: dict[tuple[str, str], Measured] = {}
    for one in spans:
        if one != reported and (first - one.start).days > MOST_UNRECORDED * one.days:
            continue
        row = sums.get(one.name, {"amount": 0, "payments": 0})
        money, number = float(row["amount"]), float(row["payments"])
        found["collected", one.name] = (money, number, math.nan, math.nan)
    return found


def _open(spans: list[Period], receivables: pa.Table) -> dict[tuple[str, str], Measured]:
    snapshots = [
        (_day(row["day"]), row) for row in query(_SNAPSHOTS, receivables=receivables).to_pylist()
    ]
    found: dict[tuple[str, str], Measured] = {}
    for one in spans:
        inside = [row for day, row in snapshots if one.start <= day <= one.end]
        if not inside:
            continue
        row = inside[-1]
        balance, debtors = float(row["balance"]), float(row["debtors"])
        found["receivables", one.name] = (balance, debtors, math.nan, math.nan)
        if row["overdue"] is None:
            continue
        overdue = float(row["overdue"])
        found["overdue", one.name] = (overdue, float(row["late"]), math.nan, math.nan)
        if balance > 0:
            found["overdue_share", one.name] = (overdue / balance, debtors, overdue, balance)
    return found


def _day(value: object) -> date:
    """A day, whichever of the engine's two types it comes in."""
    made: date = value.date() if hasattr(value, "date") else value  # type: ignore[assignment]
    return made
