"""From the cells of one file, or of one block of it, to canonical rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from analysis.errors import Problem, SourceError
from analysis.settings_model import Settings
from analysis.settings_sources import Source
from analysis.sources import answers, mapping, numbers, verdicts
from analysis.sources.answers import Form
from analysis.sources.convert import Context, Converted, convert
from analysis.sources.dates import Zones
from analysis.sources.files import File
from analysis.sources.grid import Grid, Note, count
from analysis.sources.mapping import Resolved, Wanted
from analysis.sources.rejects import misfit_rows, rejected_rows
from analysis.sources.verdicts import Evidence
from analysis.tables import Table

# Numbers of rows at which CRM exports and Excel stop.
EXPORT_LIMITS = (2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 65_535, 1_048_575)


@dataclass(frozen=True)
class Job:
    """A file, and what is wanted of it.

    Attributes
    ----------
    offset
        Records of the table's earlier files, so that numbered rows go on counting.
    form
        What a workbook of tasks says of itself.
    """

    table: Table
    source: Source
    file: File
    settings: Settings
    wanted: Sequence[Wanted]
    offset: int
    form: Form | None = None

    @property
    def context(self) -> Context:
        """What a conversion needs to know."""
        zones = Zones(self.source.timezone or self.settings.timezone, self.settings.timezone)
        return Context(self.file.name, self.table.name, zones, self.settings.currency)


@dataclass(frozen=True)
class Understood:
    """Canonical rows, and all that is said of them.

    Attributes
    ----------
    kept
        Rows that could be read, with their place; `keep` marks them among all.
    misfits, rejected
        The others, in the layout of ``removed_rows``.
    notes
        Of the grid, of the headers, of each column, of each column's unreadable cells.
    evidence, problems
        What speaks against the file; `require` raises it.
    forms
        How columns were read of which all cells are read alike.
    """

    resolved: Resolved
    kept: pa.Table
    keep: pa.Array
    misfits: pa.Table
    rejected: pa.Table
    notes: tuple[tuple[Note, ...], ...]
    evidence: dict[str, Evidence]
    problems: tuple[Problem, ...]
    forms: dict[str, str]

    @property
    def records(self) -> int:
        """Rows of the file, whatever became of them."""
        return int(len(self.keep) + self.misfits.num_rows)


def understand(job: Job, grid: Grid) -> Understood:
    """Convert the columns of a grid and judge its rows.

    Raises
    ------
    SourceError
        If columns are missing.
    """
    table, source, form = job.table, job.source, job.form
    resolved = mapping.resolve(grid.header, table, source, job.wanted, job.file.name)
    if resolved.problems:
        raise SourceError(resolved.problems)
    origins = resolved.origins
    columns = {n: convert(o, grid, job.offset, job.context) for n, o in origins.items()}
    derived = table.name == "orders" and "amount" not in columns
    if derived:
        columns["amount"] = _product(columns["quantity"], columns["unit_price"])
    total = verdicts.total_rows(
        table, grid, resolved, columns, everywhere=isinstance(source.wide, str)
    )
    needed = [c.name for c in table.columns if c.required]
    needed += ["quantity", "unit_price"] if derived else []
    needed += answers.ANSWERED if table.name == answers.TABLE else ()
    rules, headers = verdicts.verdicts(table, needed, columns, origins, total)
    size = len(grid.rows)
    if form is not None and form.foreign(job.settings):
        rules = pa.repeat(pa.scalar("other_workbook"), size)
        headers = pa.repeat(pa.scalar(f"{form.run} {form.period}".strip() or "-"), size)
    frame = pa.table(
        {n: columns[n].data for n in table.names if n in columns}
        | {"_file": pa.repeat(pa.scalar(job.file.name), size), "_row": grid.rows}
    )
    if form is not None:
        start = pa.scalar(form.starts_on, pa.date32()).cast(pa.timestamp("us"))
        frame = frame.append_column("_plan_start", pa.repeat(start, size))
    keep = pc.is_null(rules)
    gone = pc.invert(keep)
    some = bool(pc.any(gone).as_py())
    notes = [grid.notes, resolved.notes, *(c.notes for c in columns.values())]
    return Understood(
        resolved,
        frame.filter(keep) if some else frame,
        keep,
        misfit_rows(table, grid, job.file),
        rejected_rows(table, frame.filter(gone), rules.filter(gone), headers, gone),
        (*notes, *verdicts.nulled(columns, needed, origins, keep)),
        verdicts.evidence(grid, origins, columns, total),
        tuple(p for c in columns.values() for p in c.problems),
        {n: c.form for n, c in columns.items() if c.form is not None},
    )


def _product(quantity: Converted, price: Converted) -> Converted:
    """Quantity times unit price; unreadable where both are numbers but the product does not fit."""
    amount = numbers.product(quantity.exact, price.exact)
    both = pc.and_(pc.is_valid(quantity.exact), pc.is_valid(price.exact))
    return Converted(amount, pc.and_(both, pc.is_null(amount)))


def require(job: Job, understood: Understood) -> None:
    """Refuse a file that is not what the settings say.

    Raises
    ------
    SourceError
        If numbers were spoilt before, or most of a column is unreadable.
    """
    problems = verdicts.hopeless(
        job.table, understood.resolved.origins, understood.evidence, job.file.name
    )
    if understood.problems or problems:
        raise SourceError([*understood.problems, *problems])


def about(job: Job, grid: Grid, found: Understood, more: Sequence[Note] = ()) -> dict[str, Any]:
    """A row of ``sources``; `more` are notes on what was done with the rows afterwards."""
    notes = [note for part in found.notes for note in part]
    if found.records in EXPORT_LIMITS:
        notes.append(("note.export_limit", {"rows": count(found.records)}))
    told: list[Mapping[str, Any]] = [{"key": k, "args": a} for k, a in (*notes, *more)]
    return {
        "table": job.table.name,
        "file": job.file.name,
        "format": grid.format,
        "encoding": grid.encoding,
        "header_row": grid.header_row,
        "rows": found.records,
        "note": json.dumps(told, ensure_ascii=False, sort_keys=True),
    }
