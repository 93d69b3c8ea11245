"""KPIs against target, the previous period and the year before."""

from __future__ import annotations

import math
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.calendars import Period, WorkingCalendar
from analysis.effects.kpi_dictionary import BY_KEY, KPIS, Kpi
from analysis.effects.kpi_money import Measured, measure_money
from analysis.effects.kpi_values import MOST_UNRECORDED, first_day, raw_values, year_start
from analysis.engine import to_frame
from analysis.roles import BEST, Roles, roles_of
from analysis.tables import RECORD

ALL = "all"
_EMPTY = (math.nan, math.nan, math.nan, math.nan)


def kpis(
    orders: pa.Table,
    targets: pd.DataFrame | pa.Table | None,
    period: Period,
    *,
    segments: pd.DataFrame | None = None,
    segment_counts: pd.DataFrame | None = None,
    scheme_segments: pd.DataFrame | None = None,
    customers: pd.DataFrame | None = None,
    activities: pa.Table | None = None,
    tickets: pa.Table | None = None,
    payments: pa.Table | None = None,
    receivables: pa.Table | None = None,
    not_collected: Collection[str] = (),
    as_of: date | None = None,
    holidays: str = "CN",
    watch: float = 0.02,
    periods: int = 9,
) -> pd.DataFrame:
    """The KPIs of the last periods, and of each segment in this one.

    Parameters
    ----------
    orders, activities, tickets
        RECORD tables; the definitions stand in `analysis.effects.kpi_values`.
    targets
        RECORD ``targets``. A target without an owner is the company's; where there is none,
        the persons' targets of an additive KPI add up to it, and those of its months or quarters.
    period
        The period of the report.
    segments
        customer_id, segment now: for the rows by segment. They carry no previous value: the
        customers of a segment are not those it had then.
    segment_counts
        RECORD ``segment_history``: the customers of each segment at each period's end.
    scheme_segments
        RECORD table: which segment is the best one, whose customers ``high_value_customers``
        counts.
    customers
        RECORD ``customers``: who is known from when (visit coverage). Without it, whoever has
        ordered.
    payments, receivables
        RECORD tables; the definitions stand in `analysis.effects.kpi_money`.
    not_collected
        Kinds and methods of payment that do not count as collected.
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
        recorded order, has an empty value and status `none`; an optional one has no row.
    """
    shown = [period.back(k) for k in range(periods)]
    wanted = sorted({q for p in shown for q in (p, p.previous(), p.year_ago())})
    goals = _targets(targets)
    start = first_day(orders)
    roles = roles_of(scheme_segments)
    sizes = _best(segment_counts, roles)
    goals |= _best_goals(goals, roles)
    measured: dict[tuple[str, str, str], Measured] = {}
    if start is not None:
        everybody = _groups(orders, customers, None)
        calendar = WorkingCalendar(holidays)
        raw = raw_values(orders, everybody, wanted, activities, tickets, calendar)
        for one in wanted:
            for kpi in KPIS:
                found = _measure(
                    kpi,
                    one,
                    _row(raw, one, ALL),
                    start,
                    goals,
                    sizes,
                    reported=one == period,
                )
                measured[kpi.key, ALL, one.name] = found
    money = measure_money(wanted, period, payments, receivables, not_collected)
    measured |= {(key, ALL, name): found for (key, name), found in money.items()}
    measured |= _collection_rates(measured, wanted, goals)
    if as_of is not None and as_of < period.end:
        measured.pop(("quarter_end_push", ALL, period.name), None)
    rows = [
        _line(kpi, ALL, one, measured, goals, watch, compare=True) for kpi in KPIS for one in shown
    ]
    if start is not None and segments is not None and len(segments):
        raw = raw_values(
            orders,
            _groups(orders, customers, segments),
            [period],
            activities,
            tickets,
            WorkingCalendar(holidays),
        )
        for segment in sorted(set(segments["segment"].astype(str))):
            for kpi in (k for k in KPIS if k.by_segment):
                found = _measure(
                    kpi, period, _row(raw, period, segment), start, goals, {}, reported=True
                )
                measured[kpi.key, segment, period.name] = found
                rows.append(_line(kpi, segment, period, measured, goals, watch, compare=False))
    shown_rows = [r for r in rows if not (BY_KEY[r["kpi"]].optional and math.isnan(r["value"]))]
    return pd.DataFrame(shown_rows, columns=RECORD["kpis"].names)


def _collection_rates(
    measured: dict[tuple[str, str, str], Measured],
    periods: list[Period],
    goals: dict[tuple[str, str, str], float],
) -> dict[tuple[str, str, str], Measured]:
    """What was collected, as a share of what was to be collected."""
    found: dict[tuple[str, str, str], Measured] = {}
    for one in periods:
        money, n = measured.get(("collected", ALL, one.name), _EMPTY)[:2]
        goal = _goal(goals, "collected", one)
        if goal > 0 and not math.isnan(money):
            found["collection_rate", ALL, one.name] = (money / goal, n, money, goal)
    return found


