"""Rows that could not be read, each with its rule and reason."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from analysis import engine
from analysis.sources.files import File
from analysis.sources.grid import Grid
from analysis.tables import ARROW_TYPES, RECORD, Table, counts_money

_SAYS = {"other_workbook": "found"}  # what a verdict concerns, where that is no header


def rejected_rows(
    table: Table, frame: pa.Table, rules: pa.Array, headers: pa.Array, gone: pa.Array
) -> pa.Table:
    """Rows a rule of the reader rejects, in the layout of ``removed_rows``.

    Parameters
    ----------
    table
        The canonical table.
    frame, rules
        The rejected rows and their rules.
    headers, gone
        For all rows of the file: the header each verdict concerns, and which rows are rejected.
    """
    labels = headers.filter(gone).to_pylist()
    reasons = [
        _reason(rule, **({_SAYS.get(rule, "header"): label} if label else {}))
        for rule, label in zip(rules.to_pylist(), labels, strict=True)
    ]
    amount = None
    money = next((c for c in ("amount", "balance") if c in frame.column_names), None)
    if money and counts_money(table):
        # a total is the money of other rows: it is not counted again
        total = pc.equal(rules, "total_row")
        amount = pc.if_else(total, pa.scalar(None, ARROW_TYPES["money"]), frame[money])
    return _removed(
        table.name, frame["_file"], frame["_row"], _key_text(frame, table), rules, reasons, amount
    )


def _reason(rule: str, **args: Any) -> str:
    return json.dumps({"key": f"removed.{rule}", "args": args}, ensure_ascii=False, sort_keys=True)


def misfit_rows(table: Table, grid: Grid, file: File) -> pa.Table:
    """Rows that are not read, mostly for their number of fields; their amount is not known."""
    rows = [row for row, _ in grid.misfits]
    rules = [rule for _, rule in grid.misfits]
    names = grid.misfit_places(file.name)
    keys = [""] * len(rows)
    return _removed(table.name, names, rows, keys, rules, [_reason(r) for r in rules], None)


def _removed(
    table: str, files: Any, rows: Any, keys: Any, rules: Any, reasons: Any, amount: Any
) -> pa.Table:
    schema = RECORD["removed_rows"].schema()
    size = len(rows)
    money = pa.nulls(size, ARROW_TYPES["money"]) if amount is None else amount
    data = {
        "table": [table] * size, "file": files, "row": rows, "key": keys, "rule": rules,
        "reason": reasons, "amount": money,
    }  # fmt: skip
    return pa.table({n: data[n] for n in schema.names}).cast(schema)


def _key_text(frame: pa.Table, table: Table) -> pa.ChunkedArray | pa.Array:
    """The row's key as one text; parts that are missing stay empty."""
    parts = [
        pc.fill_null(engine.as_text(frame[n]), "") for n in table.key if n in frame.column_names
    ]
    if not parts:
        return pa.repeat(pa.scalar(""), len(frame))
    return pc.utf8_rtrim(pc.binary_join_element_wise(*parts, "/"), "/")
