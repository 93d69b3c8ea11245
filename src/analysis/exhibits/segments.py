"""Segments and who moved: the segment table, the movement matrix, the way into and out of risk."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from analysis.exhibits import marks
from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.markup import EMPTY, Rich, join, span, tag, words
from analysis.exhibits.tables import (
    Block,
    Cell,
    Column,
    figure,
    note,
    stacked,
    table,
)
from analysis.exhibits.traits import level_of, strongest
from analysis.roles import AT_RISK, BEST, NEW
from analysis.wording.numbers import Scale

PAGE = "segments"


def segment_names(book: Book) -> list[str]:
    """The segments in the order of their scheme."""
    rows = book.frame("segment_summary")
    if not book.value("segment.all.customers"):
        return []
    known = [str(s) for s in rows["segment"] if s != "all"]
    order = book.roles.segments
    return [s for s in order if s in known] + [s for s in known if s not in order]


def segment_table(book: Book) -> Exhibit | None:
    """The segment table in the column order that managers know; None without segments."""
    names = segment_names(book)
    if not names:
        return None
    unit = words(book.scale.label)
    columns = [
        Column(book.words("exhibits.segments.head.segment"), row_head=True),
        Column(book.words("exhibits.segments.head.customers"), "n"),
        Column(book.words("exhibits.segments.head.share"), "n br"),
        Column(book.words("exhibits.segments.head.trait"), "gap"),
        Column(book.words("exhibits.segments.head.revenue"), "n"),
        Column(book.words("exhibits.segments.head.revenue_share"), "n br"),
        Column(book.words("exhibits.segments.head.pain"), "gap"),
        Column(book.words("exhibits.segments.head.change"), "n add"),
        Column(book.words("exhibits.segments.head.next"), "gap"),
    ]
    rows = [_segment_row(book, name) for name in names]
    compared = book.has("segment.all.change")
    total = [
        book.words("exhibits.segments.total"),
        book.num("segment.all.customers"),
        book.num("segment.all.share"),
        EMPTY,
        book.num("segment.all.revenue", scale=book.table_scale),
        book.num("segment.all.revenue_share"),
        EMPTY,
        book.num("segment.all.change", signed=True) if compared else EMPTY,
        EMPTY,
    ]
    widths = Markup().join(tag("col", class_=f"c{i}") for i in range(len(columns)))
    groups = tag(
        "tr",
        tag("td", colspan=4),
        tag(
            "th",
            tag("span", book.words("exhibits.segments.head.value")),
            colspan=2,
            class_="n",
            scope="colgroup",
        ),
        tag("td"),
        tag("td", class_="add"),
        tag("td"),
        class_="grp",
    )
    block = table(columns, rows, class_="seg", total=total, groups=groups)
    html = Markup(  # noqa: S704 - markup with a line of markup put in
        str(block.html).replace("<thead>", f"<colgroup>{widths}</colgroup><thead>", 1)
    )
    subtitle = book.say("exhibits.segments.subtitle", period=book.when(style="long"), unit=unit)
    return figure(
        "tbl-segments",
        _title(book),
        Block(html, block.markdown, block.plain),
        subtitle=subtitle,
        page=PAGE,
        heading=book.text("exhibits.chapter.segments"),
        height=31 + 12 * len(names),
    )


def _title(book: Book) -> Rich:
    if not book.has("segment.best.revenue_share") or not book.value("segment.best.customers"):
        return book.say("exhibits.segments.title.neutral", count=book.num("segments.count"))
    lead = book.say(
        "exhibits.segments.title.top",
        count=book.num("segment.best.customers"),
        share=book.num("segment.best.revenue_share"),
        **book.role_names(),
    )
    tail = [part for part in (_changed(book, BEST, "own"), _changed(book, AT_RISK, "risk")) if part]
    return join([lead, *tail])


def _changed(book: Book, role: str, key: str) -> Rich:
    change = book.value(f"segment.{role}.change")
    if change is None or not book.value("segment.all.customers_before"):
        return EMPTY
    way = "up" if change > 0 else "down" if change < 0 else "same"
    return book.say(
        f"exhibits.segments.title.{key}_{way}",
        change=book.num(f"segment.{role}.change", absolute=True),
        **book.role_names(),
    )


def _segment_row(book: Book, segment: str) -> Sequence[Rich | Cell]:
    id_ = f"segment.{segment}"
    compared = bool(book.value("segment.all.customers_before"))
    return [
        book.label("segment", segment),
        book.num(id_, "customers"),
        Cell(book.num(id_, "share"), marks.bar(book.value(id_, "share"), "g")),
        trait_line(book, segment),
        book.num(id_, "revenue", scale=book.table_scale),
        Cell(book.num(id_, "revenue_share"), marks.bar(book.value(id_, "revenue_share"), "i")),
        _pain(book, segment),
        book.num(id_, "change", signed=True) if compared else words("–"),
        _next(book, segment),
    ]


def trait_line(book: Book, segment: str) -> Rich:
    """What the segment is like in two figures: its rhythm and the size of its orders."""
    id_ = f"segment.{segment}"
    if not book.value(id_, "customers"):
        return words("–")
    key = _trait_key(book, segment)
    if key != AT_RISK and not book.has(id_, "mean_order"):
        return words("–")
    if key == "other" and not book.has(id_, "interval_days"):
        return words("–")
    return book.say(
        f"exhibits.segments.trait.{key}",
        interval=book.num(id_, "interval_days", decimals=0),
        order=book.money(id_, "mean_order", scale=_order_scale(book)),
        recency=book.num(id_, "recency_days", decimals=0),
        window=book.num("setting.segmentation.new_customer_days"),
    )


def _trait_key(book: Book, segment: str) -> str:
    """How long those at risk are silent, since when the new ones buy; else rhythm and size."""
    role = book.roles.of(segment)
    recency = book.value("segment", segment, "recency_days") or 0.0
    if role == AT_RISK and recency > (book.value("segment", segment, "interval_days") or 0.0):
        return AT_RISK
    return NEW if role == NEW and _by_first_order(book) else "other"


def _by_first_order(book: Book) -> bool:
    """Whether the scheme calls those new whose first order lies within the setting's days."""
    rules = book.frame("scheme_rules")
    return rules.empty or bool(rules["condition"].str.contains("new_customer_days").any())


