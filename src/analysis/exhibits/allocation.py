"""People and money: what the budget buys, what binds, who is full, who gets nothing and why."""

from __future__ import annotations

from typing import Any

from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import records
from analysis.exhibits.markup import EMPTY, Rich, join, name, words
from analysis.exhibits.reading import sentences
from analysis.exhibits.tables import Column, Row, figure, note, stacked, table
from analysis.wording import catalogue

PAGE = "allocation"
ALL = "all"
MOST_PEOPLE = 12
MOST_LIMITS = 4


def budget(book: Book) -> Exhibit | None:
    """What more or less money would bring, beside plain ranking and last period's habit.

    And below it each limit that binds, with what relaxing it takes and brings. None without a
    plan that was fitted to its limits.
    """
    curve = book.frame("budget_curve")
    lines = [note(line) for line in _limits(book)]
    heading = book.text("exhibits.chapter.allocation")
    if curve.empty or not _valued(book):
        if not lines and not len(book.frame("touches")):
            return None
        lines = [note(book.words("exhibits.allocation.no_curve"), "quiet"), *lines]
        block = stacked(*lines)
        return figure(
            "tbl-budget", EMPTY, block, page=PAGE, heading=heading, height=3 + 6 * len(lines)
        )
    habit = bool(curve["habit_value"].notna().any())
    heads = ["share", "budget", "spent", "customers", "best", "net", "ranking"]
    heads += ["habit"] if habit else []
    columns = [
        Column(book.words(f"exhibits.allocation.head.{key}"), "" if key == "share" else "n",
               row_head=key == "share")
        for key in heads
    ]  # fmt: skip
    made = [_level(book, row, habit) for row in records(curve.sort_values("share"))]
    return figure(
        "tbl-budget",
        _title(book),
        stacked(
            table(columns, made, class_="slim"),
            note(book.words("exhibits.allocation.legend")),
            *lines,
        ),
        subtitle=book.say("exhibits.allocation.subtitle", unit=words(book.scale.label)),
        page=PAGE,
        heading=heading,
        height=30 + 5.4 * len(made) + 6 * len(lines),
    )


def _valued(book: Book) -> bool:
    """Whether any measure has an expected value; without evidence there is nothing to weigh."""
    return any((book.value("curve", share, "expected_value") or 0) > 0 for share in _shares(book))


def _shares(book: Book) -> list[Any]:
    return list(book.frame("budget_curve")["share"])


def _title(book: Book) -> Rich:
    """What the plan's own budget brings, against plain ranking."""
    own = min(_shares(book), key=lambda share: abs(float(share) - 1))
    id_ = ("curve", own)
    parts = {
        "budget": book.money(*id_, "spent", decimals=_places(book)),
        "value": book.money(*id_, "expected_value", decimals=_places(book)),
        "ranking": book.money(*id_, "ranking_value", decimals=_places(book)),
    }
    better = (book.value(*id_, "expected_value") or 0) > (book.value(*id_, "ranking_value") or 0)
    key = "better" if better and book.has(*id_, "ranking_value") else "plain"
    return book.say(f"exhibits.allocation.title.{key}", **parts)


def _level(book: Book, row: dict[str, Any], habit: bool) -> Row:
    id_ = ("curve", row["share"])
    places = _places(book)
    cells = [
        book.num(*id_, "share", decimals=0),
        *(book.num(*id_, key, decimals=places) for key in ("budget", "spent")),
        book.num(*id_, "customers"),
        *(book.num(*id_, key, decimals=places) for key in ("expected_value", "net_value")),
        book.num(*id_, "ranking_value", decimals=places),
    ]
    return [*cells, *([book.num(*id_, "habit_value", decimals=places)] if habit else [])]


def _places(book: Book) -> int:
    return 2 if book.scale.divisor >= 1e6 else 1


def _limits(book: Book) -> list[Rich]:
    """Each limit that binds or falls short, in words."""
    rows = book.frame("limits")
    if rows.empty:
        return []
    binding = rows[rows["binding"].astype(bool) | rows["short"].notna()]
    told = []
    for row in records(binding):
        head = ("limit", row["limit"], row["who"])
        for one in sentences(row["advice"])[:1]:
            text = book.told(one, *head, "advice")
            lead = _who(book, row)
            told.append(book.say("exhibits.allocation.limit", who=lead, text=text))
    return told[:MOST_LIMITS]


def _who(book: Book, row: dict[str, Any]) -> Rich:
    """Whom or what a limit concerns."""
    if row["limit"] == "touches":
        return book.label("segment", row["who"])
    if row["who"] == ALL:
        return book.label("limit", row["limit"])
    if catalogue.has(f"role.{row['who']}"):
        return book.label("role", row["who"])
    return name(_names(book).get(row["who"], row["who"]))


def _names(book: Book) -> dict[str, str]:
    """People's names, where they are known."""
    known = book.frame("people")
    if known.empty or "name" not in known:
        return {}
    named = known.dropna(subset=["name"])
    return {str(k): str(v) for k, v in zip(named["person_id"], named["name"], strict=True) if v}


