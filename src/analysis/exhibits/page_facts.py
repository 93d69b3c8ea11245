"""Sums, shares and differences that page 1 prints, as facts of their own.

year.*       what the year has brought, what is left of its target and of its periods
bridge.existing  customers who bought before: more, less and not at all, netted
fallen.*     best customers who turned at risk: how many stand in their main region
top_ten.*    share of revenue of the ten largest customers, now and before
arrears.*    customers of the best segment in arrears, and their part of all that is overdue
effects.margin_rate  the margin at which extra revenue was valued
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import pandas as pd

from analysis.calendars import Period
from analysis.exhibits.facts import Fact, FactBook, Tables, frame_of, known_fact
from analysis.roles import AT_RISK, BEST, roles_of

PERIODS = {"quarter": 4, "month": 12, "half": 2}  # in a year; others are not counted down
TOP = 10


def page_facts(tables: Tables, book: FactBook, period: str) -> Iterator[Fact]:
    """The facts of page 1 that are no cell of a table.

    Parameters
    ----------
    tables
        The record's tables.
    book
        The facts of their cells.
    period
        Name of the reported period.
    """
    movements = frame_of(tables, "movements")
    yield from _year(book, Period.parse(period))
    yield from _existing(book)
    roles = roles_of(frame_of(tables, "scheme_segments"))
    fallen = (roles.one(BEST), roles.one(AT_RISK))
    found = fallen_region(movements, frame_of(tables, "customers"), *fallen)
    if found is not None:
        yield Fact("fallen.region.customers", found[1], "count", source="movements")
    yield from _top_ten(movements)
    yield from _arrears(frame_of(tables, "arrears"), frame_of(tables, "decisions"), book)
    yield from _margin(frame_of(tables, "effects"))


def fallen_region(
    movements: pd.DataFrame, customers: pd.DataFrame, best: str, risk: str
) -> tuple[str, int] | None:
    """The region where at least half of those stand who fell from `best` to `risk`.

    Returns
    -------
    tuple or None
        Region and customers there; None where no region holds half, or they are too few (fewer
        than three) to speak of a place.
    """
    if movements.empty or "region" not in customers:
        return None
    fallen = movements[(movements["segment_before"] == best) & (movements["segment_after"] == risk)]
    placed = fallen.merge(customers[["customer_id", "region"]], on="customer_id")["region"]
    counts = placed[placed.fillna("").astype(str).str.strip() != ""].value_counts()
    if len(fallen) < 3 or counts.empty or 2 * counts.max() < len(fallen):
        return None
    most = int(counts.max())
    return min(str(region) for region, count in counts.items() if count == most), most


def _number(book: Mapping[str, Fact], *ids: str) -> float:
    for id_ in ids:
        fact = book.get(id_)
        if fact is not None and not isinstance(fact.value, str):
            return float(fact.value)
    return math.nan


def _year(book: FactBook, period: Period) -> Iterator[Fact]:
    done = _number(book, "kpi.revenue_ytd", "kpi.ytd_attainment.numerator")
    target = _number(book, "kpi.revenue_ytd.target", "kpi.ytd_attainment.denominator")
    elapsed = _number(book, "kpi.time_elapsed", "kpi.ytd_attainment.target")
    share = done / target if target > 0 else _number(book, "kpi.ytd_attainment")
    yield from known_fact("year.done", done, "money", "kpis")
    yield from known_fact("year.target", target, "money", "kpis")
    yield from known_fact("year.attainment", share, "share", "kpis")
    yield from known_fact("year.elapsed", elapsed, "share", "kpis")
    yield from known_fact("year.gap", share - elapsed, "points", "kpis")
    if not target > 0:
        return
    remaining = target - done
    yield from known_fact("year.remaining", remaining, "money", "kpis")
    left = _periods_left(period)
    if left is None:
        return
    yield Fact("year.left", left, "count", source="settings")
    now = _number(book, "kpi.revenue", "bridge.current.amount")
    if left and remaining > 0:
        yield from known_fact("year.each", remaining / left, "money", "kpis")
        if now > 0:
            yield from known_fact(
                "year.each_change", remaining / left / now - 1, "relative", "kpis"
            )


def _periods_left(period: Period) -> int | None:
    if period.kind not in PERIODS:
        return None
    months = 12 // PERIODS[period.kind]
    return (12 - period.end.month) // months


def _existing(book: FactBook) -> Iterator[Fact]:
    steps = [_number(book, f"bridge.{step}.amount") for step in ("more", "less", "not_bought")]
    known = [step for step in steps if not math.isnan(step)]
    if known:
        yield from known_fact("bridge.existing.amount", sum(known), "money", "bridge")


def _top_ten(movements: pd.DataFrame) -> Iterator[Fact]:
    if movements.empty:
        return
    shares = []
    for column in ("amount_after", "amount_before"):
        amounts = movements[column].astype(float).fillna(0.0)
        total = amounts.sum()
        shares.append(amounts.nlargest(TOP).sum() / total if total > 0 else math.nan)
    # With few customers ten of them are nearly all: no concentration to speak of.
    if len(movements) < TOP * TOP:
        return
    yield from known_fact("top_ten.share", shares[0], "share", "movements")
    yield from known_fact("top_ten.previous", shares[1], "share", "movements")
    yield from known_fact("top_ten.change", shares[0] - shares[1], "points", "movements")


def _arrears(owing: pd.DataFrame, decisions: pd.DataFrame, book: FactBook) -> Iterator[Fact]:
    """From the customers in arrears; else from the decision asked, or the list of accounts."""
    if len(owing):
        mine = owing[owing["collect"].astype(bool)]
        count, amount = float(len(mine)), float(mine["overdue"].astype(float).sum())
    else:
        asked = decisions[decisions["decision"] == "collect"] if len(decisions) else decisions
        head = f"decision.{asked['rank'].iloc[0]}" if len(asked) else ""
        count = _number(book, f"{head}.customers", "account.collect.count")
        amount = _number(book, head, "account.collect.total")
    overdue = _number(book, "kpi.overdue")
    yield from known_fact("arrears.customers", count, "count", "arrears")
    yield from known_fact("arrears.amount", amount, "money", "arrears")
    if overdue > 0:
        yield from known_fact("arrears.share", amount / overdue, "share", "arrears")


def _margin(effects: pd.DataFrame) -> Iterator[Fact]:
    if "margin_rate" in effects:
        rates = effects["margin_rate"].dropna().astype(float).unique()
        if len(rates) == 1:
            yield from known_fact("effects.margin_rate", rates[0], "share", "effects")
