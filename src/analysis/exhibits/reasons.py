"""The three reasons of page 1: candidates with a rule each, the strongest three are told."""

from __future__ import annotations

from analysis.exhibits import markup
from analysis.exhibits.book import Book
from analysis.exhibits.markup import EMPTY, Rich
from analysis.exhibits.measures import Measure, in_short, measures

MOST = 3
BALANCED = 0.10  # gains and losses of existing customers closer than this cancel out


def reasons(book: Book) -> list[Rich]:
    """At most three reasons, each a bold line and a sentence; empty where nothing is to be said."""
    if not book.has("kpi.revenue"):
        return [_measure(book, m) for m in measures(book)[:MOST]]
    candidates = [
        _gain(book),
        _existing(book),
        _risk(book),
        _measures(book),
        _new(book),
        _retention(book),
        _concentration(book),
    ]
    return [reason for reason in candidates if reason][:MOST]


def _told(book: Book, key: str, **args: Rich) -> Rich:
    head = book.words(f"exhibits.reasons.{key}.head")
    body = book.say(f"exhibits.reasons.{key}.body", **args)
    return _headed(book, head, body)


def _headed(book: Book, head: Rich, body: Rich) -> Rich:
    # On a page the head stands on a line of its own; elsewhere a space parts it from the body.
    gap = book.text("exhibits.reasons.gap")
    bold = markup.bold(head)
    return Rich(
        bold.html + markup.span(body, "ln").html,
        f"{bold.markdown}{gap}{body.markdown}",
        f"{bold.plain}{gap}{body.plain}",
    )


def _gain(book: Book) -> Rich:
    """Where the growth came from, in a period that grew."""
    if (book.value("bridge.net.amount") or 0.0) <= 0 or not book.value("bridge.previous.amount"):
        return EMPTY
    steps = {s: book.value(f"bridge.{s}.amount") or 0.0 for s in ("more", "returned", "new")}
    largest = max(steps, key=lambda s: (steps[s], s))
    if steps[largest] <= 0:
        return EMPTY
    return _told(
        book,
        f"gain_{largest}",
        n=book.num(f"bridge.{largest}.customers"),
        amount=book.money(f"bridge.{largest}.amount"),
        more=book.money("bridge.more.amount"),
        losses=book.money("bridge.losses.amount", absolute=True),
    )


def _existing(book: Book) -> Rich:
    """Customers who bought in both periods: more against less and not at all."""
    more = book.value("bridge.more.amount")
    losses = book.value("bridge.losses.amount")
    if more is None or losses is None or not book.value("bridge.previous.amount"):
        return EMPTY
    if (book.value("bridge.net.amount") or 0.0) > 0:
        return EMPTY  # the growth has been told with these figures
    close = abs(more + losses) < BALANCED * max(more, -losses)
    key = "balanced" if close else "shrinking" if more + losses < 0 else "growing"
    return _told(
        book,
        key,
        less=book.money("bridge.less.amount", absolute=True),
        less_n=book.num("bridge.less.customers"),
        not_bought=book.money("bridge.not_bought.amount", absolute=True),
        not_bought_n=book.num("bridge.not_bought.customers"),
        more=book.money("bridge.more.amount"),
        more_n=book.num("bridge.more.customers"),
    )


def _risk(book: Book) -> Rich:
    """High-value customers who turned at risk, else the balance of customers at risk."""
    fallen = book.value("movement.high_value.churn_risk.customers")
    into, back = (
        book.value("movement.flow.churn_risk.in"),
        book.value("movement.flow.churn_risk.back"),
    )
    if fallen:
        return _told(
            book,
            "fallen",
            count=book.num("movement.high_value.churn_risk.customers"),
            amount=book.money("movement.high_value.churn_risk.amount_before"),
            previous=book.when(book.period.previous()),
            into=book.num("movement.flow.churn_risk.in"),
            back=book.num("movement.flow.churn_risk.back"),
        )
    if into is None or back is None or (not into and not back):
        return EMPTY
    return _told(
        book,
        "more_risk" if into > back else "less_risk",
        into=book.num("movement.flow.churn_risk.in"),
        back=book.num("movement.flow.churn_risk.back"),
        count=book.num("segment.churn_risk.customers"),
    )


def _measures(book: Book) -> Rich:
    found = measures(book)
    if not found:
        return EMPTY
    worked = [m for m in found if m.verdict == "worked"]
    failed = [m for m in found if m.verdict == "did_not_pay"]
    if worked and failed:
        return _told(
            book,
            "mixed",
            best=worked[0].name,
            effect=in_short(book, worked[0]),
            worst=failed[0].name,
            failure=in_short(book, failed[0]),
        )
    if worked:
        return _told(
            book,
            "worked",
            best=worked[0].name,
            effect=in_short(book, worked[0]),
            count=book.num("effects.count.worked"),
            all=book.num("effects.count"),
        )
    if failed:
        return _told(book, "failed", worst=failed[0].name, failure=in_short(book, failed[0]))
    return _told(book, "open", all=book.num("effects.count"))


def _new(book: Book) -> Rich:
    if not book.has("kpi.new_customers.difference") or not book.has("bridge.new.amount"):
        return EMPTY
    change = book.value("kpi.new_customers.difference") or 0.0
    return _told(
        book,
        "more_new" if change >= 0 else "fewer_new",
        count=book.num("kpi.new_customers"),
        change=book.num("kpi.new_customers.difference", absolute=True),
        amount=book.money("bridge.new.amount"),
    )


def _retention(book: Book) -> Rich:
    if not book.has("kpi.retention.change"):
        return EMPTY
    change = book.value("kpi.retention.change") or 0.0
    return _told(
        book,
        "retention_up" if change >= 0 else "retention_down",
        value=book.num("kpi.retention"),
        change=book.num("kpi.retention.change", absolute=True),
    )


def _concentration(book: Book) -> Rich:
    if not book.value("segment.high_value.customers"):
        return EMPTY
    return _told(
        book,
        "concentration",
        count=book.num("segment.high_value.customers"),
        share=book.num("segment.high_value.share"),
        revenue=book.num("segment.high_value.revenue_share"),
    )


def _measure(book: Book, measure: Measure) -> Rich:
    key = f"exhibits.reasons.measure.{measure.verdict}"
    body = book.say(
        key,
        effect=in_short(book, measure),
        treated=book.num(f"{measure.id}.n_treated"),
        control=book.num(f"{measure.id}.n_control"),
        outcome=book.label("outcome", measure.outcome),
    )
    return _headed(book, measure.name, body)
