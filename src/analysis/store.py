"""One period's record and the stages behind it: atomic, verified, private.

A folder is built under a temporary name, described by a manifest that is written last, and
put in place by a rename. Whoever reads compares every file with the manifest, so that a
folder which looks finished is finished.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.engine import Frame, Rows, conform, resources, to_frame
from analysis.errors import Problem, SourceError
from analysis.stored import Stored
from analysis.tables import RECORD, Table

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
MANIFEST = "manifest.json"
LOG = "log.txt"  # times stand here; outside the promise of same bytes
_TEMPORARY = ".tmp-"
_ASIDE = ".old-"
_ROW_GROUP = 1 << 20
_PARQUET: dict[str, Any] = {
    "compression": "zstd", "write_page_checksum": True, "store_schema": False,
}  # fmt: skip


@dataclass(frozen=True)
class Record:
    """One period's record, read-only.

    Attributes
    ----------
    folder
        ``reports/<run>/<period>``.
    """

    folder: Path

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What the record says of itself."""
        return dict(read_json(self.folder / MANIFEST))

    @cached_property
    def facts(self) -> dict[str, Any]:
        """Every number that the report prints, by id."""
        return dict(read_json(self._verified("facts.json")))

    @property
    def tables(self) -> list[str]:
        """Names of the tables in the record."""
        return sorted(path.stem for path in (self.folder / "tables").glob("*.parquet"))

    def table(self, name: str) -> pd.DataFrame:
        """A table as pandas: money as float64, days as datetime64."""
        return to_frame(self.arrow(name))

    def arrow(self, name: str) -> pa.Table:
        """A table as Arrow: money as DECIMAL(18,4).

        Raises
        ------
        SourceError
            If there is no such table, or the file is not what the manifest says.
        """
        if name not in self.tables:
            args = {"table": name, "allowed": self.tables}
            raise SourceError(Problem("table.unknown", args))
        return read_table(self._verified(f"tables/{name}.parquet"))

    def _verified(self, name: str) -> Path:
        path = self.folder / name
        expected = self.manifest.get("files", {}).get(name)
        if not path.is_file() or expected != digest(path):
            raise SourceError(Problem("store.damaged", {"file": name}))
        return path


def record(run: str, period: str, root: Path | None = None) -> Record:
    """Open a record; see `analysis.record`."""
    from analysis.settings import find_root  # the settings' floor is wanted only here

    folder = (root or find_root()) / "reports" / run / period
    if not (folder / MANIFEST).is_file():
        args = {"run": run, "period": period, "folder": f"reports/{run}"}
        raise SourceError(Problem("store.no_record", args))
    return Record(folder)


