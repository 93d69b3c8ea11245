"""Codes that stand where a file knows nothing: -99, 999, NA, 不详.

Only codes that the settings name count. Anything else would be a guess: -99 may be a return.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

import pyarrow as pa
import pyarrow.compute as pc

from analysis.sources import texts


def drop(values: pa.Array, codes: Sequence[str | int | float]) -> tuple[pa.Array, int]:
    """Null for every cell that holds one of the codes, and how many there were.

    Parameters
    ----------
    values
        A column of any type, as the file has it: before units and dates are read.
    codes
        Words, whatever their case, and numbers, however they are written (``-99``, ``-99.0``).
    """
    if not codes:
        return values, 0
    plain = pc.utf8_lower(texts.column(values.cast(pa.string()), key=True))
    words = [texts.header(code).lower() for code in codes]
    hit = pc.is_in(plain, value_set=pa.array(words, pa.string()))
    for number in filter(None, map(_number, words)):
        hit = pc.or_(hit, pc.fill_null(pc.match_substring_regex(plain, number), False))
    found = int(pc.sum(hit).as_py() or 0)
    return pc.if_else(hit, pa.scalar(None, values.type), values), found


def _number(code: str) -> str | None:
    """A pattern of all ways to write a number; None for a word."""
    try:
        exact = Decimal(code)
    except InvalidOperation:
        return None
    if not exact.is_finite():
        return None
    whole, _, part = f"{abs(exact):f}".partition(".")
    part = part.rstrip("0")
    sign = "[-\u2212]" if exact < 0 else ""
    tail = rf"\.{re.escape(part)}0*" if part else r"(\.0*)?"
    return rf"^{sign}0*{whole.lstrip('0') or '0'}{tail}$"
