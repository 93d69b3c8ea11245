"""One customer, one strategy: which measure, by whom, until when, in which wave, for how much."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pandas as pd

from analysis.calendars import Period, WorkingCalendar
from analysis.roles import Roles, roles_of
from analysis.settings_measures import Strategy
from analysis.strategy.evidence import NONE
from analysis.strategy.playbook import Measure, Playbook, SegmentPlan
from analysis.strategy.reasons import NEEDS, fired, reasons
from analysis.tables import RECORD

LATER = "later"  # the wave that starts in the period after the next


def plan(
    chosen: pd.DataFrame,
    segments: pd.DataFrame,
    features: pd.DataFrame,
    playbook: Playbook,
    settings: Strategy,
    period_next: Period,
    *,
    facts: pd.DataFrame | None = None,
    scheme_segments: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The measures of the next period, customer by customer.

    Parameters
    ----------
    chosen
        Rows of `analysis.strategy.options` that are in the plan, with ``wave`` (first, later,
        exempt) and, where known, ``chosen_by``.
    segments, features
        RECORD tables at the end of this period.
    playbook
        As given to the options.
    settings
        Section ``strategy``.
    period_next
        The period planned for.
    facts
        As given to the candidates: what fired a measure's conditions is its reason.
    scheme_segments
        RECORD table: the segments' roles choose the words of the reasons; None: the plain ones.

    Returns
    -------
    DataFrame
        RECORD ``plan``. Rows of the wave `later` start in the period after, so they cost nothing
        in this one and promise nothing; their customers are what the measure is compared with.
        ``expected_value`` stands once per strategy and customer; empty without evidence.
    """
    if chosen.empty:
        return pd.DataFrame(columns=RECORD["plan"].names)
    calendar = WorkingCalendar(settings.holidays)
    rows = chosen.sort_values(["customer_id", "measure"], kind="stable", ignore_index=True)
    later = (rows["wave"] == LATER).to_numpy()
    worth = np.where(later, math.nan, rows["worth"].to_numpy(float))
    out = rows[
        ["customer_id", "segment", "strategy", "measure", "owner_id", "owner_role", "wave"]
    ].assign(
        expected_value=worth,
        cost=np.where(later, 0.0, rows["cost"].to_numpy(float)),
        visits=np.where(later, 0.0, rows["visits"].to_numpy(float)),
        grade=rows["grade"].where(~np.isnan(worth), NONE),
        contractual=rows["contractual"].astype(bool),
        chosen_by=rows.get("chosen_by"),
    )
    told = rows[["customer_id", "segment"]].merge(
        _numbers(segments, features), on="customer_id", how="left"
    )
    if facts is not None:
        told = told.merge(facts.drop(columns="segment", errors="ignore"), on="customer_id",
                          how="left", suffixes=("", "_fact"))  # fmt: skip
    parts = []
    for key, mine in out.groupby("measure", sort=False):
        home, measure = playbook.find(str(key))
        dates = {
            late: span(home, measure, period, calendar)
            for late, period in ((False, period_next), (True, period_next.next()))
        }
        late = mine["wave"] == LATER
        parts.append(
            mine.assign(
                start=[dates[one][0] for one in late],
                due=[dates[one][1] for one in late],
                channel=measure.channel,
                kpi=measure.kpi,
                reason=_why(told.loc[mine.index], measure, roles_of(scheme_segments)),
            )
        )
    found = pd.concat(parts).sort_index()
    for column in ("start", "due"):
        found[column] = pd.to_datetime(found[column])
    return found[RECORD["plan"].names]


def span(
    plan: SegmentPlan, measure: Measure, period: Period, calendar: WorkingCalendar
) -> tuple[date, date]:
    """First and last day of a measure: working days, and inside the period where it has any."""
    end = max(calendar.last_working_on_or_before(period.end), calendar.next_working(period.start))
    start = calendar.add_working_days(period.start, measure.start)
    due = calendar.add_working_days(start, plan.days(measure.due))
    return min(start, end), min(due, end)


def _why(customers: pd.DataFrame, measure: Measure, roles: Roles) -> list[str]:
    plain = reasons(customers, roles)
    return fired(customers, measure.when, plain) if measure.when else plain


def _numbers(segments: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """What the reasons tell of each segmented customer."""
    base = segments[[c for c in ("customer_id", "tag") if c in segments]]
    base = base.merge(features[["customer_id", *NEEDS]], on="customer_id", how="left")
    return base if "tag" in base else base.assign(tag=None)
