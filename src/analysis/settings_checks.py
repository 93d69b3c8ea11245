"""What is wrong with settings: pydantic's findings in our words, and checks across values."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from rapidfuzz import process

from analysis import wording
from analysis.calendars import Period
from analysis.errors import Problem
from analysis.settings_goals import goal_problems
from analysis.settings_model import SCHEME_OF, Settings
from analysis.settings_sources import Source
from analysis.settings_yaml import Key, read_layer
from analysis.tables import INPUT, MADE_FROM

SECRET = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def nearest(word: str, choices: Iterable[str]) -> str:
    """The choice most like `word`, or an empty text if none is alike."""
    found = process.extractOne(word, sorted(choices), score_cutoff=60)
    return str(found[0]) if found else ""


def place_of(key: Key, places: Mapping[Key, tuple[str, int]]) -> tuple[str, int]:
    """File and line of a key, or of the nearest key above it."""
    for cut in range(len(key), 0, -1):
        if key[:cut] in places:
            return places[key[:cut]]
    return ("", 0)


def validation_problems(
    error: ValidationError,
    values: Mapping[str, Any],
    places: Mapping[Key, tuple[str, int]],
) -> list[Problem]:
    """What pydantic found, as problems with places."""
    problems = []
    for detail in error.errors(include_url=False):
        key = _known_path(detail["loc"], values, detail["type"])
        problem = _problem_of(detail, key)
        problems.append(Problem(problem.key, problem.args, *place_of(key, places)))
    return problems


def _known_path(loc: tuple[Any, ...], values: Any, kind: str) -> Key:
    """The setting's own path: pydantic adds names of union members, which are dropped."""
    found: list[str] = []
    for part in loc:
        in_map = isinstance(values, Mapping) and part in values
        in_list = isinstance(values, list) and isinstance(part, int) and part < len(values)
        if in_map or in_list:
            found.append(str(part))
            values = values[part]
        elif kind == "missing":
            found.append(str(part))
            break
    return tuple(found)


def _problem_of(detail: Any, key: Key) -> Problem:
    setting = ".".join(key)
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        siblings = _fields(key[:-1])
        return Problem(
            "settings.unknown_key",
            {"setting": setting, "nearest": _hint(key, siblings)},
        )
    if kind == "missing":
        return Problem("settings.missing_key", {"setting": setting, "meaning": _meaning(key)})
    if kind == "value_error":
        message = str(context.get("error", ""))
        if message.startswith("one_of:"):
            choices = message.removeprefix("one_of:").split(",")
            return Problem("settings.one_of", {"setting": setting, "allowed": choices})
        if message in _WRONG_VALUES:
            return Problem(f"settings.{message}", {"setting": setting, "found": detail["input"]})
        return Problem("settings.impossible_date", {"setting": setting, "found": detail["input"]})
    if kind.startswith("date"):
        return Problem("settings.impossible_date", {"setting": setting, "found": detail["input"]})
    allowed = allowed_values(detail)
    found = detail["input"]
    shown = found if isinstance(found, (str, int, float, bool)) else type(found).__name__
    return Problem("settings.wrong_type", {"setting": setting, "allowed": allowed, "found": shown})


_WRONG_VALUES = (
    "bad_period", "bad_timezone", "bad_country", "increasing", "named_twice", "below_root",
    "goal_in_words",
)  # fmt: skip


