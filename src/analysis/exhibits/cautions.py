"""Cautions above the footer of page 1: what to read with care, by rule."""

from __future__ import annotations

from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import records
from analysis.exhibits.markup import EMPTY, Rich, tag
from analysis.exhibits.measures import measures
from analysis.exhibits.page_one import PAGE
from analysis.exhibits.reasons import MOST as TOLD
from analysis.exhibits.reasons import pushed, ranked

MOST = 3
FIELDS = 3
_MONEY = ("orders", "returns")  # a doubt about these is one about the revenue
NOTABLE_REMOVED = 0.02
NOTABLE_INFERRED = 0.30


def cautions(book: Book) -> Exhibit | None:
    """At most three cautions; None where there is nothing to be careful about."""
    candidates = [
        _unfinished(book),
        _push(book),
        _unmatched(book),
        _quality(book),
        _recomputed(book),
        _targets(book),
        _measures(book),
        _removed(book),
        _inferred(book),
    ]
    found = [caution for caution in candidates if caution][:MOST]
    if not found:
        return None
    head = book.words("exhibits.cautions.title")
    html = tag(
        "p",
        tag("b", head),
        *(tag("span", one, class_="cl") for one in found),
        class_="caut counted",
        id="txt-cautions",
    )
    lines = [one.plain for one in found]
    return Exhibit(
        "txt-cautions",
        str(html),
        f"**{head.markdown}**\n\n" + "\n".join(f"1. {one.markdown}" for one in found),
        f"{head.plain}: " + "; ".join(lines),
        caption=head.plain,
        page=PAGE,
    )


def _unfinished(book: Book) -> Rich:
    if book.as_of >= book.period.end:
        return EMPTY
    return book.say("exhibits.cautions.unfinished", day=book.day(book.as_of), period=book.when())


def _push(book: Book) -> Rich:
    """Much more than usual in the last working days, unless a reason has told it already."""
    if not pushed(book) or "push" in [reason.rule for reason in ranked(book)[:TOLD]]:
        return EMPTY
    return book.say(
        "exhibits.cautions.push",
        share=book.num("kpi.quarter_end_push"),
        before=book.num("kpi.quarter_end_push.year_ago"),
    )


def _unmatched(book: Book) -> Rich:
    """Customer numbers without a partner: of the orders, else of the table with most of them."""
    bridge = book.frame("key_bridge")
    tables = sorted(set(bridge["table"].astype(str))) if len(bridge) else []
    found = {t: keys for t in tables if (keys := book.value("key_bridge", t, "unmatched", "keys"))}
    if not found:
        return EMPTY
    table = max(found, key=lambda name: (name == "orders", found[name], name))
    id_ = ("key_bridge", table, "unmatched")
    money = book.has(*id_, "amount")
    return book.say(
        f"exhibits.cautions.unmatched{'_money' if money else ''}",
        table=book.label("table", table),
        keys=book.num(*id_, "keys"),
        amount=book.money(*id_, "amount", absolute=True),
    )


def _quality(book: Book) -> Rich:
    """The fields furthest below their gate, in one sentence."""
    rows = book.frame("quality")
    if rows.empty:
        return EMPTY
    low = (rows["share"] < rows["gate"].astype(float)) & (rows["table"] != "all")
    # Repeated rows are set aside, and counted there: what is kept can be relied on.
    below = rows[low & (rows["check"] != "uniqueness")].sort_values(
        ["share", "table", "field", "check"]
    )
    told = [
        book.say(
            "exhibits.cautions.field",
            table=book.label("table", row["table"]),
            field=book.label("field", row["field"]),
            check=book.label("quality", row["check"]),
            share=book.num("quality", row["table"], row["field"], row["check"], "share"),
        )
        for row in records(below.head(FIELDS))
    ]
    if not told:
        return EMPTY
    money = "money" if below["table"].isin(_MONEY).any() else "no_money"
    return book.say(f"exhibits.cautions.quality_{money}", fields=book.list_of(told))


def _recomputed(book: Book) -> Rich:
    before = book.frame("segments_before")
    if before.empty or "origin" not in before or not (before["origin"] == "recomputed").any():
        return EMPTY
    return book.say("exhibits.cautions.recomputed", previous=book.when(book.period.previous()))


def _targets(book: Book) -> Rich:
    if not book.has("kpi.revenue") or book.has("kpi.revenue.target"):
        return EMPTY
    return book.words("exhibits.cautions.no_targets")


def _measures(book: Book) -> Rich:
    if not book.has_orders:
        told = "no_orders" if measures(book) else "no_orders_light"
        return book.words(f"exhibits.cautions.{told}")
    return EMPTY if measures(book) else book.words("exhibits.cautions.no_measures")


def _removed(book: Book) -> Rich:
    share = book.value("reconciliation.orders.all.removed_share")
    if share is None or share < NOTABLE_REMOVED:
        return EMPTY
    return book.say(
        "exhibits.cautions.removed", share=book.num("reconciliation.orders.all.removed_share")
    )


def _inferred(book: Book) -> Rich:
    share = book.value("segment.all.inferred_share")
    if share is None or share < NOTABLE_INFERRED:
        return EMPTY
    return book.say("exhibits.cautions.inferred", share=book.num("segment.all.inferred_share"))
