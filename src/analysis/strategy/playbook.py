"""A playbook: for each segment the goal, the four angles, and the measures with their tasks.

`load_playbook` reads ``params/playbooks/<name>.yml`` and refuses a playbook that could not be
carried out: a measure without owner, dates or KPI, an unknown segment, role, channel or text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BeforeValidator, Field, ValidationError

from analysis import wording
from analysis.errors import Problem, SettingsError
from analysis.settings_checks import nearest
from analysis.settings_types import Language, Section
from analysis.settings_yaml import Layer, read_layer

_PACKAGED = Path(__file__).resolve().parents[3] / "params" / "playbooks"
_HOURS_A_DAY = 24
_NO_SEGMENTS = {"all", "entered", "left"}
_OVERVIEW = [
    "segment", "strategy", "measure", "extra", "owner_role", "channel", "kpi", "start", "due",
    "cost", "tasks",
]  # fmt: skip
ANGLES = ("product", "communication", "resources", "frequency")

Text = str | dict[Language, str]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Days = Annotated[int, Field(ge=0)]


def _term(value: Any) -> Any:
    return {"value": value, "unit": "count"} if isinstance(value, int | float) else value


class Term(Section):
    """A promise or an offer in numbers: hours to a call, a discount, a coupon."""

    value: float = Field(ge=0, description="the number")
    unit: Literal["hours", "days", "share", "money", "count"] = Field(description="its unit")


class TaskModel(Section):
    """One task of a measure."""

    title: Text = Field(description="catalogue key, or the words in each language")
    standard: Text = Field(description="what counts as done, likewise")
    due: Days | str = Field(description="working days after the measure's start, or a term")


class Measure(Section):
    """What is done with a customer."""

    strategy: Key = Field(description="strategy it belongs to")
    extra: bool = Field(description="on top of the duties: drawn in waves and within the budget")
    owner_role: Key = Field(description="role in charge")
    channel: Key = Field(description="channel")
    kpi: Key = Field(description="KPI it is to move")
    start: Days = Field(description="working days after the period's first working day")
    due: Days | str = Field(description="working days after the start, or a term")
    cost: float = Field(ge=0, description="per customer [currency]")
    tasks: dict[Key, TaskModel] = Field(min_length=1, description="its tasks, by name")
    when: list[dict[str, Any]] = Field(
        default_factory=list, description="any of these rows of conditions; empty: always"
    )
    visits: float = Field(0, ge=0, description="visits of its owner, per customer and period")
    cooldown: int = Field(0, ge=0, description="periods before a customer gets it again")
    entitlement: Key | None = Field(None, description="benefit the segment must be entitled to")
    resources: Text | None = Field(None, description="what it takes")
    target: Term | None = Field(None, description="what its KPI is to reach")
    contractual: bool = Field(False, description="promised: outside the draw, never cut")


class SegmentPlan(Section):
    """One segment's goal, angles and measures."""

    goal: Text = Field(description="what is wanted")
    product: Text = Field(description="product and service")
    communication: Text = Field(description="who speaks, and how")
    resources: Text = Field(description="what it gets")
    frequency: Text = Field(description="how often")
    terms: dict[Key, Annotated[Term, BeforeValidator(_term)]] = Field(
        default_factory=dict, description="promises and offers that texts and dates refer to"
    )
    measures: dict[Key, Measure] = Field(min_length=1, description="measures, by key")
    least_touches: int = Field(0, ge=0, description="contacts a customer gets at least")
    entitlements: dict[Key, Term | bool] = Field(default_factory=dict, description="benefits")
    clocks: dict[Key, Term] = Field(default_factory=dict, description="clocks")
    personal_goal: dict[str, Any] | None = Field(None, description="the customer's own goal")

    def days(self, due: int | str) -> int:
        """Working days behind a due setting: a number, or a term (hours count as days of 24)."""
        if isinstance(due, int):
            return due
        term = self.terms[due]
        return math.ceil(term.value / _HOURS_A_DAY if term.unit == "hours" else term.value)

    def arguments(self) -> dict[str, dict[str, Any]]:
        """The terms as arguments of a sentence."""
        return {
            name: {
                "value": int(t.value) if t.value.is_integer() else t.value,
                "unit": "count" if t.unit == "hours" else t.unit,
            }
            for name, t in sorted(self.terms.items())
        }


