"""Cautions above the footer of page 1: what to read with care, by rule."""

from __future__ import annotations

from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import records
from analysis.exhibits.markup import EMPTY, Rich, tag
from analysis.exhibits.measures import measures
from analysis.exhibits.page_one import PAGE

MOST = 3
NOTABLE_REMOVED = 0.02
NOTABLE_INFERRED = 0.30


def cautions(book: Book) -> Exhibit | None:
    """At most three cautions; None where there is nothing to be careful about."""
    candidates = [
        _unfinished(book),
        *_quality(book),
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


def _quality(book: Book) -> list[Rich]:
    rows = book.frame("quality")
    if rows.empty:
        return []
    below = rows[
        (rows["share"] < rows["gate"].astype(float)) & (rows["table"] != "all")
    ].sort_values(["share", "table", "field", "check"])
    found = []
    for row in records(below.head(2)):
        id_ = ("quality", row["table"], row["field"], row["check"])
        key = "industry" if row["field"] == "industry" else "field"
        found.append(
            book.say(
                f"exhibits.cautions.{key}",
                table=book.label("table", row["table"]),
                field=book.label("field", row["field"]),
                check=book.label("quality", row["check"]),
                share=book.num(*id_, "share", decimals=0),
            )
        )
    return found


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
        return book.words("exhibits.cautions.no_orders")
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
