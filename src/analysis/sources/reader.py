"""Read every source of the settings into canonical tables; tell all problems at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.calendars import Period
from analysis.engine import Rows
from analysis.errors import Problem, SourceError
from analysis.settings_model import Settings
from analysis.settings_sources import Source
from analysis.sources import (
    answers,
    blocks,
    databases,
    html_tables,
    mapping,
    memory,
    old_workbooks,
    parquet_files,
    selection,
    snapshots,
    text_files,
    texts,
    workbooks,
    xml_spreadsheets,
)
from analysis.sources.blocks import Part, joined
from analysis.sources.dated import with_file_name
from analysis.sources.files import RETURNED, File, kind_of, locate
from analysis.sources.grid import Grid, Note
from analysis.sources.mapping import Wanted
from analysis.sources.memory import Headers
from analysis.sources.named import NamedMapping, load
from analysis.sources.understand import Job, about, as_json, notes_of, require, understand
from analysis.sources.widen import Wide, canonical_buckets, lengthen
from analysis.tables import INPUT, RECORD, Table

HELD_OUT = "held_out"


@dataclass(frozen=True)
class Sources:
    """What was read.

    Attributes
    ----------
    tables
        Canonical table → the columns its files hold, typed, with `_file` and `_row`. More order
        lines than memory is meant to hold are `Stored`, with all canonical columns.
    rejected
        Rows that could not be read, in the layout of ``removed_rows``.
    files
        One row a file, in the layout of ``sources``.
    basis
        What the money counts: ``event`` and ``tax``, None where the settings do not say.
    headers
        Headers of every file, as `memory.remember` keeps them for the next period.
    """

    tables: dict[str, Rows]
    rejected: pa.Table
    files: pd.DataFrame
    basis: dict[str, str | None]
    headers: Headers = field(default_factory=dict)


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
    tables: dict[str, Rows] = {}
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
            tables[name] = joined([p.rows for p in parts], INPUT[name])
            if source.held_out is not None and "arm" in tables[name].column_names:
                level = source.held_out
                try:
                    tables[name] = _held_out(tables[name], level, parts[0].about["file"])
                except SourceError as error:
                    problems += error.problems
            rejected += [p.rejected for p in parts]
            infos += [_with_changes(p, earlier) for p in parts]
            headers += [(name, p.about["file"], p.header) for p in parts]
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


def _with_changes(part: Part, earlier: tuple[str, Headers]) -> dict[str, Any]:
    """A file's row of ``sources``, also with how its headers differ from an earlier period's."""
    found = memory.compare(*earlier, part.about["table"], part.about["file"], part.header).notes()
    return {**part.about, "note": as_json([*part.notes, *found])} if found else part.about


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
) -> tuple[list[Part], list[Problem]]:
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
    plain = source.url is None and not source.only
    stored = plain and table.name in blocks.TABLES and blocks.too_many(files)
    parts: list[Part] = []
    offset = 0
    for file in files:
        try:
            job = _job(table, source, named, file, settings, root, offset)
            part = _read_file(job, stored=stored)
        except SourceError as error:
            problems += error.problems
            continue
        offset += part.about["rows"]
        parts.append(part)
    said = [(p.about["file"], p.resolved) for p in parts]
    return parts, problems + mapping.differing(table, source, said)


def _job(
    table: Table,
    source: Source,
    named: NamedMapping | None,
    file: File,
    settings: Settings,
    root: Path,
    offset: int,
) -> Job:
    """One file as the settings say, or by its form if it is a workbook of tasks."""
    form = answers.form_of(file) if table.name == answers.TABLE else None
    if form is not None:
        source = answers.source_of(form, file)
        named, problems = load(answers.MAPPING, root)
        if problems:
            raise SourceError(problems)
    wanted = with_file_name(mapping.wanted_columns(table, source, named), table, file.name)
    if form is not None:
        wanted = answers.needed(wanted)
    return Job(table, source, file, settings, wanted, offset, form)


def _read_file(job: Job, *, stored: bool) -> Part:
    if stored:
        part = blocks.read(job, partial(mapping.score, wanted=job.wanted, source=job.source))
        if part is not None:
            return part
    grid = read_grid(job.file, job.source, job.wanted, form=job.form is not None)
    whole = len(grid.rows) + len(grid.misfits)
    grid = selection.select(grid, job.source.only, job.file.name)
    if not len(grid.rows) and not grid.misfits and job.form is None:
        raise SourceError(Problem("sources.no_rows", {"file": job.file.name}))
    found = understand(job, grid)
    require(job, found)
    kept, rejected, told = found.kept, [found.misfits, found.rejected], list[Note]()
    if found.resolved.wide:
        wide = Wide(
            job.table, job.source, found.resolved, found.grid, found.keep, kept, job.context
        )
        kept, more, told = lengthen(wide)
        rejected += more
    elif job.table.name == "receivables":
        kept = canonical_buckets(kept)
    notes = notes_of(found, whole, told)
    row = about(job, found, notes)
    return Part(kept, pa.concat_tables(rejected), row, found.resolved, grid.header, notes)


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
