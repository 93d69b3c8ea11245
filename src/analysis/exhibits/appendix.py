"""Appendices: definitions, data quality and tie-out, what further tables would add."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from analysis.calendars import Period
from analysis.exhibits import marks
from analysis.exhibits.book import Book
from analysis.exhibits.collect import shared_cuts
from analysis.exhibits.derived import absent_tables
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import records
from analysis.exhibits.markup import EMPTY, Rich, bold, tag, words
from analysis.exhibits.page_one import revenue_name
from analysis.exhibits.segments import segment_names
from analysis.exhibits.tables import Block, Column, Row, cell, figure, stacked, table
from analysis.exhibits.tiles import shown_kpis
from analysis.exhibits.unmatched import unmatched
from analysis.wording import catalogue

DEFINITIONS, QUALITY = "definitions", "quality"
TERMS = tuple(
    """qoq attainment cycle overdue_to_reorder comparison likely break_even waves
    rounding""".split()  # noqa: SIM905
)
MEASURE_TERMS = ("comparison", "likely", "break_even", "waves")
MOST_CHECKS = 4


def terms(pairs: Sequence[tuple[Rich, Rich]], class_: str = "terms two") -> Block:
    """Words with what they mean, in two columns."""
    html = tag(
        "dl",
        *(tag("div", tag("dt", head), tag("dd", body)) for head, body in pairs),
        class_=class_,
    )
    lines = [f"**{head.markdown}** {body.markdown}" for head, body in pairs]
    plain = "\n".join(f"{head.plain}: {body.plain}" for head, body in pairs)
    return Block(html, "\n\n".join(lines), plain)


def _tall(pairs: Sequence[tuple[Rich, Rich]], lang: str) -> float:
    """About how tall the terms print in two columns [mm]."""
    letters = 36 if lang == "zh" else 76  # a line of a column holds so many
    lines = sum(1 + (len(h.plain) + len(b.plain)) // letters for h, b in pairs)
    return 2.1 * lines + 0.9 * len(pairs)


def definitions(book: Book) -> list[Exhibit]:
    """How the KPIs, the segments and the words of this report are meant."""
    made: list[Exhibit] = []
    kpis = [
        (
            revenue_name(book) if kpi == "revenue" else book.label("kpi", kpi),
            book.words(f"kpi_definition.{kpi}"),
        )
        for kpi in shown_kpis(book)
        if catalogue.has(f"kpi_definition.{kpi}")
    ]
    if kpis:
        made.append(_block(book, "txt-kpis", "kpis", terms(kpis), _tall(kpis, book.lang), made))
    segments = _segments(book)
    if segments is not None:
        block, tall = segments
        made.append(_block(book, "tbl-cuts", "segments", block, tall, made))
    level = book.num("setting.effectiveness.level", decimals=0)
    told = [
        (
            book.words(f"exhibits.term.{t}.name"),
            book.say(f"exhibits.term.{t}.text", level=level, **book.role_names()),
        )
        for t in (TERMS if kpis else MEASURE_TERMS)
        if t != "overdue_to_reorder" or book.roles.segments
    ]
    made.append(_block(book, "txt-terms", "words", terms(told), _tall(told, book.lang), made))
    return made


def _block(
    book: Book, id_: str, key: str, block: Block, tall: float, before: Sequence[Exhibit]
) -> Exhibit:
    heading = "" if before else book.text("exhibits.chapter.definitions")
    title = book.words(f"exhibits.appendix.{key}")
    return figure(id_, title, block, page=DEFINITIONS, heading=heading, height=8 + tall)


def _segments(book: Book) -> tuple[Block, float] | None:
    defined = f"segment_definition.{book.settings.segmentation.scheme}"
    pairs = [
        (book.label("segment", s), book.words(f"{defined}.{s}"))
        for s in segment_names(book)
        if catalogue.has(f"{defined}.{s}")
    ]
    cuts = book.frame("cuts") if pairs else pd.DataFrame()
    blocks = [terms(pairs)] if pairs else []
    tall = _tall(pairs, book.lang)
    if len(limits := book.frame("scheme_thresholds")):
        blocks.append(_thresholds(book, limits))
        tall += 12 + 5.2 * len(limits)
    if len(cuts):
        # the anchors of a weighted score (score.part) are percentiles: they bound no segment
        cuts = shared_cuts(cuts)
        cuts = cuts[~cuts["score"].str.contains(".", regex=False)]
        made: list[Row] = []
        for score, group in cuts.sort_values(["score", "boundary"]).groupby("score", sort=True):
            shown = [_cut(book, str(score), b) for b in group["boundary"]]
            source = str(group["source"].iloc[0])
            made.append(
                [
                    book.label("score.name", score),
                    shown[0],
                    shown[1] if len(shown) > 1 else words("–"),
                    book.label("cut_source", source),
                ]
            )
        columns = [
            Column(book.words("exhibits.appendix.cut.score"), row_head=True),
            Column(book.words("exhibits.appendix.cut.first"), "n"),
            Column(book.words("exhibits.appendix.cut.second"), "n"),
            Column(book.words("exhibits.appendix.cut.source"), "gap"),
        ]
        blocks.append(table(columns, made, class_="slim"))
        tall += 12 + 5.2 * len(made)
    return (stacked(*blocks), tall) if blocks else None


def _thresholds(book: Book, limits: pd.DataFrame) -> Block:
    """The numbers that the scheme's own rules name, in the order of its file."""
    made: list[Row] = [
        [
            book.label("threshold", row["threshold"]),
            _bound(book, f"threshold.{row['threshold']}"),
            book.label("cut_source", row["source"]),
        ]
        for row in records(limits.sort_values("position"))
    ]
    columns = [
        Column(book.words("exhibits.appendix.threshold.name"), row_head=True),
        Column(book.words("exhibits.appendix.threshold.value"), "n"),
        Column(book.words("exhibits.appendix.threshold.source"), "gap"),
    ]
    return table(columns, made, class_="slim")


