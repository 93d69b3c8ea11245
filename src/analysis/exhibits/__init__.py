"""Facts, figures, tables and sentences as a reader sees them.

A notebook opens a `Book` over the record and shows exhibits, each an HTML, Markdown and plain
text of the same content. Nothing is computed here: numbers are facts (`collect`).
"""

from analysis.exhibits import (
    accounts,
    appendix,
    cautions,
    decisions,
    movement,
    page_one,
    plan,
    portraits,
    provenance,
    review,
    segments,
    tiles,
)
from analysis.exhibits.book import Book
from analysis.exhibits.collect import collect
from analysis.exhibits.exhibit import Exhibit, show
from analysis.exhibits.facts import Fact, FactBook, facts_from_table
from analysis.exhibits.opening import open_book

__all__ = [
    "Book",
    "Exhibit",
    "Fact",
    "FactBook",
    "accounts",
    "appendix",
    "cautions",
    "collect",
    "decisions",
    "facts_from_table",
    "movement",
    "open_book",
    "page_one",
    "plan",
    "portraits",
    "provenance",
    "review",
    "segments",
    "show",
    "tiles",
]
