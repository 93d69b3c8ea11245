"""KPIs that goals ask for and no report shows by itself.

They follow the customers who were in a segment when the goals were given (at the end of the
period before): who reaches a higher segment since does not drop out of what is counted.
"A year" is the twelve months up to the period's last day.

churn_rate         1 − retention
annual_purchase    Σ amount of a year / customers
upsell_rate        of the customers who bought in the year before: what those who bought more
                   added / what all of them bought in the year before
reached_share      customers whose year comes to the goal's amount / customers
reached_customers  their number
win_back_rate      customers with an order in the period / customers; of a segment at risk
won_back           their number

A year that begins before the first recorded order by more than a tenth of its length gives no
value: what was not recorded is not 0.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from analysis.calendars import Period
from analysis.effects.kpi_values import MOST_UNRECORDED, year_start
from analysis.engine import query
from analysis.settings_goals import Goal

UNITS = {
    "churn_rate": "share",
    "annual_purchase": "money",
    "upsell_rate": "share",
    "reached_share": "share",
    "reached_customers": "count",
    "win_back_rate": "share",
    "won_back": "count",
}
# a share of customers, and the number of the same customers
COUNT_OF = {"reached_share": "reached_customers", "win_back_rate": "won_back"}
_OF_ORDERS = frozenset(UNITS) - {"churn_rate"}

_SQL = """
WITH members AS (
    SELECT customer_id FROM segments WHERE $segment IN ('all', segment)
), customers AS (
    SELECT customer_id,
           coalesce(sum(amount) FILTER (day BETWEEN $year AND $end), 0) AS year,
           coalesce(sum(amount) FILTER (day >= $before AND day < $year), 0) AS before,
           count(CASE WHEN amount > 0 AND day BETWEEN $start AND $end THEN 1 END) AS bought
    FROM members
    LEFT JOIN (SELECT customer_id, amount, CAST(ordered_at AS DATE) AS day FROM orders)
        USING (customer_id)
    GROUP BY customer_id
)
SELECT (SELECT min(CAST(ordered_at AS DATE)) FROM orders) AS first, count(*) AS members,
       CAST(coalesce(sum(year), 0) AS DECIMAL(18, 4)) AS year,
       count(CASE WHEN year >= CAST($reach AS DOUBLE) THEN 1 END) AS reached,
       count(CASE WHEN bought > 0 THEN 1 END) AS bought,
       count(CASE WHEN before > 0 THEN 1 END) AS buyers,
       CAST(coalesce(sum(CASE WHEN before > 0 THEN before END), 0) AS DECIMAL(18, 4)) AS before,
       CAST(coalesce(sum(CASE WHEN before > 0 THEN greatest(year - before, 0) END), 0)
            AS DECIMAL(18, 4)) AS more
FROM customers
"""


class Measured(NamedTuple):
    """A value, what it rests on, and the share's parts where it is one of customers."""

    value: float = math.nan
    n: float = math.nan
    counted: bool = False


def goal_value(
    goal: Goal,
    period: Period,
    kpis: pd.DataFrame,
    orders: pa.Table | None = None,
    members: pd.DataFrame | None = None,
) -> Measured:
    """Where a goal stood at the end of a period.

    Parameters
    ----------
    goal
        The goal.
    period
        The period: that of the report, or the one that holds the goal's baseline.
    kpis
        RECORD ``kpis``.
    orders
        RECORD ``orders``.
    members
        customer_id, segment at the end of the period before the report's.

    Returns
    -------
    Measured
        NaN where the data does not give it; ``counted``: a share of ``n`` customers.
    """
    if goal.kpi in _OF_ORDERS:
        return _of_orders(goal, period, orders, members)
    key = "retention" if goal.kpi == "churn_rate" else goal.kpi
    chosen = (kpis["kpi"] == key) & (kpis["segment"] == goal.segment)
    rows = kpis[chosen & (kpis["period"] == period.name) & kpis["value"].notna()]
    if rows.empty:
        return Measured()
    row = rows.iloc[0]
    value = 1 - float(row["value"]) if goal.kpi == "churn_rate" else float(row["value"])
    counts = [float(row[name]) for name in ("n", "denominator", "numerator")]
    whole = row["unit"] == "share" and counts[0] == counts[1] and counts[2].is_integer()
    return Measured(value, counts[0], whole)


def _of_orders(
    goal: Goal, period: Period, orders: pa.Table | None, members: pd.DataFrame | None
) -> Measured:
    if orders is None or not len(orders) or members is None or members.empty:
        return Measured()
    year = year_start(period.end)
    before = year_start(year - timedelta(days=1))
    row = query(
        _SQL,
        {
            "segment": goal.segment,
            "year": year,
            "before": before,
            "start": period.start,
            "end": period.end,
            "reach": goal.reach or math.inf,
        },
        orders=orders.select(["customer_id", "ordered_at", "amount"]),
        segments=members[["customer_id", "segment"]].astype(str),
    ).to_pylist()[0]
    first = row.pop("first")
    needed = {"upsell_rate": before, "win_back_rate": period.start, "won_back": period.start}
    window = needed.get(goal.kpi, year)
    if (first.date() - window).days > MOST_UNRECORDED * ((period.end - window).days + 1):
        return Measured()
    found = {name: float(value) for name, value in row.items()}
    if found["members"] == 0:
        return Measured()
    match goal.kpi:
        case "annual_purchase":
            return Measured(found["year"] / found["members"], found["members"])
        case "upsell_rate" if found["before"] > 0:
            return Measured(found["more"] / found["before"], found["buyers"])
        case "reached_share":
            return Measured(found["reached"] / found["members"], found["members"], True)
        case "reached_customers":
            return Measured(found["reached"], found["members"])
        case "win_back_rate":
            return Measured(found["bought"] / found["members"], found["members"], True)
        case "won_back":
            return Measured(found["bought"], found["members"])
    return Measured()
