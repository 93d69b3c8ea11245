"""KPIs by region, team and person; without orders, of the largest customers too."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from analysis.calendars import Period
from analysis.effects.kpi_compare import NOTHING, Values, against_year_ago, status
from analysis.effects.kpi_dictionary import KPIS, Kpi
from analysis.effects.kpi_groups import CUTS, NOBODY, by_customer, by_cut, folk
from analysis.effects.kpi_sums import Books, add_up, by_group, measure, open_books
from analysis.effects.kpi_targets import Goals, goal, person_goals, team_goals
from analysis.effects.kpis import roles_in, spans
from analysis.engine import Frame
from analysis.settings_measures import Effectiveness
from analysis.tables import RECORD

CUSTOMER = "customer"
MOST = 20


def kpi_cuts(
    orders: pa.Table,
    targets: Frame | None,
    period: Period,
    settings: Effectiveness,
    *,
    tables: Mapping[str, Frame | None] | None = None,
    holidays: str = "CN",
    watch: float = 0.02,
) -> pd.DataFrame:
    """The KPIs of the period for each region, team and person.

    A customer counts for its region, for its person in charge, and for that person's team; what
    a person did (visits, leads, deals, tasks) for that person. What belongs to nobody stands
    under the member without a name, so that the members of an additive KPI add up to the
    company's value to the cent.

    Parameters
    ----------
    orders, targets, period, settings, tables, holidays, watch
        As in `analysis.effects.kpis`; ``customers`` and ``people`` say who belongs where.
        Persons' targets are theirs; a team's is the sum of its people's, where the KPI adds up.

    Returns
    -------
    DataFrame
        RECORD ``kpi_cuts``: a cut in which nobody is written down has no rows, nor has a KPI
        that cannot be cut. The customers of a member are today's: earlier values are of the same
        customers, whoever looked after them then.
        Without orders, where no other list names customers, the member of cut `customer` is one of
        the `MOST` with the largest value of a KPI that adds up.
    """
    given = dict(tables or {})
    books = open_books(orders, given, period, settings, roles_in(given), holidays)
    known = folk(orders, given.get("customers"))
    goals: dict[str, Goals] = {
        "region": {},
        "team": team_goals(targets, given.get("people")),
        "owner": person_goals(targets),
    }
    rows: list[dict[str, Any]] = []
    wanted = spans([period], holidays)
    for cut in CUTS:
        sums = add_up(books, by_cut(known, given.get("people"), cut), wanted)
        members = sorted(set(sums.index.get_level_values("segment")))
        if not any(members):
            continue
        found = by_group(sums, wanted, members)
        for member in members:
            by_period = {one.name: found[one.name, member] for one in wanted}
            for kpi in (k for k in KPIS if k.by_cut):
                rows += _row(books, kpi, cut, member, wanted, by_period, goals[cut], watch)
    if not len(orders):
        rows += _largest(books, known, period)
    return pd.DataFrame(rows, columns=RECORD["kpi_cuts"].names)


def _largest(books: Books, known: pa.Table, period: Period) -> list[dict[str, Any]]:
    sums = add_up(books, by_customer(known), [period])
    if period.name not in sums.index.get_level_values("period"):
        return []
    here = sums.loc[period.name].sort_index()
    plain = {"kpi": "", "period": period.name, "cut": CUSTOMER, "n": math.nan, "target": math.nan,
             "previous": math.nan, "year_ago": math.nan, "attainment": math.nan,
             "status": "none"}  # fmt: skip
    counted = [
        kpi
        for kpi in KPIS
        if kpi.additive and kpi.top in here and not set(kpi.tables) - set(books.tables)
    ]
    largest = [here[kpi.top].nlargest(MOST).loc[lambda values: values > 0] for kpi in counted]
    members = sorted({member for values in largest for member in values.index})
    return [
        {**plain, "kpi": kpi.key, "member": member, "value": float(value), "unit": kpi.unit}
        for kpi in counted
        for member, value in here.loc[members, kpi.top].fillna(0.0).items()
    ]


def _row(
    books: Books,
    kpi: Kpi,
    cut: str,
    member: str,
    wanted: list[Period],
    sums: Mapping[str, Mapping[str, float]],
    goals: Goals,
    watch: float,
) -> list[dict[str, Any]]:
    period = books.reported

    def target_in(one: Period) -> float:
        return goal(goals, kpi.of_target, one, member) if kpi.of_target else math.nan

    values: Values = {
        (kpi.key, member, one.name): measure(books, kpi, one, sums[one.name], target_in(one))
        for one in wanted
    }
    found = values[kpi.key, member, period.name]
    if math.isnan(found.value) or (member == NOBODY and not found.value):
        return []
    target = goal(goals, kpi.key, period, member)
    year_ago, _, _ = against_year_ago(kpi, member, period, period, values, books.calendar.country)
    return [
        {
            "kpi": kpi.key,
            "period": period.name,
            "cut": cut,
            "member": member,
            "value": found.value,
            "unit": kpi.unit,
            "n": found.n,
            "target": target,
            "previous": values.get((kpi.key, member, period.previous().name), NOTHING).value,
            "year_ago": year_ago,
            "attainment": found.value / target if target > 0 else math.nan,
            "status": status(kpi, found.value, target, watch),
        }
    ]
