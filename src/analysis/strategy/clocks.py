"""Clocks that run on working days: a promised call, an answer, a reason found."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta

from analysis.calendars import WorkingCalendar
from analysis.strategy.playbook import HOURS_A_DAY, Term

OPENS, CLOSES = time(9), time(18)


def clock_due(
    start: date | datetime,
    term: Term,
    calendar: WorkingCalendar,
    *,
    opens: time = OPENS,
    closes: time = CLOSES,
) -> date | datetime:
    """Until when something must be done.

    Parameters
    ----------
    start
        When the clock starts: a day, or a moment (in the company's own time).
    term
        Hours or days.
    calendar
        Working days, make-up working days included.
    opens, closes
        Hours of business on a working day.

    Returns
    -------
    date or datetime
        Of a day, a day: the clock starts on it, or on the first working day after it, and its
        working days are counted from there; hours are days of 24, begun ones counted whole.
        Of a moment, a moment within the hours of business: every 24 hours of the term are one
        working day (48 h: the same time of day two working days later), the hours left run
        while business is open. What comes in outside of it comes in when it opens next.

    Raises
    ------
    ValueError
        If the term is no time, or business closes before it opens.

    Notes
    -----
    Requirement D4: promised times are counted on a working calendar.
    """
    if term.unit not in ("hours", "days"):
        raise ValueError(term.unit)
    if closes <= opens:
        raise ValueError("closes")
    hours = term.value * (HOURS_A_DAY if term.unit == "days" else 1)
    if not isinstance(start, datetime):
        return calendar.add_working_days(start, math.ceil(hours / HOURS_A_DAY))
    days, left = divmod(hours, HOURS_A_DAY)
    moment = _open(start, calendar, opens, closes)
    moment = datetime.combine(calendar.add_working_days(moment.date(), int(days)), moment.timetz())
    span = timedelta(hours=left)
    while (room := _at(moment, closes) - moment) < span:
        span -= room
        moment = _at(_next(moment, calendar), opens)
    return moment + span


def _open(moment: datetime, calendar: WorkingCalendar, opens: time, closes: time) -> datetime:
    """The moment itself while business is open, else the next opening."""
    day = calendar.next_working(moment.date())
    if day > moment.date() or moment.timetz().replace(tzinfo=None) < opens:
        return _at(moment.replace(year=day.year, month=day.month, day=day.day), opens)
    if moment.timetz().replace(tzinfo=None) >= closes:
        return _at(_next(moment, calendar), opens)
    return moment


def _next(moment: datetime, calendar: WorkingCalendar) -> datetime:
    day = calendar.next_working(moment.date() + timedelta(days=1))
    return moment.replace(year=day.year, month=day.month, day=day.day)


def _at(moment: datetime, hour: time) -> datetime:
    return datetime.combine(moment.date(), hour, moment.tzinfo)
