"""Who moved: the movement matrix, the way into and out of risk, and what follows from it."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup

from analysis.exhibits import accounts, look, marks, waterfall
from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import records
from analysis.exhibits.markup import EMPTY, Rich, tag, words
from analysis.exhibits.segments import PAGE, segment_names
from analysis.exhibits.tables import Block, beside, figure, ordered
from analysis.roles import AT_RISK, BEST, GROWING, NEW


def movement_matrix(book: Book) -> Exhibit | None:
    """The movement matrix as a heat table; None without a previous period."""
    matrix = book.frame("movement_matrix")
    names = segment_names(book)
    if matrix.empty or not names or not (matrix["segment_before"] != "entered").any():
        return None
    seen = set(matrix["segment_before"]) | set(matrix["segment_after"])
    before = [n for n in names if n in seen]
    rows = [_movement_row(book, matrix, name, names) for name in before]
    if book.value("movement.entered.total.customers"):
        rows.append(_entered_row(book, names))
    head = tag(
        "tr",
        tag("td", book.words("exhibits.movement.corner"), class_="cor"),
        *(tag("th", book.short_label(n), scope="col") for n in names),
        tag("th", book.words("exhibits.movement.left"), scope="col"),
        tag("th", book.words("exhibits.movement.before_total"), scope="col", class_="sum"),
    )
    total = tag(
        "tr",
        tag("th", book.words("exhibits.movement.now_total"), scope="row"),
        *(tag("td", tag("b", _count(book, "movement.total", n))) for n in [*names, "left"]),
        tag("td", class_="sum"),
        class_="tot",
    )
    html = tag("table", tag("thead", head), tag("tbody", *rows, total), class_="mx")
    plain = _matrix_plain(book, names)
    legend = Rich(
        book.words("exhibits.movement.subtitle").html
        + tag("span", tag("i", class_="sw bad l2"), marks.shape("down"),
              book.words("exhibits.movement.worse"), class_="lg")
        + tag("span", tag("i", class_="sw good l2"), marks.shape("up"),
              book.words("exhibits.movement.better"), class_="lg")
        + tag("span", tag("i", class_="sw stay"), book.words("exhibits.movement.same"),
              class_="lg")
        + book.words("exhibits.movement.depth").html,
        book.text("exhibits.movement.subtitle"),
        book.text("exhibits.movement.subtitle"),
    )  # fmt: skip
    return figure(
        "tbl-movement",
        _movement_title(book, matrix),
        Block(html, plain, plain),
        subtitle=legend,
        page=PAGE,
        height=31 + 9.4 * len(before),
    )


def _movement_title(book: Book, matrix: pd.DataFrame) -> Rich:
    into, back = (
        book.value("movement.flow.at_risk.moved_in"),
        book.value("movement.flow.at_risk.back"),
    )
    if into:
        risk = book.roles.one(AT_RISK)
        flows = matrix[
            (matrix["segment_after"] == risk)
            & ~matrix["segment_before"].isin([risk, "entered", "left"])
            & (matrix["customers"] > 0)
        ].sort_values(["customers", "segment_before"], ascending=[False, True])
        key = "risk_up" if into > (back or 0) else "risk_down"
        lead = book.say(
            f"exhibits.movement.title.{key}",
            into=book.num("movement.flow.at_risk.moved_in"),
            back=book.num("movement.flow.at_risk.back"),
            **book.role_names(),
        )
        if flows.empty:
            return lead
        worst = str(flows["segment_before"].iloc[0])
        return lead + book.say(
            "exhibits.movement.title.mainly",
            segment=book.label("segment", worst),
            count=book.num("movement", worst, risk, "customers"),
        )
    return book.say(
        "exhibits.movement.title.neutral",
        worse=book.num("movement.direction.worse.customers"),
        better=book.num("movement.direction.better.customers"),
    )


def _movement_row(book: Book, matrix: pd.DataFrame, before: str, names: list[str]) -> Markup:
    cells = [_movement_cell(book, matrix, before, after) for after in [*names, "left"]]
    total = tag(
        "td",
        tag("b", _count(book, f"movement.{before}", "total")),
        class_="sum",
    )
    return tag("tr", tag("th", book.short_label(before), scope="row"), *cells, total)


def _movement_cell(book: Book, matrix: pd.DataFrame, before: str, after: str) -> Markup:
    id_ = f"movement.{before}.{after}"
    if not book.value(id_, "customers"):
        return tag("td", "–", class_="zero")
    found = matrix[(matrix["segment_before"] == before) & (matrix["segment_after"] == after)]
    direction = str(found["direction"].iloc[0])
    share = book.value(id_, "share") or 0.0
    depth = 2 if share >= 0.10 else 1 if share >= 0.03 else 0
    tone = {"worse": "bad", "left": "bad", "better": "good", "same": "stay"}.get(direction, "neu")
    arrow = {"bad": marks.shape("down"), "good": marks.shape("up")}.get(tone)
    class_ = f"{tone} l{depth}" if arrow else tone
    return tag(
        "td",
        tag("b", book.num(id_, "customers"), tag("i", arrow) if arrow else None),
        tag("span", book.num(id_, "share")) if book.has(id_, "share") else None,
        class_=class_,
    )


def _entered_row(book: Book, names: list[str]) -> Markup:
    cells = [
        tag("td", tag("b", book.num("movement.entered", n, "customers")))
        if book.value("movement.entered", n, "customers")
        else tag("td", "–")
        for n in names
    ]
    return tag(
        "tr",
        tag("th", book.words("exhibits.movement.entered"), scope="row"),
        *cells,
        tag("td", "–"),
        tag("td", tag("b", _count(book, "movement.entered", "total")), class_="sum"),
        class_="ent",
    )


def _count(book: Book, head: str, tail: str) -> Rich:
    return book.num(head, tail, "customers") if book.value(head, tail, "customers") else words("–")


def _matrix_plain(book: Book, names: list[str]) -> str:
    columns = [*names, "left", "total"]
    heads = [book.label("segment", n).plain for n in names]
    heads += [book.text("exhibits.movement.left"), book.text("exhibits.movement.before_total")]
    lines = ["| | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for before in [*names, "entered", "total"]:
        label = (
            book.label("segment", before).plain
            if before in names
            else book.text(f"exhibits.movement.{'now_total' if before == 'total' else before}")
        )
        cells = [book.num(f"movement.{before}", after, "customers").plain for after in columns]
        lines.append("| " + " | ".join([label, *cells]) + " |")
    return "\n".join(lines)


def risk_and_next(book: Book) -> Exhibit | None:
    """How the customers at risk changed, beside what follows from the movement."""
    drawn, follows = _risk_flow(book), what_follows(book)
    if drawn and follows:
        return beside("blk-risk", drawn, follows, class_="low")
    return drawn or follows


def _risk_flow(book: Book) -> Exhibit | None:
    before = book.value("segment.at_risk.customers_before")
    if not before or not book.has("movement.flow.at_risk.in"):
        return None
    risk = book.roles.one(AT_RISK)
    matrix = book.frame("movement_matrix")
    flows = matrix[
        (matrix["segment_after"] == risk) & (matrix["segment_before"] != risk)
    ].sort_values(["customers", "segment_before"], ascending=[False, True])
    steps = [_step(book, "start", "previous", "segment.at_risk.customers_before")]
    for segment in flows.loc[flows["customers"] > 0, "segment_before"].astype(str):
        label = (
            book.words("exhibits.risk.entered")
            if segment == "entered"
            else book.say("exhibits.risk.from", segment=book.short_label(segment))
        )
        id_ = f"movement.{segment}.{risk}.customers"
        steps.append(
            waterfall.Step(
                label.plain, "minus", book.value(id_) or 0.0, book.num(id_, signed=True).plain
            )
        )
    leaving = (("out_signed", "plus"), ("sunk_signed", "neutral"), ("left_signed", "neutral"))
    for part, kind in leaving:
        id_ = f"movement.flow.at_risk.{part}"
        if book.value(id_):
            label = book.words(f"exhibits.risk.{part}")
            steps.append(
                waterfall.Step(
                    label.plain,
                    kind,  # type: ignore[arg-type]
                    book.value(id_) or 0.0,
                    book.num(id_).plain,
                )
            )
    steps.append(_step(book, "end", "actual", "segment.at_risk.customers"))
    change = book.value("segment.at_risk.change") or 0.0
    way = "up" if change > 0 else "down" if change < 0 else "same"
    title = book.say(
        f"exhibits.risk.title_{way}",
        before=book.num("segment.at_risk.customers_before"),
        now=book.num("segment.at_risk.customers"),
        **book.role_names(),
    )
    subtitle = book.say(
        "exhibits.risk.subtitle",
        before=book.when(book.period.previous()),
        now=book.when(),
    )
    alt = (
        title.plain
        + book.text("exhibits.list.colon")
        + ", ".join(f"{s.label} {s.text}" for s in steps)
    )
    ids = "segment.at_risk.customers_before segment.at_risk.customers"
    svg = waterfall.draw(steps, width=104)
    return figure(
        "fig-risk",
        title,
        Block(look.image(svg, alt, "plot", ids), alt, alt),
        subtitle=subtitle,
        page=PAGE,
        alt=alt,
        class_="bridge",
        height=12 + 5.7 * len(steps),
    )


def _step(book: Book, key: str, kind: waterfall.Kind, id_: str) -> waterfall.Step:
    label = book.words(f"exhibits.risk.{key}")
    note = EMPTY
    if key == "end" and book.has("segment.at_risk.change"):
        note = book.num("segment.at_risk.change", signed=True)
    return waterfall.Step(
        label.plain, kind, book.value(id_) or 0.0, book.num(id_).plain, note.plain
    )


def what_follows(book: Book) -> Exhibit | None:
    """What the movement asks for, from the lists and the plan; None where neither says anything."""
    told = []
    if book.value("movement.best.at_risk.customers"):
        told.append(
            book.say(
                "exhibits.follows.fallen",
                count=book.num("movement.best.at_risk.customers"),
                **book.role_names(),
                list=words(accounts.chapter(book)),
            )
        )
    plan = book.frame("plan_summary")
    if len(plan):
        order = {role: i for i, role in enumerate((AT_RISK, GROWING, NEW, BEST))}
        role = plan["segment"].map(book.roles.of)
        ranked = plan.assign(place=role.map(order).fillna(9)).sort_values(["place", "rank"])
        for row in records(ranked):
            if len(told) >= 4:
                break
            if not book.value("plan", row["strategy"], "customers"):
                continue
            told.append(
                book.say(
                    "exhibits.follows.plan",
                    segment=book.label("segment", row["segment"]),
                    strategy=book.label("strategy", row["strategy"]),
                    count=book.num("plan", row["strategy"], "customers"),
                    role=book.label("role", row["owner_role"]),
                    due=book.day(row["due"], "short"),
                )
            )
    if not told:
        return None
    title = book.words("exhibits.follows.title")
    listed = ordered(told)
    html = tag("section", tag("h3", title), listed.html, class_="sowhat", id="txt-follows")
    return Exhibit(
        "txt-follows",
        str(html),
        f"### {title.markdown}\n\n{listed.markdown}",
        f"{title.plain}\n{listed.plain}",
        caption=title.plain,
        page=PAGE,
        height=8 + 11 * len(told),
    )
