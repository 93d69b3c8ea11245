"""What contracts, the usage log and receivables say of a customer: common table expressions.

Each is read by `analysis.features.build`, which fills the placeholders.

A contract counts from its first day; what its row says of the time after as_of (renewed, lost)
carries no date of its own and is not looked at.

A day that the usage log does not hold is missing, not zero: usage is compared by the mean of the
days logged. A long gap at the end is another matter: a customer whose log stopped while that of
others goes on is silent. Silent is who has not been logged for more than a third of the window,
and for more than three times its own usual gap, by the day beyond which only a quarter of the
customers logged in these two windows was logged still. The logs that it would have had since then
count as days without use; silent over the whole window, its use is zero (a change of −100 %:
no usage recorded), and stays so as long as it is silent.

What all customers share in a window (Spring Festival, summer) is no sign of any single one: use
now against before is divided by the middle one of all customers' such ratios, where at least
`$peers` customers have one. A log that begins later than in the first third of the earlier
window shows going live, not growth, and is not compared.
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
    SELECT customer_id, CAST(used_on AS DATE) AS day,
           sum(CAST(CASE measure WHEN 'events' THEN events WHEN 'minutes' THEN minutes
                    ELSE users END AS DECIMAL(18, 4))) AS uses,
           max(users) AS users
    FROM usage
    CROSS JOIN measured
    WHERE used_on < $end
    GROUP BY customer_id, used_on
),
seen AS (
    SELECT customer_id, min(day) AS first_day, max(day) AS last_day,
           coalesce(date_diff('day', min(day), max(day)) / nullif(count(DISTINCT day) - 1, 0),
                    $span / 3) AS usual
    FROM logged
    GROUP BY customer_id
),
log_end AS (
    SELECT CAST(quantile_disc(last_day, 0.75) AS DATE) AS log_day
    FROM seen
    WHERE last_day > $before_from
),
-- logs that a silent customer would have had in the window
quiet AS (
    SELECT customer_id, first_day,
           if(date_diff('day', last_day, log_day) > greatest($span / 3, 3 * usual),
              greatest(date_diff('day', greatest(last_day, $span_from), log_day), 0)
                  / greatest(usual, 1), 0) AS silent
    FROM seen
    CROSS JOIN log_end
),
counted AS (
    SELECT customer_id, any_value(silent) AS silent, any_value(first_day) AS first_day,
           count(uses) FILTER (WHERE day > $span_from) + any_value(silent) AS days,
           count(uses) FILTER (WHERE day > $before_from AND day <= $span_from) AS days_before,
           count(uses) FILTER (WHERE day > $year_ago_from AND day <= $year_ago) AS days_year,
           coalesce(sum(uses) FILTER (WHERE day > $span_from), if(any_value(silent) > 0, 0, NULL))
               / nullif(days, 0) AS rate,
           sum(uses) FILTER (WHERE day > $before_from AND day <= $span_from)
               / nullif(days_before, 0) AS rate_before,
           sum(uses) FILTER (WHERE day > $year_ago_from AND day <= $year_ago)
               / nullif(days_year, 0) AS rate_year,
           coalesce(sum(CAST(users AS DECIMAL(18, 4))) FILTER (WHERE day > $span_from),
                    if(any_value(silent) > 0, 0, NULL))
               / nullif(count(users) FILTER (WHERE day > $span_from) + any_value(silent), 0)
               AS users
    FROM logged
    JOIN quiet USING (customer_id)
    GROUP BY customer_id
),
ratios AS (
    SELECT customer_id, rate / nullif(rate_before, 0) AS ratio
    FROM counted
    WHERE first_day <= $before_from + 1 + $span // 3
),
-- what everybody's use did between the two windows
season AS (
    SELECT if(count(ratio) >= $peers, nullif(median(ratio), 0), 1) AS factor FROM ratios
),
used AS (
    SELECT counted.*,
           CASE WHEN rate = 0 AND silent > 0 THEN -1
                ELSE ratio / coalesce(factor, 1) - 1 END AS usage_change
    FROM counted
    CROSS JOIN season
    LEFT JOIN ratios USING (customer_id)
)"""

OWED = """
owed AS (
    SELECT customer_id, sum(overdue) AS overdue
    FROM receivables
    WHERE as_of = (SELECT max(as_of) FROM receivables WHERE as_of < $end)
    GROUP BY customer_id
)"""

ACTIVITY = """
-- a table that does not reach back to the earlier window cannot be compared with it
reach AS (
    SELECT (SELECT min(last_day) FROM bought) AS orders_reach,
           (SELECT min(day) FROM met) AS met_reach
),
compared AS (
    SELECT customer_id,
           date_diff('day', least(joined_on, first_order_on), $as_of) + 1 AS lived,
           if(orders_reach <= $before_from + 1, orders_now, 0) AS o,
           if(orders_reach <= $before_from + 1, orders_before, 0) AS o_before,
           if(orders_reach <= $year_ago_from + 1, orders_now, 0) AS o_too,
           if(orders_reach <= $year_ago_from + 1, orders_year, 0) AS o_year,
           if(met_reach <= $before_from + 1, visits_now, 0) AS v,
           if(met_reach <= $before_from + 1, visits_before, 0) AS v_before,
           if(met_reach <= $year_ago_from + 1, visits_now, 0) AS v_too,
           if(met_reach <= $year_ago_from + 1, visits_year, 0) AS v_year,
           if(rate IS NULL OR rate_before IS NULL, 0, greatest(days, days_before)) AS d_before,
           if(rate IS NULL OR rate_year IS NULL, 0, greatest(days, days_year)) AS d_year,
           rate, rate_before, rate_year
    FROM known
    CROSS JOIN reach
    LEFT JOIN per_order USING (customer_id)
    LEFT JOIN visited USING (customer_id)
    LEFT JOIN used USING (customer_id)
),
added AS (
    SELECT customer_id, lived,
           coalesce(o, 0) + coalesce(v, 0) + coalesce(rate * d_before, 0) AS now,
           coalesce(o_before, 0) + coalesce(v_before, 0) + coalesce(rate_before * d_before, 0)
               AS before,
           coalesce(o_too, 0) + coalesce(v_too, 0) + coalesce(rate * d_year, 0) AS now_too,
           coalesce(o_year, 0) + coalesce(v_year, 0) + coalesce(rate_year * d_year, 0) AS last_year
    FROM compared
),
activity AS (
    SELECT customer_id,
           CASE WHEN lived >= 2 * $span AND before >= $least
                THEN now / before - 1 END AS activity_change,
           CASE WHEN lived >= $as_of - $year_ago + $span AND last_year >= $least
                THEN now_too / last_year - 1 END AS activity_change_year
    FROM added
)"""
