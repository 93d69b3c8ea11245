"""Which benefits a segment may have, and which its customers had."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pyarrow as pa

from analysis.engine import query, to_frame
from analysis.strategy.playbook import Playbook, Term
from analysis.tables import RECORD

DISCOUNT = "discount"
TOLERANCE = 0.005  # share of the list price: prices are rounded, and half a per cent is no offer

# Sums of DECIMAL: no float enters them, so they do not depend on the order of lines.
_SQL = """
WITH lines AS (
    SELECT o.customer_id, p.segment, p.most, o.amount,
           CAST(o.quantity * o.list_price AS DECIMAL(18, 4)) AS listed
    FROM orders AS o JOIN placed AS p USING (customer_id)
    WHERE o.ordered_at >= $start AND o.ordered_at < $after
      AND o.amount > 0 AND o.quantity > 0 AND o.list_price > 0
), judged AS (
    SELECT *, amount < listed * (1 - $tolerance) AS had,
           CAST(listed * (1 - most) AS DECIMAL(18, 4)) - amount AS over,
           amount < listed * (1 - most - $tolerance) AS beyond
    FROM lines
)
SELECT segment, count(DISTINCT customer_id) AS n,
       count(DISTINCT customer_id) FILTER (had) AS granted,
       count(DISTINCT customer_id) FILTER (beyond) AS beyond,
       coalesce(sum(over) FILTER (beyond), 0) AS money_beyond
FROM judged
GROUP BY segment
"""


def entitlements(
    playbook: Playbook,
    segments: pd.DataFrame,
    orders: pa.Table | None,
    as_of: date,
    days: int = 365,
) -> pd.DataFrame:
    """Benefits granted against benefits due, by segment.

    Parameters
    ----------
    playbook
        Its ``entitlements`` say who may have what. Requirement 004-12.
    segments
        RECORD table at the end of the period.
    orders
        RECORD table; lines with a list price say which discount was given.
    as_of, days
        Last day of the window, and its length: setting ``segmentation.monetary_days``.

    Returns
    -------
    DataFrame
        RECORD ``entitlements``: every segment and benefit of the playbook. What was granted is
        known of discounts alone, line by line: 1 − amount / (quantity × list price), with half a
        per cent for rounding. `beyond` counts customers with a line above the most their segment
        may have; `money_beyond` is what these lines gave away above it. ``n`` is 0 and the rest
        empty where nobody has list prices, and for all other benefits.
    """
    benefits = dict.fromkeys(b for plan in playbook.segments.values() for b in plan.entitlements)
    given = _discounts(playbook, segments, orders, as_of, days)
    rows = []
    for segment, plan in playbook.segments.items():
        for benefit in sorted(benefits):
            due = plan.entitlements.get(benefit, False)
            most = due if isinstance(due, Term) else None
            known = benefit == DISCOUNT and segment in given.index
            had = given.loc[segment] if known else {}
            rows.append(
                {
                    "segment": segment,
                    "benefit": benefit,
                    "entitled": plan.entitled(benefit),
                    "most": most.value if most else None,
                    "unit": most.unit if most else None,
                    "granted": had.get("granted"),
                    "beyond": had.get("beyond"),
                    "money_beyond": had.get("money_beyond"),
                    "n": had.get("n", 0),
                }
            )
    frame = pd.DataFrame(rows, columns=RECORD["entitlements"].names)
    return frame.astype({"granted": "Int64", "beyond": "Int64"})


def _discounts(
    playbook: Playbook, segments: pd.DataFrame, orders: pa.Table | None, as_of: date, days: int
) -> pd.DataFrame:
    """Segment → who got a discount, who more than it may have, and how much."""
    columns = {"amount", "quantity", "list_price"}
    if orders is None or not columns <= set(orders.column_names):
        return pd.DataFrame()
    most = {
        name: _most(plan.entitlements.get(DISCOUNT)) for name, plan in playbook.segments.items()
    }
    mine = segments[segments["segment"].isin(list(most))]
    placed = pa.table(
        {
            "customer_id": pa.array(mine["customer_id"].astype(str), pa.string()),
            "segment": pa.array(mine["segment"].astype(str), pa.string()),
            "most": pa.array(mine["segment"].map(most).astype(float), pa.float64()),
        }
    )
    after = as_of + timedelta(days=1)
    span = {"start": after - timedelta(days=days), "after": after, "tolerance": TOLERANCE}
    found = to_frame(query(_SQL, span, orders=orders, placed=placed))
    return found.set_index("segment")


def _most(entitlement: Term | bool | None) -> float:
    """The largest discount as a share: without a number all of it, without an entitlement none."""
    if isinstance(entitlement, Term):
        return entitlement.value
    return 1.0 if entitlement else 0.0
