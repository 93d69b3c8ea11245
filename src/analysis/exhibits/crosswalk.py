"""The segments beside the company's own tiers (客户级别): counts, money, who differs."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import records
from analysis.exhibits.markup import EMPTY, Rich, join, name, words
from analysis.exhibits.segments import segment_names
from analysis.exhibits.tables import Cell, Column, Row, figure, note, table

PAGE = "crosswalk"
OWN_TIER = "own_tier"
MOST_TIERS = 8


def own_tiers(book: Book) -> list[Exhibit]:
    """The crosswalk to the company's own tiers, and the largest differences by name.

    One sentence where no tier is on file; nothing where the record has no crosswalk,
    or nobody in a segment.
    """
    if not book.knows("crosswalk_summary") or not book.places_customers:
        return []
    rows = book.frame("crosswalk_summary")
    rows = rows[rows["scheme"] == OWN_TIER]
    heading = book.text("exhibits.chapter.crosswalk")
    if rows.empty:
        sentence = note(book.words("exhibits.crosswalk.none"), "quiet")
        return [figure("tbl-crosswalk", EMPTY, sentence, page=PAGE, heading=heading, height=8)]
    return [_table(book, rows, heading), _differences(book)]


def _table(book: Book, rows: pd.DataFrame, heading: str) -> Exhibit:
    tiers = _tiers(rows)
    names = [s for s in segment_names(book) if s in set(rows["primary_segment"])]
    columns = [
        Column(book.words("exhibits.crosswalk.head.segment"), row_head=True),
        *(Column(name(tier), "n") for tier in tiers),
        Column(book.words("exhibits.crosswalk.head.total"), "n"),
    ]
    made: list[Row] = [
        [book.label("segment", one), *(_cell(book, tier, one) for tier in [*tiers, "all"])]
        for one in names
    ]
    total: Row = [
        book.words("exhibits.segments.total"),
        *(_cell(book, tier, "all") for tier in [*tiers, "all"]),
    ]
    title = "title_same"
    if book.value("tier_difference.count"):
        title = "title"
    return figure(
        "tbl-crosswalk",
        book.say(
            f"exhibits.crosswalk.{title}",
            count=book.num("tier_difference.count"),
            amount=book.money("tier_difference.total"),
            all=book.num("crosswalk", OWN_TIER, "all", "all", "customers"),
        ),
        table(columns, made, class_="slim", total=total),
        subtitle=book.say("exhibits.crosswalk.subtitle", unit=words(book.scale.label)),
        page=PAGE,
        heading=heading,
        height=19 + 8.2 * (len(made) + 1),
    )


def _tiers(rows: pd.DataFrame) -> list[str]:
    """The tiers with the most money per customer first, at most `MOST_TIERS` of them."""
    total = rows.groupby("segment")[["customers", "amount"]].sum()
    mean = total["amount"].astype(float) / total["customers"]
    order = sorted(mean.index, key=lambda tier: (-mean[tier], tier))
    largest = set(total["customers"].nlargest(MOST_TIERS, keep="first").index)
    return [str(tier) for tier in order if tier in largest]


def _cell(book: Book, tier: str, segment: str) -> Rich | Cell:
    id_ = ("crosswalk", OWN_TIER, tier, segment)
    if not book.value(*id_, "customers"):
        return words("–")
    return book.say(
        "exhibits.crosswalk.cell",
        count=book.num(*id_, "customers"),
        amount=book.num(*id_, "amount"),
    )


def _differences(book: Book) -> Exhibit:
    rows = book.frame("tier_differences")
    if rows.empty:
        sentence = note(book.words("exhibits.crosswalk.no_differences"), "quiet")
        return figure("tbl-differences", EMPTY, sentence, page=PAGE, height=8)
    first = rows[rows["rank"] <= book.settings.report.list_length].sort_values("rank")
    columns = [
        Column(class_="no"),
        Column(book.words("exhibits.accounts.head.name"), "nm", row_head=True),
        Column(book.words("exhibits.crosswalk.head.own"), "sg"),
        Column(book.words("exhibits.accounts.head.segment"), "sg"),
        Column(book.words("exhibits.crosswalk.head.usual"), "sg"),
        Column(book.words("exhibits.accounts.head.owner"), "ow"),
        Column(book.words("exhibits.accounts.head.amount"), "n am"),
        Column(book.words("exhibits.crosswalk.head.direction"), "gap"),
    ]
    ids = [f"tier_difference.{row['customer_id']}.amount" for row in records(first)]
    scale = book.scale_of(*ids)

    def line(row: dict[str, Any]) -> Row:
        id_ = ("tier_difference", row["customer_id"])
        return [
            book.num(*id_, "rank"),
            _text(row["name"] or row["customer_id"]),
            _text(row["own_tier"]),
            book.short_label(str(row["segment"])),
            _text(row["usual_tier"]),
            _text(row["owner"]),
            book.num(*id_, "amount", scale=scale),
            book.words(f"exhibits.crosswalk.direction.{row['direction']}"),
        ]

    made = [line(row) for row in records(first)]
    return figure(
        "tbl-differences",
        _counted(book),
        table(columns, made, class_="acc"),
        subtitle=book.say("exhibits.crosswalk.differences_note", unit=words(scale.label)),
        page=PAGE,
        height=17 + 5.2 * len(made),
    )


def _counted(book: Book) -> Rich:
    """How many tiers look too high and how many too low; a direction with none is left out."""
    told = [
        book.say(f"exhibits.crosswalk.count.{direction}", count=book.num(id_))
        for direction in ("tier_too_high", "tier_too_low", "other")
        if book.value(id_ := f"tier_difference.{direction}.count")
    ]
    listed = join(told, book.text("exhibits.list.clause"))
    return book.say("exhibits.crosswalk.differences", parts=listed)


def _text(value: Any) -> Rich:
    return name(value) if isinstance(value, str) and value.strip() else words("–")
