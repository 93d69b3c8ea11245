"""The KPIs: unit, direction, and what they are measured on.

``kpi.<key>`` is the name in the catalogues, ``kpi_definition.<key>`` the definition in words;
the formulas stand in `analysis.effects.kpi_values`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


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
    """

    key: str
    unit: Literal["money", "share", "count", "number"]
    better: Literal["higher", "lower"] = "higher"
    needs: str = "orders"
    additive: bool = False
    by_segment: bool = True
    cumulative: bool = False


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
)

BY_KEY: dict[str, Kpi] = {kpi.key: kpi for kpi in KPIS}
