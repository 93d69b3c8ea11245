"""Read every source of the settings into canonical tables; tell all problems at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.calendars import Period
from analysis.errors import Problem, SourceError
from analysis.settings_model import Settings
from analysis.settings_sources import Source
from analysis.sources import (
    answers,
    databases,
    html_tables,
    mapping,
    memory,
    merged,
    numbers,
    old_workbooks,
    parquet_files,
    selection,
    snapshots,
    text_files,
    texts,
    totals,
    workbooks,
    xml_spreadsheets,
)
from analysis.sources.answers import Form
from analysis.sources.convert import Context, Converted, convert
from analysis.sources.currencies import in_own
from analysis.sources.dated import with_file_name
from analysis.sources.dates import Zones
from analysis.sources.files import RETURNED, File, kind_of, locate
from analysis.sources.grid import Grid, Note, count
from analysis.sources.mapping import Origin, Resolved, Wanted
from analysis.sources.memory import Headers
from analysis.sources.named import NamedMapping, load
from analysis.sources.rejects import misfit_rows, rejected_rows
from analysis.sources.widen import Wide, canonical_buckets, lengthen
from analysis.tables import INPUT, RECORD, Table

HELD_OUT = "held_out"
# Numbers of rows at which CRM exports and Excel stop.
EXPORT_LIMITS = (
    1_000, 2_000, 3_000, 5_000, 10_000, 20_000, 30_000, 50_000, 65_535, 100_000, 200_000, 500_000,
    1_000_000, 1_048_575,
)  # fmt: skip
_DATED = ("date", "timestamp")
# What to say where a rule refuses most of a column, and says more than that it is unreadable.
_TOLD = ("ambiguous_date", "ambiguous_numbers", "other_currency", "unreadable_values",
         "unreadable_months", "unreadable_periods")  # fmt: skip


@dataclass(frozen=True)
class Sources:
    """What was read.

    Attributes
    ----------
    tables
        Canonical table → the columns its files hold, typed, with `_file` and `_row`.
    rejected
        Rows that could not be read, in the layout of ``removed_rows``.
    files
        One row a file, in the layout of ``sources``.
    basis
        What the money counts: ``event`` and ``tax``, None where the settings do not say.
    headers
        Headers of every file, as `memory.remember` keeps them for the next period.
    """

    tables: dict[str, pa.Table]
    rejected: pa.Table
    files: pd.DataFrame
    basis: dict[str, str | None]
    headers: Headers = field(default_factory=dict)


@dataclass(frozen=True)
class _Part:
    """One file's contribution."""

    table: pa.Table
    rejected: pa.Table
    info: dict[str, Any]
    records: int
    resolved: Resolved
    header: tuple[str, ...]
    notes: Sequence[Note]


def read(settings: Settings, root: Path, drawn: Path | None = None) -> Sources:
    """Read all sources.

    Parameters
    ----------
    settings
        Uses `sources`, `timezone`, `currency` and `rates`.
    root
        Folder from which paths and ``params/mappings`` count.
    drawn
        Folder in which `databases.fingerprints` has drawn; default: the run's own, if any.

    Raises
    ------
    SourceError
        With every problem of every file.
    """
    with databases.folder(drawn) as place:
        return _read_all(settings, root, place)


