"""Facts of the tables about evidence, goals, gaps, recurring revenue and fired rules.

evidence.*     what all periods together say of each measure, at the reported period
effects.judged, effects.looks
               measures judged together; the most looks at one of them
goal.*, goals.*    each goal, and how many stand where
gap.*          each step of each split; `net`: actual less base; `cut`: where bars of totals begin;
               `rest`: members beyond those shown
arr.*          each step of the bridge of recurring revenue, its net change and its cut
adjustment.*, adjustments.count
               what each rule that fired was measured at; how many fired
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

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
from analysis.exhibits.walks import cut_below, levels

MOST_MEMBERS = 7  # of a region, team or person's split: as many as a reader compares
ENDS = ("base", "actual")
SPLITS = ("price", "customers", "collection")  # parts with names of their own; others: members

_CELLS: dict[str, tuple[str, list[str], dict[str, str], dict[str, str]]] = {
    "goals": (
        "goal",
        ["goal"],
        {
            "value": "row",
            "baseline": "row",
            "target": "row",
            "attainment": "share",
            "n": "count",
        },
        {"unit_column": "unit", "n": "n"},
    ),
    "gaps": ("gap", ["split", "step"], {"amount": "money", "n": "count"}, {"n": "n"}),
    "arr_bridge": ("arr", ["step"], {"amount": "money", "customers": "count"}, {}),
    "adjustments": (
        "adjustment",
        ["rule", "strategy", "segment"],
        {"value": "row", "bound": "row", "n": "count"},
        {"unit_column": "unit", "n": "n"},
    ),
}
_EVIDENCE = {
    "look": "count",
    "together": "difference",
    "together_low": "difference",
    "together_high": "difference",
    "n_treated": "count",
    "n_control": "count",
}
# Table → (first part of the ids, key columns, column that holds reasons).
_REASONS = (
    ("effects", "effect", ["strategy", "arm", "outcome", "segment"], "what_would_change"),
    ("effect_checks", "check", ["strategy", "arm", "outcome", "check"], "text"),
    ("goals", "goal", ["goal"], "note"),
    ("adjustments", "adjustment", ["rule", "strategy", "segment"], "suggestion"),
    ("adjustments", "adjustment", ["rule", "strategy", "segment"], "evidence"),
)


def effect_facts(tables: Tables, period: str) -> FactBook:
    """The facts of these tables, as far as the record holds them.

    Parameters
    ----------
    tables
        The record's tables by name.
    period
        Name of the reported period.
    """
    book = FactBook()
    for name, (prefix, key, units, further) in _CELLS.items():
        frame = frame_of(tables, name)
        if name == "adjustments" and len(frame):
            frame = frame[frame["fired"].astype(bool)]
        found = facts_from_table(name, frame, key=key, units=units, prefix=prefix, **further)
        book = book.merge(found)
    evidence = frame_of(tables, "evidence")
    if len(evidence):
        book = book.merge(
            facts_from_table(
                "evidence",
                evidence[evidence["period"] == period],
                key=["strategy", "arm", "outcome"],
                units=_EVIDENCE,
                unit_column="unit",
            )
        )
    for part in (
        _reasons(tables),
        _judged(frame_of(tables, "effects"), evidence),
        _goals(frame_of(tables, "goals")),
        _gaps(frame_of(tables, "gaps")),
        _recurring(frame_of(tables, "arr_bridge")),
        _fired(frame_of(tables, "adjustments")),
    ):
        for fact in part:
            book.add(fact)
    return book


def shown_members(steps: pd.DataFrame) -> list[str]:
    """The members of a split that are shown, in the table's order: those with the most money."""
    parts = steps[~steps["step"].isin([*ENDS, "ambition", "not_assigned"])]
    if len(parts) <= MOST_MEMBERS:
        return [str(step) for step in parts["step"]]
    sizes = parts.assign(size=parts["amount"].astype(float).abs())
    kept = set(sizes.nlargest(MOST_MEMBERS - 1, "size")["step"])
    return [str(step) for step in parts["step"] if step in kept]


def _reasons(tables: Tables) -> Iterator[Fact]:
    for name, prefix, keys, column in _REASONS:
        frame = frame_of(tables, name)
        if column not in frame:
            continue
        for row in records(frame):
            head = fact_id(prefix, *(row[key] for key in keys), column)
            for part, value, unit in arguments(row[column]):
                yield from known_fact(fact_id(head, *part), value, unit, name)


def _judged(effects: pd.DataFrame, evidence: pd.DataFrame) -> Iterator[Fact]:
    if "p_adjusted" in effects:
        judged = int(effects["p_adjusted"].notna().sum())
        yield from known_fact("effects.judged", judged, "count", "effects")
    if len(evidence):
        yield from known_fact("effects.looks", evidence["look"].max(), "count", "evidence")


def _goals(goals: pd.DataFrame) -> Iterator[Fact]:
    if goals.empty:
        return
    yield from known_fact("goals.count", len(goals), "count", "goals")
    for status in ("on_target", "watch", "below", "none"):
        found = int((goals["status"] == status).sum())
        yield from known_fact(f"goals.count.{status}", found, "count", "goals")


def _gaps(gaps: pd.DataFrame) -> Iterator[Fact]:
    if gaps.empty:
        return
    for split, steps in gaps.groupby("split", sort=True):
        amounts = dict(zip(steps["step"], steps["amount"].astype(float), strict=True))
        head = fact_id("gap", split)
        net = amounts["actual"] - amounts["base"]
        yield from known_fact(f"{head}.net.amount", net, "money", "gaps")
        kept = [*shown_members(steps), *ENDS, "ambition", "not_assigned"]
        rest = math.fsum(amount for step, amount in amounts.items() if step not in kept)
        if rest:
            yield from known_fact(f"{head}.rest.amount", rest, "money", "gaps")
        parts = [amount for step, amount in amounts.items() if step not in ENDS]
        cut = cut_below(levels(amounts["base"], parts))
        yield from known_fact(f"{head}.cut.amount", cut, "money", "gaps")


def _recurring(bridge: pd.DataFrame) -> Iterator[Fact]:
    if bridge.empty:
        return
    amounts = dict(zip(bridge["step"], bridge["amount"].astype(float), strict=True))
    opening, closing = amounts.get("opening", 0.0), amounts.get("closing", 0.0)
    yield from known_fact("arr.net.amount", closing - opening, "money", "arr_bridge")
    for name, steps in (("gains", ("new", "expansion")), ("losses", ("contraction", "lost"))):
        total = math.fsum(amounts.get(step, 0.0) for step in steps)
        yield from known_fact(f"arr.{name}.amount", total, "money", "arr_bridge")
    parts = [amount for step, amount in amounts.items() if step not in ("opening", "closing")]
    yield from known_fact(
        "arr.cut.amount", cut_below(levels(opening, parts)), "money", "arr_bridge"
    )


def _fired(adjustments: pd.DataFrame) -> Iterator[Fact]:
    if len(adjustments):
        fired = int(adjustments["fired"].astype(bool).sum())
        yield from known_fact("adjustments.count", fired, "count", "adjustments")
