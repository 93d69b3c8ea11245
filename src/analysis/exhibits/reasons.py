"""The reasons of page 1: a rule each with a least size, ranked by the money at stake.

========== ==================================== ==============================================
reason     told when                            money at stake
========== ==================================== ==============================================
existing   customers who bought before: their   that balance
           balance of more, less and not at all
           is `LEAST` of the previous revenue;
           or both directions are `BOTH` of it
           and `ALIKE`
arrivals   revenue grew, and the returning or   what they brought
           the new ones brought `LEAST` of it
contracts  instead of these two where contracts lost and reduced; new and expanded
           are the business: `LEAST` of the
           recurring revenue was lost or won
risk       best customers turned at risk:       what they bought in the previous period
           `FEW` or more, or `LEAST` of revenue
           (without: the balance at risk moved)
arrears    overdue is above its limit (or       what is overdue
           `OVERDUE` without one), or its share
           rose by `POINT`
measures   a measure worked or did not pay      extra margin, money spent in vain
margin     the margin rate fell by half `POINT` the fall times revenue
top_ten    the ten largest customers' share     none is won or lost by it
           moved by `POINT`
new        new customers miss their target by   those missing times what one of them brings
           `MISSED`; without one, their number
           moved by `MOVED`
retention  moved by `POINT`                     none: the bridge holds its money
push       the last days' share of the revenue  none yet
           is `PUSH` above the year before's
========== ==================================== ==============================================

At most three are told. Where none qualifies, one plain sentence says so.
"""

from __future__ import annotations

from analysis.exhibits import reasons_bridge
from analysis.exhibits.book import Book, shows_something
from analysis.exhibits.markup import EMPTY, Rich, name
from analysis.exhibits.measures import Measure, in_short, measures
from analysis.exhibits.page_facts import fallen_region
from analysis.exhibits.reason import LEAST, Reason, Rule, headed, revenue, step_amount, told
from analysis.exhibits.traits import level_of, strongest
from analysis.roles import AT_RISK, BEST

MOST = 3
FEW = 3  # customers
POINT = 0.01  # of a share
OVERDUE = 0.10  # of receivables, where no limit was given
MISSED, MOVED = 0.05, 0.20  # of the target, of the period before
PUSH = 0.05  # of the period's revenue


def reasons(book: Book) -> list[Rich]:
    """At most three reasons, each a bold line and a sentence."""
    if not book.has_orders:
        return [_measure(book, m) for m in measures(book)[:MOST]]
    found = ranked(book)[:MOST]
    return [reason.text for reason in found] or [book.words("exhibits.reasons.none")]


def ranked(book: Book) -> list[Reason]:
    """All reasons that qualify, the most money first."""
    found = [reason for rule in RULES if (reason := rule(book)) is not None and reason.text]
    places = {reason.rule: place for place, reason in enumerate(found)}
    return sorted(found, key=lambda reason: (-reason.stake, places[reason.rule]))


def _risk(book: Book) -> Reason | None:
    """Customers who fell from best to at risk, else the balance of those at risk."""
    fallen = book.value("movement.best.at_risk.customers") or 0
    amount = book.value("movement.best.at_risk.amount_before") or 0.0
    if fallen and (fallen >= FEW or amount >= LEAST * step_amount(book, "previous")):
        return Reason("risk", amount, _fallen(book, amount))
    into = book.value("movement.flow.at_risk.moved_in")
    back = book.value("movement.flow.at_risk.back")
    if into is None or back is None or into == back:
        return None
    # Customers who left count in the change alone; the headline must not contradict it.
    change = book.value("segment.at_risk.change")
    if change is not None and change * (into - back) <= 0:
        return None
    text = told(
        book,
        "more_risk" if into > back else "less_risk",
        into=book.num("movement.flow.at_risk.moved_in"),
        back=book.num("movement.flow.at_risk.back"),
        count=book.num("segment.at_risk.customers"),
        **book.role_names(),
    )
    return Reason("risk", 0.0, text)


def _fallen(book: Book, amount: float) -> Rich:
    id_ = "movement.best.at_risk"
    risk = book.roles.one(AT_RISK)
    fallen = (book.roles.one(BEST), risk)
    region = fallen_region(book.frame("movements"), book.frame("customers"), *fallen)
    where = EMPTY
    if region is not None:
        where = book.say(
            "exhibits.reasons.fallen_where",
            region=name(region[0]),
            count=book.num("fallen.region.customers"),
        )
    pain = strongest(book, risk, "pain")
    hurts = EMPTY
    if pain and pain["unit"] == "share":
        hurts = book.say(
            "exhibits.reasons.fallen_pain",
            pain=level_of(book, pain),
            share=book.num("persona", risk, "pain", pain["trait"]),
            **book.role_names(),
        )
    return told(
        book,
        "fallen" if amount > 0 else "fallen_bare",
        count=book.num(f"{id_}.customers"),
        amount=book.money(f"{id_}.amount_before"),
        where=where,
        pain=hurts,
        **book.role_names(),
    )


