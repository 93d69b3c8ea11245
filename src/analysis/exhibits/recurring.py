"""A company of contracts on page 1: its recurring revenue in one sentence and as a bridge."""

from __future__ import annotations

from analysis.exhibits import waterfall
from analysis.exhibits.book import Book, shows_something
from analysis.exhibits.markup import EMPTY, Rich, join, words
from analysis.exhibits.walks import Walk

STEPS: tuple[tuple[str, waterfall.Kind], ...] = (
    ("opening", "previous"),
    ("new", "plus"),
    ("expansion", "plus"),
    ("contraction", "minus"),
    ("lost", "minus"),
    ("closing", "actual"),
)
SIDES = {"gains": ("new", "expansion"), "losses": ("lost", "contraction")}
# What such a company asks first; tiles take them in this order.
TILES = (
    "arr",
    "net_revenue_retention",
    "renewal_rate_value",
    "renewal_rate",
    "lost_arr",
    "red_accounts",
    "live_rate",
)


def is_recurring(book: Book) -> bool:
    """Whether the report is about contracts: the company says so, and the record has them."""
    return book.settings.business_model == "subscription" and bool(
        book.value("arr.opening.amount") and book.value("arr.closing.amount")
    )


def answer(book: Book) -> Rich:
    """Recurring revenue, what became of the contracts that ran out, and what is at risk."""
    parts = [_level(book), _renewals(book), _red(book)]
    return join([part for part in parts if part])


def _level(book: Book) -> Rich:
    change = book.value("arr.net.amount") or 0.0
    shown = book.money("arr.net.amount", absolute=True)
    way = "same" if not shows_something(shown) else "up" if change > 0 else "down"
    return book.say(
        f"exhibits.recurring.level.{way}",
        period=book.when(),
        closing=book.money("arr.closing.amount"),
        change=shown,
    )


def _renewals(book: Book) -> Rich:
    head = "kpi.renewal_rate_value"
    if not (book.has(head, "numerator") and book.has(head, "denominator")):
        return EMPTY
    told = book.say(
        "exhibits.recurring.renewals",
        due=book.money(head, "denominator"),
        renewed=book.money(head, "numerator"),
        rate=book.num(head),
    )
    if not book.has(head, "gap"):
        return told + book.words("exhibits.conclusion.stop")
    way = "above" if (book.value(head, "gap") or 0.0) >= 0 else "below"
    gap = book.num(head, "gap", absolute=True)
    return told + book.say(f"exhibits.recurring.renewals_{way}", gap=gap)


def _red(book: Book) -> Rich:
    if not book.value("kpi.red_accounts") or not book.value("kpi.red_arr"):
        return EMPTY
    return book.say(
        "exhibits.recurring.red",
        count=book.num("kpi.red_accounts"),
        amount=book.money("kpi.red_arr"),
    )


def steps_told(book: Book, side: str) -> Rich:
    """Who brought the ``gains`` or the ``losses`` of the bridge, and how much."""
    told = [
        book.say(
            f"exhibits.recurring.clause.{step}",
            n=book.num(f"arr.{step}.customers"),
            amount=book.money(f"arr.{step}.amount", absolute=True),
        )
        for step in SIDES[side]
        if book.value(f"arr.{step}.customers") and book.value(f"arr.{step}.amount")
    ]
    listed = join(told, book.text("exhibits.list.semicolon"))
    return book.say("exhibits.reasons.clauses", clauses=listed)


def bridge(book: Book) -> Walk:
    """Opening recurring revenue turned into closing."""
    gains = book.num("arr.gains.amount", absolute=True)
    losses = book.num("arr.losses.amount", absolute=True)
    net = book.value("arr.net.amount") or 0.0
    way = "up" if net > 0 else "down" if net < 0 else "same"
    title = book.say(f"exhibits.recurring.bridge.{way}", gains=gains, losses=losses)
    cut = book.value("arr.cut.amount") or 0.0
    subtitle = book.say(
        f"exhibits.recurring.bridge.subtitle{'_cut' if cut else ''}",
        unit=words(book.scale.label),
        before=book.when(book.period.previous()),
        now=book.when(),
        cut=book.num("arr.cut.amount"),
    )
    steps, told = [], []
    for step, kind in STEPS:
        id_ = f"arr.{step}.amount"
        value = book.value(id_)
        if not value:
            continue
        shown = book.num(id_, signed=kind in ("plus", "minus"))
        label = book.label("arr_bridge", step)
        note = EMPTY
        if step == "closing":
            change = book.num("arr.net.amount", signed=True)
            note = book.say("exhibits.recurring.bridge.net", value=change)
        steps.append(waterfall.Step(label.plain, kind, value, shown.plain, note.plain))
        told.append(label + words(" ") + shown)
    facts = [f"arr.{step}.amount" for step, _ in STEPS if book.has(f"arr.{step}.amount")]
    return Walk(title, subtitle, steps, told, facts, cut)