class Playbook(Section):
    """A complete playbook."""

    playbook: str = Field(description="name")
    substitutes: dict[Key, list[Key]] = Field(
        default_factory=dict, description="role → roles that stand in where nobody has it"
    )
    decision_owners: dict[
        Literal["expand", "stop", "collect", "rescue", "start", "keep_testing"], Key
    ] = Field(default_factory=dict, description="role in charge of a decision; else the measure's")
    segments: dict[Key, SegmentPlan] = Field(min_length=1, description="segment → plan")

    def measures(self) -> Iterator[tuple[str, str, Measure]]:
        """Segment, measure key and measure, in the playbook's order."""
        for segment, plan in self.segments.items():
            for key, measure in plan.measures.items():
                yield segment, key, measure

    def find(self, measure: str) -> tuple[SegmentPlan, Measure]:
        """A measure with its segment's plan.

        Raises
        ------
        KeyError
            If the playbook has no such measure.
        """
        for plan in self.segments.values():
            if measure in plan.measures:
                return plan, plan.measures[measure]
        raise KeyError(measure)

    def overview(self) -> pd.DataFrame:
        """A row a measure: who does what where, from and until which working day, for how much."""
        rows = [
            {
                "segment": segment,
                "strategy": measure.strategy,
                "measure": key,
                "extra": measure.extra,
                "owner_role": measure.owner_role,
                "channel": measure.channel,
                "kpi": measure.kpi,
                "start": measure.start,
                "due": self.segments[segment].days(measure.due),
                "cost": measure.cost,
                "tasks": len(measure.tasks),
            }
            for segment, key, measure in self.measures()
        ]
        return pd.DataFrame(rows, columns=_OVERVIEW)

    def strategies(self) -> list[str]:
        """Strategy keys in the playbook's order."""
        return list(dict.fromkeys(measure.strategy for _, _, measure in self.measures()))


NO_PLAYBOOK = Playbook.model_construct(playbook="", substitutes={}, decision_owners={}, segments={})


def playbook_for(name: str, scheme_segments: pd.DataFrame, root: Path) -> Playbook:
    """The playbook of a run.

    Parameters
    ----------
    name
        Setting ``strategy.playbook``; empty: the playbook that is named like the scheme.
    scheme_segments
        RECORD table: the primary scheme and its segments.
    root
        The project's folder.

    Returns
    -------
    Playbook
        `NO_PLAYBOOK` where none was named and none is named like the scheme.

    Raises
    ------
    SettingsError
        As `load_playbook` does.
    """
    own = scheme_segments[scheme_segments["primary"].astype(bool)]
    chosen = name or str(own["scheme"].iloc[0])
    if not name and _path(chosen, root) is None:
        return NO_PLAYBOOK
    return load_playbook(chosen, root, segments=list(own["segment"]))


def load_playbook(
    name: str,
    root: Path,
    *,
    segments: Collection[str] | None = None,
    roles: Collection[str] | None = None,
) -> Playbook:
    """Read and check a playbook.

    Parameters
    ----------
    name
        File of ``params/playbooks``, without ``.yml``: the project's own, else the one that
        comes with the package.
    root
        The project's folder.
    segments, roles
        Keys that may be used; default: those that the catalogues name.

    Raises
    ------
    SettingsError
        If there is no such file, or it could not be carried out. All problems at once.
    """
    path = _find(name, root)
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    layer = read_layer(path, shown)
    if layer.problems:
        raise SettingsError(layer.problems)
    try:
        playbook = Playbook.model_validate(layer.values)
    except ValidationError as error:
        raise SettingsError(list(_invalid(error, layer))) from error
    known = {
        "segment": set(segments) if segments is not None else _named("segment") - _NO_SEGMENTS,
        "role": set(roles) if roles is not None else _named("role"),
        "channel": _named("channel"),
        "kpi": _named("kpi"),
    }
    problems = list(lint(playbook, known, layer))
    if problems:
        raise SettingsError(problems)
    return playbook


def lint(
    playbook: Playbook, known: Mapping[str, Collection[str]], layer: Layer | None = None
) -> Iterator[Problem]:
    """Everything that keeps a playbook from being carried out; nothing if it can be.

    Parameters
    ----------
    playbook
        The playbook.
    known
        Keys that may be used, for segment, role, channel and kpi.
    layer
        Where it was read from, for the lines.
    """
    at = _Places(layer)
    homes: dict[str, tuple[str, bool]] = {}
    seen: set[str] = set()
    for segment, plan in playbook.segments.items():
        here = ("segments", segment)
        if segment not in known["segment"]:
            yield at.problem("unknown_segment", here, segment, known["segment"])
        for angle in ("goal", *ANGLES):
            yield from _text(getattr(plan, angle), (*here, angle), plan, at)
        for key, measure in plan.measures.items():
            spot = (*here, "measures", key)
            if key in seen:
                yield at.problem("measure_twice", spot, key)
            seen.add(key)
            for field, kind in (("owner_role", "role"), ("channel", "channel"), ("kpi", "kpi")):
                used = getattr(measure, field)
                if used not in known[kind]:
                    yield at.problem(f"unknown_{kind}", (*spot, field), used, known[kind])
            home = homes.setdefault(measure.strategy, (segment, measure.extra))
            if home != (segment, measure.extra):
                yield at.problem("strategy_split", (*spot, "strategy"), measure.strategy)
            yield from _dates(measure, spot, plan, at)
            for task, model in measure.tasks.items():
                for field in ("title", "standard"):
                    where = (*spot, "tasks", task, field)
                    yield from _text(getattr(model, field), where, plan, at)
    for decision, used in playbook.decision_owners.items():
        if used not in known["role"]:
            yield at.problem("unknown_role", ("decision_owners", decision), used, known["role"])
    for role, others in playbook.substitutes.items():
        for used in (role, *others):
            if used not in known["role"]:
                yield at.problem("unknown_role", ("substitutes", role), used, known["role"])


