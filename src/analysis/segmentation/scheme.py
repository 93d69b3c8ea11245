"""A scheme: rules that place every customer in exactly one segment.

`load_scheme` reads ``params/schemes/<name>.yml`` and refuses a scheme with gaps, overlaps,
rules that can never apply, or segments that nobody can reach.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from analysis.errors import Problem, SettingsError
from analysis.settings_model import Section, Segmentation
from analysis.settings_yaml import Layer, read_layer
from analysis.tables import RECORD

R = ("near", "far")
BANDS = ("low", "mid", "high")
TRIAL = "on_trial"
# rank of the shipped scheme's segments, for callers that have no scheme at hand
RFM5_RANKS = {
    "high_value": 3,
    "potential": 2,
    "churn_risk": 1,
    "low_frequency_essential": 2,
    "new": 2,
}

_NUMBERS = {
    name
    for name, field in Segmentation.model_fields.items()
    if field.annotation in (int, float, float | None)
}

Place = Literal["exact", "inferred", "guard"]
Reads = Literal["total", "mean_order"]


class Condition(Section):
    """One comparison of a feature with a number or a setting."""

    feature: str = Field(description="a column of `features`, or on_trial")
    is_: Literal["above", "at_least", "below", "at_most"] = Field(alias="is", description="how")
    than: float | str = Field(description="a number, or a setting of `segmentation`")


class Rule(Section):
    """A rule that applies where all its conditions hold."""

    rule: str = Field(description="name; also that of its reason")
    place: Place = Field(description="exact, inferred or guard")
    segment: str | None = Field(None, description="segment it places in")
    segment_setting: str | None = Field(None, description="setting that names the segment")
    tag: str = Field("", description="must_win_back, trial or empty")
    when: list[Condition] = Field(default_factory=list, description="all must hold")


class Guard(Rule):
    """A rule that overrides some cells."""

    cells: list[str] = Field(min_length=1, description="rules of the cells it looks at")


class Cell(Section):
    """The place of one combination of scores."""

    r: Literal["near", "far"] = Field(description="recency")
    f: Literal["low", "mid", "high"] = Field(description="frequency")
    m: Literal["low", "mid", "high"] = Field(description="money")
    reads: Literal["total", "mean_order", "setting"] = Field("setting", description="which money")
    place: Place = Field(description="exact, inferred or guard")
    segment: str = Field(description="segment it places in")
    rule: str = Field(description="name; also that of its reason")
    tag: str = Field("", description="must_win_back or empty")


class Scheme(Section):
    """A complete set of rules."""

    scheme: str = Field(description="name")
    segments: dict[str, int] = Field(min_length=2, description="segment → rank, in report order")
    without_order: list[Rule] = Field(min_length=1, description="for customers without an order")
    cells: list[Cell] = Field(description="all combinations of r, f and m")
    guards: list[Guard] = Field(default_factory=list, description="in order, first match wins")

    def reads(self, r: str, f: str, settings: Segmentation) -> Reads:
        """Which money the cells of this R and F read."""
        found = next(cell.reads for cell in self.cells if (cell.r, cell.f) == (r, f))
        return settings.monetary_reads if found == "setting" else found


def load_scheme(name: str, root: Path) -> Scheme:
    """Read and check a scheme.

    Parameters
    ----------
    name
        File of ``params/schemes``, without ``.yml``.
    root
        The project's folder.

    Raises
    ------
    SettingsError
        If there is no such file, it is not a scheme, or its rules do not place every customer
        in exactly one segment. All problems at once.
    """
    folder = root / "params" / "schemes"
    path = folder / f"{name}.yml"
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name) or not path.is_file():
        allowed = sorted(file.stem for file in folder.glob("*.yml"))
        raise SettingsError(
            Problem("segmentation.scheme_missing", {"found": name, "allowed": allowed})
        )
    file = path.relative_to(root).as_posix()
    layer = read_layer(path, file)
    if layer.problems:
        raise SettingsError(layer.problems)
    try:
        scheme = Scheme.model_validate(layer.values)
    except ValidationError as error:
        raise SettingsError(
            Problem(
                "segmentation.scheme_value",
                {"place": ".".join(map(str, e["loc"])), "found": e["msg"]},
                file,
                _line(layer, e["loc"]),
            )
            for e in error.errors()
        ) from error
    problems = [Problem(p.key, p.args, file) for p in lint(scheme)]
    if problems:
        raise SettingsError(problems)
    return scheme


def _line(layer: Layer, place: tuple[int | str, ...]) -> int:
    """The line of the nearest enclosing key that has one."""
    key = tuple(str(part) for part in place)
    known = (layer.lines.get(key[:length]) for length in range(len(key), 0, -1))
    return next((line for line in known if line), 0)


def lint(scheme: Scheme) -> list[Problem]:
    """Everything that keeps a scheme from being a complete partition; empty if nothing does."""
    return [*_cover(scheme), *_names(scheme), *_without_order(scheme), *_conditions(scheme)]


def _cover(scheme: Scheme) -> Iterator[Problem]:
    seen = Counter((cell.r, cell.f, cell.m) for cell in scheme.cells)
    gaps = ["·".join(cell) for cell in product(R, BANDS, BANDS) if cell not in seen]
    overlaps = ["·".join(cell) for cell, count in seen.items() if count > 1]
    if gaps:
        yield Problem("segmentation.gaps", {"cells": gaps})
    if overlaps:
        yield Problem("segmentation.overlaps", {"cells": overlaps})
    for r, f in product(R, BANDS):
        reads = sorted({cell.reads for cell in scheme.cells if (cell.r, cell.f) == (r, f)})
        if len(reads) > 1:
            yield Problem("segmentation.mixed_money", {"row": f"{r}·{f}", "found": reads})


def _names(scheme: Scheme) -> Iterator[Problem]:
    rules: list[Rule | Cell] = [*scheme.without_order, *scheme.cells, *scheme.guards]
    repeated = sorted(n for n, count in Counter(r.rule for r in rules).items() if count > 1)
    if repeated:
        yield Problem("segmentation.repeated_rule", {"rules": repeated})
    reached: set[str] = set()
    for rule in rules:
        targets = {rule.segment} if rule.segment else set()
        if isinstance(rule, Rule):
            if (rule.segment is None) == (rule.segment_setting is None):
                yield Problem("segmentation.one_segment", {"rule": rule.rule})
            if rule.segment_setting and rule.segment_setting not in Segmentation.model_fields:
                yield Problem(
                    "segmentation.unknown_setting",
                    {"rule": rule.rule, "found": rule.segment_setting},
                )
        for target in sorted(t for t in targets if t not in scheme.segments):
            yield Problem(
                "segmentation.unknown_segment",
                {"rule": rule.rule, "found": target, "allowed": list(scheme.segments)},
            )
        reached |= {t for t in targets if t}
    unreachable = [segment for segment in scheme.segments if segment not in reached]
    if unreachable:
        yield Problem("segmentation.unreachable", {"segments": unreachable})
    cells = {cell.rule for cell in scheme.cells}
    for guard in scheme.guards:
        unknown = [name for name in guard.cells if name not in cells]
        if unknown:
            yield Problem("segmentation.unknown_cell", {"rule": guard.rule, "found": unknown})


def _without_order(scheme: Scheme) -> Iterator[Problem]:
    *first, last = scheme.without_order
    if last.when:
        yield Problem("segmentation.no_fallback", {"rule": last.rule})
    hidden = next((i for i, rule in enumerate(first) if not rule.when), None)
    if hidden is not None:
        yield Problem(
            "segmentation.shadowed",
            {
                "rule": first[hidden].rule,
                "rules": [rule.rule for rule in scheme.without_order[hidden + 1 :]],
            },
        )
    taken: dict[str, str] = {}
    for guard in scheme.guards:
        hiding = {taken.get(cell) for cell in guard.cells}
        if None not in hiding:
            yield Problem(
                "segmentation.shadowed",
                {"rule": ", ".join(sorted(filter(None, hiding))), "rules": [guard.rule]},
            )
        if not guard.when:
            taken |= {cell: guard.rule for cell in guard.cells if cell not in taken}


def _conditions(scheme: Scheme) -> Iterator[Problem]:
    numeric = {
        c.name for c in RECORD["features"].columns if c.type in ("number", "integer", "money")
    }
    for rule in [*scheme.without_order, *scheme.guards]:
        for condition in rule.when:
            if condition.feature not in numeric | {TRIAL}:
                yield Problem(
                    "segmentation.unknown_feature",
                    {"rule": rule.rule, "found": condition.feature},
                )
            threshold = condition.than
            if isinstance(threshold, str) and threshold not in _NUMBERS:
                yield Problem(
                    "segmentation.unknown_setting", {"rule": rule.rule, "found": threshold}
                )


def best_and_worst(scheme: Scheme | None) -> tuple[str, str]:
    """The best-ranked and the worst-ranked segment; None: those of ``rfm5``."""
    if scheme is None:
        return "high_value", "churn_risk"
    ranks = scheme.segments
    return max(ranks, key=lambda name: ranks[name]), min(ranks, key=lambda name: ranks[name])
