"""The lists that ask for action: must win back, overdue to reorder, warned of.

The two first are the record's worklists. Of those warned of, the report names the customers whose
warning has proven itself (`analysis.exhibits.proven`), and says of each rule how it has fared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from analysis.calendars import Period
from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import fact_id, records
from analysis.exhibits.markup import EMPTY, Rich, join, name, words
from analysis.exhibits.measures import between
from analysis.exhibits.proven import ANY, NONE, POOLED, RULES, Proof, leading, proof, told
from analysis.exhibits.tables import Column, Row, figure, note, stacked, table
from analysis.wording.numbers import Scale

PAGE = "accounts"
WARNING = "warning"
LONG_NAME = 8  # letters of a person in charge that fit the narrow column
# what stands beside money, person and region: head, and the cell of a row
Extra = tuple[str, str, Callable[[Book, dict[str, Any]], Rich]]


def worklist(book: Book, one: str, heading: str = "") -> Exhibit | None:
    """One list with its persons in charge, the most money first.

    A sentence where nobody is on it; None where the record has no such lists.

    Parameters
    ----------
    one
        win_back, reorder or warning.
    heading
        Chapter that begins with it.
    """
    if not book.knows("worklists"):
        return None
    rows = _rows(book, one)
    if rows.empty:
        return _quiet(book, one, heading)
    extras = _EXTRAS[one]
    owned, placed = (bool(rows[c].map(_known).any()) for c in ("owner", "region"))
    columns = [
        Column(class_="no"),
        Column(book.words("exhibits.accounts.head.name"), "nm", row_head=True),
        Column(book.words("exhibits.accounts.head.segment"), "sg"),
        *([owner_column(book, rows["owner"])] if owned else []),
        *([Column(book.words("exhibits.accounts.head.region"), "rg")] if placed else []),
        Column(book.words("exhibits.accounts.head.amount"), "n am"),
        *(
            Column(book.words(f"exhibits.worklists.head.{key}"), class_)
            for key, class_, _ in extras
        ),
    ]
    scale = _scale(book)
    made: list[Row] = [
        [
            book.num(*_id(row), "rank"),
            name(row["name"] if _known(row["name"]) else row["customer_id"]),
            book.short_label(str(row["segment"])),
            *([_told(row["owner"])] if owned else []),
            *([_told(row["region"])] if placed else []),
            book.num(*_id(row), "amount", scale=scale),
            *(build(book, row) for _, _, build in extras),
        ]
        for row in records(rows)
    ]
    lines = _lines(book, one)
    block = stacked(table(columns, made, class_="acc"), *(note(line) for line in lines))
    return figure(
        f"tbl-worklist-{one}",
        book.say(
            f"exhibits.worklists.title.{_key(book, one)}",
            count=book.num(*_head(one), "count"),
            amount=book.money(*_head(one), "total"),
        ),
        block,
        subtitle=book.say(
            f"exhibits.worklists.subtitle.{_key(book, one)}",
            unit=words(scale.label),
            **book.role_names(),
        ),
        page=PAGE,
        heading=heading,
        height=17 + 5.2 * len(made) + 5 * len(lines),
    )


def owner_column(book: Book, owners: pd.Series) -> Column:
    """The column of the persons in charge: names in letters need more room than 王强."""
    longest = max((len(owner) for owner in owners if _known(owner)), default=0)
    kind = "owl" if longest > LONG_NAME else "ow"
    return Column(book.words("exhibits.accounts.head.owner"), kind)


def _rows(book: Book, one: str) -> pd.DataFrame:
    """The rows of a list that are shown, in their order."""
    whole, most = book.frame("worklists"), book.settings.report.list_length
    own = whole[whole["list"] == one]
    if one != WARNING:
        return own[own["rank"] <= most].sort_values("rank")
    first = _leading(book).head(most)
    if first.empty or own.empty:
        return own.head(0)
    rows = own[own["customer_id"].isin(set(first["customer_id"]))].set_index("customer_id")
    kept = [customer for customer in first["customer_id"] if customer in rows.index]
    return rows.loc[kept].reset_index()


def _leading(book: Book) -> pd.DataFrame:
    return leading(book.frame("warnings"), book.frame("warning_record"))


def _id(row: dict[str, Any]) -> tuple[str, ...]:
    customer = str(row["customer_id"])
    return (WARNING, customer) if row["list"] == WARNING else ("worklist", row["list"], customer)


def _head(one: str) -> tuple[str, ...]:
    return (WARNING, "leading") if one == WARNING else ("worklist", one)


def _key(book: Book, one: str) -> str:
    """The words of a list; warnings have others while nothing is known of them."""
    known = one != WARNING or told(proof(book.frame("warning_record")))
    return one if known else "warning_unknown"


def _quiet(book: Book, one: str, heading: str) -> Exhibit:
    lines = _lines(book, one)
    none = "warning_unproven" if one == WARNING and len(book.frame("warnings")) else one
    sentence = book.words(f"exhibits.worklists.none.{none}")
    block = stacked(note(sentence, "quiet"), *(note(line) for line in lines))
    return figure(
        f"tbl-worklist-{one}", EMPTY, block, page=PAGE, heading=heading, height=7 + 5 * len(lines)
    )


def _lines(book: Book, one: str) -> list[Rich]:
    found = [_last(book), _by_rule(book)] if one == WARNING else [_down(book, one)]
    return [line for line in found if line]


def _scale(book: Book) -> Scale:
    """One unit of money for all lists."""
    rows = [row for one in _EXTRAS for row in records(_rows(book, one))]
    return book.scale_of(*(fact_id(*_id(row), "amount") for row in rows))


def _known(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _told(value: Any) -> Rich:
    return name(value) if _known(value) else words("–")


def _over(book: Book, row: dict[str, Any]) -> Rich:
    return book.num("worklist", row["list"], row["customer_id"], "days_over", decimals=0)


def _expected(book: Book, row: dict[str, Any]) -> Rich:
    return words("–") if pd.isna(row["expected_on"]) else book.day(row["expected_on"])


def _cause(book: Book, row: dict[str, Any]) -> Rich:
    """What warned, with the number that did."""
    rows = book.frame("warnings")
    own = rows[rows["customer_id"] == row["customer_id"]]
    if own.empty:
        return words("–")
    rule = str(own["rule"].iloc[0])
    id_ = f"warning.{row['customer_id']}"
    return book.say(
        f"exhibits.worklists.cause.{rule}",
        change=book.num(id_, "activity_change", absolute=True, decimals=0),
        cycles=book.num(id_, "recency_cycles"),
    )


def _chance(book: Book, row: dict[str, Any]) -> Rich:
    return book.num("warning", row["customer_id"], "chance", decimals=0)


_EXTRAS: dict[str, tuple[Extra, ...]] = {
    "win_back": (("days_over", "n rh", _over), ("expected_on", "gap", _expected)),
    "reorder": (("days_over", "n rh", _over), ("expected_on", "gap", _expected)),
    "warning": (("chance", "n rh", _chance), ("cause", "gap why", _cause)),
}


def _down(book: Book, one: str) -> Rich:
    """Below those to win back: how many moved down this period, and where their causes stand."""
    if one != "win_back" or not book.has("worklist.moved_down.count"):
        return EMPTY
    return book.say(
        "exhibits.worklists.moved_down",
        count=book.num("worklist.moved_down.count"),
        amount=book.money("worklist.moved_down.total"),
    )


def _last(book: Book) -> Rich:
    """The latest period whose warnings can be judged: warned, lost, missed."""
    rows = book.frame("warning_record")
    if rows.empty:
        return EMPTY
    judged = rows[(rows["rule"] == ANY) & (rows["period"] != POOLED)]
    if judged.empty:
        return EMPTY
    latest = str(judged["period"].max())
    key = "last" if latest == book.period.previous().name else "earlier"
    return book.say(
        f"exhibits.worklists.{key}",
        period=book.when(Period.parse(latest)),
        count=book.num("warning_record", ANY, latest, "customers"),
        lost=book.num("warning_record", ANY, latest, "lost"),
        missed=book.num("warning_record", NONE, latest, "lost"),
    )


def _by_rule(book: Book) -> Rich:
    """How each rule has fared against those whom nothing warned of; what cannot be told is said."""
    found = proof(book.frame("warning_record"))
    if not told(found):
        return book.words("exhibits.worklists.no_record")
    rest = book.num("warning_record", NONE, POOLED, "rate")
    lines = [book.say("exhibits.worklists.proof.others", rate=rest)]
    return join([*lines, *(_fared(book, rule, found[rule]) for rule in RULES)])


def _fared(book: Book, rule: str, found: Proof) -> Rich:
    id_, now = f"warning_record.{rule}.{POOLED}", ("warning", "rule", rule, "count")
    key: str = found
    if found == "unknown" and not book.value(*now):
        return EMPTY  # too few ever, and nobody now
    if found == "unproven":
        rest = book.value("warning_record", NONE, POOLED, "rate") or 0.0
        key = "no_higher" if (book.value(id_, "rate") or 0.0) <= rest else "not_clear"
    where, lead = EMPTY, EMPTY
    if book.value(*now):
        where = book.say("exhibits.worklists.proof.where", count=book.num(*now))
    if book.has(id_, "lead_days"):
        lead = book.say("exhibits.worklists.lead", days=book.num(id_, "lead_days", decimals=0))
    return book.say(
        f"exhibits.worklists.proof.{key}",
        rule=book.words(f"exhibits.worklists.rule.{rule}"),
        rate=book.num(id_, "rate"),
        range=between(book, book.num(id_, "low"), book.num(id_, "high"), 0.0),
        lead=lead,
        where=where,
    )
