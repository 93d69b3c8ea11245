"""Phone numbers that can be somebody's: Chinese mobiles, landlines, service numbers, foreign ones.

Eight equal or consecutive digits at the end are made up: 13800000000 and 12345678901 are nobody's,
though the first has the form of a mobile number.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.cleaning.distinct import encoded

_RUNS = ("01234567890123456789", "98765432109876543210")
_MADE_UP = [str(d) * 8 for d in range(10)] + [run[at : at + 8] for run in _RUNS for at in range(10)]
_AREA = "(?:10|2[0-57-9]|[3-9][0-9]{2})"  # without its leading zero
_LOCAL = "[2-9][0-9]{6,7}"
_OWN = rf"1[3-9][0-9]{{9}}|{_AREA}{_LOCAL}"
_NUMBER = (
    rf"^(?:(?:\+|00)?86(?:{_OWN}|0{_AREA}{_LOCAL})"  # from abroad
    rf"|0?1[3-9][0-9]{{9}}|(?:0{_AREA})?{_LOCAL}"  # mobile; landline
    r"|[48]00[0-9]{7}"  # 400 and 800
    r"|\+(?:[1-79][0-9]|8[0-57-9])[0-9]{6,13})$"  # any country but this one
)
_EXTENSION = r"\s*(?:转|分机号?|ext\.?|x|#)\s*[0-9]{1,6}$"
_AFTER_HYPHEN = r"^(.*[0-9]{7,})-[0-9]{1,6}$"  # 0571-87051234-801
_SEVERAL = r"[/;,、|]"
_BETWEEN = r"[\s().\-·]"


def valid(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Whether each text holds a phone number that can be somebody's; null stays null.

    Parameters
    ----------
    values
        Text as files have it: full width, blanks, hyphens, brackets, +86, extensions (转801), and
        several numbers in a cell, of which one is enough.
    """
    found = encoded(values)
    words = pc.utf8_lower(pc.utf8_normalize(found.dictionary, form="NFKC"))
    words = pc.replace_substring_regex(words, pattern="[\u2010-\u2015\u2212]", replacement="-")
    words = pc.replace_substring_regex(words, pattern=r"\(\+?86\)", replacement="+86")
    parts = pc.split_pattern_regex(words, _SEVERAL)
    single = parts.flatten()
    single = pc.replace_substring_regex(
        pc.utf8_trim_whitespace(single), pattern=_EXTENSION, replacement=""
    )
    single = pc.replace_substring_regex(single, pattern=_AFTER_HYPHEN, replacement=r"\1")
    single = pc.replace_substring_regex(single, pattern=_BETWEEN, replacement="")
    good = pc.match_substring_regex(single, _NUMBER)
    tail = pc.utf8_slice_codeunits(single, -8)
    good = pc.and_not(good, pc.is_in(tail, value_set=pa.array(_MADE_UP)))
    owners = pc.list_parent_indices(parts).filter(good)
    known = np.zeros(len(words), bool)
    known[owners.to_numpy()] = True
    return pa.array(known).take(found.indices)