def _dates(
    measure: Measure, spot: tuple[str, ...], plan: SegmentPlan, at: _Places
) -> Iterator[Problem]:
    dues = {(*spot, "due"): measure.due} | {
        (*spot, "tasks", name, "due"): task.due for name, task in measure.tasks.items()
    }
    clocks = {name for name, term in plan.terms.items() if term.unit in ("hours", "days")}
    bad = {where for where, due in dues.items() if isinstance(due, str) and due not in clocks}
    for where in bad:
        yield at.problem("unknown_term", where, str(dues[where]), clocks)
    if (*spot, "due") in bad:
        return
    last = plan.days(measure.due)
    for where, due in dues.items():
        if where not in bad and plan.days(due) > last:
            yield at.problem("task_after_measure", where, str(plan.days(due)), [str(last)])


def _text(value: Text, where: tuple[str, ...], plan: SegmentPlan, at: _Places) -> Iterator[Problem]:
    terms = dict.fromkeys(plan.terms, "")
    if isinstance(value, str) and not wording.has(value):
        yield at.problem("unknown_text", where, value)
        return
    for lang in wording.LANGUAGES:
        try:
            if isinstance(value, str):
                wording.text(value, lang, **terms)
            elif value.get(lang):
                value[lang].format(**terms)
            else:
                yield at.problem("text_language", where, lang)
        except KeyError as missing:
            yield at.problem("unknown_term", where, str(missing.args[0]), plan.terms)
        except (ValueError, IndexError):  # a lone brace, {} or {0}
            yield at.problem("bad_text", where, str(value)[:60])


class _Places:
    """Problems with file and line."""

    def __init__(self, layer: Layer | None) -> None:
        self.layer = layer

    def problem(
        self, key: str, where: tuple[str, ...], found: str, allowed: Collection[str] = ()
    ) -> Problem:
        args: dict[str, Any] = {"setting": ".".join(where), "found": found}
        args["allowed"] = sorted(allowed) or ["–"]
        near = nearest(found, allowed)
        args["nearest"] = {"key": "error.strategy.nearest", "found": near} if near else ""
        if self.layer is None:
            return Problem(f"strategy.{key}", args)
        return Problem(f"strategy.{key}", args, self.layer.name, _line(self.layer, where))


def _line(layer: Layer, where: tuple[str, ...]) -> int:
    for cut in range(len(where), 0, -1):
        if where[:cut] in layer.lines:
            return layer.lines[where[:cut]]
    return 0


def _invalid(error: ValidationError, layer: Layer) -> Iterator[Problem]:
    seen = set()
    for one in error.errors():
        # A field that may be of two types reports both, with the type's name at the end.
        place = tuple(str(part) for part in one["loc"] if not _branch(str(part)))
        kind = {"missing": "missing", "extra_forbidden": "unknown_key"}.get(one["type"], "value")
        if (kind, place) not in seen:
            seen.add((kind, place))
            args = {"setting": ".".join(place), "found": str(one.get("input"))[:60]}
            yield Problem(f"strategy.{kind}", args, layer.name, _line(layer, place))


def _branch(part: str) -> bool:
    return part in ("str", "int") or part.startswith(("dict[", "constrained", "function-"))


def _path(name: str, root: Path) -> Path | None:
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        return None
    paths = [folder / f"{name}.yml" for folder in (root / "params" / "playbooks", _PACKAGED)]
    return next((path for path in paths if path.is_file()), None)


def _find(name: str, root: Path) -> Path:
    path = _path(name, root)
    if path is not None:
        return path
    folders = [root / "params" / "playbooks", _PACKAGED]
    allowed = sorted({file.stem for folder in folders for file in folder.glob("*.yml")})
    raise SettingsError(Problem("strategy.unknown_playbook", {"found": name, "allowed": allowed}))


def _named(area: str) -> set[str]:
    """The keys directly below an area of the catalogues."""
    found = (key.split(".") for key in wording.keys("en"))
    return {parts[1] for parts in found if parts[0] == area and len(parts) == 2}
