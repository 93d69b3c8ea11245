"""Whether the data reaches the period at all."""

from __future__ import annotations

from datetime import date, timedelta

from analysis import engine
from analysis.calendars import Period, WorkingCalendar
from analysis.engine import Rows
from analysis.errors import Problem, ScopeError

_DAYS = "SELECT min(ordered_at) AS min, max(ordered_at) AS max FROM orders"


def require_orders(orders: Rows, period: Period, as_of: date, holidays: str = "CN") -> None:
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
    (days,) = engine.query(_DAYS, orders=orders).to_pylist()
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
