"""From the record's tables to every KPI's value, by period and group."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import pandas as pd
import pyarrow as pa

from analysis.calendars import Period, WorkingCalendar
from analysis.effects.kpi_dictionary import Kpi
from analysis.effects.kpi_funnel import funnel_sums
from analysis.effects.kpi_groups import Grouping, picked
from analysis.effects.kpi_money import counted, money_sums
from analysis.effects.kpi_process import compliance, contacts_of, process_sums
from analysis.effects.kpi_subscription import red_sums, running, subscription_sums
from analysis.effects.kpi_values import (
    MOST_UNRECORDED,
    first_day,
    order_sums,
    windows,
    year_start,
)
from analysis.engine import Frame, to_frame
from analysis.roles import AT_RISK, BEST, Roles
from analysis.settings_measures import Effectiveness

Sums = dict[str, float]
_RECORDED_BY = {
    "orders": "ordered_at", "activities": "happened_at", "payments": "paid_on",
    "leads": "created_at", "tickets": "opened_at", "opportunities": "closed_at",
    "subscriptions": "starts_on",
}  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """A KPI's value, what it rests on, and the two it divides; NaN where there is none."""

    value: float = math.nan
    n: float = math.nan
    numerator: float = math.nan
    denominator: float = math.nan


@dataclass(frozen=True)
class Books:
    """What the KPIs of one report are measured on.

    Attributes
    ----------
    orders
        RECORD table.
    tables
        Other RECORD tables by name.
    reported
        The period of the report.
    settings
        Section ``effectiveness``.
    roles
        Which segment is the best one, and which the one at risk.
    calendar
        Whose working days count at the period's end.
    first
        Table → day of its first record.
    """

    orders: pa.Table
    tables: Mapping[str, Frame]
    reported: Period
    settings: Effectiveness
    roles: Roles
    calendar: WorkingCalendar
    first: Mapping[str, date | None] = field(default_factory=dict)


def open_books(
    orders: pa.Table,
    tables: Mapping[str, Frame | None],
    reported: Period,
    settings: Effectiveness,
    roles: Roles,
    holidays: str,
) -> Books:
    """The tables that hold anything, without the payments that do not count."""
    filled = {name: table for name, table in tables.items() if table is not None and len(table)}
    if "payments" in filled:
        filled["payments"] = counted(filled["payments"], settings.not_collected)
    everything = {"orders": orders, **filled}
    first = {
        name: first_day(picked(everything[name], name, [column]), column)
        for name, column in _RECORDED_BY.items()
        if name in everything
    }
    calendar = WorkingCalendar(holidays)
    return Books(orders, filled, reported, settings, roles, calendar, first)


def add_up(books: Books, groups: Grouping, periods: Iterable[Period]) -> pd.DataFrame:
    """Every sum that the KPIs are made of.

    Returns
    -------
    DataFrame
        Indexed by period and segment (the group); a column a sum. A sum whose table is missing
        has no column.
    """
    spans = windows(periods, books.calendar)
    own = books.settings.kpis
    tables = books.tables
    parts = order_sums(books.orders, groups, spans) if len(books.orders) else []
    parts += process_sums(tables, groups, spans, books.reported)
    parts += money_sums(tables, groups, spans)
    parts += funnel_sums(tables, groups, spans, own.lead_days)
    placed_in = tables.get("segments_before", tables.get("segments"))
    if "activities" in tables and placed_in is not None:
        kept = compliance(
            contacts_of(tables["activities"]),
            groups,
            placed_in,
            books.roles.one(BEST),
            books.reported,
            own.visit_months,
            own.call_months,
        )
        parts += [] if kept is None else [kept]
    if "subscriptions" in tables:
        book = running(tables["subscriptions"], groups, own.renewal_gap_days)
        parts += subscription_sums(
            book, tables, spans, live_days=own.live_days, live_share=own.live_share
        )
        parts.append(_red(books, book))
    if not parts:
        index = pd.MultiIndex.from_arrays([[], []], names=["period", "segment"])
        return pd.DataFrame(index=index)
    return pd.concat([_frame(part) for part in parts], axis=1).sort_index()


