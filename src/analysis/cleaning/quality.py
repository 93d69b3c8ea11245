"""Data quality as it came in: what share of the cells that matter can be relied on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis import engine
from analysis.cleaning import credit_codes, emails, phones
from analysis.engine import Rows
from analysis.settings_sources import Cleaning
from analysis.stored import Stored
from analysis.tables import INPUT, RECORD

ALL = "all"

# Optional columns whose gaps limit the analysis; only looked at where the company has them.
_INTEREST = {
    "customers": ("name", "industry", "size_band", "region", "owner_id", "joined_on"),
    "orders": ("order_id", "product"),
    "contacts": ("role",),
    "activities": ("owner_id",),
    "treatments": ("started_on", "cost"),
}
_WINDOW = "{0} >= $earliest AND {0} < $latest"  # of every day, also of those nobody needs
_VALID = {
    ("orders", "amount"): "amount <> 0",
    ("tickets", "satisfaction"): "satisfaction BETWEEN 1 AND 5",
    ("tickets", "closed_at"): "closed_at >= opened_at",
}
# Columns that hold a number or address with a form of its own.
_FORMS = {
    "customers": {"phone": phones.valid, "credit_code": credit_codes.valid},
    "contacts": {"phone": phones.valid, "email": emails.valid},
}


def assess(
    tables: Mapping[str, Rows],
    settings: Cleaning,
    as_of: date,
    further: Sequence[tuple[str, str, str, int, int]] = (),
) -> pd.DataFrame:
    """Checks on the tables as they were read.

    Parameters
    ----------
    tables
        Input tables, completed with their missing columns as nulls.
    settings
        Uses `earliest`, `latest_after` and `gate`.
    as_of
        Last day that counts.
    further
        Checks made elsewhere: (table, field, check, passed, failed).

    Returns
    -------
    pandas.DataFrame
        In the layout of ``quality``. completeness: given; validity: plausible, among those
        given; uniqueness: rows whose key is not a repeat; consistency: the customer is in
        the customer table; timeliness: months of the last year with orders. The last row
        (`all`, `all`, `accuracy`) adds up all rows checked.
    """
    found: list[tuple[str, str, str, int, int]] = []
    params = {
        "earliest": settings.earliest,
        "latest": as_of + timedelta(days=settings.latest_after),
    }
    for name, table in tables.items():
        if not table.num_rows:
            continue
        repeats = name == "customers" and _on_lines(tables)
        found += _columns(name, table, params, repeats=repeats)
        found += _forms(name, table)
        if name == "orders":
            found += _months(table, as_of)
        if name not in ("customers", "people") and "customers" in tables:
            found += _consistency(name, table, tables["customers"])
    found += further
    rows_checked = [f for f in found if f[2] != "timeliness"]  # which counts months
    passed, failed = sum(f[3] for f in rows_checked), sum(f[4] for f in rows_checked)
    if found:
        found.append((ALL, ALL, "accuracy", passed, failed))
    rows = [(*f, f[3] / (f[3] + f[4]), settings.gate) for f in found if f[3] + f[4]]
    return pd.DataFrame(rows, columns=RECORD["quality"].names)


_SAME_ROWS = """
    SELECT count(*) AS same FROM c JOIN t
    ON c._file <> '' AND t._file = c._file AND t._row = c._row AND t.customer_id = c.customer_id
