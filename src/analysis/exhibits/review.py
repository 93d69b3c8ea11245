"""What last period's measures did: effect, likely range, grade, verdict, decision."""

from __future__ import annotations

from markupsafe import Markup

from analysis.exhibits import intervals, look, marks
from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import fact_id, records
from analysis.exhibits.markup import EMPTY, Rich, join, tag, words
from analysis.exhibits.measures import (
    Measure,
    effect,
    effect_scale,
    likely,
    measures,
    too_few,
    unit_words,
    verdict_word,
    why,
)
from analysis.exhibits.page_one import PAGE as FIRST
from analysis.exhibits.tables import Cell, Column, Row, figure, note, stacked, table
from analysis.wording.numbers import format_value

PAGE = "review"
# What the written rule of the effects decides, where page 1 asks for nothing else.
_RULED = {"expand": "expand", "keep_testing": "keep_testing", "stop": "stop"}
_CONTROLS = {"B": "who_later", "C": "who_alike"}
_GOES_ON = ("keep", "keep_testing", "watch", "start")


def page_of(book: Book) -> str:
    """Page 1 where there are measures and no orders: the review is all there is to tell."""
    return PAGE if book.has_orders else FIRST


def review(book: Book) -> Exhibit | None:
    """A row per measure with its interval on one axis; None without measures."""
    found = measures(book)
    if not found:
        return None
    groups = {m.unit for m in found}
    if len(groups) > 1:  # one axis holds one unit
        most = max(groups, key=lambda u: (sum(m.unit == u for m in found), u))
        found = [m for m in found if m.unit == most]
    return _exhibit(
        book,
        "tbl-review",
        found,
        _title(book, found),
        page=page_of(book),
        heading=book.text("exhibits.chapter.review"),
    )


def further_outcomes(book: Book) -> Exhibit | None:
    """The same measures on their other outcomes; None where there is one outcome only."""
    rows = book.frame("effects")
    main = {m.id for m in measures(book)}
    if rows.empty:
        return None
    others = rows[rows["segment"] == "all"]
    outcomes = sorted(set(others["outcome"].astype(str)))
    if len(outcomes) < 2:
        return None
    unit_of = dict(zip(others["outcome"].astype(str), others["unit"].astype(str), strict=True))
    made = []
    for row in records(others.sort_values(["outcome", "strategy", "arm"])):
        head = ("effect", row["strategy"], row["arm"], row["outcome"], "all")
        if fact_id(*head) in main:
            continue
        money = unit_of[str(row["outcome"])] == "money"
        scale = book.scale_of(fact_id(*head, "high")) if money else None
        shown = book.num(*head, "estimate", signed=True, scale=scale)
        if money and scale is not None:
            shown = book.unit_of_money(shown, scale)
        elif row["unit"] == "share":
            shown = book.say("exhibits.unit.points", value=shown)
        least = book.value(*head, "low") or 0.0
        key = "range_negative" if least < 0 else "range"
        low, high = (book.num(*head, part, scale=scale) for part in ("low", "high"))
        arm = str(row["arm"])
        called = book.label("strategy", row["strategy"])
        if arm not in ("treated", "first"):
            called = called + words(book.text("exhibits.list.colon")) + book.label("arm", arm)
        kind = str(row["verdict"])
        made.append(
            [
                called,
                book.label("outcome", row["outcome"]),
                shown,
                book.say(f"exhibits.unit.{key}", low=low, high=high),
                book.num(*head, "n_treated"),
                book.num(*head, "n_control"),
                marks.status(
                    marks.VERDICT.get(kind, "mid"), book.words(f"exhibits.verdict.{kind}")
                ),
            ]
        )
    if not made:
        return None
    columns = [
        Column(book.words("exhibits.review.head.measure"), row_head=True),
        Column(book.words("exhibits.review.head.outcome")),
        Column(book.words("exhibits.review.head.difference"), "n"),
        Column(book.words("exhibits.review.head.likely"), "n"),
        Column(book.words("exhibits.review.head.treated"), "n"),
        Column(book.words("exhibits.review.head.control"), "n"),
        Column(book.words("exhibits.review.head.verdict"), "gap"),
    ]
    return figure(
        "tbl-outcomes",
        book.words("exhibits.review.further"),
        table(columns, made, class_="out"),
        page=page_of(book),
        height=22 + 7 * len(made),
    )


