"""Numbers as people write them: a number or a named reason why not, never a guess.

Accepted: digits; thousands in groups of three, by commas or by blanks; brackets or a sign for
negatives; the run's own currency; 千 万 百万 千万 亿 behind the number; full-width digits;
capital numerals. Refused, each by its rule:

unreadable_number
    ``1e5``, ``inf``, ``1_000``, ``12,5``, ``12%`` outside a share, words.
ambiguous_number
    ``1.234,50`` where the decimal mark is a point: `decimal` of the source says otherwise. Where
    more than one cell in two hundred is written so, ``1.234`` beside them is doubtful as well.
other_currency
    ``USD 100`` in a run that counts CNY.
unit_twice
    ``1.2万`` or ``12元`` in a column that counts 万元.
too_large
    Beyond what DECIMAL(18,4) holds.
not_a_share
    Outside 0 to 1.

A dash stands for nothing given, not for zero: it counts as missing, and is counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from analysis.sources import capitals, texts

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
MOSTLY = 0.995  # one way of writing must explain that much of a column [share]

# What a cell can say of its currency; ISO codes are understood beside these.
_CURRENCIES: dict[str, tuple[str, ...]] = {
    "¥": ("CNY", "JPY"), "元": ("CNY",), "人民币": ("CNY",), "RMB": ("CNY",), "CNH": ("CNY",),
    "$": ("USD",), "US$": ("USD",), "美元": ("USD",), "美金": ("USD",),
    "€": ("EUR",), "欧元": ("EUR",), "£": ("GBP",), "英镑": ("GBP",),
    "円": ("JPY",), "日元": ("JPY",), "HK$": ("HKD",), "港元": ("HKD",), "港币": ("HKD",),
    "NT$": ("TWD",), "新台币": ("TWD",), "₩": ("KRW",), "韩元": ("KRW",),
}  # fmt: skip
_ISO = (
    "CNY", "USD", "EUR", "GBP", "JPY", "HKD", "TWD", "MOP", "KRW", "SGD", "AUD", "NZD", "CAD",
    "CHF", "INR", "RUB", "THB", "VND", "MYR", "IDR", "PHP", "BRL", "MXN", "ZAR", "TRY", "SEK",
    "NOK", "DKK", "PLN", "AED", "SAR",
)  # fmt: skip
_SCALES = {"千": 10**3, "万": 10**4, "百万": 10**6, "千万": 10**7, "亿": 10**8}
_DASH = "^[-\u2010-\u2015\u2500]+$"  # after −, － have become -
# 0.30000000000000004: a sum of binary numbers in a workbook
_BINARY = r"\.[0-9]{5,}(0{6,}|9{6,})[0-9]{1,2}$"
_PLACES = Decimal(1).scaleb(-10)
_SIZE, _WIDE = pa.decimal256(50, 10), pa.decimal256(28, 10)
_RATIO, _FACTORS = pa.decimal128(11, 2), pa.decimal256(30, 2)
_PARTS = ("open", "sign", "before", "inner", "whole", "part", "percent", "scale", "after", "close")


@dataclass(frozen=True)
class Style:
    """How the numbers of a column are written.

    Attributes
    ----------
    unit
        One of `UNITS`, or ``%`` for a share.
    currency
        ISO code of the run.
    decimal
        The decimal mark: ``.`` or ``,``. The other one then parts the thousands.
    share
        Whether it is a share: ``12%`` is read, and nothing outside 0 to 1 is.
    words
        Words of the column's own unit that may stand behind a number → how many of it they are.
    """

    unit: str | None = None
    currency: str = "CNY"
    decimal: str = "."
    share: bool = False
    words: tuple[tuple[str, int], ...] = ()


PLAIN = Style()


@dataclass(frozen=True)
class Numbers:
    """A column of numbers, and what could not be read.

    Attributes
    ----------
    data
        DECIMAL(28,10), in plain units.
    rules
        Why a cell is no number; null where it is one, or empty.
    dashes, rounded
        Cells that hold a dash; cells with more decimals than are kept.
    """

    data: pa.Array
    rules: pa.Array
    dashes: int = 0
    rounded: int = 0

    @property
    def bad(self) -> pa.Array:
        """Cells that hold something unreadable."""
        return pc.is_valid(self.rules)


def parse(text: str, style: Style = PLAIN) -> Decimal | None:
    """One number, exactly, to ten decimals half away from zero; None where it is none."""
    found: Decimal | None = parse_column(pa.array([text], pa.string()), style).data[0].as_py()
    return found


def parse_column(values: pa.Array, style: Style = PLAIN) -> Numbers:
    """A column of numbers in plain units.

    Parameters
    ----------
    values
        Text, integers, floats or decimals; empty text and NaN count as missing.
    style
        How it is written.
    """
    kind = values.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        found = _typed(values, style)
    else:
        found = _text(values.cast(pa.string()), style)
    if not style.share:
        return found
    inside = pc.and_(
        pc.greater_equal(found.data, pa.scalar(Decimal(0), EXACT)),
        pc.less_equal(found.data, pa.scalar(Decimal(1), EXACT)),
    )
    return _refuse(found, pc.fill_null(pc.invert(inside), False), "not_a_share")


def _typed(values: pa.Array, style: Style) -> Numbers:
    """Numbers that the file itself stores as such."""
    factor = _factor(style.unit)
    rounded = 0
    if pa.types.is_floating(values.type):
        given = pc.invert(pc.is_null(values, nan_is_null=True))
        # in doubles: what the product is off by is less than a double shows of it
        scaled = pc.multiply(values.cast(pa.float64()), float(factor))
        finite = pc.fill_null(pc.is_finite(scaled), False)
        small = pc.and_(finite, pc.fill_null(pc.less(pc.abs(scaled), float(LARGEST)), False))
        number = pc.if_else(small, scaled, pa.scalar(None, pa.float64())).cast(EXACT, safe=False)
        over = pc.and_not(finite, small)
    else:
        given = finite = pc.is_valid(values)
        scale = max(values.type.scale, 10) if pa.types.is_decimal(values.type) else 10
        wide = pc.multiply(values.cast(pa.decimal256(45, scale)), pa.scalar(factor, _FACTORS))
        size = pc.round(wide, ndigits=10, round_mode="half_towards_infinity")
        rounded = _count(pc.not_equal(wide, size))
        number, over = _fitting(size)
    rules = _mark(_nothing(len(values)), pc.and_not(given, finite), "unreadable_number")
    return Numbers(number, _mark(rules, over, "too_large"), rounded=rounded)


def _text(values: pa.Array, style: Style) -> Numbers:
    text = pc.utf8_trim_whitespace(values)
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    found = _digits(text, style)
    rest = pc.and_(pc.is_valid(text), pc.is_null(found))
    number = found.cast(EXACT)
    rules, dashes, rounded = _nothing(len(text)), 0, 0
    factor = _factor(style.unit)
    if factor != 1:
        scaled = pc.multiply(number.cast(_WIDE), pa.scalar(factor, _FACTORS))
        number, over = _fitting(_rounded(scaled))
        rules = _mark(rules, over, "too_large")
    if pc.any(rest).as_py():
        encoded = text.filter(rest).dictionary_encode()
        words = texts.plain(encoded.dictionary)
        slow = _words(words, style)
        number = pc.replace_with_mask(number, rest, slow.data.take(encoded.indices))
        rules = pc.replace_with_mask(rules, rest, slow.rules.take(encoded.indices))
        dashes = _count(pc.match_substring_regex(words, _DASH).take(encoded.indices))
        precise = pc.match_substring_regex(words, rf"{re.escape(style.decimal)}[0-9]{{11,}}")
        precise = pc.and_not(precise, pc.match_substring_regex(words, _BINARY))
        precise = pc.and_(precise, pc.is_valid(slow.data))
        rounded = _count(precise.take(encoded.indices))
    return _doubtful(Numbers(number, rules, dashes, rounded), text, style)


def _digits(text: pa.Array, style: Style) -> pa.Array:
    """The cells that are digits in thousands or without, as a cast reads them; the rest null."""
    none = pa.scalar(None, pa.string())
    mark, group = ("\\.", ",") if style.decimal == "." else (",", "\\.")
    plain = rf"^-?[0-9]{{1,14}}({mark}[0-9]{{1,8}})?$"
    grouped = rf"^-?[0-9]{{1,3}}({group}[0-9]{{3}}){{1,3}}({mark}[0-9]{{1,8}})?$"
    fast = pc.fill_null(pc.match_substring_regex(text, plain), False)
    if _count(fast) + text.null_count < len(text):
        parted = pc.fill_null(pc.match_substring_regex(text, grouped), False)
        if pc.any(parted).as_py():
            bare = pc.replace_substring(text, "," if style.decimal == "." else ".", "")
            text = pc.if_else(parted, bare, text)
            fast = pc.or_(fast, parted)
    kept = pc.if_else(fast, text, none)
    return kept if style.decimal == "." else pc.replace_substring(kept, ",", ".")


@cache
def _pattern(style: Style) -> str:
    """A number with all that may stand around it; for RE2 as for `re`."""
    marks = sorted({*_CURRENCIES, *_ISO, style.currency}, key=lambda m: (-len(m), m))
    money = "|".join(map(re.escape, marks))
    scales = "|".join(sorted(_SCALES, key=len, reverse=True))
    words = sorted((re.escape(w) for w, _ in style.words), key=len, reverse=True)
    after = "|".join([*words, money])
    mark, group = re.escape(style.decimal), re.escape("," if style.decimal == "." else ".")
    return (
        rf"(?i)^(?P<open>\()?\s*(?P<sign>[+-])?\s*(?P<before>{money})?\s*(?P<inner>[+-])?"
        rf"(?P<whole>[0-9]{{1,3}}(?:{group}[0-9]{{3}})+|[0-9]{{1,3}}(?: [0-9]{{3}})+|[0-9]+)?"
        rf"(?:{mark}(?P<part>[0-9]+))?\s*(?P<percent>%)?\s*(?P<scale>{scales})?\s*"
        rf"(?P<after>{after})?\s*(?P<close>\))?$"
    )


def _words(words: pa.Array, style: Style) -> Numbers:
    """Distinct cells that are not digits alone, already in their plain form."""
    fields = pc.extract_regex(words, pattern=_pattern(style))
    part = {name: fields.field(i) for i, name in enumerate(_PARTS)}
    matched = pc.and_(pc.is_valid(fields), _any(part["whole"], part["part"]))
    found = _amounts(part, matched, style)
    other = re.compile(_pattern(_swapped(style)), re.ASCII)
    verdicts = [
        _no_number(word, style, other) for word in words.filter(pc.invert(matched)).to_pylist()
    ]
    amounts = [v if isinstance(v, Decimal) else None for v in verdicts]
    reasons = [v if isinstance(v, str) else None for v in verdicts]
    rest = pc.invert(matched)
    return Numbers(
        pc.replace_with_mask(found.data, rest, pa.array(amounts, EXACT)),
        pc.replace_with_mask(found.rules, rest, pa.array(reasons, pa.string())),
    )


def _amounts(part: Mapping[str, pa.Array], matched: pa.Array, style: Style) -> Numbers:
    """What the parts of each cell add up to, or the rule that refuses it."""
    words = dict(style.words)
    given = {name: _any(column) for name, column in part.items()}
    two_signs = pc.and_(given["sign"], given["inner"])
    signed = pc.or_(given["sign"], given["inner"])
    broken = pc.or_(pc.xor(given["open"], given["close"]), two_signs)
    broken = pc.or_(broken, pc.and_(given["open"], signed))
    own = _each(part["after"], lambda w: w.lower() in words, pa.bool_())
    foreign = pc.or_(
        _each(part["before"], lambda w: _foreign(w, style), pa.bool_()),
        _each(part["after"], lambda w: _foreign(w, style), pa.bool_()),
    )
    percent = given["percent"]
    broken = pc.or_(broken, pc.and_(percent, _any(part["scale"], part["after"])))
    if not style.share:
        broken = pc.or_(broken, percent)
    twice = _no(len(matched))
    if (style.unit or "元") != "元":
        twice = pc.or_(own, pc.or_(given["scale"], pc.equal(part["after"], "元")))
    rules = _nothing(len(matched))
    rules = _mark(rules, pc.and_(matched, twice), "unit_twice")
    rules = _mark(rules, pc.and_(matched, foreign), "other_currency")
    rules = _mark(rules, pc.and_(matched, broken), "unreadable_number")
    factor = pc.multiply(
        _each(part["scale"], lambda w: Decimal(_SCALES.get(w, 1)), FACTOR),
        _each(part["after"], lambda w: Decimal(words.get(w.lower(), 1)), pa.decimal128(5, 0)),
    )
    unit = pc.if_else(percent, Decimal("0.01"), _factor(style.unit)).cast(_RATIO)
    factor = pc.multiply(factor, unit)
    mark = "," if style.decimal == "." else "."
    whole = pc.replace_substring(pc.replace_substring(part["whole"], " ", ""), mark, "")
    long = pc.or_(
        pc.greater(pc.utf8_length(whole), 14), pc.greater(pc.utf8_length(part["part"]), 8)
    )
    text = pc.binary_join_element_wise(whole, pc.if_else(given["part"], part["part"], "0"), ".")
    text = pc.if_else(given["whole"], text, pc.binary_join_element_wise("0", text, ""))
    use = pc.and_(pc.is_null(rules), matched)
    short = pc.if_else(pc.and_not(use, long), text, pa.scalar(None, pa.string()))
    size = _rounded(pc.multiply(short.cast(EXACT).cast(_WIDE), factor.cast(_FACTORS)))
    if pc.any(pc.and_(use, long)).as_py():
        size = pc.replace_with_mask(
            size, pc.and_(use, long), _exactly(text, factor, pc.and_(use, long))
        )
    number, over = _fitting(size)
    rules = _mark(rules, over, "too_large")
    minus = pc.or_(given["open"], pc.or_(pc.equal(part["sign"], "-"), pc.equal(part["inner"], "-")))
    return Numbers(pc.if_else(minus, pc.negate(number), number), rules)


def _foreign(word: str, style: Style) -> bool:
    mark = word.upper()
    return (
        bool(mark)
        and mark.lower() not in dict(style.words)
        and (style.currency not in _CURRENCIES.get(mark, (mark,)))
    )


def _exactly(text: pa.Array, factor: pa.Array, mask: pa.Array) -> pa.Array:
    """Products of numbers with more digits than a column keeps."""
    products = [
        min(Decimal(word) * times, LARGEST).quantize(_PLACES, ROUND_HALF_UP)
        for word, times in zip(
            text.filter(mask).to_pylist(), factor.filter(mask).to_pylist(), strict=True
        )
    ]
    return pa.array(products, _SIZE)


def _no_number(word: str | None, style: Style, other: re.Pattern[str]) -> Decimal | str | None:
    if not word or re.match(_DASH, word):
        return None
    if capitals.looks(word):
        amount = capitals.parse(word) if style.currency == "CNY" else None
        if amount is None or (style.unit or "元") != "元" or style.share:
            return "unreadable_number"
        return amount if abs(amount) < LARGEST else "too_large"
    swapped = other.match(word)
    either = swapped and (swapped["whole"] or swapped["part"])
    return "ambiguous_number" if either else "unreadable_number"


def _swapped(style: Style) -> Style:
    decimal = "," if style.decimal == "." else "."
    return Style(style.unit, style.currency, decimal, style.share, style.words)


def _doubtful(found: Numbers, text: pa.Array, style: Style) -> Numbers:
    """Refuse what reads both ways where the column is known to be written the other way."""
    other = _count(pc.equal(found.rules, "ambiguous_number"))
    if other <= (1 - MOSTLY) * _count(pc.is_valid(text)):
        return found
    mark = re.escape(style.decimal)
    both = pc.match_substring_regex(text, rf"^[^0-9]*[0-9]{{1,3}}{mark}[0-9]{{3}}[^0-9]*$")
    both = pc.and_(pc.fill_null(both, False), pc.is_valid(found.data))
    return _refuse(found, both, "ambiguous_number")


def _refuse(found: Numbers, mask: pa.Array, rule: str) -> Numbers:
    if not pc.any(mask).as_py():
        return found
    data = pc.if_else(mask, pa.scalar(None, EXACT), found.data)
    return Numbers(data, _mark(found.rules, mask, rule), found.dashes, found.rounded)


def _factor(unit: str | None) -> Decimal:
    return Decimal("0.01") if unit == "%" else Decimal(UNITS[unit] if unit else 1)


def _rounded(values: pa.Array) -> pa.Array:
    return pc.round(values, ndigits=10, round_mode="half_towards_infinity").cast(_SIZE)


def _fitting(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The numbers that a column holds, and which are too large for it."""
    fits = pc.less(pc.abs(values), pa.scalar(LARGEST, values.type))
    kept = pc.if_else(fits, values, pa.scalar(None, values.type)).cast(EXACT)
    return kept, pc.fill_null(pc.invert(fits), False)


