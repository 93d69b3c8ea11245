"""Numbers and names without a partner, the dearest first, with what to do about each."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import Fact, known_fact, records
from analysis.exhibits.markup import Rich, name, words
from analysis.exhibits.tables import Column, Row, figure, table

SHOWN = 8
ORDERS = "orders"
PAGE = "quality"
_SYSTEMS = ("people", "orders")  # what is no name of a system of the company's


def told(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that a page has room for."""
    return rows.sort_values("rank").head(SHOWN)


def totals(rows: pd.DataFrame) -> Iterator[Fact]:
    """How many there are, and what is at stake."""
    if rows.empty:
        return
    numbers = len(rows[["system", "key"]].drop_duplicates())  # one stands in several tables
    own = rows.loc[rows["table"] == main(rows)]
    amounts = own["amount"].dropna().astype(float)
    counts = {"count": numbers, "shown": len(told(rows)), "rows": int(own["rows"].sum())}
    for part, value in counts.items():
        yield from known_fact(f"unmatched.{part}", value, "count", "unmatched_keys")
    if len(amounts):
        yield from known_fact("unmatched.amount", amounts.sum(), "money", "unmatched_keys")
        yield from known_fact("unmatched.most", amounts.max(), "money", "unmatched_keys")


def main(rows: pd.DataFrame) -> str:
    """The table whose money is told of: orders and invoices hold the same money twice."""
    tables = list(rows.sort_values("rank")["table"].astype(str))
    return ORDERS if ORDERS in tables else tables[0]


def unmatched(book: Book, heading: str) -> Exhibit | None:
    """The worklist of whoever keeps the master data; None where everything has a partner."""
    rows = book.frame("unmatched_keys")
    if rows.empty or not book.has("unmatched.count"):
        return None
    shown = told(rows)
    money = book.has("unmatched.amount")
    unit = words(book.scale.label)
    columns = [
        Column(book.words("exhibits.quality.head.table"), row_head=True),
        Column(book.words("exhibits.unmatched.system")),
        Column(book.words("exhibits.unmatched.key")),
        Column(book.words("exhibits.quality.head.rows"), "n"),
        *([Column(book.say("exhibits.quality.head.amount", unit=unit), "n")] if money else []),
        *([Column(book.words("exhibits.unmatched.share"), "n")] if money else []),
        Column(book.words("exhibits.unmatched.advice"), "gap wide"),
    ]
    made: list[Row] = []
    for row in records(shown):
        id_ = ("unmatched", row["rank"])
        made.append(
            [
                book.label("table", row["table"]),
                _system(book, str(row["system"])),
                name(row["key"]),
                book.num(*id_, "rows"),
                *([_number(book, *id_, "amount", decimals=2)] if money else []),
                *([_number(book, *id_, "share")] if money else []),
                book.told(row["advice"]),
            ]
        )
    parts = {"table": book.label("table", main(rows)), "rows": book.num("unmatched.rows")}
    if money:
        parts |= {part: book.money(f"unmatched.{part}") for part in ("amount", "most")}
    title = book.say(
        f"exhibits.unmatched.title{'' if money else '_rows'}",
        count=book.num("unmatched.count"),
        **parts,
    )
    return figure(
        "tbl-unmatched",
        title,
        table(columns, made, class_="slim dense"),
        subtitle=book.say("exhibits.unmatched.subtitle", shown=book.num("unmatched.shown")),
        page=PAGE,
        heading=heading,
        height=20 + 8.4 * len(made),
    )


def _system(book: Book, system: str) -> Rich:
    return book.words(f"exhibits.unmatched.of_{system}") if system in _SYSTEMS else name(system)


def _number(book: Book, *id_: object, decimals: int | None = None) -> Rich:
    if not book.has(*id_):
        return words("–")
    return book.num(*id_) if decimals is None else book.num(*id_, decimals=decimals)
