"""Archive what a CRM export overwrites, so that histories can be built from it.

An export of opportunities says in which stage each stands today; next week's says it again, and
what was in between is gone. The same holds for who is in charge of a lead or a customer, for the
company's own tier and for what is owed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from analysis import sources, store, wording
from analysis.errors import Problem, SettingsError, SourceError
from analysis.pipeline.locking import run_lock
from analysis.settings import Config
from analysis.tables import ARROW_TYPES, INPUT
from analysis.wording import Language

FOLDER = "snapshots"
FORMAT = 1
# What is kept of each table: nothing of a person, and of a customer who it belongs to.
ARCHIVED: Mapping[str, tuple[str, ...]] = {
    "opportunities": tuple(INPUT["opportunities"].names),
    "leads": tuple(INPUT["leads"].names),
    "customers": ("customer_id", "owner_id", "team_id", "own_tier", "status"),
    "receivables": tuple(INPUT["receivables"].names),
}


@dataclass(frozen=True)
class Archive:
    """An archive of a day.

    Attributes
    ----------
    folder
        ``snapshots/<run>/<as_of>``.
    made
        Whether it is new; False: the same stood there already.
    rows
        Table → rows.
    """

    folder: Path
    made: bool
    rows: Mapping[str, int]


def archive(config: Config) -> Archive:
    """Archive a day's exports.

    Raises
    ------
    SettingsError
        If the settings state no ``as_of``, name none of the tables, or another content stands
        there for that day.
    SourceError
        If a source cannot be read, or what stands there is damaged.
    """
    settings = config.settings
    known = {name: settings.sources[name] for name in ARCHIVED if name in settings.sources}
    problems = []
    if settings.as_of is None:
        problems.append(Problem("snapshot.no_day", {"file": config.file}, config.file))
    if not known:
        args = {"allowed": list(ARCHIVED)}
        problems.append(Problem("snapshot.nothing", args, config.file))
    if problems:
        raise SettingsError(problems)
    chosen = settings.model_copy(update={"sources": known})
    files = sources.fingerprints(chosen, config.root)
    with tempfile.TemporaryDirectory(prefix="analysis-") as drawn:
        files |= sources.draw_databases(chosen, config.root, Path(drawn))
        read = sources.read(chosen, config.root, Path(drawn))
    tables = {name: _kept(name, read.tables[name]) for name in known}
    parent = config.root / FOLDER / settings.run
    target = parent / config.as_of.isoformat()
    with run_lock(parent, settings.run):
        store.clear_temporary(parent)
        built = store.temporary_folder(parent, target.name)
        try:
            about = {name: _write(built, name, table) for name, table in tables.items()}
            rows = {name: int(each["rows"]) for name, each in about.items()}
            if target.exists():
                _same(target, about)
                return Archive(target, made=False, rows=rows)
            manifest = {
                "format": FORMAT,
                "run": settings.run,
                "as_of": config.as_of.isoformat(),
                "tables": about,
                "sources": files,
                "keys": {name: one.keys for name, one in known.items() if one.keys},
                "unreadable_rows": len(read.rejected),
            }
            store.write_json(built / store.MANIFEST, manifest)
            built.rename(target)
        finally:
            if built.exists():
                store.remove(built)
    return Archive(target, made=True, rows=rows)


def lines(config: Config, lang: Language) -> Iterator[str]:
    """Archive, and say where it stands and what it holds."""
    done = archive(config)
    folder = done.folder.relative_to(config.root).as_posix()
    yield wording.text(f"snapshot.{'made' if done.made else 'there'}", lang, folder=folder)
    for name, rows in done.rows.items():
        yield wording.text(
            "snapshot.table",
            lang,
            table=wording.text(f"snapshot.name.{name}", lang),
            rows=f"{rows:,}",
        )


def _kept(name: str, table: pa.Table) -> pa.Table:
    """The columns that are archived, in the order of the contract, rows sorted by content."""
    columns = {}
    for column in ARCHIVED[name]:
        kind = ARROW_TYPES[INPUT[name].column(column).type]
        present = column in table.column_names
        columns[column] = table[column].cast(kind) if present else pa.nulls(len(table), kind)
    made = pa.table(columns)
    return made.sort_by([(column, "ascending") for column in ARCHIVED[name]]).combine_chunks()


def _write(folder: Path, name: str, table: pa.Table) -> dict[str, Any]:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True, store_schema=False)
    path = folder / f"{name}.parquet"
    store.write_bytes(path, sink.getvalue().to_pybytes())
    return {"sha256": store.digest(path), "rows": len(table)}


def _same(target: Path, about: Mapping[str, Any]) -> None:
    """Nothing to do where the same stands there.

    Raises
    ------
    SettingsError
        If another content stands there.
    SourceError
        If what stands there is not what its manifest says.
    """
    known = store.read_json(target / store.MANIFEST).get("tables", {})
    for name, each in known.items():
        path = target / f"{name}.parquet"
        if not path.is_file() or store.digest(path) != each["sha256"]:
            place = f"{target.parent.name}/{target.name}/{path.name}"
            raise SourceError(Problem("sources.snapshot_damaged", {}, place))
    if known != dict(about):
        differ = sorted(name for name in {*known, *about} if known.get(name) != about.get(name))
        args = {"day": target.name, "folder": f"{FOLDER}/{target.parent.name}/{target.name}",
                "tables": [{"key": f"snapshot.name.{name}"} for name in differ]}  # fmt: skip
        raise SettingsError(Problem("snapshot.differs", args))
