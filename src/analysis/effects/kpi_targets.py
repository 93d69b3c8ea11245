"""Targets of the company, its segments, its teams and its people."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import pandas as pd
import pyarrow as pa

from analysis.calendars import Period
from analysis.effects.kpi_dictionary import BY_KEY
from analysis.effects.kpi_groups import ALL, NOBODY
from analysis.engine import Frame, to_frame
from analysis.roles import BEST, Roles

Goals = Mapping[tuple[str, str, str], float]  # (KPI, period, group) → target
_OF_THE_BEST = ("high_value_customers", "high_value_customer_share")


def company_goals(targets: Frame | None, roles: Roles) -> Goals:
    """The company's targets and those of its segments.

    Persons' targets of an additive KPI add up to the company's where it has none of its own. A
    target of the best customers counts if it is for all or names the best segment of the scheme
    in use: a target made for another scheme's best is none of this one's.
    """
    whole: dict[tuple[str, str, str], float] = {}
    added: dict[tuple[str, str, str], list[float]] = {}
    for kpi, name, group, person, value in _rows(targets):
        if kpi in _OF_THE_BEST and group not in (ALL, roles.one(BEST)):
            continue
        target = (kpi, name, ALL if kpi in _OF_THE_BEST else group)
        if person:
            if _additive(kpi):
                added.setdefault(target, []).append(value)
        elif target not in whole or group != ALL:
            whole[target] = value
    return {key: math.fsum(values) for key, values in added.items()} | whole


def person_goals(targets: Frame | None) -> Goals:
    """Each person's targets."""
    return {
        (kpi, name, person): value
        for kpi, name, group, person, value in _rows(targets)
        if person and group == ALL
    }


def team_goals(targets: Frame | None, people: Frame | None) -> Goals:
    """Each team's targets of additive KPIs: the sum of its people's."""
    team = _teams(people)
    added: dict[tuple[str, str, str], list[float]] = {}
    for (kpi, name, person), value in person_goals(targets).items():
        if _additive(kpi):
            added.setdefault((kpi, name, team.get(person, NOBODY)), []).append(value)
    return {key: math.fsum(values) for key, values in added.items()}


def goal(goals: Goals, kpi: str, period: Period, group: str = ALL) -> float:
    """The target as given; of an additive KPI else the sum of its parts, where all have one."""
    given = goals.get((kpi, period.name, group), math.nan)
    if not math.isnan(given) or not BY_KEY[kpi].additive:
        return given
    for parts in period.parts():
        found = [goals.get((kpi, part.name, group), math.nan) for part in parts]
        if not any(math.isnan(value) for value in found):
            return math.fsum(found)
    return math.nan


def _additive(kpi: str) -> bool:
    return kpi in BY_KEY and BY_KEY[kpi].additive


def _rows(targets: Frame | None) -> Iterator[tuple[str, str, str, str, float]]:
    """kpi, period, segment, person (empty: nobody's), value."""
    if targets is None or not len(targets):
        return iter(())
    frame = to_frame(targets) if isinstance(targets, pa.Table) else targets
    blank = pd.Series("", index=frame.index)
    return zip(
        frame["kpi"].astype(str),
        frame["period"].astype(str),
        frame.get("segment", blank).fillna("").replace("", ALL).astype(str),
        frame.get("owner_id", blank).fillna("").astype(str),
        frame["value"].astype(float),
        strict=True,
    )


def _teams(people: Frame | None) -> dict[str, str]:
    if people is None or not len(people):
        return {}
    frame = to_frame(people) if isinstance(people, pa.Table) else people
    known = frame.dropna(subset=["team_id"])
    return dict(zip(known["person_id"].astype(str), known["team_id"].astype(str), strict=True))
