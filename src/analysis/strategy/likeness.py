"""How far customers like it went: the honest base rate beside a personal goal.

Who is like a customer is settled before what it then did: a year ago, or at the end of the period
before, they bought about as much as it does now, and were as active.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from analysis.engine import query, to_frame

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_ROWS = 500  # customers compared at once: memory stays small with tens of thousands
_UPPER = 0.75
_GRACE = timedelta(days=31)  # orders that begin so much later still cover a window

_TRAILS = """
WITH lines AS (
    SELECT customer_id, CAST(ordered_at AS DATE) AS day, amount FROM orders
    WHERE CAST(ordered_at AS DATE) <= $as_of
)
SELECT customer_id,
       min(day) AS first_day,
       CAST(coalesce(sum(CASE WHEN day > $year THEN amount END), 0) AS DECIMAL(18, 4)) AS money,
       CAST(coalesce(sum(CASE WHEN day > $years AND day <= $year THEN amount END), 0)
            AS DECIMAL(18, 4)) AS money_year_ago,
       CAST(coalesce(sum(CASE WHEN day > $before_year AND day <= $before THEN amount END), 0)
            AS DECIMAL(18, 4)) AS money_before,
       count(DISTINCT CASE WHEN day > $before THEN day END) AS orders_now,
       count(DISTINCT CASE WHEN day > $active_year AND day <= $year THEN day END)
           AS orders_year_ago,
       count(DISTINCT CASE WHEN day > $earlier AND day <= $before THEN day END) AS orders_before,
       count(DISTINCT CASE WHEN day <= $before THEN day END) AS orders_ever_before
FROM lines GROUP BY customer_id ORDER BY customer_id
"""


def trails(orders: pa.Table, as_of: date, period_days: int, window_days: int = 365) -> pd.DataFrame:
    """What each customer bought now, at the end of the period before, and a window ago.

    Parameters
    ----------
    orders
        RECORD ``orders``; rows after `as_of` are not seen.
    as_of
        Last day that counts.
    period_days
        Length of the period that ends with it [days].
    window_days
        Over which money is added up: ``segmentation.monetary_days``.

    Returns
    -------
    DataFrame
        customer_id; first_day; money, money_before, money_year_ago: in the window that ends
        now, before this period, and a window ago [currency]; orders_now, orders_before,
        orders_year_ago: order days in this period, the one before, and the last one of a window
        ago; orders_ever_before: order days up to the period's start. Money a window ago is empty
        where the orders do not reach back far enough. Only customers with an order.
    """
    window, period = timedelta(days=window_days), timedelta(days=period_days)
    days = {
        "as_of": as_of, "year": as_of - window, "years": as_of - 2 * window,
        "before": as_of - period, "before_year": as_of - period - window,
        "active_year": as_of - window - period, "earlier": as_of - 2 * period,
    }  # fmt: skip
    found = to_frame(
        query(_TRAILS, days, orders=orders.select(["customer_id", "ordered_at", "amount"]))
    )
    for name, since in (("money_year_ago", days["years"]), ("money_before", days["before_year"])):
        found[name] = found[name].astype(float)
        if found.empty or found["first_day"].min() > pd.Timestamp(since + _GRACE):
            found[name] = np.nan
    return found


def reached(
    money: Floats,
    active: Flags,
    factor: Floats,
    money_then: Floats,
    active_then: Flags,
    factor_then: Floats,
    *,
    ratio: float,
    least: int,
) -> tuple[Floats, Floats, Floats]:
    """Share of the customers like each one that went as far, how many, and how far the best went.

    Parameters
    ----------
    money, active, factor
        Of those asked about: money of the window, active in the last period, and how many times
        as much it is to become.
    money_then, active_then, factor_then
        Of everybody, then: the same, and what it became. NaN money: not known.
    ratio
        Money of customers like it: at most so many times as much, or as little.
    least
        Fewer say nothing: the share is NaN.

    Returns
    -------
    tuple of ndarray
        Shares; numbers of customers; and the factor that a quarter of them reached (NaN: too
        few).
    """
    known = np.isfinite(money_then) & np.isfinite(factor_then)
    then, now = _logs(money_then[known]), _logs(money)
    order = np.argsort(factor_then[known], kind="stable")
    then, went, kind = then[order], factor_then[known][order], active_then[known][order]
    reach = np.log(ratio) * (1 + 1e-12)
    share, best = np.full(len(money), np.nan), np.full(len(money), np.nan)
    count = np.zeros(len(money))
    if not len(went):
        return share, count, best
    for start in range(0, len(money), _ROWS):
        part = slice(start, start + _ROWS)
        like = np.abs(now[part, None] - then[None, :]) <= reach
        like &= active[part, None] == kind[None, :]
        far = like & (went[None, :] >= factor[part, None] * (1 - 1e-12))
        count[part] = like.sum(axis=1)
        enough = count[part] >= least
        with np.errstate(invalid="ignore", divide="ignore"):
            share[part] = np.where(enough, far.sum(axis=1) / count[part], np.nan)
        place = (like.cumsum(axis=1) >= np.ceil(_UPPER * count[part])[:, None]).argmax(axis=1)
        best[part] = np.where(enough, went[place], np.nan)
    return share, count, best


def _logs(money: Floats) -> Floats:
    """Logarithms; nothing, and a balance of returns, as one of a currency unit."""
    logs: Floats = np.log(np.maximum(np.nan_to_num(money), 1.0))
    return logs
