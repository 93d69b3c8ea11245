"""Which header of a file is which canonical column.

A named mapping lists the headers that exports use; `columns` in the settings come first.
Without either, a file's headers are the canonical names themselves.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from rapidfuzz import fuzz, process

from analysis.errors import Problem
from analysis.settings_sources import Source
from analysis.sources import texts, wide
from analysis.sources.numbers import UNITS
from analysis.sources.wide import WideHeader
from analysis.tables import INPUT, Column, Table

_UNIT_AT_END = re.compile(r"\A(.*?)\s*[(\[](?:单位:?)?(元|千元|万元|百万元|亿元)[)\]]\Z")
NUMERIC = ("money", "number", "integer", "share")
_SHOWN_HEADERS = 10


def _accepted(value: Any) -> Any:
    if isinstance(value, (str, list)):
        value = {"from": value}
    if isinstance(value, dict) and isinstance(value.get("from"), str):
        value = {**value, "from": [value["from"]]}
    return value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Accepted(_Strict):
    """The headers that stand for one canonical column, and how to read them."""

    names: list[str] = Field(alias="from", min_length=1)
    unit: str | None = None
    date_format: str | None = None
    map: dict[str, str] = Field(default_factory=dict)


class _TableMapping(_Strict):
    columns: dict[str, Annotated[Accepted, BeforeValidator(_accepted)]]


class NamedMapping(_Strict):
    """A file of params/mappings."""

    tables: dict[str, _TableMapping]


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


@dataclass(frozen=True)
class Origin:
    """A canonical column and where it does come from in one file."""

    wanted: Wanted
    index: int | None = None
    header: str = ""
    unit: str | None = None


@dataclass(frozen=True)
class Resolved:
    """One file's columns; `wide` are the headers that become rows."""

    origins: dict[str, Origin]
    wide: tuple[WideHeader, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[tuple[str, dict[str, Any]], ...] = ()


def load(name: str, root: Path) -> tuple[NamedMapping | None, list[Problem]]:
    """A mapping by name, or the problems that keep it from being used."""
    path = root / "params" / "mappings" / f"{name}.yml"
    shown = f"params/mappings/{name}.yml"
    if not path.is_file():
        have = sorted(p.stem for p in path.parent.glob("*.yml"))
        args = {"mapping": name, "available": have or ["-"]}
        return None, [Problem("sources.unknown_mapping", args)]
    try:
        mapping = NamedMapping.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        return None, [Problem("sources.bad_mapping", {"found": _first_line(error)}, shown)]
    except ValidationError as error:
        return None, [
            Problem(
                "sources.bad_mapping",
                {"found": f"{'.'.join(map(str, e['loc']))}: {e['msg']}"},
                shown,
            )
            for e in error.errors(include_url=False)
        ]
    problems = [
        Problem("sources.bad_mapping", {"found": f"tables.{table}.columns.{column}"}, shown)
        for table, part in mapping.tables.items()
        for column in part.columns
        if table not in INPUT or column not in INPUT[table].names
    ]
    return (None if problems else mapping), problems


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def wanted_columns(table: Table, source: Source, named: NamedMapping | None) -> list[Wanted]:
    """The canonical columns to look for, in the table's order."""
    part = named.tables.get(table.name) if named else None
    found: list[Wanted] = []
    names: tuple[str, ...]
    by_name = not source.columns and source.mapping is None
    for column in table.columns:
        own = source.columns.get(column.name)
        if own is not None:
            names = (own.from_,) if own.from_ is not None else ()
            found.append(
                Wanted(
                    column, names, own.unit, own.date_format, own.map, own.value,
                    own.row_number, own.file_name, must=bool(names),
                    missing=(*own.missing, *source.missing),
                )
            )  # fmt: skip
        elif part is not None and column.name in part.columns:
            accepted = part.columns[column.name]
            names = tuple(accepted.names)
            found.append(
                Wanted(
                    column, names, accepted.unit, accepted.date_format, accepted.map,
                    must=_required(table, column, source), missing=tuple(source.missing),
                )
            )  # fmt: skip
        elif by_name or _required(table, column, source):
            must = _required(table, column, source)
            codes = tuple(source.missing)
            found.append(Wanted(column, (column.name,), must=must, missing=codes))
    return found


def _required(table: Table, column: Column, source: Source) -> bool:
    if not column.required:
        return False
    if source.wide and column.name in wide.targets(table, source):
        return False
    if table.name == "treatments" and column.name == "strategy" and source.held_out:
        return "strategy" not in source.columns
    return True


def score(cells: Sequence[str], wanted: Sequence[Wanted], source: Source) -> tuple[bool, int]:
    """Whether a row holds every header that must be there, and how many it holds."""
    hits = {w.column.name for w in wanted if w.names and _find(cells, w)}
    musts = [w for w in wanted if w.must and w.names]
    wide_hits, wide_complete = wide.hits(cells, source)
    complete = all(w.column.name in hits or _derivable(w, hits) for w in musts)
    return complete and wide_complete and bool(hits or wide_hits), len(hits) + wide_hits


def _derivable(wanted: Wanted, hits: set[str]) -> bool:
    return wanted.column.name == "amount" and {"quantity", "unit_price"} <= hits


def _find(cells: Sequence[str], wanted: Wanted) -> list[tuple[int, str | None]]:
    """Positions (with the unit their header states) of the headers accepted, best first."""
    numeric = wanted.column.type in NUMERIC
    positions: list[tuple[int, str | None]] = []
    folded = [c.casefold() for c in cells]
    bare = [_UNIT_AT_END.match(c) if numeric else None for c in cells]
    for name in map(texts.header, wanted.names):
        small = name.casefold()
        exact = [i for i, c in enumerate(cells) if c == name]
        alike = [i for i, c in enumerate(folded) if c == small]
        based = [i for i, m in enumerate(bare) if m and m[1].casefold() == small]
        for i in exact or alike or based:
            unit = bare[i]
            if i not in [p for p, _ in positions]:
                positions.append((i, unit[2] if unit else None))
    return positions


def stated_unit(header: str) -> str | None:
    """The unit in brackets behind a header."""
    found = _UNIT_AT_END.match(header)
    return found[2] if found else None


def resolve(
    cells: Sequence[str], table: Table, source: Source, wanted: Sequence[Wanted], file: str
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
    """
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
        if not hits:
            continue
        index, stated = hits[0]
        if counts[cells[index]] > 1:
            args = {"column": place, "header": cells[index]}
            args["count"] = str(counts[cells[index]])
            problems.append(Problem("sources.duplicate_header", args, file))
            continue
        if stated and want.unit and stated != want.unit:
            args = {"column": place, "header": cells[index], "unit": want.unit, "found": stated}
            problems.append(Problem("sources.unit_conflict", args, file))
            continue
        if len(hits) > 1:
            others = " | ".join(cells[i] for i, _ in hits[1:])
            args = {"header": cells[index], "others": others}
            notes.append(("note.header_chosen", args))
        origins[want.column.name] = Origin(want, index, cells[index], want.unit or stated)
    problems += _missing(cells, table, wanted, origins, file, problems)
    used = {o.index for o in origins.values() if o.index is not None}
    rows, wrong = wide.find(cells, table, source, used, file)
    problems += wrong
    for name in source.wide if isinstance(source.wide, list) else ():
        if texts.header(name) not in {w.header for w in rows}:
            problems.append(_missing_problem(cells, f"{table.name}.*", (name,), file))
    repeated = sorted(h for h, n in counts.items() if n > 1)
    if repeated and not problems:
        notes.append(("note.duplicate_header", {"headers": " | ".join(repeated)}))
    return Resolved(origins, tuple(rows), tuple(problems), tuple(notes))


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
