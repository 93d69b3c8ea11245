"""A KPI against its target, the period before and the year before.

Spring Festival lies in January in one year and in February in the next, and with it three weeks
without business. So a month of the two is compared with the year before as January and February
together, in both years, as China's statistics office publishes them; in January there is no
comparison yet. Quarters hold both months. Balances and figures of a whole year do not need it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date

from analysis.calendars import Period, spring_festival
from analysis.effects.kpi_dictionary import Kpi
from analysis.effects.kpi_sums import Measured

NOTHING = Measured()
_OF_A_MOMENT = ("year", "two_years", "this_year", "opening")

Values = Mapping[tuple[str, str, str], Measured]  # (KPI, group, period) → measured


def both_months(period: Period, country: str) -> Period | None:
    """January and February together, for either month of a country that keeps Spring Festival.

    Its name is that of the two months, ``2025-01/02``.
    """
    year = period.start.year
    if period.kind != "month" or period.start.month > 2 or spring_festival(year, country) is None:
        return None
    march = date(year, 3, 1)
    end = date.fromordinal(march.toordinal() - 1)
    return Period(date(year, 1, 1), end, f"{year:04d}-01/02", "month")


def of_a_moment(kpi: Kpi) -> bool:
    """Whether a KPI is as of a day, or over a year: no month in it is longer or shorter."""
    return kpi.cumulative or kpi.balance or kpi.window in _OF_A_MOMENT


def against_year_ago(
    kpi: Kpi, group: str, period: Period, reported: Period, values: Values, country: str
) -> tuple[float, float, str | None]:
    """The value a year ago, the change since, and a note where two months stand for one.

    The value a year ago is empty then: it is that of two months, and stands in the note.
    """
    value = values.get((kpi.key, group, period.name), NOTHING).value
    joint = None if of_a_moment(kpi) else both_months(period, country)
    if joint is None:
        year_ago = values.get((kpi.key, group, period.year_ago().name), NOTHING).value
        return year_ago, change(kpi, value, year_ago), None
    if joint.end > reported.end:
        return math.nan, math.nan, _note("february_to_come")
    before = both_months(period.year_ago(), country)
    now = values.get((kpi.key, group, joint.name), NOTHING).value
    then = values.get((kpi.key, group, before.name if before else ""), NOTHING).value
    if math.isnan(now) or math.isnan(then):
        return math.nan, math.nan, None
    note = _note("both_months", value=(now, kpi.unit), year_ago=(then, kpi.unit))
    return math.nan, change(kpi, now, then), note


def change(kpi: Kpi, value: float, base: float) -> float:
    """Against `base`: in points for shares, else relative."""
    if kpi.unit == "share":
        return value - base
    if kpi.scale != 1:
        return math.nan  # a score that can be negative has no relative change
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


def time_elapsed(period: Period) -> float:
    """Share of the year that is over at the period's end: whole months, days for weeks."""
    if period.kind != "week":
        return period.end.month / 12
    year = int(period.name[:4])
    days = (date(year, 12, 31) - date(year, 1, 1)).days + 1
    return min(1.0, ((period.end - date(year, 1, 1)).days + 1) / days)


def _note(key: str, **args: tuple[float, str]) -> str:
    made = {name: {"value": value, "unit": unit} for name, (value, unit) in sorted(args.items())}
    return json.dumps({"key": f"kpi_note.{key}", "args": made}, sort_keys=True)
