"""The lists of accounts: to hold, to grow, to rescue, overdue to reorder."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.markup import EMPTY, Rich, name, words
from analysis.exhibits.segments import short_label
from analysis.exhibits.tables import Column, Row, figure, table

PAGE = "accounts"
LISTS = ("rescue", "reorder", "grow", "hold")


def account_lists(book: Book) -> list[Exhibit]:
    """A table per list, the most urgent first; no exhibit for an empty list."""
    rows = book.frame("accounts")
    if rows.empty:
        return []
    lists = [one for one in LISTS if (rows["list"] == one).any()]
    lists += sorted(set(rows["list"].astype(str)) - set(LISTS))
    made = []
    for place, one in enumerate(lists):
        own = rows[rows["list"] == one].sort_values("rank")
        heading = book.text("exhibits.chapter.accounts") if not place else ""
        made.append(_list(book, one, own, heading))
    return made


def _list(book: Book, one: str, rows: pd.DataFrame, heading: str) -> Exhibit:
    owned = rows["owner"].map(_known).any() or rows["region"].map(_known).any()
    columns = [
        Column(class_="no"),
        Column(book.words("exhibits.accounts.head.name"), "nm", row_head=True),
        Column(book.words("exhibits.accounts.head.segment"), "sg"),
        *([Column(book.words("exhibits.accounts.head.owner"), "ow")] if owned else []),
        Column(
            book.say("exhibits.accounts.head.amount", unit=words(_scale(book).label)), "n am"
        ),
        Column(book.words("exhibits.accounts.head.rhythm"), "n rh"),
        Column(book.words("exhibits.accounts.head.reason"), "gap why"),
    ]
    made = [_row(book, one, row, owned) for row in rows.to_dict("records")]
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
        table(columns, made, class_="acc" if owned else "acc bare"),
        subtitle=book.label("account_list_definition", one) if one in LISTS else EMPTY,
        page=PAGE,
        heading=heading,
    )


def _scale(book: Book) -> Any:
    rows = book.frame("accounts")
    ids = [
        f"account.{row['list']}.{str(row['customer_id']).replace('.', '_')}.amount"
        for row in rows.to_dict("records")
    ]
    return book.scale_of(*ids)


def _known(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _row(book: Book, one: str, row: dict[str, Any], owned: bool) -> Row:
    id_ = ("account", one, row["customer_id"])
    called = row["name"] if _known(row["name"]) else row["customer_id"]
    owner: Rich = EMPTY
    if owned:
        parts = [str(row[c]) for c in ("owner", "region") if _known(row[c])]
        owner = name(" · ".join(parts)) if parts else words("–")
    rhythm = book.say(
        "exhibits.accounts.rhythm",
        recency=book.num(*id_, "recency_days", decimals=0),
        interval=book.num(*id_, "expected_interval_days", decimals=0),
    )
    return [
        book.num(*id_, "rank"),
        name(called),
        short_label(book, str(row["segment"])),
        *([owner] if owned else []),
        book.num(*id_, "amount", scale=_scale(book)),
        rhythm,
        book.told(row["reason"], *id_, "reason"),
    ]
