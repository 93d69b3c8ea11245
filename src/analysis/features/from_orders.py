"""What orders, visits, calls and tickets say of a customer: common table expressions.

Each is read by `analysis.features.build`, which fills the placeholders. Windows are half open:
the last N days up to and with as_of are `day > as_of − N`.
"""

ORDERS = """
lines AS (
    SELECT customer_id, order_id, CAST(ordered_at AS DATE) AS day, amount, cost, product
    FROM orders
    WHERE ordered_at < $end
),
-- one row an order: credit notes and fully returned orders drop out
bought AS (
    SELECT customer_id, order_id,
           min(day) FILTER (WHERE amount > 0) AS first_day,
           max(day) FILTER (WHERE amount > 0) AS last_day
    FROM lines
    GROUP BY customer_id, order_id
    HAVING sum(amount) > 0
),
per_order AS (
    SELECT customer_id,
           min(first_day) AS first_order_on,
           max(last_day) AS last_order_on,
           count(*) AS orders_ever,
           count(*) FILTER (WHERE last_day > $frequency_from) AS frequency,
           count(*) FILTER (WHERE last_day > $monetary_from) AS orders_monetary,
           count(*) FILTER (WHERE last_day > $span_from) AS orders_now,
           count(*) FILTER (WHERE last_day > $before_from AND last_day <= $span_from)
               AS orders_before,
           count(*) FILTER (WHERE last_day > $year_ago_from AND last_day <= $year_ago)
               AS orders_year
    FROM bought
    GROUP BY customer_id
),
per_day AS (
    SELECT customer_id, count(DISTINCT day) - 1 AS intervals
    FROM lines
    JOIN bought USING (customer_id, order_id)
    WHERE amount > 0
    GROUP BY customer_id
),
per_line AS (
    SELECT customer_id,
           sum(amount) AS money_ever,
           sum(amount) FILTER (WHERE day > $frequency_from) AS money_frequency,
           sum(amount) FILTER (WHERE day > $monetary_from) AS monetary,
           -- a cost that is missing on one line makes the customer's margin unknown
           CASE WHEN count(*) FILTER (WHERE day > $monetary_from AND cost IS NULL) = 0
                THEN sum(amount - cost) FILTER (WHERE day > $monetary_from) END AS margin,
           sum(amount) FILTER (WHERE day BETWEEN $start AND $stop) AS revenue_period,
           sum(amount) FILTER (WHERE day BETWEEN $previous_start AND $previous_end)
               AS revenue_previous,
           sum(amount) FILTER (WHERE day BETWEEN $ago_start AND $ago_end) AS revenue_year_ago,
           count(DISTINCT product) FILTER (WHERE day > $monetary_from AND amount > 0)
               AS products
    FROM lines
    GROUP BY customer_id
),
-- known by then: an order, or a start date that is not in the future
known AS (
    SELECT customer_id, any_value(industry) AS industry,
           min(joined_on) FILTER (WHERE joined_on < $end) AS joined_on
    FROM customers
    WHERE joined_on IS NULL OR joined_on < $end
       OR customer_id IN (SELECT customer_id FROM per_line)
    GROUP BY customer_id
    UNION ALL
    SELECT customer_id, NULL, NULL
    FROM per_line
    WHERE customer_id NOT IN (SELECT customer_id FROM customers)
)"""

CYCLES = """
cycles AS (
    SELECT customer_id, industry, intervals,
           date_diff('day', first_order_on, last_order_on) / nullif(intervals, 0) AS own
    FROM known
    LEFT JOIN per_order USING (customer_id)
    LEFT JOIN per_day USING (customer_id)
),
industry_cycles AS (
    SELECT industry, median(own) AS cycle
    FROM cycles
    WHERE own IS NOT NULL AND industry IS NOT NULL
    GROUP BY industry
    HAVING count(*) >= $cycle_customers
),
every_cycle AS (
    SELECT CASE WHEN count(own) >= $cycle_customers THEN median(own) END AS cycle FROM cycles
),
usual_cycles AS (
    SELECT customer_id, intervals, own,
           coalesce(industry_cycles.cycle, (SELECT cycle FROM every_cycle), $default_cycle)
               AS industry_cycle_days
    FROM cycles
    LEFT JOIN industry_cycles USING (industry)
),
expected AS (
    SELECT customer_id, intervals, CAST(industry_cycle_days AS DOUBLE) AS industry_cycle_days,
           CASE WHEN intervals IS NULL THEN NULL
                WHEN own IS NULL OR intervals + $weight = 0 THEN industry_cycle_days
                ELSE (intervals * own + $weight * industry_cycle_days) / (intervals + $weight)
           END AS expected_interval_days
    FROM usual_cycles
)"""

CONTACTS = """
met AS (
    SELECT customer_id, CAST(happened_at AS DATE) AS day
    FROM activities
    WHERE happened_at < $end AND kind IN (SELECT unnest($kinds))
),
visited AS (
    SELECT customer_id,
           count(*) FILTER (WHERE day BETWEEN $start AND $stop) AS visits,
           count(*) FILTER (WHERE day > $span_from) AS visits_now,
           count(*) FILTER (WHERE day > $before_from AND day <= $span_from) AS visits_before,
           count(*) FILTER (WHERE day > $year_ago_from AND day <= $year_ago) AS visits_year
    FROM met
    GROUP BY customer_id
),
served AS (
    SELECT customer_id, count(*) AS tickets,
           count(*) FILTER (WHERE kind = 'complaint') AS complaints,
           sum(CAST(satisfaction AS DECIMAL(18, 4))) / count(satisfaction) AS satisfaction
    FROM tickets
    WHERE opened_at < $end AND CAST(opened_at AS DATE) > $year_from
    GROUP BY customer_id
)"""
