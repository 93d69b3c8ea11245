"""The last appendix: settings that somebody set, files with their fingerprints."""

from __future__ import annotations

from typing import Any

from analysis.exhibits.appendix import terms
from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import records
from analysis.exhibits.markup import EMPTY, Rich, join, name, tag, words
from analysis.exhibits.own_settings import SECTIONS, own_settings, set_in
from analysis.exhibits.tables import Block, Column, Row, figure, note, stacked, table

PAGE = "provenance"
DIGITS = 12
MOST_FILES = 12  # a longer list stands in the workbook alone: a report has ten pages


def settings(book: Book) -> Exhibit:
    """The settings that somebody set for this report, with the file that did.

    All others keep the default of ``base.yml``; how many there are is said, and where they stand.
    """
    sections = [
        (section, [_line(book, path) for path in paths])
        for section in SECTIONS
        if (paths := [p for p in own_settings(book.settings, book.origins) if _in(p, section)])
    ]
    rest = note(book.say("exhibits.settings.rest", count=book.num("settings.default")))
    heading = book.text("exhibits.chapter.provenance")
    if not sections:
        title = book.words("exhibits.settings.title_none")
        return figure("txt-settings", title, rest, page=PAGE, heading=heading, height=14)
    halves: list[list[tuple[str, list[Line]]]] = [[], []]
    for pair in sorted(sections, key=lambda pair: (-len(pair[1]), SECTIONS.index(pair[0]))):
        sizes = [sum(len(lines) + 2 for _, lines in half) for half in halves]
        halves[sizes.index(min(sizes))].append(pair)  # each to the shorter half
    blocks = [
        stacked(*(_section(book, section, lines) for section, lines in half))
        for half in halves
        if half
    ]
    html = tag("div", *(tag("div", block.html) for block in blocks), class_="pair")
    rows = max(sum(len(lines) + 2 for _, lines in half) for half in halves)
    side_by_side = Block(
        html,
        "\n\n".join(block.markdown for block in blocks),
        "\n".join(block.plain for block in blocks),
    )
    return figure(
        "tbl-settings",
        book.say("exhibits.settings.title", count=book.num("settings.own")),
        stacked(side_by_side, rest),
        subtitle=book.words("exhibits.settings.subtitle"),
        page=PAGE,
        heading=heading,
        height=20 + 4.8 * rows,
    )


Line = tuple[str, Rich, str]


def _in(path: str, section: str) -> bool:
    return path.startswith(f"{section}.")


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
    """``params/demo.yml:12`` → ``demo.yml:12``: the folder is the same for all."""
    return origin.rpartition("/")[2]


def _line(book: Book, path: str) -> Line:
    value: Any = book.settings
    for part in path.split("."):
        value = getattr(value, part)
    return path, _value(book, path, value), set_in(path, book.origins)


def _quantity(book: Book, id_: str) -> Rich:
    money = book.fact(id_).unit == "money"
    return book.money(id_, scale=book.scale_of(id_)) if money else book.num(id_)


def _value(book: Book, path: str, value: Any) -> Rich:
    id_ = f"setting.{path}"
    if isinstance(value, bool):
        return book.words(f"exhibits.settings.{'on' if value else 'off'}")
    if book.has(id_):
        return _quantity(book, id_)
    if book.has(f"{id_}.1"):
        places = [f"{id_}.{i}" for i in range(1, 9) if book.has(f"{id_}.{i}")]
        return join([_quantity(book, p) for p in places], book.text("exhibits.list.comma"))
    if isinstance(value, dict):
        shown = ", ".join(str(v) for v in value.values())
    else:
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return name(shown if len(shown) <= 32 else shown[:31] + "…")


def provenance(book: Book) -> Exhibit:
    """Report id, versions, and the files with their fingerprints, if they are few."""
    known = book.provenance
    pairs = [
        (book.words("exhibits.provenance.report"), name(known.get("report_id", ""))),
        (book.words("exhibits.provenance.period"), book.when(style="long")),
        (book.words("exhibits.provenance.as_of"), book.day(book.as_of)),
        (book.words("exhibits.provenance.version"), name(known.get("package_version", ""))),
    ]
    if known.get("params"):
        pairs.append((book.words("exhibits.provenance.params"), name(known["params"])))
    files = _files(book)
    blocks = [terms(pairs), files] if files is not None else [terms(pairs)]
    many = len(book.frame("sources")) > MOST_FILES
    more = book.words("exhibits.provenance.more") if many else EMPTY
    blocks.append(note(more + book.words("exhibits.provenance.note")))
    title = book.words("exhibits.provenance.title")
    if book.has("sources.count"):
        title = book.say(
            "exhibits.quality.title.sources",
            files=book.num("sources.count"),
            rows=book.num("sources.rows"),
        )
    return figure(
        "txt-provenance",
        title,
        stacked(*blocks),
        page=PAGE,
        height=24 + 2.6 * len(pairs) + 4.5 * (files.plain.count("\n") if files else 0),
    )


def _files(book: Book) -> Block | None:
    """Every file that was read, with what it gave and its fingerprint; None for many."""
    prints = {str(i["path"]): str(i["sha256"]) for i in book.provenance.get("inputs", [])}
    rows = book.frame("sources")
    made: list[Row] = []
    for row in records(rows) if 0 < len(rows) <= MOST_FILES else []:
        path = str(row["file"])
        made.append(
            [
                book.label("table", row["table"]),
                name(path),
                name(row["encoding"]) if row["encoding"] else words("–"),
                book.num("source", row["table"], path, "rows"),
                name(prints[path][:DIGITS]) if path in prints else words("–"),
            ]
        )
    if not made:
        return None
    columns = [
        Column(book.words("exhibits.quality.head.table"), row_head=True),
        Column(book.words("exhibits.quality.head.file"), "wide"),
        Column(book.words("exhibits.quality.head.encoding")),
        Column(book.words("exhibits.quality.head.rows"), "n"),
        Column(book.words("exhibits.provenance.sha"), "gap"),
    ]
    return table(columns, made, class_="slim dense")
