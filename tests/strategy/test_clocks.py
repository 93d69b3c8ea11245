"""Promised times on the Chinese working calendar, make-up working days right."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.calendars import WorkingCalendar
from analysis.strategy import clock_due
from analysis.strategy.playbook import Term

CN = WorkingCalendar("CN")
TWO_DAYS, TWO_HOURS = Term(value=48, unit="hours"), Term(value=2, unit="hours")
WEEK = Term(value=7, unit="days")


def at(day: str, hour: str = "10:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{hour}")


@pytest.mark.requirement("000-22", "001-22")
@pytest.mark.parametrize(
    ("start", "term", "due"),
    [
        # an ordinary week; over a weekend
        (at("2025-07-01"), TWO_DAYS, at("2025-07-03")),
        (at("2025-07-04", "16:30"), TWO_DAYS, at("2025-07-08", "16:30")),
        # Sunday 28 September 2025 is worked, Golden Week is 1 to 8 October, Saturday 11 is worked
        (at("2025-09-26"), TWO_DAYS, at("2025-09-29")),
        (at("2025-09-28"), TWO_DAYS, at("2025-09-30")),
        (at("2025-09-29"), TWO_DAYS, at("2025-10-09")),
        (at("2025-09-30"), TWO_DAYS, at("2025-10-10")),
        (at("2025-10-09"), TWO_DAYS, at("2025-10-11")),
        (at("2025-10-03"), TWO_DAYS, at("2025-10-11", "09:00")),  # comes in when work begins again
        # Spring Festival 2025: 28 January to 4 February; Sunday 26 January and 8 February worked
        (at("2025-01-26"), TWO_DAYS, at("2025-02-05")),
        (at("2025-02-06"), TWO_DAYS, at("2025-02-08")),
        # two hours of business: over noon, over the evening, from the night, over the holiday
        (at("2025-07-01"), TWO_HOURS, at("2025-07-01", "12:00")),
        (at("2025-07-01", "17:00"), TWO_HOURS, at("2025-07-02", "10:00")),
        (at("2025-07-01", "16:00"), TWO_HOURS, at("2025-07-01", "18:00")),
        (at("2025-07-01", "18:00"), TWO_HOURS, at("2025-07-02", "11:00")),
        (at("2025-07-01", "03:00"), TWO_HOURS, at("2025-07-01", "11:00")),
        (at("2025-09-30", "17:30"), TWO_HOURS, at("2025-10-09", "10:30")),
        (at("2025-07-05"), TWO_HOURS, at("2025-07-07", "11:00")),  # a Saturday
        # days
        (at("2025-09-26"), WEEK, at("2025-10-13")),
        (date(2025, 9, 26), WEEK, date(2025, 10, 13)),
        (date(2025, 9, 26), TWO_DAYS, date(2025, 9, 29)),
        (date(2025, 10, 3), TWO_DAYS, date(2025, 10, 11)),
        (date(2025, 7, 1), TWO_HOURS, date(2025, 7, 2)),  # begun days count whole
    ],
)
def test_when_it_must_be_done(start, term, due) -> None:
    assert clock_due(start, term, CN) == due


def test_hours_of_business_are_the_firms_own() -> None:
    late = clock_due(at("2025-07-01", "17:00"), TWO_HOURS, CN, closes=time(21))
    assert late == at("2025-07-01", "19:00")
    long = clock_due(at("2025-07-01"), Term(value=20, unit="hours"), CN)
    assert long == at("2025-07-03", "12:00")  # 8 hours, 9 hours, 3 hours


def test_a_moment_keeps_its_zone() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    due = clock_due(at("2025-09-30", "17:30").replace(tzinfo=zone), TWO_HOURS, CN)
    assert due == at("2025-10-09", "10:30").replace(tzinfo=zone)
    assert due.tzinfo is zone
    assert due.utcoffset() == timezone(timedelta(hours=8)).utcoffset(None)


@pytest.mark.parametrize("term", [Term(value=0.2, unit="share"), Term(value=5, unit="money")])
def test_only_time_runs(term) -> None:
    with pytest.raises(ValueError, match=term.unit):
        clock_due(date(2025, 7, 1), term, CN)


def test_business_must_be_open() -> None:
    with pytest.raises(ValueError, match="closes"):
        clock_due(at("2025-07-01"), TWO_HOURS, CN, opens=time(18), closes=time(9))


@given(
    start=st.datetimes(datetime(2024, 1, 1), datetime(2025, 11, 30)),
    hours=st.integers(0, 200),
    more=st.integers(0, 50),
)
def test_due_in_business_and_never_earlier_for_more(start, hours, more) -> None:
    due = clock_due(start, Term(value=hours, unit="hours"), CN)
    assert isinstance(due, datetime)
    assert CN.is_working(due.date())
    assert time(9) <= due.time() <= time(18)
    assert due >= start
    later = clock_due(start, Term(value=hours + 24 * more, unit="hours"), CN)
    assert isinstance(later, datetime)
    assert later >= due
