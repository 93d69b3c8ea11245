"""What a week was to bring, what it brought, and where the gap comes from.

A quarter's target is spread evenly over the working days of the quarter, make-up working days
included; a week's target is that of its working days, so the weeks of a quarter add up to the
quarter. A week on the edge of two quarters takes each day's part of its own quarter. Without a
target, the pace of the quarter before takes its place: its revenue per working day.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal

import pandas as pd
import pyarrow as pa

from analysis.calendars import Period, WorkingCalendar
from analysis.effects.gaps import gaps
from analysis.effects.kpi_targets import company_goals, goal, person_goals
from analysis.engine import Frame, query
from analysis.roles import Roles
from analysis.tables import RECORD

CUTS = {"region": "region", "team": "team_id", "owner": "owner_id"}  # split → column of customers
_CENTS = Decimal("0.0001")
_UNKNOWN = "unknown"
_YEAR = 4  # quarters whose revenue says how large a member is

_SUMS = """
SELECT CAST(coalesce(sum(amount), 0) AS DECIMAL(18, 4)) AS amount,
       count(DISTINCT CASE WHEN amount > 0 THEN order_id END) AS orders
FROM orders WHERE CAST(ordered_at AS DATE) BETWEEN $start AND $end
"""
_SIZES = """
SELECT coalesce(nullif(g.member, ''), $unknown) AS member,
       CAST(greatest(coalesce(sum(o.amount) FILTER (CAST(o.ordered_at AS DATE) <= $end), 0), 0)
            AS DECIMAL(18, 4)) AS amount
