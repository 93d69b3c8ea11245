"""What the rules of a scheme cover, and where they fault: exact, no customer needed.

The whole space is the product of the features' cells (`analysis.segmentation.axes`). What a
rule takes is a union of boxes in it, and gaps, overlaps and rules that never get their turn are
differences and intersections of boxes. Features are taken as free of each other; with cuts,
bands are the numbers they stand for, and nothing impossible is reported of a score and the
number behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import Problem
from analysis.segmentation import boxes as bx
from analysis.segmentation.axes import FEWER, MONEY_SETTING, MORE, SOONER, Axis
from analysis.segmentation.boxes import Box
from analysis.segmentation.compiled import NUMBERS, Compiled, compiled
from analysis.segmentation.findings import Finding, Kind, Severity
from analysis.segmentation.rules import Scheme
from analysis.segmentation.space import Space, feature_of
from analysis.segmentation.units import unit_findings
from analysis.settings_segmentation import Segmentation
from analysis.settings_yaml import line_of

LARGE = 0.5  # a fallback above this share of the space is said to be large
_MOST_BITS = 62  # cells of an axis that fit a machine word


def lint(scheme: Scheme, settings: Segmentation, cuts: pd.DataFrame | None = None) -> list[Finding]:
    """Everything worth saying of a scheme's rules, errors first; empty if nothing.

    Parameters
    ----------
    scheme
        A scheme without `static_problems`.
    settings
        Values of the settings and thresholds that its rules name.
    cuts
        RECORD ``cuts``: what is found then holds for these cuts.

    Returns
    -------
    list of Finding
        gap (error): no rule takes these customers. overlap (error; within one segment: info):
        two rules take the same ones though the scheme says that rules must not overlap.
        ordered (info): they do, of different segments, and the written order decides.
        bounds_gap and bounds_overlap (in written order: warning): the same at exactly one
        number, where an end point belongs to neither or to both sides. unreachable (error): a
        segment that nobody gets. impossible (error): conditions that contradict each other.
        shadowed (error): a rule that never gets its turn; idle (info): where that hangs on a
        setting or on the cuts. not_monotone (warning): a customer that bought more, more often
        or more recently, all else equal, is ranked lower. fallback (warning): it takes at least
        half of the space. outside, fraction and other_unit (warning): a number in the wrong unit
        (`analysis.segmentation.units`). too_many (error): the rules cut the space into so many
        pieces that nothing can be proved of them.
    """
    space = Space(compiled(scheme, settings, cuts))
    try:
        found = [
            *_gaps(space),
            *_overlaps(space),
            *_idle(space, exact_only=cuts is not None),
            *_directions(space),
            *_fallback(space),
            *unit_findings(scheme, settings),
        ]
    except bx.TooManyPieces:
        return [Finding("too_many", "error")]
    order = {"error": 0, "warning": 1, "info": 2}
    return sorted(found, key=lambda f: order[f.severity])


def problems_of(
    scheme: Scheme,
    settings: Segmentation,
    lines: Mapping[tuple[str, ...], int] | None = None,
    file: str = "",
) -> list[Problem]:
    """The errors among the findings, with the lines of their rules."""
    places = {rule.rule: i for i, rule in enumerate(scheme.rules)}
    found = []
    for finding in lint(scheme, settings):
        if finding.severity == "error":
            last = places.get(finding.rules[-1]) if finding.rules else None
            place = ("rules", last) if last is not None else ("rules",)
            line = line_of(lines or {}, place)
            found.append(Problem(f"schemes.{finding.kind}", finding.args, file, line))
    return found


def _gaps(space: Space) -> Iterator[Finding]:
    for box in sorted(space.gaps, key=lambda b: (-space.size([b]), b)):
        cells = space.size([box])
        kind: Kind = "bounds_gap" if _thin(space, box) else "gap"
        share = cells / space.cells
        example = space.point(box, whole=True)
        yield Finding(kind, "error", example=example, cells=cells, share=share)


def _overlaps(space: Space) -> Iterator[Finding]:
    made = space.made
    for i, j in combinations(range(space.chosen), 2):
        same = made.targets[i] == made.targets[j]
        ordered = made.scheme.match == "first"
        both = [] if ordered and same else bx.shared(space.raw[i], space.raw[j])
        if not both:
            continue
        both = bx.joined(bx.apart(both))
        thin = all(_thin(space, box) for box in both)
        kind: Kind = "bounds_overlap" if thin else "ordered" if ordered else "overlap"
        severity: Severity = "info"
        if not same and not ordered:
            severity = "error"
        elif not same and thin:
            severity = "warning"
        largest = min(both, key=lambda b: (-space.size([b]), b))
        cells = space.size(both)
        yield Finding(
            kind,
            severity,
            (made.rules[i].rule, made.rules[j].rule),
            (made.targets[i], made.targets[j]),
            space.point(largest),
            cells=cells,
            share=cells / space.cells,
        )


def _thin(space: Space, box: Box) -> bool:
    """Whether a box is a single number on an axis whose neighbours are treated otherwise."""
    for i, (axis, member) in enumerate(zip(space.made.axes, box, strict=True)):
        if axis.name in space.made.scheme.grid or member.bit_count() != 1:
            continue
        cell = axis.cells[member.bit_length() - 1]
        if cell.point and space.weights[i][member.bit_length() - 1]:
            return True
    return False


def _idle(space: Space, exact_only: bool) -> Iterator[Finding]:
    """Rules that can never hold, rules that never get their turn, segments without a rule."""
    made = space.made
    for i in range(space.chosen):
        name = (made.rules[i].rule,)
        if not space.raw[i]:
            severity: Severity = "info" if _settable(made, [i]) or exact_only else "error"
            yield Finding("impossible", severity, name, (made.targets[i],))
        elif not space.got[i]:
            hiding = [k for k in range(i) if bx.shared(space.raw[k], space.raw[i])]
            settable = _settable(made, [*hiding, i]) or exact_only
            rules = (*(made.rules[k].rule for k in hiding), *name)
            example = space.point(space.raw[i][0])
            yield Finding(
                "idle" if settable else "shadowed",
                "info" if settable else "error",
                rules,
                (made.targets[i],),
                example,
            )
    reached = {t for t, boxes in zip(made.targets, space.got, strict=True) if boxes}
    for segment in made.scheme.segments:
        if segment not in reached:
            yield Finding("unreachable", "info" if exact_only else "error", (), (segment,))


def _settable(made: Compiled, rules: Sequence[int]) -> bool:
    """Whether one of the rules names a setting, so that another value may wake the idle one."""
    return any(
        condition.feature == MONEY_SETTING
        or any(n in NUMBERS and n not in made.scheme.thresholds for n in condition.names)
        for alternative in made.alternatives
        if alternative.rule in rules
        for condition in alternative.conditions
    )


def _fallback(space: Space) -> Iterator[Finding]:
    if space.made.scheme.fallback is None:
        return
    cells = space.size(space.got[-1])
    if cells >= LARGE * space.cells:
        rule, segment = space.made.rules[-1].rule, space.made.targets[-1]
        share = cells / space.cells
        example = space.point(max(space.got[-1], key=lambda b: space.size([b])))
        yield Finding("fallback", "warning", (rule,), (segment,), example, cells=cells, share=share)


def _directions(space: Space) -> Iterator[Finding]:
    """For each feature with a good side, a customer ranked lower for being better on it."""
    made = space.made
    entries = [(rule, box) for rule, boxes in enumerate(space.got) for box in boxes]
    if not entries:
        return
    ranks = np.array([made.scheme.segments[made.targets[rule]].rank for rule, _ in entries])
    wide = max(len(axis.cells) for axis in made.axes) > _MOST_BITS
    members = np.array([box for _, box in entries], dtype=object if wide else np.int64)
    for i, axis in enumerate(made.axes):
        feature = feature_of(axis)
        more = feature in MORE or feature in made.scheme.scores
        if not (more or feature in FEWER) or _declared(made.scheme, feature):
            continue
        ends = np.array([_ends(axis, box[i], more) for _, box in entries], dtype=float)
        pair = _worse_for_better(members, ranks, ends, i)
        if pair is None:
            continue
        (high, one), (low, two) = entries[pair[0]], entries[pair[1]]
        both = [a & b for a, b in zip(one, two, strict=True)]
        both[i] = one[i]
        example = space.point(tuple(both))
        cells = axis.cells
        example[feature] = cells[int(ends[pair[0], 0])].example
        yield Finding(
            "not_monotone",
            "warning",
            (made.rules[high].rule, made.rules[low].rule),
            (made.targets[high], made.targets[low]),
            example,
            {feature: cells[int(ends[pair[1], 1])].example},
        )


def _worse_for_better(
    members: NDArray[Any], ranks: NDArray[Any], ends: NDArray[np.float64], axis: int
) -> tuple[int, int] | None:
    """The first pair of boxes: ranked higher, and better on the axis yet ranked lower."""
    others = np.delete(members, axis, axis=1)
    for high in range(len(members)):
        meets = ((others & others[high]) != 0).all(axis=1)
        better = ends[:, 2] > ends[high, 3]
        wrong = np.flatnonzero(meets & better & (ranks < ranks[high]))
        if len(wrong):
            return high, int(wrong[0])
    return None


def _ends(axis: Axis, member: int, more: bool) -> tuple[float, float, float, float]:
    """Worst and best known cell of a member, and how good they are; NaN where it has none."""
    known = [
        i
        for i, cell in enumerate(axis.cells)
        if member >> i & 1 and cell.example is not None and cell.example != "none"
    ]
    if not known:
        return (np.nan,) * 4
    worst, best = (known[0], known[-1]) if more else (known[-1], known[0])
    sign = 1.0 if more else -1.0
    return worst, best, sign * best, sign * worst


def _declared(scheme: Scheme, feature: str) -> bool:
    named = set(scheme.not_monotone)
    return feature in named or ("recency" in named and feature in SOONER)
