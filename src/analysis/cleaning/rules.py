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
    steps = [
        "s0 AS MATERIALIZED (SELECT t.*, row_number() OVER () AS _n, "
        "CAST(NULL AS VARCHAR) AS rule FROM t)"
    ]
    for rule in rules:
        before = steps[-1].split(maxsplit=1)[0]
        steps += _repeated(rule, before, order) if rule.keys else [_single(rule, before)]
    # Conditions and names are written in this package; the settings' values are parameters.
    last = steps[-1].split(maxsplit=1)[0]
    sql = f"WITH {', '.join(steps)} SELECT * EXCLUDE (_n) FROM {last}"  # noqa: S608
    used = {k: v for k, v in params.items() if f"${k}" in sql}
    return engine.query(sql, used, t=table, **lookups)


def _single(rule: Rule, before: str) -> str:
    verdict = f"CASE WHEN {_hit(rule)} THEN '{rule.name}' ELSE rule END AS rule"
    return f"{rule.name} AS (SELECT * REPLACE ({verdict}) FROM {before})"  # noqa: S608


def _repeated(rule: Rule, before: str, order: str) -> list[str]:
    """Only rows that share the hash of their keys with another are compared and sorted."""
    name, keys = rule.name, ", ".join(f'"{k}"' for k in rule.keys)
    number = f"row_number() OVER (PARTITION BY {keys} ORDER BY {order})"
    return [
        f"{name}_0 AS MATERIALIZED (SELECT *, CASE WHEN {_hit(rule)} THEN hash({keys}) END AS _h "  # noqa: S608
        f"FROM {before})",
        f"{name}_1 AS (SELECT _h FROM {name}_0 GROUP BY _h HAVING count(_h) > 1)",  # noqa: S608
        f"{name}_2 AS (SELECT _n, {number} AS _place FROM {name}_0 SEMI JOIN {name}_1 USING (_h))",  # noqa: S608
        f"{name} AS (SELECT r.* EXCLUDE (_h) REPLACE ("  # noqa: S608
        f"CASE WHEN again._n IS NOT NULL THEN '{name}' ELSE rule END AS rule) FROM {name}_0 r "
        f"LEFT JOIN (SELECT _n FROM {name}_2 WHERE _place > 1) again ON again._n = r._n)",
    ]


def _hit(rule: Rule) -> str:
    return f"rule IS NULL AND coalesce({rule.condition}, false)"


def _order(names: Sequence[str]) -> str:
    """Most complete row first, then by content, then by place."""
    complete = " + ".join(f'("{n}" IS NULL)::INT' for n in names) or "0"
    return ", ".join([complete, *(f'"{n}"' for n in names), "_file", "_row"])
