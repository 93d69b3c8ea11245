"""A scheme made ready: its rules as boxes over axes cut at the numbers it mentions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from analysis.conditions import (
    BANDS,
    PRESENCE,
    SWITCH,
    Comparison,
    Condition,
    Sign,
    Test,
    Words,
    compare,
    parse,
)
from analysis.segmentation import axes as ax
from analysis.segmentation.axes import MONEY_SETTING, TRIAL, Axis, Cell, Domain
from analysis.segmentation.boxes import Box
from analysis.segmentation.rules import Rule, Scheme
from analysis.segmentation.scores import boundaries
from analysis.settings_segmentation import Segmentation

# settings that are numbers, and so can stand right of a sign
NUMBERS = {
    name
    for name, field in Segmentation.model_fields.items()
    if field.annotation in (int, float, float | None)
}
_KNOWN, _MISSING = Words(frozenset(["known"])), Words(frozenset(["missing"]))
POINTS = Domain("number", low=0.0, high=100.0)


@dataclass(frozen=True)
class Alternative:
    """One entry of a rule's conditions: all of them must hold."""

    rule: int
    conditions: tuple[Condition, ...]
    box: Box


@dataclass(frozen=True)
class Compiled:
    """A scheme over its axes.

    Attributes
    ----------
    rules, targets
        The rules in written order, the fallback last, and the segment of each.
    alternatives
        In written order; the fallback is the whole space.
    limits
        Value of every threshold and setting that a rule names.
    """

    scheme: Scheme
    axes: tuple[Axis, ...]
    rules: tuple[Rule, ...]
    targets: tuple[str, ...]
    alternatives: tuple[Alternative, ...]
    limits: Mapping[str, float]

    @cached_property
    def space(self) -> Box:
        """All cells."""
        return tuple(axis.full for axis in self.axes)

    def boxes(self, rule: int) -> list[Box]:
        """The boxes of a rule, as written; empty where it can never hold."""
        return [a.box for a in self.alternatives if a.rule == rule and all(a.box)]


def compiled(scheme: Scheme, settings: Segmentation, cuts: pd.DataFrame | None = None) -> Compiled:
    """Compile a scheme.

    Parameters
    ----------
    scheme
        A scheme without `static_problems`.
    settings
        Values of the settings and thresholds that its rules name.
    cuts
        RECORD ``cuts``; given, a score's bands become the numbers that they stand for, and what
        is found of the rules is exact for these cuts. None: bands are words.
    """
    rules = tuple(scheme.all_rules)
    limits = limits_of(scheme, settings)
    parsed = [[_parsed(entry) for entry in rule.alternatives] for rule in rules]
    reader = _Reader(scheme, settings, limits, cuts)
    asked = [
        [[piece for c in entry for piece in reader.pieces(c)] for entry in entries]
        for entries in parsed
    ]
    found = reader.axes(p for entries in asked for entry in entries for p in entry)
    index = {axis.name: i for i, axis in enumerate(found)}
    alternatives = []
    for i, entries in enumerate(asked):
        for conditions, entry in zip(parsed[i], entries, strict=True):
            box = [axis.full for axis in found]
            for piece in entry:
                box[index[piece.axis]] &= piece.member(found[index[piece.axis]])
            alternatives.append(Alternative(i, tuple(conditions), tuple(box)))
    targets = tuple(target(rule, settings) for rule in rules)
    return Compiled(scheme, tuple(found), rules, targets, tuple(alternatives), limits)


def target(rule: Rule, settings: Segmentation) -> str:
    """The segment a rule places in."""
    if rule.segment_setting:
        return str(getattr(settings, rule.segment_setting))
    return str(rule.segment)


def limits_of(scheme: Scheme, settings: Segmentation) -> dict[str, float]:
    """What the names right of a sign stand for; settings without a value are left out."""
    found = {name: float(getattr(settings, name)) for name in NUMBERS if _filled(settings, name)}
    found |= {name: entry.value for name, entry in scheme.thresholds.items()}
    return found | {n: v for n, v in settings.thresholds.items() if n in scheme.thresholds}


def comparisons(
    scheme: Scheme, settings: Segmentation, cuts: pd.DataFrame
) -> Iterator[tuple[str, str, Sign, float]]:
    """Every comparison with a number that the rules make: rule, feature, sign, number.

    Bands of scores are not among them: they turn at the boundaries of `cuts`, which here only
    say where an empty ``high_value_total`` stands.
    """
    high = boundaries(cuts, "monetary")
    begins = {"high_value_total": float(high[-1]) if len(high) else math.inf}
    limits = begins | limits_of(scheme, settings)
    for rule in scheme.all_rules:
        for entry in rule.alternatives:
            for condition in _parsed(entry):
                for row in condition.ranges:
                    for test in row:
                        if isinstance(test, Comparison):
                            number = number_of(test.limit, limits)
                            yield rule.rule, condition.feature, test.sign, number


def _filled(settings: Segmentation, name: str) -> bool:
    return getattr(settings, name) is not None


def _parsed(entry: Mapping[str, Any]) -> list[Condition]:
    return [parse(feature, written) for feature, written in entry.items()]