FROM orders AS o LEFT JOIN groups AS g USING (customer_id)
WHERE CAST(o.ordered_at AS DATE) BETWEEN $start AND $until
GROUP BY ALL ORDER BY member
"""


def quarter_of(day: date) -> Period:
    """The quarter that holds a day."""
    return Period.parse(f"{day.year:04d}Q{(day.month + 2) // 3}")


def week_targets(
    orders: pa.Table,
    targets: Frame | None,
    week: Period,
    as_of: date,
    roles: Roles | None = None,
    holidays: str = "CN",
) -> pd.DataFrame:
    """Target, actual and gap of the week and of its quarter so far.

    Parameters
    ----------
    orders
        RECORD ``orders``.
    targets
        RECORD ``targets``: the company's revenue target of the quarter, or of all its months,
        or the sum of its persons'.
    week, as_of
        The week, and the last day that counts: targets count up to that day too.
    roles
        The segments' roles of the scheme in use.
    holidays
        Country of the working calendar.

    Returns
    -------
    DataFrame
        RECORD ``weekly_target``: a row each for ``week`` and ``quarter``. The quarter is that
        of the last day that counts. `needed` is empty where no working day is left.
    """
    books = _Working(orders, company_goals(targets, roles or Roles()), WorkingCalendar(holidays))
    last = min(as_of, week.end)
    quarter = quarter_of(last)
    rows = [
        books.row("week", week, last, week.previous()),
        books.row("quarter", quarter, last, same_days(quarter, last, books.calendar)),
    ]
    return pd.DataFrame(rows, columns=RECORD["weekly_target"].names)


def week_gaps(
    orders: pa.Table,
    found: pd.DataFrame,
    week: Period,
    customers: pd.DataFrame,
    targets: Frame | None = None,
    *,
    split: str = "region",
    holidays: str = "CN",
) -> pd.DataFrame:
    """The week's gap by `split` and the quarter's so far by customers, to the cent.

    Parameters
    ----------
    orders
        RECORD ``orders``.
    found
        From `week_targets`.
    week
        The week.
    customers
        RECORD ``customers``, which says where each belongs.
    targets
        RECORD ``targets``, for those of persons.
    split
        region, team, owner: each member against its part of the target, which is its own where
        persons have targets, else as large as its part of the last four quarters' revenue.
        customers, price: against the week before. Where no customer has a region, team or
        owner, ``customers`` is used.
    holidays
        Country of the working calendar.

    Returns
    -------
    DataFrame
        RECORD ``weekly_gaps``; in every split, base + parts = actual exactly.
    """
    spans = {str(row["span"]): row for row in found.to_dict("records")}
    here, so_far = spans["week"], spans["quarter"]
    column = CUTS.get(split, "")
    known = column in customers and bool(customers[column].fillna("").astype(str).ne("").any())
    chosen = split if known or not column else "customers"
    days = Period(here["starts_on"].date(), here["ends_on"].date(), week.name, "week")
    goals = _goal_rows(days.name, here["target"])
    if chosen in CUTS:
        shares, _ = member_shares(orders, targets, customers, chosen, days)
        parts = spread(Decimal(repr(float(here["target"]))), shares)
        own = pd.DataFrame(
            [("revenue", chosen, m, days.name, float(v)) for m, v in parts.items()],
            columns=["kpi", "cut", "member", "period", "target"],
        )
        # who bought in the year before counts as a member, also without an order in the week
        year, groups = year_before(quarter_of(days.end)), customers[["customer_id", column]]
        rows = gaps(orders, goals, days, previous=year, groups=groups, kpi_cuts=own)
    else:
        rows = gaps(orders, goals, days, previous=week.previous())
    rows = rows[rows["split"] == chosen].assign(span="week")
    start, end = so_far["starts_on"].date(), so_far["ends_on"].date()
    quarter = quarter_of(end)
    then = same_days(quarter, end, WorkingCalendar(holidays))
    now = Period(start, end, quarter.name, "quarter")
    whole = gaps(orders, _goal_rows(now.name, so_far["target"]), now, previous=then)
    whole = whole[whole["split"] == "customers"].assign(span="quarter")
    return pd.concat([rows, whole], ignore_index=True)[RECORD["weekly_gaps"].names]


def member_shares(
    orders: pa.Table,
    targets: Frame | None,
    customers: pd.DataFrame,
    split: str,
    week: Period,
) -> tuple[dict[str, Decimal], str]:
    """How large each member of a split is.

    Parameters
    ----------
    orders, targets, customers
        As in `week_gaps`.
    split
        region, team or owner.
    week
        The week; its quarter is that of its last day.

    Returns
    -------
    tuple
        Member → weight, 0 for who had neither target nor revenue; and what the weights are:
        ``targets``, persons' own of the quarter, or ``revenue`` of the four quarters before.
    """
    quarter = quarter_of(week.end)
    year = year_before(quarter)
    named = customers[["customer_id", CUTS[split]]].set_axis(["customer_id", "member"], axis=1)
    sizes = query(
        _SIZES,
        {"start": year.start, "end": year.end, "until": week.end, "unknown": _UNKNOWN},
        orders=orders.select(["customer_id", "ordered_at", "amount"]),
        groups=pa.table({n: pa.array(named[n], pa.string(), from_pandas=True) for n in named}),
    )
    found = {row["member"]: row["amount"] for row in sizes.to_pylist()}
    own = {
        who: _money(value)
        for (kpi, name, who), value in person_goals(targets).items()
        if split == "owner" and kpi == "revenue" and name == quarter.name and value > 0
    }
    if own:
        return dict.fromkeys(found, Decimal(0)) | own, "targets"
    return found, "revenue"


def member_basis(
    orders: pa.Table, targets: Frame | None, customers: pd.DataFrame, split: str, week: Period
) -> dict[str, object]:
    """What the members' parts of the target rest on, as a row of ``weekly_basis``."""
    source = "none"
    if split in CUTS:
        _, source = member_shares(orders, targets, customers, split, week)
    return {"item": "spread", "source": source, "period": None, "as_of": pd.NaT}


def year_before(quarter: Period) -> Period:
    """The four quarters before a quarter."""
    return Period(quarter.back(_YEAR).start, quarter.previous().end, "year", "year")


