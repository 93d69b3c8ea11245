"""Whether the data reaches the period at all."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from analysis.calendars import Period, WorkingCalendar
from analysis.errors import Problem, ScopeError


def require_orders(orders: pa.Table, period: Period, as_of: date, holidays: str = "CN") -> None:
    """Refuse a period without a single order: it is last quarter's export, not a quarter of zero.

    Parameters
    ----------
    orders
        RECORD ``orders``, cleaned; an empty table (no orders were given) passes.
    holidays
        Country of the working calendar: a week without a working day passes as well.

    Raises
    ------
    ScopeError
        If no order lies between the period's first day and `as_of`.
    """
    if not orders.num_rows:
        return
    days = pc.min_max(orders["ordered_at"]).as_py()
    if days["max"].date() >= period.start:
        return  # later ones than as_of are not in the table
    if period.kind == "week" and _holiday(period, holidays):
        return  # a week of Spring Festival may well bring none
    args = {
        "start": period.start.isoformat(),
        "end": as_of.isoformat(),
        "first": days["min"].date().isoformat(),
        "last": days["max"].date().isoformat(),
    }
    raise ScopeError(Problem("scope.no_orders_in_period", args))


def _holiday(week: Period, country: str) -> bool:
    days = (week.start + timedelta(days=n) for n in range(week.days))
    return not any(map(WorkingCalendar(country).is_working, days))
