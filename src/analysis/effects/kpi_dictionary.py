"""The KPI dictionary: what each is made of, on what data, in which direction it is good.

``kpi.<key>`` is the name in the catalogues, ``kpi_definition.<key>`` the formula in words and
``kpi_base.<bottom>`` what it is divided by. `top`, `bottom` and `n` are sums by period and
group that `analysis.effects.kpi_values` and the modules beside it measure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.tables import RECORD

Unit = Literal["money", "share", "count", "number", "days"]


@dataclass(frozen=True)
class Kpi:
    """One KPI.

    Attributes
    ----------
    unit
        money, share, count, number or days.
    better
        Which direction is good.
    needs
        Record tables, ``table.column`` or ``table.column=value``, without which it cannot be
        measured. The records of the first one's table decide how far back it goes.
    kind
        process (what was done) or outcome (what came of it).
    top, bottom, n
        The sums that give its value: top, or top / bottom; and what it rests on (default:
        bottom).
    of_target
        Instead of `bottom`: the KPI whose target it is divided by.
    window
        What must have been recorded: the period, this_year (since January), the last year, the
        last two_years, a year of records before (after_a_year), or none.
    strict
        Whether that also holds for the reported period; the others count what it has.
    minus
        What the value is short of: minus − top / bottom, where the ratio is what is left.
    scale
        Factor on the value.
    interval
        Whether `top` of `bottom` is a number of cases, so that a Wilson interval can be given.
    balance
        Whether it is as of a day, however long the period.
    statistic
        Whether `top` is a mean or a median, so that nothing is not 0.
    additive
        Whether the values of groups and the targets of persons add up to the company's.
    by_segment, by_cut
        Whether it is also shown for each segment; for each region, team and person.
    cumulative
        Whether it grows through the year, so that the previous period is no comparison.
    optional
        Whether it has no row, rather than an empty one, where it has no value.
    """

    key: str
    unit: Unit
    top: str
    bottom: str = ""
    n: str = ""
    needs: tuple[str, ...] = ("orders",)
    kind: Literal["process", "outcome"] = "outcome"
    better: Literal["higher", "lower"] = "higher"
    of_target: str = ""
    window: str = "period"
    strict: bool = False
    minus: float = 0.0
    scale: float = 1.0
    interval: bool = False
    balance: bool = False
    statistic: bool = False
    additive: bool = False
    by_segment: bool = True
    by_cut: bool = True
    cumulative: bool = False
    optional: bool = True

    @property
    def tables(self) -> tuple[str, ...]:
        """The record tables it is measured on."""
        return tuple(dict.fromkeys(need.partition(".")[0] for need in self.needs))


def _always(key: str, unit: Unit, top: str, bottom: str = "", **more: Any) -> Kpi:
    """A KPI that every report shows, with an empty value where it has none."""
    return Kpi(key, unit, top, bottom, optional=False, **more)


def _whole(key: str, unit: Unit, top: str, bottom: str = "", **more: Any) -> Kpi:
    """A KPI of the whole company only."""
    return Kpi(key, unit, top, bottom, by_segment=False, by_cut=False, **more)


def _done(key: str, **more: Any) -> Kpi:
    """How often the sales force did something."""
    needs = (f"activities.kind={key.removesuffix('s')}",)
    return Kpi(key, "count", key, n=key, needs=needs, kind="process", additive=True, **more)


def _funnel(key: str, unit: Unit, top: str, bottom: str = "", **more: Any) -> Kpi:
    """A KPI of deals and leads, which belong to persons rather than to segments."""
    return Kpi(key, unit, top, bottom, by_segment=False, strict=True, **more)


_DEALS = ("opportunities.closed_at", "opportunities.status")
_TERMS: dict[str, Any] = {"needs": ("subscriptions.arr",), "window": "opening", "strict": True}
_RED: dict[str, Any] = {
    "needs": ("segments", "subscriptions.arr"), "window": "none", "balance": True,
    "statistic": True, "better": "lower", "additive": True, "by_segment": False,
}  # fmt: skip

KPIS: tuple[Kpi, ...] = (
    _always("revenue", "money", "revenue", n="orders", additive=True),
    Kpi("ytd_attainment", "share", "ytd", of_target="revenue", needs=("orders", "targets"),
        window="this_year", strict=True, by_segment=False, by_cut=False, cumulative=True,
        optional=False),
    _always("gross_margin_rate", "share", "margin", "costed", n="orders", needs=("orders.cost",)),
    _always("active_customers", "count", "active", n="orders", additive=True),
    _always("new_customers", "count", "new", n="active", window="after_a_year", strict=True,
            additive=True),
    _always("high_value_customers", "count", "best", needs=("segment_history",), window="none",
            balance=True, statistic=True, by_segment=False, by_cut=False),
    _always("retention", "share", "kept", "base", window="two_years", strict=True, interval=True),
    _always("repurchase_rate", "share", "repeated", "buyers", window="year", strict=True,
            interval=True),
    _always("average_order", "money", "revenue", "orders"),
    _always("visit_coverage", "share", "visited", "known", needs=("activities",), kind="process",
            strict=True, interval=True),
    _always("satisfaction", "number", "ratings", "rated", needs=("tickets.satisfaction",),
            window="none"),
    Kpi("tickets", "count", "tickets_opened", n="tickets_opened", needs=("tickets",),
        better="lower", additive=True),
    Kpi("tickets_open", "count", "tickets_open", n="tickets_open", needs=("tickets.closed_at",),
        better="lower", window="none", balance=True, additive=True),
    Kpi("resolution_days", "days", "resolved_days", n="tickets_resolved", statistic=True,
        needs=("tickets.closed_at",), better="lower"),
    _whole("revenue_ytd", "money", "ytd", window="this_year", strict=True, cumulative=True),
    _whole("time_elapsed", "share", "elapsed", kind="process", cumulative=True),
    _whole("quarter_end_push", "share", "pushed", "pushed_of", n="pushed_orders", better="lower"),
    Kpi("collected", "money", "collected", n="payments", needs=("payments",), additive=True,
        by_segment=False),
    Kpi("collection_rate", "share", "collected", of_target="collected", n="payments",
        needs=("payments", "targets"), by_segment=False),
    Kpi("receivables", "money", "balance", n="debtors", needs=("receivables",), window="none",
        balance=True, statistic=True, better="lower", additive=True, by_segment=False),
    Kpi("overdue", "money", "overdue", n="late", needs=("receivables.overdue",), window="none",
        balance=True, statistic=True, better="lower", additive=True, by_segment=False),
    Kpi("overdue_share", "share", "overdue", "balance", n="debtors",
        needs=("receivables.overdue",), window="none", balance=True, better="lower",
        by_segment=False),
    _done("visits"),
    _done("calls"),
    Kpi("connect_rate", "share", "answered", "dialled", needs=("activities.connected",),
        kind="process", strict=True, interval=True),
    _done("mails"),
    _done("webinars"),
    _done("materials"),
    Kpi("visit_compliance", "share", "contacts_kept", "contacts_planned",
        needs=("activities", "segments"), kind="process", window="none"),
    Kpi("trial_activation", "share", "activated", "on_trial",
        needs=("usage", "customers.on_trial"), kind="process", window="none", interval=True,
        by_segment=False),
    Kpi("task_completion", "share", "tasks_done", "tasks_due", needs=("task_results.due_on",),
        kind="process", window="none", interval=True, by_segment=False),
    Kpi("tasks_in_time", "share", "tasks_kept", "tasks_due",
        needs=("task_results.due_on", "task_results.done_on"), kind="process", window="none",
        interval=True, by_segment=False),
    Kpi("new_customer_conversion", "share", "converted", "came", needs=("customers.joined_on",
        "orders"), window="none", interval=True),
    _funnel("lead_conversion", "share", "leads_converted", "leads_judged", interval=True,
            needs=("leads.converted_at",), window="leads"),
    _funnel("win_rate", "share", "deals_won", "deals_closed", needs=_DEALS, interval=True),
    _funnel("win_rate_value", "share", "value_won", "value_closed", n="deals_closed",
            needs=(*_DEALS, "opportunities.amount")),
    _funnel("sales_cycle_days", "days", "cycle_days", n="cycles", statistic=True, better="lower",
            needs=(*_DEALS, "opportunities.created_at")),
    Kpi("on_time_delivery", "share", "on_time", "promised", interval=True, window="none",
        needs=("orders.promised_on", "orders.shipped_on")),
    Kpi("return_rate", "share", "sent_back", "sent", n="lines", better="lower"),
    Kpi("discount", "share", "sold_at", "listed_at", n="listed_lines", minus=1.0,
        needs=("orders.list_price",), better="lower"),
    Kpi("nps", "number", "nps_points", "nps_answers", scale=100.0, needs=("surveys",),
        window="none"),
    Kpi("survey_satisfaction", "number", "survey_ratings", "survey_rated", needs=("surveys",),
        window="none"),
    _whole("high_value_customer_share", "share", "best", "everybody", needs=("segment_history",),
           window="none", balance=True),
    _whole("lifetime_value", "money", "lifetime", n="base", statistic=True,
           needs=("orders.cost",), window="two_years", strict=True),
    Kpi("arr", "money", "arr_end", n="arr_customers", additive=True, **_TERMS),
    Kpi("net_revenue_retention", "share", "arr_net", "arr_start", n="arr_opening", **_TERMS),
    Kpi("gross_revenue_retention", "share", "arr_gross", "arr_start", n="arr_opening", **_TERMS),
    Kpi("renewal_rate_value", "share", "arr_renewed", "arr_expiring", n="expiring", **_TERMS),
    Kpi("renewal_rate", "share", "renewed", "expiring", interval=True, **_TERMS),
    Kpi("lost_arr", "money", "arr_lost", n="arr_gone", better="lower", additive=True, **_TERMS),
    Kpi("live_rate", "share", "live", "started", needs=("usage", "subscriptions.seats"),
        window="none", interval=True),
    Kpi("red_accounts", "count", "red_customers", n="red_customers", **_RED),
    Kpi("red_arr", "money", "red_arr", n="red_customers", **_RED),
)  # fmt: skip

BY_KEY: dict[str, Kpi] = {kpi.key: kpi for kpi in KPIS}
_WHO = {"customers", "people", "segments", "segments_before", "scheme_segments"}
TABLES: tuple[str, ...] = tuple(
    sorted({table for kpi in KPIS for table in kpi.tables} - {"orders", "targets"} | _WHO)
)


def dictionary(tables: Mapping[str, pa.Table | pd.DataFrame | None]) -> pd.DataFrame:
    """Every KPI with its formula, and whether the given data is enough for it.

    Parameters
    ----------
    tables
        RECORD tables by name. One that is empty, or a column without any value, counts as
        missing.

    Returns
    -------
    DataFrame
        RECORD ``kpi_dictionary``, in the order of `KPIS`.
    """
    needs = sorted({need for kpi in KPIS for need in kpi.needs})
    lacks = {need for need in needs if not _has(tables, need)}
    rows = [
        {
            "kpi": kpi.key,
            "kind": kpi.kind,
            "unit": kpi.unit,
            "better": kpi.better,
            "formula": json.dumps({"key": f"kpi_definition.{kpi.key}", "args": {}}),
            "source": ", ".join(kpi.tables),
            "denominator": kpi.bottom or (f"target_{kpi.of_target}" if kpi.of_target else ""),
            "available": not lacks.intersection(kpi.needs),
            "missing": ", ".join(need for need in kpi.needs if need in lacks),
        }
        for kpi in KPIS
    ]
    return pd.DataFrame(rows, columns=RECORD["kpi_dictionary"].names)


def _has(tables: Mapping[str, pa.Table | pd.DataFrame | None], need: str) -> bool:
    name, _, rest = need.partition(".")
    column, _, value = rest.partition("=")
    table = tables.get(name)
    if table is None or not len(table):
        return False
    if not column:
        return True
    names = table.columns if isinstance(table, pd.DataFrame) else table.column_names
    if column not in names:
        return False
    if isinstance(table, pd.DataFrame):
        known = table[column].notna().any() if not value else (table[column] == value).any()
        return bool(known)
    if value:
        return bool(pc.index(table[column], value).as_py() >= 0)
    return bool(table[column].null_count < table.num_rows)
