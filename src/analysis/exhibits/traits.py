"""Traits of portraits in words: ``industry=装备制造`` → what it is and which level."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.exhibits.book import Book
from analysis.exhibits.facts import fact_id, records
from analysis.exhibits.markup import Rich, name, words
from analysis.wording import catalogue


def rows_of(book: Book, segment: str, aspect: str) -> pd.DataFrame:
    """The traits of a segment and aspect, the most telling first."""
    rows = book.frame("personas")
    if rows.empty:
        return rows
    own = rows[(rows["segment"] == segment) & (rows["aspect"] == aspect)].copy()
    own["telling"] = own["notable"].astype(int)
    own["lift_"] = own["lift"].astype(float).fillna(0)
    return own.sort_values(["telling", "lift_", "trait"], ascending=[False, False, True])


def strongest(book: Book, segment: str, aspect: str) -> dict[str, Any]:
    """The trait in which the segment differs most upwards; else its most common level."""
    rows = rows_of(book, segment, aspect)
    if rows.empty:
        return {}
    rows = rows[rows["trait"].str.contains("=", regex=False)]
    if rows.empty:
        return {}
    clear = rows[rows["notable"].astype(bool) & (rows["lift_"] > 1)]
    if clear.empty:
        clear = rows.sort_values(["value", "trait"], ascending=[False, True])
    return records(clear)[0]


def level_of(book: Book, row: dict[str, Any]) -> Rich:
    """The level of a trait alone: ``交期``."""
    head, _, level = str(row["trait"]).partition("=")
    return _level(book, head, level) if level else trait_name(book, head)


def trait_name(book: Book, head: str) -> Rich:
    """What a trait is called."""
    return book.label("trait", head)


def _level(book: Book, head: str, level: str) -> Rich:
    dotted = f"trait_level.{head}.{level}"
    if catalogue.has(dotted):
        return book.words(dotted)
    return name(level)


def told(book: Book, row: dict[str, Any], *, compare: bool = True) -> Rich:
    """A trait with its value, and how many times the rest it is where it differs."""
    id_ = ("persona", row["segment"], row["aspect"], row["trait"])
    unit = str(row["unit"])
    size = abs(float(row["value"]))
    if unit == "money":
        value = book.money(*id_, scale=book.scale_of(fact_id(*id_)))
    elif unit in ("days", "count", "points", "number"):
        value = book.num(*id_, decimals=0 if size >= 10 or (unit == "count" and size == 0) else 1)
    else:
        value = book.num(*id_)
    head, _, level = str(row["trait"]).partition("=")
    called = _level(book, head, level) if level else trait_name(book, head)
    if unit == "days":
        value = book.say("exhibits.unit.days", value=value)
    line = called + words(" ") + value
    # A level that is rarer than elsewhere is no trait; a mean may differ either way.
    lift = book.value(*id_, "lift")
    differs = lift is not None and bool(row.get("notable")) and (lift > 1 or not level)
    if compare and differs:
        line = line + book.say("exhibits.portraits.times", lift=book.num(*id_, "lift"))
    return line
