"""Rules as SQL conditions, applied in a written order: the first that holds removes the row.

Values of the settings come in as parameters (``$earliest``), never through the text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from analysis import engine


@dataclass(frozen=True)
class Rule:
    """Remove a row where `condition` holds.

    With `keys`, `condition` says which rows can repeat, and all rows but one of those that
    agree in `keys` go. The one that stays is the most complete, then the first by content,
    so that the choice does not depend on the order of rows in the file.
    """

    name: str
    condition: str
    keys: tuple[str, ...] = ()


def judge(
    table: pa.Table,
    rules: Sequence[Rule],
    params: Mapping[str, Any],
    **lookups: pa.Table,
) -> pa.Table:
    """The rows of a table with one more column, `rule`: what removes each, or null.

    Parameters
    ----------
    table
        Rows, with `_file` and `_row`.
    rules
        In order.
    params
        Values of the placeholders in the conditions.
    lookups
        Further tables the conditions name.
    """
    names = [n for n in table.column_names if n not in ("_file", "_row")]
    order = _order(names)
    steps = ["s0 AS (SELECT t.*, CAST(NULL AS VARCHAR) AS rule FROM t)"]
    for rule in rules:
        before, here = f"s{len(steps) - 1}", f"s{len(steps)}"
        hit = f"rule IS NULL AND coalesce({rule.condition}, false)"
        if rule.keys:
            keys = ", ".join(f'"{k}"' for k in rule.keys)
            hit = f"{hit} AND row_number() OVER (PARTITION BY ({hit}), {keys} ORDER BY {order}) > 1"
        verdict = f"CASE WHEN {hit} THEN '{rule.name}' ELSE rule END AS rule"
        steps.append(f"{here} AS (SELECT * REPLACE ({verdict}) FROM {before})")  # noqa: S608
    # Conditions and names are written in this package; the settings' values are parameters.
    sql = f"WITH {', '.join(steps)} SELECT * FROM s{len(steps) - 1}"  # noqa: S608
    used = {k: v for k, v in params.items() if f"${k}" in sql}
    return engine.query(sql, used, t=table, **lookups)


def _order(names: Sequence[str]) -> str:
    """Most complete row first, then by content, then by place."""
    complete = " + ".join(f'("{n}" IS NULL)::INT' for n in names) or "0"
    return ", ".join([complete, *(f'"{n}"' for n in names), "_file", "_row"])
