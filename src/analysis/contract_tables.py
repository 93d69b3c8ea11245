"""The tables of a record about contracts and the use of the product: grain, key, columns.

Written as in `analysis.record_tables`; `analysis.tables` puts them together.
"""

TABLES: dict[str, tuple[str, ...]] = {
    "subscriptions": (
        "contract term kept",
        "subscription_id",
        "subscription_id! string  the term",
        "customer_id! string  the customer",
        "starts_on! date  first day",
        "ends_on! date  last day",
        "arr money  yearly recurring revenue [currency]",
        "seats integer  seats [seats]",
        "predecessor string  the term it renews",
        "status string  active, renewed, churned, negotiating, or the company's own word",
        "churn_reason string  reason for leaving",
    ),
    "usage": (
        "customer × day × feature kept",
        "customer_id used_on feature",
        "customer_id! string  the customer",
        "used_on! date  the day",
        "feature string  feature",
        "users integer  active users [people]",
        "minutes number  time in use [minutes]",
        "events integer  uses [times]",
    ),
}
