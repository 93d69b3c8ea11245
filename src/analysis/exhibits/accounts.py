"""The lists of accounts: to rescue, overdue to reorder, to grow, to hold, to collect from."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.exhibits import look, worklists
from analysis.exhibits.book import Book, parse_reason
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import fact_id, records
from analysis.exhibits.markup import Rich, name, words
from analysis.exhibits.tables import Column, Row, figure, table
from analysis.wording import catalogue
from analysis.wording.numbers import Scale

PAGE = "accounts"
SIZE, ROOM = 8.0, 47.0  # of the names: type size [pt], width of their column [mm]
LISTS = ("rescue", "reorder", "grow", "hold", "collect")
URGENT = ("win_back", "reorder", "warning")  # of the worklists
REPLACED = ("rescue", "reorder")


def chapter(book: Book) -> str:
    """Heading of the lists: what they are for."""
    owing = (book.frame("accounts").get("list", pd.Series(dtype=object)) == "collect").any()
    return book.text(f"exhibits.chapter.accounts{'_owing' if owing else ''}")


def account_lists(book: Book) -> list[Exhibit]:
    """A table per list, the most urgent first; no exhibit for an empty list.

    Where the record has worklists, these say whom to win back, whom to remind and who is warned
    of, in the place of the shorter lists. Nothing where no customer is in a segment.
    """
    if not book.places_customers:
        return []
    rows = book.frame("accounts")
    made: list[Exhibit] = []
    for one in URGENT:
        found = worklists.worklist(book, one, "" if made else chapter(book))
        made += [found] if found else []
    if rows.empty:
        return made
    told_already = REPLACED if made else ()
    lists = [one for one in LISTS if (rows["list"] == one).any()]
    lists += sorted(set(rows["list"].astype(str)) - set(LISTS))
    for one in lists:
        if one in told_already:
            continue
        own = rows[rows["list"] == one].sort_values("rank")
        made.append(_list(book, one, own, "" if made else chapter(book)))
    return made


def _list(book: Book, one: str, rows: pd.DataFrame, heading: str) -> Exhibit:
    whole = book.frame("accounts")  # all lists have the same columns
    owned, placed = (bool(whole[c].map(_known).any()) for c in ("owner", "region"))
    owed = one == "collect"
    columns = [
        Column(class_="no"),
        Column(book.words("exhibits.accounts.head.name"), "nm", row_head=True),
        Column(book.words("exhibits.accounts.head.segment"), "sg"),
        *([worklists.owner_column(book, rows["owner"])] if owned else []),
        *([Column(book.words("exhibits.accounts.head.region"), "rg")] if placed else []),
        Column(book.words(f"exhibits.accounts.head.{'overdue' if owed else 'amount'}"), "n am"),
        Column(book.words("exhibits.accounts.head.recency"), "n rh"),
        Column(book.words("exhibits.accounts.head.interval"), "n rh"),
        Column(book.words("exhibits.accounts.head.reason"), "gap why"),
    ]
    made = [_row(book, one, row, owned, placed) for row in records(rows)]
    key = f"exhibits.accounts.title.{one}"
    title = (
        book.say(
            key,
            count=book.num(f"account.{one}.count"),
            amount=book.money(f"account.{one}.total"),
        )
        if one in LISTS
        else book.label("account_list", one)
    )
    return figure(
        f"tbl-accounts-{one}",
        title,
        table(columns, made, class_="acc"),
        subtitle=book.say(
            f"exhibits.accounts.subtitle{'_collect' if owed else ''}",
            definition=_definition(book, one),
            unit=words(_scale(book).label),
        ),
        page=PAGE,
        heading=heading,
        height=17 + sum(_height(row) for row in records(rows)),
    )


def _definition(book: Book, one: str) -> Rich:
    key = f"account_list_definition.{one}"
    return book.say(key, **book.role_names()) if catalogue.has(key) else name(one)


def _scale(book: Book) -> Scale:
    rows = book.frame("accounts")
    ids = [fact_id("account", row["list"], row["customer_id"], "amount") for row in records(rows)]
    return book.scale_of(*ids)


def _height(row: dict[str, Any]) -> float:
    """About how tall a row prints [mm]: long names take a second line."""
    return 5.0 + 3.8 * (look.width_of(str(row["name"]), SIZE) // ROOM)


def _known(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _row(book: Book, one: str, row: dict[str, Any], owned: bool, placed: bool) -> Row:
    id_ = ("account", one, row["customer_id"])
    called = row["name"] if _known(row["name"]) else row["customer_id"]

    def told(column: str) -> Rich:
        return name(row[column]) if _known(row[column]) else words("–")

    return [
        book.num(*id_, "rank"),
        name(called),
        book.short_label(str(row["segment"])),
        *([told("owner")] if owned else []),
        *([told("region")] if placed else []),
        book.num(*id_, "amount", scale=_scale(book)),
        book.num(*id_, "recency_days", decimals=0),
        book.num(*id_, "expected_interval_days", decimals=0),
        _reason(book, row, id_),
    ]


def _shorter(value: Any) -> Any:
    """A segment by its short name: the column is narrow."""
    key = str(value.get("key", "")) if isinstance(value, dict) else ""
    short = key.replace("segment.", "segment_short.", 1)
    return {"key": short} if key.startswith("segment.") and catalogue.has(short) else value


def _reason(book: Book, row: dict[str, Any], id_: tuple[str, ...]) -> Rich:
    """The reason in few words: the table's own, without the figures that stand beside it."""
    reason = parse_reason(row["reason"])
    key = str(reason.get("key", ""))
    short = f"exhibits.accounts.short.{key.rpartition('.')[2]}"
    if key.startswith("account.") and catalogue.has(short):
        args = {name: _shorter(value) for name, value in (reason.get("args") or {}).items()}
        return book.told({"key": short, "args": args}, *id_, "reason", scale=_scale(book))
    return book.told(reason, *id_, "reason")
