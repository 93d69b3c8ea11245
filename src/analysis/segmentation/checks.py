"""What a scheme names that does not exist, and what of it cannot be read."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from analysis.conditions import (
    BANDS,
    RECENCY,
    SWITCH,
    Comparison,
    Condition,
    ConditionError,
    parse,
)
from analysis.errors import Problem
from analysis.segmentation import axes as ax
from analysis.segmentation.axes import MONEY_SETTING, TRIAL
from analysis.segmentation.compiled import NUMBERS, limits_of, target
from analysis.segmentation.rules import Rule, Scheme
from analysis.settings_checks import nearest
from analysis.settings_segmentation import Segmentation
from analysis.settings_yaml import line_of

Place = tuple[int | str, ...]
_Found = tuple[Place, str, dict[str, Any]]
# empty means: where high begins
HIGH_TOTAL = "high_value_total"


def static_problems(
    scheme: Scheme,
    settings: Segmentation,
    lines: Mapping[tuple[str, ...], int] | None = None,
    file: str = "",
) -> list[Problem]:
    """What a scheme names that does not exist or cannot be read; empty if nothing."""
    found = [*_rule_problems(scheme, settings), *_scheme_problems(scheme, settings)]
    return [Problem(k, args, file, line_of(lines or {}, place)) for place, k, args in found]


def _rule_problems(scheme: Scheme, settings: Segmentation) -> Iterator[_Found]:
    for i, rule in enumerate(scheme.all_rules):
        place: Place = ("rules", i) if i < len(scheme.rules) else ("fallback",)
        if (rule.segment is None) == (rule.segment_setting is None):
            yield (*place, "rule"), "segmentation.one_segment", {"rule": rule.rule}
        elif rule.segment_setting and rule.segment_setting not in Segmentation.model_fields:
            args = {"rule": rule.rule, "found": rule.segment_setting}
            yield (*place, "segment_setting"), "segmentation.unknown_setting", args
        elif (segment := target(rule, settings)) not in scheme.segments:
            known = {"rule": rule.rule, "found": segment, "allowed": list(scheme.segments)}
            yield (*place, "segment"), "segmentation.unknown_segment", known
        for j, entry in enumerate(rule.alternatives):
            inner = (*place, "when", j) if isinstance(rule.when, list) else (*place, "when")
            for feature, written in entry.items():
                where = (*inner, feature)
                yield from _condition_problems(scheme, settings, rule, where, written)
        if place == ("fallback",) and rule.when:
            yield place, "schemes.fallback_with_conditions", {"rule": rule.rule}


def _condition_problems(
    scheme: Scheme, settings: Segmentation, rule: Rule, place: Place, written: Any
) -> Iterator[_Found]:
    known, feature = known_features(scheme), str(place[-1])
    if feature not in known:
        yield place, "schemes.unknown_feature", {
            "rule": rule.rule, "found": feature, "nearest": _hint(feature, known)
        }  # fmt: skip
        return
    try:
        condition = parse(feature, written)
    except ConditionError as error:
        args = {"rule": rule.rule, "feature": feature, "found": error.found}
        yield place, "schemes.unreadable_condition", args
        return
    allowed, numeric = known[feature]
    for words in condition.words:
        for word in sorted(words.allowed - set(allowed)):
            args = {"rule": rule.rule, "feature": feature, "found": word}
            yield place, "schemes.unknown_word", args | {"allowed": list(allowed) or ["–"]}
    if condition.ranges and not numeric:
        args = {"rule": rule.rule, "feature": feature, "nearest": _hint(f"{feature}_days", known)}
        yield place, "schemes.no_number", args
    limits = NUMBERS | set(scheme.thresholds)
    for name in condition.names:
        if name not in limits:
            args = {"rule": rule.rule, "found": name, "nearest": _hint(name, limits)}
            yield place, "schemes.unknown_threshold", args
        elif name not in limits_of(scheme, settings) and not _where_high_begins(condition, name):
            yield place, "schemes.empty_setting", {"rule": rule.rule, "setting": name}


def _where_high_begins(condition: Condition, name: str) -> bool:
    """Whether an empty high_value_total can be read as the band: ``monetary: >= it``."""
    signs = {
        test.sign
        for row in condition.ranges
        for test in row
        if isinstance(test, Comparison) and test.limit == name
    }
    whole = condition.feature == "monetary" and len(condition.ranges) == 1
    return name == HIGH_TOTAL and whole and signs <= {">=", "<"}


def known_features(scheme: Scheme) -> dict[str, tuple[tuple[str, ...], bool]]:
    """What may stand left of a colon: its words, and whether it has numbers."""
    found: dict[str, tuple[tuple[str, ...], bool]] = {
        name: (ax.SCORES.get(name, ()), True) for name in ax.features()
    }
    found |= {"recency": (RECENCY, False), MONEY_SETTING: (BANDS, False)}
    found |= {TRIAL: (SWITCH, False)}
    return found | dict.fromkeys((*scheme.scores, *scheme.grid), ((), True))


def _scheme_problems(scheme: Scheme, settings: Segmentation) -> Iterator[_Found]:
    counts = Counter(rule.rule for rule in scheme.all_rules)
    if repeated := sorted(name for name, count in counts.items() if count > 1):
        yield ("rules",), "segmentation.repeated_rule", {"rules": repeated}
    for role in ("best", "at_risk"):
        holders = [name for name, segment in scheme.segments.items() if segment.role == role]
        if len(holders) != 1:
            args = {"role": role, "found": holders or ["–"]}
            yield ("segments",), "schemes.one_of_role", args
    numbers = set(ax.features())
    for name, score in scheme.scores.items():
        place = ("scores", name, "parts")
        if not math.isclose(sum(score.parts.values()), 1.0, abs_tol=1e-9):
            total = round(sum(score.parts.values()), 6)
            yield place, "schemes.weights", {"score": name, "found": total}
        for part, weight in score.parts.items():
            if part not in numbers:
                args = {"rule": name, "found": part, "nearest": _hint(part, numbers)}
                yield (*place, part), "schemes.unknown_feature", args
            if weight <= 0:
                yield (*place, part), "schemes.weights", {"score": name, "found": weight}
    if scheme.scheme == settings.scheme and not settings.crosswalk:
        yield from (((), p.key, dict(p.args)) for p in unknown_thresholds([scheme], settings))
    known = known_features(scheme)
    for name in scheme.not_monotone:
        if name not in known:
            args = {"rule": "not_monotone", "found": name, "nearest": _hint(name, known)}
            yield ("not_monotone",), "schemes.unknown_feature", args


def unknown_thresholds(schemes: Iterable[Scheme], settings: Segmentation) -> list[Problem]:
    """Entries of ``segmentation.thresholds`` that none of the schemes has."""
    known = {name for scheme in schemes for name in scheme.thresholds}
    return [
        Problem("schemes.threshold_not_there", {"found": name, "nearest": _hint(name, known)})
        for name in settings.thresholds
        if name not in known
    ]


def _hint(word: str, known: Iterable[str]) -> Any:
    found = nearest(word, known)
    return {"key": "error.schemes.nearest", "found": found} if found else ""
