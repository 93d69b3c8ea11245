"""The dirt that exports carry: rows that are wrong on purpose, each with the rule that finds it.

Every dirty row but those of `MENDED` is an addition: the clean rows are the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

LEAST = 2  # rows of each fault
MENDED = "missing_predecessor"  # the row is real; only its link to the contract before is lost
TEST_IDS = ("KH990001", "KH990002", "KH990003")
TEST_TENANTS = tuple(f"{15:08x}{n:016x}" for n in (1, 2, 3))
TEST_NAMES = ("测试租户一", "测试客户（勿删）", "演示账号有限公司")

Change = Callable[[pd.DataFrame], Any] | str | date


@dataclass(frozen=True)
class Fault:
    """A kind of dirty row: a copy of a clean one with some cells changed.

    Parameters
    ----------
    rule
        What should remove it.
    rate
        Rows per clean row; at least `LEAST`.
    changes
        Header → text, or what makes the column from the copied rows.
    """

    rule: str
    rate: float
    changes: Mapping[str, Change]


REPEATED = "repeated_keys"


def again(rule: str = REPEATED, rate: float = 0.005) -> Fault:
    """Rows that stand twice."""
    return Fault(rule, rate, {})


def numbered(header: str, mark: str) -> dict[str, Change]:
    """A number of its own for a document that is not a copy."""
    return {header: lambda rows: [f"{mark}{n:04d}" for n in range(1, len(rows) + 1)]}


def cycled(values: Sequence[str]) -> Change:
    """Take these values in turn."""
    return lambda rows: np.array(values, dtype=object)[np.arange(len(rows)) % len(values)]


def spoil(
    frame: pd.DataFrame, key: str, faults: Sequence[Fault], stream: np.random.Generator
) -> pd.DataFrame:
    """Put dirty rows among clean ones, each somewhere below the row it copies.

    Parameters
    ----------
    frame
        Cells under the export's headers.
    key
        Header of the row's key; several are separated by blanks.
    faults
        What goes wrong.

    Returns
    -------
    DataFrame
        With ``_why`` (empty for clean rows) and ``_key``.
    """
    size = len(frame)
    parts = [frame.assign(_why="", _place=np.arange(size, dtype=float))]
    for fault in faults:
        number = min(max(LEAST, round(fault.rate * size)), size)
        at = np.sort(stream.choice(size, size=number, replace=False))
        rows = frame.iloc[at].astype(object)
        cells = {h: c(rows) if callable(c) else c for h, c in fault.changes.items()}
        down = 0.5 + np.floor(stream.random(number) * (size - at))
        parts.append(rows.assign(**cells, _why=fault.rule, _place=at + down))
    found = pd.concat(parts, ignore_index=True).sort_values(
        "_place", kind="stable", ignore_index=True
    )
    return keyed(found.drop(columns="_place"), key)


def keyed(frame: pd.DataFrame, key: str) -> pd.DataFrame:
    """Add ``_key``, and ``_why`` where it is missing."""
    found = frame if "_why" in frame else frame.assign(_why="")
    first, *rest = key.split()
    text = found[first].astype(str)
    for header in rest:
        text = text + "/" + found[header].astype(str)
    return found.assign(_key=text)


def total(frame: pd.DataFrame, word: str, sums: Mapping[str, Any]) -> pd.DataFrame:
    """A last row that adds up the others."""
    row: dict[str, Any] = dict.fromkeys(frame.columns, "") | {word: "合计", **sums}
    row |= {"_why": "total_row", "_key": "合计"}
    return pd.concat([frame.astype(object), pd.DataFrame([row])], ignore_index=True)
