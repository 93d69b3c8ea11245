"""Target and actual: the goals with their lights, and the gap split without a remainder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from analysis.calendars import Period
from analysis.exhibits import light, look, marks, waterfall
from analysis.exhibits.book import Book
from analysis.exhibits.effect_facts import SPLITS, shown_members
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import fact_id, records
from analysis.exhibits.markup import EMPTY, Rich, join, name, words
from analysis.exhibits.reading import sentences
from analysis.exhibits.recurring import is_recurring
from analysis.exhibits.tables import Block, Column, Row, beside, figure, note, stack, table
from analysis.exhibits.tiles import kpi_name

PAGE = "target"
MOST_GOALS = 8
PITCH, WIDTH = 4.6, 87.0  # two walks stand beside one another [mm]
ALONE = 178.0  # a single one has the page's width [mm]
_ALL = "all"
_ORDER = ("price", "customers", "", "collection")  # by members: in between
_PRICED = ("volume", "mix", "price", "new_products", "discontinued")
_STEPS = (
    *("base", "ambition", "not_assigned"),
    *("volume", "mix", "price", "new_products", "discontinued", "unpriced"),
    *("new", "returned", "more", "less", "not_bought"),
    *("newly_overdue", "collected"),
)


def target(book: Book) -> list[Exhibit]:
    """The chapter: goals, then the splits in two columns; empty without either."""
    made = [goals(book)] if len(book.frame("goals")) else []
    splits = _splits(book)
    width = WIDTH if len(splits) > 1 else ALONE
    drawn = [walk for split in splits if (walk := _walk(book, split, width)) is not None]
    if len(drawn) > 1:
        columns: tuple[list[Exhibit], list[Exhibit]] = ([], [])
        for walk in drawn:  # into the shorter column
            min(columns, key=lambda column: sum(one.height for one in column)).append(walk)
        left, right = (stack(f"blk-gap-{side}", *columns[side]) for side in (0, 1))
        made.append(beside("blk-gap", left, right, class_="pair"))
    else:
        made += drawn
    if not book.has_orders:
        made += light.by_customer(book)
    if not made:
        return []
    if drawn:
        exact = note(book.words("exhibits.target.exact"))
        made.append(figure("txt-gap-exact", EMPTY, exact, page=PAGE, height=6))
    chapter = "target" if book.has_orders else "light"
    made[0] = replace(made[0], heading=book.text(f"exhibits.chapter.{chapter}"))
    return made


# -- goals --------------------------------------------------------------------------------------


def goals(book: Book) -> Exhibit:
    """A row a goal: from where to where, where it stands, its light, by when."""
    order = {goal.goal: place for place, goal in enumerate(book.settings.goals)}
    listed = records(book.frame("goals"))
    listed.sort(key=lambda row: (order.get(str(row["goal"]), len(order)), str(row["goal"])))
    chosen = listed[:MOST_GOALS]
    columns = [
        Column(book.words("exhibits.target.head.goal"), row_head=True),
        Column(book.words("exhibits.target.head.way")),
        Column(book.words("exhibits.target.head.value"), "n"),
        Column(book.words("exhibits.target.head.status"), "gap"),
        Column(book.words("exhibits.target.head.due")),
        Column(book.words("exhibits.target.head.note"), "wide"),
    ]
    rows: list[Row] = [_goal(book, row) for row in chosen]
    body: Block = table(columns, rows, class_="slim goal")
    lines = sum(max(1, len(row[-1].plain) // 26 + 1) for row in rows if isinstance(row[-1], Rich))
    return figure(
        "tbl-goals", _goals_title(book), body, page=PAGE, height=17 + 3.2 * len(rows) + 3.6 * lines
    )


def _goals_title(book: Book) -> Rich:
    told = [
        book.say(f"exhibits.target.goals.{status}", count=book.num(f"goals.count.{status}"))
        for status in ("on_target", "watch", "below", "none")
        if book.value(f"goals.count.{status}")
    ]
    parts = join(told, book.text("exhibits.list.clause"))
    return book.say("exhibits.target.goals.title", count=book.num("goals.count"), parts=parts)


def _goal(book: Book, row: dict[str, Any]) -> list[Rich]:
    head = fact_id("goal", row["goal"])
    called = kpi_name(book, str(row["kpi"]))
    if row["segment"] != _ALL:
        whom = book.label("segment", row["segment"])
        called = book.say("exhibits.target.of", kpi=called, segment=whom)
    target_ = _amount(book, f"{head}.target")
    direction = str(row["direction"])
    if direction in ("up", "down") and book.has(f"{head}.baseline"):
        base = _amount(book, f"{head}.baseline")
        way = book.say(f"exhibits.target.way.{direction}", base=base, target=target_)
    elif book.has(f"{head}.target"):
        way = book.say(f"exhibits.target.way.{direction}", base=EMPTY, target=target_)
    else:
        way = words("–")
    status = str(row["status"])
    light = marks.status(marks.STATUS[status], book.words(f"exhibits.target.light.{status}"))
    several = sentences(row["note"])
    notes = [
        book.told(one, head, "note", *([str(place)] if len(several) > 1 else []))
        for place, one in enumerate(several)
    ]
    due = book.when(Period.parse(str(row["due"])))
    return [called, way, _amount(book, head), light, due, join(notes) if notes else words("–")]


def _amount(book: Book, id_: str) -> Rich:
    if book.has(id_) and book.fact(id_).unit == "money":
        return book.money(id_)
    return book.num(id_)


# -- splits -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Part:
    step: str
    label: Rich
    kind: waterfall.Kind


def _splits(book: Book) -> list[str]:
    """The splits of the record: by product and customer, by member, and what is overdue."""
    gaps = book.frame("gaps")
    if gaps.empty:
        return []
    known = set(gaps["split"].astype(str))
    if book.value("bridge.previous.amount") and not is_recurring(book):
        known.discard("customers")  # page 1 shows it as its bridge
    if not any(book.value("gap", "price", step, "amount") for step in _PRICED):
        known.discard("price")  # without quantities everything would stand under "cannot be told"
    return sorted(known, key=lambda split: _ORDER.index(split) if split in _ORDER else 2)


def _walk(book: Book, split: str, width: float) -> Exhibit | None:
    gaps = book.frame("gaps")
    rows = gaps[gaps["split"] == split]
    head = fact_id("gap", split)
    if len(rows) < 3 or not book.value(f"{head}.base.amount"):
        return None
    parts = _parts(book, split, rows)
    steps, told, ids = [], [], []
    for part in parts:
        id_ = fact_id("gap", split, part.step, "amount")
        change = part.kind in ("plus", "minus", "neutral")
        shown = book.num(id_, signed=change, scale=book.table_scale)
        value = book.value(id_) or 0.0
        steps.append(waterfall.Step(part.label.plain, part.kind, value, shown.plain))
        told.append(part.label + words(" ") + shown)
        ids.append(id_)
    cut = book.value(f"{head}.cut.amount") or 0.0
    alt = book.say("exhibits.bridge.alt", steps=join(told, book.text("exhibits.list.comma")))
    svg = waterfall.draw(steps, cut=cut, width=width, pitch=PITCH)
    drawn = look.image(svg, alt.plain, "plot", " ".join(ids))
    facts = {"base": parts[0].label, "unit": words(book.table_scale.label)}
    key = "subtitle_cut" if cut else "subtitle"
    limit = book.num(f"{head}.cut.amount", scale=book.table_scale)
    return figure(
        f"fig-gap-{split}",
        _title(book, split, parts),
        Block(drawn, alt.markdown, alt.plain),
        subtitle=book.say(f"exhibits.target.{key}", **facts, cut=limit),
        page=PAGE,
        alt=alt.plain,
        height=17 + PITCH * len(steps),
    )


def _parts(book: Book, split: str, rows: pd.DataFrame) -> list[_Part]:
    """The rows of a walk; of many members those with the most money, and the rest as one."""
    against = str(rows["against"].iloc[0])
    members = None if split in SPLITS else shown_members(rows)
    parts: list[_Part] = []
    for step in _in_order(rows):
        value = book.value(fact_id("gap", split, step, "amount")) or 0.0
        if step == "base":
            label = book.label("gap_against", against)
            if split == "collection":
                label = book.words("exhibits.target.overdue_before")
            kind: waterfall.Kind = "target" if against == "target" else "previous"
        elif step == "actual":
            parts += _rest(book, split)
            known = "overdue_now" if split == "collection" else "actual"
            label, kind = book.words(f"exhibits.target.{known}"), "actual"
        elif not value or (members is not None and _hidden(step, members)):
            continue
        else:
            own = members is not None and step in members and step != "unknown"
            label = name(step) if own else book.label("gap_step", step)
            kind = "plus" if (value > 0) != (split == "collection") else "minus"
            kind = "neutral" if step in _ASKED else kind
        parts.append(_Part(step, label, kind))
    return parts


def _in_order(rows: pd.DataFrame) -> list[str]:
    """The steps as a walk takes them; members from the largest gain to the largest loss."""
    amounts = dict(zip(rows["step"].astype(str), rows["amount"].astype(float), strict=True))
    known = [step for step in _STEPS if step in amounts]
    others = sorted(set(amounts) - set(known) - {"actual"}, key=lambda s: (-amounts[s], s))
    return [*known, *others, "actual"]


def _hidden(step: str, members: list[str]) -> bool:
    return step not in (*members, "ambition", "not_assigned")


def _rest(book: Book, split: str) -> list[_Part]:
    value = book.value(fact_id("gap", split, "rest", "amount"))
    if split in SPLITS or not value:
        return []
    return [_Part("rest", book.words("exhibits.target.rest"), "plus" if value > 0 else "minus")]


def _title(book: Book, split: str, parts: list[_Part]) -> Rich:
    """The finding: what weighs most, apart from what the target asked."""
    head = fact_id("gap", split)
    if split == "collection":
        keys = ("base", "actual", "newly_overdue", "collected")
        args = {key: book.num(f"{head}.{key}.amount", absolute=True) for key in keys}
        way = "up" if (book.value(f"{head}.net.amount") or 0.0) > 0 else "down"
        return book.say(f"exhibits.target.title.collection_{way}", **args)
    changes = [p for p in parts if p.kind in ("plus", "minus") and p.step not in _ASKED]
    area = split if split in SPLITS else "members"
    about = book.label("gap_split", split)
    if not changes:
        return about

    def weight(part: _Part) -> float:
        return book.value(fact_id("gap", split, part.step, "amount")) or 0.0

    most = max(changes, key=lambda part: abs(weight(part)))
    amount = book.money(fact_id("gap", split, most.step, "amount"), signed=True)
    way = "loss" if weight(most) < 0 else "gain"
    return book.say(
        f"exhibits.target.title.{area}_{way}", split=about, step=most.label, amount=amount
    )


_ASKED = ("ambition", "not_assigned", "rest")
