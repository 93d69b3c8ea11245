"""Numbers as people write them: a number or an error, never a guess.

Accepted: digits, thousands in groups of three, brackets or a sign for negatives, the run's
own currency sign, 千 万 百万 千万 亿 behind the number, full-width digits. Everything else
(``12,5``, ``1e5``, ``12%``, another currency) is unreadable.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal

import pyarrow as pa
import pyarrow.compute as pc

EXACT = pa.decimal128(28, 10)
FACTOR = pa.decimal128(9, 0)
LARGEST = Decimal(10) ** 14  # what DECIMAL(18,4) can hold
UNITS: dict[str, int] = {
    "元": 1,
    "千元": 1_000,
    "万元": 10_000,
    "百万元": 1_000_000,
    "亿元": 100_000_000,
}

_SIGNS: dict[str, tuple[str, ...]] = {
    "CNY": ("¥", "RMB", "CNY", "人民币", "元"),
    "USD": ("$", "US$", "USD"),
    "EUR": ("€", "EUR"),
    "GBP": ("£", "GBP"),
    "JPY": ("¥", "JPY", "円"),
    "HKD": ("HK$", "HKD"),
}
_SCALES = {"千": 10**3, "万": 10**4, "百万": 10**6, "千万": 10**7, "亿": 10**8}
_PLAIN = r"^-?[0-9]{1,14}(\.[0-9]{1,10})?$"
_PLACES = Decimal(1).scaleb(-10)


def _pattern(currency: str) -> re.Pattern[str]:
    signs = "|".join(
        re.escape(s) for s in sorted(_SIGNS.get(currency, (currency,)), key=len, reverse=True)
    )
    return re.compile(
        rf"\A(?P<open>\()?\s*(?P<sign>[+-])?\s*(?:{signs})?\s*(?P<inner>[+-])?"
        r"(?P<body>(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+)"
        rf"\s*(?P<scale>千万|百万|千|万|亿)?\s*(?:{signs})?\s*(?P<close>\))?\Z",
        re.ASCII,
    )


_PATTERNS = {currency: _pattern(currency) for currency in _SIGNS}


def parse(text: str, currency: str = "CNY") -> Decimal | None:
    """One number, exactly, or None when the text is not clearly a number.

    Parameters
    ----------
    text
        The cell's text.
    currency
        ISO code of the run: only its own sign is accepted.

    Returns
    -------
    Decimal or None
        At most ten decimal places, half away from zero; None beyond ±10^14.
    """
    pattern = _PATTERNS.get(currency) or _pattern(currency)
    match = pattern.match(unicodedata.normalize("NFKC", text).strip().replace("\u2212", "-"))
    if match is None:
        return None
    signs = [s for s in (match["sign"], match["inner"]) if s]
    brackets = bool(match["open"])
    if brackets != bool(match["close"]) or len(signs) > 1 or (brackets and signs):
        return None
    number = Decimal(match["body"].replace(",", "")) * _SCALES.get(match["scale"] or "", 1)
    if number >= LARGEST:
        return None
    number = number.quantize(_PLACES, ROUND_HALF_UP)
    return -number if brackets or "-" in signs else number


def has_scale(text: str) -> bool:
    """Whether the cell carries a scale of its own, such as 万 or 亿."""
    return any(scale in text for scale in _SCALES)


def parse_column(
    values: pa.Array, unit: str | None = None, currency: str = "CNY"
) -> tuple[pa.Array, pa.Array]:
    """A column of numbers in plain units.

    Parameters
    ----------
    values
        Text, integers, floats or decimals; empty text counts as missing.
    unit
        One of `UNITS`; a cell that carries 万 or 亿 as well is then unreadable.
    currency
        ISO code of the run.

    Returns
    -------
    tuple
        DECIMAL(28,10) values, and the mask of cells that hold something unreadable.
    """
    if pa.types.is_floating(values.type):
        fits = pc.less(pc.abs(values), float(LARGEST))
        keep = pc.and_(pc.is_finite(values), fits)
        missing = pc.is_null(values, nan_is_null=True)
        number = pc.if_else(keep, values, pa.scalar(None, values.type)).cast(EXACT, safe=False)
        bad = pc.and_not(pc.invert(pc.fill_null(keep, False)), missing)
    elif pa.types.is_integer(values.type) or pa.types.is_decimal(values.type):
        wide = values.cast(pa.decimal128(38, 10))
        keep = pc.fill_null(pc.less(pc.abs(wide), pa.scalar(LARGEST, pa.decimal128(38, 10))), False)
        number = pc.if_else(keep, wide, pa.scalar(None, wide.type)).cast(EXACT)
        bad = pc.and_not(pc.invert(keep), pc.is_null(values))
    else:
        number, bad = _parse_text(values.cast(pa.string()), unit, currency)
    factor = UNITS[unit] if unit else 1
    if factor != 1:
        wide = pc.multiply(number, pa.scalar(Decimal(factor), FACTOR))
        limit = pa.scalar(LARGEST, pa.decimal128(38, 10))
        fits = pc.less(pc.abs(wide), limit)
        bad = pc.or_(bad, pc.fill_null(pc.invert(fits), False))
        number = pc.if_else(fits, wide, pa.scalar(None, wide.type)).cast(EXACT)
    return number, bad


def _parse_text(values: pa.Array, unit: str | None, currency: str) -> tuple[pa.Array, pa.Array]:
    text = pc.utf8_trim_whitespace(values)
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    plain = pc.fill_null(pc.match_substring_regex(text, _PLAIN), False)
    number = pc.if_else(plain, text, pa.scalar(None, pa.string())).cast(EXACT)
    rest = pc.and_not(pc.is_valid(text), plain)
    if not pc.any(rest).as_py():
        return number, rest
    encoded = pc.if_else(rest, text, pa.scalar(None, pa.string())).dictionary_encode()
    parsed = [
        None if unit and unit != "元" and has_scale(word) else parse(word, currency)
        for word in encoded.dictionary.to_pylist()
    ]
    slow = pa.array(parsed, EXACT).take(encoded.indices)
    number = pc.coalesce(number, slow)
    return number, pc.and_(rest, pc.is_null(number))


def money(values: pa.Array) -> pa.Array:
    """DECIMAL(18,4), half away from zero."""
    rounded = pc.round(values, ndigits=4, round_mode="half_towards_infinity")
    return rounded.cast(pa.decimal128(18, 4))


def product(quantity: pa.Array, price: pa.Array) -> pa.Array:
    """Quantity times price as DECIMAL(18,4); null where that is impossible."""
    six = [
        pc.round(v, ndigits=6, round_mode="half_towards_infinity").cast(pa.decimal128(38, 6))
        for v in (quantity, price)
    ]
    limit = pa.scalar(Decimal(10) ** 12, pa.decimal128(38, 6))
    fits = pc.and_(pc.less(pc.abs(six[0]), limit), pc.less(pc.abs(six[1]), limit))
    narrow = [pc.if_else(fits, v, pa.scalar(None, v.type)).cast(pa.decimal128(18, 6)) for v in six]
    exact = pc.multiply(*narrow)
    small = pc.less(pc.abs(exact), pa.scalar(LARGEST, exact.type))
    return money(pc.if_else(small, exact, pa.scalar(None, exact.type)))
