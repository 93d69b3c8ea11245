"""The lists of a week's sheet: who is overdue to reorder, what ends and is owed, the tasks."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.exhibits import weekly_room
from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import fact_id, records
from analysis.exhibits.markup import EMPTY, Rich, join, name, words
from analysis.exhibits.tables import (
    Block,
    Column,
    Row,
    beside,
    figure,
    note,
    stack,
    stacked,
    table,
)
from analysis.wording.numbers import Scale, money_scale

PAGE = "week"
MOST_NEXT = 6  # strategies named below the tasks
_THOUSANDS, _FINE = 999_999.0, 1e7  # written in thousands; with one place of 万


def source_of(book: Book, item: str) -> dict[str, Any]:
    """What a part of the sheet rests on: a row of ``weekly_basis``."""
    rows = book.frame("weekly_basis")
    found = records(rows[rows["item"] == item]) if len(rows) else []
    return found[0] if found else {"source": "none", "period": None, "as_of": pd.NaT}


def reorder(book: Book) -> Exhibit:
    """Who should have ordered by its own cycle: the largest, with persons in charge."""
    rows = _shown(book, "reorder")
    if rows.empty:
        return _quiet("reorder", book)
    columns = [
        Column(class_="no"),
        Column(book.words("weekly.column.name"), "nm", row_head=True),
        Column(book.words("weekly.column.segment"), "sg"),
        Column(book.words("weekly.column.owner"), "ow"),
        Column(book.words("weekly.column.region"), "rg"),
        Column(book.words("weekly.column.amount"), "n am"),
        Column(book.words("weekly.column.mean_order"), "n am"),
        Column(book.words("weekly.column.over"), "n rh"),
        Column(book.words("weekly.column.expected"), "gap ex"),
        Column(book.words("weekly.column.fresh"), "fr"),
    ]
    scale, small = _scale(book, rows, "amount"), _scale(book, rows, "mean_order")
    made: list[Row] = [
        [
            book.num(_id(row), "rank"),
            _called(row),
            book.short_label(row["segment"]) if row["segment"] else words("–"),
            _known(row["owner"]),
            _known(row["region"]),
            book.num(_id(row), "amount", scale=scale),
            book.num(_id(row), "mean_order", scale=small),
            book.num(_id(row), "days", decimals=0),
            _day(book, row["event_on"]),
            book.words("weekly.fresh") if row["fresh"] else EMPTY,
        ]
        for row in records(rows)
    ]
    lines = [line for line in (_returned(book),) if line]
    return figure(
        "tbl-week-reorder",
        _title(book, "reorder"),
        stacked(table(columns, made, class_="acc wk"), *(note(line) for line in lines)),
        subtitle=book.say(
            "weekly.subtitle.reorder", unit=words(scale.label), order_unit=words(small.label)
        ),
        page=PAGE,
    )


def _returned(book: Book) -> Rich:
    head = "weekly_returns.reorder"
    if not book.value(head, "customers"):
        return EMPTY
    return book.say(
        f"weekly.returned.{'some' if book.value(head, 'returned') else 'none'}",
        customers=book.num(head, "customers"),
        returned=book.num(head, "returned"),
        amount=book.money(head, "amount"),
    )


def below(book: Book) -> Exhibit:
    """The lists of what ends and is owed on the left, the tasks on the right."""
    lists = [_list(book, one) for one in weekly_room.LEFT if len(_shown(book, one))]
    made = lists or [_quiet("owed", book)]
    return beside("blk-week", stack("blk-week-lists", *made), tasks(book), class_="pair")


def _list(book: Book, one: str) -> Exhibit:
    rows = _shown(book, one)
    scale = _scale(book, rows, "amount")
    dated = bool(rows["event_on"].notna().any())
    columns = [
        Column(book.words("weekly.column.name"), "nm", row_head=True),
        Column(book.words("weekly.column.owner"), "ow"),
        Column(book.say(f"weekly.column.{one}", unit=words(scale.label)), "n am"),
        *([Column(book.words(f"weekly.column.on.{one}"), "n ex")] if dated else []),
        *([] if dated else [Column(book.words("weekly.column.days"), "n ex")]),
    ]
    made: list[Row] = [
        [
            _called(row),
            _known(row["owner"]),
            book.num(_id(row), "amount", scale=scale),
            _day(book, row["event_on"]) if dated else book.num(_id(row), "days", decimals=0),
        ]
        for row in records(rows)
    ]
    return figure(
        f"tbl-week-{one}", _title(book, one), table(columns, made, class_="acc duo"), page=PAGE
    )


def tasks(book: Book) -> Exhibit:
    """What each person had to do this week and has to do in the next."""
    frame = book.frame("weekly_tasks")
    plan = source_of(book, "plan")["source"]
    if frame.empty:
        return _quiet(f"tasks.{plan}", book)
    known = weekly_room.by_urgency(frame)
    known = known.head(weekly_room.rows(book.tables, book.settings)[weekly_room.PEOPLE])
    columns = [
        Column(book.words("weekly.column.owner"), "nm", row_head=True),
        *(
            Column(book.words(f"weekly.column.{key}"), "n")
            for key in ("due", "done", "overdue", "next_due")
        ),
        Column(book.words("weekly.column.first_due"), "n ex"),
    ]
    everybody = records(frame[frame["owner_id"] == weekly_room.EVERYBODY])[0]
    made = [_person(book, row) for row in records(known)]
    lines = [*_next(book), *_hidden(book)]
    body: Block = table(columns, made, class_="acc duo", total=_person(book, everybody))
    share = book.has("weekly_tasks.all.share")
    return figure(
        "tbl-week-tasks",
        book.say(
            f"weekly.tasks.title.{'share' if share else 'none_due'}",
            due=book.num("weekly_tasks.all.due"),
            done=book.num("weekly_tasks.all.done"),
            share=book.num("weekly_tasks.all.share", decimals=0),
            overdue=book.num("weekly_tasks.all.overdue"),
            next=book.num("weekly_tasks.all.next_due"),
        ),
        stacked(body, *(note(line) for line in lines)),
        subtitle=book.words(f"weekly.tasks.from.{plan}"),
        page=PAGE,
    )


def _person(book: Book, row: dict[str, Any]) -> Row:
    whole = row["owner_id"] == weekly_room.EVERYBODY
    called = book.words("weekly.everybody") if whole else book.words("weekly.nobody.owner")
    if isinstance(row["owner"], str):
        called = name(row["owner"])
    head = fact_id("weekly_tasks", row["owner_id"])
    numbers = [book.num(head, key) for key in ("due", "done", "overdue", "next_due")]
    return [called, *numbers, _day(book, row["first_due"])]


def _hidden(book: Book) -> list[Rich]:
    if not book.value("weekly_tasks.people.more"):
        return []
    people = book.num("weekly_tasks.people.more")
    return [
        book.say("weekly.tasks.more", people=people, next=book.num("weekly_tasks.people.more.next"))
    ]


def _next(book: Book) -> list[Rich]:
    frame = book.frame("weekly_next")
    if frame.empty:
        return []
    sizes = frame.groupby("strategy")["tasks"].sum().sort_index()
    sizes = sizes.sort_values(ascending=False, kind="stable").head(MOST_NEXT)
    parts = [
        book.label("strategy", key) + words(" ") + book.num("weekly_next", key)
        for key in sizes.index
    ]
    told = join(parts, book.text("exhibits.list.comma"))
    return [book.say("weekly.tasks.next", parts=told)]


def _shown(book: Book, one: str) -> pd.DataFrame:
    lists = book.frame("weekly_lists")
    if lists.empty:
        return lists
    most = weekly_room.rows(book.tables, book.settings).get(one, 0)
    own = lists[lists["list"] == one].sort_values("rank")
    return own.head(most)


def _title(book: Book, one: str) -> Rich:
    head = fact_id("weekly", one)
    key = "some" if book.value(head, "more") else "whole"
    return book.say(
        f"weekly.list.{one}.{key}",
        count=book.num(head, "count"),
        total=book.money(head, "total"),
        fresh=book.num(head, "fresh"),
        shown=book.num(f"setting.weekly.{'reorder_length' if one == 'reorder' else 'list_length'}"),
        days=book.num("setting.weekly.ahead_days"),
        source=_owed(book),
    )


def _owed(book: Book) -> Rich:
    known = source_of(book, "owed")
    if known["source"] == "none":
        return EMPTY
    return book.say(f"weekly.owed.{known['source']}", day=book.day(known["as_of"]))


def _quiet(one: str, book: Book) -> Exhibit:
    sentence = book.words(f"weekly.none.{one}")
    kind = one.partition(".")[0]
    return figure(f"tbl-week-{kind}", EMPTY, note(sentence, "quiet"), page=PAGE)


def _id(row: dict[str, Any]) -> str:
    return fact_id("weekly", row["list"], row["customer_id"])


def _called(row: dict[str, Any]) -> Rich:
    known = isinstance(row["name"], str) and row["name"].strip()
    return name(row["name"] if known else row["customer_id"])


def _known(value: Any) -> Rich:
    return name(value) if isinstance(value, str) and value.strip() else words("–")


def _day(book: Book, value: Any) -> Rich:
    return words("–") if pd.isna(value) else book.day(value, "short")


def _scale(book: Book, rows: pd.DataFrame, column: str) -> Scale:
    """One unit of money for a column, in which its small amounts still read."""
    known = rows[column].dropna().astype(float).abs()
    largest = float(known.max()) if len(known) else 0.0
    if book.lang == "en":
        return money_scale([min(largest, _THOUSANDS)], book.lang, book.settings.currency)
    scale = money_scale([largest], book.lang, book.settings.currency)
    fine = scale.divisor > 1 and largest < _FINE
    return Scale(scale.label, scale.divisor, 1) if fine else scale
