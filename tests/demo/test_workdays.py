"""Working days of the made-up company."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analysis.calendars import WorkingCalendar
from analysis.demo.kinds import HORIZON, LAST, START, chapters
from analysis.demo.workdays import CLOSED, holidays, workdays, workdays_before

DAYS = np.arange(-300, LAST + 300)


def date_of(number):
    return START + timedelta(days=int(number))


def test_nothing_happens_on_weekends_and_holidays():
    closed = holidays()
    for found in (workdays(DAYS), workdays_before(DAYS)):
        for number in np.unique(found).tolist():
            when = date_of(number)
            assert when.weekday() <= 4
            assert when not in closed


def test_what_has_a_working_day_keeps_it():
    for found in (workdays(DAYS), workdays_before(DAYS)):
        assert (workdays(found) == found).all()
    assert (workdays_before(DAYS) <= DAYS).all()


def test_no_chapter_is_left():
    for chapter in chapters(HORIZON)[1:]:
        inside = workdays(np.arange(chapter.first, chapter.last + 1))
        assert chapter.first <= inside.min()
        assert inside.max() <= chapter.last


def test_holidays_are_those_of_the_state_council():
    """What the library of calendars knows of these years; it may not know the last one yet."""
    calendar = WorkingCalendar("CN")
    weekdays = [d for d in holidays() if d.weekday() <= 4 and d.year < HORIZON.year]
    assert len(weekdays) > 50
    assert [d for d in weekdays if calendar.is_working(d)] == []
    assert all(first <= last for first, last in CLOSED)


@given(st.integers(-5000, 8000))
def test_one_day_is_as_many(number):
    assert workdays(np.array([number]))[0] == workdays(np.array([number, 3]))[0]
    assert abs(workdays(np.array([number]))[0] - number) <= 11
