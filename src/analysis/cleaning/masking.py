"""Phones and mail addresses masked where they stand in free text."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

MASK = "***"

# In text: digits of any script, with blanks or hyphens between groups. A number that is part
# of a longer one is a document's number, but an identity card's is masked as well.
_PHONE_IN_TEXT = re.compile(
    r"(?<!\d)(?:\+?86[\s-]?)?1[3-9]\d(?:[\s-]?\d{4}){2}(?!\d)"
    r"|(?<!\d)0\d{2,3}[\s-]\d{7,8}(?!\d)"
    r"|(?<!\d)\d{17}[\dXx](?!\d)"
    r"|(?<!\d)(?:\+?86[\s-]?)?1(?:[\s-]?\d){10}(?!\d)"
)
_MAIL_IN_TEXT = re.compile(r"[\w.%+-]+@[\w-]+(?:\.[\w-]+)+")
_PLAIN = {0xFF10 + d: str(d) for d in range(10)} | {0xFF20: "@", 0xFF0B: "+", 0xFF0D: "-"}
_CANDIDATE = r"@|＠|\pN([\s-]?\pN){9}"


def mask(text: str) -> str:
    """A text without phones, identity card numbers and mail addresses."""
    for pattern in (_MAIL_IN_TEXT, _PHONE_IN_TEXT):
        # Full-width digits are looked at as plain ones; the rest of the text stays as it is.
        for found in reversed(list(pattern.finditer(text.translate(_PLAIN)))):
            text = text[: found.start()] + MASK + text[found.end() :]
    return text


def mask_column(values: pa.ChunkedArray) -> pa.Array:
    """`mask` for a column; only texts that may hold something are looked at one by one."""
    merged = values.combine_chunks()
    array = merged if isinstance(merged, pa.Array) else pa.concat_arrays(merged.chunks)
    doubtful = pc.fill_null(pc.match_substring_regex(array, _CANDIDATE), False)
    if not pc.any(doubtful).as_py():
        return array
    encoded = pc.if_else(doubtful, array, pa.scalar(None, pa.string())).dictionary_encode()
    masked = pa.array([mask(word) for word in encoded.dictionary.to_pylist()], pa.string())
    return pc.coalesce(masked.take(encoded.indices), array)
