"""Until when a contract term counts, and which term takes it over.

The rule
--------
1. A term counts from its first day.
2. What takes it over is the term that names it as ``predecessor``; the first, if there are
   several. From the day that term begins the old one counts no longer: an early renewal is not
   counted twice. It goes on counting until then where the gap is ``grace_days`` at most: a late
   renewal is a renewal. After a longer gap the customer was lost and came back.
3. Where no term names it, the customer's next term that begins within ``grace_days`` of its last
   day and runs longer takes it over, one that renews something first: additional seats are
   contracts of their own and flow into the renewal of the main one. Before the last day only
   where the term is ``renewed`` or says nothing of its standing: what runs beside a running
   contract is another product.
4. A term that nothing takes over counts up to its last day if it is ``churned``, else
   ``grace_days`` longer: it may still be renewed. What was not renewed by then is lost.

All of it is known on the day it counts for, but for `churned`, which carries no date of its own.
The yearly revenue is taken as given: a term of three years counts with its yearly fee.
"""

from __future__ import annotations

import pyarrow as pa

from analysis.engine import query

CHURNED = "churned"

_SQL = """
WITH terms AS (
    SELECT subscription_id AS term, customer_id, nullif(predecessor, '') AS predecessor,
           lower(coalesce(status, '')) AS status,
           CAST(starts_on AS DATE) AS starts, CAST(ends_on AS DATE) AS ends,
           coalesce(arr, 0) AS arr, seats
    FROM subscriptions
), named AS (
    SELECT t.term, arg_min(s.term, (s.starts, s.term)) AS follower
    FROM terms AS t
    JOIN terms AS s ON s.predecessor = t.term AND s.starts > t.starts
    GROUP BY t.term
), near AS (
    SELECT t.term, arg_min(s.term, (s.predecessor IS NULL, s.starts, s.term)) AS follower
    FROM terms AS t
    JOIN terms AS s
        ON s.customer_id = t.customer_id AND s.starts > t.starts AND s.ends > t.ends
       AND s.starts BETWEEN t.ends - CASE WHEN t.status IN ('renewed', '') THEN $grace ELSE -1 END
                        AND t.ends + $grace + 1
    WHERE t.term NOT IN (SELECT term FROM named) AND t.status <> $churned
    GROUP BY t.term
), followers AS (
    SELECT * FROM named UNION ALL SELECT * FROM near
)
SELECT t.term, t.customer_id, t.starts, t.ends, t.arr, t.seats, t.status,
       s.term AS follower, s.arr AS follower_arr,
       CASE WHEN s.term IS NOT NULL THEN s.starts - 1
            WHEN t.status = $churned THEN t.ends
            ELSE t.ends + $grace END AS until
FROM terms AS t
LEFT JOIN followers AS f ON f.term = t.term
LEFT JOIN terms AS s ON s.term = f.follower AND s.starts <= t.ends + $grace + 1
"""


def terms(subscriptions: pa.Table, grace_days: int) -> pa.Table:
    """Every term with what takes it over and the last day on which it counts.

    Parameters
    ----------
    subscriptions
        RECORD ``subscriptions``.
    grace_days
        Days after its last day within which a term can still be renewed [days].

    Returns
    -------
    pyarrow.Table
        term, customer_id, starts, ends, arr, seats, status, follower (the term that takes it
        over, or empty), follower_arr, until (last day on which it counts).
    """
    columns = ["subscription_id", "customer_id", "starts_on", "ends_on", "arr", "seats"]
    chosen = subscriptions.select([*columns, "predecessor", "status"])
    return query(_SQL, {"grace": grace_days, "churned": CHURNED}, subscriptions=chosen)
