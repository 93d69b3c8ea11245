"""A playbook: for each segment the goal, the four angles, and the measures with their tasks.

What a file may say stands in the head of ``params/playbooks/rfm5.yml``; `load_playbook` reads it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BeforeValidator, Field

from analysis.settings_types import Language, Section

HOURS_A_DAY = 24
_OVERVIEW = [
    "segment", "strategy", "measure", "extra", "owner_role", "channel", "kpi", "start", "due",
    "cost", "tasks",
]  # fmt: skip
ANGLES = ("product", "communication", "resources", "frequency")

Text = str | dict[Language, str]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Days = Annotated[int, Field(ge=0)]


def _term(value: Any) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return {"value": value, "unit": "count"} if number else value


def _rows(value: Any) -> Any:
    return [value] if isinstance(value, Mapping) else value


class Term(Section):
    """A promise, an offer or a target in numbers: hours to a call, a discount, a renewal rate."""

    value: float = Field(ge=0, description="the number")
    unit: Literal["hours", "days", "share", "money", "count", "number"] = Field(
        description="its unit"
    )


Number = Annotated[Term, BeforeValidator(_term)]


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
    cost: float = Field(ge=0, description="per customer and period [currency]")
    when: Annotated[list[dict[str, Any]], BeforeValidator(_rows)] = Field(
        default_factory=list,
        description="facts of the customers who get it: any of these rows, all of a row;"
        " empty: everybody of the segment",
    )
    visits: float = Field(0, ge=0, description="of its owner, per customer and period [visits]")
    cooldown: int = Field(
        0, ge=0, description="so many periods after it began nobody gets it again [periods]"
    )
    entitlement: Key | None = Field(
        None, description="benefit that the segment must be entitled to; empty: none"
    )
    resources: Text | None = Field(None, description="what it takes besides time and money")
    target: Number | None = Field(None, description="what its KPI is to reach; empty: not set")
    contractual: bool = Field(
        False, description="promised to the customer: outside the draw, never cut"
    )
    tasks: dict[Key, TaskModel] = Field(min_length=1, description="its tasks, by name")


class SegmentPlan(Section):
    """One segment's goal, angles and measures."""

    goal: Text = Field(description="what is wanted")
    product: Text = Field(description="product and service")
    communication: Text = Field(description="who speaks, and how")
    resources: Text = Field(description="what it gets")
    frequency: Text = Field(description="how often")
    terms: dict[Key, Number] = Field(
        default_factory=dict, description="promises and offers that texts and dates refer to"
    )
    clocks: dict[Key, Number] = Field(
        default_factory=dict,
        description="promised times, on working days: first_call, reasons, response, …",
    )
    entitlements: dict[Key, Number | bool] = Field(
        default_factory=dict,
        description="benefit → the most it may have, or whether; not named: not entitled",
    )
    least_touches: int = Field(
        0, ge=0, description="contacts each customer gets at least in a quarter [times]"
    )
    personal_goal: dict[Literal["fact", "to", "growth"], str | float] | None = Field(
        None,
        description="what each customer is to come to: the fact watched, and either the value"
        " wanted (to) or the share above its own (growth); empty: no goal of its own",
    )
    measures: dict[Key, Measure] = Field(min_length=1, description="measures, by key")

    @property
    def promises(self) -> dict[str, Term]:
        """Terms and clocks: all that texts and dates may refer to."""
        return {**self.clocks, **self.terms}

    @property
    def sure_touches(self) -> int:
        """Contacts that every customer gets: the tasks of duties that ask for no condition."""
        sure = (m for m in self.measures.values() if not m.extra and not m.when)
        return sum(len(measure.tasks) for measure in sure)

    def days(self, due: int | str) -> int:
        """Working days behind a due setting: a number, or a term (hours count as days of 24)."""
        if isinstance(due, int):
            return due
        term = self.promises[due]
        return math.ceil(term.value / HOURS_A_DAY if term.unit == "hours" else term.value)

    def entitled(self, benefit: str) -> bool:
        """Whether its customers may have a benefit at all."""
        return self.entitlements.get(benefit, False) is not False

    def arguments(self) -> dict[str, dict[str, Any]]:
        """Terms and clocks as arguments of a sentence."""
        return {name: spoken(term) for name, term in sorted(self.promises.items())}


def spoken(term: Term) -> dict[str, Any]:
    """A term as an argument of a sentence: its number and unit; of hours the number alone."""
    return {
        "value": int(term.value) if term.value.is_integer() else term.value,
        "unit": "count" if term.unit == "hours" else term.unit,
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
