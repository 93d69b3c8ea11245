"""Every row and every cent: read − removed = kept, or the stage stops."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.cleaning.tables import written_order
from analysis.errors import Problem, StageError
from analysis.tables import INPUT, counts_money

READ = "read"
KEPT = "kept"


def reconcile(
    read: Mapping[str, pa.Table], removed: pa.Table, kept: Mapping[str, pa.Table]
) -> pd.DataFrame:
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
        gone = removed.filter(pc.equal(removed["table"], name))
        rejected = _rejected_at_reading(gone, before)
        rules = sorted(pc.unique(gone["rule"]).to_pylist(), key=_place)
        parts = {rule: gone.filter(pc.equal(gone["rule"], rule)) for rule in rules}
        total_rows = before.num_rows + rejected.num_rows
        total = (_sum(before) + _sum(rejected)) if money else Decimal(0)
        left_rows = total_rows - gone.num_rows
        left = total - (_sum(gone) if money else Decimal(0))
        after = kept[name]
        if left_rows != after.num_rows or (money and left != _sum(after)):
            args = {
                "table": name, "expected": str(left_rows), "found": str(after.num_rows),
                "money": str(left), "found_money": str(_sum(after) if money else 0),
            }  # fmt: skip
            problems.append(Problem("cleaning.does_not_tie", args))
        lines.append((name, READ, total_rows, _shown(total, money)))
        for rule, part in parts.items():
            lines.append((name, rule, -part.num_rows, _shown(-_sum(part), money)))
        lines.append((name, KEPT, left_rows, _shown(left, money)))
    if problems:
        raise StageError(problems)
    return pd.DataFrame(lines, columns=["table", "step", "rows", "amount"])


def _rejected_at_reading(gone: pa.Table, before: pa.Table) -> pa.Table:
    """Removed rows that are not among the rows handed over by the reader."""
    here = pc.is_in(gone["rule"], value_set=pa.array(AT_READING))
    return gone.filter(here)


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


def _sum(table: pa.Table) -> Decimal:
    if "amount" not in table.column_names or not table.num_rows:
        return Decimal(0)
    return Decimal(pc.sum(table["amount"].cast(pa.decimal128(38, 4))).as_py() or 0)


def _shown(amount: Decimal, money: bool) -> float | None:
    return float(amount) if money else None
