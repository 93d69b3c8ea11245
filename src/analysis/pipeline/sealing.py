"""Approved records: decisions that stand outside the generated files."""

from __future__ import annotations

from pathlib import Path

from analysis import store


def seal_file(root: Path, record: Path) -> Path:
    """Where the approval of a record stands: a decision, so not among generated files."""
    return root / "decisions" / record.parent.name / f"{record.name}.approved.json"


def approve(root: Path, record: Path) -> Path:
    """Seal a record: its plan and cuts are what the next period reads.

    Returns
    -------
    Path
        The decision, with the sha256 of the record's manifest.
    """
    path = seal_file(root, record)
    seal = {"record": record.name, "manifest": store.digest(record / store.MANIFEST)}
    store.write_json(path, seal)
    return path


def sealed(root: Path, run: str, period: str) -> Path | None:
    """The approved record of a period, the latest revision first; None if there is none."""
    parent = root / "reports" / run
    for record in sorted(parent.glob(f"{period}*"), reverse=True):
        path = seal_file(root, record)
        manifest = record / store.MANIFEST
        if not (path.is_file() and manifest.is_file()):
            continue
        if store.read_json(path)["manifest"] == store.digest(manifest):
            return record
    return None
