"""Tables that stand in an export as documents: returns, the log of tickets, unpaid invoices.

returns         mark the order lines that came back; what an order already holds as negative
                lines stays there, or it would be taken off twice
ticket_events   one ticket each: opened with the first event, answered with the first
                `answered`, closed with the last `closed`
open_items      receivables by age: days from due to the day of the list
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any, NamedTuple

import pyarrow as pa

from analysis import engine
from analysis.cleaning.unmatched import ORDER, listed
from analysis.settings_sources import Source
from analysis.tables import INPUT, MADE_FROM, RECORD

RETURNS = "returns"
RAW = (*MADE_FROM, RETURNS)

_NEAR = "returned_on IS NULL OR returned_on < $tomorrow"
_MARKED = f"""
    WITH back AS (SELECT DISTINCT order_id, line_id FROM r WHERE {_NEAR})
    SELECT t.* REPLACE (coalesce(t.returned, false) OR (t.order_id IS NOT NULL
        AND t.order_id NOT IN (FROM netted) AND (
        t.order_id IN (SELECT order_id FROM back WHERE line_id IS NULL) OR EXISTS (
            FROM back AS b WHERE b.order_id = t.order_id AND b.line_id = t.line_id))) AS returned)
    FROM t
"""  # noqa: S608
_NETTED = "SELECT DISTINCT order_id FROM t WHERE amount < 0 AND order_id IS NOT NULL"
_ORDERLESS = """
    SELECT order_id AS key, count(*) AS rows, NULL::DECIMAL(18, 4) AS amount FROM r
    WHERE order_id NOT IN (SELECT order_id FROM t WHERE order_id IS NOT NULL) GROUP BY order_id
"""
_TICKETS = """
    SELECT ticket_id, arg_min(customer_id, place) AS customer_id, min(happened_at) AS opened_at,
           min(happened_at) FILTER (event = 'answered') AS first_response_at,
           max(happened_at) FILTER (event = 'closed') AS closed_at,
           arg_max(kind, place) AS kind, arg_max(priority, place) AS priority,
           arg_min(_file, place) AS _file, arg_min(_row, place) AS _row
    FROM (SELECT *, (happened_at, _file, _row) AS place FROM t
          WHERE happened_at < $tomorrow AND customer_id IS NOT NULL)
    GROUP BY ticket_id
"""
_AGED = """
    SELECT customer_id, as_of, amount, item_id AS account, _file, _row,
           CASE WHEN late < 0 THEN 'not_due' WHEN late = 0 THEN 'due_today'
                WHEN late <= 30 THEN '1-30' WHEN late <= 60 THEN '31-60'
                WHEN late <= 90 THEN '61-90' WHEN late <= 180 THEN '91-180'
                WHEN late <= 360 THEN '181-360' WHEN late > 360 THEN '361+' END AS bucket,
           CASE WHEN late > 0 THEN amount WHEN late <= 0 THEN 0 END AS overdue
    FROM (SELECT *, date_diff('day', CAST(due_on AS DATE), CAST(as_of AS DATE)) AS late FROM t)
"""
_SHARED = """
    SELECT count(*) FILTER (n = 1) AS good, count(*) AS n FROM (
        SELECT count(DISTINCT customer_id) AS n FROM t
        WHERE {number} IN (FROM named) AND customer_id IS NOT NULL GROUP BY {number})
"""


class Made(NamedTuple):
    """Tables with what the documents say.

    Attributes
    ----------
    tables
        The input tables; the documents themselves are no longer among them.
    raw
        The documents, for the reconciliation: all of them are kept.
    sources
        The settings of the sources; a table that was made has those of its documents.
    checks
        (table, field, check, passed, failed), as ``quality`` counts.
    unmatched
        Returns of orders that are not there, in the layout of ``unmatched_keys``.
    """

    tables: dict[str, pa.Table]
    raw: dict[str, pa.Table]
    sources: dict[str, Source]
    checks: list[tuple[str, str, str, int, int]]
    unmatched: pa.Table


def from_documents(
    tables: Mapping[str, pa.Table], sources: Mapping[str, Source], as_of: date, *, netted: bool
) -> Made:
    """Make tickets and receivables of their documents, and mark the lines that were returned.

    Parameters
    ----------
    tables
        Input tables with all their columns and their places.
    sources
        Settings of the sources.
    as_of
        Last day that counts: what came later is not known.
    netted
        Whether returns reduce revenue; else what was sold stays, as with negative lines.
    """
    tomorrow = {"tomorrow": as_of + timedelta(days=1)}
    raw = {name: tables[name] for name in RAW if name in tables}
    found = {name: table for name, table in tables.items() if name not in raw}
    given = dict(sources)
    checks: list[tuple[str, str, str, int, int]] = []
    alone = RECORD["unmatched_keys"].schema().empty_table()
    if "ticket_events" in raw:
        events = raw["ticket_events"]
        found["tickets"] = _made("tickets", engine.query(_TICKETS, tomorrow, t=events))
        checks += _one_customer("ticket_events", "ticket_id", events, events)
    if "open_items" in raw:
        found["receivables"] = _made("receivables", engine.query(_AGED, t=raw["open_items"]))
    for name, made in MADE_FROM.items():
        if name in raw and name in sources:
            given[made] = sources[name]
    if RETURNS in raw and "orders" in found:
        back, orders = raw[RETURNS], found["orders"]
        checks += _one_customer(RETURNS, "order_id", back, orders)
        alone = listed(RETURNS, ORDER, engine.query(_ORDERLESS, r=back, t=orders))
        if netted:
            lines = {"r": back, "netted": engine.query(_NETTED, t=orders)}
            marked = partial(engine.query, _MARKED, tomorrow, **lines)
            found["orders"] = engine.each(orders, lambda block: marked(t=block))
    return Made(found, raw, given, checks, alone)


def _made(name: str, rows: pa.Table) -> pa.Table:
    """All columns of an input table, and the place."""
    columns: dict[str, Any] = {}
    for field in INPUT[name].schema():
        there = field.name in rows.column_names
        columns[field.name] = (
            rows[field.name].cast(field.type) if there else pa.nulls(rows.num_rows, field.type)
        )
    return pa.table(columns | {n: rows[n] for n in ("_file", "_row")})


def _one_customer(
    table: str, number: str, named: pa.Table, where: pa.Table
) -> list[tuple[str, str, str, int, int]]:
    """How many of the documents' numbers are of one customer only."""
    sql = _SHARED.format(number=number)
    (found,) = engine.query(sql, t=where, named=named.select([number])).to_pylist()
    good, every = int(found["good"]), int(found["n"])
    return [(table, number, "consistency", good, every - good)] if every else []