def _title(book: Book, found: list[Measure]) -> Rich:
    def named(kind: str) -> Rich:
        return book.list_of([m.name for m in found if m.verdict == kind][:2])

    count = book.num("effects.count")
    kinds = {m.verdict for m in found}
    if "worked" in kinds and "did_not_pay" in kinds:
        key = "mixed"
    elif "worked" in kinds:
        key = "worked"
    elif "did_not_pay" in kinds:
        key = "failed"
    else:
        key = "open"
    title = book.say(
        f"exhibits.review.title.{key}",
        count=count,
        worked=named("worked"),
        failed=named("did_not_pay"),
    )
    if key == "open" or not book.value("effects.count.open"):
        return title
    return title + book.say("exhibits.review.title.rest", count=book.num("effects.count.open"))


def _exhibit(
    book: Book, id_: str, found: list[Measure], title: Rich, *, page: str, heading: str
) -> Exhibit:
    values = [
        v
        for m in found
        for part in ("low", "high", "break_even")
        if (v := book.value(f"{m.id}.{part}")) is not None
    ]
    scale = effect_scale(book, found)
    divisor = scale.divisor if scale else 0.01
    axis = intervals.axis_for(v / divisor for v in values)
    ticks = [_tick(book, tick, axis.step) for tick in axis.ticks]
    head_alt = book.text("exhibits.review.axis")
    unit = unit_words(book, found)
    head = book.say("exhibits.review.head.effect", unit=unit)
    axis_head = Rich(
        head.html + look.image(intervals.draw_axis(axis, ticks), head_alt, "axis"),
        head.markdown,
        head.plain,
    )
    paired = any(book.has(f"{m.id}.before_after") for m in found)
    columns = [
        Column(book.words("exhibits.review.head.measure"), row_head=True),
        Column(axis_head, "ivc"),
        *([Column(book.words("exhibits.review.head.before_after"), "nvc")] if paired else []),
        Column(book.words("exhibits.review.head.grade"), "gd"),
        Column(book.words("exhibits.review.head.verdict"), "vd"),
        Column(book.words("exhibits.review.head.decision"), "dc"),
    ]
    longest = max(
        (book.value(f"{m.id}.{part}") or 0.0 for m in found
         for part in ("before_after", "before_after_control")),
        default=0.0,
    )  # fmt: skip
    rows: list[Row] = [
        [
            _who(book, m),
            _interval(book, m, axis, divisor),
            *([_before_after(book, m, longest)] if paired else []),
            marks.grade(m.grade),
            _verdict(book, m),
            _decision(book, m),
        ]
        for m in found
    ]
    subtitle = book.say(
        "exhibits.review.subtitle",
        outcome=book.label("outcome", found[0].outcome),
        period=book.when(),
    )
    level = book.num("effects.level", decimals=0)
    legend = note(book.say("exhibits.review.legend", level=level) + _margin(book))
    grades = note(book.words("exhibits.review.grades"))
    body = stacked(table(columns, rows, class_="rev" if paired else "rev lean"), legend, grades)
    height = 34 + (18.6 if book.lang == "zh" else 19.2) * len(found)
    return figure(id_, title, body, subtitle=subtitle, page=page, heading=heading, height=height)


def _margin(book: Book) -> Rich:
    """The margin rate behind the break-even lines; nothing where the record does not say."""
    if not book.has("effects.margin_rate"):
        return EMPTY
    return book.say("exhibits.review.margin", rate=book.num("effects.margin_rate"))


def _tick(book: Book, tick: float, step: float) -> str:
    places = 0 if step >= 1 else 1 if step >= 0.1 else 2
    return format_value(tick, "number", book.lang, decimals=places)


def _small(piece: Rich) -> Rich:
    return Rich(tag("small", piece), " " + piece.markdown, " " + piece.plain)


def _who(book: Book, m: Measure) -> Rich:
    treated = book.num(f"{m.id}.n_treated")
    if not _held_out(book, m):
        others = book.value(f"{m.id}.n_control")  # there, but not to be compared with
        key = "who" if others else "who_all"
        return m.name + _small(book.say(f"exhibits.review.{key}", treated=treated))
    return (
        m.name
        + _small(book.say("exhibits.review.who", treated=treated))
        + _small(
            book.say(
                f"exhibits.review.{_CONTROLS.get(m.grade, 'who_control')}",
                control=book.num(f"{m.id}.n_control"),
            )
        )
    )


def _held_out(book: Book, m: Measure) -> bool:
    """Whether there was anybody to compare with, be they too few."""
    return bool(book.value(f"{m.id}.n_control")) and m.grade != "D"


