"""Text as it stands in exports, made safe once: one Unicode form, no invisible characters."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pyarrow.compute as pc

# C0 and C1 controls but tab and newlines; zero-width marks, direction marks and overrides.
_CONTROLS = r"\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x{9F}"
_MARKS = (
    r"\x{AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{2069}\x{FEFF}"
    r"\x{FFF9}-\x{FFFB}"
)
_INVISIBLE = f"[{_CONTROLS}{_MARKS}]"
_BREAKS = r"[\t\r\n]+"
_ERRORS = ("#N/A", "#DIV/0!", "#REF!", "#NAME?", "#VALUE!", "#NUM!", "#NULL!")


def header(text: object) -> str:
    """A header as it is compared: NFKC, without zero-width characters and outer blanks."""
    word = unicodedata.normalize("NFKC", "" if text is None else str(text))
    kept = (c for c in word if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf"))
    return " ".join("".join(kept).split())


def column(values: pa.Array, *, key: bool = False) -> pa.Array:
    """A column of text: NFC (keys: NFKC), stripped; empty text becomes null.

    Parameters
    ----------
    values
        Text.
    key
        Identifiers: compatibility forms are unified and line breaks dropped as well, so that
        ``Ａ０１`` and ``A01`` are one customer.
    """
    encoded = values.cast(pa.string()).dictionary_encode()
    words = pc.utf8_normalize(encoded.dictionary, form="NFKC" if key else "NFC")
    words = pc.replace_substring_regex(words, pattern=_INVISIBLE, replacement="")
    if key:
        words = pc.replace_substring_regex(words, pattern=_BREAKS, replacement=" ")
    words = pc.utf8_trim_whitespace(words)
    words = pc.if_else(pc.equal(words, ""), pa.scalar(None, pa.string()), words)
    return words.take(encoded.indices)


def plain(values: pa.Array) -> pa.Array:
    """Words as values are compared: NFKC, one sort of minus, no marks nobody sees, stripped.

    A control character stays: it may be what damage left of a digit, and the value is refused.
    """
    words = pc.utf8_normalize(values.cast(pa.string()), form="NFKC")
    words = pc.replace_substring_regex(words, pattern=f"[{_MARKS}]", replacement="")
    return pc.utf8_trim_whitespace(pc.replace_substring(words, "\u2212", "-"))


def drop_cell_errors(values: pa.Array) -> tuple[pa.Array, int]:
    """Null for a workbook's error values (``#N/A``), and how many there were."""
    wrong = pc.fill_null(pc.is_in(values, value_set=pa.array(_ERRORS)), False)
    count = int(pc.sum(wrong).as_py() or 0)
    if not count:
        return values, 0
    return pc.if_else(wrong, pa.scalar(None, pa.string()), values), count


def shape(text: str) -> str:
    """The form of a value without its content: digits become 9, letters x."""
    short = text.strip()[:20]
    return "".join("9" if c.isdigit() else "x" if c.isalpha() else c for c in short)
