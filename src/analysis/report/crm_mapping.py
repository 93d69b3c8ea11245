"""How a CRM wants its import files: names of the fields, days, rows of a file.

`load_crm` reads ``params/crm/<name>.yml`` and refuses one that would not know its records by
their number, or would overwrite the company's own tier.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError

from analysis.errors import Problem, SettingsError
from analysis.settings_types import Section
from analysis.settings_yaml import Layer, read_layer

_PACKAGED = Path(__file__).resolve().parents[3] / "params" / "crm"
# What companies and CRMs call the tier that people set.
_OWN_TIERS = (
    "客户级别", "客户等级", "客户分级", "客户类型", "own_tier", "tier", "rating", "account_tier",
    "customer_tier", "customer_grade", "hs_ideal_customer_profile", "lifecyclestage",
)  # fmt: skip

Name = Annotated[str, Field(min_length=1, max_length=255)]


def _day_format(value: str) -> str:
    days = (date(2025, 1, 2), date(2025, 2, 1), date(2025, 1, 3), date(2026, 1, 2))
    if len({day.strftime(value) for day in days}) < len(days) or not value.isprintable():
        raise ValueError("day_format")
    return value


class Crm(Section):
    """A CRM's import format."""

    crm: str = Field(description="name")
    rows: int = Field(ge=1, le=1_000_000, description="most rows of one file")
    day: Annotated[str, AfterValidator(_day_format)] = Field(
        "%Y-%m-%d", description="how a day is written"
    )
    key_system: str = Field(
        "", description="system of customer_keys whose numbers are the CRM's; empty: our own"
    )
    owner: Literal["id", "name"] = Field("id", description="how it knows a person")
    customers: dict[
        Literal["customer_id", "segment", "because", "set_on", "action", "owner", "due"], Name
    ] = Field(min_length=2, description="column → field of a customer, key first")
    tasks: dict[Literal["task_id", "customer_id", "title", "standard", "owner", "due"], Name] = (
        Field(min_length=2, description="column → field of a task, key first")
    )
    answers: dict[Literal["status", "reason"], Name] = Field(
        default_factory=dict, description="fields that people fill in; never written"
    )


def load_crm(name: str, root: Path) -> Crm:
    """Read and check a CRM's import format.

    Parameters
    ----------
    name
        File of ``params/crm``, without ``.yml``: the project's own, else the one that comes with
        the package.
    root
        The project's folder.

    Raises
    ------
    SettingsError
        If there is no such file, or its files could not be loaded safely. All problems at once.
    """
    path = _find(name, root)
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    layer = read_layer(path, shown)
    if layer.problems:
        raise SettingsError(layer.problems)
    try:
        crm = Crm.model_validate(layer.values)
    except ValidationError as error:
        raise SettingsError(list(_invalid(error, layer))) from error
    problems = list(_unsafe(crm, layer))
    if problems:
        raise SettingsError(problems)
    return crm


def _unsafe(crm: Crm, layer: Layer) -> Iterator[Problem]:
    """What would make duplicates or overwrite what is not ours."""
    for table, key in (("customers", "customer_id"), ("tasks", "task_id")):
        fields: dict[str, str] = {str(k): v for k, v in getattr(crm, table).items()}
        first = next(iter(fields))
        if first != key:
            yield _problem("key_first", (table,), first, layer, allowed=key)
        seen: set[str] = set()
        for column, field in fields.items():
            if _plain(field) in seen:
                yield _problem("twice", (table, column), field, layer)
            seen.add(_plain(field))
            if _plain(field) in map(_plain, _OWN_TIERS):
                yield _problem("own_tier", (table, column), field, layer)


def _plain(name: str) -> str:
    kept = unicodedata.normalize("NFKC", name).casefold().removesuffix("__c")
    return "".join(c for c in kept if c.isalnum())


def _problem(key: str, place: tuple[str, ...], found: str, layer: Layer, **args: str) -> Problem:
    at = next((place[:n] for n in range(len(place), 0, -1) if place[:n] in layer.lines), None)
    line = layer.lines[at] if at else 0
    return Problem(
        f"crm.{key}", {"setting": ".".join(place), "found": found[:60], **args}, layer.name, line
    )


def _invalid(error: ValidationError, layer: Layer) -> Iterator[Problem]:
    for one in error.errors():
        place = tuple(str(part) for part in one["loc"] if part != "[key]")
        kind = {"missing": "missing", "extra_forbidden": "unknown_key"}.get(one["type"], "value")
        yield _problem(kind, place, str(one.get("input")), layer)


def _find(name: str, root: Path) -> Path:
    folders = [root / "params" / "crm", _PACKAGED]
    if re.fullmatch(r"[A-Za-z0-9_-]+", name):
        for folder in folders:
            if (folder / f"{name}.yml").is_file():
                return folder / f"{name}.yml"
    allowed = sorted({file.stem for folder in folders for file in folder.glob("*.yml")})
    raise SettingsError(Problem("crm.unknown", {"found": name[:60], "allowed": allowed}))
