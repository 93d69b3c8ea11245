"""Who owes, how much of it is overdue, and which of the best customers must be asked to pay."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from analysis.calendars import Period
from analysis.engine import query, to_frame
from analysis.segmentation.rules import Scheme, best_and_worst
from analysis.tables import RECORD

# What a bucket such as 91-180 or 361+ begins with is the fewest days overdue in it.
_SQL = """
WITH latest AS (
    SELECT * FROM receivables
    WHERE as_of = (SELECT max(as_of) FROM receivables WHERE as_of >= $start AND as_of < $after)
), dated AS (
    SELECT *, coalesce(TRY_CAST(regexp_extract(bucket, '^([0-9]+)[-+]', 1) AS INTEGER), 0) AS first
    FROM latest
)
SELECT d.customer_id, max(d.as_of) AS as_of, max(s.segment) AS segment,
       CAST(sum(d.amount) AS DECIMAL(18, 4)) AS balance,
       CAST(coalesce(sum(d.overdue), 0) AS DECIMAL(18, 4)) AS overdue,
       arg_max(d.bucket, (d.first, d.bucket)) FILTER (d.overdue > 0) AS bucket,
       CAST(coalesce(max(d.first) FILTER (d.overdue > 0), 0) AS BIGINT) AS days
FROM dated AS d JOIN segments AS s USING (customer_id)
GROUP BY d.customer_id
ORDER BY d.customer_id
"""


def arrears(
    receivables: pa.Table,
    segments: pd.DataFrame,
    period: Period,
    *,
    arrears_days: int = 30,
    scheme: Scheme | None = None,
) -> pd.DataFrame:
    """Each customer's open money at the end of the period.

    Parameters
    ----------
    receivables, segments
        RECORD tables.
    period
        Its latest snapshot counts; without one the result is empty.
    arrears_days
        A customer is in arrears with money overdue for more than so many days (setting
        ``segmentation.arrears_days``).
    scheme
        Its best-ranked segment is the one whose customers are to be collected from.

    Returns
    -------
    DataFrame
        RECORD ``arrears``. ``days`` is the first day of the oldest bucket that holds overdue
        money; ``overdue`` counts all of the customer's overdue money, not that bucket's alone.
    """
    if not len(receivables) or segments.empty:
        return pd.DataFrame(columns=RECORD["arrears"].names)
    best, _ = best_and_worst(scheme)
    placed = pa.table(
        {
            "customer_id": pa.array(segments["customer_id"], pa.string()),
            "segment": pa.array(segments["segment"].astype(str), pa.string()),
        }
    )
    after = pd.Timestamp(period.end) + pd.Timedelta(days=1)
    span = {"start": period.start, "after": after.to_pydatetime()}
    frame = to_frame(query(_SQL, span, receivables=receivables, segments=placed))
    frame["collect"] = (
        (frame["segment"] == best) & (frame["overdue"] > 0) & (frame["days"] > arrears_days)
    )
    return frame[RECORD["arrears"].names]
