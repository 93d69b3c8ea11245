"""For those who want to see behind the segments: matrices, the clusters' challenge, the rules."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from analysis.exhibits.book import Book
from analysis.exhibits.crosswalk import PAGE as RULES
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.markup import EMPTY, Rich, join, words
from analysis.exhibits.tables import Cell, Column, Row, figure, note, stacked, table
from analysis.segmentation.bands import SIZES, in_size_order

PAGE = "structure"
ALL = "all"
MATRICES = ("value_need", "industry_size")
MOST_ROWS = 10
OTHER, UNKNOWN = "other", "unknown"
ORDERS = {"value_need": (("high", "mid", "low"), ("simple", "complex", "custom"))}


def matrices(book: Book) -> list[Exhibit]:
    """Each matrix with its totals and thin cells marked, and what the clusters say of the rules.

    Nothing where no customer is in a segment.
    """
    if not book.places_customers:
        return []
    cells = book.frame("matrix_cells")
    made = (
        [
            exhibit
            for one in MATRICES
            if (exhibit := _matrix(book, one, cells[cells["matrix"] == one])) is not None
        ]
        if len(cells)
        else []
    )
    lines = []
    if book.knows("matrix_cells"):
        shown = {exhibit.id for exhibit in made}
        lines += [
            book.words(f"exhibits.structure.none.{one}")
            for one in MATRICES
            if f"tbl-matrix-{one}" not in shown
        ]
    lines += [line for line in (challenge(book), decided(book)) if line]
    if lines:
        blocks = stacked(*(note(line) for line in lines))
        made.append(figure("txt-clusters", EMPTY, blocks, page=PAGE, height=2 + 8.5 * len(lines)))
    if made:
        made[0] = replace(made[0], heading=book.text("exhibits.chapter.structure"))
    return made


def _matrix(book: Book, one: str, cells: pd.DataFrame) -> Exhibit | None:
    """Customers and their share by row and column; None where only one row or column is known."""
    rows, columns = (_ordered(cells, one, axis) for axis in ("row", "column"))
    if len(set(rows) - {UNKNOWN}) < 2 or len(set(columns) - {UNKNOWN}) < 2:
        return None
    left_out = len(rows) - MOST_ROWS
    shown = _largest(cells, rows) if left_out > 0 else rows
    heads = [
        Column(book.words(f"exhibits.structure.corner.{one}"), row_head=True),
        *(Column(_label(book, one, "column", c), "n") for c in [*columns, ALL]),
        Column(book.words("exhibits.structure.amount_share"), "n br"),
    ]
    thin = {
        (str(r), str(c))
        for r, c, merged in zip(cells["row"], cells["column"], cells["merged_into"], strict=True)
        if isinstance(merged, str) and merged
    }
    made: list[Row] = [_line(book, one, row, columns, thin) for row in shown]
    lines = [
        book.say(
            f"exhibits.structure.{'thin' if thin else 'no_thin'}",
            count=book.num("matrix", one, "thin"),
        )
    ]
    if left_out > 0:
        lines.append(book.words("exhibits.structure.more_rows"))
    return figure(
        f"tbl-matrix-{one}",
        _title(book, one, rows, columns),
        stacked(
            table(heads, made, class_="slim cross", total=_line(book, one, ALL, columns, set())),
            note(join(lines)),
        ),
        subtitle=book.words("exhibits.structure.subtitle"),
        page=PAGE,
        height=25 + 5.4 * (len(made) + 1),
    )


def _ordered(cells: pd.DataFrame, one: str, axis: str) -> list[str]:
    """Keys with customers as people read them; the total left out, others and unknown last.

    Value from high to low, needs from simple to custom, industries by money, sizes from small to
    large.
    """
    other = "column" if axis == "row" else "row"
    totals = cells[(cells[other] == ALL) & (cells[axis] != ALL) & (cells["customers"] > 0)]
    money = dict(zip(totals[axis].astype(str), totals["amount"].astype(float), strict=True))
    aside = [key for key in (OTHER, UNKNOWN) if key in money]
    keys = sorted(set(money) - set(aside))
    if one in ORDERS:
        known = ORDERS[one][axis == "column"]
        keys.sort(key=lambda key: known.index(key) if key in known else len(known))
    elif axis == "row":
        keys.sort(key=lambda key: -money[key])
    else:
        written = in_size_order([key for key in keys if key not in SIZES])
        keys = [*(key for key in SIZES if key in keys), *written]
    return [*keys, *aside]


def _title(book: Book, one: str, rows: list[str], columns: list[str]) -> Rich:
    """Who holds the most money among what is known: by row, then by column."""

    def most(keys: list[str], axis: str) -> str:
        def money(key: str) -> float:
            place = (key, ALL) if axis == "row" else (ALL, key)
            return book.value("matrix", one, *place, "amount_share") or 0.0

        return max((key for key in keys if key not in (OTHER, UNKNOWN)), key=money)

    row, column = most(rows, "row"), most(columns, "column")
    return book.say(
        f"exhibits.structure.title.{one}",
        row=_label(book, one, "row", row),
        row_share=book.num("matrix", one, row, ALL, "share"),
        row_amount=book.num("matrix", one, row, ALL, "amount_share"),
        column=_label(book, one, "column", column),
        column_share=book.num("matrix", one, ALL, column, "share"),
        column_amount=book.num("matrix", one, ALL, column, "amount_share"),
    )


def _largest(cells: pd.DataFrame, rows: list[str]) -> list[str]:
    totals = cells[(cells["column"] == ALL) & cells["row"].isin(rows)]
    first = totals.sort_values(["customers", "row"], ascending=[False, True]).head(MOST_ROWS)
    kept = set(first["row"].astype(str))
    return [row for row in rows if row in kept]


def _label(book: Book, one: str, axis: str, key: str) -> Rich:
    return book.label(f"matrix.{one}.{axis}", key)


def _line(book: Book, one: str, row: str, columns: list[str], thin: set[tuple[str, str]]) -> Row:
    cells = [_cell(book, one, row, column, (row, column) in thin) for column in columns]
    return [
        _label(book, one, "row", row),
        *cells,
        _cell(book, one, row, ALL, thin=False),
        book.num("matrix", one, row, ALL, "amount_share"),
    ]


def _cell(book: Book, one: str, row: str, column: str, thin: bool) -> Rich | Cell:
    id_ = ("matrix", one, row, column)
    if not book.value(*id_, "customers"):
        return words("–")
    shown = book.say(
        "exhibits.structure.cell",
        count=book.num(*id_, "customers"),
        share=book.num(*id_, "share"),
    )
    return shown + book.words("exhibits.structure.thin_mark") if thin else shown


def challenge(book: Book) -> Rich:
    """Whether clusters found without the rules agree with them; empty without the tables."""
    if not book.knows("cluster_choice"):
        return EMPTY
    choice = book.frame("cluster_choice")
    if choice.empty or not choice["strength"].notna().any():
        return book.words("exhibits.structure.cluster.too_few")
    ks = choice["k"].astype(int)
    chosen = choice[choice["chosen"].astype(bool)]
    if chosen.empty or not book.has("clusters.customers"):
        return book.say(
            "exhibits.structure.cluster.none",
            fewest=book.num("cluster", ks.min(), "k"),
            most=book.num("cluster", ks.max(), "k"),
        )
    k = int(chosen["k"].iloc[0])
    return book.say(
        "exhibits.structure.cluster.found",
        k=book.num("cluster", k, "k"),
        share=book.num("clusters.agree"),
        count=book.num("clusters.differ.count"),
        amount=book.money("clusters.differ.total"),
    )


def decided(book: Book) -> Rich:
    """How many places are a person's decision."""
    rows = book.frame("overrides")
    if rows.empty:
        return EMPTY
    unknown = EMPTY
    if book.has("override.unknown_customer"):
        unknown = book.say(
            "exhibits.structure.unknown", count=book.num("override.unknown_customer")
        )
    if not book.has("override.applied"):
        return book.say("exhibits.structure.decided_none", unknown=unknown)
    expired = EMPTY
    if book.has("override.expired"):
        expired = book.say("exhibits.structure.expired", count=book.num("override.expired"))
    return book.say(
        "exhibits.structure.decided",
        count=book.num("override.applied"),
        expired=expired,
        unknown=unknown,
    )


def rules(book: Book) -> Exhibit | None:
    """How many rules place the customers, and how firmly; None where there are none.

    The rules one by one are for those who write them: they stand in the workbook.
    """
    if not book.knows("scheme_rules") or not book.places_customers:
        return None
    told = book.words("exhibits.structure.none.rules")
    if len(book.frame("scheme_rules")):
        told = book.say(
            "exhibits.structure.rules",
            scheme=book.label("scheme", book.settings.segmentation.scheme),
            count=book.num("rules.count"),
            used=book.num("rules.used"),
            near=book.num("rules.near_cut"),
        )
    return figure("txt-rules", EMPTY, note(told), page=RULES, height=9)
