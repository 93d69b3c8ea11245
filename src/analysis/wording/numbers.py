"""Numbers, money, dates and periods as each language writes them.

Every printed number of a report goes through `format_value`. Rounding is half to even on
the decimal digits of the value, so that the same value reads the same everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Literal

import pandas as pd
from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal

from analysis.calendars import Period
from analysis.wording.catalogue import Language, text

# Read once: finding a locale by its name takes longer than writing a number.
LOCALES: dict[Language, Locale] = {"zh": Locale.parse("zh_CN"), "en": Locale.parse("en_US")}
_DAYS: dict[Language, Locale] = {"zh": LOCALES["zh"], "en": Locale.parse("en_GB")}
MINUS = "\u2212"

Unit = Literal[
    "money",
    "share",
    "points",
    "relative",
    "ratio",
    "count",
    "days",
    "cycles",
    "number",
    "date",
]


@dataclass(frozen=True)
class Scale:
    """One unit of money for a whole page or column.

    Attributes
    ----------
    label
        ``万元``, ``RMB m``.
    divisor
        Currency units in one of it.
    decimals
        Places shown.
    """

    label: str
    divisor: float
    decimals: int


_CURRENCY_WORDS: dict[Language, dict[str, str]] = {
    "zh": {
        "CNY": "元",
        "GBP": "英镑",
        "USD": "美元",
        "EUR": "欧元",
        "JPY": "日元",
        "HKD": "港元",
    },
    "en": {
        "CNY": "RMB",
        "GBP": "GBP",
        "USD": "USD",
        "EUR": "EUR",
        "JPY": "JPY",
        "HKD": "HKD",
    },
}


def currency_word(currency: str, lang: Language) -> str:
    """How the language names a currency: 元, RMB."""
    return _CURRENCY_WORDS[lang].get(currency, currency)


def money_scale(
    values: Iterable[float],
    lang: Language,
    currency: str = "CNY",
    *,
    adds_up: bool = False,
) -> Scale:
    """The unit in which a set of amounts reads best.

    Parameters
    ----------
    values
        Amounts in plain currency units; the largest decides.
    adds_up
        Parts that must add to their total get one more place.
    """
    known = [abs(float(v)) for v in values if v is not None and not math.isnan(float(v))]
    largest = max(known, default=0.0)
    word = currency_word(currency, lang)
    extra = 1 if adds_up else 0
    if lang == "zh":
        if largest >= 100_000:
            return Scale(f"万{word}", 1e4, 0 if largest >= 1_000_000 else 1)
        return Scale(word, 1.0, 0 if largest >= 100 else 2)
    if largest >= 1_000_000:
        return Scale(f"{word} m", 1e6, 1 + extra)
    if largest >= 10_000:
        return Scale(f"{word} k", 1e3, 0 if largest >= 100_000 else 1)
    return Scale(word, 1.0, 0 if largest >= 100 else 2)


def format_value(
    value: Any,
    unit: str,
    lang: Language,
    *,
    currency: str = "CNY",
    signed: bool = False,
    scale: Scale | None = None,
    decimals: int | None = None,
) -> str:
    """A value as the language writes it, without its unit word.

    Parameters
    ----------
    value
        Number, date, or None/NaN, which is written as a dash.
    unit
        money (divided by `scale`), share, points and relative (as percent; points without a
        sign for percent), count, days, ratio, cycles, number, date.
    signed
        Write + for positive values: only for changes.
    decimals
        Overrides the unit's own places.

    Returns
    -------
    str
        ``12,860``, ``95.3%``, ``−2.0%``, ``2025-09-30``.
    """
    if unit == "date":
        return "–" if _missing(value) else format_day(value, lang)
    if _missing(value):
        return "–"
    number = float(value)
    suffix = ""
    if unit == "money":
        scale = scale or money_scale([number], lang, currency)
        number, places = number / scale.divisor, scale.decimals
    elif unit in ("share", "relative"):
        number, places, suffix = number * 100, 1, "%"
    elif unit == "points":
        number, places = number * 100, 1
    else:
        places = {"count": 0, "days": 0, "ratio": 1, "cycles": 1}.get(unit, 2)
    return _decimal(number, places if decimals is None else decimals, lang, signed) + suffix


def _missing(value: Any) -> bool:
    return value is None or bool(pd.isna(value))


def _decimal(number: float, places: int, lang: Language, signed: bool) -> str:
    # 12 digits after the point drop binary dust (0.285 * 100) before the rounding.
    exact = Decimal(repr(round(number, 12))).quantize(
        Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN
    )
    body = format_decimal(
        abs(exact),
        format="#,##0." + "0" * places if places else "#,##0",
        locale=LOCALES[lang],
    )
    if exact < 0:
        return MINUS + body
    return "+" + body if signed and exact > 0 else body


def _as_date(day: Any) -> date:
    if isinstance(day, datetime):
        return day.date()
    if isinstance(day, date):
        return day
    if isinstance(day, str):
        return date.fromisoformat(day[:10])
    stamp = day.item() if hasattr(day, "item") else day
    return stamp.date() if isinstance(stamp, datetime) else date.fromisoformat(str(day)[:10])


def format_day(day: Any, lang: Language, style: Literal["iso", "long", "short"] = "iso") -> str:
    """A day: ``2025-09-30``; long ``2025年9月30日``, ``30 September 2025``; short ``9月30日``."""
    known = _as_date(day)
    if style == "iso":
        return known.isoformat()
    if lang == "zh":
        return format_date(known, "y年M月d日" if style == "long" else "M月d日", locale=_DAYS["zh"])
    return format_date(known, "d MMMM y" if style == "long" else "d MMM", locale=_DAYS["en"])


_ORDINALS = ("一", "二", "三", "四")


def format_period(
    period: Period | str, lang: Language, style: Literal["long", "short"] = "long"
) -> str:
    """A period: ``2025年第三季度`` / ``Q3 2025``; short ``三季度`` / ``Q3``."""
    known = Period.parse(period) if isinstance(period, str) else period
    year = known.start.year
    if known.kind == "quarter":
        part = (known.start.month - 1) // 3
        if lang == "zh":
            return (
                f"{_ORDINALS[part]}季度" if style == "short" else f"{year}年第{_ORDINALS[part]}季度"
            )
        return f"Q{part + 1}" if style == "short" else f"Q{part + 1} {year}"
    if known.kind == "half":
        first = known.start.month == 1
        key = "first" if first else "second"
        word = text(f"calendar.half.{key}", lang)
        if lang == "zh":
            return word if style == "short" else f"{year}年{word}"
        return word if style == "short" else f"{word} {year}"
    if known.kind == "month":
        if lang == "zh":
            return (
                f"{known.start.month}月" if style == "short" else f"{year}年{known.start.month}月"
            )
        return format_date(known.start, "MMM" if style == "short" else "MMMM y", locale=_DAYS["en"])
    if known.kind == "week":
        iso = known.start.isocalendar()
        if lang == "zh":
            return f"第{iso.week}周" if style == "short" else f"{iso.year}年第{iso.week}周"
        return f"week {iso.week}" if style == "short" else f"week {iso.week} of {iso.year}"
    return f"{year}年" if lang == "zh" else str(year)