def allowed_values(detail: Any) -> Any:
    """What pydantic would have accepted: choices, a bound, or the words for a type."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "literal_error":
        return [
            word.strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(", ")
        ]
    if kind in ("too_short", "too_long") and isinstance(detail["input"], list):
        return {"key": f"settings.allowed.{kind}", "limit": context[_LIMITS[kind][1]]}
    if kind in _LIMITS:
        sign, limit = _LIMITS[kind]
        return f"{sign} {context[limit]}"
    kind = _SAME.get(kind, kind)
    return {"key": f"settings.allowed.{kind}"} if kind in _ALLOWED else detail["msg"]


_ALLOWED = {
    "string_type", "int_type", "float_type", "bool_type", "list_type", "dict_type",
    "model_type", "string_pattern_mismatch", "bool_parsing", "int_from_float",
}  # fmt: skip
_SAME = {"int_parsing": "int_type", "float_parsing": "float_type"}
# pydantic's name of a bound → the sign for a person, and where pydantic keeps the limit
_LIMITS = {
    "greater_than": (">", "gt"),
    "greater_than_equal": ("≥", "ge"),
    "less_than": ("<", "lt"),
    "less_than_equal": ("≤", "le"),
    "too_short": ("≥", "min_length"),
    "too_long": ("≤", "max_length"),
}


def _section_at(key: Key) -> type[BaseModel] | None:
    """The section that holds the settings below `key`; None below a free map."""
    annotation: Any = Settings
    for part in key:
        annotation = _unwrap(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            fields = annotation.model_fields
            name = next((n for n, f in fields.items() if part in (n, f.alias)), None)
            if name is None:
                return None
            annotation = fields[name].annotation
        elif get_origin(annotation) in (dict, list):
            annotation = get_args(annotation)[-1]
        else:
            return None
    annotation = _unwrap(annotation)
    return (
        annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
    )


def _unwrap(annotation: Any) -> Any:
    while get_origin(annotation) in (Annotated, Union, UnionType):
        annotation = next(a for a in get_args(annotation) if a is not type(None))
    return annotation


def _fields(section: Key) -> list[str]:
    model = _section_at(section)
    return [f.alias or n for n, f in model.model_fields.items()] if model else []


def _meaning(key: Key) -> str:
    model = _section_at(key[:-1])
    field = model.model_fields.get(key[-1]) if model else None
    return str(field.description) if field else ""


def _hint(key: Key, choices: Iterable[str]) -> Any:
    """The sentence with the nearest valid key, as a catalogue reference, or nothing."""
    found = nearest(key[-1], choices)
    if not found:
        return ""
    return {"key": "error.settings.nearest", "setting": ".".join((*key[:-1], found))}


def name_checks(
    values: Mapping[str, Any], root: Path, places: Mapping[Key, tuple[str, int]]
) -> list[Problem]:
    """Tables, columns and files that do not exist, found even where other values are wrong too."""
    found = _files(values, root, places) + _goals(values, root, places)
    sources = values.get("sources")
    for table, source in sources.items() if isinstance(sources, Mapping) else ():
        if table not in INPUT:
            args = {"found": table, "nearest": _hint(("sources", table), INPUT)}
            place = place_of(("sources", table), places)
            found.append(Problem("settings.unknown_table", args, *place))
            continue
        columns = source.get("columns") if isinstance(source, Mapping) else None
        for column in columns if isinstance(columns, Mapping) else ():
            if column not in INPUT[table].names:
                hint = _hint((column,), INPUT[table].names)
                args = {"table": table, "found": column, "nearest": hint}
                place = place_of(("sources", table, "columns", column), places)
                found.append(Problem("settings.unknown_column", args, *place))
    return found


def _goals(
    values: Mapping[str, Any], root: Path, places: Mapping[Key, tuple[str, int]]
) -> list[Problem]:
    """Goals that cannot be measured."""
    kpis = [key.removeprefix("kpi.") for key in wording.keys("en") if key.startswith("kpi.")]
    section = values.get("segmentation")
    scheme = section.get("scheme") if isinstance(section, Mapping) else None
    scheme = scheme or SCHEME_OF.get(str(values.get("business_model", "trade")), "")
    goals, period = values.get("goals"), str(values.get("period", ""))
    if not goals:
        return []
    named = _scheme_segments(root)
    own = named.get(scheme)
    # a trial with another scheme leaves the goals as they stand: theirs are then not measured
    elsewhere = {segment for segments in named.values() for segment in segments}
    return [
        Problem(f"settings.{what}", {"setting": ".".join(key), **args}, *place_of(key, places))
        for key, what, args in goal_problems(goals, period, kpis, own, elsewhere)
    ]


def _scheme_segments(root: Path) -> dict[str, list[str]]:
    """The segments of each scheme that lies in the project."""
    found = {}
    for path in sorted((root / "params" / "schemes").glob("*.yml")):
        segments = read_layer(path, path.name).values.get("segments")
        if isinstance(segments, Mapping):
            found[path.stem] = [str(name) for name in segments]
    return found


# Where a project has no CRM format of its own, that of the package serves.
_PACKAGED = Path(__file__).resolve().parents[2] / "params"

# Empty scheme: that of the business model; empty playbook: the one named like the scheme, or none.
_NEED_NOT_BE_NAMED = (
    ("segmentation", "scheme"),
    ("strategy", "playbook"),
    ("segmentation", "industry_template"),
)


def _files(
    values: Mapping[str, Any], root: Path, places: Mapping[Key, tuple[str, int]]
) -> list[Problem]:
    """Schemes, playbooks, mappings and CRM formats that are named but not there."""
    sources = values.get("sources")
    named: list[tuple[str, Key]] = [
        ("schemes", ("segmentation", "scheme")),
        ("playbooks", ("strategy", "playbook")),
        ("industries", ("segmentation", "industry_template")),
        ("crm", ("strategy", "desk", "crm")),
    ]
    if isinstance(sources, Mapping):
        named += [("mappings", ("sources", table, "mapping")) for table in sources]
    found = []
    for folder, key in named:
        stem: Any = values
        for part in key:
            stem = stem.get(part) if isinstance(stem, Mapping) else None
        folders = [root / "params", *([_PACKAGED] if folder == "crm" else [])]
        available = sorted({p.stem for at in folders for p in (at / folder).glob("*.yml")})
        if key in _NEED_NOT_BE_NAMED and not stem:
            continue
        if isinstance(stem, str) and stem not in available:
            args = {"setting": ".".join(key), "folder": f"params/{folder}", "found": stem}
            problem = Problem(
                "settings.unknown_file", {**args, "allowed": available}, *place_of(key, places)
            )
            found.append(problem)
    return found


def cross_checks(
    settings: Settings, root: Path, places: Mapping[Key, tuple[str, int]]
) -> list[Problem]:
    """What no single value shows: days and periods, files that are named, tables needed."""
    found: list[Problem] = []

    def report(key: str, setting: Key, **args: Any) -> None:
        args["setting"] = ".".join(setting)
        found.append(Problem(f"settings.{key}", args, *place_of(setting, places)))

    period = Period.parse(settings.period)
    if settings.as_of and not period.start <= settings.as_of <= period.end:
        days = {"start": period.start.isoformat(), "end": period.end.isoformat()}
        report(
            "as_of_outside",
            ("as_of",),
            found=settings.as_of.isoformat(),
            period=period.name,
            **days,
        )
    if settings.previous and Period.parse(settings.previous).end >= period.start:
        report("previous_not_before", ("previous",), found=settings.previous, period=period.name)
    modes = settings.segmentation.cuts
    for score in ("frequency", "monetary", "mean_order"):
        numbers = getattr(settings.segmentation, f"{score}_cuts")
        if (getattr(modes, score) or modes.mode) == "threshold" and numbers is None:
            report("cuts_missing", ("segmentation", f"{score}_cuts"))
    sources = settings.sources
    if not set(sources) & ABOUT_CUSTOMERS and not {"treatments", "outcomes"} <= set(sources):
        report("required_sources", ("sources",))
    for raw, made in MADE_FROM.items():
        if {raw, made} <= set(sources):
            report("made_twice", ("sources", raw), found=raw, made=made)
    for name, source in sources.items():
        for secret in SECRET.findall(source.url or ""):
            if secret not in os.environ:
                report("missing_secret", ("sources", name, "url"), found=secret)
        found += _reading(name, source, set(sources), places)
    for label in settings.labels:
        if not wording.has(label):
            report(
                "label_unknown",
                ("labels", label),
                found=label,
                nearest=_hint((label,), wording.keys("en")),
            )
    for stage, notebook in settings.notebooks.items():
        if not (root / notebook).is_file():
            report("missing_file_named", ("notebooks", stage), found=notebook)
    return found


# One of these is enough for a report, be it one that says what is missing.
ABOUT_CUSTOMERS = frozenset(
    ["orders", "tickets", "ticket_events", "receivables", "open_items", "opportunities"]
)
_WIDE_TABLES = {"buckets": "receivables", "months": "targets"}
_FROM_SNAPSHOTS = ("stage_history",)
_KEYS_THEMSELVES = ("customers", "customer_keys")


def _reading(
    name: str, source: Source, given: set[str], places: Mapping[Key, tuple[str, int]]
) -> list[Problem]:
    """Ways of reading that a table does not have, or that need another one."""
    found: list[Problem] = []

    def report(key: str, field: str, **args: Any) -> None:
        path = ("sources", name, field)
        args["setting"] = ".".join(path)
        found.append(Problem(f"settings.{key}", args, *place_of(path, places)))

    if source.snapshots and name not in _FROM_SNAPSHOTS:
        report("snapshots_elsewhere", "snapshots", found=name, allowed=list(_FROM_SNAPSHOTS))
    if isinstance(source.wide, str) and _WIDE_TABLES[source.wide] != name:
        report("wide_elsewhere", "wide", found=source.wide, allowed=_WIDE_TABLES[source.wide])
    if source.wide == "months" and source.year is None:
        report("wide_without_year", "wide")
    if source.keys is None:
        return found
    if name in _KEYS_THEMSELVES or "customer_id" not in INPUT[name].names:
        report("keys_elsewhere", "keys", found=name)
    elif "customer_keys" not in given:
        report("keys_without_table", "keys", found=source.keys)
    return found
