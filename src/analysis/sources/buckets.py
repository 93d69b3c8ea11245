"""Age buckets as receivables exports head them, and the keys they stand for.

The boundaries are each company's own, so headers are parsed and not listed. A key is the span of
days overdue: ``1-30``, ``361+``; ``not_due`` (with a span, if the file tells them apart:
``not_due_31+``) and ``due_today``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from analysis.sources import texts
from analysis.sources.stated import stated

NOT_DUE, DUE_TODAY = "not_due", "due_today"

_NOT_DUE = (
    r"未到期|未逾期|未超期|账期内|信用期内|正常|not\s*(?:yet\s*)?(?:over)?due|within\s*terms"
    r"|current"
)
_TODAY = r"(?:今日|今天|当日|当天)到期|due\s*today"
_OVERDUE = r"已到期|已逾期|逾期|已超期|超期|账期外|past\s*due|overdue"
_STATES = re.compile(rf"\A(?:(?P<today>{_TODAY})|(?P<not>{_NOT_DUE})|(?P<over>{_OVERDUE}))")
_REMARK = re.compile(
    rf"\((?:含[^()]*|(?P<today>{_TODAY})|(?P<not>{_NOT_DUE})|(?P<over>{_OVERDUE}))\)"
)
_BEHIND = re.compile(rf"(?P<over>{_OVERDUE})\Z")
_NUMERALS = str.maketrans("一二两三四五六七八九", "1223456789")
_PREFIXES = (f"{NOT_DUE}_",)
_ENDLESS = 10**9
_DAYS = {"天": 1, "日": 1, "day": 1, "个月": 30, "月": 30, "month": 30, "年": 365, "year": 365}
_UNIT = r"(?:\s*(?P<unit>天|日|days?|个月|月|months?|年|years?))?"
_FIRST = _UNIT.replace("unit", "first")
_SPAN = re.compile(rf"(?P<a>\d{{1,4}}){_FIRST}\s*(?:[-–—−~至到]|to)\s*(?P<b>\d{{1,4}}){_UNIT}")
_UP_TO = re.compile(
    rf"(?:(?P<sign><=|≤|<|within\s*|up\s*to\s*|不超过)\s*(?P<b>\d{{1,4}}){_UNIT}"
    rf"|(?P<n>\d{{1,4}}){_FIRST}\s*(?:之内|以内|以下|内))"
)
_FROM = re.compile(
    rf"(?:(?P<sign>>=|≥|>|over\s*|超过|大于)\s*(?P<a>\d{{1,4}}){_UNIT}"
    rf"|(?P<n>\d{{1,4}}){_FIRST}\s*(?:以上|之上|\+|及以上))"
)


@dataclass(frozen=True)
class Bucket:
    """An age bucket.

    Attributes
    ----------
    key
        Its canonical name.
    stated
        Whether the words themselves say if the money is due; a bare ``1-30`` does not.
    """

    key: str
    stated: bool

    @property
    def overdue(self) -> bool:
        """Whether the day on which the money was due has passed."""
        return not self.key.startswith((NOT_DUE, DUE_TODAY))


def parse(text: str) -> Bucket | None:
    """The bucket that a header names; None if it names none.

    ``360以上`` begins the day after 360 and ``361以上`` on day 361: a boundary that ends in 1 or
    6 is taken as the first day, any other as the last day of the bucket before.
    """
    word = stated(texts.header(text)).base.lower().replace(" ", "").replace("半年", "6个月")
    if word in (NOT_DUE, DUE_TODAY):
        return Bucket(word, True)
    if word.startswith(f"{NOT_DUE}_"):
        span = _span(word.removeprefix(f"{NOT_DUE}_"))
        return Bucket(word, True) if span else None
    state = _STATES.match(word)
    rest = word[state.end() :] if state else word
    remark = _REMARK.search(rest)
    rest = _REMARK.sub("", rest)
    if state is None and (behind := _BEHIND.search(rest)):
        state, rest = behind, rest[: behind.start()]
    said = _said(state) or _said(remark)
    rest = rest.removeprefix("账龄").translate(_NUMERALS).strip("()[]:_")
    if said == "today":
        return Bucket(DUE_TODAY, True) if not rest else None
    span = _span(rest)
    if said == "not":
        if span is None:
            return Bucket(NOT_DUE, True) if rest in ("", "金额", "余额") else None
        return Bucket(f"{NOT_DUE}_{span}", True)
    if span is not None:
        return Bucket(span, said is not None)
    return Bucket("1+", True) if said and rest in ("", "金额") else None


def _said(found: re.Match[str] | None) -> str | None:
    """What words say of the money: today, not (due) or over(due)."""
    said = found.groupdict() if found else {}
    return next((name for name, word in said.items() if word), None)


@dataclass(frozen=True)
class Coverage:
    """How the spans of a file's buckets lie beside one another.

    Attributes
    ----------
    sums
        Keys of buckets that other buckets make up together: 逾期金额 beside 1-30, 31-60 …
    gaps
        Days between two buckets that none covers, as ``31-60``.
    shared
        Pairs of buckets that share the one day between them: 1-30, 30-60.
    overlaps
        Pairs of buckets that share more: their money would count twice.
    """

    sums: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    shared: tuple[tuple[str, str], ...] = ()
    overlaps: tuple[tuple[str, str], ...] = ()


def coverage(keys: Sequence[str]) -> Coverage:
    """What lies between the buckets of one file, and what counts twice.

    Parameters
    ----------
    keys
        Their canonical names, each once.
    """
    parts = [_coverage([k for k in keys if k.startswith(state)], state) for state in _PREFIXES]
    parts.append(_coverage([k for k in keys if not k.startswith((NOT_DUE, DUE_TODAY))], ""))
    return Coverage(
        tuple(s for p in parts for s in p.sums),
        tuple(g for p in parts for g in p.gaps),
        tuple(s for p in parts for s in p.shared),
        tuple(o for p in parts for o in p.overlaps),
    )


def _coverage(keys: Sequence[str], prefix: str) -> Coverage:
    spans = {key: days for key in keys if (days := _days_of(key.removeprefix(prefix)))}
    sums = [key for key in spans if _made_up(key, spans)]
    left = sorted((days, key) for key, days in spans.items() if key not in sums)
    gaps, shared, overlaps = [], [], []
    for ((_, end), before), ((start, _), after) in pairwise(left):
        if start > end + 1:
            gaps.append(f"{prefix}{end + 1}-{start - 1}")
        elif start == end:
            shared.append((before, after))
        elif start < end:
            overlaps.append((before, after))
    return Coverage(tuple(sums), tuple(gaps), tuple(shared), tuple(overlaps))


def _made_up(key: str, spans: Mapping[str, tuple[int, int]]) -> bool:
    """Whether several other buckets cover exactly the days of this one."""
    first, last = spans[key]
    inside = sorted(d for k, d in spans.items() if k != key and first <= d[0] and d[1] <= last)
    joined = all(b[0] in (a[1], a[1] + 1) for a, b in pairwise(inside))
    return len(inside) > 1 and joined and inside[0][0] == first and inside[-1][1] == last


def _days_of(span: str) -> tuple[int, int] | None:
    found = re.match(r"\A(\d+)(?:-(\d+)|\+)\Z", span)
    return (int(found[1]), int(found[2] or _ENDLESS)) if found else None


def first_day(key: str) -> int:
    """The fewest days overdue in a bucket; 0 where nothing is overdue or the key is unknown."""
    found = re.match(r"\A(\d+)(?:-\d+|\+)\Z", key)
    return int(found[1]) if found else 0


def known_overdue(found: Sequence[Bucket]) -> bool:
    """Whether a file's buckets tell overdue money from money not yet due.

    A file that has ``1-30`` and no bucket for money not due may count from the invoice's day.
    """
    return any(not b.overdue for b in found) or all(b.stated for b in found)


def _span(text: str) -> str | None:
    if found := _SPAN.fullmatch(text):
        unit = _days(found["unit"])
        first = _days(found["first"]) if found["first"] else unit
        low, high = int(found["a"]), int(found["b"])
        start = low * first + 1 if first > 1 else low
        return f"{start}-{high * unit}" if start <= high * unit else None
    if found := _UP_TO.fullmatch(text):
        number = int(found["b"] or found["n"]) * _days(found["unit"] or found["first"])
        last = number - 1 if found["sign"] == "<" else number
        return f"1-{last}" if last > 0 else None
    if found := _FROM.fullmatch(text):
        whole = int(found["a"] or found["n"])
        unit = _days(found["unit"] or found["first"])
        inclusive = found["sign"] in (">=", "≥") or (
            found["sign"] is None and unit == 1 and whole % 5 == 1
        )
        return f"{whole * unit + (not inclusive)}+"
    return None


def _days(unit: str | None) -> int:
    return _DAYS[unit.rstrip("s")] if unit else 1
