"""From the names of persons to their numbers: target sheets are often kept by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pyarrow as pa

from analysis import engine
from analysis.engine import Rows
from analysis.tables import RECORD

TABLE, PEOPLE = "targets", "people"

_NUMBERED = """
    WITH named AS (
        SELECT trim(name) AS name, min(person_id) AS person_id FROM people
        WHERE trim(name) <> '' AND person_id IS NOT NULL
        GROUP BY trim(name) HAVING count(DISTINCT person_id) = 1
    ), own AS (SELECT DISTINCT person_id FROM people)
    SELECT t.* REPLACE (coalesce(own.person_id, named.person_id, t.owner_id) AS owner_id),
           trim(t.owner_id) <> '' AND own.person_id IS NULL AND named.person_id IS NULL AS alone
    FROM t LEFT JOIN own ON own.person_id = t.owner_id
    LEFT JOIN named ON named.name = trim(t.owner_id)
"""
_ALONE = """
    SELECT $table AS "table", $system AS system, owner_id AS key, count(*) AS rows,
           NULL::DECIMAL(18, 4) AS amount
    FROM t WHERE alone GROUP BY owner_id
"""


class Numbered(NamedTuple):
    """Tables with persons by number, and whoever could not be found."""

    tables: dict[str, Rows]
    unmatched: pa.Table


def by_number(tables: Mapping[str, Rows]) -> Numbered:
    """Give targets by a person's name that person's number.

    Parameters
    ----------
    tables
        Input tables with all their columns.

    Returns
    -------
    Numbered
        The tables; and in the layout of ``unmatched_keys`` every name or number that is nobody's,
        or that of several people. Its targets stay as they are: they still count for the company.
        Without people there is nothing to compare with.
    """
    schema = RECORD["unmatched_keys"].schema()
    people = tables.get(PEOPLE)
    if TABLE not in tables or people is None or not people.num_rows:
        return Numbered(dict(tables), schema.empty_table())
    found = engine.query(_NUMBERED, t=tables[TABLE], people=people)
    alone = engine.query(_ALONE, {"table": TABLE, "system": PEOPLE}, t=found)
    numbered = dict(tables) | {TABLE: found.drop_columns(["alone"])}
    return Numbered(numbered, alone.select(schema.names).cast(schema))
