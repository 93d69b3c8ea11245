"""Tiles: up to seven KPIs against target, previous period and the year before.

Which seven: the first of `ORDER` that have a value, then any other KPI by name. `ORDER` is the
order in which a managing director asks: what came in, is it enough for the year, does it pay, is
it collected, is it late, do customers stay, are the large ones with us; then what says more of the
same. Parts of another tile (`WITHIN`) have none of their own.
"""

from __future__ import annotations

import math

from markupsafe import Markup

from analysis.exhibits import look, marks, recurring, sparks
from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import records
from analysis.exhibits.markup import EMPTY, Rich, join, tag, words
from analysis.exhibits.page_one import PAGE, revenue_name
from analysis.wording import catalogue
from analysis.wording.numbers import Scale

ORDER = (
    "revenue",
    "ytd_attainment",
    "gross_margin_rate",
    "collection_rate",
    "overdue_share",
    "retention",
    "high_value_customers",
    "active_customers",
    "visit_coverage",
    "new_customers",
    "average_order",
    "repurchase_rate",
    "satisfaction",
    "tickets",
    "tickets_open",
    "resolution_days",
)
YEAR = "ytd_attainment"
WITHIN = frozenset(
    ["revenue_ytd", "time_elapsed", "collected", "receivables", "overdue", "quarter_end_push"]
)
BASES = {"collection_rate": "collected", "overdue_share": "overdue"}
WHOLES = {"collection_rate": "kpi.collected.target", "overdue_share": "kpi.receivables"}
MOST = 7
HISTORY = 8


def shown_kpis(book: Book) -> list[str]:
    """The KPIs that have a value, the most asked first."""
    rows = book.frame("kpis")
    known = set(rows["kpi"].astype(str)) if len(rows) else set()
    if book.has("year.attainment"):
        known.add(YEAR)
    first = recurring.TILES if recurring.is_recurring(book) else ()
    named = [*first, *(kpi for kpi in ORDER if kpi not in first)]
    within = WITHIN if book.has_orders else frozenset()
    order = [*named, *sorted(known - set(named) - within)]
    return [kpi for kpi in order if kpi in known and book.has(_id(kpi))][:MOST]


def tiles(book: Book) -> Exhibit | None:
    """The tiles and the key that explains their marks; None without any KPI."""
    kpis = shown_kpis(book)
    if not kpis:
        return None
    made = [_tile(book, kpi) for kpi in kpis]
    rated = any(_status(book, kpi) != "none" for kpi in kpis)
    html = tag(
        "ul",
        *(tile for tile, _ in made),
        _key(book, rated),
        class_="tiles",
        id="txt-tiles",
        aria_label=book.text("exhibits.tiles.title"),
    )
    plain = "\n".join(text for _, text in made)
    return Exhibit(
        "txt-tiles",
        str(html),
        "\n".join(f"- {text}" for _, text in made),
        plain,
        caption=book.text("exhibits.tiles.title"),
        page=PAGE,
    )


def kpi_name(book: Book, kpi: str) -> Rich:
    """The KPI's name, the short one where a tile has no room for the full one."""
    short = f"exhibits.tiles.name.{kpi}"
    return book.words(short) if catalogue.has(short) else book.label("kpi", kpi)


def _id(kpi: str) -> str:
    # The year's share may come from its money alone, without a KPI of its own.
    return "year.attainment" if kpi == YEAR else f"kpi.{kpi}"


def _row(book: Book, kpi: str) -> dict[str, object]:
    rows = book.frame("kpis")
    chosen = rows[
        (rows["kpi"] == kpi) & (rows["segment"] == "all") & (rows["period"] == book.period.name)
    ]
    return records(chosen)[0] if len(chosen) else {}


def _status(book: Book, kpi: str) -> str:
    status = _row(book, kpi).get("status")
    if kpi != YEAR or isinstance(status, str):
        return str(status or "none")
    gap = book.value("year.gap")
    if gap is None:
        return "none"
    watch = book.settings.report.watch
    return "on_target" if gap >= 0 else "watch" if gap >= -watch else "below"


