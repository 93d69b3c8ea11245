"""From another system's customer numbers to the company's own, by the table ``customer_keys``.

A number that has no partner there keeps no customer: its rows go by the rule `unmatched_key`,
with their money. A number that is already the company's own stays as it is. A partner may itself
be a number of a further system: such a chain is followed to its end. Numbers that differ in case,
width, blanks or leading zeros are different numbers; the list of those without a partner says
which one they resemble.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from analysis import engine
from analysis.cleaning.unmatched import listed, nearest
from analysis.engine import Rows
from analysis.errors import Problem, SourceError
from analysis.settings_sources import Source
from analysis.tables import INPUT, RECORD, counts_money

UNMATCHED = "unmatched"  # column: a number without a partner
_LONGEST = 10  # a chain of numbers that is longer goes in a circle
_SHOWN = 3

_PARTNERS = """
    SELECT DISTINCT system, key, customer_id, customer_id AS first, 0 AS steps FROM keys
    WHERE system IS NOT NULL AND key IS NOT NULL AND customer_id IS NOT NULL
"""
# Where the partner is nobody of ours but a number that one customer has elsewhere: on to that one.
_FURTHER = """
    SELECT p.system, p.key, coalesce(n.customer_id, p.customer_id) AS customer_id, p.first,
           p.steps + CAST(n.customer_id IS NOT NULL AS INTEGER) AS steps
    FROM p LEFT JOIN (
        SELECT key, min(first) AS customer_id FROM p
        WHERE key NOT IN (SELECT customer_id FROM ends)
        GROUP BY key HAVING count(DISTINCT first) = 1 AND min(first) <> key) AS n
      ON n.key = p.customer_id
"""
_TRANSLATE = """
    SELECT t.* REPLACE (coalesce(k.customer_id, own.customer_id) AS customer_id),
           t.customer_id AS foreign_key,
           CASE WHEN k.steps > 0 THEN 'chained' WHEN k.customer_id IS NOT NULL THEN 'translated'
                WHEN own.customer_id IS NOT NULL THEN 'own_number'
                WHEN t.customer_id IS NOT NULL THEN 'unmatched' END AS became
    FROM t LEFT JOIN (FROM k WHERE system = $system) AS k ON k.key = t.customer_id
    LEFT JOIN own ON own.customer_id = t.customer_id
"""
_BECAME = """
    SELECT $table AS "table", $system AS system, became, count(DISTINCT foreign_key) AS keys,
           count(DISTINCT customer_id) AS customers,
           count(*) AS rows, CAST(sum({amount}) AS DECIMAL(18, 4)) AS amount
    FROM t WHERE became IS NOT NULL GROUP BY became
"""
_WITHOUT_PARTNER = """
    SELECT foreign_key AS key, count(*) AS rows, CAST(sum({amount}) AS DECIMAL(18, 4)) AS amount
    FROM t WHERE became = 'unmatched' GROUP BY foreign_key
"""
_KNOWN = """
    SELECT key, customer_id FROM k WHERE system = $system
    UNION SELECT customer_id, customer_id FROM own
"""
CLASHES = """
    SELECT system, key, arg_min(owner, place) AS one, arg_max(owner, far) AS other,
           arg_min(_file, place) AS file, arg_min(_row, place) AS line,
           arg_max(_file, far) AS other_file, arg_max(_row, far) AS other_line
    FROM (SELECT system, key, {owner} AS owner, _file, _row, ({owner}, _file, _row) AS place,
                 ({owner}, _file, -_row) AS far FROM keys
          WHERE system IS NOT NULL AND key IS NOT NULL AND {owner} IS NOT NULL)
    GROUP BY system, key HAVING min(owner) <> max(owner) ORDER BY system, key