"""


def _on_lines(tables: Mapping[str, Rows]) -> bool:
    """Whether the customers were read off the lines of another table, where they repeat."""
    own = tables["customers"]
    for name in ("orders", "receivables", "tickets"):
        if name in tables and tables[name].num_rows >= own.num_rows:
            (found,) = engine.query(_SAME_ROWS, t=tables[name], c=own).to_pylist()
            if found["same"] == own.num_rows:
                return True
    return False


def _columns(
    name: str, table: Rows, params: Mapping[str, date], *, repeats: bool
) -> list[tuple[str, str, str, int, int]]:
    contract = INPUT[name]
    interest = [c for c in contract.required if c not in ("strategy", "arm", "outcome")]
    given = [c for c in _INTEREST.get(name, ()) if engine.null_count(table, c) < table.num_rows]
    found = []
    for column in [*interest, *given]:
        if column in table.column_names:
            missing = engine.null_count(table, column)
            found.append((name, column, "completeness", table.num_rows - missing, missing))
    dated = [c.name for c in contract.columns if c.type in ("date", "timestamp")]
    conditions = {c: _WINDOW.format(c) for c in dated}
    conditions |= {column: sql for (of, column), sql in _VALID.items() if of == name}
    for column, condition in conditions.items():
        if engine.null_count(table, column) == table.num_rows:
            continue
        used = {k: v for k, v in params.items() if f"${k}" in condition}
        sql = (
            f"SELECT count(*) FILTER (WHERE {condition}) AS good, count(*) AS n "  # noqa: S608
            f'FROM t WHERE "{column}" IS NOT NULL'
        )
        counts = engine.query(sql, used, t=table).to_pylist()[0]
        good, total = int(counts["good"]), int(counts["n"])
        found.append((name, column, "validity", good, total - good))
    keys = [k for k in contract.key if engine.null_count(table, k) < table.num_rows]
    if set(keys) == set(contract.key) and not repeats:
        groups = _different(table, contract.key)
        found.append((name, contract.key[-1], "uniqueness", groups, table.num_rows - groups))
    return found


def _different(table: Rows, key: Sequence[str]) -> int:
    """How many different keys there are; a missing part is one like any other."""
    if not isinstance(table, Stored):
        return int(table.group_by(list(key)).aggregate([]).num_rows)
    # rows of one first part share a block, but those without it may stand in several
    first, *rest = (f'"{k}"' for k in key)
    sql = f"SELECT count(*) AS n FROM (SELECT DISTINCT {', '.join(rest)} FROM t WHERE {first} IS NULL)"  # noqa: S608, E501
    found = int(engine.query(sql, t=table)["n"][0].as_py())
    for block in table.blocks(list(key)):
        numbered = block.filter(pc.is_valid(block[key[0]]))
        found += numbered.group_by(list(key)).aggregate([]).num_rows
    return found


def _forms(name: str, table: pa.Table) -> list[tuple[str, str, str, int, int]]:
    """Phones, mail addresses and registry numbers whose form or check digit holds."""
    found = []
    for column, valid in _FORMS.get(name, {}).items():
        good = valid(table[column])
        given = len(good) - good.null_count
        right = int(pc.sum(good).as_py() or 0)
        if given:
            found.append((name, column, "validity", right, given - right))
    return found


def _consistency(
    name: str, table: Rows, customers: pa.Table
) -> list[tuple[str, str, str, int, int]]:
    if "customer_id" not in table.column_names or not customers.num_rows:
        return []
    sql = (
        "SELECT count(*) AS n, count(*) FILTER (WHERE customer_id IN "
        "(SELECT customer_id FROM c WHERE customer_id IS NOT NULL)) AS good "
        "FROM t WHERE customer_id IS NOT NULL"
    )
    counts = engine.query(sql, t=table, c=customers).to_pylist()[0]
    good, total = int(counts["good"]), int(counts["n"])
    return [(name, "customer_id", "consistency", good, total - good)]


def _months(table: Rows, as_of: date) -> list[tuple[str, str, str, int, int]]:
    """Months of the last year, since the first order, that hold orders: gaps show missing files."""
    sql = (
        "SELECT list(DISTINCT year(ordered_at) * 12 + month(ordered_at)) AS months "
        "FROM t WHERE ordered_at < $tomorrow AND ordered_at >= $earliest"
    )
    params = {"tomorrow": as_of + timedelta(days=1), "earliest": date(as_of.year - 20, 1, 1)}
    months = engine.query(sql, params, t=table).to_pylist()[0]["months"]
    if not months:
        return []
    last = as_of.year * 12 + as_of.month
    expected = range(max(last - 11, min(months)), last + 1)
    present = sum(m in set(months) for m in expected)
    return [("orders", "ordered_at", "timeliness", present, len(expected) - present)]
