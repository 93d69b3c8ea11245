"""Next period: who, what, by whom, by when, for how much, and how we will know."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import records
from analysis.exhibits.markup import EMPTY, Rich, join, tag, words
from analysis.exhibits.segments import segment_names
from analysis.exhibits.tables import Column, Row, figure, note, stacked, table


def plan_table(book: Book, page: str = "plan") -> Exhibit | None:
    """The plan, one row a strategy; a sentence where nothing is planned for the segments.

    None without segments.
    """
    rows = book.frame("plan_summary")
    if rows.empty:
        return _nothing(book, page)
    unit = words(book.scale.label)
    columns = [
        Column(class_="no"),
        Column(book.words("exhibits.plan.head.who"), row_head=True),
        Column(book.words("exhibits.plan.head.goal")),
        Column(book.words("exhibits.plan.head.what")),
        Column(book.words("exhibits.plan.head.lead")),
        Column(book.words("exhibits.plan.head.when"), "dt"),
        Column(book.words("exhibits.plan.head.expected")),
        Column(book.words("exhibits.plan.head.cost"), "n"),
        Column(book.words("exhibits.plan.head.proof"), "gap"),
    ]
    duties = rows[rows["basis"] == "mandatory"]
    extra = rows[rows["basis"] != "mandatory"]
    shown = extra if len(extra) else rows
    made = [_row(book, row) for row in records(shown.sort_values("rank"))]
    total = [
        EMPTY,
        book.words("exhibits.plan.total"),
        EMPTY,
        EMPTY,
        EMPTY,
        EMPTY,
        EMPTY,
        book.num("plans.cost", decimals=_places(book)),
        EMPTY,
    ]
    block = table(columns, made, class_="plan", total=total)
    lines = [_duties(book, duties)] if len(extra) and len(duties) else []
    tasks = EMPTY
    if book.has("tasks.count"):
        tasks = book.say(
            "exhibits.plan.tasks" if book.has("tasks.people") else "exhibits.plan.tasks_unowned",
            count=book.num("tasks.count"),
            people=book.num("tasks.people"),
        )
    lines.append(join([tasks, book.words("exhibits.plan.note")]))
    key = "title" if len(book.frame("decisions")) else "title_quiet"
    title = book.say(
        f"exhibits.plan.{key if len(extra) else 'title_duties'}",
        count=book.num("plans.extra" if len(extra) else "plans.count"),
        cost=book.money("plans.cost", decimals=_places(book)),
        decisions=book.num("decisions.count"),
    )
    return figure(
        "tbl-plan",
        title,
        stacked(block, *(note(line) for line in lines)),
        subtitle=book.say(
            "exhibits.plan.subtitle", period=book.when(book.period.next(), "long"), unit=unit
        ),
        page=page,
        heading=book.text("exhibits.chapter.plan"),
        height=28 + 6 * len(lines) + 11 * len(made),
    )


def _nothing(book: Book, page: str) -> Exhibit | None:
    if not segment_names(book):
        return None
    scheme = book.label("scheme", book.settings.segmentation.scheme)
    sentence = note(book.say("exhibits.plan.nothing", scheme=scheme), "quiet")
    heading = book.text("exhibits.chapter.plan")
    return figure("tbl-plan", EMPTY, sentence, page=page, heading=heading, height=10)


def _row(book: Book, row: dict[str, Any]) -> Row:
    id_ = ("plan", row["strategy"])
    who = book.label("segment", row["segment"]) + _break(
        book.say("exhibits.plan.customers", count=book.num(*id_, "customers"))
    )
    days = book.say(
        "exhibits.plan.days",
        start=book.day(row["start"], "short"),
        due=book.day(row["due"], "short"),
    )
    return [
        book.num(*id_, "rank"),
        who,
        book.label("kpi", row["kpi"]),
        book.label("strategy", row["strategy"]),
        book.label("role", row["owner_role"]),
        days,
        _expected(book, id_, row),
        book.num(*id_, "cost", decimals=_places(book)),
        _proof(book, id_, row),
    ]


def _places(book: Book) -> int:
    """Places of a plan's money: enough that small budgets do not read as nothing and add up."""
    return 2 if book.scale.divisor >= 1e6 else 1


def _duties(book: Book, rows: pd.DataFrame) -> Rich:
    told = [
        book.say(
            "exhibits.plan.duty",
            strategy=book.label("strategy", row["strategy"]),
            segment=book.label("segment", row["segment"]),
            count=book.num("plan", row["strategy"], "customers"),
        )
        for row in records(rows.sort_values("rank"))
    ]
    listed = join(told, book.text("exhibits.list.comma"))
    return book.say("exhibits.plan.duties", list=listed)


def _break(piece: Rich) -> Rich:
    return Rich(tag("span", piece, class_="ln"), " " + piece.markdown, " " + piece.plain)


def _expected(book: Book, id_: tuple[str, Any], row: dict[str, Any]) -> Rich:
    if not book.has(*id_, "expected_value"):
        key = "mandatory" if row["basis"] == "mandatory" else "unknown"
        return book.words(f"exhibits.plan.expected.{key}")
    lead = book.say(
        "exhibits.plan.expected.value",
        value=book.num(*id_, "expected_value", signed=True, decimals=_places(book)),
    )
    if not book.has(*id_, "expected_low"):
        return lead
    least = book.value(*id_, "expected_low") or 0.0
    key = "range_negative" if least < 0 else "range"
    reach = book.say(
        f"exhibits.unit.{key}",
        low=book.num(*id_, "expected_low", decimals=_places(book)),
        high=book.num(*id_, "expected_high", decimals=_places(book)),
    )
    return lead + _break(book.say("exhibits.unit.brackets", value=reach))


def _proof(book: Book, id_: tuple[str, Any], row: dict[str, Any]) -> Rich:
    if row["basis"] == "mandatory":
        return book.words("exhibits.plan.proof.mandatory")
    if book.value(*id_, "later"):
        return book.say("exhibits.plan.proof.waves", later=book.num(*id_, "later"))
    return book.words("exhibits.plan.proof.none")