def people(book: Book) -> Exhibit | None:
    """Who has how many visits to make, the fullest first; None without tasks."""
    rows = book.frame("capacity")
    if rows.empty:
        return None
    ordered = rows.sort_values(
        ["used", "duties", "person_id"], ascending=[False, False, True], na_position="last"
    )
    heads = ("person", "role", "customers", "capacity", "duties", "extra", "used", "left_out")
    columns = [
        Column(
            book.words(f"exhibits.allocation.head.{key}"),
            "" if key in ("person", "role") else "n",
            row_head=key == "person",
        )
        for key in heads
    ]
    shown = records(ordered.head(MOST_PEOPLE))
    made = [_person(book, row) for row in shown]
    return figure(
        "tbl-capacity",
        _people_title(book),
        table(columns, made, class_="slim"),
        subtitle=book.words("exhibits.allocation.people_subtitle"),
        page=PAGE,
        height=22 + 5.4 * len(made),
    )


def _people_title(book: Book) -> Rich:
    if not book.value("people.known"):
        return book.say("exhibits.allocation.people.unknown", count=book.num("people.count"))
    key = "full" if book.value("people.full") else "free"
    return book.say(
        f"exhibits.allocation.people.{key}",
        count=book.num("people.known"),
        full=book.num("people.full"),
        used=book.num("people.used", decimals=0),
        visits=book.num("people.visits", decimals=0),
        share=book.num("people.share", decimals=0),
    )


def _person(book: Book, row: dict[str, Any]) -> Row:
    id_ = ("person", row["person_id"])
    return [
        name(_names(book).get(row["person_id"], row["person_id"])),
        book.label("role", row["role"]) if isinstance(row["role"], str) else words("–"),
        book.num(*id_, "customers"),
        *(book.num(*id_, key, decimals=0) for key in ("capacity", "duties", "extra")),
        book.num(*id_, "used", decimals=0),
        book.num(*id_, "left_out"),
    ]


def touches(book: Book) -> Exhibit | None:
    """Whether anybody is forgotten: the least contacts of each segment; None without a rule."""
    rows = book.frame("touches")
    if rows.empty or not (rows["least"] > 0).any():
        return None
    ordered = rows[rows["least"] > 0]
    heads = ("segment", "customers", "least", "planned", "reached", "short", "last")
    columns = [
        Column(
            book.words(f"exhibits.allocation.head.{key}"),
            "" if key == "segment" else "n",
            row_head=key == "segment",
        )
        for key in heads
    ]
    keys = ("customers", "least", "planned", "reached", "short", "last")
    made: list[Row] = [
        [
            book.label("segment", row["segment"]),
            *(book.num("touch", row["segment"], key) for key in keys),
        ]
        for row in records(ordered)
    ]
    key = "short" if book.value("touches.short") else "none"
    title = book.say(
        f"exhibits.allocation.touches.{key}",
        short=book.num("touches.short"),
        customers=book.num("touches.customers"),
    )
    return figure(
        "tbl-touches",
        title,
        table(columns, made, class_="slim"),
        subtitle=book.words("exhibits.allocation.touches_subtitle"),
        page=PAGE,
        height=22 + 5.4 * len(made),
    )


def left_out(book: Book) -> Exhibit | None:
    """How many do not get a measure that applies to them, by reason; None where all do."""
    rows = book.frame("not_planned")
    if rows.empty:
        return None
    whys = rows["why"].value_counts()
    ordered = sorted(whys.index, key=lambda why: (-int(whys[why]), str(why)))
    valued = any(book.has("not_planned", why, "value") for why in ordered)
    heads = ["why", "customers", "cost_saved", *(["forgone"] if valued else [])]
    columns = [
        Column(
            book.words(f"exhibits.allocation.head.{key}"),
            "" if key == "why" else "n",
            row_head=key == "why",
        )
        for key in heads
    ]
    made: list[Row] = [_why(book, str(why), valued) for why in ordered]
    return figure(
        "tbl-left-out",
        book.say(
            "exhibits.allocation.left_out",
            customers=book.num("not_planned", ALL, "customers"),
        ),
        stacked(
            table(columns, made, class_="slim"),
            note(book.words("exhibits.allocation.left_out_note")),
        ),
        subtitle=book.say("exhibits.allocation.left_out_subtitle", unit=words(book.scale.label)),
        page=PAGE,
        height=22 + 5.4 * len(made),
    )


def _why(book: Book, why: str, valued: bool) -> Row:
    id_ = ("not_planned", why)
    cells = [
        book.label("why_not", why),
        book.num(*id_, "customers"),
        book.num(*id_, "cost", decimals=_places(book)),
    ]
    return [*cells, *([book.num(*id_, "value", decimals=_places(book))] if valued else [])]


def next_proof(book: Book) -> Exhibit | None:
    """What the next report will be able to show of each measure; None without a design."""
    rows = book.frame("designs")
    if rows.empty:
        return None
    lines = []
    for row in records(rows):
        told = sentences(row["statement"])
        if told:
            text = join(
                book.told(
                    one, "design", row["strategy"], "statement", *([i] if len(told) > 1 else [])
                )
                for i, one in enumerate(told)
            )
            label = book.label("strategy", row["strategy"])
            lines.append(note(book.say("exhibits.allocation.proof", name=label, text=text)))
    if not lines:
        return None
    return figure(
        "txt-proof",
        book.words("exhibits.allocation.proof_title"),
        stacked(*lines),
        page=PAGE,
        height=10 + 8.5 * len(lines),
    )
