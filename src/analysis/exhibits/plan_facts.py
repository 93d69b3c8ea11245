"""The facts of the plan: strategies, limits, people, the budget curve, and what is left out."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.exhibits.facts import (
    Fact,
    FactBook,
    Tables,
    fact_id,
    facts_from_table,
    frame_of,
    known_fact,
    records,
)
from analysis.exhibits.reading import arguments

ALL = "all"
# Table → first part of the ids, key columns, column → unit, column of each row's own unit.
_TABLES: dict[str, tuple[str, list[str], dict[str, str], str | None]] = {
    "strategy_table": (
        "strategy",
        ["segment", "strategy"],
        {
            "rank": "count",
            "customers": "count",
            "cost": "money",
            "target": "row",
            "expected_value": "money",
            "expected_low": "money",
            "expected_high": "money",
            "starts_on": "date",
            "due": "date",
        },
        "unit",
    ),
    "limits": (
        "limit",
        ["limit", "who"],
        {"allowed": "row", "used": "row", "price": "money", "short": "row"},
        "unit",
    ),
    "budget_curve": (
        "curve",
        ["share"],
        {
            "share": "share",
            "budget": "money",
            "spent": "money",
            "expected_value": "money",
            "net_value": "money",
            "customers": "count",
            "ranking_value": "money",
            "habit_value": "money",
            "gap": "share",
        },
        None,
    ),
    "touches": (
        "touch",
        ["segment"],
        {
            "customers": "count",
            "least": "count",
            "planned": "count",
            "reached": "count",
            "short": "count",
            "last": "count",
        },
        None,
    ),
    "capacity": (
        "person",
        ["person_id"],
        {
            "customers": "count",
            "capacity": "count",
            "duties": "count",
            "extra": "count",
            "used": "share",
            "left_out": "count",
            "one_more": "money",
        },
        None,
    ),
}
# Units of tables that a fact writes another way.
_UNITS = {"visits": "count", "times": "count", "hours": "count"}
_REASONS = (
    ("strategy_table", "strategy", ["segment", "strategy"], ("goal", "measures", "resources")),
    ("limits", "limit", ["limit", "who"], ("advice",)),
    ("designs", "design", ["strategy"], ("statement",)),
)


def plan_facts(tables: Tables) -> FactBook:
    """All facts of the plan's tables; none where there are none."""
    book = FactBook()
    for name, (prefix, key, units, unit_column) in _TABLES.items():
        frame = frame_of(tables, name)
        if unit_column and unit_column in frame:
            frame = frame.assign(**{unit_column: frame[unit_column].replace(_UNITS)})
        book = book.merge(
            facts_from_table(
                name, frame, key=key, units=units, prefix=prefix, unit_column=unit_column
            )
        )
    for part in (_reasons(tables), _left_out(tables), _people(tables), _counts(tables)):
        for fact in part:
            book.add(fact)
    return book


def _reasons(tables: Tables) -> Iterator[Fact]:
    for name, prefix, keys, columns in _REASONS:
        for row in records(frame_of(tables, name)):
            for column in columns:
                head = fact_id(prefix, *(row[key] for key in keys), column)
                for part, value, unit in arguments(row.get(column)):
                    yield from known_fact(fact_id(head, *part), value, unit, name)


def _left_out(tables: Tables) -> Iterator[Fact]:
    """Who gets a measure not that applies to him: by reason, and in all."""
    frame = frame_of(tables, "not_planned")
    if frame.empty:
        return
    parts = [(str(why), rows) for why, rows in frame.groupby("why", sort=True)]
    for why, rows in [*parts, (ALL, frame)]:
        head = fact_id("not_planned", why)
        yield from known_fact(f"{head}.count", len(rows), "count", "not_planned")
        customers = rows["customer_id"].nunique()
        yield from known_fact(f"{head}.customers", customers, "count", "not_planned")
        cost = rows["cost"].astype(float).sum()
        yield from known_fact(f"{head}.cost", cost, "money", "not_planned")
        value = rows["expected_value"].astype(float)
        if value.sum() > 0:  # what would have brought less than nothing is not forgone
            yield from known_fact(f"{head}.value", value.sum(), "money", "not_planned")


def _people(tables: Tables) -> Iterator[Fact]:
    frame = frame_of(tables, "capacity")
    if frame.empty:
        return
    known = frame[frame["capacity"].notna()]
    yield from known_fact("people.count", len(frame), "count", "capacity")
    yield from known_fact("people.known", len(known), "count", "capacity")
    full = (known["used"] >= 1) | (known["left_out"] > 0)
    yield from known_fact("people.full", int(full.sum()), "count", "capacity")
    yield from known_fact("people.visits", known["capacity"].sum(), "count", "capacity")
    used = (known["duties"] + known["extra"]).sum()
    yield from known_fact("people.used", used, "count", "capacity")
    if known["capacity"].sum() > 0:
        share = used / known["capacity"].sum()
        yield from known_fact("people.share", share, "share", "capacity")


def _counts(tables: Tables) -> Iterator[Fact]:
    touches = frame_of(tables, "touches")
    if len(touches):
        for column in ("customers", "reached", "short"):
            total = int(touches[column].sum())
            yield from known_fact(f"touches.{column}", total, "count", "touches")
    for name in ("visits", "reminders"):
        frame = frame_of(tables, name)
        if len(frame):
            yield from known_fact(f"{name}.count", len(frame), "count", name)
    accounts = frame_of(tables, "account_plans")
    if len(accounts):
        yield from known_fact("account_plans.count", len(accounts), "count", "account_plans")
