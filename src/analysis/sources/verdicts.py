"""Which rows of a file are no records, which cannot be read, and whether a column is hopeless."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from analysis.errors import Problem
from analysis.sources import databases, texts, totals
from analysis.sources.convert import Converted
from analysis.sources.grid import Grid, Note, count
from analysis.sources.mapping import Origin, Resolved
from analysis.tables import Table

_DATED = ("date", "timestamp")
# What to say where a rule refuses most of a column, and says more than that it is unreadable.
_TOLD = ("ambiguous_date", "ambiguous_numbers", "other_currency", "unreadable_values",
         "unreadable_months", "unreadable_periods")  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """What speaks against having understood a column.

    Attributes
    ----------
    wrong, given
        Cells that cannot be read, of those that hold something; total rows do not count.
    rules
        How many cells each rule refuses, in the order in which they appear.
    shape
        The first such cell, without its content.
    """

    wrong: int
    given: int
    rules: Mapping[str, int]
    shape: str


def total_rows(
    table: Table,
    grid: Grid,
    resolved: Resolved,
    columns: Mapping[str, Converted],
    *,
    everywhere: bool,
) -> pa.Array:
    """Mask of total rows; `everywhere`: the word may stand in a column that is not read."""
    size = len(grid.rows)
    if grid.format in ("parquet", *databases.FORMATS):
        return pa.repeat(pa.scalar(False), size)
    origins = resolved.origins.values()
    text = {o.index for o in origins if o.index is not None and o.wanted.column.type == "string"}
    keys = {o.index for o in origins if o.index is not None and o.wanted.column.required
            and o.wanted.column.type == "string"}  # fmt: skip
    if everywhere:
        texts_at = {i for i, c in enumerate(grid.columns) if pa.types.is_string(c.type)}
        text, keys = text | texts_at, keys | texts_at
    day = next(
        (columns[c.name].data for c in table.columns
         if c.required and c.type in _DATED and c.name in columns),
        None,
    )  # fmt: skip
    return totals.find(
        [grid.columns[i] for i in sorted(text | {0})],
        [grid.columns[i] for i in sorted(keys | {0})],
        day,
        size,
    )


def evidence(
    grid: Grid,
    origins: Mapping[str, Origin],
    columns: Mapping[str, Converted],
    total: pa.Array,
) -> dict[str, Evidence]:
    """Evidence on the columns that must be understood, by name."""
    found = {}
    for name, converted in columns.items():
        origin = origins.get(name)
        if origin is None or origin.index is None or not origin.wanted.must:
            continue
        bad = pc.and_not(converted.bad, total)
        wrong = _count(bad)
        given = wrong + _count(pc.and_not(pc.is_valid(converted.data), total))
        first = grid.columns[origin.index].filter(bad)[0].as_py() if wrong else ""
        refused = pc.value_counts(converted.rules.filter(bad)).to_pylist()
        rules = {pair["values"]: pair["counts"] for pair in refused}
        found[name] = Evidence(wrong, given, rules, texts.shape(str(first)))
    return found


def added(parts: Iterable[Mapping[str, Evidence]]) -> dict[str, Evidence]:
    """Evidence on a file from that on its blocks."""
    found: dict[str, Evidence] = {}
    for part in parts:
        for name, new in part.items():
            old = found.get(name, Evidence(0, 0, {}, ""))
            found[name] = Evidence(
                old.wrong + new.wrong,
                old.given + new.given,
                {**old.rules, **{r: n + old.rules.get(r, 0) for r, n in new.rules.items()}},
                old.shape or new.shape,
            )
    return found


def hopeless(
    table: Table, origins: Mapping[str, Origin], found: Mapping[str, Evidence], file: str
) -> list[Problem]:
    """A column of which most values are unreadable is mapped or formatted wrongly."""
    problems = []
    for name, column in found.items():
        if column.wrong * 2 <= column.given:
            continue
        origin = origins[name]
        args = {
            "column": f"{table.name}.{name}",
            "header": origin.header,
            "rows": str(column.wrong),
            "shape": column.shape,
        }
        rule = max(column.rules, key=lambda r: column.rules[r])
        told = next((k for k in (rule, f"{rule}s") if k in _TOLD), None)
        kind = "dates" if origin.wanted.column.type in _DATED else "numbers"
        problems.append(Problem(f"sources.{told or f'unreadable_{kind}'}", args, file))
    return problems


def verdicts(
    table: Table,
    needed: Sequence[str],
    columns: Mapping[str, Converted],
    origins: Mapping[str, Origin],
    total: pa.Array,
) -> tuple[pa.Array, pa.Array]:
    """The first rule that rejects each row, and the header it concerns."""
    none = pa.scalar(None, pa.string())
    rules = pc.if_else(total, "total_row", none)
    headers = pa.nulls(len(total), pa.string())
    for name in needed:
        if name not in columns or not pc.any(columns[name].bad).as_py():
            continue
        hit = pc.and_(pc.is_null(rules), columns[name].bad)
        rules = pc.coalesce(rules, columns[name].rules)
        label = origins[name].header if name in origins else name
        headers = pc.if_else(hit, label, headers)
    return rules, headers


def nulled(
    columns: Mapping[str, Converted],
    needed: Sequence[str],
    origins: Mapping[str, Origin],
    keep: pa.Array,
) -> list[tuple[Note, ...]]:
    """Of each column, how many values of kept rows were unreadable and are now empty."""
    notes: list[tuple[Note, ...]] = []
    for name, converted in columns.items():
        told = []
        if name not in needed and name in origins:
            for rule, wrong in _counted(converted.rules.filter(keep)):
                args = {"header": origins[name].header, "rows": count(wrong)}
                plain = rule.startswith("unreadable_")
                told.append(("note.unreadable_values" if plain else f"note.{rule}", args))
        notes.append(tuple(told))
    return notes


def _counted(rules: pa.Array) -> list[tuple[str, int]]:
    """Each rule with its number of cells, by name."""
    found = pc.value_counts(rules.drop_null()).to_pylist()
    return sorted((pair["values"], pair["counts"]) for pair in found)


def _count(mask: pa.Array) -> int:
    return int(pc.sum(mask).as_py() or 0)
