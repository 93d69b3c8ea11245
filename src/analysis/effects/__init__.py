"""What last period's measures did, the KPIs, and where the money came from and went to."""

from analysis.effects.bridge import bridge
from analysis.effects.detection import designs
from analysis.effects.estimate import Estimates, estimate
from analysis.effects.kpis import kpis
from analysis.effects.margin import margin_rate
from analysis.effects.outcomes import (
    outcomes_from_orders,
    panel_from_orders,
    traits_from_orders,
)
from analysis.effects.planned import of_period, treatments_from_plan
from analysis.effects.waves import as_planned, assign

__all__ = [
    "Estimates",
    "as_planned",
    "assign",
    "bridge",
    "designs",
    "estimate",
    "kpis",
    "margin_rate",
    "of_period",
    "outcomes_from_orders",
    "panel_from_orders",
    "traits_from_orders",
    "treatments_from_plan",
]
