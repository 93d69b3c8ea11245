"""Why this customer gets this measure, in the customer's own numbers."""

from __future__ import annotations

import json
import math
from typing import Any

import pandas as pd

from analysis.roles import AT_RISK, BEST, GROWING, NEW, STEADY, Roles

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


def _reason(row: dict[str, Any], roles: Roles) -> str:
    role = roles.of(row["segment"])
    numbers = _NUMBERS.get(role, _OTHER)
    key = role or "other"
    args = {name: {"value": _number(row[column]), "unit": unit} for name, column, unit in numbers}
    if role == AT_RISK and row.get("tag") == "must_win_back":
        key = "must_win_back"
    if any(arg["value"] is None for arg in args.values()):
        key, args = "no_order", {}
    return json.dumps(
        {"key": f"plan_reason.{key}", "args": args}, ensure_ascii=False, sort_keys=True
    )


def _number(value: Any) -> float | int | None:
    if value is None:
        return None
    number = float(value)
    if math.isnan(number):
        return None
    return int(number) if number.is_integer() else round(number, 4)
