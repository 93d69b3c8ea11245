"""A first period file from a company's exports: which table, which header goes where."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from analysis import wording
from analysis.errors import Problem, SourceError
from analysis.settings_sources import Source
from analysis.sources import mapping, wide
from analysis.sources.dated import day_in
from analysis.sources.files import File
from analysis.sources.mapping import Wanted
from analysis.sources.named import NamedMapping, load
from analysis.sources.reader import read_grid
from analysis.tables import INPUT, Column
from analysis.wording import Language

# One of these in a file means documents: their customer columns are not a customer list.
_OF_ORDERS = ("order_id", "ordered_at", "amount")
# Fewer headers than this say nothing about a file that lacks required columns.
_LEAST_PARTIAL = 2
_NO_HEADER = "\ue000"  # private use: nobody's header


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
    missing
        Required columns for which the file has no header.
    wide, turned
        How headers become rows: buckets, months or, as in most files, not at all; and which.
    """

    file: str
    table: str
    columns: dict[str, str]
    left_over: tuple[str, ...]
    missing: tuple[str, ...] = ()
    wide: str = ""
    turned: tuple[str, ...] = ()

    @property
    def fit(self) -> float:
        """How well the table explains the file, 0 to 1.

        The Dice coefficient of the file's headers and the table's columns, so that neither a
        long table nor a short one wins by its size, less where required columns are missing.
        The customer's number does not count: nearly every table has it.
        """
        if self.missing and len(self.columns) < _LEAST_PARTIAL:
            return 0.0
        placed = len(self.columns.keys() - {"customer_id"}) + len(self.turned)
        own = len(set(INPUT[self.table].names) - {"customer_id"})
        size = placed + len(self.left_over) + own
        required = len(INPUT[self.table].required)
        return 2 * placed / max(size, 1) * (1 - len(self.missing) / max(required, 1)) ** 2


