"""Yearly recurring revenue from the evening before a period to its last evening, to the cent."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pyarrow as pa

from analysis.calendars import Period
from analysis.effects.terms import CHURNED, terms
from analysis.engine import query, to_frame

STEPS = ("opening", "new", "expansion", "contraction", "lost", "closing")

_BRIDGE = """
WITH customers AS (
    SELECT customer_id,
           coalesce(sum(arr) FILTER ($opening BETWEEN starts AND until), 0) AS before,
           coalesce(sum(arr) FILTER ($closing BETWEEN starts AND until), 0) AS after
    FROM terms GROUP BY customer_id
), steps AS (
    SELECT CASE WHEN before <= 0 THEN 'new' WHEN after <= 0 THEN 'lost'
                WHEN after > before THEN 'expansion'
                WHEN after < before THEN 'contraction' END AS step,
           after - before AS amount
    FROM customers WHERE before > 0 OR after > 0
    UNION ALL SELECT 'opening', before FROM customers WHERE before > 0
    UNION ALL SELECT 'closing', after FROM customers WHERE after > 0
)
SELECT step, CAST(sum(amount) AS DECIMAL(18, 4)) AS amount, count(*) AS customers
FROM steps WHERE step IS NOT NULL GROUP BY step
"""

_DUE = """
-- what one term takes over, or what runs out together, is one contract that is due
SELECT customer_id, max(ends) AS due_on, count(*) AS terms,
       CAST(sum(arr) AS DECIMAL(18, 4)) AS due,
       CAST(least(sum(arr), coalesce(any_value(follower_arr), 0)) AS DECIMAL(18, 4)) AS renewed,
       CASE WHEN follower IS NOT NULL THEN 'renewed'
            WHEN bool_and(status = $churned) OR max(until) < $as_of THEN 'lost'
            ELSE 'negotiating' END AS standing
FROM terms
WHERE ends BETWEEN $start AND $end
GROUP BY customer_id, follower, CASE WHEN follower IS NULL THEN ends END
ORDER BY customer_id, due_on, coalesce(follower, '')
"""


def arr_bridge(
    subscriptions: pa.Table, period: Period, *, grace_days: int = 60, as_of: date | None = None
) -> pd.DataFrame:
    """Opening recurring revenue turned into closing, customer by customer.

    Parameters
    ----------
    subscriptions
        RECORD ``subscriptions``; `analysis.effects.terms` says until when a term counts.
    period
        The period.
    grace_days
        Days after its last day within which a term can still be renewed [days].
    as_of
        Last day that counts; default: the period's end.

    Returns
    -------
    DataFrame
        RECORD ``arr_bridge``, the steps in order; empty where there are no contracts.
        ``new``: no recurring revenue the evening before, also a customer who comes back;
        ``lost``: none at the end; ``expansion``, ``contraction``: all contracts of a customer
        taken together. opening + new + expansion + contraction + lost = closing, exactly, and
        the closing of a period is the opening of the next one.
    """
    if not len(subscriptions):
        return pd.DataFrame({"step": [], "amount": [], "customers": []}).astype(
            {"step": object, "amount": "float64", "customers": "int64"}
        )
    last = min(period.end, as_of or period.end)
    days = {"opening": period.start - timedelta(days=1), "closing": last}
    found = query(_BRIDGE, days, terms=terms(subscriptions, grace_days))
    frame = to_frame(found).set_index("step").reindex(list(STEPS))
    frame["amount"] = frame["amount"].fillna(0.0)
    frame["customers"] = frame["customers"].fillna(0).astype("int64")
    return frame.reset_index()[["step", "amount", "customers"]]


def renewals(
    subscriptions: pa.Table, period: Period, grace_days: int = 60, *, as_of: date | None = None
) -> pd.DataFrame:
    """The contracts that ran out in the period, and what became of them.

    Parameters
    ----------
    subscriptions, grace_days
        As for `arr_bridge`.
    period
        The period in which the last day of the term lies.
    as_of
        Day on which is told what became of them; default: the period's end. For an earlier
        period, the day of the report: by then it is settled.

    Returns
    -------
    DataFrame
        One row a contract that was due, additions together with the contract that they flow into:
        ``customer_id``; ``due_on``; ``terms`` (rows of the ledger); ``due`` (yearly revenue that
        ran out [currency]); ``renewed`` (of it renewed, without what was bought on top
        [currency]); ``standing``: renewed, lost, or negotiating: not renewed yet, and neither
        churned nor out for longer than the grace. By value: Σ renewed / Σ due; by count: rows
        that are renewed / rows, or the same over customers.
    """
    days = {"start": period.start, "end": period.end, "as_of": as_of or period.end}
    book = terms(subscriptions, grace_days)
    return to_frame(query(_DUE, {**days, "churned": CHURNED}, terms=book))
