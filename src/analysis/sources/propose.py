"""A first period file from a company's exports: which table, which header goes where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import Problem, SourceError
from analysis.settings_model import Source
from analysis.sources import mapping
from analysis.sources.files import File
from analysis.sources.reader import read_grid
from analysis.tables import INPUT


@dataclass(frozen=True)
class Proposal:
    """What a file seems to be.

    Attributes
    ----------
    file
        The file, as it was given.
    table
        Canonical table; empty if none fits.
    columns
        Canonical column → header.
    left_over
        Headers that were placed nowhere.
    """

    file: str
    table: str
    columns: dict[str, str]
    left_over: tuple[str, ...]


def propose(files: Sequence[Path], root: Path) -> list[Proposal]:
    """Guess table and columns of each file from the synonyms in ``params/mappings``.

    A table fits if every required column is found; of several the one that places most
    headers is taken. It is a proposal: a person reads it before anything is computed.

    Raises
    ------
    SourceError
        If a file is missing or cannot be read at all.
    """
    names = sorted(path.stem for path in (root / "params" / "mappings").glob("*.yml"))
    missing = [
        Problem("sources.missing_file", {"file": path.as_posix()})
        for path in files
        if not path.is_file()
    ]
    if missing:
        raise SourceError(missing)
    return [_propose(path, names, root) for path in files]


def _propose(path: Path, names: Sequence[str], root: Path) -> Proposal:
    file = File(path.as_posix(), path)
    best = Proposal(file.name, "", {}, ())
    for name in names:
        named, problems = mapping.load(name, root)
        if named is None:
            raise SourceError(problems)
        for table in named.tables:
            source = Source(path=file.name, mapping=name)
            wanted = mapping.wanted_columns(INPUT[table], source, named)
            grid = read_grid(file, source, wanted)
            found = mapping.resolve(grid.header, INPUT[table], source, wanted, file.name)
            placed = {c: o.header for c, o in found.origins.items() if o.header}
            rest = tuple(h for h in grid.header if h and h not in placed.values())
            if not best.left_over and not best.table:
                best = Proposal(file.name, "", {}, rest)
            if not found.problems and len(placed) > len(best.columns):
                best = Proposal(file.name, table, placed, rest)
    return best


def period_file(proposals: Sequence[Proposal], run: str, period: str) -> str:
    """The proposals as a period file, with what was not placed as comments."""
    lines = [
        "# Proposed from the files' headers. Read it, correct it, then: analysis check FILE",
        "extends: base.yml",
        "",
        f"run: {run}",
        f"period: {period}",
        "",
        "sources:",
    ]
    seen: set[str] = set()
    for found in proposals:
        if not found.table or found.table in seen:
            lines.append(f"  # not placed: {found.file}")
            lines += [f"  #   {header}" for header in found.left_over]
            continue
        seen.add(found.table)
        lines += [f"  {found.table}:", f"    path: {_quoted(found.file)}", "    columns:"]
        lines += [f"      {column}: {_quoted(h)}" for column, h in found.columns.items()]
        if found.left_over:
            lines.append("    # headers left over: " + ", ".join(found.left_over))
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