def propose(files: Sequence[Path], root: Path) -> list[Proposal]:
    """Guess table and columns of each file from the synonyms in ``params/mappings``.

    The table that fits best is taken, also if required columns are missing; a file with order
    numbers, order dates or amounts is never a customer list. It is a proposal: a person reads
    it before anything is computed.

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
    mappings = []
    for name in names:
        named, problems = load(name, root)
        if named is None:
            raise SourceError(problems)
        mappings.append((name, named))
    return [_propose(File(path.as_posix(), path), mappings) for path in files]


def _propose(file: File, mappings: Sequence[tuple[str, NamedMapping]]) -> Proposal:
    header = _header(file, mappings)
    found = [
        _as_table(file, header, table, name, named)
        for name, named in mappings
        for table in named.tables
    ]
    if any(p.table == "orders" and set(_OF_ORDERS) & set(p.columns) for p in found):
        found = [p for p in found if p.table != "customers"]
    best = max(found, key=lambda p: p.fit, default=None)
    if best is not None and best.fit > 0:
        return best
    return Proposal(file.name, "", {}, tuple(dict.fromkeys(h for h in header if h)))


def _header(file: File, mappings: Sequence[tuple[str, NamedMapping]]) -> tuple[str, ...]:
    """The row that holds most of the headers that any table knows; the file is read once."""
    source = Source(path=file.name)
    known = [
        replace(want, must=False)
        for name, named in mappings
        for table in named.tables
        for want in mapping.wanted_columns(
            INPUT[table], source.model_copy(update={"mapping": name}), named
        )
    ]
    # no row is complete, so the search goes on below a title that happens to be a known word
    never = Wanted(Column("", "string", ""), (_NO_HEADER,), must=True)
    return read_grid(file, source, [*known, never]).header


def _as_table(
    file: File, header: Sequence[str], table: str, name: str, named: NamedMapping
) -> Proposal:
    source = _stands_wide(Source(path=file.name, mapping=name), table, header)
    wanted = mapping.wanted_columns(INPUT[table], source, named)
    found = mapping.resolve(header, INPUT[table], source, wanted, file.name)
    required = INPUT[table].required
    # a header is placed once, required columns choose first
    placed: dict[str, str] = {}
    for column in sorted(found.origins, key=lambda c: c not in required):
        own = found.origins[column].header
        if own and own not in placed.values():
            placed[column] = own
    turned = tuple(h.header for h in found.wide)
    by_name = {"as_of"} if source.wide == wide.BUCKETS and day_in(file.name) else set()
    told = {str(p.args.get("column", "")).partition(".")[2] for p in found.problems}
    return Proposal(
        file.name,
        table,
        {c: placed[c] for c in INPUT[table].names if c in placed},
        tuple(dict.fromkeys(h for h in header if h and h not in {*placed.values(), *turned})),
        tuple(c for c in required if c in told and c not in placed and c not in by_name),
        source.wide if isinstance(source.wide, str) else "",
        turned,
    )


def _stands_wide(source: Source, table: str, header: Sequence[str]) -> Source:
    """The source with its way of turning headers into rows, where the file has several."""
    kind = {"receivables": wide.BUCKETS, "targets": wide.MONTHS}.get(table)
    turned = source.model_copy(update={"wide": kind})
    return turned if kind and wide.hits(header, turned)[0] > 1 else source


def period_file(proposals: Sequence[Proposal], run: str, period: str, lang: Language = "en") -> str:
    """The proposals as a period file, with what was not placed as comments.

    Files of one table under the same headers become one source.

    Parameters
    ----------
    proposals
        What `propose` found.
    run, period
        As the settings have them.
    lang
        Language of the comments.
    """
    groups: dict[str, list[Proposal]] = {}
    others: list[str] = []
    for found in proposals:
        if not found.table:
            others.append(_comment("not_placed", lang, file=found.file))
            others += [f"  #   {_line(header)}" for header in found.left_over]
            continue
        group = groups.setdefault(found.table, [])
        if group and group[0].columns != found.columns:
            others.append(_comment("second", lang, file=found.file, table=found.table))
            continue
        group.append(found)
    lines = [
        _comment("first", lang).strip(),
        "extends: base.yml",
        "",
        f"run: {_quoted(run)}",
        f"period: {_quoted(period)}",
        "",
        "sources:" if groups else "sources: {}",
    ]
    for table, group in groups.items():
        lines += _source(table, group, period, lang)
    return "\n".join([*lines, *others]) + "\n"


def _source(table: str, group: Sequence[Proposal], period: str, lang: Language) -> list[str]:
    files = [_quoted(found.file) for found in group]
    if len(files) == 1:
        lines = [f"  {table}:", f"    path: {files[0]}"]
    else:
        lines = [f"  {table}:", "    path:", *(f"      - {file}" for file in files)]
    if group[0].wide:
        lines.append(f"    wide: {group[0].wide}")
    if group[0].wide == wide.MONTHS:
        lines.append(f"    year: {period[:4]}")
    lines.append("    columns:")
    lines += [f"      {column}: {_quoted(h)}" for column, h in group[0].columns.items()]
    if group[0].wide == wide.BUCKETS and not {"as_of"} & {*group[0].columns, *group[0].missing}:
        lines.append("      as_of: {file_name: date}")
    if group[0].missing:
        names = ", ".join(group[0].missing)
        lines.append("  " + _comment("missing", lang, columns=names))
    left = list(dict.fromkeys(header for found in group for header in found.left_over))
    if left:
        lines.append("  " + _comment("left_over", lang, headers=", ".join(left)))
    return lines


def _comment(key: str, lang: Language, **args: str) -> str:
    return "  # " + _line(wording.text(f"propose.{key}", lang, **args))


def _line(text: str) -> str:
    """Text on one line: a line break in a name must not leave the comment."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _quoted(text: str) -> str:
    """A YAML scalar that is read back as the same text, whatever it holds."""
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text)
