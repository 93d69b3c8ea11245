"""What leadership is asked to decide: yes or no, with cost, value, lead and day."""

from __future__ import annotations

from analysis.exhibits import marks
from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import records
from analysis.exhibits.markup import Rich, join, tag
from analysis.exhibits.page_one import PAGE
from analysis.exhibits.tables import Column, table


def decisions(book: Book) -> Exhibit | None:
    """What leadership is asked: yes or no, with cost, value, lead and day."""
    rows = book.frame("decisions")
    if rows.empty and not book.has_orders:
        return None
    if rows.empty:
        sentence = book.words("exhibits.decisions.none")
        title = book.words("exhibits.decisions.title")
        html = tag("section", tag("h3", title), tag("p", sentence), class_="quiet")
        return Exhibit(
            "tbl-decisions",
            str(html),
            f"### {title.markdown}\n\n{sentence.markdown}",
            sentence.plain,
            caption=title.plain,
            page=PAGE,
        )
    columns = [
        Column(class_="no"),
        Column(book.words("exhibits.decisions.title"), "it", row_head=True),
        Column(book.words("exhibits.decisions.money")),
        Column(book.words("exhibits.decisions.lead"), "who"),
        Column(book.words("exhibits.decisions.due"), "nw"),
        Column(book.words("exhibits.decisions.vote"), "ok"),
    ]
    boxes = marks.boxes(
        book.words("exhibits.decisions.agree"), book.words("exhibits.decisions.discuss")
    )
    made = []
    for row in records(rows.sort_values("rank").head(3)):
        id_ = f"decision.{row['rank']}"
        made.append(
            [
                book.num(id_, "rank"),
                _decision(book, row, id_),
                _worth(book, row, id_),
                book.label("role", row["owner_role"]),
                book.day(row["due"], "short"),
                boxes,
            ]
        )
    block = table(columns, made, class_="decide")
    title = book.words("exhibits.decisions.title")  # over the cards of a phone
    return Exhibit(
        "tbl-decisions",
        str(tag("section", tag("h3", title, class_="ph"), block.html, id="tbl-decisions")),
        block.markdown,
        block.plain,
        caption=book.text("exhibits.decisions.title"),
        page=PAGE,
    )


def _decision(book: Book, row: dict[str, object], id_: str) -> Rich:
    kind = str(row["decision"])
    known = {
        "strategy": book.label("strategy", row.get("strategy") or ""),
        "segment": book.label("segment", row.get("segment") or "all"),
        "count": book.num(id_, "customers"),
        "before": book.num(id_, "customers_before"),
        "cost": book.money(id_, "cost"),
        **book.role_names(),
    }
    key = f"exhibits.decisions.what.{kind}"
    if kind == "expand" and not book.has(id_, "customers_before"):
        key = "exhibits.decisions.what.expand_to"
    return book.say(key, **known)


def _worth(book: Book, row: dict[str, object], id_: str) -> Rich:
    kind = str(row["decision"])
    cost, value = book.value(id_, "cost"), book.value(id_)
    parts = []
    if kind == "stop":
        if value is not None:
            freed = book.money(id_)
            return book.say("exhibits.decisions.worth.freed", value=freed)
        parts.append(book.words("exhibits.decisions.worth.no_cost"))
    elif cost:
        parts.append(book.say("exhibits.decisions.worth.cost", cost=book.money(id_, "cost")))
    else:
        parts.append(book.words("exhibits.decisions.worth.no_cost"))
    if kind in ("rescue", "collect") and not value:
        return join(parts, book.text("exhibits.list.semicolon"))  # nothing bought, nothing at stake
    if value is not None:
        if book.has(id_, "value_low") and book.has(id_, "value_high"):
            scale = book.scale_for(id_, f"{id_}.value_low", f"{id_}.value_high")
            low = book.num(id_, "value_low", scale=scale)
            high = book.num(id_, "value_high", scale=scale)
            least = "range_negative" if (book.value(id_, "value_low") or 0) < 0 else "range"
            parts.append(
                book.say(
                    "exhibits.decisions.worth.value_range",
                    value=book.money(id_, scale=scale),
                    range=book.say(f"exhibits.unit.{least}", low=low, high=high),
                )
            )
        else:
            kinds = {"rescue": "at_stake", "collect": "overdue"}.get(kind, "value")
            parts.append(book.say(f"exhibits.decisions.worth.{kinds}", value=book.money(id_)))
    elif kind in ("start", "keep_testing"):
        parts.append(book.words("exhibits.decisions.worth.unknown"))
    return join(parts, book.text("exhibits.list.semicolon"))
