"""Whom a customer, or what a person did, counts for: the company, a segment, a region or so on.

A `Grouping` gives each customer one group, and each person one, so that every row counts for one
group only and the groups add up to the company.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import pyarrow as pa

from analysis.engine import Frame, query
from analysis.tables import ARROW_TYPES, RECORD

ALL = "all"
NOBODY = ""  # the group of rows whose region, team or person is not written down
Cut = Literal["region", "team", "owner"]
CUTS: tuple[Cut, ...] = ("region", "team", "owner")

_FOLK = """
WITH first AS (
    SELECT customer_id, min(CAST(ordered_at AS DATE)) AS first FROM orders GROUP BY customer_id
)
SELECT coalesce(c.customer_id, f.customer_id) AS customer_id,
       CAST(coalesce(c.joined_on, f.first, (SELECT min(first) FROM first)) AS DATE) AS since,
       c.region, c.team_id, c.owner_id, coalesce(c.on_trial, false) AS on_trial
FROM customers AS c FULL JOIN first AS f ON f.customer_id = c.customer_id
"""
_MEMBERS = {
    "region": "SELECT customer_id, since, on_trial, coalesce(region, '') AS segment FROM folk",
    "owner": "SELECT customer_id, since, on_trial, coalesce(owner_id, '') AS segment FROM folk",
    "team": """
        SELECT f.customer_id, f.since, f.on_trial, coalesce(p.team_id, f.team_id, '') AS segment
        FROM folk AS f LEFT JOIN people AS p ON p.person_id = f.owner_id
    """,
}


@dataclass(frozen=True)
class Grouping:
    """Groups of customers and of persons.

    Attributes
    ----------
    members
        customer_id, segment (the group), since (the day it is known from), on_trial.
    persons
        owner_id, segment: what a person did counts for that group, whoever the customer is.
    rest
        The group of rows of neither; None: they count for none.
    own
        Every person is a group of its own, on the staff list or not.
    """

    members: pa.Table
    persons: pa.Table
    rest: str | None
    own: bool = False


def picked(table: Frame | None, name: str, columns: Sequence[str]) -> pa.Table:
    """The columns of a record table that are asked for; those that are not there are empty."""
    known = RECORD[name]
    if table is None:
        return known.schema().empty_table().select(list(columns))
    if isinstance(table, pd.DataFrame):
        table = pa.Table.from_pandas(
            table[[c for c in columns if c in table.columns]], preserve_index=False
        )
    size = table.num_rows
    data = {}
    for column in columns:
        kind = ARROW_TYPES[known.column(column).type]
        there = column in table.column_names
        data[column] = table[column].cast(kind, safe=False) if there else pa.nulls(size, kind)
    return pa.table(data)


def folk(orders: pa.Table, customers: Frame | None) -> pa.Table:
    """Every customer once: since when it is known, and to whom it belongs.

    Who is on no list is known from the first order; who is known, but nobody wrote down since
    when, from the start.
    """
    columns = ["customer_id", "joined_on", "region", "team_id", "owner_id", "on_trial"]
    return query(
        _FOLK,
        orders=picked(orders, "orders", ["customer_id", "ordered_at"]),
        customers=picked(customers, "customers", columns),
    )


def everybody(known: pa.Table) -> Grouping:
    """The whole company as one group."""
    members = query(
        "SELECT customer_id, since, on_trial, 'all' AS segment FROM folk",
        folk=known,
    )
    return Grouping(members, _nobody(), ALL)


def by_segment(known: pa.Table, segments: Frame) -> Grouping:
    """Each customer in its segment; a person belongs to none."""
    named = picked(segments, "segments", ["customer_id", "segment"])
    members = query(
        "SELECT f.customer_id, f.since, f.on_trial, s.segment FROM folk AS f JOIN s "
        "ON s.customer_id = f.customer_id WHERE s.segment IS NOT NULL",
        folk=known,
        s=named,
    )
    return Grouping(members, _nobody(), None)


def by_customer(known: pa.Table) -> Grouping:
    """Each customer a group of its own."""
    members = query(
        "SELECT customer_id, since, on_trial, customer_id AS segment FROM folk", folk=known
    )
    return Grouping(members, _nobody(), None)


def by_cut(known: pa.Table, people: Frame | None, cut: Cut) -> Grouping:
    """Each customer in its region, its team or with its person in charge.

    What a person did counts for that person, or its team. A region has no persons: there the
    customer's counts.
    """
    staff = picked(people, "people", ["person_id", "team_id"])
    members = query(_MEMBERS[cut], folk=known, people=staff)
    persons = _nobody()
    if cut == "team":
        persons = query(
            "SELECT person_id AS owner_id, team_id AS segment FROM people"
            " WHERE team_id IS NOT NULL",
            people=staff,
        )
    return Grouping(members, persons, NOBODY, own=cut == "owner")


def placed(table: Frame, name: str, columns: Collection[str], groups: Grouping) -> pa.Table:
    """Rows of a record table with their group, `segment`; rows of no group are left out.

    Parameters
    ----------
    table, name, columns
        A record table and which of its columns are wanted.
    """
    wanted = list(dict.fromkeys([*columns, "customer_id"]))
    has_owner = "owner_id" in RECORD[name].names
    rows = picked(table, name, [*wanted, "owner_id"] if has_owner else wanted)
    person = "t.owner_id" if has_owner else "NULL"
    mine = f"nullif({person}, '')" if groups.own and has_owner else "NULL"
    # Columns are names of the record's tables, never words of a user.
    return query(
        f"SELECT {', '.join(f't.{c}' for c in wanted)},"  # noqa: S608
        f" coalesce({mine}, p.segment, m.segment, $rest) AS segment"
        " FROM t LEFT JOIN members AS m ON m.customer_id = t.customer_id"
        f" LEFT JOIN persons AS p ON p.owner_id = {person}"
        f" WHERE coalesce({mine}, p.segment, m.segment, $rest) IS NOT NULL",
        {"rest": groups.rest},
        t=rows,
        members=groups.members,
        persons=groups.persons,
    )


def _nobody() -> pa.Table:
    return pa.table({"owner_id": pa.array([], pa.string()), "segment": pa.array([], pa.string())})
