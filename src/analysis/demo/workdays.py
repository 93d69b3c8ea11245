"""Days on which the firm and its customers work: neither weekends nor public holidays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np

from analysis.demo.kinds import HORIZON, START

# first and last day of each closure by the notices of the State Council
CLOSED: tuple[tuple[date, date], ...] = (
    (date(2022, 10, 1), date(2022, 10, 7)),
    (date(2022, 12, 31), date(2023, 1, 2)),
    (date(2023, 1, 21), date(2023, 1, 27)),
    (date(2023, 4, 5), date(2023, 4, 5)),
    (date(2023, 4, 29), date(2023, 5, 3)),
    (date(2023, 6, 22), date(2023, 6, 24)),
    (date(2023, 9, 29), date(2023, 10, 6)),
    (date(2023, 12, 30), date(2024, 1, 1)),
    (date(2024, 2, 10), date(2024, 2, 17)),
    (date(2024, 4, 4), date(2024, 4, 6)),
    (date(2024, 5, 1), date(2024, 5, 5)),
    (date(2024, 6, 8), date(2024, 6, 10)),
    (date(2024, 9, 15), date(2024, 9, 17)),
    (date(2024, 10, 1), date(2024, 10, 7)),
    (date(2025, 1, 1), date(2025, 1, 1)),
    (date(2025, 1, 28), date(2025, 2, 4)),
    (date(2025, 4, 4), date(2025, 4, 6)),
    (date(2025, 5, 1), date(2025, 5, 5)),
    (date(2025, 5, 31), date(2025, 6, 2)),
    (date(2025, 10, 1), date(2025, 10, 8)),
    (date(2026, 1, 1), date(2026, 1, 3)),
    (date(2026, 2, 15), date(2026, 2, 23)),
    (date(2026, 4, 4), date(2026, 4, 6)),
    (date(2026, 5, 1), date(2026, 5, 5)),
    (date(2026, 6, 19), date(2026, 6, 21)),
    (date(2026, 9, 25), date(2026, 9, 27)),
    (date(2026, 10, 1), date(2026, 10, 7)),
)
_FIRST, _LAST = START - timedelta(days=400), HORIZON + timedelta(days=800)


def holidays() -> frozenset[date]:
    """Every public holiday of the history."""
    return frozenset(
        first + timedelta(days=n) for first, last in CLOSED for n in range((last - first).days + 1)
    )


def workdays(days: np.ndarray) -> np.ndarray:
    """Day numbers of the working days to which days belong: lorries leave on working days.

    Saturdays and Sundays become the Friday before; what falls into a public holiday waits until
    the holiday is over, or is done before it where the quarter would be over.
    """
    return _looked_up(days, _NEAR)


def workdays_before(days: np.ndarray) -> np.ndarray:
    """Day numbers of the last working days on or before these."""
    return _looked_up(days, _BEFORE)


def _looked_up(days: np.ndarray, table: np.ndarray) -> np.ndarray:
    """What the table says; beyond it, holidays are not known and weekends are all there is."""
    whole = np.asarray(days).astype(np.int64)
    place = whole + (START - _FIRST).days
    inside = (place >= 0) & (place < len(table))
    friday = whole - np.clip((whole + START.weekday()) % 7 - 4, 0, None)
    return np.asarray(np.where(inside, table[np.where(inside, place, 0)], friday))


def _works(when: date, closed: frozenset[date]) -> bool:
    return when.weekday() <= 4 and when not in closed


def _before(when: date, closed: frozenset[date]) -> date:
    while not _works(when, closed):
        when -= timedelta(days=1)
    return when


def _near(when: date, closed: frozenset[date]) -> date:
    """The working day to which a day's business belongs."""
    friday = when - timedelta(days=max(when.weekday() - 4, 0))
    day = when if when in closed else friday
    if day not in closed:
        return day
    later = day
    while not _works(later, closed):
        later += timedelta(days=1)
    return later if _quarter(later) == _quarter(day) else _before(day, closed)


def _quarter(when: date) -> tuple[int, int]:
    return when.year, (when.month - 1) // 3


def _table(found: Callable[[date, frozenset[date]], date]) -> np.ndarray:
    closed = holidays()
    every = (_FIRST + timedelta(days=n) for n in range((_LAST - _FIRST).days + 1))
    return np.array([(found(when, closed) - START).days for when in every])


_NEAR, _BEFORE = _table(_near), _table(_before)
