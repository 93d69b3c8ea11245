"""From people's codes and names to their numbers.

An ERP's 业务员编码 and a CRM's 负责人 are one person: by the table ``people_keys``, or by the name
in ``people``. A name is the same with other blanks or full-width letters in it; a code is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from analysis import engine
from analysis.cleaning.keys import clashes
from analysis.cleaning.unmatched import PERSON, listed
from analysis.engine import Rows
from analysis.errors import SourceError
from analysis.settings_sources import Source
from analysis.tables import INPUT, RECORD, counts_money

PEOPLE, KEYS = "people", "people_keys"
COLUMN = "owner_id"

_CODED = """
    SELECT key, min(person_id) AS person_id FROM codes
    WHERE key IS NOT NULL AND person_id IS NOT NULL AND ($system IS NULL OR system = $system)
    GROUP BY key HAVING count(DISTINCT person_id) = 1
"""
_OWNERS = "SELECT DISTINCT owner_id FROM t WHERE owner_id IS NOT NULL ORDER BY owner_id"
_NUMBERED = """
    WITH named AS (
        SELECT folded, min(person_id) AS person_id FROM people
        WHERE folded <> '' AND person_id IS NOT NULL
        GROUP BY folded HAVING count(DISTINCT person_id) = 1
    ), exact AS (
        SELECT trim(name) AS name, min(person_id) AS person_id FROM people
        WHERE trim(name) <> '' AND person_id IS NOT NULL
        GROUP BY trim(name) HAVING count(DISTINCT person_id) = 1
    ), own AS (
        SELECT person_id FROM people WHERE person_id IS NOT NULL
        UNION SELECT person_id FROM codes WHERE person_id IS NOT NULL
    )
    SELECT o.owner_id,
           coalesce(CASE WHEN $first THEN c.person_id END, own.person_id, c.person_id,
                    exact.person_id, named.person_id) AS person_id
    FROM owners AS o LEFT JOIN coded AS c ON c.key = trim(o.owner_id)
    LEFT JOIN own ON own.person_id = trim(o.owner_id)
    LEFT JOIN exact ON exact.name = trim(o.owner_id)
    LEFT JOIN named ON named.folded = o.folded
"""
_REPLACED = """
    SELECT t.* REPLACE (coalesce(n.person_id, t.owner_id) AS owner_id)
    FROM t LEFT JOIN n ON n.owner_id = t.owner_id
"""
_ALONE = """
    SELECT owner_id AS key, count(*) AS rows, CAST(sum({amount}) AS DECIMAL(18, 4)) AS amount
    FROM t WHERE owner_id IN (SELECT owner_id FROM n WHERE person_id IS NULL AND
                              trim(owner_id) <> '') GROUP BY owner_id
"""


class Numbered(NamedTuple):
    """Tables with persons by number, and whoever could not be found."""

    tables: dict[str, Rows]
    unmatched: pa.Table


def by_number(tables: Mapping[str, Rows], sources: Mapping[str, Source]) -> Numbered:
    """Give every table that names persons by another system's code or by name their numbers.

    Parameters
    ----------
    tables
        Input tables with all their columns.
    sources
        Settings of the sources: where `keys` names a system, that system's codes come before the
        company's own numbers.

    Returns
    -------
    Numbered
        The tables; and in the layout of ``unmatched_keys``, not ranked, every code or name that
        is nobody's, or that of several people. Its rows stay as they are: their money counts, and
        the targets still count for the company. Without people there is nothing to compare with.

    Raises
    ------
    SourceError
        If a code belongs to two persons.
    """
    small = {name: table for name, table in tables.items() if isinstance(table, pa.Table)}
    people, codes = small.get(PEOPLE), small.get(KEYS)
    parts = [RECORD["unmatched_keys"].schema().empty_table()]
    if not (people is not None and people.num_rows) and not (codes is not None and codes.num_rows):
        return Numbered(dict(tables), parts[0])
    people = INPUT[PEOPLE].schema().empty_table() if people is None else people
    people = people.append_column("folded", _folded(people["name"]))
    codes = _empty_codes() if codes is None else codes
    problems = clashes(codes, "person_id", "cleaning.code_of_two")
    if problems:
        raise SourceError(problems)
    found = dict(tables)
    systems = set(pc.unique(codes["system"]).to_pylist())
    for name, table in tables.items():
        if COLUMN not in table.column_names or engine.null_count(table, COLUMN) == table.num_rows:
            continue
        system = sources[name].keys if name in sources else None
        system = system if system in systems else None
        owners = engine.query(_OWNERS, t=table)
        numbers = engine.query(
            _NUMBERED,
            {"first": system is not None},
            owners=owners.append_column("folded", _folded(owners[COLUMN])),
            people=people,
            codes=codes,
            coded=engine.query(_CODED, {"system": system}, codes=codes),
        )
        amount = "amount" if counts_money(INPUT[name]) else "NULL::DECIMAL(18, 4)"
        alone = engine.query(_ALONE.format(amount=amount), t=table, n=numbers)
        parts.append(listed(name, PERSON, alone))
        found[name] = engine.each(table, partial(_replaced, numbers=numbers))
    return Numbered(found, pa.concat_tables(parts))


def _replaced(table: pa.Table, numbers: pa.Table) -> pa.Table:
    return engine.query(_REPLACED, t=table, n=numbers)


def _empty_codes() -> pa.Table:
    empty = INPUT[KEYS].schema().empty_table()
    none = pa.array([], pa.string())
    return empty.append_column("_file", none).append_column("_row", pa.array([], pa.int64()))


def _folded(names: pa.ChunkedArray) -> pa.ChunkedArray:
    """Names without blanks, in one width and case."""
    plain = pc.utf8_lower(pc.utf8_normalize(names.cast(pa.string()), form="NFKC"))
    return pc.replace_substring_regex(plain, pattern=r"\s+", replacement="")
