"""Numbers, money and dates as each language writes them."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from analysis.wording.numbers import format_day, format_period, format_value, money_scale


@pytest.mark.parametrize(
    ("value", "unit", "options", "zh", "en"),
    [
        (0.953, "share", {}, "95.3%", "95.3%"),
        (-0.02, "relative", {"signed": True}, "−2.0%", "−2.0%"),
        (0.021, "points", {"signed": True}, "+2.1", "+2.1"),
        (1862, "count", {}, "1,862", "1,862"),
        (0, "count", {"signed": True}, "0", "0"),
        (41.4, "days", {}, "41", "41"),
        (1.84, "ratio", {}, "1.8", "1.8"),
        (None, "count", {}, "–", "–"),
        (float("nan"), "share", {}, "–", "–"),
        (pd.NaT, "date", {}, "–", "–"),
        (date(2025, 9, 30), "date", {}, "2025-09-30", "2025-09-30"),
        (0.285, "share", {"decimals": 0}, "28%", "28%"),
    ],
)
def test_values(value: object, unit: str, options: dict[str, object], zh: str, en: str) -> None:
    assert format_value(value, unit, "zh", **options) == zh
    assert format_value(value, unit, "en", **options) == en


@pytest.mark.parametrize(
    ("largest", "zh", "en"),
    [
        (128_600_000, ("万元", "12,860"), ("RMB m", "128.6")),
        (523_000, ("万元", "52.3"), ("RMB k", "523")),
        (52_300, ("元", "52,300"), ("RMB k", "52.3")),
        (999, ("元", "999"), ("RMB", "999")),
        (12.5, ("元", "12.50"), ("RMB", "12.50")),
    ],
)
def test_money_reads_in_one_unit(largest: float, zh: tuple[str, str], en: tuple[str, str]) -> None:
    for lang, expected in (("zh", zh), ("en", en)):
        scale = money_scale([largest, None, float("nan")], lang)
        assert (scale.label, format_value(largest, "money", lang, scale=scale)) == expected


def test_other_currencies_are_named() -> None:
    assert money_scale([5e6], "zh", "GBP").label == "万英镑"
    assert money_scale([5e6], "en", "SEK").label == "SEK m"


def test_days_and_periods() -> None:
    assert format_day("2025-10-15", "zh", "short") == "10月15日"
    assert format_day("2025-10-15", "en", "short") == "15 Oct"
    assert format_day(pd.Timestamp("2025-10-15"), "en", "long") == "15 October 2025"
    assert format_period("2025Q3", "zh") == "2025年第三季度"
    assert format_period("2025Q3", "zh", "short") == "三季度"
    assert format_period("2025Q3", "en") == "Q3 2025"
    assert format_period("2025H2", "en") == "second half 2025"
    assert format_period("2025-09", "zh") == "2025年9月"
    assert format_period("2025-W36", "en") == "week 36 of 2025"
    assert format_period("2025", "zh") == "2025年"
