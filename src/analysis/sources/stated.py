"""What a header says beside its name: the unit and the currency of the numbers below it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.sources import texts

_UNITS = {
    "元": "元", "千元": "千元", "万元": "万元", "百万元": "百万元", "亿元": "亿元",
    "千": "千元", "万": "万元", "百万": "百万元", "亿": "亿元",
    "k": "千元", "'000": "千元", "thousand": "千元", "10k": "万元",
    "m": "百万元", "mn": "百万元", "million": "百万元",
}  # fmt: skip
# Words for currencies, in headers and in cells, and their ISO codes.
CODES = {
    "人民币": "CNY", "人民币元": "CNY", "rmb": "CNY", "cny": "CNY", "cnh": "CNY", "¥": "CNY",
    "美元": "USD", "美金": "USD", "usd": "USD", "us$": "USD", "$": "USD",
    "欧元": "EUR", "eur": "EUR", "€": "EUR", "英镑": "GBP", "gbp": "GBP", "£": "GBP",
    "日元": "JPY", "日圆": "JPY", "jpy": "JPY", "港元": "HKD", "港币": "HKD", "hkd": "HKD",
    "hk$": "HKD", "新台币": "TWD", "台币": "TWD", "twd": "TWD", "新加坡元": "SGD", "sgd": "SGD",
    "澳元": "AUD", "aud": "AUD", "加元": "CAD", "cad": "CAD", "韩元": "KRW", "krw": "KRW",
    "卢布": "RUB", "rub": "RUB", "瑞士法郎": "CHF", "chf": "CHF", "泰铢": "THB", "thb": "THB",
    "越南盾": "VND", "vnd": "VND", "林吉特": "MYR", "马币": "MYR", "myr": "MYR",
    "印度卢比": "INR", "inr": "INR",
}  # fmt: skip


def _any(words: dict[str, str]) -> str:
    return "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))


_STATED = rf"(?:单位:?)?(?P<money>{_any(CODES)})?\s*(?P<unit>{_any(_UNITS)})?"
_PATTERNS = (
    re.compile(rf"\A(?P<base>.*?)\s*[(\[]{_STATED}[)\]]\Z", re.IGNORECASE),
    re.compile(
        r"\A(?P<base>.*?[^\s/_:-])\s*[/_:-]\s*(?P<money>(?!))?(?P<unit>元|千元|万元|百万元|亿元)\Z"
    ),
)
_ABOVE = re.compile(
    rf"(?:金额)?(?:单位|units?)\s*:\s*(?P<money>{_any(CODES)})?\s*(?P<unit>{_any(_UNITS)})(?![a-z])",
    re.IGNORECASE,
)
_MARKS = re.compile(r"\((?:必填|必填项|选填|required|mandatory)\)|[*\s_]")


@dataclass(frozen=True)
class Stated:
    """A header without its unit, and what the unit said.

    Attributes
    ----------
    base
        The header's name.
    unit
        One of `analysis.sources.numbers.UNITS`; None if it states none.
    currency
        ISO code; None if it states none.
    """

    base: str
    unit: str | None = None
    currency: str | None = None


def stated(header: str) -> Stated:
    """What a header states of its numbers: 金额(万元), 金额/万元, Amount (USD).

    Parameters
    ----------
    header
        As `texts.header` returns it.
    """
    for pattern in _PATTERNS:
        found = pattern.match(header)
        if found and (found["money"] or found["unit"]):
            unit = _UNITS[found["unit"].lower()] if found["unit"] else None
            return Stated(found["base"], unit, code(found["money"]))
    return Stated(header)


def _stated_above(title: Sequence[str]) -> set[tuple[str, str]]:
    return {(m["unit"], m["money"]) for text in title if (m := _ABOVE.search(text))}


def contradictions(title: Sequence[str]) -> list[str]:
    """What the rows above a header state of the numbers below, where it is not one thing."""
    found = ["".join(filter(None, one)) for one in _stated_above(title)]
    return sorted(found) if len(found) > 1 else []


def above(title: Sequence[str]) -> Stated:
    """What the rows above a header state of all numbers below: 单位：万元.

    Parameters
    ----------
    title
        Their texts, as `texts.header` returns them.
    """
    found = _stated_above(title)
    if len(found) != 1:
        return Stated("")
    unit, money = found.pop()
    return Stated("", _UNITS[unit.lower()] if unit else None, code(money))


def code(word: str | None) -> str | None:
    """The ISO code of a currency as people write it; an unknown word stays as it is."""
    if not word:
        return None
    plain = texts.header(word)
    return CODES.get(plain.lower(), plain.upper())


def fold(header: str) -> str:
    """A header as it is compared where it is not written exactly alike.

    Upper and lower case, blanks, underscores and the marks of required fields do not count.
    """
    return _MARKS.sub("", header).casefold()
