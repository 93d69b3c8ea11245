"""What each segment was spent and what it brought: the return of a measure by tier."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

import pandas as pd

ALL, REST = "all", "rest"
_MEASURE = ["strategy", "arm"]
_SUMS = ["n_treated", "cost_total"]
COLUMNS = [
    *_MEASURE, "segment", *_SUMS, "extra_margin", "return_rate", "return_low", "return_high",
]  # fmt: skip


def returns_by_tier(effects: pd.DataFrame) -> pd.DataFrame:
    """Cost, extra margin and return of each measure by segment, to the cost of the whole.

    Parameters
    ----------
    effects
        RECORD ``effects``; outcomes in money count.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`. The segments of a measure with customers enough for an estimate; ``rest``, the
        customers and the cost of the others, which no return can be told of; then ``all``.
        Customers and cost of the segments and the rest add up to those of all. Extra margins do
        not: each is an estimate by itself.
    """
    money = effects[effects["unit"] == "money"]
    rows: list[dict[Hashable, Any]] = []
    for _, own in money.groupby([*_MEASURE, "outcome"], sort=True):
        whole, parts = own[own["segment"] == ALL], own[own["segment"] != ALL]
        if whole.empty or parts.empty:
            continue
        head = whole.iloc[0]
        sums: dict[Hashable, Any] = {
            name: float(head[name]) - math.fsum(parts[name]) for name in _SUMS
        }
        rows += parts[COLUMNS].to_dict("records")
        if sums["n_treated"]:
            named: dict[Hashable, Any] = {name: head[name] for name in _MEASURE}
            rows.append({**named, "segment": REST, **sums})
        rows.append(head[COLUMNS].to_dict())
    return pd.DataFrame(rows, columns=COLUMNS)