def spread(total: Decimal, shares: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """`total` by weight, to the hundredth of a cent; the parts add up to it exactly.

    What rounding down leaves goes to the largest; of equals to the first by name.
    """
    whole = sum(shares.values(), Decimal(0))
    if not whole:
        return {}
    total = total.quantize(_CENTS)
    parts = {
        name: (total * share / whole).quantize(_CENTS, ROUND_FLOOR)
        for name, share in shares.items()
    }
    largest = min(shares, key=lambda name: (-shares[name], name))
    parts[largest] += total - sum(parts.values(), Decimal(0))
    return parts


@dataclass(frozen=True)
class _Working:
    """The targets of quarters by working day, and the money of spans."""

    orders: pa.Table
    goals: Mapping[tuple[str, str, str], float]
    calendar: WorkingCalendar

    def working(self, start: date, end: date) -> list[date]:
        return [day for day in _days(start, end) if self.calendar.is_working(day)]

    def sums(self, start: date, end: date) -> tuple[Decimal, int]:
        columns = ["order_id", "ordered_at", "amount"]
        found = query(_SUMS, {"start": start, "end": end}, orders=self.orders.select(columns))
        row = found.to_pylist()[0]
        return row["amount"], row["orders"]

    def daily(self, quarter: Period) -> tuple[Decimal, str]:
        """Target of a working day of the quarter, and what it is."""
        whole = goal(self.goals, "revenue", quarter)
        if not math.isnan(whole):
            return _money(whole) / len(self.working(quarter.start, quarter.end)), "target"
        then = quarter.previous()
        return self.sums(then.start, then.end)[0] / len(self.working(then.start, then.end)), "pace"

    def due(self, start: date, end: date) -> tuple[Decimal, str]:
        """What the working days of a span are to bring, and what that is."""
        per_quarter: dict[Period, int] = {}
        for day in self.working(start, end):
            per_quarter[quarter_of(day)] = per_quarter.get(quarter_of(day), 0) + 1
        known = {quarter: self.daily(quarter) for quarter in per_quarter or {quarter_of(end): 0}}
        due = sum((known[q][0] * n for q, n in per_quarter.items()), Decimal(0))
        kinds = {kind for _, kind in known.values()}
        return due.quantize(_CENTS), "target" if kinds == {"target"} else "pace"

    def row(self, span: str, period: Period, last: date, before: Period) -> dict[str, object]:
        start, end = period.start, period.end
        target, basis = self.due(start, last)
        whole, _ = self.due(start, end)
        actual, orders = self.sums(start, last)
        worked, days = len(self.working(start, last)), len(self.working(start, end))
        left = days - worked
        return {
            "span": span,
            "starts_on": pd.Timestamp(start),
            "ends_on": pd.Timestamp(last),
            "basis": basis,
            "target": float(target),
            "actual": float(actual),
            "gap": float(actual - target),
            "attainment": float(actual / target) if target else math.nan,
            "previous": float(self.sums(before.start, before.end)[0]),
            "n": orders,
            "working_days": worked,
            "whole": float(whole),
            "whole_days": days,
            "days_left": left,
            "needed": float((whole - actual) / left) if left else math.nan,
            "pace": float(actual / worked) if worked else math.nan,
        }


def same_days(quarter: Period, end: date, calendar: WorkingCalendar) -> Period:
    """The quarter before up to the same working day as `end` is in this one."""
    then = quarter.previous()
    done = sum(calendar.is_working(day) for day in _days(quarter.start, end))
    same = [day for day in _days(then.start, then.end) if calendar.is_working(day)][:done]
    return Period(then.start, same[-1] if same else then.start, then.name, "quarter")


def _goal_rows(period: str, target: float) -> pd.DataFrame:
    row = {"kpi": "revenue", "segment": "all", "period": period, "target": float(target)}
    return pd.DataFrame([row])


def _days(start: date, end: date) -> list[date]:
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]


def _money(value: float) -> Decimal:
    return Decimal(repr(float(value))).quantize(_CENTS)
