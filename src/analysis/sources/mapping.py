"""Which header of a file is which canonical column.

A named mapping lists the headers that exports use; `columns` in the settings come first.
Without either, a file's headers are the canonical names themselves.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from rapidfuzz import fuzz, process

from analysis.errors import Problem
from analysis.settings_sources import Source
from analysis.sources import basis, texts, wide
from analysis.sources.basis import Basis
from analysis.sources.named import Accepted, NamedMapping
from analysis.sources.numbers import UNITS
from analysis.sources.stated import above, contradictions, fold, stated
from analysis.sources.wide import WideHeader
from analysis.tables import Column, Table

NUMERIC = ("money", "number", "integer", "share")
_SHOWN_HEADERS = 10
# No header, but a value: a day, an address, a number of five digits or more.
_DATA = re.compile(r"@|[0-9]{5,}|[0-9]{4}[-/.年][0-9]{1,2}[-/.月][0-9]{1,2}")
# Whose money is asked for: everything downstream counts it.
_COUNTED = ("orders", "amount")


@dataclass(frozen=True)
class Wanted:
    """A canonical column and where it may come from."""

    column: Column
    names: tuple[str, ...] = ()
    unit: str | None = None
    date_format: str | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    value: str | None = None
    row_number: bool = False
    file_name: str | None = None
    must: bool = False
    missing: tuple[str | int | float, ...] = ()
    timezone: str | None = None
    stated: Mapping[str, Basis] = field(default_factory=dict)

    def basis(self, header: str) -> Basis:
        """What a header counts: what it says, and what the mapping says of it."""
        return basis.with_stated(basis.of_money(header), self.stated.get(fold(header)))


@dataclass(frozen=True)
class Origin:
    """A canonical column and where it does come from in one file.

    `currency` is the code that the header itself states, 金额(USD).
    """

    wanted: Wanted
    index: int | None = None
    header: str = ""
    unit: str | None = None
    currency: str | None = None


@dataclass(frozen=True)
class Resolved:
    """One file's columns.

    Attributes
    ----------
    origins
        Canonical column → where it comes from.
    wide, sums
        Headers that become rows, and those that add them up.
    unit
        Of the numbers below a title that states it.
    problems, notes
        What is wrong, and what was made of it.
    """

    origins: dict[str, Origin]
    wide: tuple[WideHeader, ...] = ()
    sums: tuple[WideHeader, ...] = ()
    unit: str | None = None
    problems: tuple[Problem, ...] = ()
    notes: tuple[tuple[str, dict[str, Any]], ...] = ()

    @property
    def tax(self) -> str | None:
        """Whether the money counts with tax, as far as its header or the mapping says."""
        money = self.origins.get("amount")
        return money.wanted.basis(money.header).tax if money else None


def differing(table: Table, source: Source, files: Sequence[tuple[str, Resolved]]) -> list[Problem]:
    """Order files of one source of which some count tax and others do not, undeclared."""
    said = {found.tax: name for name, found in reversed(files) if found.tax}
    if table.name != _COUNTED[0] or source.tax or len(said) < 2:
        return []
    headers = [f"{n}: {f.origins['amount'].header}" for n, f in files if n in said.values()]
    args = {"column": ".".join(_COUNTED), "headers": " | ".join(headers)}
    return [Problem("sources.several_bases", {**args, "tax": "-", "returns": "-"})]


def wanted_columns(table: Table, source: Source, named: NamedMapping | None) -> list[Wanted]:
    """The canonical columns to look for, in the table's order."""
    part = named.tables.get(table.name) if named else None
    found: list[Wanted] = []
    names: tuple[str, ...]
    by_name = not source.columns and source.mapping is None
    turned = wide.targets(table, source) if source.wide else ()
    for column in table.columns:
        own = source.columns.get(column.name)
        accepted = part.columns.get(column.name) if part else None
        if own is None and column.name in turned:
            continue
        if own is not None:
            names = (own.from_,) if own.from_ is not None else ()
            want = Wanted(
                column, names, own.unit, own.date_format, own.map, own.value,
                own.row_number, own.file_name, must=bool(names),
                missing=(*own.missing, *source.missing), timezone=own.timezone,
            )  # fmt: skip
            found.append(_inherited(want, accepted))
        elif accepted is not None:
            want = Wanted(
                column, tuple(accepted.names), value=accepted.value,
                must=_required(table, column, source) and accepted.value is None,
                missing=tuple(source.missing),
            )  # fmt: skip
            found.append(_filled(want, accepted))
        elif by_name or _required(table, column, source):
            must = _required(table, column, source)
            codes = tuple(source.missing)
            found.append(Wanted(column, (column.name,), must=must, missing=codes))
    return found