def _read_all(settings: Settings, root: Path, drawn: Path) -> Sources:
    problems: list[Problem] = []
    tables: dict[str, pa.Table] = {}
    rejected: list[pa.Table] = []
    infos: list[dict[str, Any]] = []
    headers: list[tuple[str, str, Sequence[str]]] = []
    earlier = memory.recall(memory.latest_before(root, settings.run, settings.period))
    for name, source in settings.sources.items():
        if source.snapshots:
            try:
                tables[name], told = _from_snapshots(name, settings, root)
                infos += told
            except SourceError as error:
                problems += error.problems
            continue
        parts, found = _read_table(INPUT[name], source, settings, root, drawn)
        problems += found
        if parts:
            joined = pa.concat_tables([p.table for p in parts], promote_options="default")
            tables[name] = joined.combine_chunks()
            if source.held_out is not None and "arm" in joined.column_names:
                level = source.held_out
                try:
                    tables[name] = _held_out(tables[name], level, parts[0].info["file"])
                except SourceError as error:
                    problems += error.problems
            rejected += [p.rejected for p in parts]
            infos += [_with_changes(p, earlier) for p in parts]
            headers += [(name, p.info["file"], p.header) for p in parts]
    if problems:
        raise SourceError(_once(problems))
    owed = settings.sources.get("receivables")
    if owed and owed.keys and {"customer_changes", "customer_keys"} <= set(tables):
        tables["customer_changes"] = snapshots.by_own_number(
            tables["customer_changes"], tables["customer_keys"], owed.keys
        )
    schema = RECORD["removed_rows"].schema()
    money = settings.sources.get("orders")
    return Sources(
        tables,
        pa.concat_tables([schema.empty_table(), *rejected]).combine_chunks(),
        pd.DataFrame(infos, columns=RECORD["sources"].names),
        {"event": money.event if money else None, "tax": money.tax if money else None},
        memory.by_form(headers),
    )


def _with_changes(part: _Part, earlier: tuple[str, Headers]) -> dict[str, Any]:
    """A file's row of ``sources``, also with how its headers differ from an earlier period's."""
    found = memory.compare(*earlier, part.info["table"], part.info["file"], part.header).notes()
    if not found:
        return part.info
    return {**part.info, "note": _as_json([*part.notes, *found])}


def _as_json(notes: Sequence[Note]) -> str:
    told = [{"key": key, "args": args} for key, args in notes]
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def _from_snapshots(
    name: str, settings: Settings, root: Path
) -> tuple[pa.Table, list[dict[str, Any]]]:
    """A history from the archived exports of the run, and a row a file of ``sources``."""
    as_of = settings.as_of or Period.parse(settings.period).end
    table, files, rows = snapshots.read_history(name, settings.run, root, as_of)
    plain = {"table": name, "format": "parquet", "encoding": None, "header_row": None}
    counted = zip(files, rows, strict=True)
    return table, [{**plain, "file": f.name, "rows": n, "note": "[]"} for f, n in counted]


def _hashable(problem: Problem) -> str:
    return json.dumps([problem.key, dict(problem.args), problem.file], default=str)


def _once(problems: Sequence[Problem]) -> list[Problem]:
    return list({_hashable(p): p for p in problems}.values())


def _read_table(
    table: Table, source: Source, settings: Settings, root: Path, drawn: Path
) -> tuple[list[_Part], list[Problem]]:
    named: NamedMapping | None = None
    if source.url is not None:
        files, problems = databases.files(table.name, source, root, drawn)
    else:
        files, problems = locate(source, root, returned=table.name in RETURNED)
    if source.mapping is not None:
        named, wrong = load(source.mapping, root)
        problems += wrong
        if named is None:
            return [], problems
    parts: list[_Part] = []
    offset = 0
    for file in files:
        try:
            part = _read_any(table, source, named, file, settings, root, offset)
        except SourceError as error:
            problems += error.problems
            continue
        offset += part.records
        parts.append(part)
    problems += mapping.differing(table, source, [(p.info["file"], p.resolved) for p in parts])
    return parts, problems


def _read_any(
    table: Table,
    source: Source,
    named: NamedMapping | None,
    file: File,
    settings: Settings,
    root: Path,
    offset: int,
) -> _Part:
    """One file as the settings say, or by its form if it is a workbook of tasks."""
    form = answers.form_of(file) if table.name == answers.TABLE else None
    if form is not None:
        source = answers.source_of(form, file)
        named, problems = load(answers.MAPPING, root)
        if problems:
            raise SourceError(problems)
    return _read_file(table, source, named, file, settings, offset, form)


