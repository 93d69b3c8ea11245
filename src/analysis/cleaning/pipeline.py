"""Cleaning: every row ends kept, or removed by exactly one rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis import engine
from analysis.calendars import Period
from analysis.cleaning import (
    answers,
    documents,
    emails,
    groups,
    keys,
    outputs,
    person_names,
    phones,
    quality,
    unify,
    unmatched,
)
from analysis.cleaning.reconcile import reconcile
from analysis.cleaning.rules import judge
from analysis.cleaning.tables import in_force, rules
from analysis.cleaning.test_accounts import pattern
from analysis.engine import Rows
from analysis.errors import Problem, ScopeError, StageError
from analysis.settings_model import Settings
from analysis.stored import Stored
from analysis.tables import ARROW_TYPES, INPUT, RECORD

# The tables a record holds; others stay with the room that reads them.
TABLES = (
    "customers", "orders", "contacts", "activities", "tickets", "people", "treatments",
    "outcomes", "targets", "customer_keys", "receivables", "payments", "invoices", "controls",
    "subscriptions", "usage", "surveys", "leads", "opportunities", "tasks", "load_failures",
    "signals", "customer_changes",
)  # fmt: skip
# What only says how other tables are to be read.
_HELPING = (*documents.RAW, "people_keys")
# The record's own ``tasks`` are those of the plan; what was reported back stands beside them.
_NAMED = {"tasks": "task_results"}
_WHO = ("orders", "treatments")  # who is in them is a customer


@dataclass(frozen=True)
class Cleaned:
    """What cleaning hands on.

    Attributes
    ----------
    tables
        Record tables, without the rows removed.
    removed
        Removed rows, each with its rule.
    reconciliation
        read − rules = kept, per table.
    quality
        Checks on the data as it came in.
    company_matches
        Pairs of customers that are, or may be, one company.
    key_bridge, unmatched_keys
        What became of other systems' customer numbers, and those without a partner; names of
        persons that are nobody's stand with the latter.
    """

    tables: dict[str, Rows]
    removed: Rows
    reconciliation: pd.DataFrame
    quality: pd.DataFrame
    company_matches: pa.Table
    key_bridge: pa.Table
    unmatched_keys: pa.Table


def clean(
    tables: Mapping[str, Rows],
    settings: Settings,
    as_of: date,
    rejected: pa.Table | None = None,
    planned: pd.DataFrame | None = None,
) -> Cleaned:
    """Clean all tables.

    Parameters
    ----------
    tables
        As `sources.read` returns them. Of stored orders the result is stored as well.
    settings
        Uses `cleaning`, `scope` and of the sources `keys`.
    as_of
        Last day that counts: later rows go.
    rejected
        Rows that could not be read; they join the removed ones, so that the reconciliation
        starts at the file.
    planned
        RECORD ``tasks`` of the approved plan that runs: answers in workbooks of tasks belong to
        it, and the rows that a CRM refused are held against it. None: not known.

    Raises
    ------
    SourceError
        If a key of another system belongs to two customers, or that system has none.
    ScopeError
        If no customer, or of given orders none, is left; it names the rule that removed most.
    StageError
        If rows or money do not tie out, or the data is below the gate and the settings say
        to stop there.
    """
    complete = {n: _complete(n, tables[n]) for n in (*TABLES, *_HELPING) if n in tables}
    made = documents.from_documents(
        complete, settings.sources, as_of, netted=settings.cleaning.rules.returns_netted
    )
    bridged = keys.translate(made.tables, made.sources)
    numbered = person_names.by_number(bridged.tables, made.sources)
    given = {n: t for n, t in numbered.tables.items() if n in TABLES}
    if "tasks" in given:
        given["tasks"] = answers.with_plan(given["tasks"], planned)
    if "orders" in given:
        given["orders"] = engine.spread(given["orders"], _ORDER)
    checks = quality.assess(given, settings.cleaning, as_of, made.checks)
    judged, pairs = _judge_all(given, settings, as_of)
    removed = _removed(given, judged, rejected, documents.RAW)
    kept = _outputs(judged, tables.get("relations"), settings, as_of)
    _something_left(given, kept, removed)
    steps = reconcile(
        {**made.raw, **given},
        removed,
        {**made.raw, **kept}
        | ({"customers": outputs.kept(judged["customers"])} if "customers" in given else {}),
    )
    _gate(checks, settings)
    kept = {_NAMED.get(name, name): table for name, table in kept.items()}
    kept["load_failures"] = answers.known(kept["load_failures"], planned)
    alone = pa.concat_tables([bridged.unmatched, numbered.unmatched, made.unmatched])
    listed = unmatched.ranked(alone, made.tables)
    return Cleaned(kept, removed, steps, checks, pairs, bridged.bridge, listed)


# Lines that a rule compares, or that are numbered together, agree in this. It begins as the number
# made for an order that has none, so that orders of one block come before those of the next.
_ORDER = "coalesce(order_id, customer_id || '~' || strftime(ordered_at, '%Y%m%d'), customer_id, '')"


def _complete(name: str, table: Rows) -> Rows:
    """All canonical columns (missing ones null) and the row's place."""
    if isinstance(table, Stored):
        return table  # the reader has seen to it
    size = table.num_rows
    data: dict[str, Any] = {}
    for column in INPUT[name].columns:
        kind = ARROW_TYPES[column.type]
        present = column.name in table.column_names
        data[column.name] = table[column.name].cast(kind) if present else pa.nulls(size, kind)
    places = {"_file": pa.repeat(pa.scalar(""), size), "_row": pa.array(range(2, size + 2))}
    for place, default in places.items():
        data[place] = table[place] if place in table.column_names else default
    if answers.PLAN_START in table.column_names:
        data[answers.PLAN_START] = table[answers.PLAN_START]
    return pa.table(data)