def _interval(book: Book, m: Measure, axis: intervals.Axis, divisor: float) -> Cell:
    def part(name_: str) -> float | None:
        value = book.value(f"{m.id}.{name_}")
        return None if value is None else value / divisor

    shown = m.verdict != "none"
    text, reach = effect(book, m, unit=False), likely(book, m)
    even = effect(book, m, "break_even", unit=False)
    priced = bool(even) and bool(book.value(f"{m.id}.break_even"))
    even_text = book.say("exhibits.review.even", value=even) if priced else EMPTY
    brackets = book.say("exhibits.unit.brackets", value=reach) if reach else EMPTY
    absent = book.text(f"exhibits.review.{'too_few' if too_few(book, m) else 'absent'}")
    svg = intervals.draw(
        axis,
        m.verdict,  # type: ignore[arg-type]
        estimate=part("estimate") if shown else None,
        low=part("low"),
        high=part("high"),
        even=part("break_even") if priced else None,
        text=text.plain,
        range_text=brackets.plain,
        even_text=even_text.plain,
        absent=absent,
    )
    alt = f"{text.plain} {brackets.plain} {even_text.plain}".strip() if shown else absent
    ids = " ".join(i for p in ("estimate", "low", "high") if book.has(i := f"{m.id}.{p}")) or None
    # The figures stand in the drawing; the text is for Markdown, where there is none.
    unseen = Rich(Markup(), (text + brackets).markdown, (text + brackets).plain)
    return Cell(unseen, look.image(svg, alt, "iv", ids), style=intervals.grid(axis))


def _before_after(book: Book, m: Measure, longest: float) -> Cell:
    lines, plain = [], []
    for part, key, class_ in (
        ("before_after", "did", ""),
        ("before_after_control", "did_not", "c"),
    ):
        id_ = f"{m.id}.{part}"
        if book.has(id_):
            word = book.say(f"exhibits.review.{key}", change=book.num(id_, signed=True, decimals=0))
            lines.append(marks.before_after(book.value(id_), longest, word, class_))
            plain.append(word)
        elif part == "before_after_control":
            word = book.words("exhibits.review.no_control")
            lines.append(marks.before_after(None, longest, word))
            plain.append(word)
    told = join(plain, book.text("exhibits.list.semicolon"))
    return Cell(Rich(Markup(), told.markdown, told.plain), Markup().join(lines))


def _verdict(book: Book, m: Measure) -> Rich:
    status = marks.status(marks.VERDICT[m.verdict], verdict_word(book, m))
    return status + _small(why(book, m))


def _decision(book: Book, m: Measure) -> Rich:
    """What follows: from the decisions asked on page 1, else by the verdict."""
    rows = book.frame("decisions")
    own = rows[rows["strategy"] == m.strategy] if len(rows) else rows
    own = own[own["decision"] != "rescue"] if len(own) else own
    kind = str(own["decision"].iloc[0]) if len(own) else ""
    # Without its cost nobody knows whether what worked pays.
    priced = book.has("effect", m.strategy, m.arm, "cost")
    fallback = {
        "worked": "keep" if priced else "keep_testing",
        "did_not_pay": "stop",
        "cannot_tell": "keep_testing",
        "none": "start",
    }
    if not kind and too_few(book, m):
        kind = "keep_testing"  # in two waves it was already
    if not kind and m.verdict == "none" and not book.has(f"plan.{m.strategy}.later"):
        kind = "watch"
    key = kind or _RULED.get(m.decision) or fallback[m.verdict]
    planned = book.frame("plan_summary")
    if key in _GOES_ON and len(planned) and m.strategy not in set(planned["strategy"]):
        key = "not_planned"  # the playbook in use does not have it
    head = book.words(f"exhibits.review.decision.{key}")
    detail = EMPTY
    if kind == "expand":
        detail = book.say(
            "exhibits.review.decision.to",
            count=book.num(f"decision.{own['rank'].iloc[0]}.customers"),
        )
    if key == "stop" and len(planned) and m.strategy in set(planned["strategy"]):
        detail = book.words("exhibits.review.decision.still_planned")
    bold = Rich(tag("b", head), f"**{head.markdown}**", head.plain)
    return bold + _small(detail) if detail else bold


def none(book: Book) -> Exhibit | None:
    """A sentence where no measures were recorded: how next period makes up for it."""
    if measures(book):
        return None
    key = "later" if book.value("plans.later") else "nothing"
    sentence = book.say(
        f"exhibits.review.none_{key}",
        count=book.num("plans.extra"),
        later=book.num("plans.later"),
    )
    return figure(
        "txt-review-none",
        EMPTY,
        note(sentence, "quiet"),
        page=PAGE,
        heading=book.text("exhibits.chapter.review"),
        height=12,
    )
