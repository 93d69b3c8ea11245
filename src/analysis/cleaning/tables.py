"""The rules of each table, in their written order."""

from __future__ import annotations

from analysis.cleaning.answers import RULES as ANSWERS
from analysis.cleaning.rules import Rule
from analysis.cleaning.unify import RULE
from analysis.settings_sources import Cleaning, CleaningRules, Scope
from analysis.tables import INPUT

# Rules that no switch turns off: without them a row has no place in the record.
ALWAYS = (
    "unmatched_key",
    "missing_value",
    "after_as_of",
    "returned_lines",
    "contradictory_sign",
    "several_arms",
    "out_of_scope",
    *(rule.name for rule in ANSWERS),
)

# What makes up a line of an order; two lines that agree in all of it are one line twice.
_LINE = (
    "order_id", "line_id", "customer_id", "ordered_at", "product", "category", "quantity",
    "unit_price", "list_price", "amount", "cost", "status", "returned", "owner_id",
)  # fmt: skip
_DAYS = {
    "orders": "ordered_at", "activities": "happened_at", "tickets": "opened_at",
    "treatments": "started_on", "customers": "joined_on", "receivables": "as_of",
    "payments": "paid_on", "invoices": "invoiced_on", "usage": "used_on",
    "surveys": "answered_on", "leads": "created_at", "opportunities": "created_at",
    "signals": "seen_at", "customer_changes": "changed_on",
}  # fmt: skip

# Of one strategy, among the measures of the period; who waited earlier may have its turn now.
_NOW = "(started_on IS NULL OR started_on >= $start)"
_ARM = f"(CASE WHEN rule IS NULL AND {_NOW} THEN arm END) OVER (PARTITION BY customer_id, strategy)"
_SEVERAL_ARMS = f"{_NOW} AND min{_ARM} <> max{_ARM}"


def rules(table: str, settings: Cleaning, scope: Scope, *, bridged: bool = False) -> list[Rule]:
    """The rules in force for a table, in the order in which they are tried.

    Conditions see the table's columns and, for tables with a customer, `fate`: the rule that
    removed the customer; and `known`: whether the customer is known. Customers carry
    `ordered` as well (an order on or before as_of), contacts `reachable`, tables with `bridged`
    customer numbers `unmatched` (a number without a partner).
    """
    candidates: list[Rule] = []
    keyed = any(c.name == "customer_id" for c in INPUT[table].columns)
    if bridged:
        candidates.append(Rule("unmatched_key", "unmatched IS NOT NULL"))
    # a lead, a deal or a task may be of a firm that is no customer yet
    if "customer_id" in INPUT[table].required:
        candidates.append(Rule("missing_customer", "customer_id IS NULL"))
    candidates.append(Rule("missing_value", _missing(table)))
    if keyed:
        candidates.append(Rule("voided", _voided(table)))
        candidates.append(Rule("test_accounts", _test(table)))
    day = _DAYS.get(table)
    if day and table != "customers":
        candidates.append(Rule("implausible_dates", f"{day} < $earliest OR {day} >= $latest"))
        candidates.append(Rule("after_as_of", f"{day} >= $tomorrow OR fate = 'after_as_of'"))
    elif keyed:
        own = "joined_on >= $tomorrow AND NOT ordered OR " if table == "customers" else ""
        candidates.append(Rule("after_as_of", f"{own}fate = 'after_as_of'"))
    if table == "orders":  # a line twice in all its cells; then only the number twice
        candidates.append(Rule("repeated_lines", "true", _LINE))
    if table == "tasks":
        candidates += ANSWERS
    if table == "treatments":  # before the key: which of the rows is true nobody can tell
        candidates.append(Rule("several_arms", _SEVERAL_ARMS))
    key = INPUT[table].key
    numbered = " AND ".join(f"{k} IS NOT NULL" for k in key if k in _OWN_NUMBERS) or "true"
    candidates.append(Rule("repeated_keys", numbered, tuple(key)))
    if table == "orders":
        candidates += [
            Rule("returned_lines", "returned AND amount > 0"),
            Rule("returns_removed", "quantity <= 0 OR amount < 0"),
            Rule("contradictory_sign", "quantity < 0 AND amount > 0"),
            Rule("zero_amount", "amount = 0"),
        ]
    if keyed and table != "customers":
        candidates.append(
            Rule(
                "unknown_customer",
                "customer_id IS NOT NULL AND NOT known AND fate IS DISTINCT FROM 'out_of_scope'",
            )
        )
    if table == "contacts":
        candidates.append(Rule("wrong_contacts", "NOT reachable"))
    if keyed:
        candidates.append(Rule("out_of_scope", _scope(table)))
    return [rule for rule in candidates if in_force(rule.name, settings)]


_OWN_NUMBERS = (
    "order_id", "line_id", "contact_id", "activity_id", "ticket_id", "survey_id", "signal_id"
)  # fmt: skip


def in_force(rule: str, settings: Cleaning) -> bool:
    """Whether the settings let a rule remove rows."""
    if rule == "returns_removed":
        return not settings.rules.returns_netted
    return rule in ALWAYS or bool(getattr(settings.rules, rule))


def _missing(table: str) -> str:
    return " OR ".join(f'"{c.name}" IS NULL' for c in INPUT[table].columns if c.required)


def _voided(table: str) -> str:
    has_status = "status" in INPUT[table].names
    own = "list_contains($void_words, lower(trim(status))) OR " if has_status else ""
    return f"{own}fate = 'voided'"


def _test(table: str) -> str:
    named = ["customer_id", *(["name"] if table in ("customers", "contacts") else [])]
    own = " OR ".join(f"coalesce(regexp_matches({n}, $test_pattern), false)" for n in named)
    return f"{own} OR fate = 'test_accounts'"


def _scope(table: str) -> str:
    if table == "customers":
        return "len($regions) > 0 AND NOT coalesce(list_contains($regions, region), false)"
    return "fate = 'out_of_scope'"


def written_order() -> list[str]:
    """Every rule of cleaning, in order, whatever the switches say."""
    everything = Cleaning(rules=CleaningRules(returns_netted=False))
    found: list[str] = []
    for table in ("orders", "contacts", "treatments", "customers", "tasks"):
        every = rules(table, everything, Scope(), bridged=True)
        found += [r.name for r in every if r.name not in found]
        found += [RULE] * (table == "customers")
    return found