def _judge_all(
    given: Mapping[str, Rows], settings: Settings, as_of: date
) -> tuple[dict[str, Rows], pa.Table]:
    """Every table with the rule that removes each row, and the pairs of customers found alike."""
    params = _params(settings, as_of)
    pairs = RECORD["company_matches"].schema().empty_table()
    judged: dict[str, Rows] = {}
    listed = "customers" in given
    fate = pa.table({"customer_id": pa.array([], pa.string()), "fate": pa.array([], pa.string())})
    known = pa.table({"customer_id": pa.array([], pa.string())})

    def run(name: str, everybody: bool) -> None:
        bridged = keys.UNMATCHED in given[name].column_names
        found = rules(name, settings.cleaning, settings.scope, bridged=bridged)

        def judge_block(table: pa.Table) -> pa.Table:
            table = _with_customer(table, fate, known, everybody)
            if name == "contacts":
                table = table.append_column("reachable", _reachable(table))
            return judge(table, found, params)

        judged[name] = engine.each(given[name], judge_block)

    if listed:
        table = _with_customer(given["customers"], fate, known, everybody=True)
        table = _with_ordered(table, given.get("orders"), params)
        found = rules("customers", settings.cleaning, settings.scope)
        judged["customers"] = judge(table, found, params)
        unified = unify.unify(judged["customers"], given, settings.cleaning)
        judged["customers"], given, pairs = unified
        fate, known = _fates(judged["customers"]), _ids(judged["customers"])
    if "orders" in given:
        run("orders", everybody=not listed)
        judged["orders"] = _lapsed(judged["orders"], params)
    since = settings.scope.orders_since is not None and "orders" in given
    if since and listed:
        judged["customers"] = _inactive(judged["customers"], judged["orders"], params)
        fate, known = _fates(judged["customers"]), _ids(judged["customers"])
    elif since:
        known = _ids(judged["orders"])
    if "treatments" in given:
        run("treatments", everybody=not listed and not since)
    who = [judged[n] for n in _WHO if n in judged]
    if not listed:
        known = pa.concat_tables([known, *(_ids(t) for t in who)])
    nobody = not listed and not who  # then every table says who the customers are
    for name in given:
        if name not in judged:
            run(name, everybody=nobody or "customer_id" not in given[name].column_names)
    return judged, pairs


