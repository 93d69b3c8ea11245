"""The conclusion of page 1: one sentence on the period and one on the year, by rules over facts.

`choose` is a pure function over the facts. Each of its fields names a rule, and each rule is a
key below ``exhibits.conclusion``; within a field the first rule that holds is told.

level: money against target
    no_target     no target was given
    exact         the distance from the target prints as nothing
    met, missed   revenue stands above, below the target
since: money against the previous period
    first         there is none
    even          the change prints as nothing
    same          the change is below `FLAT` of the previous period's revenue
    up, down      revenue is more, less than before
cause: who made the change; empty where there is no bridge from the previous period, where bridge
and KPI disagree, or where no step of the bridge explains the direction
    missing_new   the target is missed, customers who bought before do not buy less on balance,
                  and the new customers short of their target are worth half of the distance
    quiet         since is even or same, and all gains and all losses are below `FLAT` too
    cancel        since is even or same, and gains stand against losses
    down_less, down_not_bought
                  revenue fell; the largest loss is what customers bought less, or what those
                  bought who do not buy now
    up_more, up_returned, up_new
                  revenue rose; the largest gain. What existing customers buy more counts only
                  where they buy more on balance
but: customers against the direction of revenue, by `NOTABLE` of them
    fewer, more   revenue rose with fewer customers, fell with more
year: empty without a target for the year, and in a report on a whole year
    closed_met, closed_missed
                  the year is over
    reached       the year's target is reached early
    open          this period is not over, or the periods left are unknown
    next, rest    one period is left, or several: what they must bring; nothing is forecast
    ahead, behind the year's attainment is known, its money is not
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis.exhibits.book import Book
from analysis.exhibits.markup import EMPTY, Rich, join

FLAT = 0.01  # of the previous period's revenue: changes below it need no cause
NOTABLE = 0.05  # of the customers: more or fewer of them against the direction of revenue
ALSO = 0.25  # of the largest step: a second one worth its name
GAINS, LOSSES = ("more", "returned", "new"), ("less", "not_bought")


@dataclass(frozen=True)
class Conclusion:
    """The rules that hold; an empty field has nothing to tell."""

    level: str
    since: str
    cause: str = ""
    but: str = ""
    year: str = ""


def choose(book: Book) -> Conclusion:
    """Which rules hold for these facts."""
    return Conclusion(_level(book), _since(book), _cause(book), _but(book), _year(book))


def conclude(book: Book) -> Rich:
    """The conclusion in words."""
    chosen = choose(book)
    parts = [
        book.say("exhibits.conclusion.so_far", day=book.day(book.as_of)) if _open(book) else EMPTY,
        _tell_level(book, chosen),
        _tell_cause(book, chosen.cause),
        _tell_but(book, chosen.but),
        book.words("exhibits.conclusion.stop"),
        _tell_year(book, chosen.year),
    ]
    return join([part for part in parts if part])


def event(book: Book, kind: str = "revenue") -> Rich:
    """What the revenue of this run is called, by the event that it counts."""
    source = book.settings.sources.get("orders")
    known = source.event if source is not None and source.event else "unknown"
    return book.words(f"exhibits.{kind}.{known}")


# -- the rules --------------------------------------------------------------------------------


def _open(book: Book) -> bool:
    return book.as_of < book.period.end


def _now(book: Book) -> str:
    # A run may leave the KPI out; the bridge then knows the same money.
    return "kpi.revenue" if book.has("kpi.revenue") else "bridge.current.amount"


def _change(book: Book) -> str:
    return "kpi.revenue.difference" if book.has("kpi.revenue") else "bridge.net.amount"


def _before(book: Book) -> float:
    known = "kpi.revenue.previous" if book.has("kpi.revenue") else "bridge.previous.amount"
    return book.value(known) or 0.0


def _level(book: Book) -> str:
    gap = book.value("kpi.revenue.gap")
    if gap is None or not book.has("kpi.revenue.attainment"):
        return "no_target"
    if not book.shows("kpi.revenue.gap"):
        return "exact"
    return "met" if gap > 0 else "missed"


def _since(book: Book) -> str:
    change, before = book.value(_change(book)), _before(book)
    if change is None or before <= 0:
        return "first"
    if not book.shows(_change(book)):
        return "even"
    if abs(change) < FLAT * before:
        return "same"
    return "up" if change > 0 else "down"


def _step(book: Book, step: str) -> float:
    return book.value(f"bridge.{step}.amount") or 0.0


def _cause(book: Book) -> str:
    before, net = book.value("bridge.previous.amount") or 0.0, book.value("bridge.net.amount")
    change = book.value(_change(book))
    if before <= 0 or net is None or change is None:
        return ""
    if _missing_new(book, before):
        return "missing_new"
    since = _since(book)
    if since in ("same", "even"):
        calm = max(abs(_step(book, side)) for side in ("gains", "losses")) < FLAT * before
        opposed = _step(book, "gains") > 0 > _step(book, "losses")
        return "quiet" if calm else "cancel" if opposed else ""
    if net * change <= 0:
        return ""
    told = _explaining(book, since)
    return f"{since}_{told[0]}" if told else ""


def _explaining(book: Book, since: str) -> list[str]:
    """The steps that explain the direction, the largest first: one, or two."""
    names = list(GAINS if since == "up" else LOSSES)
    if since == "up" and _step(book, "existing") < 0 < _step(book, "arrivals"):
        names.remove("more")
    sign = 1 if since == "up" else -1  # returns may turn a step around
    sizes = {name: sign * _step(book, name) for name in names}
    ranked = sorted((n for n in names if sizes[n] > 0), key=lambda n: (-sizes[n], n))
    return [name for name in ranked[:2] if sizes[name] >= ALSO * sizes[ranked[0]]]


def _missing_new(book: Book, before: float) -> bool:
    short, gap = book.value("kpi.new_customers.gap"), book.value("kpi.revenue.gap")
    if short is None or gap is None or short >= 0 or gap >= 0:
        return False
    if _step(book, "existing") < -FLAT * before:
        return False
    count = book.value("kpi.new_customers") or 0.0
    if not count:
        return True
    return -short * _step(book, "new") / count >= -gap / 2


def _but(book: Book) -> str:
    customers = book.value("kpi.active_customers.difference")
    before = book.value("kpi.active_customers.previous") or 0.0
    if customers is None or abs(customers) < max(NOTABLE * before, 1):
        return ""
    since = _since(book)
    if since == "up" and customers < 0:
        return "fewer"
    return "more" if since == "down" and customers > 0 else ""


def _year(book: Book) -> str:
    remaining, left = book.value("year.remaining"), book.value("year.left")
    if book.period.kind == "year":
        return ""
    if remaining is None:
        if not book.has("year.gap"):
            return ""
        return "ahead" if (book.value("year.gap") or 0.0) >= 0 else "behind"
    if left == 0 and not _open(book):
        return "closed_met" if remaining <= 0 else "closed_missed"
    if remaining <= 0:
        return "reached"
    if _open(book) or not left or not book.has("year.each_change"):
        return "open"
    return "next" if left == 1 else "rest"


# -- the words --------------------------------------------------------------------------------


def _tell_level(book: Book, chosen: Conclusion) -> Rich:
    flat = chosen.since == "same"
    since = book.say(
        f"exhibits.conclusion.since.{chosen.since}",
        change=book.money(_change(book), signed=flat, absolute=not flat),
    )
    return book.say(
        f"exhibits.conclusion.level.{chosen.level}",
        period=book.when(),
        event=event(book),
        value=book.money(_now(book)),
        gap=book.money("kpi.revenue.gap", absolute=True),
        attainment=book.num("kpi.revenue.attainment"),
        since=since,
    )


def _amount(book: Book, step: str) -> Rich:
    return book.money(f"bridge.{step}.amount", signed=True)


def _tell_cause(book: Book, cause: str) -> Rich:
    if not cause:
        return EMPTY
    since, _, _ = cause.partition("_")
    if since not in ("up", "down"):
        return book.say(
            f"exhibits.conclusion.cause.{cause}",
            gains=book.money("bridge.gains.amount", absolute=True),
            losses=book.money("bridge.losses.amount", absolute=True),
            count=book.num("kpi.new_customers"),
            target=book.num("kpi.new_customers.target"),
        )
    first, *second = _explaining(book, since)
    also = [
        book.say(
            "exhibits.conclusion.also",
            step=book.say(f"exhibits.conclusion.step.{name}", amount=_amount(book, name)),
        )
        for name in second
    ]
    told = book.say(
        f"exhibits.conclusion.cause.{cause}", amount=_amount(book, first), also=join(also)
    )
    return told + _tell_against(book, since, [first, *second])


def _tell_against(book: Book, since: str, named: list[str]) -> Rich:
    """What worked against the direction."""
    least = FLAT * (book.value("bridge.previous.amount") or 0.0)
    if since == "down":
        key, step, told = "made_up", "gains", _step(book, "gains") > 0
    elif "more" not in named and _step(book, "existing") < 0:
        small = _step(book, "existing") > -least and _step(book, "more") >= least
        key, step, told = "existing_even" if small else "existing", "existing", True
    else:
        key, step, told = "lost", "losses", _step(book, "losses") <= -least
    if not told:
        return EMPTY
    amount = book.money(f"bridge.{step}.amount", absolute=True)
    return book.say(f"exhibits.conclusion.against.{key}", amount=amount)


def _tell_but(book: Book, but: str) -> Rich:
    if not but:
        return EMPTY
    count = book.num("kpi.active_customers.difference", absolute=True)
    return book.say(f"exhibits.conclusion.but.{but}", count=count)


def _tell_year(book: Book, year: str) -> Rich:
    if not year:
        return EMPTY
    return book.say(
        f"exhibits.conclusion.year.{year}",
        done=book.money("year.done"),
        target=book.money("year.target"),
        remaining=book.money("year.remaining", absolute=True),
        attainment=book.num("year.attainment"),
        gap=book.num("year.gap", absolute=True),
        left=book.num("year.left"),
        each=book.money("year.each"),
        change=book.num("year.each_change", signed=True),
        now=book.when(),
        next=book.when(book.period.next()),
    )