def _order_scale(book: Book) -> Scale:
    return book.scale_of(*(f"segment.{s}.mean_order" for s in segment_names(book)))


def _pain(book: Book, segment: str) -> Rich:
    row = strongest(book, segment, "pain")
    return level_of(book, row) if row else words("–")


def _next(book: Book, segment: str) -> Rich:
    plan = book.frame("plan_summary")
    if plan.empty:
        return words("–")
    own = plan[plan["segment"] == segment].sort_values("rank")
    found = [span(book.label("strategy", s), "nb") for s in own["strategy"]]
    return join(found, book.text("exhibits.list.comma")) if found else words("–")


def notes(book: Book) -> Exhibit | None:
    """How better and worse are meant, and what was recomputed."""
    if not segment_names(book):
        return None
    told = [_directions(book), book.words("exhibits.segments.note")]
    before = book.frame("segments_before")
    if len(before) and "origin" in before and (before["origin"] == "recomputed").any():
        told.append(
            book.say("exhibits.segments.recomputed", previous=book.when(book.period.previous()))
        )
    if not len(book.frame("movement_matrix")):
        told.append(book.words("exhibits.segments.no_movement"))
    block = stacked(note(join(told), "caut"))
    return Exhibit(
        "txt-segment-notes", str(block.html), block.markdown, block.plain, page=PAGE, height=8.5
    )


def _directions(book: Book) -> Rich:
    """What is worse and what is better: between three ranks by name, else from best to worst."""
    ranks = book.roles.ranks
    if not ranks:
        return EMPTY
    best, risk = book.roles.one(BEST), book.roles.one(AT_RISK)
    between = {rank for segment, rank in ranks.items() if segment not in (best, risk)}
    if len(between) == 1 and ranks[risk] < min(between) and ranks[best] > max(between):
        return book.say("exhibits.segments.note_three", **book.role_names())
    order = sorted(ranks, key=lambda segment: -ranks[segment])
    listed = book.list_of([book.short_label(segment) for segment in order])
    return book.say("exhibits.segments.note_ranks", order=listed)
