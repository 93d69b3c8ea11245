"""Rules that suggest changes: a measured condition, and what to do about it.

`load_adjustments` reads ``params/adjustments/<name>.yml`` and refuses rules that could never be
looked at: an unknown indicator, a text without one of the languages. `adjust` looks at every
rule: it fires, stays silent, or says that too few are measured to tell.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field, ValidationError

from analysis import wording
from analysis.effects.kpi_dictionary import BY_KEY
from analysis.errors import Problem, SettingsError
from analysis.settings_checks import nearest
from analysis.settings_types import Language, Section
from analysis.settings_yaml import Layer, read_layer
from analysis.tables import RECORD

ALL = "all"
# Measured for these rules alone (`analysis.effects.signals`), beside the KPIs of the period.
SIGNALS = {
    "webinar_participation": "share",
    "training_conversion": "share",
    "integration_requests": "count",
    "exclusive_demand_change": "number",
    "industry_separation": "share",
}
# Columns of `effects` that a rule may look at, with their units; they rest on the treated.
EFFECTS = {
    "estimate": "",
    "done_share": "share",
    "chance_pays": "share",
    "return_rate": "number",
}
_PACKAGED = Path(__file__).resolve().parents[3] / "params" / "adjustments"
_UNITS = Literal["money", "share", "count", "number", "days", "points"]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Operator = Literal["below", "at_most", "above", "at_least"]


class Rule(Section):
    """One rule: where it looks, when it fires, and what it then suggests."""

    kpi: Key | None = Field(None, description="KPI or signal that it looks at")
    effect: Key | None = Field(None, description="or the column of the effects")
    segment: str = Field(ALL, description="segment that the value is measured in")
    strategy: str = Field(ALL, description="strategy that the change is about, or all")
    operator: Operator = Field(description="below, at_most, above or at_least the bound")
    bound: float = Field(description="where it begins, in `unit`")
    unit: _UNITS = Field(description="unit of value and bound")
    least_n: int = Field(ge=1, description="rests on fewer: too few to tell [customers]")
    suggestion: str | dict[Language, str] = Field(
        description="the change: catalogue key, or the words in each language"
    )

    def fires(self, value: float) -> bool:
        """Whether the condition holds; a missing value fires nothing."""
        return {
            "below": value < self.bound,
            "at_most": value <= self.bound,
            "above": value > self.bound,
            "at_least": value >= self.bound,
        }[self.operator]


class Adjustments(Section):
    """The rules of a file."""

    rules: dict[Key, Rule] = Field(min_length=1, description="rule key → rule")


def load_adjustments(name: str, root: Path) -> dict[str, Rule]:
    """Read and check the rules.

    Parameters
    ----------
    name
        Setting ``effectiveness.adjustments``: a file of ``params/adjustments`` without ``.yml``,
        the project's own, else the one that comes with the package. Empty: no rules.
    root
        The project's folder.

    Raises
    ------
    SettingsError
        If there is no such file, or a rule can never be looked at. All problems at once, with
        file and line.
    """
    if not name:
        return {}
    path = _find(name, root)
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    layer = read_layer(path, shown)
    if layer.problems:
        raise SettingsError(layer.problems)
    try:
        rules = Adjustments.model_validate(layer.values).rules
    except ValidationError as error:
        raise SettingsError(list(_invalid(error, layer))) from error
    problems = [problem for key, rule in rules.items() for problem in _lint(key, rule, layer)]
    if problems:
        raise SettingsError(problems)
    return rules


def adjust(
    kpis: pd.DataFrame, effects: pd.DataFrame | None, rules: dict[str, Rule]
) -> pd.DataFrame:
    """Look at every rule.

    Parameters
    ----------
    kpis
        What was measured in this period: kpi, segment, value, unit, n; RECORD ``kpis`` of the
        period, and the rows of `analysis.effects.signals.signals`.
    effects
        RECORD ``effects``; None: no measure was judged.
    rules
        From `load_adjustments`.

    Returns
    -------
    DataFrame
        RECORD ``adjustments``: a row a rule (a rule on effects: a row a strategy, arms one by
        one), sorted by rule. ``fired`` is false where nothing, or too little, was measured;
        ``evidence`` says which.
    """
    rows = [
        _row(key, rule, found)
        for key, rule in sorted(rules.items())
        for found in (_measured(rule, kpis) if rule.kpi else _judged(rule, effects))
    ]
    frame = pd.DataFrame(rows, columns=RECORD["adjustments"].names)
    return frame.sort_values(["rule", "strategy", "segment"], kind="stable", ignore_index=True)


Found = tuple[str, float, float]  # strategy, value, n


def _measured(rule: Rule, kpis: pd.DataFrame) -> list[Found]:
    rows = kpis[(kpis["kpi"] == rule.kpi) & (kpis["segment"] == rule.segment)]
    if rows.empty:
        return [(rule.strategy, math.nan, math.nan)]
    row = rows.iloc[-1]
    return [(rule.strategy, _number(row["value"]), _number(row["n"]))]


def _judged(rule: Rule, effects: pd.DataFrame | None) -> list[Found]:
    """The worst arm and outcome of each strategy, seen from the rule: if any fires, it does."""
    nothing: list[Found] = [(rule.strategy, math.nan, math.nan)]
    if effects is None or effects.empty:
        return nothing
    rows = effects[(effects["segment"] == rule.segment) & effects[rule.effect].notna()]
    if rule.effect == "estimate":
        rows = rows[rows["unit"] == rule.unit]
    if rule.strategy != ALL:
        rows = rows[rows["strategy"] == rule.strategy]
    rising = rule.operator in ("below", "at_most")
    rows = rows.sort_values(
        [str(rule.effect), "n_treated", "arm", "outcome"],
        ascending=[rising, False, True, True],
        kind="stable",
    )
    first = rows.drop_duplicates("strategy").sort_values("strategy", kind="stable")
    found = [
        (str(row["strategy"]), _number(row[rule.effect]), _number(row["n_treated"]))
        for row in first.to_dict("records")
    ]
    return found or nothing


def _row(key: str, rule: Rule, found: Found) -> dict[str, Any]:
    strategy, value, n = found
    looked_at = str(rule.kpi or rule.effect)
    missing = math.isnan(value)
    few = not missing and not n >= rule.least_n
    fires = not missing and not few and rule.fires(value)
    word = "not_measured" if missing else "too_few" if few else "fired" if fires else "silent"
    area = "kpi" if looked_at in BY_KEY else "adjustment_measure"
    evidence = {
        "key": f"adjustment_evidence.{word}",
        "args": {
            "kpi": {"key": f"{area}.{looked_at}"},
            "value": _shown(value, rule.unit),
            "bound": _shown(rule.bound, rule.unit),
            "operator": {"key": f"adjustment_operator.{rule.operator}"},
            "n": _shown(n, "count"),
            "least_n": _shown(rule.least_n, "count"),
        },
    }
    return {
        "rule": key,
        "strategy": strategy,
        "segment": rule.segment,
        "kpi": looked_at,
        "value": value,
        "unit": rule.unit,
        "bound": rule.bound,
        "n": n,
        "fired": fires,
        "suggestion": json.dumps(_suggestion(rule), ensure_ascii=False, sort_keys=True),
        "evidence": json.dumps(evidence, ensure_ascii=False, sort_keys=True),
    }


def _suggestion(rule: Rule) -> dict[str, Any]:
    if isinstance(rule.suggestion, str):
        return {"key": rule.suggestion, "args": {}}
    return {"text": dict(rule.suggestion), "args": {}}


def _number(value: Any) -> float:
    return math.nan if pd.isna(value) else float(value)


def _shown(value: float, unit: str) -> dict[str, Any]:
    if math.isnan(value):
        return {"value": None, "unit": unit}
    whole = unit in ("count", "days") and float(value).is_integer()
    return {"value": int(value) if whole else float(value), "unit": unit}


def _lint(key: str, rule: Rule, layer: Layer) -> Iterator[Problem]:
    here = ("rules", key)
    if (rule.kpi is None) == (rule.effect is None):
        yield _problem("one_measure", here, key, (), layer)
    units = {name: kpi.unit for name, kpi in BY_KEY.items()} | SIGNALS
    known = units if rule.kpi else EFFECTS
    used = rule.kpi or rule.effect
    if used and used not in known:
        kind = "unknown_kpi" if rule.kpi else "unknown_effect"
        yield _problem(kind, (*here, "kpi" if rule.kpi else "effect"), used, known, layer)
    elif used and known[used] and known[used] != rule.unit:
        yield _problem("other_unit", (*here, "unit"), rule.unit, [known[used]], layer)
    if rule.unit == "share" and not -1 <= rule.bound <= 1:
        yield _problem("bound_share", (*here, "bound"), f"{rule.bound:g}", (), layer)
    where = (*here, "suggestion")
    if isinstance(rule.suggestion, str):
        if not wording.has(rule.suggestion):
            yield _problem("unknown_text", where, rule.suggestion, (), layer)
        return
    for lang in wording.LANGUAGES:
        if not rule.suggestion.get(lang):
            yield _problem("text_language", where, lang, (), layer)


def _problem(
    key: str, where: tuple[str, ...], found: str, allowed: Collection[str], layer: Layer
) -> Problem:
    near = nearest(found, allowed)
    args: dict[str, Any] = {
        "setting": ".".join(where),
        "found": found,
        "allowed": sorted(allowed) or ["–"],
        "nearest": {"key": "error.adjustments.nearest", "found": near} if near else "",
    }
    return Problem(f"adjustments.{key}", args, layer.name, _line(layer, where))


def _line(layer: Layer, where: tuple[str, ...]) -> int:
    places = (where[:cut] for cut in range(len(where), 0, -1))
    return next((layer.lines[place] for place in places if place in layer.lines), 0)


def _invalid(error: ValidationError, layer: Layer) -> Iterator[Problem]:
    seen = set()
    for one in error.errors():
        # A suggestion may be of two types, and both report, with their name at the end.
        place = tuple(
            str(part) for part in one["loc"] if not str(part).startswith(("str", "dict["))
        )
        kind = {"missing": "missing", "extra_forbidden": "unknown_key"}.get(one["type"], "value")
        if (kind, place) not in seen:
            seen.add((kind, place))
            yield _problem(kind, place, str(one.get("input"))[:60], (), layer)


def _find(name: str, root: Path) -> Path:
    folders = (root / "params" / "adjustments", _PACKAGED)
    if re.fullmatch(r"[A-Za-z0-9_-]+", name):
        for folder in folders:
            if (folder / f"{name}.yml").is_file():
                return folder / f"{name}.yml"
    allowed = sorted({file.stem for folder in folders for file in folder.glob("*.yml")}) or ["–"]
    raise SettingsError(Problem("adjustments.unknown_file", {"found": name, "allowed": allowed}))
