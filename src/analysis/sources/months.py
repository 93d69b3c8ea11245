"""Headers of a wide table over time: 1月, 2025年1月, 2025-01, Jan, 一季度, Q1; 合计, 全年, 上半年.

A label is a period as the settings write it: ``2025-01``, ``2025Q1``; sums: ``2025H1``, ``2025``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from analysis.sources import texts

_NUMERALS = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9,
             "十": 10, "十一": 11, "十二": 12}  # fmt: skip
_ENGLISH = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL = ("january", "february", "march", "april", "may", "june", "july", "august", "september",
         "october", "november", "december")  # fmt: skip
_AIM = r"(?:份)?(?:销售)?(?:目标|计划|任务|指标|预算|target|budget|plan)?"
_TAIL = rf"\s*{_AIM}\s*(?:[(\[/](?:单位:?)?(?:元|千元|万元|百万元|亿元)[)\]]?)?"
_NUMBER = r"(?P<part>\d{1,2}|[一二三四五六七八九十]{1,2})"
_YEAR = r"(?:(?P<year>\d{4}|\d{2})\s*年\s*)?"
_MONTHS = (
    re.compile(rf"\A{_YEAR}{_NUMBER}\s*月{_TAIL}\Z"),
    re.compile(rf"\A(?P<year>\d{{4}})[-./](?P<part>\d{{1,2}}){_TAIL}\Z"),
    re.compile(r"\A(?P<year>\d{4})-(?P<part>\d{2})-01(?:\s00:00:00)?\Z"),
    re.compile(r"\A(?P<year>20\d{2})(?P<part>0[1-9]|1[0-2])\Z"),
    re.compile(rf"\A(?P<year>(?!))?m(?P<part>\d{{1,2}}){_TAIL}\Z"),
    re.compile(rf"\A(?P<part>[a-z]{{3,9}})\.?(?:[\s'-]+(?P<year>\d{{4}}|\d{{2}}))?{_TAIL}\Z"),
)
_QUARTERS = (
    re.compile(rf"\A{_YEAR}第?(?P<part>[1-4一二三四])\s*季度?{_TAIL}\Z"),
    re.compile(rf"\A(?:(?P<year>\d{{4}})[\s-]*)?q(?P<part>[1-4]){_TAIL}\Z"),
    re.compile(rf"\Aq(?P<part>[1-4])[\s'-]+(?P<year>\d{{4}}){_TAIL}\Z"),
)
_HALVES = (
    re.compile(rf"\A{_YEAR}(?P<part>[上下])半年{_TAIL}(?:合计|小计)?\Z"),
    re.compile(rf"\A(?:(?P<year>\d{{4}})[\s-]*)?h(?P<part>[12]){_TAIL}\Z"),
)
_YEARS = (
    r"(?:合计|总计|全年|年度|全年合计|年度合计|全年(?=\S)|年度(?=\S)|(?:grand\s*)?total|full\s*year|year"
    r"|annual)"
)
_WHOLE = (
    re.compile(rf"\A(?:fy\s*)?(?P<year>20\d{{2}})\s*年?\s*{_YEARS}?{_TAIL}\Z"),
    re.compile(rf"\A(?P<year>(?!))?{_YEARS}{_TAIL}\Z"),
)
_HALF = {"上": 1, "下": 2}


def parse(text: str, year: int) -> str | None:
    """The month or quarter that a header names: ``2025-01``, ``2025Q1``; None if it names none.

    Parameters
    ----------
    text
        The header.
    year
        The year of a month without one.
    """
    word = texts.header(text).lower()
    for pattern in _MONTHS:
        if (found := pattern.match(word)) and (month := _number(found["part"])):
            return f"{_year(found, year):04d}-{month:02d}"
    for pattern in _QUARTERS:
        if found := pattern.match(word):
            return f"{_year(found, year):04d}Q{_number(found['part'])}"
    return None


def sum_of(text: str, year: int) -> str | None:
    """The half year or year that a header sums up: ``2025H1``, ``2025``; None if it is no sum."""
    word = texts.header(text).lower()
    for pattern in _HALVES:
        if found := pattern.match(word):
            return f"{_year(found, year):04d}H{_HALF.get(found['part']) or found['part']}"
    whole = next((found for p in _WHOLE if (found := p.match(word))), None)
    return f"{_year(whole, year):04d}" if whole else None


def within(label: str, span: str) -> bool:
    """Whether a month or quarter lies in a quarter, half year or year."""
    if label == span or label[:4] != span[:4]:
        return False
    if len(span) == 4:  # a whole year
        return True
    month = int(label[5:]) if "-" in label else int(label[5:]) * 3
    length = 3 if "Q" in span else 6
    return (month - 1) // length + 1 == int(span[5:])


def covered(labels: Sequence[str], span: str) -> bool:
    """Whether months or quarters, each once, make up a quarter, half year or year."""
    months = 12 if len(span) == 4 else 3 if "Q" in span else 6
    return sum(1 if "-" in label else 3 for label in labels) == months


def _year(found: re.Match[str], default: int) -> int:
    number = int(found["year"] or default)
    return number + 2000 if 0 < number < 100 else number


def _number(word: str) -> int | None:
    if word.isdigit():
        return int(word) if 1 <= int(word) <= 12 else None
    if word in _NUMERALS:
        return _NUMERALS[word]
    for names in (_ENGLISH, _FULL):
        if word in names:
            return names.index(word) + 1
    return None
