"""The last appendix: settings with the file that set each, files with their fingerprints."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from analysis.exhibits.appendix import terms
from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import records
from analysis.exhibits.markup import EMPTY, Rich, join, name, tag, words
from analysis.exhibits.tables import Block, Column, Row, figure, note, stacked, table

PAGE = "provenance"
SECTIONS = ("scope", "cleaning", "segmentation", "personas", "effectiveness", "strategy", "report")
DIGITS = 12


def settings(book: Book) -> Exhibit:
    """The settings that shaped this report, with the file that set each."""
    walked = [(section, _walk(book, section)) for section in SECTIONS]
    sections = [(section, lines) for section, lines in walked if lines]
    halves: list[list[tuple[str, list[Line]]]] = [[], []]
    longest = max(sections, key=lambda pair: len(pair[1]))
    halves[0].append(longest)
    for pair in sections:  # each to the shorter half, the longest section first
        if pair is not longest:
            sizes = [sum(len(lines) + 2 for _, lines in half) for half in halves]
            halves[sizes.index(min(sizes))].append(pair)
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
        page=PAGE,
        heading=book.text("exhibits.chapter.provenance"),
        height=13 + 4.8 * rows,
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
    if path == "cleaning.rules":
        return [_rules(book, path, value)]
    if isinstance(value, BaseModel):
        found = []
        for field in type(value).model_fields:
            found += _walk(book, f"{path}.{field}")
        return found
    # What is not set, and the lists of words, stand in the manifest.
    if value is None or value in ("", [], {}) or path.endswith("_words"):
        return []
    return [(path, _value(book, path, value), str(book.origins.get(path, "")))]


def _rules(book: Book, path: str, rules: BaseModel) -> Line:
    """The cleaning rules in one line: all on, or which are off."""
    off = [rule for rule, on in rules.model_dump().items() if not on]
    if not off:
        return path, book.words("exhibits.settings.all_on"), ""
    told = join([book.label("rule", rule) for rule in off], book.text("exhibits.list.comma"))
    origin = next((str(o) for r in off if (o := book.origins.get(f"{path}.{r}"))), "")
    return path, book.say("exhibits.settings.off_list", rules=told), origin


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
    """Report id, versions, and the files with their fingerprints."""
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
    blocks.append(note(book.words("exhibits.provenance.note")))
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
        height=24 + 2.6 * len(pairs) + 5.2 * (files.plain.count("\n") if files else 0),
    )


def _files(book: Book) -> Block | None:
    """Every file that was read, with what it gave and its fingerprint."""
    prints = {str(i["path"]): str(i["sha256"]) for i in book.provenance.get("inputs", [])}
    rows = book.frame("sources")
    made: list[Row] = []
    for row in records(rows) if len(rows) else []:
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
    told = set(rows["file"].astype(str)) if len(rows) else set()
    made += [
        [words("–"), name(path), words("–"), words("–"), name(prints[path][:DIGITS])]
        for path in sorted(set(prints) - told)
    ]
    if not made:
        return None
    columns = [
        Column(book.words("exhibits.quality.head.table"), row_head=True),
        Column(book.words("exhibits.quality.head.file"), "wide"),
        Column(book.words("exhibits.quality.head.encoding")),
        Column(book.words("exhibits.quality.head.rows"), "n"),
        Column(book.words("exhibits.provenance.sha"), "gap"),
    ]
    return table(columns, made, class_="slim")
