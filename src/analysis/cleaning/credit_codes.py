"""Numbers by which the registry knows a firm, held against their check digits.

The unified social credit code (GB 32100-2015) has 18 characters. Before it, a firm had a
registration number of 15 digits (its last digit by ISO 7064, MOD 11,10) and an organisation code
of nine characters (GB 11714-1997), which old records still hold.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.cleaning.distinct import encoded

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I, O, S, V and Z
_UNIFIED_FORM = rf"^[1-9A-HJ-NP-RTUWXY][1-9][0-9]{{6}}[{_ALPHABET}]{{10}}$"
_WEIGHTS = np.array([pow(3, i, 31) for i in range(18)])
_VALUES = np.zeros(128, np.int64)
_VALUES[[ord(c) for c in _ALPHABET]] = np.arange(len(_ALPHABET))
_REGISTRATION_FORM = "^[0-9]{15}$"
_ORGANISATION_FORM = "^[0-9A-Z]{8}-?[0-9X]$"
_ORGANISATION_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2])


def valid(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Whether each text is a firm's number with a right check digit; null stays null."""
    words = encoded(values)
    plain = pc.utf8_normalize(words.dictionary, form="NFKC")
    plain = pc.utf8_upper(pc.replace_substring_regex(plain, pattern=r"\s", replacement=""))
    good = np.zeros(len(plain), bool)
    for form, length, holds in (
        (_UNIFIED_FORM, 18, _unified),
        (_REGISTRATION_FORM, 15, _registration),
        (_ORGANISATION_FORM, 9, _organisation),
    ):
        at = np.flatnonzero(pc.match_substring_regex(plain, form).to_numpy(zero_copy_only=False))
        if at.size:
            bare = pc.replace_substring(plain.take(pa.array(at)), "-", "")
            good[at] = holds(_letters(bare, length))
    return pa.array(good).take(words.indices)


def _letters(words: pa.Array, length: int) -> np.ndarray:
    """Words of one length as a matrix of ASCII codes."""
    return np.array(words.to_pylist(), dtype=f"S{length}").view(np.uint8).reshape(-1, length)


def _unified(letters: np.ndarray) -> np.ndarray:
    """The weighted sum of all 18 characters, the last by 3¹⁷ = −1 mod 31, is a multiple of 31."""
    return np.asarray(
        (_VALUES[letters[:, :17]] @ _WEIGHTS[:17] + _VALUES[letters[:, 17]]) % 31 == 0
    )


def _registration(letters: np.ndarray) -> np.ndarray:
    digits = letters.astype(np.int64) - ord("0")
    check = np.full(len(digits), 10)
    for place in range(14):
        check = ((check + digits[:, place] - 1) % 10 + 1) * 2 % 11
    return np.asarray((check + digits[:, 14]) % 10 == 1)


def _organisation(letters: np.ndarray) -> np.ndarray:
    codes = letters.astype(np.int64)
    values = np.where(codes >= ord("A"), codes - ord("A") + 10, codes - ord("0"))
    check = (11 - values[:, :8] @ _ORGANISATION_WEIGHTS % 11) % 11
    given = np.where(letters[:, 8] == ord("X"), 10, codes[:, 8] - ord("0"))
    return np.asarray(check == given)