def _params(settings: Settings, as_of: date) -> dict[str, Any]:
    return {
        "earliest": settings.cleaning.earliest,
        "latest": as_of + timedelta(days=settings.cleaning.latest_after),
        "tomorrow": as_of + timedelta(days=1),
        "since": settings.scope.orders_since,
        "start": Period.parse(settings.period).start,
        "regions": list(settings.scope.regions),
        "void_words": [w.strip().lower() for w in settings.cleaning.void_words],
        "test_pattern": pattern(settings.cleaning.test_words),
    }


def _with_customer(table: pa.Table, fate: pa.Table, known: pa.Table, everybody: bool) -> pa.Table:
    """Add what is known of each row's customer: `fate` and `known`."""
    if "customer_id" not in table.column_names or (everybody and not fate.num_rows):
        nulls = pa.nulls(table.num_rows, pa.string())
        table = table.append_column("fate", nulls)
        return table.append_column("known", pa.repeat(pa.scalar(True), table.num_rows))
    return engine.query(
        "SELECT t.*, f.fate, coalesce($everybody OR k.customer_id IS NOT NULL, false) AS known "
        "FROM t LEFT JOIN f ON f.customer_id = t.customer_id "
        "LEFT JOIN (SELECT DISTINCT customer_id FROM k) k ON k.customer_id = t.customer_id",
        {"everybody": everybody},
        t=table,
        f=fate,
        k=known,
    )


def _with_ordered(customers: pa.Table, orders: Rows | None, params: Mapping[str, Any]) -> pa.Table:
    if orders is None:
        return customers.append_column("ordered", pa.repeat(pa.scalar(False), customers.num_rows))
    return engine.query(
        "SELECT c.*, o.customer_id IS NOT NULL AS ordered FROM c LEFT JOIN "
        "(SELECT DISTINCT customer_id FROM orders WHERE ordered_at < $tomorrow) o "
        "ON o.customer_id = c.customer_id",
        {"tomorrow": params["tomorrow"]},
        c=customers,
        orders=orders,
    )


def _lapsed(orders: Rows, params: Mapping[str, Any]) -> Rows:
    """Orders of customers whose latest one lies before the scope's first day are out of it."""
    if params["since"] is None:
        return orders
    lapsed = engine.query(
        "SELECT customer_id FROM orders WHERE rule IS NULL "
        "GROUP BY customer_id HAVING max(ordered_at) < $since",
        {"since": params["since"]},
        orders=orders,
    )
    sql = (
        "SELECT t.* REPLACE (CASE WHEN rule IS NULL AND lapsed.customer_id IS NOT NULL "
        "THEN 'out_of_scope' ELSE rule END AS rule) "
        "FROM t LEFT JOIN lapsed ON lapsed.customer_id = t.customer_id"
    )
    return engine.each(orders, lambda block: engine.query(sql, t=block, lapsed=lapsed))


def _fates(judged: pa.Table) -> pa.Table:
    """The rule that removed each customer of whom no row stayed."""
    return engine.query(
        "SELECT customer_id, min(rule) AS fate FROM t WHERE customer_id IS NOT NULL "
        "GROUP BY customer_id HAVING count(*) = count(rule)",
        t=judged,
    )


def _ids(judged: Rows) -> pa.Table:
    return engine.query(
        "SELECT DISTINCT customer_id FROM t WHERE rule IS NULL AND customer_id IS NOT NULL",
        t=judged,
    )


def _inactive(customers: pa.Table, orders: Rows, params: Mapping[str, Any]) -> pa.Table:
    """Customers without an order since the scope's first day; a trial has none by nature."""
    return engine.query(
        "SELECT c.* REPLACE (CASE WHEN c.rule IS NULL AND o.customer_id IS NULL "
        "AND NOT coalesce(c.on_trial, false) THEN 'out_of_scope' ELSE c.rule END AS rule) "
        "FROM c LEFT JOIN (SELECT DISTINCT customer_id FROM orders "
        "WHERE rule IS NULL AND ordered_at >= $since) o ON o.customer_id = c.customer_id",
        {"since": params["since"]},
        c=customers,
        orders=orders,
    )


