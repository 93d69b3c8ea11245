"""Appendices: definitions, data quality and tie-out, what further tables would add, settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup
from pydantic import BaseModel

from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.markup import EMPTY, Rich, bold, join, name, tag, words
from analysis.exhibits.tables import Block, Column, Row, figure, note, stacked, table
from analysis.exhibits.tiles import shown_kpis
from analysis.tables import INPUT
from analysis.wording import catalogue

DEFINITIONS, QUALITY, PROVENANCE = "definitions", "quality", "provenance"
TERMS = (
    "qoq",
    "attainment",
    "time_elapsed",
    "cycle",
    "overdue_to_reorder",
    "comparison",
    "likely",
    "break_even",
    "grades",
    "waves",
    "shares",
    "rounding",
)
MEASURE_TERMS = ("comparison", "likely", "break_even", "grades", "waves")
MOST_CHECKS = 12
SECTIONS = ("scope", "cleaning", "segmentation", "personas", "effectiveness", "strategy", "report")


def _terms(book: Book, pairs: Sequence[tuple[Rich, Rich]]) -> Block:
    html = tag(
        "dl",
        *(Markup().join([tag("dt", head), tag("dd", body)]) for head, body in pairs),
        class_="terms",
    )
    lines = [f"**{head.markdown}** {body.markdown}" for head, body in pairs]
    plain = "\n".join(f"{head.plain}: {body.plain}" for head, body in pairs)
    return Block(html, "\n\n".join(lines), plain)


def definitions(book: Book) -> list[Exhibit]:
    """How the KPIs, the segments and the words of this report are meant."""
    made = []
    heading = book.text("exhibits.chapter.definitions")
    kpis = [
        (book.label("kpi", kpi), book.words(f"kpi_definition.{kpi}"))
        for kpi in shown_kpis(book)
        if catalogue.has(f"kpi_definition.{kpi}")
    ]
    if kpis:
        made.append(_block(book, "txt-kpis", "kpis", _terms(book, kpis), heading))
        heading = ""
    segments = _segments(book)
    if segments is not None:
        made.append(_block(book, "tbl-cuts", "segments", segments, heading))
        heading = ""
    only = None if kpis else MEASURE_TERMS
    terms = [
        (book.words(f"exhibits.term.{t}.name"), book.words(f"exhibits.term.{t}.text"))
        for t in TERMS
        if only is None or t in only
    ]
    made.append(_block(book, "txt-terms", "words", _terms(book, terms), heading))
    return made


def _block(book: Book, id_: str, key: str, block: Block, heading: str) -> Exhibit:
    return figure(
        id_,
        book.words(f"exhibits.appendix.{key}"),
        block,
        page=DEFINITIONS,
        heading=heading,
        height=14 + 5.6 * (block.plain.count("\n") + 1),
    )


def _segments(book: Book) -> Block | None:
    rows = book.frame("segment_summary")
    names = [str(s) for s in rows["segment"] if s != "all"] if len(rows) else []
    pairs = [
        (book.label("segment", s), book.words(f"segment_definition.{s}"))
        for s in names
        if catalogue.has(f"segment_definition.{s}")
    ]
    cuts = book.frame("cuts")
    blocks = [_terms(book, pairs)] if pairs else []
    if len(cuts):
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
    return stacked(*blocks) if blocks else None


def _cut(book: Book, score: str, boundary: Any) -> Rich:
    id_ = f"cut.{score}.{boundary}"
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
    """Where every row went, what was checked, what was read."""
    heading = book.text("exhibits.chapter.quality")
    made = []
    for build in (_reconciliation, _checks, _sources):
        exhibit = build(book, heading)
        if exhibit is not None:
            made.append(exhibit)
            heading = ""
    return made


def _reconciliation(book: Book, heading: str) -> Exhibit | None:
    rows = book.frame("reconciliation")
    if rows.empty:
        return None
    money = any(book.has("reconciliation", t, "read", "amount") for t in set(rows["table"]))
    tables = list(dict.fromkeys(rows["table"].astype(str)))
    tables.sort(key=lambda t: (t != "orders", t != "customers"))
    made: list[Row] = []
    for one in tables:
        own = rows[rows["table"] == one]
        if not book.value("reconciliation", one, "read", "rows"):
            continue
        steps = [str(s) for s in own["step"]]
        removed = [s for s in steps if s not in ("read", "kept")]
        for step in ["read", *removed, "kept"]:
            if step not in steps:
                continue
            id_ = ("reconciliation", one, step)
            if step in removed and not book.value(*id_, "rows"):
                continue
            label = (
                book.words(f"exhibits.quality.step.{step}")
                if step in ("read", "kept")
                else book.label("rule", step)
            )
            first = book.label("table", one) if step == "read" else EMPTY
            change = step in removed
            made.append(
                [
                    first,
                    label if change else bold(label),
                    book.num(*id_, "rows", signed=change),
                    *(
                        [
                            book.num(*id_, "amount", signed=change, decimals=2)
                            if book.has(*id_, "amount")
                            else EMPTY
                        ]
                        if money
                        else []
                    ),
                ]
            )
    unit = words(book.scale.label)
    columns = [
        Column(book.words("exhibits.quality.head.table"), row_head=True),
        Column(book.words("exhibits.quality.head.step")),
        Column(book.words("exhibits.quality.head.rows"), "n"),
        *([Column(book.say("exhibits.quality.head.amount", unit=unit), "n")] if money else []),
    ]
    main = "orders" if book.has("reconciliation.orders.all.removed_rows") else tables[0]
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
        table(columns, made, class_="slim rec"),
        subtitle=book.words("exhibits.quality.reconciliation_note"),
        page=QUALITY,
        heading=heading,
        height=20 + 5.3 * len(made),
    )


def _checks(book: Book, heading: str) -> Exhibit | None:
    rows = book.frame("quality")
    rows = rows[rows["table"] != "all"] if len(rows) else rows
    if rows.empty:
        return None
    worst = rows.sort_values(["share", "table", "field", "check"]).head(MOST_CHECKS)
    made: list[Row] = []
    for row in worst.to_dict("records"):
        id_ = ("quality", row["table"], row["field"], row["check"])
        below = (book.value(*id_, "share") or 0) < (book.value(*id_, "gate") or 0)
        word = book.words(f"exhibits.quality.{'below' if below else 'passed'}")
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
        table(columns, made, class_="slim"),
        subtitle=subtitle,
        page=QUALITY,
        heading=heading,
        height=20 + 5.3 * len(made),
    )


def _sources(book: Book, heading: str) -> Exhibit | None:
    rows = book.frame("sources")
    if rows.empty:
        return None
    made: list[Row] = [
        [
            book.label("table", row["table"]),
            name(row["file"]),
            name(row["encoding"]) if row["encoding"] else words("–"),
            book.num("source", row["table"], row["file"], "rows"),
        ]
        for row in rows.to_dict("records")
    ]
    columns = [
        Column(book.words("exhibits.quality.head.table"), row_head=True),
        Column(book.words("exhibits.quality.head.file"), "wide"),
        Column(book.words("exhibits.quality.head.encoding")),
        Column(book.words("exhibits.quality.head.rows"), "n"),
    ]
    title = book.say(
        "exhibits.quality.title.sources",
        files=book.num("sources.count"),
        rows=book.num("sources.rows"),
    )
    return figure(
        "tbl-sources",
        title,
        table(columns, made, class_="slim"),
        page=QUALITY,
        heading=heading,
        height=16 + 5.3 * len(made),
    )


def further_tables(book: Book) -> Exhibit | None:
    """What each table that was not given would add; None where all are there."""
    given = set(book.settings.sources)
    absent = [t for t in INPUT if t not in given and catalogue.has(f"adds.{t}")]
    if not absent:
        return None
    pairs = [(book.label("table", t), book.words(f"adds.{t}")) for t in absent]
    return figure(
        "txt-adds",
        book.words("exhibits.adds.title"),
        _terms(book, pairs),
        subtitle=book.words("exhibits.adds.subtitle"),
        page="adds",
        heading=book.text("exhibits.chapter.adds"),
        height=18 + 5.8 * len(pairs),
    )


# -- settings and provenance ------------------------------------------------------------------


def settings(book: Book) -> Exhibit:
    """The settings that shaped this report, with the file that set each."""
    sections = [(section, _walk(book, section)) for section in SECTIONS]
    count = sum(len(lines) + 1 for _, lines in sections)
    halves: list[list[tuple[str, list[Line]]]] = [[], []]
    filled = 0
    for section, lines in sections:
        halves[0 if filled < count / 2 else 1].append((section, lines))
        filled += len(lines) + 1
    blocks = [
        stacked(*(_section(book, section, lines) for section, lines in half)) for half in halves
    ]
    html = tag("div", *(tag("div", block.html) for block in blocks), class_="pair")
    rows = max(sum(len(lines) + 2 for _, lines in half) for half in halves)
    return figure(
        "tbl-settings",
        book.words("exhibits.settings.title"),
        Block(
            html,
            "\n\n".join(block.markdown for block in blocks),
            "\n".join(block.plain for block in blocks),
        ),
        subtitle=book.words("exhibits.settings.subtitle"),
        page=PROVENANCE,
        heading=book.text("exhibits.chapter.provenance"),
        height=20 + 4.6 * rows,
    )


Line = tuple[str, Rich, str]


def _section(book: Book, section: str, lines: list[Line]) -> Block:
    columns = [
        Column(name(section), row_head=True),
        Column(book.words("exhibits.settings.value")),
        Column(book.words("exhibits.settings.origin")),
    ]
    rows: list[Row] = [
        [name(key.partition(".")[2]), value, name(_short(origin)) if origin else EMPTY]
        for key, value, origin in lines
    ]
    return table(columns, rows, class_="slim set")


def _short(origin: str) -> str:
    """``params/base.yml:12`` → ``base.yml:12``: the folder is the same for all."""
    return origin.rpartition("/")[2]


def _walk(book: Book, path: str) -> list[Line]:
    value: Any = book.settings
    for part in path.split("."):
        value = getattr(value, part)
    if isinstance(value, BaseModel):
        found = []
        for field in type(value).model_fields:
            found += _walk(book, f"{path}.{field}")
        return found
    return [(path, _value(book, path, value), str(book.origins.get(path, "")))]


def _value(book: Book, path: str, value: Any) -> Rich:
    id_ = f"setting.{path}"
    if isinstance(value, bool):
        return book.words(f"exhibits.settings.{'on' if value else 'off'}")
    if book.has(id_):
        return book.num(id_)
    if book.has(f"{id_}.1"):
        places = [f"{id_}.{i}" for i in range(1, 9) if book.has(f"{id_}.{i}")]
        return join([book.num(p) for p in places], book.text("exhibits.list.comma"))
    if value is None or value in ("", [], {}):
        return words("–")
    if isinstance(value, dict):
        shown = ", ".join(str(v) for v in value.values())
    else:
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return name(shown if len(shown) <= 32 else shown[:31] + "…")


def provenance(book: Book) -> Exhibit:
    """Report id, version, period, and the fingerprints of the files."""
    known = book.provenance
    pairs = [
        (book.words("exhibits.provenance.report"), name(known.get("report_id", ""))),
        (book.words("exhibits.provenance.period"), book.when(style="long")),
        (book.words("exhibits.provenance.as_of"), book.day(book.as_of)),
        (book.words("exhibits.provenance.version"), name(known.get("package_version", ""))),
    ]
    if known.get("params"):
        pairs.append((book.words("exhibits.provenance.params"), name(known["params"])))
    blocks = [_terms(book, pairs)]
    inputs = list(known.get("inputs", []))
    if inputs:
        columns = [
            Column(book.words("exhibits.quality.head.file"), "wide", row_head=True),
            Column(book.words("exhibits.provenance.sha")),
        ]
        rows: list[Row] = [[name(i["path"]), name(str(i["sha256"])[:16])] for i in inputs]
        blocks.append(table(columns, rows, class_="slim"))
    blocks.append(note(book.words("exhibits.provenance.note")))
    return figure(
        "txt-provenance",
        book.words("exhibits.provenance.title"),
        stacked(*blocks),
        page=PROVENANCE,
        height=30 + 5.6 * len(pairs) + 5.3 * len(inputs),
    )
