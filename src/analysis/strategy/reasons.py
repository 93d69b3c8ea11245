"""Why this customer gets this measure, in the customer's own numbers."""

from __future__ import annotations

import json
import math
from typing import Any

import pandas as pd

# segment → the numbers its sentence needs: argument, column, unit
_NUMBERS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "high_value": (
        ("monetary", "monetary", "money"),
        ("interval", "expected_interval_days", "days"),
    ),
    "potential": (("monetary", "monetary", "money"), ("orders", "frequency", "count")),
    "churn_risk": (
        ("recency", "recency_days", "days"),
        ("interval", "expected_interval_days", "days"),
        ("monetary", "monetary", "money"),
    ),
    "low_frequency_essential": (
        ("mean_order", "mean_order", "money"),
        ("recency", "recency_days", "days"),
        ("interval", "expected_interval_days", "days"),
    ),
    "new": (("tenure", "tenure_days", "days"), ("orders", "orders_ever", "count")),
}
_OTHER = (("monetary", "monetary", "money"), ("orders", "orders_ever", "count"))


def reasons(customers: pd.DataFrame) -> list[str]:
    """A JSON reason for each customer: catalogue key and arguments.

    Parameters
    ----------
    customers
        Of one segment; segment, tag and the columns of ``features`` that the sentences use.
    """
    columns = {name: customers[name].tolist() for name in customers.columns}
    return [
        _reason({name: values[i] for name, values in columns.items()})
        for i in range(len(customers))
    ]


def _reason(row: dict[str, Any]) -> str:
    segment = str(row["segment"])
    numbers = _NUMBERS.get(segment, _OTHER)
    key = segment if segment in _NUMBERS else "other"
    args = {name: {"value": _number(row[column]), "unit": unit} for name, column, unit in numbers}
    if segment == "churn_risk" and row.get("tag") == "must_win_back":
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