def time_elapsed(period: Period) -> float:
    """Share of the year that is over at the period's end: whole months, days for weeks."""
    if period.kind != "week":
        return period.end.month / 12
    year = int(period.name[:4])
    days = (date(year, 12, 31) - date(year, 1, 1)).days + 1
    return min(1.0, ((period.end - date(year, 1, 1)).days + 1) / days)


def _measure(
    kpi: Kpi,
    period: Period,
    raw: dict[str, float],
    start: date,
    goals: dict[tuple[str, str, str], float],
    best: dict[str, float],
    *,
    reported: bool,
) -> Measured:
    """Value, n, numerator and denominator of one KPI.

    The orders of the reported period are its orders, however late the first of them; an earlier
    period that was not recorded from its beginning is no comparison.
    """
    last_year = year_start(period.end)
    before = year_start(last_year - timedelta(days=1))
    whole = reported or _recorded(period.start, period.end, start)
    year = _recorded(last_year, period.end, start)
    this_year = _recorded(period.year().start, period.end, start)

    def count(name: str) -> float:
        value = raw.get(name, math.nan)
        return 0.0 if math.isnan(value) else value

    match kpi.key:
        case "revenue" if whole:
            return count("revenue"), count("orders"), math.nan, math.nan
        case "gross_margin_rate" if whole and raw.get("costed", math.nan) > 0:
            margin = raw["costed"] - raw["cost"]
            return margin / raw["costed"], count("orders"), margin, raw["costed"]
        case "active_customers" if whole:
            return count("active"), count("orders"), math.nan, math.nan
        case "new_customers" if (period.start - start).days >= 365:
            return count("new"), count("active"), math.nan, math.nan
        case "high_value_customers":
            return best.get(period.name, math.nan), math.nan, math.nan, math.nan
        case "retention" if _recorded(before, period.end, start):
            return _share(count("kept"), count("base"))
        case "repurchase_rate" if year:
            return _share(count("repeated"), count("buyers"))
        case "average_order" if whole and count("orders") > 0:
            orders = count("orders")
            return count("revenue") / orders, orders, count("revenue"), orders
        case "visit_coverage" if "known" in raw:
            return _share(count("visited"), count("known"))
        case "satisfaction" if raw.get("rated", 0) > 0:
            return raw["satisfaction"], raw["rated"], math.nan, math.nan
        case "ytd_attainment":
            goal = _goal(goals, "revenue", period.year())
            if this_year and goal > 0:
                return count("ytd") / goal, math.nan, count("ytd"), goal
        case "revenue_ytd" if this_year:
            return count("ytd"), math.nan, math.nan, math.nan
        case "time_elapsed" if whole:
            return time_elapsed(period), math.nan, math.nan, math.nan
        case "quarter_end_push" if whole and period.kind != "week" and count("revenue") > 0:
            pushed, revenue = count("pushed"), count("revenue")
            return pushed / revenue, count("pushed_orders"), pushed, revenue
    return _EMPTY


def _share(part: float, whole: float) -> Measured:
    return (part / whole if whole > 0 else math.nan), whole, part, whole


def _recorded(start: date, end: date, first: date) -> bool:
    return (first - start).days <= MOST_UNRECORDED * ((end - start).days + 1)


def _line(
    kpi: Kpi,
    segment: str,
    period: Period,
    measured: dict[tuple[str, str, str], Measured],
    goals: dict[tuple[str, str, str], float],
    watch: float,
    *,
    compare: bool,
) -> dict[str, Any]:
    value, n, numerator, denominator = measured.get((kpi.key, segment, period.name), _EMPTY)
    target = _goal(goals, kpi.key, period, segment)
    match kpi.key:
        case "ytd_attainment" if not math.isnan(value):
            target = time_elapsed(period)
        case "revenue_ytd":
            target = _goal(goals, "revenue", period.year())
        case "collection_rate" if math.isnan(target) and not math.isnan(value):
            target = 1.0
    # half a year is on its way to the year's target, not below it
    due = target * time_elapsed(period) if kpi.key == "revenue_ytd" else target
    previous = year_ago = math.nan
    if compare:
        if not kpi.cumulative:
            previous = measured.get((kpi.key, segment, period.previous().name), _EMPTY)[0]
        year_ago = measured.get((kpi.key, segment, period.year_ago().name), _EMPTY)[0]
    return {
        "kpi": kpi.key,
        "segment": segment,
        "period": period.name,
        "value": value,
        "unit": kpi.unit,
        "n": n,
        "target": target,
        "previous": previous,
        "year_ago": year_ago,
        "change": _change(kpi, value, previous),
        "change_year": _change(kpi, value, year_ago),
        "attainment": value / target if target > 0 else math.nan,
        "gap": value - target,
        "status": status(kpi, value, due, watch),
        "numerator": numerator,
        "denominator": denominator,
    }