def _cut(book: Book, score: str, boundary: Any) -> Rich:
    return _bound(book, f"cut.{score}.{boundary}")


def _bound(book: Book, id_: str) -> Rich:
    """A number that parts segments, with its unit."""
    if not book.has(id_):
        return words("–")
    unit = book.fact(id_).unit
    if unit == "money":
        return book.money(id_, scale=book.scale_of(id_))
    key = {"cycles": "cycles", "days": "days", "count": "orders"}.get(unit)
    shown = book.num(id_, decimals=1 if unit == "cycles" else 0)
    return book.say(f"exhibits.unit.{key}", value=shown) if key else shown


# -- data quality and tie-out -----------------------------------------------------------------


def quality(book: Book) -> list[Exhibit]:
    """Where every row went, and what was checked."""
    heading = book.text("exhibits.chapter.quality")
    made = []
    for build in (_tie_out, _reconciliation, unmatched, _checks):
        exhibit = build(book, heading)
        if exhibit is not None:
            made.append(exhibit)
            heading = ""
    return made


def _reconciliation(book: Book, heading: str) -> Exhibit | None:
    rows = book.frame("reconciliation")
    if rows.empty:
        return None
    tables = list(dict.fromkeys(rows["table"].astype(str)))
    tables.sort(key=lambda t: (t != "orders", t != "customers"))
    tables = [t for t in tables if book.value("reconciliation", t, "read", "rows")]
    if not tables:
        return None
    parts = [_steps(book, one, rows[rows["table"] == one]) for one in tables]
    # Two columns of about the same length.
    half, filled = sum(len(part) for part in parts) / 2, 0
    left: list[Row] = []
    right: list[Row] = []
    for part in parts:
        (left if filled < half else right).extend(part)
        filled += len(part)
    money = any(book.has("reconciliation", t, "read", "amount") for t in tables)
    unit = words(book.scale.label)
    heads = [
        Column(book.words("exhibits.quality.head.table"), row_head=True),
        Column(book.words("exhibits.quality.head.step")),
        Column(book.words("exhibits.quality.head.rows"), "n"),
    ]
    amount = Column(book.say("exhibits.quality.head.amount", unit=unit), "n")
    blocks = []
    for side in filter(None, (left, right)):
        paid = money and any(bool(cell(row[3]).text) for row in side)
        columns = [*heads, amount] if paid else heads
        blocks.append(
            table(columns, [row[: len(columns)] for row in side], class_="slim dense rec")
        )
    html = tag("div", *(tag("div", b.html) for b in blocks), class_="pair")
    main = tables[0]
    title = book.say(
        "exhibits.quality.title.reconciliation",
        table=book.label("table", main),
        read=book.num("reconciliation", main, "read", "rows"),
        removed=book.num("reconciliation", main, "all", "removed_rows"),
        kept=book.num("reconciliation", main, "kept", "rows"),
    )
    return figure(
        "tbl-reconciliation",
        title,
        Block(
            html,
            "\n\n".join(b.markdown for b in blocks),
            "\n".join(b.plain for b in blocks),
        ),
        subtitle=book.words("exhibits.quality.reconciliation_note"),
        page=QUALITY,
        heading=heading,
        height=18 + 4.9 * max(len(left), len(right)),
    )


