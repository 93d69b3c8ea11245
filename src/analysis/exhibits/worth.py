"""What each measure is worth: margin against cost, as listed and as done, all periods together."""

from __future__ import annotations

from typing import Any

from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import fact_id, records
from analysis.exhibits.markup import EMPTY, Rich, join, tag, words
from analysis.exhibits.measures import Measure, between, effect_scale, measures
from analysis.exhibits.reading import sentences
from analysis.exhibits.review import page_of
from analysis.exhibits.tables import Column, Row, figure, note, stacked, table
from analysis.wording.numbers import Scale

MOST_DOUBTS = 3
_SURE = 0.005  # a chance that close to all or nothing is told in words
_SMALL = 1000  # units of money up to this need no decimals
MOST_SUGGESTIONS = 4


def worth(book: Book) -> Exhibit | None:
    """A row a measure; None where no measure was compared with anybody."""
    found = measures(book)
    if not any(m.verdict != "none" for m in found) or "decision" not in book.frame("effects"):
        return None
    scale = _money_scale(book, found)
    unit = words(scale.label if scale else "")
    heads = ("margin", "chance", "done", "together")
    columns = [
        Column(book.words("exhibits.review.head.measure"), row_head=True),
        *(Column(book.say(f"exhibits.worth.head.{key}", unit=unit), "n") for key in heads),
        Column(book.words("exhibits.worth.head.change"), "gap wide"),
    ]
    rows: list[Row] = [_row(book, m, found, scale) for m in found]
    body = stacked(table(columns, rows, class_="slim worth"), *map(note, _notes(book)))
    lines = sum(max(2.0, len(_change(book, m, found).plain) / _room(book)) for m in found)
    return figure(
        "tbl-worth",
        _title(book, found),
        body,
        page=page_of(book),
        height=33 + 2.0 * len(found) + 3.7 * lines,
    )


def _room(book: Book) -> float:
    return 26.0 if book.lang == "zh" else 52.0  # letters of the last column's line


def _money_scale(book: Book, found: list[Measure]) -> Scale | None:
    ids = [f"{m.id}.{part}" for m in found for part in ("cost_total", "margin_high")]
    return book.scale_of(*ids) if any(book.has(id_) for id_ in ids) else None


def _title(book: Book, found: list[Measure]) -> Rich:
    priced = [m for m in found if _can_pay(book, m)]
    if not priced:
        return book.words("exhibits.worth.title.plain")
    best = max(priced, key=lambda m: book.value(f"{m.id}.chance_pays") or 0.0)
    chance = _chance(book, best)
    likely = (book.value(f"{best.id}.chance_pays") or 0.0) >= 0.5
    key = "best" if likely else "unlikely"
    return book.say(f"exhibits.worth.title.{key}", name=best.name, chance=chance)


def _row(book: Book, m: Measure, found: list[Measure], scale: Scale | None) -> list[Rich]:
    return [
        m.name,
        _margin(book, m, scale),
        _chance(book, m),
        _done(book, m, found),
        _together(book, m, found),
        _change(book, m, found),
    ]


def _margin(book: Book, m: Measure, scale: Scale | None) -> Rich:
    """Cost → extra margin, over its likely range."""
    places = {"zh": 1, "en": 2}[book.lang] if scale is not None and scale.divisor > _SMALL else 0
    form: dict[str, Any] = {"scale": scale, "decimals": places}
    cost = book.num(f"{m.id}.cost_total", **form)
    if m.verdict == "none" or m.unit != "money" or not book.has(f"{m.id}.extra_margin"):
        return cost
    parts = {"put": cost, "got": book.num(f"{m.id}.extra_margin", **form)}
    shown = book.say("exhibits.worth.margin", **parts)
    if not (book.has(f"{m.id}.margin_low") and book.has(f"{m.id}.margin_high")):
        return shown
    ends = {part: book.num(f"{m.id}.margin_{part}", **form) for part in ("low", "high")}
    least = book.value(f"{m.id}.margin_low") or 0.0
    return shown + _small(between(book, ends["low"], ends["high"], least))


def _chance(book: Book, m: Measure) -> Rich:
    """The chance that it pays; beyond what a sample can say, in words."""
    chance = book.value(f"{m.id}.chance_pays")
    if chance is None or not _can_pay(book, m):
        return words("–")
    if not _SURE < chance < 1 - _SURE:
        return book.words(f"exhibits.worth.chance.{'sure' if chance > _SURE else 'none'}")
    return book.num(f"{m.id}.chance_pays", decimals=0)


