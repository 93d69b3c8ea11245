"""The KPIs: unit, direction, and what they are measured on.

``kpi.<key>`` is the name in the catalogues, ``kpi_definition.<key>`` the definition in words;
the formulas stand in `analysis.effects.kpi_values`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Kpi:
    """One KPI.

    Attributes
    ----------
    unit
        money, share, count or number.
    better
        Which direction is good.
    needs
        Input without which it stays empty.
    additive
        Whether the targets of persons add up to the company's.
    by_segment
        Whether it is also shown for each segment.
    cumulative
        Whether it grows through the year, so that the previous period is no comparison.
    optional
        Whether it has no row, rather than an empty one, where its input is missing.
    """

    key: str
    unit: Literal["money", "share", "count", "number"]
    better: Literal["higher", "lower"] = "higher"
    needs: str = "orders"
    additive: bool = False
    by_segment: bool = True
    cumulative: bool = False
    optional: bool = False


def _whole(key: str, unit: Literal["money", "share"], **more: Any) -> Kpi:
    """A KPI of the whole company that has a row only where it has a value."""
    return Kpi(key, unit, by_segment=False, optional=True, **more)


KPIS: tuple[Kpi, ...] = (
    Kpi("revenue", "money", additive=True),
    Kpi("ytd_attainment", "share", needs="targets", by_segment=False, cumulative=True),
    Kpi("gross_margin_rate", "share", needs="orders.cost"),
    Kpi("active_customers", "count"),
    Kpi("new_customers", "count", additive=True),
    Kpi("high_value_customers", "count", needs="segments", by_segment=False),
    Kpi("retention", "share"),
    Kpi("repurchase_rate", "share"),
    Kpi("average_order", "money"),
    Kpi("visit_coverage", "share", needs="activities"),
    Kpi("satisfaction", "number", needs="tickets"),
    _whole("revenue_ytd", "money", cumulative=True),
    _whole("time_elapsed", "share", cumulative=True),
    _whole("quarter_end_push", "share", better="lower"),
    _whole("collected", "money", needs="payments", additive=True),
    _whole("collection_rate", "share", needs="payments"),
    _whole("receivables", "money", needs="receivables", better="lower"),
    _whole("overdue", "money", needs="receivables", better="lower"),
    _whole("overdue_share", "share", needs="receivables", better="lower"),
)

BY_KEY: dict[str, Kpi] = {kpi.key: kpi for kpi in KPIS}
