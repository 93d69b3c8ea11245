"""Why this customer gets this measure, in the customer's own numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis import wording
from analysis.conditions import holds, parse
from analysis.roles import AT_RISK, BEST, GROWING, NEW, STEADY, Roles
from analysis.strategy.facts import FACTS

# role of the segment → the numbers its sentence needs: argument, column, unit
_NUMBERS: dict[str, tuple[tuple[str, str, str], ...]] = {
    BEST: (
        ("monetary", "monetary", "money"),
        ("interval", "expected_interval_days", "days"),
    ),
    GROWING: (
        ("monetary", "monetary", "money"),
        ("orders", "frequency", "count"),
        ("recency", "recency_days", "days"),
    ),
    AT_RISK: (
        ("recency", "recency_days", "days"),
        ("interval", "expected_interval_days", "days"),
        ("monetary", "monetary", "money"),
    ),
    STEADY: (
        ("mean_order", "mean_order", "money"),
        ("recency", "recency_days", "days"),
        ("interval", "expected_interval_days", "days"),
    ),
    NEW: (("tenure", "tenure_days", "days"), ("orders", "orders_ever", "count")),
}
_OTHER = (("monetary", "monetary", "money"), ("orders", "orders_ever", "count"))

NEEDS = sorted({column for row in (*_NUMBERS.values(), _OTHER) for _, column, _ in row})
# words whose names stand in the catalogues
_WORDS = {
    "pain": "trait_level.pain", "wish": "trait_level.value", "need": "trait_level.need",
    "tag": "tag",
}  # fmt: skip
_FALLEN = ("activity_change", "usage_change")  # told as how much less


def reasons(customers: pd.DataFrame, roles: Roles) -> list[str]:
    """A JSON reason for each customer: catalogue key and arguments.

    Parameters
    ----------
    customers
        Of one segment; segment, tag and the columns of ``features`` that the sentences use.
    roles
        Of the primary scheme: they choose the sentence.
    """
    columns = {name: customers[name].tolist() for name in customers.columns}
    return [
        _reason({name: values[i] for name, values in columns.items()}, roles)
        for i in range(len(customers))
    ]


def fired(
    customers: pd.DataFrame, when: Sequence[Mapping[str, Any]], plain: Sequence[str]
) -> list[str]:
    """The reasons with the facts that made a measure's conditions hold.

    Parameters
    ----------
    customers
        The facts, a column each.
    when
        Rows of conditions; the first that holds of a customer is told.
    plain
        The reason of each from `reasons`: it stands where no fact can be told.
    """
    told = list(plain)
    open_ = np.ones(len(customers), dtype=bool)
    for row in when:
        hit = open_ & holds(customers, [row])
        open_ &= ~hit
        columns = {fact: customers[fact].tolist() for fact in row if fact in customers}
        for place in np.flatnonzero(hit).tolist():
            clauses = [
                clause
                for fact, values in columns.items()
                if (clause := _clause(fact, row[fact], values[place])) is not None
            ]
            if clauses:
                args = {"facts": {"list": clauses}, "base": json.loads(plain[place])}
                told[place] = _json({"key": "plan_reason.fired", "args": args})
    return told


def _clause(fact: str, written: Any, value: Any) -> dict[str, Any] | None:
    """A fact as a clause of a sentence; None where there are no words or nothing to tell."""
    key = f"plan_fact.{fact}"
    unit = FACTS[fact].unit if fact in FACTS else ""
    if unit:
        number = _number(value)
        if not number or not wording.has(key):  # nothing overdue is nothing to tell
            return None
        if fact in _FALLEN:
            key, number = (key, -number) if number < 0 else (f"{key}_up", number)
        return {"key": key, "args": {"value": {"value": number, "unit": unit}}}
    if isinstance(value, bool | np.bool_):
        return {"key": key, "args": {}} if value and wording.has(key) else None
    words = [value] if isinstance(value, str) else sorted(value) if value is not None else []
    asked = set[str]().union(*(part.allowed for part in parse(fact, written, None).words))
    said = [word for word in words if word in asked] or words
    if not said or not wording.has(key):
        return None
    names = [{"key": f"{_WORDS[fact]}.{word}"} if fact in _WORDS else word for word in said]
    return {"key": key, "args": {"value": names[0] if len(names) == 1 else {"list": names}}}


def _reason(row: dict[str, Any], roles: Roles) -> str:
    role = roles.of(row["segment"])
    numbers = _NUMBERS.get(role, _OTHER)
    key = role or "other"
    args = {name: {"value": _number(row[column]), "unit": unit} for name, column, unit in numbers}
    if role == AT_RISK and row.get("tag") == "must_win_back":
        key = "must_win_back"
    if any(arg["value"] is None for arg in args.values()):
        key, args = "no_order", {}
    return _json({"key": f"plan_reason.{key}", "args": args})


def _json(told: dict[str, Any]) -> str:
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def _number(value: Any) -> float | int | None:
    if value is None:
        return None
    number = float(value)
    if math.isnan(number):
        return None
    return int(number) if number.is_integer() else round(number, 4)