def _filled(want: Wanted, accepted: Accepted) -> Wanted:
    """With what the mapping says, wherever the settings leave it open."""
    said = {
        fold(texts.header(name)): Basis(b.tax, b.returns, b.currency)
        for name, b in accepted.basis.items()
    }
    return replace(
        want,
        unit=want.unit or accepted.unit,
        date_format=want.date_format or accepted.date_format,
        words=want.words or accepted.map,
        timezone=want.timezone or accepted.timezone,
        stated=said,
    )


def _inherited(want: Wanted, accepted: Accepted | None) -> Wanted:
    """A column of the settings under a header that the mapping knows is read as it says."""
    known = {fold(texts.header(n)) for n in accepted.names} if accepted else set()
    if accepted is None or not want.names:
        return want
    plain = texts.header(want.names[0])
    return _filled(want, accepted) if {fold(plain), fold(stated(plain).base)} & known else want


def _required(table: Table, column: Column, source: Source) -> bool:
    if not column.required:
        return False
    if source.wide and column.name in wide.targets(table, source):
        return False
    if table.name == "treatments" and column.name == "strategy" and source.held_out:
        return "strategy" not in source.columns
    return True


def score(cells: Sequence[str], wanted: Sequence[Wanted], source: Source) -> tuple[bool, int]:
    """Whether a row holds every header that must be there, and how many it holds.

    A header that several columns would take counts once.
    """
    hits = {w.column.name: found for w in wanted if w.names and (found := _find(cells, w))}
    musts = [w for w in wanted if w.must and w.names]
    wide_hits, wide_complete = wide.hits(cells, source)
    complete = all(w.column.name in hits or _derivable(w, hits.keys()) for w in musts)
    held = min(len(hits), len({at for found in hits.values() for at in found}))
    return complete and wide_complete and bool(hits or wide_hits), held + wide_hits


def _derivable(wanted: Wanted, hits: Set[str]) -> bool:
    return wanted.column.name == "amount" and {"quantity", "unit_price"} <= hits


def _find(cells: Sequence[str], wanted: Wanted) -> list[int]:
    """Positions of the headers accepted, best first."""
    exact, alike, based = _places(tuple(cells))
    positions: dict[int, None] = {}
    for name in wanted.names:
        plain, small = _plain(name)
        hits = exact.get(plain) or alike.get(small)
        if not hits and wanted.column.type in NUMERIC:
            hits = based.get(small)
        positions.update(dict.fromkeys(hits or ()))
    return list(positions)


@lru_cache(maxsize=4096)
def _plain(name: str) -> tuple[str, str]:
    plain = texts.header(name)
    return plain, fold(plain)


@lru_cache(maxsize=256)
def _places(cells: tuple[str, ...]) -> tuple[dict[str, list[int]], ...]:
    """Header → positions: as it stands, folded, and folded without its unit."""
    found: tuple[dict[str, list[int]], ...] = ({}, {}, {})
    for i, cell in enumerate(cells):
        base = stated(cell).base
        for index, key in zip(found, (cell, fold(cell), fold(base)), strict=True):
            if key and (index is not found[2] or base != cell):
                index.setdefault(key, []).append(i)
    return found


