"""Facts of a week's sheet.

week.<span>.*      target, actual, gap, … of the week and of its quarter so far
week_gap.<span>.<split>.<step>.*
                   the splits of the gap; of the week also `rest`, what the steps that are told
                   leave, and per member `late.customers`, `late.money`: who of its customers is
                   overdue to reorder, and the sum of their mean orders
weekly.<list>.*    each customer of a list; `count`, `total`, `fresh`, and `more`: not shown
weekly_returns.*   who of last week's list came back
weekly_tasks.*     each person's tasks, `all` together; `people.more`, `people.more.next`: those
                   not shown and their tasks of the next week
weekly_next.<strategy>   tasks of the next week by strategy
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import pandas as pd

from analysis.exhibits import weekly_room
from analysis.exhibits.collect import collect
from analysis.exhibits.facts import (
    Fact,
    FactBook,
    Tables,
    fact_id,
    facts_from_table,
    frame_of,
    known_fact,
)
from analysis.settings_model import Settings

MOST_REASONS = 3
ENDS = ("base", "actual")
MEMBERS = {"region": "region", "team": "team_id", "owner": "owner_id"}
NOBODY = "unknown"

_CELLS: dict[str, tuple[str, list[str], dict[str, str]]] = {
    "weekly_target": (
        "week",
        ["span"],
        {
            "target": "money",
            "actual": "money",
            "gap": "money",
            "attainment": "share",
            "previous": "money",
            "n": "count",
            "working_days": "count",
            "whole": "money",
            "whole_days": "count",
            "days_left": "count",
            "needed": "money",
            "pace": "money",
        },
    ),
    "weekly_gaps": ("week_gap", ["span", "split", "step"], {"amount": "money", "n": "count"}),
    "weekly_lists": (
        "weekly",
        ["list", "customer_id"],
        {"rank": "count", "amount": "money", "mean_order": "money", "days": "days"},
    ),
    "weekly_returns": (
        "weekly_returns",
        ["list"],
        {"customers": "count", "returned": "count", "amount": "money"},
    ),
    "weekly_tasks": (
        "weekly_tasks",
        ["owner_id"],
        {"due": "count", "done": "count", "overdue": "count", "next_due": "count"},
    ),
}


def collect_week(
    tables: Tables, settings: Settings, origins: Mapping[str, str] | None = None
) -> FactBook:
    """All facts of a week's record.

    Parameters
    ----------
    tables
        The week's tables by name.
    settings, origins
        As in `analysis.exhibits.collect.collect`.
    """
    book = collect({}, settings, origins)
    for name, (prefix, key, units) in _CELLS.items():
        frame = frame_of(tables, name)
        book = book.merge(facts_from_table(name, frame, key=key, units=units, prefix=prefix))
    for facts in (
        _gaps(frame_of(tables, "weekly_gaps"), frame_of(tables, "weekly_lists")),
        _lists(tables, settings),
        _tasks(tables, settings),
    ):
        for fact in facts:
            book.add(fact)
    return book


def reasons(gaps: pd.DataFrame) -> tuple[str, list[str]]:
    """The split of the week and its steps that are told: the largest, at most three.

    What the target asked more than before (`ambition`) is told like any other.
    """
    rows = gaps[(gaps["span"] == "week") & ~gaps["step"].isin(ENDS)] if len(gaps) else gaps
    if rows.empty:
        return "", []
    sized = rows.assign(size=-rows["amount"].astype(float).abs())
    told = sized[sized["size"] < 0].sort_values(["size", "step"]).head(MOST_REASONS)
    return str(rows["split"].iloc[0]), [str(step) for step in told["step"]]


def _gaps(gaps: pd.DataFrame, lists: pd.DataFrame) -> Iterator[Fact]:
    split, told = reasons(gaps)
    if not split:
        return
    rows = gaps[gaps["span"] == "week"]
    parts = rows[~rows["step"].isin(ENDS)]
    rest = math.fsum(parts.loc[~parts["step"].isin(told), "amount"].astype(float))
    yield from known_fact(fact_id("week_gap.week", split, "rest"), rest, "money", "weekly_gaps")
    column = MEMBERS.get(split)
    if column is None or lists.empty:
        return
    waiting = lists[lists["list"] == "reorder"]
    member = waiting[column].fillna("").astype(str).replace("", NOBODY)
    for step in told:
        own = waiting[member == step]
        head = fact_id("week_gap.week", split, step)
        yield from known_fact(f"{head}.late.customers", len(own), "count", "weekly_lists")
        money = math.fsum(own["mean_order"].fillna(0.0).astype(float))
        yield from known_fact(f"{head}.late.money", money, "money", "weekly_lists")


def _lists(tables: Tables, settings: Settings) -> Iterator[Fact]:
    lists, shown = frame_of(tables, "weekly_lists"), weekly_room.rows(tables, settings)
    if lists.empty:
        return
    for name, rows in lists.groupby("list", sort=True):
        total = math.fsum(rows["amount"].astype(float))
        fresh = int(rows["fresh"].astype(bool).sum())
        yield Fact(f"weekly.{name}.count", len(rows), "count", source="weekly_lists")
        yield from known_fact(f"weekly.{name}.total", total, "money", "weekly_lists")
        yield Fact(f"weekly.{name}.fresh", fresh, "count", source="weekly_lists")
        more = len(rows) - shown.get(str(name), 0)
        yield Fact(f"weekly.{name}.more", more, "count", source="weekly_lists")


def _tasks(tables: Tables, settings: Settings) -> Iterator[Fact]:
    tasks, ahead = frame_of(tables, "weekly_tasks"), frame_of(tables, "weekly_next")
    if tasks.empty:
        return
    everybody = tasks[tasks["owner_id"] == weekly_room.EVERYBODY].iloc[0]
    if everybody["due"] > 0:
        share = float(everybody["done"]) / float(everybody["due"])
        yield from known_fact("weekly_tasks.all.share", share, "share", "weekly_tasks")
    people = weekly_room.by_urgency(tasks)
    hidden = people.iloc[weekly_room.rows(tables, settings)[weekly_room.PEOPLE] :]
    yield Fact("weekly_tasks.people", len(people), "count", source="weekly_tasks")
    yield Fact("weekly_tasks.people.more", len(hidden), "count", source="weekly_tasks")
    left = int(hidden["next_due"].sum())
    yield Fact("weekly_tasks.people.more.next", left, "count", source="weekly_tasks")
    for strategy, rows in ahead.groupby("strategy", sort=True) if len(ahead) else ():
        count = int(rows["tasks"].sum())
        yield Fact(fact_id("weekly_next", strategy), count, "count", source="weekly_next")
