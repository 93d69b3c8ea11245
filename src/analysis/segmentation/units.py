"""Numbers of a scheme that look as if they stood in another unit than their feature.

A share written as 30 instead of 0.3, money in 10,000s, days where cycles are counted: such a
rule can be read and its scheme is complete, yet it holds for everybody or for nobody.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analysis.conditions import Comparison, parse, plain
from analysis.segmentation.axes import Domain, features
from analysis.segmentation.compiled import NUMBERS, POINTS, limits_of
from analysis.segmentation.findings import Finding, Kind, feature_word
from analysis.segmentation.place import Placed
from analysis.segmentation.rules import Scheme
from analysis.settings_segmentation import Segmentation

# beyond these a number is hardly meant: three times as much use, twenty missed orders
MOST_GROWTH = 2.0
MOST_CYCLES = 20.0
WAN = 10_000.0  # Chinese firms write money in ten thousands
_PERCENT = 100.0
_UNITS = ("money", "days", "cycles", "share", "count")
_SETTING_UNIT = re.compile(r"\[(days|cycles|share)\]")


@dataclass
class _Number:
    """A number that rules compare a feature with."""

    feature: str
    name: str  # threshold or setting; empty: written into the rule
    value: float
    domain: Domain
    rules: list[str] = field(default_factory=list)
    signs: set[str] = field(default_factory=set)

    def finding(self, kind: Kind, **more: Any) -> Finding:
        """What is wrong with it."""
        value = plain(self.value)
        shown = {"key": "lint.named", "name": self.name, "value": value} if self.name else value
        more |= {"feature": feature_word(self.feature), "column": self.feature, "limit": shown}
        return Finding(kind, "warning", tuple(self.rules), more=more)


def unit_findings(scheme: Scheme, settings: Segmentation) -> Iterator[Finding]:
    """What the rules alone show: a number outside its feature's values, or of another unit.

    Yields
    ------
    Finding
        outside: no customer can lie on one side of it, or hardly any (a share beyond 1, growth
        beyond `MOST_GROWTH`, more than `MOST_CYCLES` cycles). fraction: a part of a day or of
        an order. other_unit: a threshold declared in another unit than the feature's.
    """
    for number in _numbers(scheme, settings):
        low, high = _usual(number.feature, number.domain)
        if not low <= number.value <= high:
            args = {"low": _end(low), "high": _end(high), "hint": _hint(number, low, high)}
            yield number.finding("outside", **args)
        elif number.domain.whole and number.value != int(number.value):
            yield number.finding("fraction")
        declared = _declared_unit(scheme, number.name)
        if declared in _UNITS and number.domain.unit in _UNITS and declared != number.domain.unit:
            units = {"unit": declared, "own": number.domain.unit}
            yield number.finding(
                "other_unit", **{n: {"key": f"lint.unit.{unit}"} for n, unit in units.items()}
            )


def seen_findings(placed: Placed, settings: Segmentation) -> Iterator[Finding]:
    """What customers show: a number on one side of which there is nobody.

    Parameters
    ----------
    placed
        A record's customers, placed by the scheme.
    settings
        Values of the settings and thresholds that its rules name.

    Yields
    ------
    Finding
        one_sided: of the customers for whom the feature is known, none lies on one side. Where
        money is asked for, those without any say nothing. Zero is not looked at (nobody being
        overdue is no wrong unit), nor what `unit_findings` has told.
    """
    scheme = placed.made.scheme
    for number in _numbers(scheme, settings):
        low, high = _usual(number.feature, number.domain)
        if not number.value or not low <= number.value <= high:
            continue
        values = placed.values(number.feature)
        values = values[~np.isnan(values)]
        if number.domain.unit == "money" and number.value > 0:
            values = values[values > 0]
        if not len(values):
            continue
        low, high = float(values.min()), float(values.max())
        if _one_sided(number, low, high):
            args = {"low": plain(_short(low)), "high": plain(_short(high))}
            yield number.finding("one_sided", **args, hint=_hint(number, low, high))


def _one_sided(number: _Number, low: float, high: float) -> bool:
    """Whether a comparison holds for everybody between two ends, or for nobody."""
    value = number.value
    if "=" in number.signs:
        return not low <= value <= high
    above = {">=": high >= value, "<": high >= value, ">": high > value, "<=": high > value}
    below = {">=": low < value, "<": low < value, ">": low <= value, "<=": low <= value}
    return not any(above[sign] and below[sign] for sign in number.signs)


def _numbers(scheme: Scheme, settings: Segmentation) -> list[_Number]:
    """Every number the rules compare a feature with, once, in written order."""
    limits, known = limits_of(scheme, settings), _domains(scheme)
    found: dict[tuple[str, float | str], _Number] = {}
    for rule in scheme.all_rules:
        conditions = [parse(f, w) for entry in rule.alternatives for f, w in entry.items()]
        for condition in conditions:
            for test in (test for row in condition.ranges for test in row):
                if not isinstance(test, Comparison) or condition.feature not in known:
                    continue
                name = test.limit if isinstance(test.limit, str) else ""
                value = limits.get(name) if name else float(test.limit)
                if value is None:
                    continue  # an empty setting: where the band begins
                domain = known[condition.feature]
                made = _Number(condition.feature, name, value, domain)
                number = found.setdefault((condition.feature, test.limit), made)
                number.rules += [] if rule.rule in number.rules else [rule.rule]
                number.signs.add(test.sign)
    return list(found.values())


def _domains(scheme: Scheme) -> dict[str, Domain]:
    grid = {n: Domain("number", low=min(v), high=max(v)) for n, v in scheme.grid.items() if v}
    return features() | dict.fromkeys(scheme.scores, POINTS) | grid


def _usual(feature: str, domain: Domain) -> tuple[float, float]:
    """Between which numbers a feature's values lie, or do with hardly an exception."""
    high = domain.high
    if domain.unit == "share":
        high = MOST_GROWTH if "_change" in feature else 1.0
    elif domain.unit == "cycles":
        high = MOST_CYCLES
    return domain.low, high


def _declared_unit(scheme: Scheme, name: str) -> str:
    if name in scheme.thresholds:
        return scheme.thresholds[name].unit
    if name in NUMBERS:
        told = _SETTING_UNIT.search(Segmentation.model_fields[name].description or "")
        return told[1] if told else ""
    return ""


def _hint(number: _Number, low: float, high: float) -> Any:
    """The same number in the feature's own unit, where that would fit."""
    if number.domain.unit == "share" and low <= number.value / _PERCENT <= high:
        return {"key": "lint.hint.percent", "found": plain(number.value / _PERCENT)}
    if number.domain.unit == "money" and low <= number.value * WAN <= high:
        return {"key": "lint.hint.wan", "found": plain(number.value * WAN)}
    return ""


def _end(value: float) -> Any:
    return plain(value) if math.isfinite(value) else {"key": "lint.any"}


def _short(value: float) -> float:
    """A number as a sentence says it: whole from 100 on, else three digits."""
    return float(f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}")
