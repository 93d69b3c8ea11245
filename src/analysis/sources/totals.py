"""Total rows: 合计, 小计 and the like stand among the data in many exports."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

# A cell that is nothing but the word …
_WORDS = r"^[\s　]*(本页|本月|本年)?[\s　]*(合|小|总|累|共)[\s　]*计[\s　]*[:：]?[\s　]*$"
_ENGLISH = r"(?i)^\s*(grand[\s-]?|sub[\s-]?)?totals?\s*:?\s*$"
# … or, in a key or the first column, ends with it: 华东小计.
_ENDING = r"(合计|小计|总计|累计)[\s　]*[:：]?[\s　]*$"


def find(text: list[pa.Array], keys: list[pa.Array], day: pa.Array | None, size: int) -> pa.Array:
    """Mask of total rows.

    Parameters
    ----------
    text
        Columns in which the word alone marks a total row.
    keys
        Columns in which a text ending with the word marks one as well.
    day
        The table's required date, if it has one: an English total row has no date, so that
        a customer called Total stays.
    size
        Number of rows.
    """
    mask = pa.repeat(pa.scalar(False), size)
    for column in text:
        mask = pc.or_(mask, _matches(column, _WORDS))
        english = _matches(column, _ENGLISH)
        if day is not None:
            english = pc.and_(english, pc.is_null(day))
        mask = pc.or_(mask, english)
    for column in keys:
        mask = pc.or_(mask, _matches(column, _ENDING))
    return mask


def _matches(column: pa.Array, pattern: str) -> pa.Array:
    encoded = column.dictionary_encode()
    hits = pc.match_substring_regex(encoded.dictionary, pattern)
    return pc.fill_null(hits.take(encoded.indices), False)