def digest(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_json(value: Any) -> str:
    """The sha256 of JSON-ready data, whatever the order of its keys."""
    return hashlib.sha256(_canonical(value)).hexdigest()


def _canonical(value: Any) -> bytes:
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    SourceError
        If it is missing or cut.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise SourceError(Problem("store.damaged", {"file": path.name})) from None


def write_json(path: Path, value: Any) -> None:
    """Write JSON, sorted and indented, private."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
    write_bytes(path, text.encode() + b"\n")


def write_bytes(path: Path, content: bytes) -> None:
    """Write a private file whole."""
    with written_whole(path) as file:
        file.write(content)


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A private file to write: under a temporary name, in the end synced and renamed."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    temporary = path.with_name(f"{_TEMPORARY}{uuid.uuid4().hex}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_table(folder: Path, table: Table, frame: Frame | Stored) -> Path:
    """Check a frame against its contract and write it as Parquet.

    Pages carry checksums: a flipped bit is an error, not another number. A stored table, which
    follows its contract already, is written block by block; the bytes are the same.
    """
    path = folder / "tables" / f"{table.name}.parquet"
    if isinstance(frame, Stored):
        _write_blocks(path, table, frame)
        return path
    content = conform(frame, table).replace_schema_metadata(None)
    sink = pa.BufferOutputStream()
    pq.write_table(content, sink, row_group_size=_ROW_GROUP, **_PARQUET)
    write_bytes(path, sink.getvalue().to_pybytes())
    return path


def _write_blocks(path: Path, table: Table, rows: Stored) -> None:
    schema = table.schema()
    waiting = schema.empty_table()
    with (
        written_whole(path) as file,
        pq.ParquetWriter(file, schema, **_PARQUET) as writer,
    ):
        for block in rows.blocks():
            waiting = pa.concat_tables([waiting, block.cast(schema)])
            while len(waiting) >= _ROW_GROUP:
                writer.write_table(waiting.slice(0, _ROW_GROUP).combine_chunks(), _ROW_GROUP)
                waiting = waiting.slice(_ROW_GROUP)
        if len(waiting) or not rows.num_rows:
            writer.write_table(waiting.combine_chunks(), _ROW_GROUP)


def read_table(path: Path) -> pa.Table:
    """Read a Parquet file with its page checksums verified."""
    name = path.stem
    try:
        found = pq.read_table(path, page_checksum_verification=True, memory_map=False)
    except (OSError, pa.ArrowInvalid):
        raise SourceError(Problem("store.damaged", {"file": path.name})) from None
    return _as_now(found, RECORD[name]) if name in RECORD else found


def open_table(path: Path) -> Rows:
    """`read_table`, or where that is more rows than memory is meant to hold, the file itself."""
    try:
        many = pq.read_metadata(path).num_rows > resources.block_rows
    except (OSError, pa.ArrowInvalid):
        raise SourceError(Problem("store.damaged", {"file": path.name})) from None
    if not many or path.stem not in RECORD:
        return read_table(path)
    return Stored((path,), RECORD[path.stem].schema())


def _as_now(found: pa.Table, table: Table) -> pa.Table:
    """A table with today's columns: those that an older record does not have are empty."""
    columns = [
        found[field.name] if field.name in found.column_names else pa.nulls(len(found), field.type)
        for field in table.schema()
    ]
    return pa.table(columns, names=table.names).cast(table.schema())


def temporary_folder(parent: Path, label: str) -> Path:
    """A new private folder that `clear_temporary` knows."""
    parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    folder = parent / f"{_TEMPORARY}{label}-{uuid.uuid4().hex}"
    folder.mkdir(mode=PRIVATE_FOLDER)
    return folder


def clear_temporary(parent: Path) -> None:
    """Remove what a killed run left behind. Only the holder of the lock may call this."""
    for leftover in sorted(parent.glob(f"{_TEMPORARY}*")):
        remove(leftover)


def remove(path: Path) -> None:
    """Remove a file, a link or a whole folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def discard(folder: Path) -> None:
    """Remove a finished folder so that half of it never stands under its name."""
    aside = folder.with_name(f"{_TEMPORARY}{uuid.uuid4().hex}")
    folder.rename(aside)
    remove(aside)


def files_of(folder: Path, without: tuple[str, ...] = (MANIFEST,)) -> dict[str, str]:
    """Every file below a folder with its sha256, by relative path."""
    return {
        path.relative_to(folder).as_posix(): digest(path)
        for path in sorted(_files(folder))
        if path.relative_to(folder).as_posix() not in without
    }


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path


def publish(built: Path, target: Path, manifest: Mapping[str, Any]) -> None:
    """Seal a built folder with its manifest and put it in place.

    The manifest gets the sha256 of every file, is written last, verified, and only then the
    folder changes names with an older one in one step: a reader, and a run killed at any
    moment, finds the old folder or the new one. Where the system has no such step, the old
    folder is moved aside first; `recover` puts it back if the process dies in between.
    """
    for path in _files(built):
        path.chmod(PRIVATE_FILE)
        _sync(path)
    write_json(built / MANIFEST, {**manifest, "files": files_of(built, without=(MANIFEST, LOG))})
    for folder in (built, *sorted(path for path in built.rglob("*") if path.is_dir())):
        _sync(folder)
    if not is_whole(built):
        raise SourceError(Problem("store.damaged", {"file": MANIFEST}))
    if not os.path.lexists(target):
        built.rename(target)
    elif not _exchange(built, target):
        _replace(built, target)
    _sync(target.parent)
    for older in (built, _aside(target)):
        if os.path.lexists(older):
            remove(older)


def _exchange(one: Path, other: Path) -> bool:
    """Let two paths change names in one step; False where the system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    here, exchange = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of renameat2(2)
    try:
        renameat2 = ctypes.CDLL(None).renameat2
    except (OSError, AttributeError):
        return False
    return bool(renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0)


def _replace(built: Path, target: Path) -> None:
    """Put a folder in another's place in two steps; a failure undoes the first."""
    aside = _aside(target)
    if os.path.lexists(aside):
        remove(aside)
    target.rename(aside)
    try:
        built.rename(target)
    except BaseException:
        aside.rename(target)
        raise


def _aside(target: Path) -> Path:
    return target.with_name(f"{_ASIDE}{target.name}")


def recover(parent: Path) -> None:
    """Finish what a killed `publish` left: the old folder comes back if no new one stands."""
    for aside in sorted(parent.glob(f"{_ASIDE}*")):
        target = parent / aside.name.removeprefix(_ASIDE)
        if os.path.lexists(target):
            remove(aside)
        else:
            aside.rename(target)


def is_whole(folder: Path, keep: tuple[str, ...] = (LOG,)) -> bool:
    """Whether a folder holds exactly the files of its manifest, byte for byte."""
    files = manifest_of(folder).get("files")
    return isinstance(files, dict) and files == files_of(folder, without=(MANIFEST, *keep))


def manifest_of(folder: Path) -> dict[str, Any]:
    """A folder's manifest; empty if there is none that can be read."""
    try:
        found = read_json(folder / MANIFEST)
    except SourceError:
        return {}
    whole = isinstance(found, dict) and isinstance(found.get("files"), dict)
    return found if whole else {}


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows has no handle on a folder
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