def resolve(
    cells: Sequence[str],
    table: Table,
    source: Source,
    wanted: Sequence[Wanted],
    file: str,
    title: Sequence[str] = (),
) -> Resolved:
    """Match one file's headers to the canonical columns.

    Parameters
    ----------
    cells
        Headers as `texts.header` returns them.
    table, source, wanted
        The canonical table, its settings and what to look for.
    file
        The file's name for messages.
    title
        Texts above the header, which may state the unit of all money.
    """
    if several := contradictions(title):
        problem = Problem("sources.units_above", {"units": " | ".join(several)}, file)
        return Resolved({}, problems=(problem,))
    general = above(title)
    origins: dict[str, Origin] = {}
    problems: list[Problem] = []
    notes: list[tuple[str, dict[str, Any]]] = []
    counts = Counter(c for c in cells if c)
    for want in wanted:
        place = f"{table.name}.{want.column.name}"
        if want.unit is not None and want.unit not in UNITS:
            args = {"column": place, "found": want.unit, "allowed": list(UNITS)}
            problems.append(Problem("sources.unknown_unit", args, file))
            continue
        if not want.names:
            origins[want.column.name] = Origin(want, unit=want.unit)
            continue
        hits = _find(cells, want)
        if not hits and want.value is not None:
            origins[want.column.name] = Origin(replace(want, names=()))
        if not hits:
            continue
        chosen = _chosen([cells[i] for i in hits], want, table, source)
        if isinstance(chosen, str):
            args = {"column": place, "tax": source.tax or "-", "returns": source.returns or "-"}
            args["headers"] = " | ".join(cells[i] for i in hits)
            problems.append(Problem(f"sources.{chosen}", args, file))
            continue
        index = hits[chosen]
        if counts[cells[index]] > 1:
            args = {"column": place, "header": cells[index]}
            args["count"] = str(counts[cells[index]])
            problems.append(Problem("sources.duplicate_header", args, file))
            continue
        said = stated(cells[index])
        if said.unit and want.unit and said.unit != want.unit:
            args = {"column": place, "header": cells[index], "unit": want.unit}
            args["found"] = said.unit
            problems.append(Problem("sources.unit_conflict", args, file))
            continue
        if len(hits) > 1:
            others = " | ".join(cells[i] for i in hits if i != index)
            args = {"header": cells[index], "others": others}
            notes.append(("note.header_chosen", args))
        unit, currency = want.unit or said.unit, said.currency
        if want.column.type == "money":
            unit, currency = unit or general.unit, currency or general.currency
        origins[want.column.name] = Origin(
            replace(want, value=None), index, cells[index], unit, currency
        )
    if _no_header(cells, origins):
        return Resolved({}, problems=(_headless(cells, file),))
    problems += _missing(cells, table, wanted, origins, file, problems)
    counted = origins.get(_COUNTED[1]) if table.name == _COUNTED[0] else None
    if counted and not source.tax and (tax := counted.wanted.basis(counted.header).tax):
        notes.append((f"note.tax_{tax}", {"header": counted.header}))
    used = {o.index for o in origins.values() if o.index is not None}
    turned = wide.find(cells, table, source, used, file)
    problems += turned.problems
    notes += turned.notes
    for name in source.wide if isinstance(source.wide, list) else ():
        if texts.header(name) not in {w.header for w in turned.rows}:
            problems.append(_missing_problem(cells, f"{table.name}.*", (name,), file))
    repeated = sorted(h for h, n in counts.items() if n > 1)
    if repeated and not problems:
        notes.append(("note.duplicate_header", {"headers": " | ".join(repeated)}))
    return Resolved(origins, turned.rows, turned.sums, general.unit, tuple(problems), tuple(notes))


def _no_header(cells: Sequence[str], origins: Mapping[str, Origin]) -> bool:
    """Whether the row taken for the header is one of data."""
    named = any(o.index is not None for o in origins.values())
    return not named and any(_DATA.search(cell) for cell in cells)


def _headless(cells: Sequence[str], file: str) -> Problem:
    """What stands there may be a person's: only its form is told."""
    shapes = [texts.shape(cell) or "-" for cell in cells[:_SHOWN_HEADERS]]
    return Problem("sources.no_header", {"shape": " | ".join(shapes)}, file)


def _chosen(headers: Sequence[str], want: Wanted, table: Table, source: Source) -> int | str:
    """Which of several headers is read, or the problem that keeps them from being told apart.

    Money: what the settings declare; the company's own currency before the document's. The day
    of an order: that of the event the settings declare.
    """
    if table.name == "orders" and want.column.name == "ordered_at" and source.event:
        events = [basis.event_of(h) for h in headers]
        return events.index(source.event) if source.event in events else 0
    if want.column.type != "money":
        return 0
    found = [want.basis(h) for h in headers]
    declared = {"tax": source.tax, "returns": source.returns}
    fitting = [i for i, b in enumerate(found) if not basis.contradicts(b, declared)]
    counted = (table.name, want.column.name) == _COUNTED
    if not fitting:
        return "other_basis" if counted else 0
    if counted and basis.open_questions([found[i] for i in fitting], declared):
        return "several_bases"
    return next((i for i in fitting if found[i].currency == "own"), fitting[0])


def _missing(
    cells: Sequence[str],
    table: Table,
    wanted: Sequence[Wanted],
    origins: Mapping[str, Origin],
    file: str,
    known: Sequence[Problem],
) -> list[Problem]:
    told = {p.args.get("column") for p in known}
    found = []
    for want in wanted:
        place = f"{table.name}.{want.column.name}"
        if not want.must or want.column.name in origins or place in told:
            continue
        if _derivable(want, set(origins)):
            continue
        found.append(_missing_problem(cells, place, want.names, file))
    return found


def _missing_problem(cells: Sequence[str], place: str, names: Sequence[str], file: str) -> Problem:
    present = [c for c in cells if c]
    shown = present[:_SHOWN_HEADERS] + (["…"] if len(present) > _SHOWN_HEADERS else [])
    best: tuple[float, str] = (0.0, "-")
    for name in names:
        hit = process.extractOne(texts.header(name), present, scorer=fuzz.ratio)
        if hit and hit[1] > best[0]:
            best = (hit[1], hit[0])
    args = {
        "column": place,
        "header": " / ".join(names[:3]),
        "nearest": best[1],
        "present": " | ".join(shown) or "-",
    }
    single = len(present) <= 1
    return Problem("sources.one_column" if single else "sources.missing_column", args, file)
