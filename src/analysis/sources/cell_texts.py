"""Cells of a workbook as text without loss, a column at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_EXACT = 10**15  # beyond it a cell's number has lost its last digits
_PLAIN = 10**6  # Arrow writes numbers below it without an exponent


def as_texts(values: Sequence[Any]) -> tuple[pa.Array, bool]:
    """Cells as text, and whether their numbers are short enough to be exact."""
    kinds = set(map(type, values))
    if str in kinds and "" in values:
        values = [None if v == "" else v for v in values]
        kinds = set(map(type, values))
    if kinds <= {str, type(None)}:
        return pa.array(values, pa.string()), True
    if kinds <= {float, type(None)}:
        numbers = pa.array(values, pa.float64())
        size = np.abs(numbers.to_numpy(zero_copy_only=False))
        low, high = np.nanmin(size, initial=np.inf, where=size > 0), np.nanmax(size, initial=0.0)
        if low >= 1 / _PLAIN and high < _PLAIN:
            text = numbers.cast(pa.string())
            return pc.replace_substring_regex(text, r"\.0$", ""), True
    if kinds <= {date, datetime, type(None)}:
        days = {v: _as_text(v) for v in set(values)}
        return pa.array([days[v] for v in values], pa.string()), True
    exact = not any(isinstance(v, (int, float)) and abs(v) >= _EXACT for v in values)
    return pa.array([_as_text(v) for v in values], pa.string()), exact


def _as_text(value: Any) -> str | None:
    """A cell as text without loss: 13085.0 is 13085, a date is ISO."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return f"{value.isoformat()} 00:00:00"
    if isinstance(value, time):
        return value.isoformat()
    return str(value)