def _read_file(
    table: Table,
    source: Source,
    named: NamedMapping | None,
    file: File,
    settings: Settings,
    offset: int,
    form: Form | None,
) -> _Part:
    wanted = with_file_name(mapping.wanted_columns(table, source, named), table, file.name)
    if form is not None:
        wanted = answers.needed(wanted)
    grid = read_grid(file, source, wanted, form=form is not None)
    whole = len(grid.rows) + len(grid.misfits)
    grid = selection.select(grid, source.only, file.name)
    if not len(grid.rows) and not grid.misfits and form is None:
        raise SourceError(Problem("sources.no_rows", {"file": file.name}))
    resolved = mapping.resolve(grid.header, table, source, wanted, file.name, grid.title)
    if resolved.problems:
        raise SourceError(resolved.problems)
    used = {o.index: o for o in resolved.origins.values() if o.index is not None}
    # what merged cells of a workbook of tasks say, they say once
    text = {i for i, o in used.items() if o.wanted.column.type not in mapping.NUMERIC and not form}
    grid = merged.fill(grid, {i: o.header for i, o in used.items()}, text, file.name)
    zones = Zones(source.timezone or settings.timezone, settings.timezone)
    no_days = frozenset(settings.cleaning.no_days)
    context = Context(file.name, table.name, zones, settings.currency, source.decimal, no_days)
    columns = {n: convert(o, grid, offset, context) for n, o in resolved.origins.items()}
    derived = table.name == "orders" and "amount" not in columns
    if derived:
        columns["amount"] = _product(columns["quantity"], columns["unit_price"])
    total = _total_rows(table, grid, resolved, columns, everywhere=isinstance(source.wide, str))
    money = in_own(
        table, grid, resolved, columns, total, settings.currency, settings.rates, file.name
    )
    columns = money.columns
    problems = [p for c in columns.values() for p in c.problems]
    problems += _hopeless(table, grid, resolved.origins, columns, total, file.name)
    if problems:
        raise SourceError(problems)
    needed = [c.name for c in table.columns if c.required]
    needed += ["quantity", "unit_price"] if derived else []
    needed += answers.ANSWERED if table.name == answers.TABLE else ()
    rules, headers = _verdicts(table, needed, columns, resolved.origins, total)
    size = len(grid.rows)
    rules = pc.if_else(pc.and_(pc.is_null(rules), money.unknown), "no_currency", rules)
    if form is not None and form.foreign(settings):
        rules = pa.repeat(pa.scalar("other_workbook"), size)
        headers = pa.repeat(pa.scalar(f"{form.run} {form.period}".strip() or "-"), size)
    frame = pa.table(
        {n: columns[n].data for n in table.names if n in columns}
        | {"_file": grid.places(file.name), "_row": grid.rows}
    )
    if form is not None:
        start = pa.scalar(form.starts_on, pa.date32()).cast(pa.timestamp("us"))
        frame = frame.append_column("_plan_start", pa.repeat(start, size))
    keep = pc.is_null(rules)
    rejected = [misfit_rows(table, grid, file)]
    if pc.any(pc.invert(keep)).as_py():
        gone = pc.invert(keep)
        rejected.append(rejected_rows(table, frame.filter(gone), rules.filter(gone), headers, gone))
        kept = frame.filter(keep)
    else:
        kept = frame
    notes = [
        *grid.notes,
        *resolved.notes,
        *money.notes,
        *(n for c in columns.values() for n in c.notes),
    ]
    notes += _nulled(columns, needed, resolved.origins, keep)
    records = len(grid.rows) + len(grid.misfits)
    if whole in EXPORT_LIMITS:
        notes.append(("note.export_limit", {"rows": count(whole)}))
    if resolved.wide:
        kept, more, told = lengthen(Wide(table, source, resolved, grid, keep, kept, context))
        rejected += more
        notes += told
    elif table.name == "receivables":
        kept = canonical_buckets(kept)
    info = {
        "table": table.name,
        "file": file.name,
        "format": grid.format,
        "encoding": grid.encoding,
        "header_row": grid.header_row,
        "rows": records,
        "note": _as_json(notes),
    }
    return _Part(kept, pa.concat_tables(rejected), info, records, resolved, grid.header, notes)


def read_grid(file: File, source: Source, wanted: Sequence[Wanted], *, form: bool = False) -> Grid:
    """One file's header and columns, whatever its format; `form`: a workbook of tasks."""
    score = selection.with_selecting(partial(mapping.score, wanted=wanted, source=source), source)
    if source.url is not None:
        return databases.read(file, source, score)
    kind = kind_of(file)
    if form:
        return answers.read_form(file, source, score)
    if kind == "parquet":
        return parquet_files.read(file, score)
    if kind == "xlsx":
        return workbooks.read(file, source, score)
    if kind == "html":
        return html_tables.read(file, source, score)
    if kind == "xml":
        return xml_spreadsheets.read(file, source, score)
    if kind == "xls":
        return old_workbooks.read(file, source, score)
    return text_files.read(file, source, score)


