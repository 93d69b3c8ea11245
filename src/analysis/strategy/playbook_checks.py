"""What keeps a playbook from being carried out."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from analysis import wording
from analysis.conditions import (
    PRESENCE,
    Comparison,
    Condition,
    ConditionError,
    Test,
    Words,
    parse,
)
from analysis.errors import Problem
from analysis.settings_checks import nearest
from analysis.settings_yaml import Layer, line_of
from analysis.strategy.facts import FACTS, Fact
from analysis.strategy.playbook import ANGLES, Measure, Playbook, SegmentPlan, Term, Text

_NO_SEGMENTS = {"all", "entered", "left"}
# KPI in shares → the same counted: what a measure promises of both must agree
_COUNTED = {"win_back_rate": "won_back", "reached_share": "reached_customers"}

Place = tuple[str, ...]


def known_words(
    segments: Collection[str] | None = None, roles: Collection[str] | None = None
) -> dict[str, set[str]]:
    """Keys that a playbook may use, by kind; default: those that the catalogues name."""
    return {
        "segment": set(segments) if segments is not None else _named("segment") - _NO_SEGMENTS,
        "role": set(roles) if roles is not None else _named("role"),
        "channel": _named("channel"),
        "kpi": _named("kpi"),
        "clock": _named("clock"),
        "benefit": _named("benefit"),
    }


def lint(
    playbook: Playbook, known: Mapping[str, Collection[str]], layer: Layer | None = None
) -> Iterator[Problem]:
    """Everything that keeps a playbook from being carried out; nothing if it can be.

    Parameters
    ----------
    playbook
        The playbook.
    known
        Keys that may be used: `known_words`.
    layer
        Where it was read from, for the lines.

    Notes
    -----
    A strategy belongs to one segment: what it brought is judged once, and an effect that is the
    mean of two kinds of customers would be that of neither.
    """
    at = _Places(layer, known)
    homes: dict[str, tuple[str, bool]] = {}
    seen: set[str] = set()
    for segment, plan in playbook.segments.items():
        here = ("segments", segment)
        yield from at.unknown("segment", here, segment)
        for angle in ("goal", *ANGLES):
            yield from _text(getattr(plan, angle), (*here, angle), plan, at)
        yield from _promises(plan, here, at)
        for key, measure in plan.measures.items():
            spot = (*here, "measures", key)
            if key in seen:
                yield at.problem("measure_twice", spot, key)
            seen.add(key)
            home = homes.setdefault(measure.strategy, (segment, measure.extra))
            if home != (segment, measure.extra):
                yield at.problem("strategy_split", (*spot, "strategy"), measure.strategy)
            yield from _measure(measure, spot, plan, at)
    for decision, used in playbook.decision_owners.items():
        yield from at.unknown("role", ("decision_owners", decision), used)
    for role, others in playbook.substitutes.items():
        for used in (role, *others):
            yield from at.unknown("role", ("substitutes", role), used)


@dataclass(frozen=True)
class CountGap:
    """A target in customers that is not the target in shares of the segment's customers."""

    segment: str
    share: float
    customers: int
    stated: float

    @property
    def meant(self) -> float:
        """Customers that the share comes to."""
        return round(self.share * self.customers, 6)


def count_gaps(playbook: Playbook, customers: Mapping[str, int]) -> Iterator[CountGap]:
    """Targets of a segment that state a share and a number which do not agree.

    Parameters
    ----------
    customers
        Segment → its number of customers; segments that are not there are not looked at.

    Notes
    -----
    Requirement 001-32: 30 % of 50 customers won back are 15. A number may be rounded.
    """
    for segment, plan in playbook.segments.items():
        stated = {m.kpi: m.target for m in plan.measures.values() if m.target is not None}
        for share, counted in _COUNTED.items():
            if share in stated and counted in stated and segment in customers:
                gap = CountGap(
                    segment, stated[share].value, customers[segment], stated[counted].value
                )
                if abs(gap.meant - gap.stated) >= 1:
                    yield gap


def beyond(playbook: Playbook, days: int) -> Iterator[tuple[str, int]]:
    """Measures that end after a period of so many working days, each with its own last one.

    Both are counted from one, the period's first working day.
    """
    for segment, measure, what in playbook.measures():
        plan = playbook.segments[segment]
        if isinstance(what.due, int) or what.due in plan.promises:
            last = what.start + plan.days(what.due) + 1
            if last > days:
                yield measure, last


