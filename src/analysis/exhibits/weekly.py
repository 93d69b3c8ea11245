"""The sheet of a week: one page for the Monday meeting.

What came in against the week's part of the target and where the gap lies; who should have ordered
and has not; what ends and what is owed; what each person has done and has to do.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.calendars import Period
from analysis.engine import conform, to_frame
from analysis.exhibits.book import Book, shows_something
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import fact_id, records
from analysis.exhibits.markup import Rich, join, name, tag, words
from analysis.exhibits.page_one import basis, head_of, revenue_name
from analysis.exhibits.tables import (
    ordered,
)
from analysis.exhibits.weekly_facts import ENDS, MEMBERS, NOBODY, collect_week, reasons
from analysis.exhibits.weekly_lists import PAGE, below, reorder, source_of
from analysis.tables import RECORD

TABLES = (
    "weekly_target", "weekly_gaps", "weekly_lists", "weekly_returns", "weekly_tasks",
    "weekly_next", "weekly_basis",
)  # fmt: skip
_STEPS = ("ambition", "new", "returned", "more", "less", "not_bought")


def open_week(stage: Any, **tables: pd.DataFrame) -> Book:
    """The week's tables as a book.

    Parameters
    ----------
    stage
        What `open_stage` returned: settings, lang, period, as_of, provenance, origins.
    tables
        RECORD tables by name, as they are saved.
    """
    kept = {n: to_frame(conform(frame, RECORD[n])) for n, frame in tables.items()}
    return Book(
        facts=collect_week(kept, stage.settings, stage.origins),
        tables=kept,
        settings=stage.settings,
        lang=stage.lang,
        period=stage.period,
        as_of=stage.as_of,
        provenance=stage.provenance,
        origins=stage.origins,
    )


def sheet(book: Book) -> list[Exhibit]:
    """The whole page, block by block."""
    made = [header(book), answer(book), why(book), so_far(book), reorder(book), below(book)]
    return [one for one in made if one is not None]


# -- head ---------------------------------------------------------------------------------------


def header(book: Book) -> Exhibit:
    """Title, days of the week, and what the figures rest on."""
    title = book.say("weekly.title", period=book.when(style="long"))
    sub = book.say(
        "weekly.days",
        start=book.day(book.period.start, "short"),
        end=book.day(book.period.end, "short"),
    )
    strip = [
        (book.words("weekly.head.basis"), basis(book)),
        (book.words("weekly.head.target"), _spread(book)),
        (book.words("weekly.head.segments"), _segments(book)),
        (book.words("exhibits.cover.as_of"), book.day(book.as_of)),
    ]
    return head_of(book, title, sub, strip, PAGE, pointer=book.text("weekly.pointer"))


def _row(book: Book, span: str) -> dict[str, Any]:
    rows = book.frame("weekly_target")
    return records(rows[rows["span"] == span])[0]


def _quarter(book: Book) -> Rich:
    day = _row(book, "quarter")["starts_on"]
    return book.when(Period.parse(f"{day.year:04d}Q{(day.month + 2) // 3}"))


def _spread(book: Book) -> Rich:
    return book.say(
        f"weekly.spread.{_row(book, 'week')['basis']}",
        quarter=_quarter(book),
        whole=book.money("week.quarter.whole"),
        days=book.num("week.quarter.whole_days"),
        here=book.num("week.week.working_days"),
    )


def _segments(book: Book) -> Rich:
    known = source_of(book, "segments")
    if known["source"] == "none":
        return book.words("weekly.segments.none")
    period = book.when(Period.parse(str(known["period"])), "long")
    return book.say(f"weekly.segments.{known['source']}", period=period)


# -- what came in -------------------------------------------------------------------------------


def answer(book: Book) -> Exhibit:
    """What came in against the target: this week, the quarter so far, and what is left to do."""
    week, quarter = _row(book, "week"), _row(book, "quarter")
    pieces = [_came_in(book, week), _came_in(book, quarter), _left(book, quarter)]
    sentence = join(pieces)
    return Exhibit(
        "txt-answer",
        str(tag("section", tag("p", sentence), class_="answer", id="txt-answer")),
        sentence.markdown,
        sentence.plain,
        caption=sentence.plain,
        page=PAGE,
    )


def _came_in(book: Book, row: dict[str, Any]) -> Rich:
    head = fact_id("week", row["span"])
    gap = book.money(head, "gap", absolute=True)
    side = "met" if not shows_something(gap) else "short" if float(row["gap"]) < 0 else "over"
    if not book.has(head, "attainment"):
        side = "closed"  # no working day: nothing was to come in
    return book.say(
        f"weekly.answer.{row['span']}.{row['basis']}.{side}",
        event=revenue_name(book),
        quarter=_quarter(book),
        actual=book.money(head, "actual"),
        target=book.money(head, "target"),
        gap=gap,
        attainment=book.num(head, "attainment"),
        previous=book.money(head, "previous"),
    )


def _left(book: Book, row: dict[str, Any]) -> Rich:
    if not row["days_left"] or float(row["whole"]) <= 0:
        return book.words("weekly.answer.left.none")
    if float(row["actual"]) >= float(row["whole"]):
        return book.say("weekly.answer.left.reached", quarter=_quarter(book))
    return book.say(
        "weekly.answer.left.some",
        days=book.num("week.quarter.days_left"),
        needed=book.money("week.quarter.needed"),
        pace=book.money("week.quarter.pace"),
    )


def why(book: Book) -> Exhibit | None:
    """Where the week's gap lies: at most three parts, the largest first, and the rest."""
    split, told = reasons(book.frame("weekly_gaps"))
    if not told:
        return None
    title = book.say(
        "weekly.why.title",
        split=book.label("gap_split", split),
        gap=book.num("week.week.gap", signed=True, scale=book.table_scale),
        unit=words(book.table_scale.label),
        rest=book.num("week_gap.week", split, "rest", signed=True, scale=book.table_scale),
    )
    listed = ordered([_reason(book, split, step) for step in told])
    html = tag(
        "section", tag("h3", title), listed.html, class_=f"why k{len(told)}", id="txt-reasons"
    )
    return Exhibit(
        "txt-reasons",
        str(html),
        f"### {title.markdown}\n\n{listed.markdown}",
        f"{title.plain}\n{listed.plain}",
        caption=title.plain,
        page=PAGE,
    )