@dataclass(frozen=True)
class _Piece:
    """A condition's share in one axis: any of `rows`, each as a whole."""

    axis: str
    rows: tuple[tuple[Test, ...], ...]
    limits: Mapping[str, float]
    edges: tuple[float, ...] = ()

    def member(self, axis: Axis) -> int:
        """Its cells, as bits."""
        return sum(1 << i for i, cell in enumerate(axis.cells) if self._holds(cell))

    def _holds(self, cell: Cell) -> bool:
        return any(all(self._passes(test, cell.example) for test in row) for row in self.rows)

    def _passes(self, test: Test, value: float | str | None) -> bool:
        if isinstance(test, Words):
            return (
                self._word(value) in test.allowed
                if test.allowed - set(PRESENCE)
                else (("missing" if value is None else "known") in test.allowed)
            )
        if value is None:
            return False
        return bool(compare(float(value), test.sign, number_of(test.limit, self.limits)))

    def _word(self, value: float | str | None) -> str:
        """The band of a number, where bands stand for numbers; else the word itself."""
        if isinstance(value, str):
            return value
        if len(self.edges) == 1:  # recency: a known order without a cycle is near
            return "far" if value is not None and value > self.edges[0] else "near"
        above = 0 if value is None else sum(value >= edge for edge in self.edges)
        return BANDS[above]

    @property
    def cuts(self) -> Iterator[float]:
        for row in self.rows:
            for test in row:
                if isinstance(test, Comparison):
                    yield number_of(test.limit, self.limits)
        yield from self.edges


def number_of(limit: float | str, limits: Mapping[str, float]) -> float:
    """The number right of a sign."""
    return limits[limit] if isinstance(limit, str) else limit


class _Reader:
    """Turns conditions into pieces of axes."""

    def __init__(
        self,
        scheme: Scheme,
        settings: Segmentation,
        limits: dict[str, float],
        cuts: pd.DataFrame | None,
    ) -> None:
        self.scheme, self.settings, self.limits, self.cuts = scheme, settings, limits, cuts

    def pieces(self, condition: Condition) -> Iterator[_Piece]:
        name = condition.feature
        for words in condition.words:
            yield from self._words(name, words)
        for row in condition.ranges[:1] if len(condition.ranges) == 1 else ():
            hidden = [t for t in row if self._empty(t)]
            for test in hidden:  # an empty high_value_total is where high begins
                allowed = {"high"} if test.sign in (">=", ">") else {"low", "mid"}  # type: ignore[union-attr]
                yield from self._words(name, Words(frozenset(allowed)))
            if kept := tuple(t for t in row if t not in hidden):
                yield _Piece(name, (kept,), self.limits)
        if len(condition.ranges) > 1:
            yield _Piece(name, condition.ranges, self.limits)

    def _empty(self, test: Test) -> bool:
        return isinstance(test, Comparison) and (
            isinstance(test.limit, str) and test.limit not in self.limits
        )

    def _words(self, name: str, words: Words) -> Iterator[_Piece]:
        if name == MONEY_SETTING:
            name = "monetary" if self.settings.monetary_reads == "total" else "mean_order"
        if name == TRIAL or self.cuts is None:
            yield _Piece(name if name == TRIAL else f"score.{name}", ((words,),), self.limits)
        elif name == "recency":
            row = self.cuts[self.cuts["score"] == "recency"].iloc[0]
            raw = "recency_cycles" if row["unit"] == "cycles" else "recency_days"
            yield from self._recency(raw, float(row["value"]), words.allowed)
        else:
            edges = tuple(float(v) for v in boundaries(self.cuts, name)) or (math.inf,) * 2
            yield _Piece(name, ((words,),), self.limits, edges)

    def _recency(self, raw: str, edge: float, allowed: frozenset[str]) -> Iterator[_Piece]:
        """near, far or none as numbers: without an order there is no recency at all."""
        if "none" not in allowed:
            yield _Piece("recency_days", ((_KNOWN,),), self.limits)
        if allowed == {"none"}:
            yield _Piece("recency_days", ((_MISSING,),), self.limits)
        elif not allowed >= {"near", "far"}:
            rows: tuple[tuple[Test, ...], ...] = ((Words(allowed & {"near", "far"}),),)
            rows += ((_MISSING,),) if "none" in allowed else ()
            yield _Piece(raw, rows, self.limits, (edge,))

    def axes(self, pieces: Iterable[_Piece]) -> list[Axis]:
        """The axes that the pieces touch, each cut at all their numbers."""
        cuts: dict[str, set[float]] = {name: set() for name in self.scheme.grid}
        for piece in pieces:
            cuts.setdefault(piece.axis, set()).update(piece.cuts)
        return [self._axis(name, found) for name, found in cuts.items()]

    def _axis(self, name: str, cuts: set[float]) -> Axis:
        if name in self.scheme.grid:
            return ax.grid_axis(name, self.scheme.grid[name])
        if name == TRIAL:
            return ax.word_axis(name, SWITCH)
        if name.startswith("score."):
            return ax.word_axis(name, ax.SCORES[name.removeprefix("score.")])
        domain = POINTS if name in self.scheme.scores else ax.features()[name]
        return ax.number_axis(name, domain, cuts)
