"""What a reason of page 1 is made of: its rule, the money at stake, a bold line and a sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from analysis.exhibits import markup
from analysis.exhibits.book import Book
from analysis.exhibits.markup import Rich

LEAST = 0.01  # of the previous period's revenue


@dataclass(frozen=True)
class Reason:
    """A reason that qualifies: its rule, the money at stake, its words."""

    rule: str
    stake: float
    text: Rich


Rule = Callable[[Book], Reason | None]


def told(book: Book, key: str, **args: Rich) -> Rich:
    """The head and the body that the catalogue has for a reason."""
    head = book.say(f"exhibits.reasons.{key}.head", **args)
    return headed(book, head, book.say(f"exhibits.reasons.{key}.body", **args))


def headed(book: Book, head: Rich, body: Rich) -> Rich:
    """A head, on a page on a line of its own, and its body; elsewhere a space parts them."""
    gap = book.text("exhibits.reasons.gap")
    bold = markup.bold(head)
    return Rich(
        bold.html + markup.span(body, "ln").html,
        f"{bold.markdown}{gap}{body.markdown}",
        f"{bold.plain}{gap}{body.plain}",
    )


def step_amount(book: Book, step: str) -> float:
    """Money of a step of the bridge; 0 where it has none."""
    return book.value(f"bridge.{step}.amount") or 0.0


def revenue(book: Book) -> float:
    """Revenue of the period: the KPI, or what the bridge ends with."""
    return book.value("kpi.revenue") or step_amount(book, "current")
