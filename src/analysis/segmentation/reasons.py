"""Reasons and causes: a catalogue key with the customer's own numbers, as JSON."""

from __future__ import annotations

import json
import math
from datetime import date
from typing import Any

Arg = dict[str, Any]


def number(value: Any, unit: str) -> Arg:
    """A number with its unit; a missing one becomes null and reads as a dash."""
    value = float(value)
    if math.isnan(value):
        return {"value": None, "unit": unit}
    if unit in ("count", "days") and value.is_integer():
        return {"value": int(value), "unit": unit}
    # Four places are the contract of money, and more than anyone reads of the others.
    return {"value": round(value, 4), "unit": unit}


def day(value: Any) -> Arg:
    """A day."""
    stamp: date = value.date() if hasattr(value, "date") else value
    return {"value": stamp.isoformat(), "unit": "date"}


def word(key: str) -> Arg:
    """A word of the catalogue."""
    return {"key": key}


def sentence(key: str, args: dict[str, Any] | None = None) -> str:
    """The JSON of a sentence."""
    return json.dumps({"key": key, "args": args or {}}, ensure_ascii=False, sort_keys=True)
