"""Goals: where each stands, whether it can be shown, and whether the goals agree.

A goal is `on_target` when it is reached; `watch` when it is missed by little, or is not due yet
and has come closer than its baseline; else `below`. Whether it stands for anything is told
beside it: with few customers even a perfect quarter cannot show a share of 98 %.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
from scipy.stats import norm

from analysis.calendars import Period
from analysis.effects.goal_values import COUNT_OF, UNITS, Measured, goal_value
from analysis.effects.kpi_dictionary import BY_KEY
from analysis.settings_goals import Goal
from analysis.tables import RECORD

_DUST = 1e-9
ALL = "all"


def goals(
    chosen: Sequence[Goal],
    kpis: pd.DataFrame,
    period: Period,
    *,
    orders: pa.Table | None = None,
    segments_before: pd.DataFrame | None = None,
    scheme_segments: pd.DataFrame | None = None,
    watch: float = 0.02,
    level: float = 0.95,
) -> pd.DataFrame:
    """Every goal with its value, its baseline and its light.

    Parameters
    ----------
    chosen
        The goals of the settings.
    kpis
        RECORD ``kpis``; those of `analysis.effects.baselines` beside it give goals by segment
        their baseline.
    period
        The period of the report.
    orders, segments_before
        For what goals ask beyond those KPIs: see `analysis.effects.goal_values`.
    scheme_segments
        RECORD table: goals of another scheme's segments are left out.
    watch
        Distance by which a goal may be missed and still be watched: in points for shares, else
        relative.
    level
        Level at which a share is to be shown.

    Returns
    -------
    DataFrame
        RECORD ``goals``, in the order of the settings. ``attainment`` is the way covered from
        the baseline to the target, or value / target; ``note`` is a list of catalogue keys
        with arguments.
    """
    if scheme_segments is not None:
        own = scheme_segments.loc[scheme_segments["primary"].astype(bool), "segment"]
        chosen = [goal for goal in chosen if goal.segment in {ALL, *own}]
    found = [goal_value(goal, period, kpis, orders, segments_before) for goal in chosen]
    rows = []
    for goal, measured in zip(chosen, found, strict=True):
        baseline = _baseline(goal, kpis, orders, segments_before)
        target = _target(goal, baseline)
        unit = UNITS.get(goal.kpi) or (BY_KEY[goal.kpi].unit if goal.kpi in BY_KEY else "number")
        due = Period.parse(goal.due).end > period.end
        notes = [
            *_unmeasured(measured, baseline, goal),
            *_too_few(goal, target, unit, measured, level),
            *_disagreeing(goal, measured, chosen),
        ]
        if unit == "share" and target > 1:
            notes.append(_note("beyond_whole", target=(target, unit)))
        rows.append(
            {
                "goal": goal.goal,
                "kpi": goal.kpi,
                "segment": goal.segment,
                "direction": goal.direction,
                "baseline": baseline,
                "target": target,
                "unit": unit,
                "due": goal.due,
                "value": measured.value,
                "n": measured.n,
                "attainment": _attainment(measured.value, baseline, target),
                "status": _status(goal, measured.value, baseline, target, unit, watch, due),
                "note": json.dumps(notes, ensure_ascii=False, sort_keys=True) if notes else None,
            }
        )
    return pd.DataFrame(rows, columns=RECORD["goals"].names)


def customers_to_show(target: float, *, at_least: bool, level: float = 0.95) -> int:
    """Fewest customers with which a share can be shown to keep its bound.

    Even if every one of n customers is kept, the lower Wilson bound is n / (n + z²): it reaches
    the target from z² · target / (1 − target) customers on. For an upper bound the same of the
    others.

    Parameters
    ----------
    target
        The bound, above 0 and below 1 [share].
    at_least
        A lower bound; else an upper one.
    level
        Level of the interval.
    """
    share = target if at_least else 1 - target
    z = float(norm.ppf(0.5 + level / 2))
    return math.ceil(z**2 * share / (1 - share) - _DUST)


def _baseline(
    goal: Goal, kpis: pd.DataFrame, orders: pa.Table | None, members: pd.DataFrame | None
) -> float:
    if goal.since is None:
        return math.nan if goal.baseline is None else goal.baseline
    return goal_value(goal, Period.parse(goal.since), kpis, orders, members).value


def _target(goal: Goal, baseline: float) -> float:
    if goal.target is not None or goal.change is None:
        return math.nan if goal.target is None else goal.target
    return baseline * (1 + goal.change if goal.direction == "up" else 1 - goal.change)


def _attainment(value: float, baseline: float, target: float) -> float:
    if math.isnan(baseline):
        return value / target if target > 0 else math.nan
    way = target - baseline
    return (value - baseline) / way if way else math.nan


def _status(
    goal: Goal,
    value: float,
    baseline: float,
    target: float,
    unit: str,
    watch: float,
    due_later: bool,
) -> str:
    if math.isnan(value) or math.isnan(target):
        return "none"
    sign = 1 if goal.direction in ("up", "at_least") else -1
    short = sign * (target - value)
    if short <= _DUST * abs(target):
        return "on_target"
    near = short <= (watch if unit == "share" else watch * abs(target)) + _DUST
    return "watch" if near or (due_later and sign * (value - baseline) > 0) else "below"


def _unmeasured(measured: Measured, baseline: float, goal: Goal) -> list[dict[str, object]]:
    if math.isnan(measured.value):
        return [_note("not_measured")]
    if goal.direction in ("up", "down") and math.isnan(baseline):
        return [_note("no_baseline")]
    return []


def _too_few(
    goal: Goal, target: float, unit: str, measured: Measured, level: float
) -> list[dict[str, object]]:
    """With so few customers the bound cannot be shown, whatever happens."""
    bound = goal.direction in ("at_least", "at_most") and unit == "share" and 0 < target < 1
    planned = math.isnan(measured.n) and goal.customers is not None
    if not (bound and (measured.counted or planned)):
        return []
    n = float(goal.customers or 0) if planned else measured.n
    needed = customers_to_show(target, at_least=goal.direction == "at_least", level=level)
    if n <= 0 or n >= needed:
        return []
    args = {"target": (target, unit), "n": (n, "count"), "n_needed": (needed, "count")}
    return [_note("too_few", **args, one=(1 / n, "points"))]


def _disagreeing(goal: Goal, measured: Measured, others: Sequence[Goal]) -> list[dict[str, object]]:
    """A share of so many customers is another number than the goal beside it names."""
    notes = []
    for other in others:
        same = (other.segment, other.due, other.reach) == (goal.segment, goal.due, goal.reach)
        bounds = {goal.direction, other.direction} == {"at_least"}
        if COUNT_OF.get(other.kpi) != goal.kpi or not (same and bounds):
            continue
        planned = float(other.customers or goal.customers or math.nan)
        n = planned if math.isnan(measured.n) else measured.n
        share, count = other.target or 0.0, goal.target or 0.0
        if not math.isnan(n) and math.ceil(share * n - _DUST) != count:
            args = {"share": (share, "share"), "n": (n, "count"), "target": (count, "count")}
            notes.append(_note("disagree", **args, product=(math.ceil(share * n - _DUST), "count")))
    return notes


def _note(key: str, **args: tuple[float, str]) -> dict[str, object]:
    """A note: catalogue key below ``goal_note.`` and numbers with their units."""
    plain = {name: {"value": float(value), "unit": unit} for name, (value, unit) in args.items()}
    return {"key": f"goal_note.{key}", "args": plain}