def _can_pay(book: Book, m: Measure) -> bool:
    """Whether it can be told that it pays: not of a measure whose cost nobody wrote down."""
    known = book.has(f"{m.id}.chance_pays") and book.has(f"{m.id}.cost_total")
    return known and m.verdict != "none"


def _done(book: Book, m: Measure, found: list[Measure]) -> Rich:
    """The effect on everybody listed beside that on those reached, over the share reached."""
    if not book.has(f"{m.id}.as_done") or m.verdict == "none":
        return words("–")
    scale = effect_scale(book, found)
    both = {"listed": book.num(f"{m.id}.estimate", scale=scale)}
    both["done"] = book.num(f"{m.id}.as_done", scale=scale)
    shown = book.say("exhibits.worth.both", **both)
    if not book.has(f"{m.id}.done_share"):
        return shown
    share = book.num(f"{m.id}.done_share", decimals=0)
    return shown + _small(book.say("exhibits.worth.done", share=share))


def _together(book: Book, m: Measure, found: list[Measure]) -> Rich:
    """All periods so far, with the wider range of several looks; a dash at the first."""
    head = fact_id("evidence", m.strategy, m.arm, m.outcome)
    if (book.value(f"{head}.look") or 0) < 2:
        return book.words("exhibits.worth.first")
    scale = effect_scale(book, found)
    parts = ("together", "together_low", "together_high")
    shown, low, high = (book.num(f"{head}.{part}", scale=scale) for part in parts)
    reach = between(book, low, high, book.value(f"{head}.together_low") or 0.0)
    looks = book.say("exhibits.worth.looks", looks=book.num(f"{head}.look"))
    return shown + _small(reach) + _small(looks)


def _change(book: Book, m: Measure, found: list[Measure]) -> Rich:
    rows = book.frame("effects")
    own = rows[
        (rows["strategy"] == m.strategy)
        & (rows["arm"] == m.arm)
        & (rows["outcome"] == m.outcome)
        & (rows["segment"] == "all")
    ]
    told = sentences(own["what_would_change"].iloc[0]) if len(own) else []
    if not told:
        return words("–")
    scale = effect_scale(book, found)
    return book.told(told[0], m.id, "what_would_change", scale=scale, unit=True)


def _small(piece: Rich) -> Rich:
    return Rich(tag("small", piece), " " + piece.markdown, " " + piece.plain)


def _notes(book: Book) -> list[Rich]:
    several = (book.value("effects.judged") or 0) > 1
    judged = book.num("effects.judged")
    lines = [book.words("exhibits.worth.legend")]
    if several:
        lines[0] = lines[0] + book.say("exhibits.worth.corrected", count=judged)
    return [*lines, *_doubts(book)]


def _doubts(book: Book) -> list[Rich]:
    """Checks of the judged outcomes that did not hold."""
    checks = book.frame("effect_checks")
    if checks.empty:
        return []
    main = {(m.strategy, m.arm, m.outcome): m.name for m in measures(book)}
    lines = []
    for row in records(checks):
        key = (str(row["strategy"]), str(row["arm"]), str(row["outcome"]))
        if key not in main or row["passed"] is None or bool(row["passed"]):
            continue
        told = sentences(row["text"])
        if told:
            text = book.told(told[0], "check", *key, row["check"], "text")
            lines.append(book.say("exhibits.worth.doubt", name=main[key], text=text))
    return lines[:MOST_DOUBTS]


def suggestions(book: Book) -> Exhibit | None:
    """What the rules of adjustment suggest, each with its evidence; None where none fired."""
    frame = book.frame("adjustments")
    if frame.empty or not book.value("adjustments.count"):
        return None
    fired = frame[frame["fired"].astype(bool)].head(MOST_SUGGESTIONS)
    lines = []
    for row in records(fired):
        head = fact_id("adjustment", row["rule"], row["strategy"], row["segment"])
        text = _suggested(book, row["suggestion"], head)
        why = sentences(row["evidence"])
        because = book.told(why[0], head, "evidence") if why else EMPTY
        if row["strategy"] != "all":
            lead = book.label("strategy", row["strategy"])
            text = lead + words(book.text("exhibits.list.colon")) + text
        lines.append(book.say("exhibits.worth.suggestion", text=text, because=because))
    title = book.say("exhibits.worth.suggestions", count=book.num("adjustments.count"))
    body = stacked(*(note(line) for line in lines))
    return figure("txt-adjustments", title, body, page=page_of(book), height=8 + 8 * len(lines))


def _suggested(book: Book, cell: Any, head: str) -> Rich:
    told = sentences(cell)
    if told and "key" in told[0]:
        return book.told(told[0], head, "suggestion")
    return join([words(str(one["text"].get(book.lang, ""))) for one in told])
