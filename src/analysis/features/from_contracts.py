"""What contracts, the usage log and receivables say of a customer: common table expressions.

Each is read by `analysis.features.build`, which fills the placeholders.

A contract counts from its first day; what its row says of the time after as_of (renewed, lost)
carries no date of its own and is not looked at. A day that the usage log does not hold is
missing, not zero: usage is compared by the mean of the days logged.
"""

CONTRACTS = """
terms AS (
    SELECT customer_id, subscription_id, CAST(ends_on AS DATE) AS ends, arr, seats
    FROM subscriptions
    WHERE starts_on < $end
),
-- a term that its successor has already taken over is not counted twice
running AS (
    SELECT *
    FROM terms
    WHERE ends >= $as_of AND subscription_id NOT IN (
        SELECT predecessor FROM subscriptions WHERE starts_on < $end AND predecessor IS NOT NULL)
),
ended AS (
    SELECT customer_id, max(ends) AS ends FROM terms GROUP BY customer_id
),
contracted AS (
    SELECT customer_id,
           coalesce(sum(arr) FILTER (WHERE running.customer_id IS NOT NULL), 0) AS arr,
           sum(seats) AS seats,
           coalesce(min(running.ends), any_value(ended.ends)) AS renewal_on
    FROM ended
    LEFT JOIN running USING (customer_id)
    GROUP BY customer_id
)"""

USAGE = """
-- what the log counts: uses, else time, else people
measured AS (
    SELECT CASE WHEN count(events) > 0 THEN 'events' WHEN count(minutes) > 0 THEN 'minutes'
                ELSE 'users' END AS measure
    FROM usage
    WHERE used_on < $end
),
logged AS (
    SELECT customer_id, date_diff('day', CAST(used_on AS DATE), $as_of) AS age,
           sum(CAST(CASE measure WHEN 'events' THEN events WHEN 'minutes' THEN minutes
                    ELSE users END AS DECIMAL(18, 4))) AS uses,
           max(users) AS users
    FROM usage
    CROSS JOIN measured
    WHERE used_on < $end
    GROUP BY customer_id, used_on
),
used AS (
    SELECT customer_id,
           count(uses) FILTER (WHERE age < $span) AS days,
           count(uses) FILTER (WHERE age >= $span AND age < 2 * $span) AS days_before,
           count(uses) FILTER (WHERE age >= $year_ago AND age < $year_ago + $span) AS days_year,
           sum(uses) FILTER (WHERE age < $span) AS uses,
           sum(uses) FILTER (WHERE age >= $span AND age < 2 * $span) AS uses_before,
           sum(uses) FILTER (WHERE age >= $year_ago AND age < $year_ago + $span) AS uses_year,
           sum(CAST(users AS DECIMAL(18, 4))) FILTER (WHERE age < $span)
               / count(users) FILTER (WHERE age < $span) AS users
    FROM logged
    GROUP BY customer_id
)"""

OWED = """
owed AS (
    SELECT customer_id, sum(overdue) AS overdue
    FROM receivables
    WHERE as_of = (SELECT max(as_of) FROM receivables WHERE as_of < $end)
    GROUP BY customer_id
)"""

ACTIVITY = """
acts AS (
    SELECT customer_id, 'orders' AS kind, date_diff('day', last_day, $as_of) AS age FROM bought
    UNION ALL
    SELECT customer_id, 'contacts', date_diff('day', day, $as_of) FROM met
),
-- a table that does not reach back to the earlier window cannot be compared with it
reach AS (SELECT kind, max(age) AS back FROM acts GROUP BY kind),
acted AS (
    SELECT customer_id,
           count(*) FILTER (WHERE back >= 2 * $span - 1 AND age < $span) AS now_before,
           count(*) FILTER (WHERE back >= 2 * $span - 1 AND age >= $span AND age < 2 * $span)
               AS before,
           count(*) FILTER (WHERE back >= $year_ago + $span - 1 AND age < $span) AS now_year,
           count(*) FILTER (WHERE back >= $year_ago + $span - 1
                            AND age >= $year_ago AND age < $year_ago + $span) AS last_year
    FROM acts
    JOIN reach USING (kind)
    GROUP BY customer_id
),
compared AS (
    SELECT customer_id,
           date_diff('day', least(joined_on, first_order_on), $as_of) + 1 AS lived,
           coalesce(now_before, 0) + coalesce(
               uses / nullif(days, 0) * greatest(days, days_before)
               * sign(days_before), 0) AS now_before,
           coalesce(before, 0) + coalesce(
               uses_before / nullif(days_before, 0) * greatest(days, days_before)
               * sign(days), 0) AS before,
           coalesce(now_year, 0) + coalesce(
               uses / nullif(days, 0) * greatest(days, days_year) * sign(days_year), 0)
               AS now_year,
           coalesce(last_year, 0) + coalesce(
               uses_year / nullif(days_year, 0) * greatest(days, days_year) * sign(days), 0)
               AS last_year
    FROM known
    LEFT JOIN per_order USING (customer_id)
    LEFT JOIN acted USING (customer_id)
    LEFT JOIN used USING (customer_id)
),
activity AS (
    SELECT customer_id,
           CASE WHEN lived >= 2 * $span AND before >= $least
                THEN now_before / before - 1 END AS activity_change,
           CASE WHEN lived >= $year_ago + $span AND last_year >= $least
                THEN now_year / last_year - 1 END AS activity_change_year
    FROM compared
)"""