def _reason(book: Book, split: str, step: str) -> Rich:
    head = fact_id("week_gap.week", split, step)
    amount = book.money(head, "amount", signed=True, scale=book.table_scale)
    called = _member(book, split, step) if split in MEMBERS else book.label("weekly.step", step)
    if not book.value(f"{head}.late.customers"):
        return book.say("weekly.why.alone", part=called, amount=amount)
    return book.say(
        "weekly.why.late",
        part=called,
        amount=amount,
        count=book.num(f"{head}.late.customers"),
        money=book.money(f"{head}.late.money", scale=book.table_scale),
    )


def _member(book: Book, split: str, step: str) -> Rich:
    if step == NOBODY:
        return book.words(f"weekly.nobody.{split}")
    lists = book.frame("weekly_lists")
    if split == "owner" and len(lists):
        known = lists[(lists["owner_id"] == step) & lists["owner"].notna()]
        if len(known):
            return name(known["owner"].iloc[0])
    return name(step)


def so_far(book: Book) -> Exhibit | None:
    """The quarter's gap so far by customers, in one line that adds up."""
    gaps = book.frame("weekly_gaps")
    rows = gaps[(gaps["span"] == "quarter") & ~gaps["step"].isin(ENDS)] if len(gaps) else gaps
    if rows.empty:
        return None
    parts = []
    order = {step: place for place, step in enumerate(_STEPS)}
    for row in sorted(records(rows), key=lambda one: order[str(one["step"])]):
        id_ = fact_id("week_gap.quarter", row["split"], row["step"], "amount")
        amount = book.num(id_, signed=True, scale=book.table_scale)
        parts.append(book.label("weekly.step", row["step"]) + words(" ") + amount)
    line = book.say(
        "weekly.so_far",
        quarter=_quarter(book),
        parts=join(parts, book.text("exhibits.list.comma")),
        gap=book.num("week.quarter.gap", signed=True, scale=book.table_scale),
        unit=words(book.table_scale.label),
    )
    html = str(tag("p", line, class_="caut", id="txt-quarter"))
    return Exhibit("txt-quarter", html, line.markdown, line.plain, page=PAGE)
