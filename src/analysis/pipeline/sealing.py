"""Approvals: decisions, kept outside the generated files with what the next period needs."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa

from analysis import store
from analysis.errors import Problem, SourceError

TABLES = ("cuts", "features", "plan", "segments")
IF_THERE = ("designs", "evidence", "tasks", "waves")  # records of older versions lack them
_SEAL = "approved.json"


def seal_file(root: Path, record: Path) -> Path:
    """Where the approval of a record stands."""
    return root / "decisions" / record.parent.name / record.name / _SEAL


def approve(root: Path, record: Path) -> Path:
    """Seal a record: copy what the next period reads.

    That are its cuts, features, plan and segments, and, where it has them, how the waves were
    drawn, what they can show, the tasks, and the evidence so far.

    Returns
    -------
    Path
        The decision, with the sha256 of the record's manifest and of each copy.
    """
    path = seal_file(root, record)
    store.clear_temporary(path.parent)  # what a killed approval left
    files = {}
    held = {file.stem for file in (record / "tables").glob("*.parquet")}
    for table in (*TABLES, *(name for name in IF_THERE if name in held)):
        content = (record / "tables" / f"{table}.parquet").read_bytes()
        store.write_bytes(path.parent / f"{table}.parquet", content)
        files[f"{table}.parquet"] = store.digest(path.parent / f"{table}.parquet")
    manifest = store.digest(record / store.MANIFEST)
    store.write_json(path, {"record": record.name, "manifest": manifest, "files": files})
    return path


def sealed(root: Path, run: str, period: str) -> Path | None:
    """The approval of a period's record, the latest revision first; None if there is none."""
    form = re.compile(rf"{re.escape(period)}(?:\.r(\d+))?")
    found = [
        (int(name[1] or 1), path)
        for path in (root / "decisions" / run).glob(f"*/{_SEAL}")
        if (name := form.fullmatch(path.parent.name))
    ]
    return max(found)[1] if found else None


def keeps(seal: Path, table: str) -> bool:
    """Whether an approval kept a table; those of older versions kept fewer."""
    return f"{table}.parquet" in store.read_json(seal)["files"]


def read(seal: Path, table: str) -> pa.Table:
    """A table of an approval.

    Raises
    ------
    SourceError
        If it is not what the approval says.
    """
    name = f"{table}.parquet"
    path = seal.parent / name
    if not path.is_file() or store.read_json(seal)["files"].get(name) != store.digest(path):
        raise SourceError(Problem("store.damaged", {"file": name}))
    return store.read_table(path)