def _each(values: pa.Array, of: Callable[[str], Any], kind: pa.DataType) -> pa.Array:
    """A function of every cell, worked out once for each word; of no word for a null."""
    encoded = pc.fill_null(values, "").dictionary_encode()
    return pa.array([of(word) for word in encoded.dictionary.to_pylist()], kind).take(
        encoded.indices
    )


def _any(*columns: pa.Array) -> pa.Array:
    """Rows of which one of the columns holds something."""
    joined = pc.binary_join_element_wise(*(pc.fill_null(c, "") for c in columns), "")
    return pc.not_equal(joined, "")


def _mark(rules: pa.Array, mask: pa.Array, rule: str) -> pa.Array:
    """A rule where the mask says so, unless another one stands there."""
    return pc.coalesce(rules, pc.if_else(mask, pa.scalar(rule), pa.scalar(None, pa.string())))


def _nothing(size: int) -> pa.Array:
    return pa.nulls(size, pa.string())


def _no(size: int) -> pa.Array:
    return pa.repeat(pa.scalar(False), size)


def _count(mask: pa.Array) -> int:
    return int(pc.sum(mask).as_py() or 0)


def money(values: pa.Array) -> pa.Array:
    """DECIMAL(18,4), half away from zero."""
    rounded = pc.round(values, ndigits=4, round_mode="half_towards_infinity")
    return rounded.cast(pa.decimal128(18, 4))


def product(quantity: pa.Array, price: pa.Array) -> pa.Array:
    """Quantity times price as DECIMAL(18,4), rounded once; null where it is too large."""
    wide = pc.multiply(*(v.cast(pa.decimal256(28, 10)) for v in (quantity, price)))
    amount = pc.round(wide, ndigits=4, round_mode="half_towards_infinity")
    small = pc.less(pc.abs(amount), pa.scalar(LARGEST, amount.type))
    return pc.if_else(small, amount, pa.scalar(None, amount.type)).cast(pa.decimal128(18, 4))
