"""KPIs against target, the previous period and the year before."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa

from analysis.calendars import Period
from analysis.effects.kpi_compare import (
    NOTHING,
    Values,
    against_year_ago,
    both_months,
    change,
    status,
    time_elapsed,
)
from analysis.effects.kpi_dictionary import KPIS, Kpi
from analysis.effects.kpi_groups import ALL, by_segment, everybody, folk
from analysis.effects.kpi_sums import Books, Measured, Sums, add_up, by_group, measure, open_books
from analysis.effects.kpi_targets import Goals, company_goals, goal
from analysis.engine import Frame, to_frame
from analysis.roles import BEST, Roles, roles_of
from analysis.settings_measures import Effectiveness
from analysis.stats import wilson
from analysis.tables import RECORD


def kpis(
    orders: pa.Table,
    targets: Frame | None,
    period: Period,
    settings: Effectiveness,
    *,
    tables: Mapping[str, Frame | None] | None = None,
    as_of: date | None = None,
    holidays: str = "CN",
    watch: float = 0.02,
    periods: int = 9,
) -> pd.DataFrame:
    """The KPIs of the last periods, and of each segment in this one.

    Parameters
    ----------
    orders
        RECORD table; the definitions stand in `analysis.effects.kpi_values`.
    targets
        RECORD ``targets``. A target without an owner is the company's; where there is none,
        the persons' targets of an additive KPI add up to it, and those of its months or quarters.
    period
        The period of the report.
    settings
        Section ``effectiveness``.
    tables
        Further RECORD tables by name, each as far as there is one (`KPI_TABLES`). ``customers``
        says who is known from when; without it, whoever has ordered. ``segments`` gives the rows
        by segment, which carry no previous value: the customers of a segment are not those it
        had then. ``segment_history`` and ``scheme_segments`` tell how many customers the best
        segment had at each period's end.
    as_of
        Last day that counts; default: the period's end. Before it, the end is not judged.
    holidays
        Country of the working calendar.
    watch
        Distance below the target that still counts as `watch`: relative for money, counts and
        numbers, in points for shares.
    periods
        How many periods back, this one included.

    Returns
    -------
    DataFrame
        RECORD ``kpis``. A KPI whose data is missing, or whose window begins before the first
        record, has an empty value and status `none`; an optional one has no row.
    """
    given = dict(tables or {})
    roles = roles_in(given)
    books = open_books(orders, given, period, settings, roles, holidays)
    goals = company_goals(targets, roles)
    known = folk(orders, given.get("customers"))
    shown = [period.back(k) for k in range(periods)]
    wanted = spans(shown, holidays)
    sums = add_up(books, everybody(known), wanted)
    sums = pd.concat([sums, _company(given.get("segment_history"), roles, wanted)], axis=1)
    company = by_group(sums, wanted, [ALL])
    values = {
        (kpi.key, ALL, one.name): _valued(books, kpi, one, company[one.name, ALL], goals)
        for one in wanted
        for kpi in KPIS
    }
    if as_of is not None and as_of < period.end:
        values["quarter_end_push", ALL, period.name] = NOTHING
    rows = [
        _line(kpi, ALL, one, values, goals, watch, books, compare=True)
        for kpi in KPIS
        for one in shown
    ]
    segments = books.tables.get("segments")
    if segments is not None and len(orders):
        sums = add_up(books, by_segment(known, segments), [period])
        names = sorted(set(sums.index.get_level_values("segment")))
        parts = by_group(sums, [period], names)
        for segment in names:
            for kpi in (k for k in KPIS if k.by_segment):
                found = _valued(books, kpi, period, parts[period.name, segment], goals)
                key = (kpi.key, segment, period.name)
                rows.append(
                    _line(kpi, segment, period, {key: found}, goals, watch, books, compare=False)
                )
    optional = {kpi.key for kpi in KPIS if kpi.optional}
    kept = [r for r in rows if not (r["kpi"] in optional and math.isnan(r["value"]))]
    return pd.DataFrame(kept, columns=RECORD["kpis"].names)


def roles_in(tables: Mapping[str, Frame | None]) -> Roles:
    """The roles of the scheme in use, from ``scheme_segments``."""
    found = tables.get("scheme_segments")
    return roles_of(to_frame(found) if isinstance(found, pa.Table) else found)


def spans(shown: list[Period], holidays: str) -> list[Period]:
    """The periods, those before them and a year before, and both months of Spring Festival."""
    near = {q for p in shown for q in (p, p.previous(), p.year_ago())}
    joint = {both_months(q, holidays) for q in near}
    return sorted(near | {one for one in joint if one is not None})


def _valued(books: Books, kpi: Kpi, period: Period, sums: Sums, goals: Goals) -> Measured:
    when = period.year() if kpi.cumulative else period
    target = goal(goals, kpi.of_target, when) if kpi.of_target else math.nan
    return measure(books, kpi, period, sums, target)


def _company(history: Frame | None, roles: Roles, periods: list[Period]) -> pd.DataFrame:
    """Sums of the whole company: best and everybody by period, and the year elapsed."""
    elapsed = {one.name: time_elapsed(one) for one in periods}
    found = pd.DataFrame({"elapsed": pd.Series(elapsed, dtype=float)})
    if history is not None and len(history):
        frame = to_frame(history) if isinstance(history, pa.Table) else history
        number = frame["customers"].astype(float)
        period, segment = frame["period"].astype(str), frame["segment"].astype(str)
        best = roles.one(BEST)
        if best:
            here = number.where(segment == best, 0.0).groupby(period).sum()
            found["best"] = here.reindex(found.index)
        part = segment != ALL
        found["everybody"] = number[part].groupby(period[part]).sum().reindex(found.index)
    found.index = pd.MultiIndex.from_product([found.index, [ALL]], names=["period", "segment"])
    return found


def _line(
    kpi: Kpi,
    segment: str,
    period: Period,
    values: Values,
    goals: Goals,
    watch: float,
    books: Books,
    *,
    compare: bool,
) -> dict[str, Any]:
    found = values.get((kpi.key, segment, period.name), NOTHING)
    target = goal(goals, kpi.key, period, segment)
    match kpi.key:
        case "ytd_attainment" if not math.isnan(found.value):
            target = time_elapsed(period)
        case "revenue_ytd":
            target = goal(goals, "revenue", period.year())
        case "collection_rate" if math.isnan(target) and not math.isnan(found.value):
            target = 1.0
    # half a year is on its way to the year's target, not below it
    due = target * time_elapsed(period) if kpi.key == "revenue_ytd" else target
    previous = year_ago = change_year = math.nan
    note = None
    if compare:
        if not kpi.cumulative:
            previous = values.get((kpi.key, segment, period.previous().name), NOTHING).value
        year_ago, change_year, note = against_year_ago(
            kpi, segment, period, books.reported, values, books.calendar.country
        )
    low, high = interval(kpi, found, books.settings.level)
    return {
        "kpi": kpi.key,
        "segment": segment,
        "period": period.name,
        "value": found.value,
        "low": low,
        "high": high,
        "unit": kpi.unit,
        "n": found.n,
        "target": target,
        "previous": previous,
        "year_ago": year_ago,
        "change": change(kpi, found.value, previous),
        "change_year": change_year,
        "attainment": found.value / target if target > 0 else math.nan,
        "gap": found.value - target,
        "status": status(kpi, found.value, due, watch),
        "numerator": found.numerator,
        "denominator": found.denominator,
        "note": note,
    }


def interval(kpi: Kpi, found: Measured, level: float) -> tuple[float, float]:
    """Wilson's interval of a share of cases; NaN for everything else."""
    if not kpi.interval or math.isnan(found.value):
        return math.nan, math.nan
    low, high = wilson(found.numerator, found.denominator, level)
    return float(low), float(high)
