"""The three reasons of page 1: candidates with a rule each, the strongest three are told."""

from __future__ import annotations

from analysis.exhibits import markup
from analysis.exhibits.book import Book, shows_something
from analysis.exhibits.markup import EMPTY, Rich
from analysis.exhibits.measures import Measure, in_short, measures

MOST = 3
BALANCED = 0.10  # gains and losses of existing customers closer than this cancel out


def reasons(book: Book) -> list[Rich]:
    """At most three reasons, each a bold line and a sentence; empty where nothing is to be said."""
    if not book.has_orders:
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


def _amount(book: Book, step: str) -> float:
    return book.value(f"bridge.{step}.amount") or 0.0


def _clauses(book: Book, *steps: str) -> Rich:
    """The steps of the bridge one by one; those without customers or money are left out."""
    told = []
    for step in steps:
        source = step.removesuffix("_only")
        amount = _amount(book, source)
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


def _balance(book: Book) -> str:
    """Customers of the previous period on balance: growing, shrinking or balanced."""
    more, losses = _amount(book, "more"), _amount(book, "losses")
    if abs(more + losses) < BALANCED * max(abs(more), abs(losses)) or more + losses == 0:
        return "balanced"
    return "shrinking" if more + losses < 0 else "growing"


def _bridged(book: Book, key: str, *steps: str) -> Rich:
    body = _clauses(book, *steps)
    return _headed(book, book.words(f"exhibits.reasons.{key}.head"), body) if body else EMPTY


def _gain(book: Book) -> Rich:
    """Where the growth came from, in a period that grew."""
    if _amount(book, "net") <= 0 or not book.value("bridge.previous.amount"):
        return EMPTY
    steps = {s: _amount(book, s) for s in ("more", "returned", "new")}
    largest = max(steps, key=lambda s: (steps[s], s))
    if steps[largest] <= 0 or book.value(f"bridge.{largest}.customers") == 0:
        return EMPTY
    if largest == "new":
        return _bridged(book, "gain_new", "new", "losses")
    if largest == "returned":
        return _bridged(book, "gain_returned", "returned", "more", "losses")
    # What existing customers bought more says little where they cut as much elsewhere.
    kind = _balance(book)
    if kind == "shrinking":
        return _bridged(book, "gain_shrinking", "more", "losses", "arrivals")
    cancelled = _amount(book, "more") + _amount(book, "losses") <= 0
    return _bridged(book, kind, "more", "losses", *(["arrivals"] if cancelled else []))


def _existing(book: Book) -> Rich:
    """Customers who bought in the previous period: more against less and not at all."""
    more = book.value("bridge.more.amount")
    losses = book.value("bridge.losses.amount")
    if more is None or losses is None or not book.value("bridge.previous.amount"):
        return EMPTY
    if _amount(book, "net") > 0:
        return EMPTY  # the growth has been told with these figures
    kind = _balance(book)
    if kind == "shrinking":
        return _bridged(book, kind, "less", "not_bought", "more_only")
    return _bridged(book, kind, "more", "less", "not_bought")


def _risk(book: Book) -> Rich:
    """High-value customers who turned at risk, else the balance of customers at risk."""
    fallen = book.value("movement.high_value.churn_risk.customers")
    into, back = (
        book.value("movement.flow.churn_risk.in"),
        book.value("movement.flow.churn_risk.back"),
    )
    if fallen:
        amount = "movement.high_value.churn_risk.amount_before"
        return _told(
            book,
            "fallen" if (book.value(amount) or 0.0) > 0 else "fallen_bare",
            count=book.num("movement.high_value.churn_risk.customers"),
            amount=book.money(amount),
            previous=book.when(book.period.previous()),
            into=book.num("movement.flow.churn_risk.in"),
            back=book.num("movement.flow.churn_risk.back"),
        )
    if into is None or back is None or into == back:
        return EMPTY
    # Customers who left count in the change alone; the headline must not contradict it.
    change = book.value("segment.churn_risk.change")
    if change is not None and change * (into - back) <= 0:
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
    change = book.value("kpi.new_customers.difference")
    amount = book.value("bridge.new.amount")
    if not change or amount is None or not book.value("kpi.new_customers"):
        return EMPTY
    if change > 0 and amount <= 0:
        return EMPTY  # returns only: more customers, and nothing gained
    fewer = "fewer_new" if amount > 0 else "fewer_new_bare"
    return _told(
        book,
        "more_new" if change > 0 else fewer,
        count=book.num("kpi.new_customers"),
        change=book.num("kpi.new_customers.difference", absolute=True),
        amount=book.money("bridge.new.amount"),
    )


def _retention(book: Book) -> Rich:
    shown = book.num("kpi.retention.change", absolute=True)
    if not shows_something(shown):
        return EMPTY
    return _told(
        book,
        "retention_up" if (book.value("kpi.retention.change") or 0.0) > 0 else "retention_down",
        value=book.num("kpi.retention"),
        change=shown,
    )


def _concentration(book: Book) -> Rich:
    if not book.value("segment.high_value.customers"):
        return EMPTY
    if (book.value("segment.high_value.revenue_share") or 0.0) <= 0:
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
