"""Mail addresses that can be somebody's. Nothing is looked up: the form decides."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from analysis.cleaning.distinct import encoded

_ADDRESS = (
    r"(?i)^[a-z0-9_%+-]+(?:\.[a-z0-9_%+-]+)*@"
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}$"
)
_MADE_UP = r"(?i)^(?:test|asdf|aaa|abc|123)@|@(?:example|test|localhost|asdf)\."
_LONGEST_NAME = 64  # characters before the @, RFC 5321


def valid(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Whether each text is a mail address, and none of the usual made-up ones; null stays null."""
    words = encoded(values)
    plain = pc.utf8_trim_whitespace(pc.utf8_normalize(words.dictionary, form="NFKC"))
    good = pc.match_substring_regex(plain, _ADDRESS)
    good = pc.and_not(good, pc.match_substring_regex(plain, _MADE_UP))
    good = pc.and_(good, pc.less_equal(pc.find_substring(plain, "@"), _LONGEST_NAME))
    return good.take(words.indices)
