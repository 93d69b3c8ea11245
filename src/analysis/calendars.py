"""Periods and working days."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Literal

import holidays

Kind = Literal["year", "half", "quarter", "month", "week"]

_FORMS: dict[Kind, re.Pattern[str]] = {
    "year": re.compile(r"\A(\d{4})\Z", re.ASCII),
    "half": re.compile(r"\A(\d{4})H([12])\Z", re.ASCII),
    "quarter": re.compile(r"\A(\d{4})Q([1-4])\Z", re.ASCII),
    "month": re.compile(r"\A(\d{4})-(0[1-9]|1[0-2])\Z", re.ASCII),
    "week": re.compile(r"\A(\d{4})-W(0[1-9]|[1-4]\d|5[0-3])\Z", re.ASCII),
}
_MONTHS: dict[Kind, int] = {"year": 12, "half": 6, "quarter": 3, "month": 1}


@dataclass(frozen=True, order=True)
class Period:
    """A year, half-year, quarter, month or ISO week.

    Attributes
    ----------
    start, end
        First and last day, both inside.
    """

    start: date
    end: date
    name: str
    kind: Kind

    @classmethod
    def parse(cls, name: str) -> Period:
        """Read ``2025``, ``2025H1``, ``2025Q3``, ``2025-09`` or ``2025-W36``.

        Raises
        ------
        ValueError
            If the name has another form, or the year has no such week.
        """
        for kind, form in _FORMS.items():
            found = form.match(name)
            if found is None:
                continue
            year = int(found[1])
            if year < 1:
                break
            if kind == "week":
                start = date.fromisocalendar(year, int(found[2]), 1)
                return cls(start, start + timedelta(days=6), name, kind)
            months = _MONTHS[kind]
            part = int(found[2]) if len(found.groups()) > 1 else 1
            return cls._months(year, (part - 1) * months + 1, kind)
        raise ValueError(f"not a period: {name!r}")

    @classmethod
    def _months(cls, year: int, month: int, kind: Kind) -> Period:
        months = _MONTHS[kind]
        last = month + months - 1
        part = (month - 1) // months + 1
        name = {
            "year": f"{year:04d}",
            "half": f"{year:04d}H{part}",
            "quarter": f"{year:04d}Q{part}",
            "month": f"{year:04d}-{month:02d}",
        }[kind]
        return cls(
            date(year, month, 1),
            date(year, last, monthrange(year, last)[1]),
            name,
            kind,
        )

    def back(self, count: int) -> Period:
        """The period `count` periods earlier (negative: later)."""
        if self.kind == "week":
            start = self.start - timedelta(weeks=count)
            year, week, _ = start.isocalendar()
            return Period.parse(f"{year:04d}-W{week:02d}")
        months = self.start.year * 12 + self.start.month - 1 - count * _MONTHS[self.kind]
        return self._months(months // 12, months % 12 + 1, self.kind)

    def previous(self) -> Period:
        """The period before."""
        return self.back(1)

    def next(self) -> Period:
        """The period after."""
        return self.back(-1)

    def year_ago(self) -> Period:
        """The same period a year earlier (52 weeks for a week)."""
        return self.back(52 if self.kind == "week" else 12 // _MONTHS[self.kind])

    def year(self) -> Period:
        """The year whose number the period carries."""
        return Period.parse(self.name[:4])

    def parts(self) -> list[list[Period]]:
        """The halves, the quarters and the months it is made of, as far as they are shorter."""
        found = []
        own = _MONTHS.get(self.kind, 0)
        for kind in (k for k, months in _MONTHS.items() if months < own):
            part = self._months(self.start.year, self.start.month, kind)
            found.append([part.back(-i) for i in range(own // _MONTHS[kind])])
        return found

    @property
    def days(self) -> int:
        """Days in the period."""
        return (self.end - self.start).days + 1


@lru_cache(maxsize=8)
def _country(code: str) -> Any:
    return holidays.country_holidays(code)


def spring_festival(year: int, country: str) -> date | None:
    """First day of the lunar year; None where the country does not keep it as Spring Festival."""
    if country != "CN":
        return None
    days = holidays.country_holidays(country, years=year, language="en_US")
    return min(days.get_named("Spring Festival", lookup="icontains"), default=None)


@dataclass(frozen=True)
class WorkingCalendar:
    """Working days of a country, make-up working days included.

    Parameters
    ----------
    country
        ISO code, e.g. ``CN``. Days come from the `holidays` library, which carries the State
        Council's yearly notices with their make-up working days. Beyond the last notice only
        the fixed holidays and weekends are known.
    """

    country: str = "CN"

    def is_working(self, day: date) -> bool:
        """Whether `day` is a working day."""
        return bool(_country(self.country).is_working_day(day))

    def working_days(self, period: Period) -> int:
        """Number of working days of a period."""
        return sum(self.is_working(period.start + timedelta(days=n)) for n in range(period.days))

    def next_working(self, day: date) -> date:
        """`day`, or the first working day after it."""
        while not self.is_working(day):
            day += timedelta(days=1)
        return day

    def last_working_on_or_before(self, day: date) -> date:
        """`day`, or the last working day before it."""
        while not self.is_working(day):
            day -= timedelta(days=1)
        return day

    def nth_last_working(self, day: date, count: int) -> date:
        """The first of the last `count` working days up to `day` (1: the last one)."""
        day = self.last_working_on_or_before(day)
        for _ in range(count - 1):
            day = self.last_working_on_or_before(day - timedelta(days=1))
        return day

    def add_working_days(self, day: date, count: int) -> date:
        """The working day `count` working days after `day` (0: the next working day)."""
        day = self.next_working(day)
        for _ in range(count):
            day = self.next_working(day + timedelta(days=1))
        return day