def _tile(book: Book, kpi: str) -> tuple[Markup, str]:
    row = _row(book, kpi)
    unit = "share" if kpi == YEAR else str(row.get("unit", ""))
    head = revenue_name(book) if kpi == "revenue" else kpi_name(book, kpi)
    status = _status(book, kpi)
    badge = (
        marks.status(marks.STATUS[status], book.words(f"exhibits.status.{status}"))
        if status in marks.STATUS and status != "none"
        else EMPTY
    )
    value = _value(book, kpi, unit)
    lines = [line for line in (_target(book, kpi), _change(book, kpi, unit)) if line]
    base = _base(book, kpi)
    drawn = _spark(book, kpi, head.plain)
    html = tag(
        "li",
        tag("div", tag("span", head), badge if badge else None, class_="tn"),
        tag("div", value, drawn, class_="tv"),
        *(tag("div", line, class_="tl") for line in lines),
        tag("div", base, class_="tl t3") if base else None,
        class_="tile",
    )
    told = join([value, *lines, *([base] if base else [])], book.text("exhibits.list.semicolon"))
    return html, f"{head.plain} {badge.plain}: {told.plain}".replace(" :", ":")


def _scale(book: Book, kpi: str) -> Scale:
    # Money per order is too small for the page's unit; totals share it.
    return book.scale_of(f"kpi.{kpi}") if kpi == "average_order" else book.scale


def _value(book: Book, kpi: str, unit: str) -> Rich:
    id_ = _id(kpi)
    if unit == "money":
        scale = _scale(book, kpi)
        number = book.num(id_, scale=scale)
        word = scale.label
    elif unit == "share":
        number, word = book.num(id_, bare=True), "%"
    elif unit == "count":
        number, word = book.num(id_), book.text("exhibits.unit.customers")
    else:
        number, word = book.num(id_), book.text("exhibits.unit.points_of_five")
    if catalogue.has(f"exhibits.tile_unit.{kpi}"):
        word = book.text(f"exhibits.tile_unit.{kpi}")
    small = Rich(tag("small", word), f" {word}", f" {word}") if word else EMPTY
    both = number + small
    return Rich(tag("span", both, class_="num"), both.markdown, both.plain)


def _target(book: Book, kpi: str) -> Rich:
    if kpi == YEAR:
        elapsed = book.num("year.elapsed")
        return book.say("exhibits.tiles.time", target=elapsed) if book.has("year.gap") else EMPTY
    id_ = f"kpi.{kpi}"
    if not book.has(id_, "target"):
        return EMPTY
    unit = book.fact(id_).unit
    gap = book.value(id_, "gap") or 0.0
    scale = _scale(book, kpi)
    target = book.num(id_, "target", scale=scale)
    if unit == "share":
        limit = "limit" if kpi == "overdue_share" else "target"
        return book.say(
            f"exhibits.tiles.{limit}_{'over' if gap >= 0 else 'short'}",
            target=target,
            gap=book.num(id_, "gap", absolute=True),
        )
    return book.say("exhibits.tiles.target", target=target, attainment=book.num(id_, "attainment"))


def _change(book: Book, kpi: str, unit: str) -> Rich:
    id_ = f"kpi.{kpi}"
    cumulative = kpi == YEAR
    # Counts are compared by how many, everything else by its relative change or in points.
    names = ("difference", "difference_year") if unit == "count" else ("change", "change_year")
    compared = [
        book.say(f"exhibits.tiles.{key}.{book.period.kind}", value=book.num(id_, part, signed=True))
        for part, key in zip(names, ("qoq", "yoy"), strict=True)
        if book.has(id_, part) and not (cumulative and key == "qoq")
    ]
    if cumulative and book.has("year.gap"):
        way = "ahead" if (book.value("year.gap") or 0) >= 0 else "behind"
        gap = book.num("year.gap", absolute=True)
        if not compared:
            return book.say(f"exhibits.tiles.{way}_points", gap=gap)
        compared.insert(0, book.say(f"exhibits.tiles.{way}", gap=gap))
    if not compared:
        return EMPTY
    line = join([_nowrap(part) for part in compared], book.text("exhibits.list.clause"))
    if unit in ("share", "count"):
        own = f"exhibits.tile_tail.{kpi}"
        line = line + book.words(own if catalogue.has(own) else f"exhibits.tiles.tail.{unit}")
    return line


