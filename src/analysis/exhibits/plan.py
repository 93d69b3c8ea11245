"""Next period: who gets what, by whom, by when, for how much, and what it is to bring."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import records
from analysis.exhibits.markup import EMPTY, Rich, join, tag, words
from analysis.exhibits.reading import sentences
from analysis.exhibits.segments import segment_names
from analysis.exhibits.tables import Block, Column, Row, figure, note, stacked, table

MOST_STEPS = 3  # titles of tasks in a cell


def plan_table(book: Book, page: str = "plan") -> Exhibit | None:
    """The strategy table in the order that managers know, one row an extra strategy.

    Type, goal, measures, who is in charge, resources, dates, expected effect; the duties stand in
    a line below it.

    A sentence where nothing is planned for the segments; None without segments.
    """
    rows = _table_rows(book)
    if rows.empty:
        return _nothing(book, page)
    extra, duties = rows[rows["extra"]], rows[~rows["extra"]]
    shown = extra if len(extra) else rows
    made = [_row(book, row) for row in records(shown)]
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
        stacked(_block(book, made), *(note(line) for line in lines)),
        subtitle=book.say(
            "exhibits.plan.subtitle",
            period=book.when(book.period.next(), "long"),
            unit=words(book.scale.label),
        ),
        page=page,
        heading=book.text("exhibits.chapter.plan"),
        height=28 + 6 * len(lines) + 15 * len(made),
    )


def duty_table(book: Book, page: str = "plan") -> Exhibit | None:
    """The duties as rows of the same table; None where there are none, or nothing else."""
    rows = _table_rows(book)
    duties = rows[~rows["extra"]] if len(rows) else rows
    if duties.empty or len(duties) == len(rows):
        return None
    made = [_row(book, row) for row in records(duties)]
    title = book.words("exhibits.plan.title_standing")
    return figure("tbl-duties", title, _block(book, made), page=page, height=20 + 15 * len(made))


def _table_rows(book: Book) -> pd.DataFrame:
    rows = book.frame("strategy_table")
    if rows.empty:
        return rows
    rows = rows[rows["customers"] > 0]  # what was stopped is told among the decisions
    return rows.assign(extra=rows["extra"].astype(bool))  # in the playbook's order, as it stands


def _block(book: Book, made: list[Row]) -> Block:
    heads = ("who", "goal", "what", "lead", "resources", "when", "expected")
    columns = [
        Column(book.words(f"exhibits.plan.head.{key}"), row_head=key == "who") for key in heads
    ]
    return table(columns, made, class_="plan")


def _nothing(book: Book, page: str) -> Exhibit | None:
    if not segment_names(book):
        return None
    scheme = book.label("scheme", book.settings.segmentation.scheme)
    sentence = note(book.say("exhibits.plan.nothing", scheme=scheme), "quiet")
    heading = book.text("exhibits.chapter.plan")
    return figure("tbl-plan", EMPTY, sentence, page=page, heading=heading, height=10)


def _row(book: Book, row: dict[str, Any]) -> Row:
    id_ = ("strategy", row["segment"], row["strategy"])
    who = book.label("segment", row["segment"]) + _break(
        book.say("exhibits.plan.customers", count=book.num(*id_, "customers"))
    )
    days = book.say(
        "exhibits.plan.days",
        start=book.day(row["starts_on"], "short"),
        due=book.day(row["due"], "short"),
    )
    return [
        who,
        _told(book, row["goal"], *id_, "goal") or book.label("kpi", row["kpi"]),
        book.label("strategy", row["strategy"])
        + _break(_told(book, row["measures"], *id_, "measures")),
        book.label("role", row["owner_role"]),
        _told(book, row["resources"], *id_, "resources") + _break(_cost(book, id_)),
        days,
        _expected(book, id_, row),
    ]


def _told(book: Book, reason: Any, *id_: object) -> Rich:
    """The sentences of a cell, the first few of a list."""
    several = sentences(reason)
    told = [
        book.told(one, *id_, *([place] if len(several) > 1 else []))
        for place, one in enumerate(several)
    ]
    distinct = {piece.plain: piece for piece in reversed(told) if piece}
    shown = [piece for piece in told if piece and distinct.pop(piece.plain, None) is not None]
    return join(shown[:MOST_STEPS], book.text("exhibits.plan.between"))


def _cost(book: Book, id_: tuple[str, ...]) -> Rich:
    if not book.value(*id_, "cost"):
        return EMPTY
    return book.say("exhibits.plan.cost", cost=book.num(*id_, "cost", decimals=_places(book)))


def _places(book: Book) -> int:
    """Places of a plan's money: enough that small budgets do not read as nothing and add up."""
    return 2 if book.scale.divisor >= 1e6 else 1


def _duties(book: Book, rows: pd.DataFrame) -> Rich:
    told = [
        book.say(
            "exhibits.plan.duty",
            strategy=book.label("strategy", row["strategy"]),
            segment=book.label("segment", row["segment"]),
            count=book.num("strategy", row["segment"], row["strategy"], "customers"),
        )
        for row in records(rows)
    ]
    listed = join(told, book.text("exhibits.list.comma"))
    return book.say("exhibits.plan.duties", list=listed)


def _break(piece: Rich) -> Rich:
    if not piece:
        return EMPTY
    return Rich(tag("span", piece, class_="ln"), " " + piece.markdown, " " + piece.plain)


def _expected(book: Book, id_: tuple[str, ...], row: dict[str, Any]) -> Rich:
    """The KPI and what it is to reach; the margin expected, with its likely range."""
    aim = book.label("kpi", row["kpi"])
    if book.has(*id_, "target"):
        aim = book.say("exhibits.plan.aim", kpi=aim, target=book.num(*id_, "target"))
    if not book.has(*id_, "expected_value"):
        key = "unknown" if row["extra"] else "mandatory"
        return aim + _break(book.words(f"exhibits.plan.expected.{key}"))
    lead = book.say(
        "exhibits.plan.expected.value",
        value=book.num(*id_, "expected_value", signed=True, decimals=_places(book)),
    )
    if not book.has(*id_, "expected_low"):
        return aim + _break(lead)
    least = book.value(*id_, "expected_low") or 0.0
    key = "range_negative" if least < 0 else "range"
    reach = book.say(
        f"exhibits.unit.{key}",
        low=book.num(*id_, "expected_low", decimals=_places(book)),
        high=book.num(*id_, "expected_high", decimals=_places(book)),
    )
    return aim + _break(lead) + _break(book.say("exhibits.unit.brackets", value=reach))
