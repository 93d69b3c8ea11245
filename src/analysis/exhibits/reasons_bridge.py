"""The reasons of page 1 that the bridge tells: what customers, or contracts, added and took."""

from __future__ import annotations

from analysis.exhibits import markup, recurring
from analysis.exhibits.book import Book
from analysis.exhibits.markup import EMPTY, Rich
from analysis.exhibits.reason import LEAST, Reason, headed, step_amount

BOTH, ALIKE = 0.05, 0.10  # of the previous revenue; of the larger direction: closer cancels out


def _clauses(book: Book, *steps: str) -> Rich:
    """The steps of the bridge one by one; those without customers or money are left out."""
    told = []
    for step in steps:
        source = step.removesuffix("_only")
        amount = step_amount(book, source)
        # Returns alone turn a step around: a loss is no gain, and a gain no loss.
        right = amount < 0 if source in ("less", "not_bought", "losses") else amount > 0
        if not right or book.value(f"bridge.{source}.customers") == 0:
            continue
        told.append(
            book.say(
                f"exhibits.reasons.clause.{step}",
                n=book.num(f"bridge.{source}.customers"),
                amount=book.money(f"bridge.{source}.amount", absolute=True),
            )
        )
    if not told:
        return EMPTY
    listed = markup.join(told, book.text("exhibits.list.semicolon"))
    return book.say("exhibits.reasons.clauses", clauses=listed)


def _bridged(book: Book, key: str, *steps: str) -> Rich:
    body = _clauses(book, *steps)
    return headed(book, book.words(f"exhibits.reasons.{key}.head"), body) if body else EMPTY


def existing(book: Book) -> Reason | None:
    """Customers who bought before: on balance more, less, or both alike."""
    before, balance = step_amount(book, "previous"), step_amount(book, "existing")
    if before <= 0 or not book.has("bridge.existing.amount") or recurring.is_recurring(book):
        return None
    more, losses = step_amount(book, "more"), -step_amount(book, "losses")
    if min(more, losses) >= BOTH * before and abs(balance) < ALIKE * max(more, losses):
        text = _bridged(book, "balanced", "more", "less", "not_bought")
    elif balance <= -LEAST * before:
        text = _bridged(book, "shrinking", "less", "not_bought", "more_only")
    elif balance >= LEAST * before:
        text = _bridged(book, "growing", "more", "losses")
    else:
        return None
    return Reason("existing", abs(balance), text)


def arrivals(book: Book) -> Reason | None:
    """Who carried the growth beside those who bought in the previous period."""
    before = step_amount(book, "previous")
    steps = {step: step_amount(book, step) for step in ("returned", "new")}
    largest = max(steps, key=lambda step: (steps[step], step))
    if before <= 0 or step_amount(book, "net") <= 0 or steps[largest] < LEAST * before:
        return None
    if recurring.is_recurring(book):
        return None  # who signs once a year does not come back by renewing
    text = _bridged(book, f"gain_{largest}", largest)
    return Reason("arrivals", steps[largest], text)


def _contracts(book: Book, side: str) -> Reason | None:
    """What contracts lost or won of the recurring revenue."""
    amount = abs(book.value(f"arr.{side}.amount") or 0.0)
    least = LEAST * (book.value("arr.opening.amount") or 0.0)
    if not recurring.is_recurring(book) or amount < least:
        return None
    head = book.words(f"exhibits.recurring.reason.{side}")
    text = headed(book, head, recurring.steps_told(book, side))
    return Reason(f"contracts_{side}", amount, text)


def contracts_lost(book: Book) -> Reason | None:
    """Contracts lost and reduced."""
    return _contracts(book, "losses")


def contracts_won(book: Book) -> Reason | None:
    """Contracts won and expanded."""
    return _contracts(book, "gains")
