"""Numbers, codes and names without a partner: by money, with what to do about each."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from analysis import engine
from analysis.engine import Rows
from analysis.tables import INPUT, RECORD, counts_money

ORDER = "orders"  # the system of order numbers
PERSON = "people"  # the system of persons' names and numbers

_RANKED = """
    WITH seen AS (
        SELECT u."table", u.system, u.key, u."rows", u.amount, u.near,
               CASE WHEN m.money > 0 THEN CAST(u.amount AS DOUBLE) / CAST(m.money AS DOUBLE) END
                   AS share, u.advice
        FROM u LEFT JOIN m ON m."table" = u."table"
    )
    SELECT row_number() OVER (
               ORDER BY amount DESC NULLS LAST, "rows" DESC, "table", system, key) AS rank, *
    FROM seen
"""
_NEAREST = """
    SELECT a.key, min(k.shown) AS near FROM alone AS a JOIN (
        SELECT folded, min(key) AS shown FROM known GROUP BY folded
        HAVING count(DISTINCT customer_id) = 1) AS k USING (folded)
    GROUP BY a.key
"""


def listed(table: str, system: str, alone: pa.Table, near: pa.Table | None = None) -> pa.Table:
    """Numbers of one table in the layout of ``unmatched_keys``, not ranked yet.

    Parameters
    ----------
    table, system
        Where they stand, and whose numbers they are: a system of ``customer_keys``, `people`
        or `orders`.
    alone
        key, rows, amount.
    near
        key, near: the known number that is the same but for case, width, blanks and leading
        zeros.
    """
    schema = RECORD["unmatched_keys"].schema()
    size = alone.num_rows
    if near is not None and near.num_rows:
        alone = engine.query(
            "SELECT a.*, n.near FROM a LEFT JOIN n ON n.key = a.key", a=alone, n=near
        )
        shown = alone["near"].cast(pa.string())
    else:
        shown = pa.nulls(size, pa.string())
    data = {
        "rank": pa.nulls(size, pa.int64()),
        "table": pa.repeat(pa.scalar(table), size),
        "system": pa.repeat(pa.scalar(system), size),
        "key": alone["key"],
        "rows": alone["rows"],
        "amount": alone["amount"],
        "share": pa.nulls(size, pa.float64()),
        "near": shown,
        "advice": pa.array([_advice(system, n) for n in shown.to_pylist()], pa.string()),
    }
    return pa.table({n: data[n] for n in schema.names}).cast(schema)


def _advice(system: str, near: str | None) -> str:
    if near is not None:
        return _said("alike", {"near": near})
    if system in (ORDER, PERSON):
        return _said(system, {})
    return _said("add", {"system": system})


def _said(key: str, args: Mapping[str, str]) -> str:
    told = {"key": f"unmatched_advice.{key}", "args": args}
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def ranked(alone: pa.Table, tables: Mapping[str, Rows]) -> pa.Table:
    """RECORD ``unmatched_keys``: the dearest first, each with its share of the table's money.

    Parameters
    ----------
    alone
        As `listed` gives them, of all tables.
    tables
        Input tables by name: their money as it was read.
    """
    names = [n for n in tables if n in INPUT and counts_money(INPUT[n])]
    money = pa.table(
        {
            "table": pa.array(names, pa.string()),
            "money": pa.array([_total(tables[n]) for n in names], pa.decimal128(38, 4)),
        }
    )
    return engine.conform(engine.query(_RANKED, u=alone, m=money), RECORD["unmatched_keys"])


def _total(table: Rows) -> object:
    found = engine.query("SELECT CAST(sum(amount) AS DECIMAL(38, 4)) AS money FROM t", t=table)
    return found["money"][0].as_py()


def folded(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers without what people and programs change in them: case, width, blanks, zeros ahead."""
    plain = pc.utf8_lower(pc.utf8_normalize(values.cast(pa.string()), form="NFKC"))
    plain = pc.replace_substring_regex(plain, pattern=r"\s+", replacement="")
    return pc.utf8_ltrim(plain, characters="0")


def nearest(alone: pa.Table, known: pa.Table) -> pa.Table:
    """The known number that each unmatched one resembles, where that is one customer's alone.

    Parameters
    ----------
    alone
        With a column key.
    known
        key, customer_id.

    Returns
    -------
    pyarrow.Table
        key, near.
    """
    return engine.query(
        _NEAREST,
        alone=alone.select(["key"]).append_column("folded", folded(alone["key"])),
        known=known.append_column("folded", folded(known["key"])),
    )
