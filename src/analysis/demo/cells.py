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


def dates(days: pd.Series | np.ndarray) -> np.ndarray:
    """Day numbers as ISO dates."""
    return _objects(_dates(days).cast(pa.string()))


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
    sums = {
        name: sum((Decimal(str(v).replace(",", "")) for v in counted[name].tolist()), Decimal(0))
        for name in columns
    }
    return {label: TOTAL, **sums}


def _dates(days: pd.Series | np.ndarray) -> pa.Array:
    first = (START - date(1970, 1, 1)).days
    return pa.array((np.asarray(days, dtype=np.int64) + first).astype(np.int32)).cast(pa.date32())


def _objects(found: pa.Array) -> np.ndarray:
    return np.asarray(found.to_numpy(zero_copy_only=False))