def _red(books: Books, book: pa.Table) -> pa.Table:
    """The customers at risk now, and those that were when the period began."""
    at_risk, now = books.roles.one(AT_RISK), books.reported
    placed_in = {"segments": now, "segments_before": now.previous()}
    found = [
        red_sums(book, books.tables[name], at_risk, period)
        for name, period in placed_in.items()
        if name in books.tables
    ]
    return pa.concat_tables(found) if found else red_sums(book, pd.DataFrame(), at_risk, now)


def _frame(part: pa.Table) -> pd.DataFrame:
    """Sums by period and group; money without the dust of its way to a float."""
    frame = to_frame(part).set_index(["period", "segment"])
    for name in part.column_names:
        if pa.types.is_decimal(part.schema.field(name).type):
            frame[name] = frame[name].round(4)
    return frame


def measure(
    books: Books, kpi: Kpi, period: Period, sums: Mapping[str, float], goal: float
) -> Measured:
    """One KPI from its sums.

    Parameters
    ----------
    sums
        The sums of one period and group, missing ones NaN; a sum that nobody has is left out.
    goal
        The target it is divided by, where it is `of_target`.
    """
    missing = set(kpi.tables) - {"orders", "targets"} - set(books.tables)
    if missing or kpi.top not in sums or not _recorded(books, kpi, period):
        return Measured()
    n = sums.get(kpi.n or kpi.bottom, math.nan)
    whole = goal if kpi.of_target else sums.get(kpi.bottom, math.nan)
    if not kpi.bottom and not kpi.of_target:
        value = sums[kpi.top] if kpi.statistic else _or_nought(sums[kpi.top])
        return Measured(value * kpi.scale, _or_nought(n) if kpi.n else math.nan)
    if math.isnan(whole) or whole <= 0:
        return Measured()
    part = _or_nought(sums[kpi.top])
    if kpi.minus:
        part = kpi.minus * whole - part
    n = _or_nought(n) if kpi.n or kpi.bottom else math.nan
    return Measured(kpi.scale * part / whole, n, part, whole)


def by_group(
    table: pd.DataFrame, periods: Iterable[Period], groups: Iterable[str]
) -> dict[tuple[str, str], Sums]:
    """(period, group) → its sums, missing ones NaN; a sum that nobody has is left out."""
    every = [(one.name, group) for one in periods for group in groups]
    index = pd.MultiIndex.from_tuples(every, names=["period", "segment"])
    full = table.dropna(axis=1, how="all").astype(float).reindex(index)
    return dict(zip(every, full.to_dict("records"), strict=True))  # type: ignore[arg-type]


def _or_nought(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def _recorded(books: Books, kpi: Kpi, period: Period) -> bool:
    """Whether the window of a KPI was recorded, but for a tenth of it.

    The orders of the reported period are its orders, however late the first of them; an earlier
    period that was not recorded from its beginning is no comparison.
    """
    first = books.first.get(kpi.tables[0])
    if kpi.window == "none" or first is None:
        return kpi.window == "none"
    if period == books.reported and not kpi.strict:
        return True
    last_year = year_start(period.end)
    judged = timedelta(days=books.settings.kpis.lead_days)
    match kpi.window:
        case "after_a_year":
            return (period.start - first).days >= 365
        case "opening":
            return first < period.start
        case "this_year":
            start, end = period.year().start, period.end
        case "year":
            start, end = last_year, period.end
        case "two_years":
            start, end = year_start(last_year - timedelta(days=1)), period.end
        case "leads":
            start, end = period.start - judged, period.end - judged
        case _:
            start, end = period.start, period.end
    return (first - start).days <= MOST_UNRECORDED * ((end - start).days + 1)
