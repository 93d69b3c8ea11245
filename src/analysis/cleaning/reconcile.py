"""Every row and every cent: read − removed = kept, or the stage stops."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pandas as pd

from analysis import engine
from analysis.cleaning.tables import written_order
from analysis.engine import Rows
from analysis.errors import Problem, StageError
from analysis.tables import INPUT, counts_money

READ = "read"
KEPT = "kept"


def reconcile(read: Mapping[str, Rows], removed: Rows, kept: Mapping[str, Rows]) -> pd.DataFrame:
    """What was read, what each rule removed, what is kept, per table.

    Parameters
    ----------
    read
        Input tables, without the rows rejected at reading.
    removed
        All removed rows, also those rejected at reading: these are added to what was read.
    kept
        Output tables.

    Returns
    -------
    pandas.DataFrame
        table, step, rows, amount; removed rows are negative, removed money has the opposite
        sign. Steps stand in order; amount is empty for tables without money.

    Raises
    ------
    StageError
        If rows or money do not tie, to the fourth decimal place.
    """
    lines: list[tuple[str, str, int, float | None]] = []
    problems: list[Problem] = []
    for name, before in read.items():
        money = counts_money(INPUT[name])
        gone = _by_rule(removed, name)
        rejected = [gone[rule] for rule in AT_READING if rule in gone]
        total_rows = before.num_rows + sum(rows for rows, _ in rejected)
        total = _sum(before) + sum(amount for _, amount in rejected) if money else Decimal(0)
        left_rows = total_rows - sum(rows for rows, _ in gone.values())
        left = total - (sum(amount for _, amount in gone.values()) if money else Decimal(0))
        after = kept[name]
        if left_rows != after.num_rows or (money and left != _sum(after)):
            args = {
                "table": name, "expected": str(left_rows), "found": str(after.num_rows),
                "money": str(left), "found_money": str(_sum(after) if money else 0),
            }  # fmt: skip
            problems.append(Problem("cleaning.does_not_tie", args))
        lines.append((name, READ, total_rows, _shown(total, money)))
        for rule, (rows, amount) in gone.items():
            lines.append((name, rule, -rows, _shown(-amount, money)))
        lines.append((name, KEPT, left_rows, _shown(left, money)))
    if problems:
        raise StageError(problems)
    return pd.DataFrame(lines, columns=["table", "step", "rows", "amount"])


def _by_rule(removed: Rows, name: str) -> dict[str, tuple[int, Decimal]]:
    """Rows and money that each rule removed from a table, in the order of the rules."""
    found = engine.query(_BY_RULE, {"name": name}, removed=removed).to_pylist()
    counted = {r["rule"]: (r["n"], Decimal(r["amount"])) for r in found}
    return {rule: counted[rule] for rule in sorted(counted, key=_place)}


# A sum may have more digits than a cell: it travels as text.
_SUM = "CAST(coalesce(sum(amount), 0) AS VARCHAR) AS amount"
_BY_RULE = (
    f"SELECT rule, count(*) AS n, {_SUM} FROM removed "  # noqa: S608 - nothing comes from outside
    'WHERE "table" = $name GROUP BY rule'
)


# Rules of the reader; they never occur among the rules of cleaning.
AT_READING = (
    "short_row", "long_row", "total_row", "unreadable_date", "ambiguous_date",
    "other_date_format", "no_day", "unreadable_number", "ambiguous_number", "other_currency",
    "unit_twice", "too_large", "not_a_share", "not_whole", "unreadable_value",
    "unreadable_month", "unreadable_period", "does_not_add_up", "other_workbook", "hidden_row",
)  # fmt: skip


def _place(rule: str) -> tuple[int, str]:
    order = [*AT_READING, *written_order()]
    return (order.index(rule) if rule in order else len(order), rule)


def _sum(rows: Rows) -> Decimal:
    if "amount" not in rows.column_names:
        return Decimal(0)
    return Decimal(engine.query(f"SELECT {_SUM} FROM t", t=rows)["amount"][0].as_py())  # noqa: S608


def _shown(amount: Decimal, money: bool) -> float | None:
    return float(amount) if money else None
