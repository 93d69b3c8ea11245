"""Which files a source names, what they really are, and their fingerprints."""

from __future__ import annotations

import glob
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import Problem, SourceError
from analysis.settings_model import Settings
from analysis.settings_sources import Source

KINDS = {
    ".csv": "csv", ".txt": "csv", ".tsv": "csv",
    ".xlsx": "xlsx", ".xlsm": "xlsx", ".parquet": "parquet", ".pq": "parquet", ".xls": "xls",
}  # fmt: skip
_MAGIC = (
    (b"PK\x03\x04", "xlsx"),
    (b"PAR1", "parquet"),
    (b"\xd0\xcf\x11\xe0", "xls"),
    (b"\x1f\x8b", "gzip"),
    (b"%PDF", "pdf"),
)
_HEAD = 1 << 16
# What Excel opens under these names, whatever they say: exports of many systems are such files.
# An xlsx that holds an old workbook is one that a password locks: its reader says so.
_OPENED = {
    ".xls": ("xls", "xlsx", "html", "xml", "csv"),
    ".xlsx": ("xlsx", "xls"), ".xlsm": ("xlsx", "xls"),
    ".htm": ("html",), ".html": ("html",), ".xml": ("xml",),
}  # fmt: skip
# What comes back from the sales force and the CRM: at first there is none of it.
RETURNED = ("tasks", "load_failures")


# Histories that archives give, and of which table.
HISTORY_OF = {"stage_history": "opportunities"}


@dataclass(frozen=True)
class File:
    """A file of a source: how reports name it, and where it is."""

    name: str
    path: Path


def locate(
    source: Source, root: Path, *, returned: bool = False
) -> tuple[list[File], list[Problem]]:
    """The files a source names, in a fixed order.

    Parameters
    ----------
    source
        Its `path` may be a file, a folder (every readable file in it), a glob, or a list.
    root
        Folder from which relative paths count.
    returned
        A table of `RETURNED`: a glob may match nothing yet.

    Returns
    -------
    tuple
        Files, each once, and a problem for every part that names nothing.
    """
    parts = [source.path] if isinstance(source.path, str) else list(source.path or [])
    found: dict[Path, File] = {}
    problems: list[Problem] = []
    if source.url is not None:
        problems.append(Problem("sources.no_database", {}))
    for part in parts:
        files = _expand(part, root)
        pattern = glob.has_magic(part)
        if not files and not (pattern and returned):
            key = "no_match" if pattern else "missing_file"
            problems.append(Problem(f"sources.{key}", {"file": part}))
        for file in files:
            found.setdefault(file.path.resolve(), file)
    return list(found.values()), problems


def _expand(part: str, root: Path) -> list[File]:
    whole = root / part
    if whole.is_file():
        return [File(_shown(part, root), whole)]
    if whole.is_dir():
        inside = sorted(
            p for p in whole.iterdir()
            if p.is_file() and p.suffix.lower() in KINDS and p.name[0] not in ".~"
        )  # fmt: skip
        return [File(_shown(str(Path(part) / p.name), root), p) for p in inside]
    if not glob.has_magic(part):
        return []
    matches = sorted(glob.glob(part, root_dir=root, recursive=True))  # noqa: PTH207 - knows `..`
    return [
        File(_shown(m, root), root / m)
        for m in matches
        if (root / m).is_file() and Path(m).name[0] not in ".~"
    ]


def _shown(part: str, root: Path) -> str:
    """The name in the settings; an absolute one becomes relative, as records may travel."""
    if Path(part).is_absolute():
        return Path(os.path.relpath(part, root)).as_posix()
    return Path(part).as_posix()


def snapshot_files(run: str, table: str, root: Path) -> tuple[list[File], list[Problem]]:
    """A table's archives of a run (`analysis snapshot`), by day; a problem where there is none."""
    found = sorted((root / "snapshots" / run).glob(f"[0-9]*/{table}.parquet"))
    files = [File(path.relative_to(root).as_posix(), path) for path in found]
    args = {"run": run, "folder": f"snapshots/{run}"}
    return files, [] if files else [Problem("sources.no_snapshots", args)]


def kind_of(file: File) -> str:
    """What a file is: csv, xlsx, xls, parquet, html or xml, by its first bytes.

    Raises
    ------
    SourceError
        If it is empty, of a kind that cannot be read, or not what its name says.
    """
    with file.path.open("rb") as handle:
        head = handle.read(_HEAD)
    if not head:
        raise SourceError(Problem("sources.empty_file", {"file": file.name}))
    suffix = file.path.suffix.lower()
    named = KINDS.get(suffix)
    actual = next((kind for magic, kind in _MAGIC if head.startswith(magic)), None) or _text(head)
    if actual in _OPENED.get(suffix, ()):
        return actual
    if actual in ("gzip", "pdf", "html", "xml") or (named and named != actual):
        args = {"file": file.name, "found": actual, "named": suffix or "-"}
        raise SourceError(Problem("sources.wrong_kind", args))
    return actual


def _text(head: bytes) -> str:
    """What a file of text is: a page with a table, an XML spreadsheet, else separated fields."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", errors="ignore").encode()
    text = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if not text.startswith(b"<"):
        return "csv"
    if b"urn:schemas-microsoft-com:office:spreadsheet" in text and b"<html" not in text:
        return "xml"
    page = text.startswith((b"<html", b"<!doctype", b"<?xml")) or b"<table" in text
    return "html" if page else "csv"


def fingerprints(settings: Settings, root: Path) -> dict[str, str]:
    """sha256 of every file the settings name, by its name in the settings.

    Raises
    ------
    SourceError
        If a file is missing or empty; all of them at once.
    """
    problems: list[Problem] = []
    found: dict[str, str] = {}
    for name, source in settings.sources.items():
        if source.snapshots:
            files, missing = snapshot_files(settings.run, HISTORY_OF[name], root)
        else:
            files, missing = locate(source, root, returned=name in RETURNED)
        problems += missing
        for file in files:
            if file.name in found:
                continue
            if file.path.stat().st_size == 0:
                problems.append(Problem("sources.empty_file", {"file": file.name}))
                continue
            with file.path.open("rb") as handle:
                found[file.name] = hashlib.file_digest(handle, "sha256").hexdigest()
    if problems:
        raise SourceError(_once(problems))
    return dict(sorted(found.items()))


def _once(problems: list[Problem]) -> list[Problem]:
    kept: list[Problem] = []
    for problem in problems:
        if problem not in kept:
            kept.append(problem)
    return kept
