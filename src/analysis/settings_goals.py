"""Goals as settings, and whether they can be measured.

A goal names what is measured, of whom, which way, from where to where, and by when (requirement
000-03: specific and measurable, no vague wording). What is wrong with it is told before any
source is opened.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from analysis.calendars import Period
from analysis.settings_types import PeriodName, Section

Finding = tuple[tuple[str, ...], str, dict[str, Any]]  # setting, key of the error, arguments

RELATIVE = ("up", "down")
REACHING = ("reached_share", "reached_customers")  # KPIs that count who reaches an amount


class Goal(Section):
    """What a KPI of a segment shall come to."""

    goal: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="key of the goal")
    kpi: str = Field(description="KPI, as kpi_dictionary lists them")
    segment: str = Field(description="segment of the scheme, or all")
    direction: Literal["up", "down", "at_least", "at_most"] = Field(
        description="up or down from the baseline, or a bound"
    )
    due: PeriodName = Field(description="period by whose end it counts")
    target: float | None = Field(
        None, description="where it shall be, in the KPI's unit; empty: baseline and change say it"
    )
    change: float | None = Field(
        None, gt=0, description="by which share of the baseline it shall go up or down [share]"
    )
    baseline: float | None = Field(None, description="where it started, in the KPI's unit")
    since: PeriodName | None = Field(
        None, description="period whose value is the baseline; empty: baseline says it"
    )
    reach: float | None = Field(
        None, gt=0, description="yearly amount that a customer is to reach [currency]"
    )
    customers: int | None = Field(
        None, ge=1, description="customers it was set for, until they are counted [customers]"
    )


def _no_mere_words(value: Any) -> Any:
    if not isinstance(value, (Mapping, Goal)):
        raise ValueError("goal_in_words")  # noqa: TRY004 - pydantic passes on no other
    return value


GoalItem = Annotated[Goal, BeforeValidator(_no_mere_words)]


def goal_problems(
    goals: Any,
    period: str,
    kpis: Iterable[str],
    segments: Iterable[str] | None,
    elsewhere: Collection[str] = (),
) -> Iterator[Finding]:
    """What keeps goals from being measured, each with its setting.

    Parameters
    ----------
    goals
        The list as the file states it; what has a wrong type is told elsewhere.
    period
        Name of the run's period.
    kpis, segments
        The keys there are; None: the scheme cannot be read, so that no segment is refused.
    elsewhere
        Segments of other schemes, which are not refused either.

    Yields
    ------
    tuple
        The setting's path, the key of the error, its arguments.
    """
    known, groups = sorted(kpis), None if segments is None else sorted({"all", *segments})
    seen: set[str] = set()
    for index, goal in enumerate(goals if isinstance(goals, list) else []):
        if not isinstance(goal, Mapping):
            continue
        place = ("goals", str(index))
        name = goal.get("goal")
        if isinstance(name, str) and name in seen:
            yield (*place, "goal"), "goal_repeated", {"found": name}
        seen.add(str(name))
        kpi, segment = goal.get("kpi"), goal.get("segment")
        if isinstance(kpi, str) and kpi not in known:
            yield (*place, "kpi"), "goal_unknown_kpi", {"found": kpi, "allowed": known}
        if groups and isinstance(segment, str) and segment not in {*groups, *elsewhere}:
            args = {"found": segment, "allowed": groups}
            yield (*place, "segment"), "goal_unknown_segment", args
        for key, what, args in (*_way(goal), *_dates(goal, period)):
            yield (*place, *key), what, args


def _way(goal: Mapping[str, Any]) -> Iterator[Finding]:
    """From where to where: neither too little nor too much is said."""
    given = {key for key in ("target", "change", "baseline", "since") if goal.get(key) is not None}
    if goal.get("kpi") in REACHING and goal.get("reach") is None:
        yield ("reach",), "goal_without_reach", {}
    direction = goal.get("direction")
    if direction in RELATIVE:
        if not given & {"baseline", "since"}:
            yield ("direction",), "goal_without_baseline", {"found": direction}
        if len(given & {"target", "change"}) != 1:
            yield ("direction",), "goal_target_or_change", {"found": direction}
    elif direction in ("at_least", "at_most"):
        if "target" not in given:
            yield ("direction",), "goal_without_target", {"found": direction}
        if "change" in given:
            yield ("change",), "goal_change_of_bound", {"found": direction}
    if {"baseline", "since"} <= given:
        yield ("since",), "goal_two_baselines", {}
    numbers = [goal.get(key) for key in ("baseline", "target")]
    low, high = (n if isinstance(n, (int, float)) else None for n in numbers)
    if low is None or high is None:
        return
    if (direction == "up" and high <= low) or (direction == "down" and high >= low):
        args = {"found": high, "baseline": low, "direction": direction}
        yield ("target",), "goal_wrong_way", args


def _dates(goal: Mapping[str, Any], period: str) -> Iterator[Finding]:
    """The day it counts lies ahead, and the baseline behind it."""
    now, due, since = (_period(name) for name in (period, goal.get("due"), goal.get("since")))
    # a week reads no goals: those of the quarter before may still stand in its file
    if now and now.kind != "week" and due and due.end < now.start:
        yield ("due",), "goal_due_before", {"found": due.name, "period": now.name}
    if since and due and since.end >= due.end:
        yield ("since",), "goal_since_after", {"found": since.name, "due": due.name}


def _period(name: Any) -> Period | None:
    try:
        return Period.parse(str(name))
    except ValueError:
        return None