def _arrears(book: Book) -> Reason | None:
    """Money that is overdue, and how much of it customers of the best segment owe."""
    share = book.value("kpi.overdue_share")
    if share is None or not book.value("kpi.overdue"):
        return None
    limit = book.value("kpi.overdue_share.target")
    change = book.value("kpi.overdue_share.change")
    if share <= (OVERDUE if limit is None else limit) and (change or 0.0) < POINT:
        return None
    moved, owed = EMPTY, EMPTY
    shown = book.num("kpi.overdue_share.change", absolute=True)
    if change is not None and shows_something(shown):
        moved = book.say(f"exhibits.reasons.arrears_{'up' if change > 0 else 'down'}", change=shown)
    if book.value("arrears.customers") and book.has("arrears.share"):
        owed = book.say(
            "exhibits.reasons.arrears_owed",
            count=book.num("arrears.customers"),
            amount=book.money("arrears.amount"),
            share=book.num("arrears.share"),
            **book.role_names(),
        )
    text = told(
        book,
        "arrears",
        amount=book.money("kpi.overdue"),
        share=book.num("kpi.overdue_share"),
        moved=moved,
        owed=owed,
    )
    return Reason("arrears", book.value("kpi.overdue") or 0.0, text)


def _measures(book: Book) -> Reason | None:
    found = measures(book)
    worked = [m for m in found if m.verdict == "worked"]
    failed = [m for m in found if m.verdict == "did_not_pay"]
    if not worked and not failed:
        return None
    gained = sum(book.value(f"{m.id}.extra_margin") or 0.0 for m in worked)
    spent = sum(book.value(f"effect.{m.strategy}.{m.arm}.cost") or 0.0 for m in failed)
    key = "mixed" if worked and failed else "worked" if worked else "failed"
    text = told(
        book,
        key,
        best=worked[0].name if worked else EMPTY,
        effect=in_short(book, worked[0]) if worked else EMPTY,
        worst=failed[0].name if failed else EMPTY,
        failure=in_short(book, failed[0]) if failed else EMPTY,
        count=book.num("effects.count.worked"),
        all=book.num("effects.count"),
    )
    return Reason("measures", gained + spent, text)


def _margin(book: Book) -> Reason | None:
    change = book.value("kpi.gross_margin_rate.change")
    if change is None or change > -POINT / 2:
        return None
    text = told(
        book,
        "margin",
        value=book.num("kpi.gross_margin_rate"),
        change=book.num("kpi.gross_margin_rate.change", absolute=True),
    )
    return Reason("margin", -change * revenue(book), text)


def _top_ten(book: Book) -> Reason | None:
    change = book.value("top_ten.change")
    if change is None or abs(change) < POINT:
        return None
    text = told(
        book,
        f"top_ten_{'up' if change > 0 else 'down'}",
        share=book.num("top_ten.share"),
        change=book.num("top_ten.change", absolute=True),
    )
    return Reason("top_ten", 0.0, text)


def _new(book: Book) -> Reason | None:
    """New customers against their target; without one, against the period before."""
    count, target = book.value("kpi.new_customers"), book.value("kpi.new_customers.target")
    if count is None:
        return None
    each = step_amount(book, "new") / count if count else 0.0
    if target:
        short = target - count
        if short < max(MISSED * target, 1):
            return None
        text = told(
            book,
            "new_short",
            count=book.num("kpi.new_customers"),
            target=book.num("kpi.new_customers.target"),
            short=book.num("kpi.new_customers.gap", absolute=True),
        )
        return Reason("new", short * each, text)
    change = book.value("kpi.new_customers.difference")
    before = book.value("kpi.new_customers.previous") or 0.0
    if not count or change is None or abs(change) < max(MOVED * before, 1):
        return None
    if change > 0 and each <= 0:
        return None  # returns only: more customers, and nothing gained
    fewer = "fewer_new" if each > 0 else "fewer_new_bare"
    text = told(
        book,
        "more_new" if change > 0 else fewer,
        count=book.num("kpi.new_customers"),
        change=book.num("kpi.new_customers.difference", absolute=True),
        amount=book.money("bridge.new.amount"),
    )
    return Reason("new", abs(change) * max(each, 0.0), text)


def _retention(book: Book) -> Reason | None:
    change = book.value("kpi.retention.change")
    if change is None or abs(change) < POINT:
        return None
    text = told(
        book,
        f"retention_{'up' if change > 0 else 'down'}",
        value=book.num("kpi.retention"),
        change=book.num("kpi.retention.change", absolute=True),
    )
    return Reason("retention", 0.0, text)


def pushed(book: Book) -> bool:
    """Whether far more of the revenue than a year before fell on the last working days."""
    return (book.value("kpi.quarter_end_push.change_year") or 0.0) >= PUSH


def _push(book: Book) -> Reason | None:
    if not pushed(book):
        return None
    text = told(
        book,
        "push",
        share=book.num("kpi.quarter_end_push"),
        before=book.num("kpi.quarter_end_push.year_ago"),
    )
    return Reason("push", 0.0, text)


RULES: tuple[Rule, ...] = (
    reasons_bridge.existing,
    reasons_bridge.arrivals,
    reasons_bridge.contracts_lost,
    reasons_bridge.contracts_won,
    _risk,
    _arrears,
    _measures,
    _margin,
    _top_ten,
    _new,
    _retention,
    _push,
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
    return headed(book, measure.name, body)