def _tie_out(book: Book, heading: str) -> Exhibit | None:
    """Month by month against finance's totals, on finance's basis."""
    months = [str(m) for m in book.frame("tie_out").get("month", ())]
    if "all" not in months:
        return None
    unit = words(book.scale.label)
    columns = [
        Column(book.words("exhibits.quality.head.month"), row_head=True),
        *(
            Column(book.say(f"exhibits.quality.head.{name}", unit=unit), "n")
            for name in ("ours", "finance", "difference")
        ),
        Column(book.words("exhibits.quality.head.difference_share"), "n"),
    ]

    def line(month: str) -> Row:
        whole = month == "all"
        return [
            book.when() if whole else book.when(Period.parse(month)),
            book.num("tie_out", month, "ours", decimals=2),
            book.num("tie_out", month, "finance", decimals=2),
            book.num("tie_out", month, "difference", signed=True, decimals=2),
            book.num("tie_out", month, "share", signed=True, decimals=2),
        ]

    body = [line(month) for month in sorted(months) if month != "all"]
    widest = max(
        (month for month in months if month != "all"),
        key=lambda month: (abs(book.value("tie_out", month, "difference") or 0.0), month),
    )
    apart = book.value("tie_out.all.difference") or 0.0
    way = "above" if apart > 0 else "below" if apart < 0 else "ties"
    title = book.say(
        f"exhibits.quality.title.tie_out_{way}",
        difference=book.money("tie_out.all.difference", absolute=True),
        share=book.num("tie_out.all.share", absolute=True),
        month=book.when(Period.parse(widest)),
        most=book.money("tie_out", widest, "difference", signed=True),
    )
    return figure(
        "tbl-tie-out",
        title,
        table(columns, body, class_="slim", total=line("all")),
        subtitle=book.words("exhibits.quality.tie_out_note"),
        page=QUALITY,
        heading=heading,
        height=25 + 5.8 * len(body),
    )


def _steps(book: Book, one: str, own: pd.DataFrame) -> list[Row]:
    """Read, each rule, kept; one row where everything was kept."""
    steps = [str(s) for s in own["step"]]
    rules = [s for s in steps if s not in ("read", "kept")]
    removed = [s for s in rules if book.value("reconciliation", one, s, "rows")]
    made: list[Row] = []
    for step in ["read", *removed, "kept"] if removed else ["read"]:
        id_ = ("reconciliation", one, step)
        change = step in removed
        if step not in steps:
            continue
        made.append(
            [
                book.label("table", one) if step == "read" else EMPTY,
                book.label("rule", step)
                if change
                else bold(book.words(f"exhibits.quality.step.{step if removed else 'all'}")),
                book.num(*id_, "rows", signed=change),
                book.num(*id_, "amount", signed=change, decimals=2)
                if book.has(*id_, "amount")
                else EMPTY,
            ]
        )
    return made


def _checks(book: Book, heading: str) -> Exhibit | None:
    rows = book.frame("quality")
    rows = rows[rows["table"] != "all"] if len(rows) else rows
    if rows.empty:
        return None
    worst = rows.sort_values(["share", "table", "field", "check"]).head(MOST_CHECKS)
    made: list[Row] = []
    for row in records(worst):
        id_ = ("quality", row["table"], row["field"], row["check"])
        below = (book.value(*id_, "share") or 0) < (book.value(*id_, "gate") or 0)
        word = marks.status(
            "down" if below else "up",
            book.words(f"exhibits.quality.{'below' if below else 'passed'}"),
        )
        made.append(
            [
                book.label("table", row["table"]),
                book.label("field", row["field"]),
                book.label("quality", row["check"]),
                book.num(*id_, "share"),
                book.num(*id_, "failed"),
                word,
            ]
        )
    columns = [
        Column(book.words("exhibits.quality.head.table"), row_head=True),
        Column(book.words("exhibits.quality.head.field")),
        Column(book.words("exhibits.quality.head.check")),
        Column(book.words("exhibits.quality.head.share"), "n"),
        Column(book.words("exhibits.quality.head.failed"), "n"),
        Column(book.words("exhibits.quality.head.gate"), "gap"),
    ]
    key = "checks_below" if book.value("quality.below") else "checks_fine"
    title = book.say(
        f"exhibits.quality.title.{key}",
        checks=book.num("quality.checks"),
        below=book.num("quality.below"),
    )
    gate = next((i for i in book.facts if i.startswith("quality.") and i.endswith(".gate")), "")
    subtitle = (
        book.say("exhibits.quality.checks_note", gate=book.num(gate, decimals=0)) if gate else EMPTY
    )
    return figure(
        "tbl-checks",
        title,
        table(columns, made, class_="slim dense"),
        subtitle=subtitle,
        page=QUALITY,
        heading=heading,
        height=19 + 5.1 * len(made),
    )


def further_tables(book: Book) -> Exhibit | None:
    """What each table that was not given would add; None where all are there."""
    absent = absent_tables(book.settings)
    if not absent:
        return None
    pairs = [(book.label("table", t), book.words(f"adds.{t}")) for t in absent]
    return figure(
        "txt-adds",
        book.say("exhibits.adds.title", count=book.num("inputs.absent")),
        terms(pairs),
        page="adds",
        heading=book.text("exhibits.chapter.adds"),
        height=8 + _tall(pairs, book.lang),
    )