def _nowrap(piece: Rich) -> Rich:
    return Rich(tag("span", piece, class_="qy"), piece.markdown, piece.plain)


def _base(book: Book, kpi: str) -> Rich:
    """What the value rests on."""
    id_ = f"kpi.{kpi}"
    if kpi == YEAR:
        told = book.has("year.done") and book.has("year.target")
        parts = {"part": book.num("year.done"), "whole": book.num("year.target")}
        return book.say(f"exhibits.tiles.base.{YEAR}", **parts) if told else EMPTY
    if kpi in BASES and book.has(f"kpi.{BASES[kpi]}") and book.has(WHOLES[kpi]):
        return book.say(
            f"exhibits.tiles.base.{kpi}",
            part=book.num(f"kpi.{BASES[kpi]}"),
            whole=book.num(WHOLES[kpi]),
        )
    if book.has(id_, "numerator") and book.has(id_, "denominator"):
        if book.fact(id_, "numerator").unit == "money":
            return book.say(
                f"exhibits.tiles.base.{kpi}"
                if kpi == "gross_margin_rate"
                else "exhibits.tiles.base.money",
                part=book.num(id_, "numerator"),
                whole=book.num(id_, "denominator"),
            )
        if kpi != "average_order":
            return book.say(
                "exhibits.tiles.base.count",
                part=book.num(id_, "numerator"),
                whole=book.num(id_, "denominator"),
            )
    if kpi == "high_value_customers" and book.has("movement.flow.best.in"):
        return book.say(
            "exhibits.tiles.base.high_value",
            into=book.num("movement.flow.best.in"),
            out=book.num("movement.flow.best.out"),
        )
    if book.has(id_, "n"):
        known = ("revenue", "active_customers", "new_customers", "average_order", "satisfaction")
        key = kpi if kpi in known else "other"
        return book.say(f"exhibits.tiles.base.n.{key}", n=book.num(id_, "n"))
    return EMPTY


def _spark(book: Book, kpi: str, called: str) -> Markup | None:
    rows = book.frame("kpis")
    series = rows[(rows["kpi"] == kpi) & (rows["segment"] == "all")]
    values = dict(zip(series["period"], series["value"].astype(float), strict=True))
    names = [book.period.back(k).name for k in range(HISTORY - 1, -1, -1)]
    history = [values.get(one, math.nan) for one in names]
    # A cumulative measure would draw a saw-tooth: its distance from the calendar is drawn.
    goal = book.value(f"kpi.{kpi}.target")
    if kpi == YEAR:
        goals = dict(zip(series["period"], series["target"].astype(float), strict=True))
        history = [v - goals.get(p, math.nan) for p, v in zip(names, history, strict=True)]
        goal = 0.0
    per_year = {"quarter": 4, "month": 12, "half": 2, "year": 1, "week": 52}[book.period.kind]
    svg = sparks.draw(history, target=goal, back=per_year)
    if svg is None:
        return None
    alt = book.say("exhibits.tiles.spark", name=words(called))
    return look.image(svg, alt.plain, "spark", f"kpi.{kpi}")


def _key(book: Book, rated: bool) -> Markup:
    words_ = [
        marks.status(marks.STATUS[s], book.words(f"exhibits.status.{s}"))
        for s in ("on_target", "watch", "below")
    ]
    sample = sparks.draw([3, 2.4, 2.8, 2.5, 3.4, 2.7, 3.1, 2.2], target=3.2)
    alt = book.text("exhibits.tiles.key_alt")
    return tag(
        "li",
        tag("div", tag("span", book.words("exhibits.tiles.key")), class_="tn"),
        tag("div", *words_, class_="kl") if rated else None,
        look.image(sample, alt, "spark") if sample else None,
        tag("div", book.words("exhibits.tiles.key_text"), class_="tl"),
        class_="tile key",
    )
