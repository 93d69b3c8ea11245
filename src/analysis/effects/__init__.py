"""What last period's measures did, the KPIs, and where the money came from and went to."""

from analysis.effects.arr_bridge import arr_bridge, renewals
from analysis.effects.bridge import bridge
from analysis.effects.estimate import estimate
from analysis.effects.gaps import gaps
from analysis.effects.goals import goals
from analysis.effects.kpis import kpis
from analysis.effects.margin import margin_rate
from analysis.effects.outcomes import outcomes_from_orders
from analysis.effects.planned import of_period, treatments_from_plan

__all__ = [
    "arr_bridge",
    "bridge",
    "estimate",
    "gaps",
    "goals",
    "kpis",
    "margin_rate",
    "of_period",
    "outcomes_from_orders",
    "renewals",
    "treatments_from_plan",
]