def can_hold(condition: Condition, fact: Fact) -> bool:
    """Whether any value of a fact, or none at all, fulfils a condition."""
    if not fact.many and condition.words:
        first, *others = (words.allowed for words in condition.words)
        if not first.intersection(*others):
            return False
    rows = condition.ranges or ((),)
    return any(_row_can_hold(row, fact, asked=bool(condition.words)) for row in rows)


def _row_can_hold(row: tuple[Test, ...], fact: Fact, *, asked: bool) -> bool:
    """Whether comparisons and known or missing can hold together; `asked`: besides words."""
    told = [test.allowed for test in row if isinstance(test, Words)]
    numbers = [test for test in row if isinstance(test, Comparison)]
    if any("missing" in allowed and "known" not in allowed for allowed in told):
        return not asked and not numbers and all("missing" in allowed for allowed in told)
    low, high, inside = fact.low, fact.high, True
    open_low = open_high = False
    for test in numbers:
        limit = float(test.limit)
        if test.sign in (">=", ">", "=") and (limit, test.sign == ">") > (low, open_low):
            low, open_low = limit, test.sign == ">"
        if test.sign in ("<=", "<", "=") and (-limit, test.sign == "<") > (-high, open_high):
            high, open_high = limit, test.sign == "<"
        inside &= test.sign != "=" or not fact.whole or limit == int(limit)
    if fact.whole and math.isfinite(low):
        low, open_low = (low + 1 if open_low and low == int(low) else math.ceil(low)), False
    if fact.whole and math.isfinite(high):
        high, open_high = (high - 1 if open_high and high == int(high) else math.floor(high)), False
    return inside and (low < high or (low == high and not open_low and not open_high))


def _promises(plan: SegmentPlan, here: Place, at: _Places) -> Iterator[Problem]:
    """Clocks, entitlements, contacts and goal of a segment."""
    for clock, term in plan.clocks.items():
        where = (*here, "clocks", clock)
        yield from at.unknown("clock", where, clock)
        if term.unit not in ("hours", "days"):
            yield at.problem("no_time", where, term.unit, ["hours", "days"])
        if plan.terms.get(clock, term) != term:
            yield at.problem("two_times", where, _said(term), [_said(plan.terms[clock])])
    for benefit in plan.entitlements:
        yield from at.unknown("benefit", (*here, "entitlements", benefit), benefit)
    if plan.least_touches > plan.sure_touches:
        where = (*here, "least_touches")
        yield at.problem(
            "too_few_touches", where, str(plan.least_touches), [str(plan.sure_touches)]
        )
    goal = plan.personal_goal
    if goal is not None:
        numbers = [name for name, fact in FACTS.items() if fact.unit]
        where = (*here, "personal_goal")
        watched = str(goal.get("fact", ""))
        if watched not in numbers:
            yield at.problem("unknown_fact", (*where, "fact"), watched, numbers)
        ends = [goal[end] for end in ("to", "growth") if end in goal]
        if len(ends) != 1 or isinstance(ends[0], str):
            found = ", ".join(map(str, ends)) or "–"
            yield at.problem("one_goal", where, found, ["to", "growth"])


def _measure(measure: Measure, spot: Place, plan: SegmentPlan, at: _Places) -> Iterator[Problem]:
    for field, kind in (("owner_role", "role"), ("channel", "channel"), ("kpi", "kpi")):
        yield from at.unknown(kind, (*spot, field), getattr(measure, field))
    if measure.entitlement is not None and measure.entitlement not in plan.entitlements:
        where = (*spot, "entitlement")
        yield at.problem("no_entitlement", where, measure.entitlement, plan.entitlements)
    yield from _dates(measure, spot, plan, at)
    for i, row in enumerate(measure.when):
        where = (*spot, "when", str(i))
        if not row:
            yield at.problem("empty_condition", where, "{}")
        for fact, written in row.items():
            # a single row need not be written as a list: its keys then stand right below `when`
            yield from _condition(
                fact, written, at.nearer((*where, fact), (*spot, "when", fact)), at
            )
    if measure.resources is not None:
        yield from _text(measure.resources, (*spot, "resources"), plan, at)
    for task, model in measure.tasks.items():
        for field in ("title", "standard"):
            yield from _text(getattr(model, field), (*spot, "tasks", task, field), plan, at)


