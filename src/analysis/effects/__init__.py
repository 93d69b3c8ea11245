"""What last period's measures did, the KPIs, and where the money came from and went to."""

from analysis.effects.adjustments import adjust, load_adjustments
from analysis.effects.arr_bridge import arr_bridge, renewals
from analysis.effects.baselines import baselines
from analysis.effects.bridge import bridge
from analysis.effects.conclusions import conclude
from analysis.effects.detection import designs
from analysis.effects.estimate import Estimates, estimate
from analysis.effects.evidence import accumulate
from analysis.effects.gaps import gaps
from analysis.effects.goals import goals
from analysis.effects.kpi_cuts import kpi_cuts
from analysis.effects.kpi_dictionary import TABLES as KPI_TABLES
from analysis.effects.kpi_dictionary import dictionary
from analysis.effects.kpis import kpis
from analysis.effects.margin import margin_rate
from analysis.effects.outcomes import (
    outcomes_from_orders,
    panel_from_orders,
    traits_from_orders,
)
from analysis.effects.planned import done_from_tasks, of_period, treatments_from_plan
from analysis.effects.progress import every_task, progress, task_progress
from analysis.effects.scaling import scaling
from analysis.effects.signals import signals
from analysis.effects.tiers import returns_by_tier
from analysis.effects.waves import as_planned, assign
from analysis.effects.week_targets import member_basis, week_gaps, week_targets
from analysis.effects.week_tasks import open_tasks, task_states, week_tasks

__all__ = [
    "KPI_TABLES",
    "Estimates",
    "accumulate",
    "adjust",
    "arr_bridge",
    "as_planned",
    "assign",
    "baselines",
    "bridge",
    "conclude",
    "designs",
    "dictionary",
    "done_from_tasks",
    "estimate",
    "every_task",
    "gaps",
    "goals",
    "kpi_cuts",
    "kpis",
    "load_adjustments",
    "margin_rate",
    "member_basis",
    "of_period",
    "open_tasks",
    "outcomes_from_orders",
    "panel_from_orders",
    "progress",
    "renewals",
    "returns_by_tier",
    "scaling",
    "signals",
    "task_progress",
    "task_states",
    "traits_from_orders",
    "treatments_from_plan",
    "week_gaps",
    "week_targets",
    "week_tasks",
]
