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
from analysis.sources import answers, mapping, merged, numbers, verdicts
from analysis.sources.answers import Form
from analysis.sources.convert import Context, Converted, convert
from analysis.sources.currencies import in_own
from analysis.sources.dates import Zones
from analysis.sources.files import File
from analysis.sources.grid import Grid, Note, count
from analysis.sources.mapping import Origin, Resolved, Wanted
from analysis.sources.rejects import misfit_rows, rejected_rows
from analysis.sources.verdicts import Evidence
from analysis.tables import Table

# Numbers of rows at which CRM exports and Excel stop.
EXPORT_LIMITS = (
    1_000, 2_000, 3_000, 5_000, 10_000, 20_000, 30_000, 50_000, 65_535, 100_000, 200_000, 500_000,
    1_000_000, 1_048_575,
)  # fmt: skip


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
        settings, source = self.settings, self.source
        return Context(
            self.file.name,
            self.table.name,
            Zones(source.timezone or settings.timezone, settings.timezone),
            settings.currency,
            source.decimal,
            frozenset(settings.cleaning.no_days),
        )


@dataclass(frozen=True)
class Understood:
    """Canonical rows, and all that is said of them.

    Attributes
    ----------
    grid
        What was read, with merged cells filled.
    kept
        Rows that could be read, with their place; `keep` marks them among all.
    misfits, rejected
        The others, in the layout of ``removed_rows``.
    notes
        Of the grid, of the headers, of money in other currencies, of each column, of each
        column's unreadable cells.
    evidence, problems
        What speaks against the file; `require` raises it.
    forms
        How columns were read of which all cells are read alike.
    exchanged
        Whether money was converted, which looks at a file as a whole.
    """

    resolved: Resolved
    grid: Grid
    kept: pa.Table
    keep: pa.Array
    misfits: pa.Table
    rejected: pa.Table
    notes: tuple[tuple[Note, ...], ...]
    evidence: dict[str, Evidence]
    problems: tuple[Problem, ...]
    forms: dict[str, str]
    exchanged: bool

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
    resolved = mapping.resolve(grid.header, table, source, job.wanted, job.file.name, grid.title)
    if resolved.problems:
        raise SourceError(resolved.problems)
    origins = resolved.origins
    grid = _filled(job, grid, origins)
    columns = {n: convert(o, grid, job.offset, job.context) for n, o in origins.items()}
    derived = table.name == "orders" and "amount" not in columns
    if derived:
        columns["amount"] = _product(columns["quantity"], columns["unit_price"])
    total = verdicts.total_rows(
        table, grid, resolved, columns, everywhere=isinstance(source.wide, str)
    )
    settings = job.settings
    money = in_own(
        table, grid, resolved, columns, total, settings.currency, settings.rates, job.file.name
    )
    columns = money.columns
    needed = [c.name for c in table.columns if c.required]
    needed += ["quantity", "unit_price"] if derived else []
    needed += answers.ANSWERED if table.name == answers.TABLE else ()
    rules, headers = verdicts.verdicts(table, needed, columns, origins, total)
    size = len(grid.rows)
    rules = pc.if_else(pc.and_(pc.is_null(rules), money.unknown), "no_currency", rules)
    if form is not None and form.foreign(settings):
        rules = pa.repeat(pa.scalar("other_workbook"), size)
        headers = pa.repeat(pa.scalar(f"{form.run} {form.period}".strip() or "-"), size)
    frame = pa.table(
        {n: columns[n].data for n in table.names if n in columns}
        | {"_file": grid.places(job.file.name), "_row": grid.rows}
    )
    if form is not None:
        start = pa.scalar(form.starts_on, pa.date32()).cast(pa.timestamp("us"))
        frame = frame.append_column("_plan_start", pa.repeat(start, size))
    keep = pc.is_null(rules)
    gone = pc.invert(keep)
    some = bool(pc.any(gone).as_py())
    notes = [grid.notes, resolved.notes, money.notes, *(c.notes for c in columns.values())]
    return Understood(
        resolved,
        grid,
        frame.filter(keep) if some else frame,
        keep,
        misfit_rows(table, grid, job.file),
        rejected_rows(table, frame.filter(gone), rules.filter(gone), headers, gone),
        (*notes, *verdicts.nulled(columns, needed, origins, keep)),
        verdicts.evidence(grid, origins, columns, total),
        tuple(p for c in columns.values() for p in c.problems),
        {n: c.form for n, c in columns.items() if c.form is not None},
        bool(money.notes),
    )


def _filled(job: Job, grid: Grid, origins: Mapping[str, Origin]) -> Grid:
    """The grid with what merged cells say in all their rows; of a workbook of tasks, once."""
    used = {o.index: o for o in origins.values() if o.index is not None}
    numeric = mapping.NUMERIC
    text = {i for i, o in used.items() if o.wanted.column.type not in numeric and not job.form}
    return merged.fill(grid, {i: o.header for i, o in used.items()}, text, job.file.name)


def _product(quantity: Converted, price: Converted) -> Converted:
    """Quantity times unit price; unreadable where both are numbers but the product does not fit."""
    amount = numbers.product(quantity.exact, price.exact)
    both = pc.and_(pc.is_valid(quantity.exact), pc.is_valid(price.exact))
    over = pc.and_(both, pc.is_null(amount))
    return Converted(amount, pc.if_else(over, pa.scalar("too_large"), pa.scalar(None, pa.string())))


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


def notes_of(found: Understood, whole: int, more: Sequence[Note] = ()) -> list[Note]:
    """All that is to be said of a file.

    Parameters
    ----------
    whole
        Its rows before any were selected.
    more
        Notes on what was done with the rows afterwards.
    """
    notes = [note for part in found.notes for note in part]
    if whole in EXPORT_LIMITS:
        notes.append(("note.export_limit", {"rows": count(whole)}))
    return [*notes, *more]


def as_json(notes: Sequence[Note]) -> str:
    """Notes as the record keeps them."""
    told = [{"key": key, "args": args} for key, args in notes]
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def about(job: Job, found: Understood, notes: Sequence[Note]) -> dict[str, Any]:
    """A row of ``sources``."""
    grid = found.grid
    return {
        "table": job.table.name,
        "file": job.file.name,
        "format": grid.format,
        "encoding": grid.encoding,
        "header_row": grid.header_row,
        "rows": found.records,
        "note": as_json(notes),
    }
