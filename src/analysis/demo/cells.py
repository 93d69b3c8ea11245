"""Cells of long exports, made by columns: a large company has tens of millions of order lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.demo.kinds import START

TOTAL = "合计"
_WHOLE, _CENTS = pa.decimal128(19, 0), pa.decimal128(19, 2)


def money(fen: pd.Series | np.ndarray | Sequence[int] | int) -> np.ndarray:
    """Whole fen as text with two decimals."""
    whole = pa.array(np.atleast_1d(np.asarray(fen, dtype=np.int64))).cast(_WHOLE)
    exact = pa.Array.from_buffers(_CENTS, len(whole), whole.buffers())  # the point moves, no digit
    return _objects(exact.cast(pa.string()))


def grouped(fen: np.ndarray) -> np.ndarray:
    """Whole fen as text with two decimals and a comma before every three digits."""
    found = pa.array(money(fen), type=pa.string())
    longest = pc.max(pc.utf8_length(found)).as_py() or 0
    for _ in range(longest // 3):
        found = pc.replace_substring_regex(found, r"^(-?\d+)(\d{3})([.,])", r"\1,\2\3")
    return _objects(found)


def dates(days: pd.Series | np.ndarray, separator: str = "-") -> np.ndarray:
    """Day numbers as ISO dates, or with another separator."""
    found = _dates(days).cast(pa.string())
    return _objects(found if separator == "-" else pc.replace_substring(found, "-", separator))


def numbered(
    prefix: np.ndarray, days: pd.Series | np.ndarray, mark: str, running: np.ndarray
) -> np.ndarray:
    """Document numbers: prefix, day, mark of the block and a running number of four digits."""
    digits = pc.utf8_lpad(pa.array(running).cast(pa.string()), width=4, padding="0")
    when = pc.replace_substring(_dates(days).cast(pa.string()), "-", "")
    kind = pa.array(prefix, type=pa.string())
    return _objects(pc.binary_join_element_wise(kind, when, mark, digits, ""))


def total(frame: pd.DataFrame, label: str, columns: Sequence[str]) -> dict[str, object]:
    """The last row of a list: what stands in these columns, added up; rows twice count once."""
    counted = frame[frame["_why"] != "repeated_keys"]
    return {label: TOTAL, **{name: _sum(counted[name]) for name in columns}}


def _sum(cells: pd.Series) -> Decimal:
    """What money adds up to, exactly: text, or numbers of two decimals or none."""
    if cells.dtype.kind in "iu":
        return Decimal(int(cells.sum()))
    if cells.dtype.kind == "f":
        return Decimal(int(np.round(cells.to_numpy() * 100).astype(np.int64).sum())).scaleb(-2)
    typed = pc.replace_substring(pa.array(cells.astype(str), type=pa.string()), ",", "")
    return Decimal(pc.sum(typed.cast(_CENTS)).as_py() or 0)


def _dates(days: pd.Series | np.ndarray) -> pa.Array:
    first = (START - date(1970, 1, 1)).days
    return pa.array((np.asarray(days, dtype=np.int64) + first).astype(np.int32)).cast(pa.date32())


def _objects(found: pa.Array) -> np.ndarray:
    return np.asarray(found.to_numpy(zero_copy_only=False))
