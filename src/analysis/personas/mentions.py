"""Which customers say what, by a taxonomy of words (``pain_points.yml``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib import resources

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import yaml

WINDOW_DAYS = 365
# A note praises one thing and complains of another: what counts is the clause, not the text.
_CLAUSE = "[，。；！？、,;!?\\n]|\\.\\s|但是?|不过|\\bbut\\b|\\bhowever\\b"


@dataclass(frozen=True)
class Taxonomy:
    """Patterns by aspect and key, and the pattern of clauses that do not count."""

    patterns: dict[tuple[str, str], str]
    unless: str


@cache
def taxonomy() -> Taxonomy:
    """The shipped taxonomy."""
    content = resources.files(__package__).joinpath("pain_points.yml").read_text("utf-8")
    loaded = yaml.safe_load(content)
    unless = "|".join(loaded.pop("unless"))
    return Taxonomy(
        {
            (aspect, key): "|".join(patterns)
            for aspect, keys in loaded.items()
            for key, patterns in keys.items()
        },
        unless,
    )


@dataclass(frozen=True)
class Mentions:
    """Who left a text, and who said what.

    Attributes
    ----------
    heard
        Customers with at least one text in the window.
    said
        (aspect, key) → customers who said it.
    """

    heard: frozenset[str]
    said: dict[tuple[str, str], frozenset[str]]


def find(as_of: pd.Timestamp, *tables: tuple[pa.Table | None, str]) -> Mentions:
    """Search the texts of the year up to `as_of`.

    Parameters
    ----------
    as_of
        Last day that counts.
    tables
        Tables with ``customer_id`` and ``text``, each with the name of its time column.

    Notes
    -----
    Customers are counted, not texts: one who complains in ten notes weighs as one.
    """
    end = as_of.normalize() + timedelta(days=1)
    parts = [
        _window(table, column, end)
        for table, column in tables
        if table is not None and "text" in table.column_names
    ]
    if not parts:
        return Mentions(frozenset(), {})
    texts = pa.concat_tables(parts)
    heard = frozenset(texts.column("customer_id").to_pylist())
    lists = pc.split_pattern_regex(texts.column("text").combine_chunks(), _CLAUSE)
    owners = texts.column("customer_id").combine_chunks().take(pc.list_parent_indices(lists))
    clauses = pc.list_flatten(lists)
    rules = taxonomy()
    dismissed = pc.match_substring_regex(clauses, rules.unless, ignore_case=True)
    kept = pc.invert(dismissed)
    clauses, owners = clauses.filter(kept), owners.filter(kept)
    said = {}
    for key, pattern in rules.patterns.items():
        hit = pc.match_substring_regex(clauses, pattern, ignore_case=True)
        said[key] = frozenset(owners.filter(hit).unique().to_pylist())
    return Mentions(heard, said)


def _window(table: pa.Table, column: str, end: pd.Timestamp) -> pa.Table:
    when = table.column(column)
    start = end - timedelta(days=WINDOW_DAYS)
    inside = pc.and_(
        pc.greater_equal(when, pa.scalar(start.to_pydatetime(), when.type)),
        pc.less(when, pa.scalar(end.to_pydatetime(), when.type)),
    )
    text = pc.utf8_trim_whitespace(table.column("text").cast(pa.string()))
    written = pc.and_(inside, pc.fill_null(pc.greater(pc.utf8_length(text), 0), False))
    owner = table.column("customer_id").cast(pa.string())
    return pa.table({"customer_id": owner, "text": text}).filter(written)
