"""What headers the files of earlier periods had, and what has changed since.

`analysis init` and `analysis check` remember the headers of every file below ``params/headers``, a
small file a run and period; headers are words of a form, not data. The next period is compared with
the latest one before it, file by file: numbers in file names do not count, the order of columns
neither.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import yaml
from rapidfuzz import fuzz

from analysis.calendars import Period
from analysis.sources.grid import Note
from analysis.sources.stated import fold, stated

FOLDER = "params/headers"
_ALIKE = 60  # per cent of two headers' characters: 客户级别 and 客户等级 have 75
_FIRST = (
    "# The headers of this period's files: what the next period's are compared with.\n"
    "# Written by analysis init and analysis check.\n"
)

# table → file's form → headers
Headers = Mapping[str, Mapping[str, Sequence[str]]]


@dataclass(frozen=True)
class Changes:
    """How a file's headers differ from those of an earlier period.

    Attributes
    ----------
    period
        The earlier period.
    missing, new
        Headers that only it, or only the present file has.
    renamed
        Pairs of an old and a new header that resemble one another.
    """

    period: str
    missing: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()

    def notes(self) -> list[Note]:
        """The changes as notes of ``sources``."""
        told: list[Note] = []
        if self.missing:
            args = {"headers": " | ".join(self.missing), "period": self.period}
            told.append(("note.headers_missing", args))
        if self.renamed:
            pairs = " | ".join(f"{old} → {new}" for old, new in self.renamed)
            told.append(("note.headers_renamed", {"headers": pairs, "period": self.period}))
        if self.new:
            args = {"headers": " | ".join(self.new), "period": self.period}
            told.append(("note.headers_new", args))
        return told


def form_of(file: str) -> str:
    """A file's name without what changes from period to period: 应收账龄_#-#-#.xlsx."""
    return re.sub(r"\d+", "#", PurePath(file).name)


def by_form(files: Sequence[tuple[str, str, Sequence[str]]]) -> dict[str, dict[str, list[str]]]:
    """What is remembered of files: (table, file, headers) each."""
    found: dict[str, dict[str, set[str]]] = {}
    for table, file, headers in files:
        kept = found.setdefault(table, {}).setdefault(form_of(file), set())
        kept.update(h for h in headers if h)
    return {t: {f: sorted(h) for f, h in sorted(fs.items())} for t, fs in sorted(found.items())}


def remember(root: Path, run: str, period: str, headers: Headers) -> Path:
    """Write the headers of a period, over what was remembered of it.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    path = root / FOLDER / run / f"{period}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {t: {f: list(h) for f, h in files.items()} for t, files in headers.items()}
    body = yaml.safe_dump(plain, allow_unicode=True, default_flow_style=None, width=100)
    path.write_text(_FIRST + body, encoding="utf-8")
    return path


def latest_before(root: Path, run: str, period: str) -> Path | None:
    """The file of the latest period of the same kind before this one; None if there is none."""
    try:
        now = Period.parse(period)
    except ValueError:
        return None
    found: list[tuple[Period, Path]] = []
    for path in (root / FOLDER / run).glob("*.yml"):
        try:
            known = Period.parse(path.stem)
        except ValueError:
            continue
        if known.kind == now.kind and known.end < now.start:
            found.append((known, path))
    return max(found, key=lambda one: one[0])[1] if found else None


def recall(path: Path | None) -> tuple[str, Headers]:
    """Period and headers of a remembered file; nothing where it is missing or was damaged."""
    if path is None:
        return "", {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        known = {str(t): {str(f): [str(h) for h in hs] for f, hs in files.items()}
                 for t, files in (content or {}).items()}  # fmt: skip
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, TypeError):
        return "", {}
    return path.stem, known


def inputs(root: Path, run: str, period: str) -> dict[str, str]:
    """The remembered file that a run of a period reads, and its sha256."""
    path = latest_before(root, run, period)
    if path is None:
        return {}
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()}


def compare(period: str, known: Headers, table: str, file: str, headers: Sequence[str]) -> Changes:
    """What has changed since the earlier period in one file.

    A file of a form that was not there before is compared where its table had one form only.
    """
    forms = known.get(table, {})
    before = forms.get(form_of(file))
    if before is None:
        before = next(iter(forms.values())) if len(forms) == 1 else None
    if before is None:
        return Changes(period)
    now = {fold(h): h for h in headers if h}
    then = {fold(h): h for h in before}
    gone = [h for f, h in then.items() if f not in now]
    new = [h for f, h in now.items() if f not in then]
    ranked = sorted(
        ((_alike(a, b), a, b) for a in gone for b in new), key=lambda p: (-p[0], p[1], p[2])
    )
    renamed: list[tuple[str, str]] = []
    for likeness, old, fresh in ranked:
        if likeness >= _ALIKE and old in gone and fresh in new:
            renamed.append((old, fresh))
            gone.remove(old)
            new.remove(fresh)
    return Changes(period, tuple(gone), tuple(new), tuple(sorted(renamed)))


def _alike(one: str, other: str) -> float:
    """Likeness of two headers [per cent]; units behind them do not count."""
    return float(fuzz.ratio(fold(stated(one).base), fold(stated(other).base)))
