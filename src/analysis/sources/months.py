"""Month headers of a wide table: 1月, 2025年1月, 2025-01, Jan."""

from __future__ import annotations

import re

from analysis.sources import texts

_NUMERALS = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9,
             "十": 10, "十一": 11, "十二": 12}  # fmt: skip
_ENGLISH = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL = ("january", "february", "march", "april", "may", "june", "july", "august", "september",
         "october", "november", "december")  # fmt: skip
_TAIL = r"(?:份)?(?:目标|计划|任务|指标)?\s*(?:[(\[](?:单位:?)?(?:元|千元|万元|百万元|亿元)[)\]])?"
_NUMBER = r"(?P<month>\d{1,2}|[一二三四五六七八九十]{1,2})"
_NUMBERED = re.compile(rf"\A(?:(?P<year>\d{{4}})\s*年\s*)?{_NUMBER}\s*月{_TAIL}\Z")
_ISO = re.compile(rf"\A(?P<year>\d{{4}})[-./](?P<month>\d{{1,2}}){_TAIL}\Z")
_WORDED = re.compile(r"\A(?P<month>[a-z]{3,9})\.?(?:[\s-]+(?P<year>\d{4}))?\Z")


def parse(text: str, year: int) -> str | None:
    """The month that a header names, as YYYY-MM; None if it names none.

    Parameters
    ----------
    text
        The header.
    year
        The year of a month without one.
    """
    word = texts.header(text).lower()
    found = _NUMBERED.match(word) or _ISO.match(word) or _WORDED.match(word)
    if found is None:
        return None
    month = _number(found["month"])
    if month is None:
        return None
    return f"{int(found['year'] or year):04d}-{month:02d}"


def _number(word: str) -> int | None:
    if word.isdigit():
        return int(word) if 1 <= int(word) <= 12 else None
    if word in _NUMERALS:
        return _NUMERALS[word]
    for names in (_ENGLISH, _FULL):
        if word in names:
            return names.index(word) + 1
    return None
