"""From judged rows to the record's tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from analysis import engine
from analysis.cleaning import masking
from analysis.cleaning.answers import SHOWN
from analysis.cleaning.keys import UNMATCHED
from analysis.engine import Rows
from analysis.settings_sources import Cleaning
from analysis.tables import INPUT, RECORD, Table, counts_money

_SHOWN = {"unmatched_key": UNMATCHED, "same_company": "company", **SHOWN}
_FREE = ("unknown_status",)  # rules that show what somebody wrote
_LONGEST = 200  # characters of a value that a reason repeats
_DAYS = {
    "activities": "happened_at", "tickets": "opened_at", "surveys": "answered_on",
    "signals": "seen_at",
}  # fmt: skip
_NUMBERS = {
    "contacts": "contact_id", "activities": "activity_id", "tickets": "ticket_id",
    "surveys": "survey_id", "signals": "signal_id",
}  # fmt: skip
# Columns into which people write what they like.
_WRITTEN = ("text", "answer", "note", "reason")
# What had not happened yet on the last day that counts is not known.
_UNKNOWN_YET = {
    "tickets": """
        CASE WHEN first_response_at < $tomorrow THEN first_response_at END AS first_response_at,
        CASE WHEN closed_at >= $tomorrow THEN NULL ELSE satisfaction END AS satisfaction,
        CASE WHEN closed_at < $tomorrow THEN closed_at END AS closed_at""",
    "leads": """
        CASE WHEN converted_at >= $tomorrow THEN NULL ELSE customer_id END AS customer_id,
        CASE WHEN converted_at >= $tomorrow THEN NULL ELSE stage END AS stage,
        CASE WHEN converted_at < $tomorrow THEN converted_at END AS converted_at""",
    "opportunities": """
        CASE WHEN closed_at >= $tomorrow THEN 'open' ELSE status END AS status,
        CASE WHEN closed_at >= $tomorrow THEN NULL ELSE stage END AS stage,
        CASE WHEN closed_at >= $tomorrow THEN NULL ELSE reason_lost END AS reason_lost,
        CASE WHEN closed_at < $tomorrow THEN closed_at END AS closed_at""",
    "tasks": """
        CASE WHEN done_on >= $tomorrow THEN 'open' ELSE status END AS status,
        CASE WHEN done_on < $tomorrow THEN done_on END AS done_on""",
}
# What ERP exports call the two kinds of payment; other words stay.
_KINDS = """
    SELECT * REPLACE (CASE WHEN kind IN ('应收款', '应收', '货款', '回款') THEN 'receivable'
                           WHEN kind IN ('预收款', '预收', '预付款', '定金', '订金') THEN 'advance'
                           ELSE kind END AS kind) FROM t
