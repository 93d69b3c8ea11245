"""Named mappings: which headers a system's exports use for which canonical column.

A file of ``params/mappings`` may extend others: its own headers come before theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from analysis.errors import Problem
from analysis.sources.basis import Currency, Returns, Tax
from analysis.tables import INPUT


def _accepted(value: Any) -> Any:
    if isinstance(value, (str, list)):
        value = {"from": value}
    if isinstance(value, dict) and isinstance(value.get("from"), str):
        value = {**value, "from": [value["from"]]}
    return value


def _bases(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class StatedBasis(_Strict):
    """The basis of a header that does not say it itself."""

    tax: Tax | None = None
    returns: Returns | None = None
    currency: Currency | None = None


class Accepted(_Strict):
    """The headers that stand for one canonical column, and how to read them."""

    names: list[str] = Field(default_factory=list, alias="from")
    unit: str | None = None
    date_format: str | None = None
    timezone: str | None = None
    value: str | None = None
    map: dict[str, str] = Field(default_factory=dict)
    basis: dict[str, StatedBasis] = Field(default_factory=dict)


class TableMapping(_Strict):
    """One canonical table's columns."""

    columns: dict[str, Annotated[Accepted, BeforeValidator(_accepted)]]


class NamedMapping(_Strict):
    """A file of params/mappings."""

    extends: Annotated[list[str], BeforeValidator(_bases)] = Field(default_factory=list)
    tables: dict[str, TableMapping] = Field(default_factory=dict)


def load(name: str, root: Path) -> tuple[NamedMapping | None, list[Problem]]:
    """A mapping by name with all that it inherits, or the problems that keep it from being used.

    Parameters
    ----------
    name
        File below ``params/mappings``, without ``.yml``.
    root
        The project's folder.
    """
    return _load(name, root, ())


def _load(
    name: str, root: Path, above: tuple[str, ...]
) -> tuple[NamedMapping | None, list[Problem]]:
    path = root / "params" / "mappings" / f"{name}.yml"
    shown = f"params/mappings/{name}.yml"
    if not path.is_file():
        have = sorted(p.stem for p in path.parent.glob("*.yml"))
        args = {"mapping": name, "available": have or ["-"]}
        place = f"params/mappings/{above[-1]}.yml" if above else ""
        return None, [Problem("sources.unknown_mapping", args, place)]
    if name in above:
        found = " → ".join([*above[above.index(name) :], name])
        return None, [Problem("sources.bad_mapping", {"found": f"extends: {found}"}, shown)]
    try:
        own = NamedMapping.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
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
        for table, part in own.tables.items()
        for column in part.columns
        if table not in INPUT or column not in INPUT[table].names
    ]
    merged = own.tables
    for base in own.extends:
        inherited, wrong = _load(base, root, (*above, name))
        problems += wrong
        if inherited is not None:
            merged = _over(merged, inherited.tables)
    return (None, problems) if problems else (own.model_copy(update={"tables": merged}), [])


def _over(
    own: Mapping[str, TableMapping], base: Mapping[str, TableMapping]
) -> dict[str, TableMapping]:
    tables = dict(own)
    for table, part in base.items():
        columns = dict(tables[table].columns) if table in tables else {}
        for name, accepted in part.columns.items():
            columns[name] = _joined(columns[name], accepted) if name in columns else accepted
        tables[table] = TableMapping(columns=columns)
    return tables


def _joined(own: Accepted, base: Accepted) -> Accepted:
    return Accepted.model_validate(
        {
            "from": list(dict.fromkeys([*own.names, *base.names])),
            "unit": own.unit or base.unit,
            "date_format": own.date_format or base.date_format,
            "timezone": own.timezone or base.timezone,
            "value": own.value or base.value,
            "map": {**base.map, **own.map},
            "basis": {**base.basis, **own.basis},
        }
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
