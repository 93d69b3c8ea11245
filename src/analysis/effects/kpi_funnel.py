"""What became of leads and opportunities, by period and group.

lead_conversion    leads converted within `lead_days` of coming in / leads whose `lead_days` ended
                   in the period: every lead is judged after the same time, so that the leads of
                   last week do not look bad
win_rate           deals won / deals won or lost in the period; void ones are no deals
win_rate_value     the same by money
sales_cycle_days   median days from opening to winning, of the deals won in the period
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from analysis.effects.kpi_groups import Grouping, placed
from analysis.engine import Frame, query

_LEADS = """
SELECT w.period, l.segment, count(*) AS leads_judged,
       count(CASE WHEN date_diff('day', CAST(created_at AS DATE), CAST(converted_at AS DATE))
                       <= $days THEN 1 END) AS leads_converted
FROM leads AS l JOIN windows AS w
  ON CAST(l.created_at AS DATE) + CAST($days AS INTEGER) BETWEEN w.start AND w.stop
GROUP BY w.period, l.segment
"""
_DEALS = """
WITH deals AS (
    SELECT segment, CAST(closed_at AS DATE) AS day, status = 'won' AS won,
           coalesce(amount, 0) AS amount,
           date_diff('day', CAST(created_at AS DATE), CAST(closed_at AS DATE)) AS days
    FROM opportunities WHERE status IN ('won', 'lost') AND closed_at IS NOT NULL
)
SELECT w.period, d.segment, count(*) AS deals_closed,
       count(CASE WHEN won THEN 1 END) AS deals_won,
       CAST(sum(amount) AS DECIMAL(18, 4)) AS value_closed,
       CAST(sum(CASE WHEN won THEN amount ELSE 0 END) AS DECIMAL(18, 4)) AS value_won,
       median(CASE WHEN won AND days >= 0 THEN days END) AS cycle_days,
       count(CASE WHEN won AND days >= 0 THEN 1 END) AS cycles
FROM deals AS d JOIN windows AS w ON d.day BETWEEN w.start AND w.stop
GROUP BY w.period, d.segment
"""


def funnel_sums(
    tables: Mapping[str, Frame], groups: Grouping, windows: pa.Table, lead_days: int
) -> list[pa.Table]:
    """The sums of leads and opportunities.

    Parameters
    ----------
    tables
        RECORD tables by name; those that are missing or empty have no sums.
    groups, windows
        As in `kpi_values.order_sums`.
    lead_days
        Days after which a lead is judged.
    """
    found = []
    if "leads" in tables and len(tables["leads"]):
        rows = placed(tables["leads"], "leads", ["created_at", "converted_at"], groups)
        found.append(query(_LEADS, {"days": lead_days}, leads=rows, windows=windows))
    if "opportunities" in tables and len(tables["opportunities"]):
        columns = ["created_at", "closed_at", "status", "amount"]
        rows = placed(tables["opportunities"], "opportunities", columns, groups)
        found.append(query(_DEALS, opportunities=rows, windows=windows))
    return found