"""


def kept(judged: pa.Table) -> pa.Table:
    """Rows that no rule removed."""
    return judged.filter(pc.is_null(judged["rule"]))


def ids(table: Rows) -> pa.Table:
    """The customers of a table."""
    return engine.query("SELECT DISTINCT customer_id FROM t", t=table)


def orders(judged: pa.Table) -> pa.Table:
    """Order lines with an order and a line number each.

    Numbers that the source lacks are made from the content, so that they do not depend on
    the order of rows: an order without a number is ``customer~day~n``.
    """
    lines = kept(judged)
    content = _content(lines)
    if lines["order_id"].null_count:
        lines = engine.query(
            "SELECT * REPLACE (coalesce(order_id, customer_id || '~' || "  # noqa: S608
            "strftime(ordered_at, '%Y%m%d') || '~' || row_number() OVER ("
            "PARTITION BY order_id IS NULL, customer_id, CAST(ordered_at AS DATE) "
            f"ORDER BY {content})) AS order_id) FROM t",
            t=lines,
        )
    if lines["line_id"].null_count:
        mark = "~" if lines["line_id"].null_count < lines.num_rows else ""
        lines = engine.query(
            "SELECT * REPLACE (coalesce(line_id, $mark || row_number() OVER ("  # noqa: S608
            f"PARTITION BY order_id, line_id IS NULL ORDER BY {content})) AS line_id) FROM t",
            {"mark": mark},
            t=lines,
        )
    elif lines.group_by(["order_id", "line_id"]).aggregate([]).num_rows < lines.num_rows:
        # the rule against repeated keys may be off: the lines stay apart
        lines = engine.query(
            "SELECT * EXCLUDE (n) REPLACE (CASE WHEN n > 1 THEN line_id || '~' || n "  # noqa: S608
            "ELSE line_id END AS line_id) FROM (SELECT *, row_number() OVER ("
            f"PARTITION BY order_id, line_id ORDER BY {content}) AS n FROM t)",
            t=lines,
        )
    return engine.conform(lines, RECORD["orders"])


def customers(
    listed: pa.Table,
    ids: Sequence[pa.Table],
    lines: Rows,
    groups: pa.Table,
    settings: Cleaning,
    as_of: date,
) -> pa.Table:
    """Customers of the customer table and those that only other tables name.

    Phones and mail addresses in names are masked.

    Parameters
    ----------
    listed
        Kept rows of the customer table; may be empty.
    ids
        Tables whose customers count as well, each with `customer_id`.
    lines
        Judged order lines, with `owner_id`: first order, and the seller of the latest one.
    groups
        From `groups.topmost`; who is not in it is its own group.
    settings
        Uses `earliest` (no start date before it) and `size_people`: who has no size band but a
        headcount is micro, small, medium or large.
    """
    every = pa.concat_tables([t.select(["customer_id"]) for t in (listed, *ids)])
    sql = """
        WITH first AS (
            SELECT customer_id, min(ordered_at) AS first_order,
                   arg_max(owner_id, (ordered_at, owner_id)) FILTER (owner_id IS NOT NULL) AS owner
            FROM lines WHERE rule IS NULL GROUP BY customer_id)
        SELECT i.customer_id, c.name, c.industry,
               coalesce(c.size_band, ['micro', 'small', 'medium', 'large'][
                   CASE WHEN len($sizes) > 0 AND c.employees IS NOT NULL THEN 1
                        + len(list_filter($sizes, lambda size: c.employees >= size)) END])
                   AS size_band,
               coalesce(c.region, c.province) AS region,
               coalesce(c.owner_id, f.owner) AS owner_id, c.team_id,
               coalesce(CASE WHEN c.joined_on >= $earliest AND c.joined_on < $tomorrow
                             THEN c.joined_on END,
                        date_trunc('day', f.first_order)) AS joined_on,
               c.own_tier, c.need, c.on_trial, coalesce(g.group_id, i.customer_id) AS group_id
        FROM (SELECT DISTINCT customer_id FROM ids WHERE customer_id IS NOT NULL) i
        LEFT JOIN listed c ON c.customer_id = i.customer_id
        LEFT JOIN first f ON f.customer_id = i.customer_id
        LEFT JOIN groups g ON g.customer_id = i.customer_id
    """
    params = {
        "earliest": settings.earliest,
        "tomorrow": as_of + timedelta(days=1),
        "sizes": list(settings.size_people),
    }
    found = engine.query(sql, params, ids=every, listed=listed, lines=lines, groups=groups)
    # a sole trader's name often carries the trader's own number
    return engine.conform(_masked(found, "name"), RECORD["customers"])


def other(table: str, judged: pa.Table, as_of: date, contract: Table) -> pa.Table:
    """Every table but customers and orders as recorded, in the layout of `contract`.

    Missing numbers are made from the content; phones and mail addresses in text are masked;
    what happened to a ticket, lead, deal or task after as_of is not known yet; a payment's kind
    becomes a key.
    """
    rows = kept(judged)
    number = _NUMBERS.get(table)
    if number and rows[number].null_count:
        rows = _numbered(rows, number, _DAYS.get(table))
    if table in _UNKNOWN_YET:
        rows = engine.query(
            f"SELECT * REPLACE ({_UNKNOWN_YET[table]}) FROM t",  # noqa: S608
            {"tomorrow": as_of + timedelta(days=1)},
            t=rows,
        )
    if table == "payments":
        rows = engine.query(_KINDS, t=rows)
    if "file" in contract.names:
        rows = rows.append_column("file", rows["_file"]).append_column("row", rows["_row"])
    if table == "tasks":
        rows = rows.append_column("source", rows["_file"])
    for column in _WRITTEN:
        if column in contract.names and column in rows.column_names:
            rows = _masked(rows, column)
    return engine.conform(rows, contract)


def _masked(rows: pa.Table, column: str) -> pa.Table:
    masked = masking.mask_column(rows[column])
    return rows.set_column(rows.column_names.index(column), column, masked)


def _numbered(rows: pa.Table, number: str, day: str | None) -> pa.Table:
    when = f"strftime({day}, '%Y%m%d') || '~' || " if day else ""
    group = f", CAST({day} AS DATE)" if day else ""
    return engine.query(
        f"SELECT * REPLACE (coalesce({number}, customer_id || '~' || {when}"  # noqa: S608
        f"row_number() OVER (PARTITION BY {number} IS NULL, customer_id{group} "
        f"ORDER BY {_content(rows)})) AS {number}) FROM t",
        t=rows,
    )


def _content(rows: pa.Table) -> str:
    """All columns that hold anything, then the place: an order that files cannot change."""
    names = [n for n in rows.column_names if n not in ("_file", "_row", "rule")]
    filled = [f'"{n}"' for n in names if rows[n].null_count < rows.num_rows]
    return ", ".join([*filled, "_file", "_row"])


def removed(table: str, judged: pa.Table, key: Sequence[str]) -> pa.Table:
    """Removed rows of one table in the layout of ``removed_rows``."""
    gone = judged.filter(pc.is_valid(judged["rule"]))
    parts = [pc.fill_null(engine.as_text(gone[n]), "") for n in key if n in gone.column_names]
    schema = RECORD["removed_rows"].schema()
    if counts_money(INPUT[table]):
        amount = gone["amount"]
    else:
        amount = pa.chunked_array([pa.nulls(gone.num_rows, schema.field("amount").type)])
    data = {
        "table": pa.repeat(pa.scalar(table), gone.num_rows),
        "file": gone["_file"],
        "row": gone["_row"],
        "key": pc.utf8_rtrim(pc.binary_join_element_wise(*parts, "/"), "/"),
        "rule": gone["rule"],
        "reason": _reasons(gone),
        "amount": amount,
    }
    return pa.table({n: data[n] for n in schema.names}).cast(schema)


def _reasons(gone: pa.Table) -> pa.ChunkedArray:
    """Catalogue keys, with the value that the rule did not accept where it helps to find it."""
    start, end = '{"args": {}, "key": "removed.', '"}'
    plain = pc.binary_join_element_wise(start, gone["rule"], end, "")
    shown = {r: c for r, c in _SHOWN.items() if c in gone.column_names}
    if not pc.any(pc.is_in(gone["rule"], value_set=pa.array(list(shown), pa.string()))).as_py():
        return plain
    values = {c: engine.as_text(gone[c]).to_pylist() for c in set(shown.values())}
    told = [
        _reason(rule, values[shown[rule]][at] or "") if rule in shown else None
        for at, rule in enumerate(gone["rule"].to_pylist())
    ]
    return pc.coalesce(pa.chunked_array([pa.array(told, pa.string())]), plain)


def _reason(rule: str, value: str) -> str:
    found = masking.mask(value) if rule in _FREE else value
    args = {"found": found[:_LONGEST]}
    return json.dumps({"args": args, "key": f"removed.{rule}"}, ensure_ascii=False)