"""


@dataclass(frozen=True)
class Bridged:
    """Tables under the company's own customer numbers.

    Attributes
    ----------
    tables
        The input tables; those that were translated have a column `unmatched`.
    bridge
        In the layout of ``key_bridge``.
    unmatched
        In the layout of ``unmatched_keys``, not ranked.
    """

    tables: dict[str, Rows]
    bridge: pa.Table
    unmatched: pa.Table


def translate(tables: Mapping[str, Rows], sources: Mapping[str, Source]) -> Bridged:
    """Replace other systems' customer numbers where a source says that it holds them.

    Parameters
    ----------
    tables
        Input tables with all their columns.
    sources
        Settings of the sources: `keys` names the system.

    Raises
    ------
    SourceError
        If a number belongs to two customers, numbers lead back to themselves, a system has no
        numbers at all, or none of a table's numbers is among them.
    """
    found = dict(tables)
    bridge = [RECORD["key_bridge"].schema().empty_table()]
    missing = [RECORD["unmatched_keys"].schema().empty_table()]
    named = {n: s.keys for n, s in sources.items() if s.keys is not None and n in tables}
    if not named:
        return Bridged(found, bridge[0], missing[0])
    keys = tables.get("customer_keys", INPUT["customer_keys"].schema().empty_table())
    _check(keys, named)
    own = tables.get("customers", keys)
    own = engine.query(
        "SELECT DISTINCT customer_id FROM own WHERE customer_id IS NOT NULL",
        own=own,
    )
    partners = _followed(keys, own if "customers" in tables else None)
    problems: list[Problem] = []
    for name, system in named.items():
        params = {"system": system}
        translated = partial(_translated, system=system, partners=partners, own=own)
        table = engine.each(tables[name], translated)
        amount = "amount" if counts_money(INPUT[name]) else "NULL::DECIMAL(18, 4)"
        made = engine.query(_BECAME.format(amount=amount), params | {"table": name}, t=table)
        alone = engine.query(_WITHOUT_PARTNER.format(amount=amount), t=table)
        known = engine.query(_KNOWN, params, k=partners, own=own)
        near = nearest(alone, known)
        if set(made["became"].to_pylist()) == {"unmatched"}:
            problems.append(_no_match(name, system, alone, near))
        bridge.append(made.select(RECORD["key_bridge"].names).cast(RECORD["key_bridge"].schema()))
        missing.append(listed(name, system, alone, near))
        found[name] = engine.each(table, partial(_handed_on, name))
    if problems:
        raise SourceError(problems)
    return Bridged(
        found,
        engine.conform(pa.concat_tables(bridge), RECORD["key_bridge"]),
        pa.concat_tables(missing),
    )


def _followed(keys: pa.Table, own: pa.Table | None) -> pa.Table:
    """system, key, customer_id, steps: each number with the customer at the end of its chain.

    Parameters
    ----------
    own
        The company's customers; None: whoever is a partner and has no number of its own.
    """
    partners = engine.query(_PARTNERS, keys=keys)
    ends = own
    if ends is None:
        ends = engine.query(
            "SELECT DISTINCT customer_id FROM p WHERE customer_id NOT IN "
            "(SELECT key FROM p WHERE key <> customer_id)",
            p=partners,
        )
    before = -1
    for _ in range(_LONGEST + 1):
        partners = engine.query(_FURTHER, p=partners, ends=ends)
        steps = pc.sum(partners["steps"]).as_py() or 0
        if steps == before:
            return partners
        before = steps
    circle = partners.filter(pc.equal(partners["steps"], pc.max(partners["steps"])))
    shown = sorted(set(circle["key"].to_pylist()))[:_SHOWN]
    raise SourceError(Problem("cleaning.keys_in_a_circle", {"numbers": shown}))


def _no_match(name: str, system: str, alone: pa.Table, near: pa.Table) -> Problem:
    args = {
        "table": name, "system": system, "numbers": str(alone.num_rows),
        "sample": sorted(alone["key"].to_pylist())[:_SHOWN],
    }  # fmt: skip
    if not near.num_rows:
        return Problem("cleaning.no_key_matches", args)
    first = min(near.to_pylist(), key=lambda row: str(row["key"]))
    alike = {"alike": str(near.num_rows), "number": first["key"], "near": first["near"]}
    return Problem("cleaning.keys_only_alike", args | alike)


def _translated(table: pa.Table, system: str, partners: pa.Table, own: pa.Table) -> pa.Table:
    return engine.query(_TRANSLATE, {"system": system}, t=table, k=partners, own=own)


def _handed_on(name: str, table: pa.Table) -> pa.Table:
    alone = pc.equal(table["became"], "unmatched")
    none = pa.scalar(None, pa.string())
    unmatched = pc.if_else(pc.fill_null(alone, False), table["foreign_key"], none)
    if name == "receivables":  # several accounts of one customer stay apart
        place = table.column_names.index("account")
        account = pc.coalesce(table["account"], table["foreign_key"])
        table = table.set_column(place, "account", account)
    return table.drop_columns(["foreign_key", "became"]).append_column(UNMATCHED, unmatched)


def _check(keys: pa.Table, named: Mapping[str, str]) -> None:
    problems = []
    present = sorted(s for s in pc.unique(keys["system"]).to_pylist() if s)
    for name, system in named.items():
        if system not in present:
            args = {"table": name, "system": system, "present": present or ["-"]}
            problems.append(Problem("cleaning.no_keys_of_system", args))
    problems += clashes(keys, "customer_id", "cleaning.key_of_two")
    if problems:
        raise SourceError(problems)


def clashes(keys: pa.Table, owner: str, problem: str) -> list[Problem]:
    """A problem for every number that belongs to two, with both rows."""
    found = []
    for clash in engine.query(CLASHES.format(owner=owner), keys=keys).to_pylist():
        args = {n: clash[n] for n in ("system", "one", "other", "other_file")}
        args |= {"number": clash["key"], "other_line": str(clash["other_line"])}
        found.append(Problem(problem, args, clash["file"], clash["line"]))
    return found
