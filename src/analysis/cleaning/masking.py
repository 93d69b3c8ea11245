"""Phones and mail addresses: valid or not, and masked where they stand in free text."""

from __future__ import annotations

import re
import unicodedata

import pyarrow as pa
import pyarrow.compute as pc

MASK = "***"

_MOBILE = re.compile(r"\A(?:\+?86|0)?1[3-9][0-9]{9}\Z", re.ASCII)
_LANDLINE = re.compile(r"\A(?:0[0-9]{2,3})?[2-9][0-9]{6,7}(?:(?:x|ext|转)[0-9]{1,6})?\Z", re.ASCII)
_SERVICE = re.compile(r"\A[48]00[0-9]{7}\Z", re.ASCII)
_FOREIGN = re.compile(r"\A\+[1-9][0-9]{7,14}\Z", re.ASCII)
_MAIL = re.compile(
    r"\A[A-Z0-9._%+-]{1,64}@(?:[A-Z0-9](?:[A-Z0-9-]{0,61}[A-Z0-9])?\.)+[A-Z]{2,24}\Z",
    re.I | re.ASCII,
)
_FAKE_MAIL = re.compile(
    r"(?:\A(?:test|asdf|aaa|abc|123)@)|@(?:example|test|localhost|asdf)\.", re.I
)
_RUNS = ("01234567890123456789", "98765432109876543210")

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


def valid_phone(text: str) -> bool:
    """Whether a text is a phone number that can be somebody's.

    Mobile numbers, landlines with or without area code, 400 and 800 numbers, and foreign
    ones with a plus sign. Eight equal or consecutive digits in a row are made up.
    """
    plain = unicodedata.normalize("NFKC", text).lower()
    plain = re.sub(r"[\s().\-]", "", plain)
    if not any(p.match(plain) for p in (_MOBILE, _LANDLINE, _SERVICE, _FOREIGN)):
        return False
    tail = re.sub(r"[^0-9]", "", plain)[-8:]
    return len(set(tail)) > 1 and not any(tail in run for run in _RUNS)


def valid_mail(text: str) -> bool:
    """Whether a text is a mail address, and not one of the usual made-up ones."""
    plain = unicodedata.normalize("NFKC", text).strip()
    return bool(_MAIL.match(plain)) and ".." not in plain and not _FAKE_MAIL.search(plain)


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
