"""From wide to long: one row a header of the kind that `analysis.sources.wide` finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from analysis.errors import Problem, SourceError
from analysis.settings_sources import Source
from analysis.sources import buckets, months, numbers, wide
from analysis.sources.convert import Context, Converted, convert
from analysis.sources.grid import Grid, Note, count
from analysis.sources.mapping import Origin, Resolved, Wanted
from analysis.sources.numbers import UNITS
from analysis.sources.rejects import rejected_rows
from analysis.sources.stated import stated
from analysis.tables import ARROW_TYPES, Table

_MONEY = ARROW_TYPES["money"]
_SUM = pa.decimal128(30, 4)
_FEN = Decimal("0.01")


@dataclass(frozen=True)
class Wide:
    """One wide file, read but not yet turned.

    Attributes
    ----------
    table, source, resolved
        What it is, what the settings say of it, and its headers.
    grid, keep
        Its content, and the rows that no rule of the reader has rejected.
    rows
        The kept rows with their other columns, `_file` and `_row`.
    context
        Names for messages, zones, currency.
    """

    table: Table
    source: Source
    resolved: Resolved
    grid: Grid
    keep: pa.Array
    rows: pa.Table
    context: Context


def lengthen(given: Wide) -> tuple[pa.Table, list[pa.Table], list[Note]]:
    """The long rows, the rows rejected on the way in the layout of ``removed_rows``, and notes.

    Raises
    ------
    SourceError
        If the age buckets of most customers do not add up to their balance.
    """
    label, target = wide.targets(given.table, given.source)
    columns = {h.index: _column(given, h.index, h.header, target) for h in given.resolved.wide}
    notes = [note for column in columns.values() for note in column.notes]
    dropped = [c for c in (label, target) if c in given.rows.column_names]
    base = given.rows.drop_columns(dropped)
    if given.source.wide == wide.BUCKETS:
        kept, rejected = _aged(given, base, columns)
    else:
        kept, rejected = _each(given, base, columns, label, target)
    if given.source.wide == wide.MONTHS:
        notes += _checked_sums(given, columns, target)
        kept = _added(given.table, kept)
    return kept, rejected, notes


def canonical_buckets(rows: pa.Table) -> pa.Table:
    """Long receivables with their buckets under canonical names, and what of them is overdue.

    A word that names no bucket stays. Where the table says itself what is overdue, that counts.
    """
    words = rows["bucket"].to_pylist()
    parsed = {w: buckets.parse(w) for w in set(words) if w is not None}
    named = pa.array([p.key if w and (p := parsed[w]) else w for w in words], pa.string())
    rows = rows.set_column(rows.column_names.index("bucket"), "bucket", named)
    known = [bucket for bucket in parsed.values() if bucket]
    if "overdue" in rows.column_names or len(known) < len(parsed):
        return rows
    if not known or not buckets.known_overdue(known):
        return rows
    late = pa.array([bool(w and (p := parsed[w]) and p.overdue) for w in words])
    money = pc.if_else(late, rows["amount"], pa.scalar(Decimal(0), _MONEY))
    return rows.append_column("overdue", money)


def _column(given: Wide, index: int, header: str, target: str) -> Converted:
    own = given.source.columns.get(target)
    unit = _unit(given, header, target)
    codes = (*(own.missing if own else ()), *given.source.missing)
    origin = Origin(Wanted(given.table.column(target), missing=codes), index, header, unit)
    return convert(origin, given.grid, 0, given.context)


def _each(
    given: Wide, base: pa.Table, columns: Mapping[int, Converted], label: str, target: str
) -> tuple[pa.Table, list[pa.Table]]:
    """Header by header; an unreadable value rejects its own row only."""
    parts: list[pa.Table] = []
    rejected: list[pa.Table] = []
    for one in given.resolved.wide:
        column = columns[one.index]
        words = pa.repeat(pa.scalar(one.label), base.num_rows)
        part = base.append_column(label, words)
        part = part.append_column(target, column.data.filter(given.keep))
        bad = column.bad.filter(given.keep)
        if pc.any(bad).as_py():
            wrong = part.filter(bad)
            rules = pa.repeat(pa.scalar("unreadable_number"), wrong.num_rows)
            rejected.append(_rejected(given.table, wrong, rules, one.header))
            part = part.filter(pc.invert(bad))
        parts.append(part)
    return pa.concat_tables(parts), rejected


def _checked_sums(given: Wide, columns: Mapping[int, Converted], target: str) -> list[Note]:
    """Notes on headers that sum others up: whether they do. They are no rows of their own.

    Raises
    ------
    SourceError
        If most rows differ: another unit, or another year, stands beside the months.
    """
    notes: list[Note] = []
    size = len(given.keep)
    for one in given.resolved.sums:
        inside = [h for h in given.resolved.wide if months.within(h.label, one.label)]
        if not months.covered([h.label for h in inside], one.label):
            notes.append(("note.sum_not_checked", {"header": one.header}))
            continue
        own = _column(given, one.index, one.header, target)
        total = pa.array([Decimal(0)] * size, _SUM)
        for part in inside:
            total = pc.add(total, _exact(columns[part.index], Decimal(0))).cast(_SUM)
        unit = _unit(given, one.header, target)
        room = Decimal(UNITS[unit]) if unit else _FEN
        differs = pc.greater(pc.abs(pc.subtract(_exact(own), total)), room)
        off = pc.and_(pc.fill_null(differs, False), given.keep)
        rows, known = _true(off), _true(pc.and_(pc.is_valid(own.data), given.keep))
        if rows * 2 > known:
            args = {"column": f"{given.table.name}.{target}", "rows": str(rows)}
            args |= {"header": one.header, "headers": " | ".join(h.header for h in inside)}
            raise SourceError(Problem("sources.sums_do_not_add_up", args, given.context.file))
        if rows:
            first = given.grid.rows.filter(off)[0].as_py()
            told = {"header": one.header, "rows": count(rows), "first": str(first)}
            notes.append(("note.sum_off", told))
        else:
            notes.append(("note.sum_left_out", {"header": one.header}))
    return notes


def _exact(column: Converted, missing: Decimal | None = None) -> pa.Array:
    values = (column.data if column.exact is None else column.exact).cast(_SUM, safe=False)
    return values if missing is None else pc.fill_null(values, pa.scalar(missing, _SUM))


def _unit(given: Wide, header: str, target: str) -> str | None:
    """The unit of a wide header: its own, else what stands elsewhere for all of them."""
    own = given.source.columns.get(target)
    balance = given.resolved.origins.get("balance")
    said = {stated(h.header).unit for h in given.resolved.wide}
    return (
        stated(header).unit
        or (own.unit if own else None)
        or (balance.unit if balance else None)
        or (said.pop() if len(said) == 1 else None)
        or given.resolved.unit
    )


def _true(mask: pa.Array) -> int:
    return int(pc.sum(mask).as_py() or 0)


def _added(table: Table, rows: pa.Table) -> pa.Table:
    """Targets that stand on several rows, one a customer or region, are one target."""
    keys = [c for c in table.key if c in rows.column_names]
    exact = rows.append_column("exact", rows["value"].cast(numbers.EXACT))
    exact = exact.filter(pc.is_valid(exact["value"]))
    added = exact.group_by([*keys, "_file"], use_threads=False).aggregate(
        [("exact", "sum"), ("_row", "min")]
    )
    value = added["exact_sum"].cast(pa.float64())
    named = added.drop_columns(["exact_sum"]).append_column("value", value)
    return (
        named.rename_columns({"_row_min": "_row"})
        .select([*keys, "value", "_file", "_row"])
        .sort_by([("_row", "ascending"), *((k, "ascending") for k in keys)])
    )


def _aged(
    given: Wide, base: pa.Table, columns: Mapping[int, Converted]
) -> tuple[pa.Table, list[pa.Table]]:
    """Receivables: buckets that add up to the balance, each with what of it is overdue."""
    found = {h.index: buckets.parse(h.header) for h in given.resolved.wide}
    known = buckets.known_overdue([b for b in found.values() if b])
    size = base.num_rows
    nothing = pa.scalar(Decimal(0), _MONEY)
    money = {i: pc.fill_null(c.data.filter(given.keep), nothing) for i, c in columns.items()}
    rules, headers = pa.nulls(size, pa.string()), pa.nulls(size, pa.string())
    for one in given.resolved.wide:
        hit = pc.and_(pc.is_null(rules), columns[one.index].bad.filter(given.keep))
        rules = pc.if_else(hit, "unreadable_number", rules)
        headers = pc.if_else(hit, one.header, headers)
    if "balance" in base.column_names:
        wrong = pc.and_(pc.is_null(rules), _off(given, base["balance"], list(money.values())))
        _mostly_off(given, wrong, size)
        rules = pc.if_else(wrong, "does_not_add_up", rules)
        headers = pc.if_else(wrong, given.resolved.origins["balance"].header, headers)
        amount = base["balance"]
    else:
        amount = pa.nulls(size, _MONEY)
    good, gone = pc.is_null(rules), pc.is_valid(rules)
    rejected = []
    if pc.any(gone).as_py():
        frame = base.append_column("amount", amount).filter(gone)
        marked = headers.filter(gone)
        everything = pa.repeat(pa.scalar(True), frame.num_rows)
        rejected = [rejected_rows(given.table, frame, rules.filter(gone), marked, everything)]
    slim = base.drop_columns([c for c in ("balance", "overdue") if c in base.column_names])
    parts = []
    for one in given.resolved.wide:
        bucket = found[one.index]
        if bucket is None:
            continue
        amounts = money[one.index]
        owed = amounts if bucket.overdue else pc.multiply(amounts, 0).cast(_MONEY)
        part = slim.append_column("bucket", pa.repeat(pa.scalar(bucket.key), size))
        part = part.append_column("amount", amounts)
        part = part.append_column("overdue", owed if known else pa.nulls(size, _MONEY))
        parts.append(part.filter(pc.and_(good, pc.not_equal(amounts, nothing))))
    return pa.concat_tables(parts), rejected


def _off(given: Wide, balance: pa.ChunkedArray, amounts: list[pa.Array]) -> pa.Array:
    """Which rows' buckets do not add up: to the fen, or to a hundredth of a larger unit."""
    total = pc.cast(balance, _SUM)
    for one in amounts:
        total = pc.subtract(total, pc.cast(one, _SUM)).cast(_SUM)
    unit = given.resolved.origins["balance"].unit
    room = _FEN * UNITS[unit] if unit and UNITS[unit] > 1 else _FEN / 2
    off = pc.greater(pc.abs(total), pa.scalar(room, _SUM))
    found: pa.Array = pc.fill_null(off, False)
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _mostly_off(given: Wide, wrong: pa.Array, size: int) -> None:
    rows = _true(wrong)
    if rows * 2 <= size:
        return
    args = {
        "column": f"{given.table.name}.balance",
        "header": given.resolved.origins["balance"].header,
        "rows": str(rows),
        "headers": " | ".join(h.header for h in given.resolved.wide),
    }
    raise SourceError(Problem("sources.buckets_do_not_add_up", args, given.context.file))


def _rejected(table: Table, wrong: pa.Table, rules: pa.Array, header: str) -> pa.Table:
    everything = pa.repeat(pa.scalar(True), wrong.num_rows)
    headers = pa.repeat(pa.scalar(header), wrong.num_rows)
    return rejected_rows(table, wrong, rules, headers, everything)
