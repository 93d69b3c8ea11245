"""From another system's customer numbers to the company's own, by the table ``customer_keys``.

A number that has no partner there keeps no customer: its rows go by the rule `unmatched_key`,
with their money. A number that is already the company's own stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from analysis import engine
from analysis.engine import Rows
from analysis.errors import Problem, SourceError
from analysis.settings_sources import Source
from analysis.tables import INPUT, RECORD, counts_money

UNMATCHED = "unmatched"  # column: a number without a partner

_TRANSLATE = """
    SELECT t.* REPLACE (coalesce(k.customer_id, own.customer_id) AS customer_id),
           t.customer_id AS foreign_key,
           CASE WHEN k.customer_id IS NOT NULL THEN 'translated'
                WHEN own.customer_id IS NOT NULL THEN 'own_number'
                WHEN t.customer_id IS NOT NULL THEN 'unmatched' END AS became
    FROM t LEFT JOIN k ON k.key = t.customer_id
    LEFT JOIN own ON own.customer_id = t.customer_id
"""
_BECAME = """
    SELECT $table AS "table", $system AS system, became, count(DISTINCT foreign_key) AS keys,
           count(*) AS rows, CAST(sum({amount}) AS DECIMAL(18, 4)) AS amount
    FROM t WHERE became IS NOT NULL GROUP BY became
"""
_WITHOUT_PARTNER = """
    SELECT $table AS "table", $system AS system, foreign_key AS key, count(*) AS rows,
           CAST(sum({amount}) AS DECIMAL(18, 4)) AS amount
    FROM t WHERE became = 'unmatched' GROUP BY foreign_key
"""
_CLASHES = """
    SELECT system, key, min(customer_id) AS one, max(customer_id) AS other,
           min(_file) AS file FROM keys
    WHERE system IS NOT NULL AND key IS NOT NULL AND customer_id IS NOT NULL
    GROUP BY system, key HAVING min(customer_id) <> max(customer_id) ORDER BY system, key
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
        In the layout of ``unmatched_keys``.
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
        If a number belongs to two customers, or a system has no numbers at all.
    """
    found = dict(tables)
    bridge = [RECORD["key_bridge"].schema().empty_table()]
    missing = [RECORD["unmatched_keys"].schema().empty_table()]
    named = {n: s.keys for n, s in sources.items() if s.keys is not None and n in tables}
    keys = tables.get("customer_keys", INPUT["customer_keys"].schema().empty_table())
    _check(keys, named)
    own = tables.get("customers", keys)
    own = engine.query(
        "SELECT DISTINCT customer_id FROM own WHERE customer_id IS NOT NULL",
        own=own,
    )
    for name, system in named.items():
        partners = engine.query(
            "SELECT DISTINCT key, customer_id FROM keys WHERE system = $system "
            "AND key IS NOT NULL AND customer_id IS NOT NULL",
            {"system": system},
            keys=keys,
        )
        translated = partial(_translated, partners=partners, own=own)
        table = engine.each(tables[name], translated)
        amount = "amount" if counts_money(INPUT[name]) else "NULL::DECIMAL(18, 4)"
        params = {"table": name, "system": system}
        for parts, sql, target in (
            (bridge, _BECAME, "key_bridge"),
            (missing, _WITHOUT_PARTNER, "unmatched_keys"),
        ):
            made = engine.query(sql.format(amount=amount), params, t=table)
            parts.append(made.select(RECORD[target].names).cast(RECORD[target].schema()))
        found[name] = engine.each(table, partial(_handed_on, name))
    return Bridged(
        found,
        engine.conform(pa.concat_tables(bridge), RECORD["key_bridge"]),
        engine.conform(pa.concat_tables(missing), RECORD["unmatched_keys"]),
    )


def _translated(table: pa.Table, partners: pa.Table, own: pa.Table) -> pa.Table:
    return engine.query(_TRANSLATE, t=table, k=partners, own=own)


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
    if named:
        present = sorted(s for s in pc.unique(keys["system"]).to_pylist() if s)
        for name, system in named.items():
            if system not in present:
                args = {"table": name, "system": system, "present": present or ["-"]}
                problems.append(Problem("cleaning.no_keys_of_system", args))
        for clash in engine.query(_CLASHES, keys=keys).to_pylist():
            args = {n: clash[n] for n in ("system", "one", "other")} | {"number": clash["key"]}
            problems.append(Problem("cleaning.key_of_two", args, clash["file"]))
    if problems:
        raise SourceError(problems)