def _condition(name: str, written: Any, where: Place, at: _Places) -> Iterator[Problem]:
    fact = FACTS.get(name)
    if fact is None:
        yield at.problem("unknown_fact", where, name, FACTS)
        return
    try:
        condition = parse(name, written, None)
    except ConditionError as error:
        yield at.problem("bad_condition", where, error.found)
        return
    named = {word for words in condition.words for word in words.allowed}
    if fact.words is not None and (strange := sorted(named - set(fact.words))):
        for word in strange:
            yield at.problem("unknown_word", where, word, [*fact.words, *PRESENCE])
        return
    tests = [test for row in condition.ranges for test in row]
    limits = [test.limit for test in tests if isinstance(test, Comparison)]
    if limits and not fact.unit:
        yield at.problem("no_number", where, name, [*(fact.words or ()), *PRESENCE])
    elif names := [limit for limit in limits if isinstance(limit, str)]:
        yield at.problem("bad_condition", where, names[0])
    elif not can_hold(condition, fact):
        yield at.problem("never_holds", where, str(condition), [_span(fact)])


def _span(fact: Fact) -> str:
    """The values of a fact, as short as an example."""
    if not fact.unit:
        return " / ".join(fact.words or ("…",))
    ends = (f"{end:g}" if math.isfinite(end) else "…" for end in (fact.low, fact.high))
    return " – ".join(ends)


def _said(term: Term) -> str:
    return f"{term.value:g} {term.unit}"


def _dates(measure: Measure, spot: Place, plan: SegmentPlan, at: _Places) -> Iterator[Problem]:
    dues = {(*spot, "due"): measure.due} | {
        (*spot, "tasks", name, "due"): task.due for name, task in measure.tasks.items()
    }
    times = {name for name, term in plan.promises.items() if term.unit in ("hours", "days")}
    bad = {where for where, due in dues.items() if isinstance(due, str) and due not in times}
    for where in sorted(bad):
        yield at.problem("unknown_term", where, str(dues[where]), times)
    if (*spot, "due") in bad:
        return
    last = plan.days(measure.due)
    for where, due in dues.items():
        if where not in bad and plan.days(due) > last:
            yield at.problem("task_after_measure", where, str(plan.days(due)), [str(last)])


def _text(value: Text, where: Place, plan: SegmentPlan, at: _Places) -> Iterator[Problem]:
    terms = dict.fromkeys(plan.promises, "")
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
            yield at.problem("unknown_term", where, str(missing.args[0]), plan.promises)
        except (ValueError, IndexError):  # a lone brace, {} or {0}
            yield at.problem("bad_text", where, str(value)[:60])


class _Places:
    """Problems with file and line."""

    def __init__(self, layer: Layer | None, known: Mapping[str, Collection[str]]) -> None:
        self.layer, self.known = layer, known

    def unknown(self, kind: str, where: Place, used: str) -> Iterator[Problem]:
        """A key that is none of its kind."""
        if used not in self.known[kind]:
            yield self.problem(f"unknown_{kind}", where, used, self.known[kind])

    def nearer(self, *places: Place) -> Place:
        """The place whose line is known, else the first."""
        lines = self.layer.lines if self.layer else {}
        return next((place for place in places if place in lines), places[0])

    def problem(self, key: str, where: Place, found: str, allowed: Collection[str] = ()) -> Problem:
        """What is wrong, where, what may stand there."""
        args: dict[str, Any] = {"setting": ".".join(where), "found": found}
        args["allowed"] = sorted(allowed) or ["–"]
        near = nearest(found, allowed)
        args["nearest"] = {"key": "error.strategy.nearest", "found": near} if near else ""
        if self.layer is None:
            return Problem(f"strategy.{key}", args)
        return Problem(f"strategy.{key}", args, self.layer.name, line_of(self.layer.lines, where))


def _named(area: str) -> set[str]:
    """The keys directly below an area of the catalogues."""
    found = (key.split(".") for key in wording.keys("en"))
    return {parts[1] for parts in found if parts[0] == area and len(parts) == 2}
