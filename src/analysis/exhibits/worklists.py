"""The lists that ask for action: must win back, overdue to reorder, warned of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from analysis.calendars import Period
from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import records
from analysis.exhibits.markup import EMPTY, Rich, join, name, words
from analysis.exhibits.measures import between
from analysis.exhibits.segment_facts import POOLED
from analysis.exhibits.tables import Column, Row, figure, note, stacked, table
from analysis.wording.numbers import Scale

PAGE = "accounts"
ANY, NONE = "any", "none"  # rules of `warning_record`: warned by any, and by none
# what stands beside money, person and region: head, and the cell of a row
Extra = tuple[str, str, Callable[[Book, dict[str, Any]], Rich]]


def worklist(book: Book, one: str, heading: str = "") -> Exhibit | None:
    """One list with its persons in charge, the most money first.

    A sentence where nobody is on it; None where the record has no such lists.

    Parameters
    ----------
    one
        win_back, reorder or warning.
    heading
        Chapter that begins with it.
    """
    if not book.knows("worklists"):
        return None
    whole = book.frame("worklists")
    rows = whole[(whole["list"] == one) & (whole["rank"] <= book.settings.report.list_length)]
    if rows.empty:
        return _quiet(book, one, heading)
    extras = _EXTRAS[one]
    owned, placed = (bool(rows[c].map(_known).any()) for c in ("owner", "region"))
    columns = [
        Column(class_="no"),
        Column(book.words("exhibits.accounts.head.name"), "nm", row_head=True),
        Column(book.words("exhibits.accounts.head.segment"), "sg"),
        *([Column(book.words("exhibits.accounts.head.owner"), "ow")] if owned else []),
        *([Column(book.words("exhibits.accounts.head.region"), "rg")] if placed else []),
        Column(book.words("exhibits.accounts.head.amount"), "n am"),
        *(
            Column(book.words(f"exhibits.worklists.head.{key}"), class_)
            for key, class_, _ in extras
        ),
    ]
    scale = _scale(book)
    made: list[Row] = [
        [
            book.num("worklist", one, row["customer_id"], "rank"),
            name(row["name"] if _known(row["name"]) else row["customer_id"]),
            book.short_label(str(row["segment"])),
            *([_told(row["owner"])] if owned else []),
            *([_told(row["region"])] if placed else []),
            book.num("worklist", one, row["customer_id"], "amount", scale=scale),
            *(build(book, row) for _, _, build in extras),
        ]
        for row in records(rows.sort_values("rank"))
    ]
    lines = [line for line in (_below(book) if one == "warning" else [_down(book, one)]) if line]
    block = stacked(table(columns, made, class_="acc"), *(note(line) for line in lines))
    return figure(
        f"tbl-worklist-{one}",
        book.say(
            f"exhibits.worklists.title.{one}",
            count=book.num("worklist", one, "count"),
            amount=book.money("worklist", one, "total"),
        ),
        block,
        subtitle=book.say(
            f"exhibits.worklists.subtitle.{one}", unit=words(scale.label), **book.role_names()
        ),
        page=PAGE,
        heading=heading,
        height=17 + 5.2 * len(made) + 5 * len(lines),
    )


def _quiet(book: Book, one: str, heading: str) -> Exhibit:
    lines = [line for line in (_below(book) if one == "warning" else []) if line]
    sentence = book.words(f"exhibits.worklists.none.{one}")
    block = stacked(note(sentence, "quiet"), *(note(line) for line in lines))
    return figure(
        f"tbl-worklist-{one}", EMPTY, block, page=PAGE, heading=heading, height=7 + 5 * len(lines)
    )


def _scale(book: Book) -> Scale:
    """One unit of money for all lists."""
    rows = book.frame("worklists")
    shown = rows[rows["rank"] <= book.settings.report.list_length]
    ids = [f"worklist.{r['list']}.{r['customer_id']}.amount" for r in records(shown)]
    return book.scale_of(*ids)


def _known(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _told(value: Any) -> Rich:
    return name(value) if _known(value) else words("–")


def _over(book: Book, row: dict[str, Any]) -> Rich:
    return book.num("worklist", row["list"], row["customer_id"], "days_over", decimals=0)


def _expected(book: Book, row: dict[str, Any]) -> Rich:
    return words("–") if pd.isna(row["expected_on"]) else book.day(row["expected_on"])


def _cause(book: Book, row: dict[str, Any]) -> Rich:
    """What warned, with the number that did."""
    rows = book.frame("warnings")
    own = rows[rows["customer_id"] == row["customer_id"]]
    if own.empty:
        return words("–")
    rule = str(own["rule"].iloc[0])
    id_ = f"warning.{row['customer_id']}"
    return book.say(
        f"exhibits.worklists.cause.{rule}",
        change=book.num(id_, "activity_change", absolute=True, decimals=0),
        cycles=book.num(id_, "recency_cycles"),
    )


def _chance(book: Book, row: dict[str, Any]) -> Rich:
    return book.num("warning", row["customer_id"], "chance", decimals=0)


_EXTRAS: dict[str, tuple[Extra, ...]] = {
    "win_back": (("days_over", "n rh", _over), ("expected_on", "gap", _expected)),
    "reorder": (("days_over", "n rh", _over), ("expected_on", "gap", _expected)),
    "warning": (("chance", "n rh", _chance), ("cause", "gap why", _cause)),
}


def _down(book: Book, one: str) -> Rich:
    """Below those to win back: how many moved down this period, and where their causes stand."""
    if one != "win_back" or not book.has("worklist.moved_down.count"):
        return EMPTY
    return book.say(
        "exhibits.worklists.moved_down",
        count=book.num("worklist.moved_down.count"),
        amount=book.money("worklist.moved_down.total"),
    )


def _below(book: Book) -> list[Rich]:
    """How good the warnings are: those of last time, and the firm's own rate over all periods."""
    return [join([_last(book), _rate(book)])]


def _last(book: Book) -> Rich:
    """The latest period whose warnings can be judged: warned, lost, missed."""
    rows = book.frame("warning_record")
    if rows.empty:
        return book.words("exhibits.worklists.no_record")
    judged = rows[(rows["rule"] == ANY) & (rows["period"] != POOLED)]
    if judged.empty:
        return EMPTY
    latest = str(judged["period"].max())
    key = "last" if latest == book.period.previous().name else "earlier"
    return book.say(
        f"exhibits.worklists.{key}",
        period=book.when(Period.parse(latest)),
        count=book.num("warning_record", ANY, latest, "customers"),
        lost=book.num("warning_record", ANY, latest, "lost"),
        missed=book.num("warning_record", NONE, latest, "lost"),
    )


def _rate(book: Book) -> Rich:
    id_, rest = f"warning_record.{ANY}.{POOLED}", f"warning_record.{NONE}.{POOLED}"
    if not book.has(id_, "rate") or not book.has(id_, "low"):
        return EMPTY
    lead, others = EMPTY, EMPTY
    if book.has(id_, "lead_days"):
        lead = book.say("exhibits.worklists.lead", days=book.num(id_, "lead_days", decimals=0))
    if book.has(rest, "rate"):
        worse = (book.value(id_, "rate") or 0.0) <= (book.value(rest, "rate") or 0.0)
        key = "others_no_better" if worse else "others"
        others = book.say(f"exhibits.worklists.{key}", rate=book.num(rest, "rate"))
    reach = between(book, book.num(id_, "low"), book.num(id_, "high"), 0.0)
    return book.say(
        "exhibits.worklists.rate",
        rate=book.num(id_, "rate"),
        range=reach,
        lead=lead,
        others=others,
    )