def _product(quantity: Converted, price: Converted) -> Converted:
    """Quantity times unit price; unreadable where both are numbers but the product does not fit."""
    amount = numbers.product(quantity.exact, price.exact)
    both = pc.and_(pc.is_valid(quantity.exact), pc.is_valid(price.exact))
    over = pc.and_(both, pc.is_null(amount))
    return Converted(amount, pc.if_else(over, pa.scalar("too_large"), pa.scalar(None, pa.string())))


def _total_rows(
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


def _hopeless(
    table: Table,
    grid: Grid,
    origins: Mapping[str, Origin],
    columns: Mapping[str, Converted],
    total: pa.Array,
    file: str,
) -> list[Problem]:
    """A column of which most values are unreadable is mapped or formatted wrongly."""
    problems = []
    for name, converted in columns.items():
        origin = origins.get(name)
        if origin is None or origin.index is None or not origin.wanted.must:
            continue
        bad = pc.and_not(converted.bad, total)
        wrong = _count(bad)
        given = wrong + _count(pc.and_not(pc.is_valid(converted.data), total))
        if wrong * 2 <= given:
            continue
        sample = grid.columns[origin.index].filter(bad)[0].as_py()
        args = {
            "column": f"{table.name}.{name}",
            "header": origin.header,
            "rows": str(wrong),
            "shape": texts.shape(str(sample)),
        }
        most = pc.mode(converted.rules.filter(bad).dictionary_encode().indices)[0]["mode"]
        rule = converted.rules.filter(bad).dictionary_encode().dictionary[most.as_py()].as_py()
        told = next((k for k in (rule, f"{rule}s") if k in _TOLD), None)
        kind = "dates" if origin.wanted.column.type in _DATED else "numbers"
        problems.append(Problem(f"sources.{told or f'unreadable_{kind}'}", args, file))
    return problems


def _verdicts(
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


def _nulled(
    columns: Mapping[str, Converted],
    needed: Sequence[str],
    origins: Mapping[str, Origin],
    keep: pa.Array,
) -> list[Note]:
    notes: list[Note] = []
    for name, converted in columns.items():
        if name in needed or name not in origins:
            continue
        for rule, wrong in _counted(converted.rules.filter(keep)):
            args = {"header": origins[name].header, "rows": count(wrong)}
            plain = rule.startswith("unreadable_")
            notes.append(("note.unreadable_values" if plain else f"note.{rule}", args))
    return notes


def _counted(rules: pa.Array) -> list[tuple[str, int]]:
    """Each rule with its number of cells, by name."""
    found = pc.value_counts(rules.drop_null()).to_pylist()
    return sorted((pair["values"], pair["counts"]) for pair in found)


def _held_out(table: pa.Table, level: str, file: str) -> pa.Table:
    """Give the comparison level its canonical name.

    Raises
    ------
    SourceError
        If no row has that level: an effect would be computed without a comparison.
    """
    plain = texts.header(level)
    arm = table["arm"].combine_chunks()
    encoded = arm.dictionary_encode()
    words = encoded.dictionary.to_pylist()
    if plain not in map(texts.header, words):
        args = {"file": file, "level": level, "present": " | ".join(sorted(words)[:10])}
        raise SourceError(Problem("sources.no_held_out", args))
    named = [HELD_OUT if texts.header(w) == plain else w for w in words]
    arm = pa.array(named, pa.string()).take(encoded.indices)
    table = table.set_column(table.column_names.index("arm"), "arm", arm)
    if "strategy" not in table.column_names:
        return table.append_column("strategy", arm)
    strategy = pc.coalesce(table["strategy"], pc.if_else(pc.equal(arm, HELD_OUT), arm, None))
    return table.set_column(table.column_names.index("strategy"), "strategy", strategy)


def _count(mask: pa.Array) -> int:
    return int(pc.sum(mask).as_py() or 0)
