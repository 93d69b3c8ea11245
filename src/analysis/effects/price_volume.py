"""Volume, mix and price: what changed between two periods, product by product.

The products sold in both periods, with quantities: Q and A are their quantity and money together,
q and a those of one product, 0 the period before, 1 this one; p0 = a0 / q0.

volume        Q1 · A0/Q0 − A0            more or fewer units, at the old mix and the old prices
mix           Σ q1·p0 − Q1 · A0/Q0       dearer or cheaper products among them
price         Σ (a1 − q1·p0)             the same products at other prices
new_products  Σ a1 of products not sold before
discontinued  −Σ a0 of products sold no more
unpriced      Σ (a1 − a0) of products without quantity, with returns of more than was sold, or
              whose price per unit changed a hundredfold: then the unit is another one

Each term is rounded to cents once, so that the parts add up to A1 − A0 exactly. Volume and mix
together do not depend on the units; between them they do where pieces are added to metres.
"""

from __future__ import annotations

import pyarrow as pa

from analysis.calendars import Period
from analysis.engine import query

PARTS = ("volume", "mix", "price", "new_products", "discontinued", "unpriced")
OTHER_UNIT = 100  # times: a price that changed by more is the price of another unit

_PRODUCTS = """
WITH lines AS (
    SELECT coalesce(product, '') AS product, amount,
           TRY_CAST(quantity AS DECIMAL(18, 4)) AS quantity,
           CAST(ordered_at AS DATE) BETWEEN $start AND $end AS later,
           CAST(ordered_at AS DATE) BETWEEN $from AND $to AS earlier
    FROM orders
), products AS (
    SELECT product, count(*) FILTER (later) AS lines_now, count(*) FILTER (earlier) AS lines_then,
           coalesce(sum(amount) FILTER (later), 0) AS now,
           coalesce(sum(amount) FILTER (earlier), 0) AS before,
           CAST(coalesce(sum(quantity) FILTER (later), 0) AS DOUBLE) AS quantity_now,
           CAST(coalesce(sum(quantity) FILTER (earlier), 0) AS DOUBLE) AS quantity_then,
           bool_and(quantity IS NOT NULL) AS counted
    FROM lines WHERE later OR earlier
    GROUP BY product
)
SELECT product, lines_now, lines_then, CAST(now AS DECIMAL(18, 4)) AS now,
       CAST(before AS DECIMAL(18, 4)) AS before, quantity_now, quantity_then,
       CASE WHEN product = '' THEN 'unpriced'
            WHEN lines_then = 0 THEN 'new_products'
            WHEN lines_now = 0 THEN 'discontinued'
            WHEN NOT counted OR least(quantity_now, quantity_then, now, before) <= 0
                THEN 'unpriced'
            WHEN (now / quantity_now) / (before / quantity_then)
                NOT BETWEEN 1.0 / $other_unit AND $other_unit THEN 'unpriced'
            ELSE 'priced' END AS kind,
       CASE WHEN kind = 'priced'
            THEN CAST(quantity_now * CAST(before AS DOUBLE) / quantity_then AS DECIMAL(18, 2))
            END AS at_old_price
FROM products
ORDER BY product
"""

_PARTS = """
WITH priced AS (
    SELECT sum(now) AS now, sum(before) AS before, sum(at_old_price) AS at_old_price,
           CAST(fsum(quantity_now) * CAST(sum(before) AS DOUBLE) / fsum(quantity_then)
                AS DECIMAL(18, 2)) AS at_old_mix,
           sum(lines_now + lines_then) AS n
    FROM products WHERE kind = 'priced'
)
SELECT 'volume' AS step, CAST(at_old_mix - before AS DECIMAL(18, 4)) AS amount, n FROM priced
UNION ALL
SELECT 'mix', CAST(at_old_price - at_old_mix AS DECIMAL(18, 4)), n FROM priced
UNION ALL
SELECT 'price', CAST(now - at_old_price AS DECIMAL(18, 4)), n FROM priced
UNION ALL
SELECT kind, CAST(sum(now - before) AS DECIMAL(18, 4)), sum(lines_now + lines_then)
FROM products WHERE kind <> 'priced' GROUP BY kind
"""


def products(orders: pa.Table, period: Period, then: Period) -> pa.Table:
    """What each product brought in both periods, and how it counts.

    Parameters
    ----------
    orders
        RECORD ``orders``.
    period, then
        The period and the one that it is compared with.

    Returns
    -------
    pyarrow.Table
        product (empty: the line names none), lines_now, lines_then, now, before [currency],
        quantity_now, quantity_then [units], kind (priced, new_products, discontinued, unpriced),
        at_old_price: this period's quantity at the old price [currency].
    """
    days = {"start": period.start, "end": period.end, "from": then.start, "to": then.end}
    columns = ["product", "quantity", "amount", "ordered_at"]
    return query(_PRODUCTS, {**days, "other_unit": OTHER_UNIT}, orders=orders.select(columns))


def parts(sold: pa.Table) -> pa.Table:
    """The parts of the change (`PARTS`) from what `products` gives: step, amount, n (lines)."""
    found = query(_PARTS, products=sold)
    return found.filter(found["amount"].is_valid())
