"""The sheet of a week: one page for the Monday meeting.

What came in against the week's part of the target and where the gap lies; who should have ordered
and has not; what ends and what is owed; what each person has done and has to do.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.calendars import Period
from analysis.engine import conform, to_frame
from analysis.exhibits import weekly_room
from analysis.exhibits.book import Book, shows_something
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import fact_id, records
from analysis.exhibits.markup import EMPTY, Rich, join, name, tag, words
from analysis.exhibits.page_one import basis, revenue_name
from analysis.exhibits.tables import (
    Block,
    Column,
    Row,
    beside,
    figure,
    note,
    ordered,
    stack,
    stacked,
    table,
)
from analysis.exhibits.weekly_facts import ENDS, MEMBERS, NOBODY, collect_week, reasons
from analysis.tables import RECORD
from analysis.wording.numbers import Scale, money_scale

PAGE = "week"
TABLES = (
    "weekly_target", "weekly_gaps", "weekly_lists", "weekly_returns", "weekly_tasks",
    "weekly_next", "weekly_basis",
)  # fmt: skip
_STEPS = ("ambition", "new", "returned", "more", "less", "not_bought")
_THOUSANDS, _FINE = 999_999.0, 1e7  # written in thousands; with one place of 万
MOST_NEXT = 6  # strategies named below the tasks


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
    company = name(book.settings.report.company) if book.settings.report.company else EMPTY
    if company:
        sub = company + words(book.text("exhibits.cover.gap")) + sub
    strip = [
        (book.words("weekly.head.basis"), basis(book)),
        (book.words("weekly.head.target"), _spread(book)),
        (book.words("weekly.head.segments"), _segments(book)),
        (book.words("exhibits.cover.as_of"), book.day(book.as_of)),
    ]
    html = tag(
        "header",
        tag("div", tag("h1", title), tag("p", sub), class_="ttl"),
        tag("dl", *(tag("div", tag("dt", h), tag("dd", b)) for h, b in strip), class_="basis"),
        class_="head",
        id="txt-header",
    )
    markdown = [f"{head.markdown}: {body.markdown}" for head, body in strip]
    plain = [f"{head.plain}: {body.plain}" for head, body in strip]
    return Exhibit(
        "txt-header",
        str(html),
        "\n\n".join([f"# {title.markdown}", sub.markdown, *markdown]),
        "\n".join([title.plain, sub.plain, *plain]),
        caption=title.plain,
        page=PAGE,
        about={
            "title": title.plain,
            "company": company.plain,
            "title_html": str(title.html),
            "basis": basis(book).plain,
            "report_id": str(book.provenance.get("report_id", "")),
            "pointer": book.text("weekly.pointer"),
        },
    )


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


def _source(book: Book, item: str) -> dict[str, Any]:
    rows = book.frame("weekly_basis")
    found = records(rows[rows["item"] == item]) if len(rows) else []
    return found[0] if found else {"source": "none", "period": None, "as_of": pd.NaT}


def _segments(book: Book) -> Rich:
    known = _source(book, "segments")
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


# -- lists --------------------------------------------------------------------------------------


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
    plan = _source(book, "plan")["source"]
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
    known = _source(book, "owed")
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