def _change(kpi: Kpi, value: float, base: float) -> float:
    if kpi.unit == "share":
        return value - base
    return value / base - 1 if base > 0 else math.nan


def status(kpi: Kpi, value: float, target: float, watch: float) -> str:
    """on_target, watch (missed by `watch` at most), below, or none without value or target."""
    if math.isnan(value) or math.isnan(target):
        return "none"
    short = target - value if kpi.better == "higher" else value - target
    room = watch if kpi.unit == "share" else watch * abs(target)
    if short <= 0:
        return "on_target"
    return "watch" if short <= room + 1e-12 else "below"


def _targets(targets: pd.DataFrame | pa.Table | None) -> dict[tuple[str, str, str], float]:
    """(kpi, period, segment) → the company's target."""
    if targets is None or not len(targets):
        return {}
    frame = to_frame(targets) if isinstance(targets, pa.Table) else targets
    blank = pd.Series("", index=frame.index)
    segment = frame.get("segment", blank).fillna("").replace("", ALL).astype(str)
    owner = frame.get("owner_id", blank).fillna("").astype(str)
    whole: dict[tuple[str, str, str], float] = {}
    added: dict[tuple[str, str, str], list[float]] = {}
    additive = {kpi.key for kpi in KPIS if kpi.additive}
    for kpi, name, group, person, value in zip(
        frame["kpi"].astype(str),
        frame["period"].astype(str),
        segment,
        owner,
        frame["value"].astype(float),
        strict=True,
    ):
        if not person:
            whole[kpi, name, group] = value
        elif kpi in additive:
            added.setdefault((kpi, name, group), []).append(value)
    return {key: math.fsum(values) for key, values in added.items()} | whole


def _goal(
    goals: dict[tuple[str, str, str], float], kpi: str, period: Period, segment: str = ALL
) -> float:
    """The target as given; of an additive KPI else the sum of its parts, where all have one."""
    given = goals.get((kpi, period.name, segment), math.nan)
    if not math.isnan(given) or not BY_KEY[kpi].additive:
        return given
    for parts in period.parts():
        found = [goals.get((kpi, part.name, segment), math.nan) for part in parts]
        if not any(math.isnan(value) for value in found):
            return math.fsum(found)
    return math.nan


def _best_goals(
    goals: dict[tuple[str, str, str], float], roles: Roles
) -> dict[tuple[str, str, str], float]:
    """Targets set for the best segment by its name: those of another scheme's segment are not."""
    best, kpi = roles.one(BEST), "high_value_customers"
    return {
        (key, name, ALL): value
        for (key, name, group), value in goals.items()
        if key == kpi and group == best and best
    }


def _best(counts: pd.DataFrame | None, roles: Roles) -> dict[str, float]:
    """Customers of the best segment by period."""
    if counts is None or counts.empty:
        return {}
    chosen = counts[counts["segment"] == roles.one(BEST)]
    return dict(zip(chosen["period"].astype(str), chosen["customers"].astype(float), strict=True))


def _groups(
    orders: pa.Table, customers: pd.DataFrame | None, segments: pd.DataFrame | None
) -> pd.DataFrame:
    """customer_id, segment, since: everybody as ``all``, or each in its segment."""
    first = (
        to_frame(orders.select(["customer_id", "ordered_at"]))
        .groupby("customer_id")["ordered_at"]
        .min()
    )
    since = first
    if customers is not None and len(customers):
        listed = customers.set_index("customer_id")["joined_on"]
        known = pd.to_datetime(listed).fillna(first.reindex(listed.index))
        since = pd.concat([known, first[~first.index.isin(known.index)]])
        # Known, but nobody wrote down since when: known from the start.
        since = since.fillna(first.min())
    groups = pd.DataFrame({"customer_id": since.index.to_numpy(), "since": since.to_numpy()})
    if segments is None:
        return groups.assign(segment=ALL)
    named = segments[["customer_id", "segment"]].astype({"segment": str})
    return groups.merge(named, on="customer_id", how="inner")


def _row(raw: pd.DataFrame, period: Period, segment: str) -> dict[str, float]:
    """The raw values of a period and segment; columns that nobody has are left out."""
    present = [c for c in raw.columns if raw[c].notna().any()]
    if (period.name, segment) not in raw.index:
        return dict.fromkeys(present, math.nan)
    found = raw.loc[(period.name, segment), present]
    return {str(name): float(np.asarray(value)) for name, value in found.items()}
