"""Periods and working days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.calendars import Period, WorkingCalendar

NAMES = ["2025", "2025H1", "2025Q3", "2025-09", "2025-W36"]


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("2025", date(2025, 1, 1), date(2025, 12, 31)),
        ("2025H2", date(2025, 7, 1), date(2025, 12, 31)),
        ("2025Q3", date(2025, 7, 1), date(2025, 9, 30)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2025-W01", date(2024, 12, 30), date(2025, 1, 5)),
    ],
)
def test_parse(name: str, start: date, end: date) -> None:
    period = Period.parse(name)
    assert (period.start, period.end, period.name) == (start, end, name)


@pytest.mark.parametrize(
    "name",
    ["2025Q5", "2025H3", "2025-13", "2025-W54", "25Q1", "２０２５Q1", "2025Q1\n", "", "2025-W53"],
)
def test_parse_refuses(name: str) -> None:
    with pytest.raises(ValueError):
        Period.parse(name)


@given(st.sampled_from(NAMES), st.integers(-60, 60))
def test_back_and_forth(name: str, count: int) -> None:
    period = Period.parse(name)
    assert period.back(count).back(-count) == period


@given(st.sampled_from(NAMES))
def test_periods_join_without_gap(name: str) -> None:
    period = Period.parse(name)
    assert period.previous().end + timedelta(days=1) == period.start
    assert period.next().start - timedelta(days=1) == period.end


def test_quarters_make_a_year() -> None:
    assert sum(Period.parse(f"2025Q{n}").days for n in range(1, 5)) == Period.parse("2025").days


def test_year_ago() -> None:
    assert Period.parse("2025Q3").year_ago().name == "2024Q3"
    assert Period.parse("2025-09").year_ago().name == "2024-09"


@pytest.mark.requirement("000-22")
def test_chinese_calendar_knows_holidays_and_make_up_days() -> None:
    calendar = WorkingCalendar("CN")
    assert not calendar.is_working(date(2025, 10, 1))
    assert not calendar.is_working(date(2025, 10, 8))
    assert calendar.is_working(date(2025, 10, 11))  # a Saturday, made up for the holiday
    assert calendar.next_working(date(2025, 10, 1)) == date(2025, 10, 9)
    # 48 hours from the last day before the holiday: the 9th and the 10th
    assert calendar.add_working_days(date(2025, 9, 30), 2) == date(2025, 10, 10)
    assert calendar.last_working_on_or_before(date(2025, 10, 5)) == date(2025, 9, 30)
