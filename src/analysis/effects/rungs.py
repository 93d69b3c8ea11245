"""The rungs of the ladder: what each kind of evidence asks for, and its estimate.

A randomised waves, B staged roll-out, C customers like them; D is none of these. Which of them
counts is said in `analysis.effects.estimate`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.calendars import Period
from analysis.effects.balancing import Matched, matched
from analysis.effects.design import sample_ratio_p
from analysis.effects.estimators import Contrast, as_done, contrast
from analysis.effects.outcomes import REVENUE
from analysis.effects.staggered import Staggered, staggered
from analysis.effects.study import Case, before, labels
from analysis.settings_measures import Effectiveness

RANDOMISED = "randomised"
BEFORE = "before"
_FEWEST_GROUPS = 2  # of an arm: a single one has no spread


@dataclass(frozen=True)
class Material:
    """What there is beside the outcomes.

    Attributes
    ----------
    traits
        customer_id and numbers known before the measure.
    panel
        customer_id, period (0, 1, …; the latest is the period in question), value.
    period
        The period in question.
    """

    settings: Effectiveness
    seed: int
    traits: pd.DataFrame | None = None
    panel: pd.DataFrame | None = None
    period: Period | None = None


@dataclass(frozen=True)
class Rung:
    """The best evidence for a case, and what was tried above it.

    Attributes
    ----------
    case
        The customers that it rests on; `pool` is the comparison below A.
    grade
        A-D.
    found
        The estimate; None for D, and where an arm is too small.
    done
        Effect on those whom the measure reached (A).
    why
        D: catalogue key of the reason.
    balance_p, ratio_p
        Probabilities of the outcome before and of the arm sizes under a draw; NaN: not known.
    staged, alike
        What the roll-out and the customers like them gave, used or not.
    """

    case: Case
    grade: str
    found: Contrast | None = None
    done: Contrast | None = None
    why: str = ""
    balance_p: float = math.nan
    ratio_p: float = math.nan
    staged: Staggered | None = None
    alike: Matched | None = None

    @property
    def comparison(self) -> pd.DataFrame:
        """Customers that are compared with."""
        return self.case.control if self.grade == "A" else self.case.pool

    @property
    def sizes(self) -> tuple[int, int]:
        """Customers treated and compared with."""
        if self.grade == "B" and self.staged is not None:
            return self.staged.n_treated, self.staged.n_control
        if self.grade == "C" and self.alike is not None:
            return self.alike.n_treated, self.alike.n_control
        return len(self.case.treated), len(self.comparison)

    @property
    def periods(self) -> int:
        """Periods whose waves the estimate rests on."""
        if self.grade == "B" and self.staged is not None:
            return int(self.staged.group_time["cohort"].nunique())
        return 0 if self.found is None else 1


def climb(case: Case, material: Material) -> Rung:
    """The highest rung that holds, by the rule of `analysis.effects.estimate`."""
    settings = material.settings
    balance_p, ratio_p = balance_of(case), _ratio_p(case, settings)
    tried = Rung(case, "D", balance_p=balance_p, ratio_p=ratio_p)
    alarm = min(_known(balance_p), _known(ratio_p)) < settings.balance_alarm
    if settings.assignment == RANDOMISED and len(case.treated) and len(case.control) and not alarm:
        return replace(drawn(case, material), balance_p=balance_p, ratio_p=ratio_p)
    staged = rolled_out(case, material)
    tried = replace(tried, staged=staged)
    if staged is not None and not staged.pre_trend_p < settings.ladder.pre_trend_alarm:
        return replace(tried, grade="B", found=staged.overall)
    alike = like_them(case, material)
    tried = replace(tried, alike=alike)
    if alike is not None and alike.overlap >= settings.ladder.least_overlap:
        return replace(tried, grade="C", found=alike.contrast)
    return replace(tried, why=_why_not(case, material))


def within(segment: str, rung: Rung, material: Material) -> Rung | None:
    """The same rung among the customers of a segment; None where it does not hold there."""
    case = rung.case.within(segment)
    least = material.settings.min_arm
    comparison = case.control if rung.grade == "A" else case.pool
    if rung.found is None or min(len(case.treated), len(comparison)) < least:
        return None
    if rung.grade == "A":
        arms = drawn(case, material)
        return replace(arms, balance_p=balance_of(case)) if arms.found else None
    if rung.grade == "B":
        staged = rolled_out(case, material)
        found = staged.overall if staged is not None else None
        return replace(rung, case=case, staged=staged, found=found) if found else None
    alike = like_them(case, material)
    if alike is None or alike.overlap < material.settings.ladder.least_overlap:
        return None
    return replace(rung, case=case, alike=alike, found=alike.contrast, balance_p=math.nan)


def drawn(case: Case, material: Material) -> Rung:
    """A: the arms of a draw, adjusted for the outcome before, by blocks and corporate groups."""
    settings, first, second = material.settings, case.treated, case.control
    if min(len(first), len(second)) < settings.min_arm or one_group(first, second):
        return Rung(case, "A")
    values = (first["value"].to_numpy(float), second["value"].to_numpy(float))
    earlier = before(case) or (None, None)
    blocks, groups = labels(first, second, "block"), labels(first, second, "group")
    found = contrast(
        *values,
        *earlier,
        level=settings.level,
        rng=np.random.default_rng(case.seed(material.seed)),
        blocks=blocks,
        groups=groups,
    )
    done = None
    if first["done"].mean() >= settings.min_done and first["done"].notna().all():
        done = as_done(
            *values,
            first["done"].to_numpy(float),
            second["done"].fillna(0.0).to_numpy(float),
            *earlier,
            level=settings.level,
            blocks=blocks,
            groups=groups,
        )
    return Rung(case, "A", found, done)


def roll_out_panel(case: Case, material: Material) -> pd.DataFrame | None:
    """The panel of a strategy that began at different times; None where there is no such thing.

    Returns
    -------
    DataFrame or None
        customer_id, period, value, cohort (empty: not yet), group. Customers who began before
        the panel does are left out.
    """
    panel, period = material.panel, material.period
    if panel is None or period is None or panel.empty or case.outcome != REVENUE:
        return None
    last = int(panel["period"].max())
    starts = [pd.Timestamp(period.back(last - k).start) for k in range(last + 1)]
    begun = case.started.dropna(subset=["started_on"])
    cohort = np.searchsorted(
        np.array(starts, dtype="datetime64[us]"),
        begun["started_on"].to_numpy("datetime64[us]"),
        side="right",
    )
    treated = begun.assign(cohort=cohort - 1.0)[["customer_id", "cohort", "group"]]
    treated = treated[treated["cohort"] >= 0]
    first, count = treated["cohort"].min(), treated["cohort"].nunique()
    if count < 2 or first < material.settings.ladder.pre_periods:
        return None
    free = case.pool.loc[~case.pool["customer_id"].isin(begun["customer_id"])]
    never = free[["customer_id", "group"]].assign(cohort=math.nan)
    who = pd.concat([treated, never], ignore_index=True)
    return panel.merge(who, on="customer_id", how="inner")


def rolled_out(case: Case, material: Material) -> Staggered | None:
    """B: those who began at different times, against those not yet reached."""
    rows = roll_out_panel(case, material)
    if rows is None:
        return None
    settings = material.settings
    started = rows["cohort"].notna()
    if one_group(rows[started], rows[~started]):
        return None
    found = staggered(
        rows, level=settings.level, anticipation=settings.ladder.trigger_periods, group="group"
    )
    if found is None or min(found.n_treated, found.n_control) < settings.min_arm:
        return None
    return found


def like_them(case: Case, material: Material) -> Matched | None:
    """C: customers whom no measure reached, weighted to be like the treated before it."""
    both = with_traits(case, case.pool, material.traits)
    least = material.settings.min_arm
    if both is None or min(len(both[0]), len(both[1])) < least:
        return None
    treated, control, names = both
    if one_group(treated, control):
        return None
    return matched(treated, control, names, level=material.settings.level, group="group")


def one_group(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    """Whether an arm has customers of a single corporate group: its spread is that of nobody else.

    A group that stands in both arms counts with the first.
    """
    groups = set(first["group"])
    return min(len(groups), len(set(second["group"]) - groups)) < _FEWEST_GROUPS


def with_traits(
    case: Case, comparison: pd.DataFrame, traits: pd.DataFrame | None
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]] | None:
    """Treated and comparison with what was known of them before the measure; None without any.

    The outcome before, the given traits, and the segment before where the treated come from
    several. Of two names for one thing the outcome before stands for the latest money.
    """
    both = pd.concat([case.treated, comparison], ignore_index=True)
    names: list[str] = []
    if len(both) and both[BEFORE].notna().all():
        names.append(BEFORE)
    if traits is not None and not traits.empty:
        own = [str(name) for name in traits.columns if name != "customer_id"]
        if BEFORE in names and case.outcome == REVENUE:
            own = [name for name in own if name != "money_1"]
        both = both.merge(traits[["customer_id", *own]], on="customer_id", how="left")
        names += [name for name in own if both[name].notna().all()]
    if names and len(set(case.treated["segment"])) > 1:
        names.append("segment")
    names = [name for name in names if len(set(both[name])) > 1]
    n = len(case.treated)
    return (both.iloc[:n], both.iloc[n:], names) if names else None


def balance_of(case: Case) -> float:
    """Two-sided p of equal means of the outcome before, as the draw would have them."""
    earlier = before(case)
    if earlier is None or min(len(earlier[0]), len(earlier[1])) < 2:
        return math.nan
    blocks, groups = (labels(case.treated, case.control, name) for name in ("block", "group"))
    return contrast(*earlier, blocks=blocks, groups=groups).p_value


def _ratio_p(case: Case, settings: Effectiveness) -> float:
    """Probability of the arm sizes; NaN, which alarms nobody, where no ratio was planned."""
    if settings.held_out_share is None:
        return math.nan
    return sample_ratio_p(case.drawn, [1 - settings.held_out_share, settings.held_out_share])


def _known(p: float) -> float:
    return 1.0 if math.isnan(p) else p


def _why_not(case: Case, material: Material) -> str:
    if case.pool.empty:
        return "no_comparison"
    if min(len(case.treated), len(case.pool)) < material.settings.min_arm:
        return "too_few_alike"
    if one_group(case.treated, case.pool):
        return "one_group"
    return "poor_overlap" if with_traits(case, case.pool, material.traits) else "not_comparable"
