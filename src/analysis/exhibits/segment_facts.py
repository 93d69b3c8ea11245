"""Facts of the tables about lists, warnings, rules, matrices, clusters and decided places.

worklist.*         money and days over of the customers shown; count and total of each list
warning.*          customers warned of and their money, by rule, and those named first
warning_record.*   what became of those warned earlier
tier_difference.*  customers whose own tier does not fit, those shown and all
crosswalk.*        customers and money by own tier and segment
rule.*, matrix.*   by rule; by cell of a matrix
cluster.*          the clusters' outcome against the rules
override.*         places that a person decided
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from analysis.calendars import Period
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
from analysis.exhibits.proven import leading
from analysis.settings_model import Settings

# Table → (first part of the ids, key columns, column → unit, further columns of a fact).
_CELLS: dict[str, tuple[str, list[str], dict[str, str], dict[str, str]]] = {
    "warning_record": (
        "warning_record",
        ["rule", "period"],
        {
            "customers": "count",
            "lost": "count",
            "rate": "share",
            "low": "share",
            "high": "share",
            "lead_days": "days",
        },
        {"n": "customers"},
    ),
    "crosswalk_summary": (
        "crosswalk",
        ["scheme", "segment", "primary_segment"],
        {"customers": "count", "amount": "money"},
        {},
    ),
    "scheme_rules": (
        "rule",
        ["rule"],
        {"customers": "count", "amount": "money", "near_cut": "count"},
        {},
    ),
    "matrix_cells": (
        "matrix",
        ["matrix", "row", "column"],
        {
            "customers": "count",
            "share": "share",
            "low": "share",
            "high": "share",
            "amount_share": "share",
        },
        {"n": "customers"},
    ),
    "cluster_choice": (
        "cluster",
        ["k"],
        {"k": "count", "strength": "number", "stability": "number", "smallest": "count"},
        {},
    ),
}


def segment_facts(tables: Tables, settings: Settings) -> FactBook:
    """The facts of these tables; absent and empty ones give none.

    Parameters
    ----------
    tables
        The record's tables by name.
    settings
        The run's settings: how many rows of a list are shown.
    """
    book = FactBook()
    for name, (prefix, key, units, further) in _CELLS.items():
        cells = facts_from_table(
            name, frame_of(tables, name), key=key, units=units, prefix=prefix, **further
        )
        book = book.merge(cells)
    shown = settings.report.list_length
    for part in (
        _worklists(frame_of(tables, "worklists"), shown),
        _warnings(frame_of(tables, "warnings"), frame_of(tables, "warning_record"), shown),
        _differences(frame_of(tables, "tier_differences"), shown),
        _crosswalk(frame_of(tables, "crosswalk_summary")),
        _rules(frame_of(tables, "scheme_rules")),
        _matrices(frame_of(tables, "matrix_cells")),
        _clusters(frame_of(tables, "clusters")),
        _overrides(frame_of(tables, "overrides")),
        _hands(frame_of(tables, "customer_changes"), settings.period),
    ):
        for fact in part:
            book.add(fact)
    return book


def _sum(amounts: pd.Series) -> float:
    """A sum of money in whole ten-thousandths: the same in any order of rows."""
    return float((amounts.astype(float) * 1e4).round().sum()) / 1e4


def _all_and_first(head: str, rows: pd.DataFrame, source: str) -> Iterator[Fact]:
    yield from known_fact(f"{head}.count", len(rows), "count", source)
    yield from known_fact(f"{head}.total", _sum(rows["amount"]), "money", source)


def _worklists(rows: pd.DataFrame, shown: int) -> Iterator[Fact]:
    if rows.empty:
        return
    source = "worklists"
    for one, own in rows.groupby("list", sort=True):
        yield from _all_and_first(fact_id("worklist", one), own, source)
    for row in records(rows[rows["rank"] <= shown]):
        head = fact_id("worklist", row["list"], row["customer_id"])
        yield from known_fact(f"{head}.rank", row["rank"], "count", source)
        yield from known_fact(f"{head}.amount", row["amount"], "money", source)
        yield from known_fact(f"{head}.days_over", row["days_over"], "days", source)


def _warnings(rows: pd.DataFrame, record: pd.DataFrame, shown: int) -> Iterator[Fact]:
    """All who are warned of, by rule, and those whom the report names first."""
    if rows.empty:
        return
    source = "warnings"
    yield from _all_and_first("warning", rows, source)
    for rule, own in rows.groupby("rule", sort=True):
        yield from _all_and_first(fact_id("warning", "rule", rule), own, source)
    first = leading(rows, record)
    yield from _all_and_first("warning.leading", first, source)
    for rank, row in enumerate(records(first.head(shown)), start=1):
        head = fact_id("warning", row["customer_id"])
        yield from known_fact(f"{head}.rank", rank, "count", source)
        for column, unit in (
            ("amount", "money"), ("activity_change", "relative"), ("recency_cycles", "cycles"),
            ("chance", "share"), ("low", "share"), ("high", "share"),
        ):  # fmt: skip
            yield from known_fact(f"{head}.{column}", row[column], unit, source)


def _differences(rows: pd.DataFrame, shown: int) -> Iterator[Fact]:
    if rows.empty:
        return
    source = "tier_differences"
    yield from _all_and_first("tier_difference", rows, source)
    for direction, own in rows.groupby("direction", sort=True):
        yield from _all_and_first(fact_id("tier_difference", direction), own, source)
    for row in records(rows[rows["rank"] <= shown]):
        head = fact_id("tier_difference", row["customer_id"])
        yield from known_fact(f"{head}.rank", row["rank"], "count", source)
        yield from known_fact(f"{head}.amount", row["amount"], "money", source)


def _crosswalk(rows: pd.DataFrame) -> Iterator[Fact]:
    """Sums over the segments of each tier, over the tiers of each segment, and over both."""
    source = "crosswalk_summary"
    if rows.empty:
        return
    for scheme, own in rows.groupby("scheme", sort=True):
        sums: list[tuple[object, object, pd.DataFrame]] = [("all", "all", own)]
        sums += [(tier, "all", part) for tier, part in own.groupby("segment", sort=True)]
        sums += [("all", one, part) for one, part in own.groupby("primary_segment", sort=True)]
        for tier, one, part in sums:
            head = fact_id("crosswalk", scheme, tier, one)
            yield from known_fact(f"{head}.customers", part["customers"].sum(), "count", source)
            yield from known_fact(f"{head}.amount", _sum(part["amount"]), "money", source)


def _rules(rows: pd.DataFrame) -> Iterator[Fact]:
    if rows.empty:
        return
    used = rows[rows["customers"] > 0]
    yield from known_fact("rules.count", len(rows), "count", "scheme_rules")
    yield from known_fact("rules.used", len(used), "count", "scheme_rules")
    yield from known_fact("rules.near_cut", rows["near_cut"].sum(), "count", "scheme_rules")


def _matrices(rows: pd.DataFrame) -> Iterator[Fact]:
    if rows.empty:
        return
    inner = rows[(rows["row"] != "all") & (rows["column"] != "all")]
    for name, own in inner.groupby("matrix", sort=True):
        thin = own["merged_into"].fillna("") != ""
        yield from known_fact(fact_id("matrix", name, "thin"), thin.sum(), "count", "matrix_cells")


def _clusters(rows: pd.DataFrame) -> Iterator[Fact]:
    if rows.empty:
        return
    source = "clusters"
    differ = rows[~rows["agrees"].astype(bool)]
    yield from known_fact("clusters.customers", len(rows), "count", source)
    yield from known_fact("clusters.agree", 1 - len(differ) / len(rows), "share", source)
    yield from _all_and_first("clusters.differ", differ, source)


def _overrides(rows: pd.DataFrame) -> Iterator[Fact]:
    if rows.empty:
        return
    for state, own in rows.groupby("state", sort=True):
        yield from known_fact(fact_id("override", state), len(own), "count", "overrides")


def _hands(rows: pd.DataFrame, period: str) -> Iterator[Fact]:
    """Customers who passed from one person to another in the period."""
    if rows.empty:
        return
    own = Period.parse(period)
    days = pd.to_datetime(rows["changed_on"])
    within = (days >= pd.Timestamp(own.start)) & (days < pd.Timestamp(own.next().start))
    passed = (rows["field"] == "owner_id") & rows["before"].notna() & rows["after"].notna()
    count = rows.loc[within & passed, "customer_id"].nunique()
    yield from known_fact("customers.changed_hands", count, "count", "customer_changes")