def _reachable(contacts: pa.Table) -> pa.Array:
    """Whether a contact has a valid phone or mail; true where the files hold neither."""
    phone, mail = phones.valid(contacts["phone"]), emails.valid(contacts["email"])
    if phone.null_count == mail.null_count == len(contacts):
        return pa.repeat(pa.scalar(True), contacts.num_rows)
    return pc.or_(pc.fill_null(phone, False), pc.fill_null(mail, False))


def _removed(
    given: Mapping[str, Rows],
    judged: Mapping[str, Rows],
    rejected: pa.Table | None,
    others: Sequence[str],
) -> Rows:
    contract = RECORD["removed_rows"]
    parts = [contract.schema().empty_table()]
    parts += [engine.each(judged[n], partial(outputs.removed, n, key=INPUT[n].key)) for n in given]
    if rejected is not None:
        parts.append(rejected.filter(pc.is_in(rejected["table"], pa.array([*given, *others]))))
    return engine.conform_rows(engine.together(parts), contract)


def _outputs(
    judged: Mapping[str, Rows],
    relations: pa.Table | None,
    settings: Settings,
    as_of: date,
) -> dict[str, Rows]:
    found: dict[str, Rows] = {n: RECORD[_NAMED.get(n, n)].schema().empty_table() for n in TABLES}
    if "orders" in judged:
        lines = engine.each(judged["orders"], outputs.orders)
        found["orders"] = engine.ordered(lines, RECORD["orders"])
    for name in judged:
        if name not in ("orders", "customers"):
            found[name] = outputs.other(name, judged[name], as_of, RECORD[_NAMED.get(name, name)])
    every = judged["customers"] if "customers" in judged else _nothing("customers")
    tops = groups.topmost(every, unify.relations_of(every, relations))
    listed = outputs.kept(every)
    lines = judged["orders"] if "orders" in judged else _nothing("orders")
    named = [n for n in _WHO if n in judged]
    if not in_force("unknown_customer", settings.cleaning) or not (named or "customers" in judged):
        named = [n for n in judged if "customer_id" in RECORD[n].names]
    ids = [outputs.ids(found[n]) for n in named if n != "customers"]
    found["customers"] = outputs.customers(listed, ids, lines, tops, settings.cleaning, as_of)
    return found


def _nothing(name: str) -> pa.Table:
    empty = INPUT[name].schema().empty_table()
    return empty.append_column("rule", pa.array([], pa.string()))


def _something_left(given: Mapping[str, Rows], kept: Mapping[str, Rows], removed: Rows) -> None:
    empty = [n for n in ("orders", "customers") if n in given and not kept[n].num_rows]
    if not empty and kept["customers"].num_rows:
        return
    name = next(iter(empty), "treatments" if "treatments" in given else "customers")
    gone = engine.query(
        "SELECT rule, count(*) AS n, sum(count(*)) OVER () AS total FROM removed "
        'WHERE "table" = $name GROUP BY rule ORDER BY n DESC, rule',
        {"name": name},
        removed=removed,
    ).to_pylist()
    if not gone:
        raise ScopeError(Problem("cleaning.nothing_read", {"table": name}))
    args = {
        "table": name,
        "rule": {"key": f"rule.{gone[0]['rule']}"},
        "rows": str(gone[0]["n"]),
        "total": str(gone[0]["total"]),
    }
    raise ScopeError(Problem("cleaning.nothing_left", args))


def _gate(checks: pd.DataFrame, settings: Settings) -> None:
    if not settings.cleaning.stop_below_gate or checks.empty:
        return
    overall = checks[checks["check"] == "accuracy"].iloc[0]
    if overall["share"] >= settings.cleaning.gate:
        return
    fields = checks[checks["check"] != "accuracy"].sort_values(
        ["failed", "table", "field", "check"], ascending=[False, True, True, True]
    )
    worst = [f"{r.table}.{r.field}" for r in fields.head(3).itertuples()]
    args = {
        "share": f"{overall['share']:.1%}",
        "gate": f"{settings.cleaning.gate:.1%}",
        "fields": list(dict.fromkeys(worst)),
    }
    raise StageError(Problem("cleaning.below_gate", args))
