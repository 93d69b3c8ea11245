"""One customer, one strategy: which measure, by whom, until when, in which wave, for how much."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pandas as pd

from analysis.calendars import Period, WorkingCalendar
from analysis.roles import roles_of
from analysis.settings_measures import Strategy
from analysis.strategy import owners
from analysis.strategy.budget import within
from analysis.strategy.evidence import NONE, Evidence, read
from analysis.strategy.playbook import Measure, Playbook, SegmentPlan
from analysis.strategy.reasons import reasons
from analysis.tables import RECORD

LATER = "later"  # the wave that starts in the period after the next

_FEATURES = (
    "monetary", "mean_order", "frequency", "recency_days", "expected_interval_days",
    "tenure_days", "orders_ever",
)  # fmt: skip


def plan(
    candidates: pd.DataFrame,
    waves: pd.DataFrame,
    segments: pd.DataFrame,
    features: pd.DataFrame,
    customers: pd.DataFrame,
    people: pd.DataFrame | None,
    effects: pd.DataFrame | None,
    playbook: Playbook,
    settings: Strategy,
    margin_rate: float,
    period_next: Period,
    scheme_segments: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The measures of the next period, customer by customer.

    Parameters
    ----------
    candidates
        From `analysis.strategy.candidates`: who would get which measure.
    waves
        RECORD ``waves``: the wave of each customer and strategy, drawn beforehand.
    segments, features, customers, people
        RECORD tables at the end of this period.
    effects
        RECORD ``effects`` of this period's measures; None or empty: nothing was measured.
    playbook
        From `load_playbook`.
    settings
        Section ``strategy``.
    margin_rate
        Margin in extra revenue, 0-1.
    period_next
        The period planned for.
    scheme_segments
        RECORD table: the segments' roles choose the words of the reasons; None: the plain ones.

    Returns
    -------
    DataFrame
        RECORD ``plan``. Rows of the wave `later` start in the period after, so they cost nothing
        in this one and promise nothing; their customers are what the measure is compared with.
        ``expected_value`` is trust × effect × margin, once per strategy and customer; empty
        without evidence.
        With a budget, duties come first, then extra measures by expected value per cost.
    """
    base = _customers(segments, features, customers)
    evidence = read(effects)
    roles = roles_of(scheme_segments)
    persons = owners.People(people, playbook.substitutes)
    calendar = WorkingCalendar(settings.holidays)
    named = candidates.merge(
        waves[["customer_id", "strategy", "wave"]], on=["customer_id", "strategy"], how="left"
    )
    valued: set[str] = set()
    parts = []
    for segment, key, measure in playbook.measures():
        mine = named.loc[named["measure"] == key, ["customer_id", "wave"]]
        if mine.empty:
            continue
        chosen = base.merge(mine, on="customer_id", how="inner")
        known = evidence.get(measure.strategy, Evidence())
        worth = math.nan
        if measure.strategy not in valued:
            worth = expected(known, settings.trust, margin_rate)
            valued.add(measure.strategy)
        dates = {
            name: span(playbook.segments[segment], measure, period, calendar)
            for name, period in (("now", period_next), ("later", period_next.next()))
        }
        later = chosen["wave"].to_numpy(dtype=object) == LATER
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": chosen["customer_id"].to_numpy(dtype=object),
                    "segment": segment,
                    "strategy": measure.strategy,
                    "measure": key,
                    "owner_id": owners.assign(chosen, measure.owner_role, persons),
                    "owner_role": measure.owner_role,
                    "start": [dates["later" if late else "now"][0] for late in later],
                    "due": [dates["later" if late else "now"][1] for late in later],
                    "channel": measure.channel,
                    "kpi": measure.kpi,
                    "expected_value": np.where(later, math.nan, worth),
                    "cost": np.where(later, 0.0, measure.cost),
                    "wave": chosen["wave"].to_numpy(dtype=object),
                    "grade": known.grade if not math.isnan(worth) else NONE,
                    "reason": reasons(chosen, roles),
                    "duty": not measure.extra,
                    "price": measure.cost,
                    "worth": worth,
                    "money": chosen["monetary"].fillna(0.0).to_numpy(float),
                }
            )
        )
    if not parts:
        return pd.DataFrame(columns=RECORD["plan"].names)
    rows = pd.concat(parts, ignore_index=True)
    rows = within(rows, settings.budget)
    for column in ("start", "due"):
        rows[column] = pd.to_datetime(rows[column])
    rows = rows.sort_values(["customer_id", "measure"], kind="stable", ignore_index=True)
    return rows.reindex(columns=RECORD["plan"].names)


def expected(evidence: Evidence, trust: float, margin_rate: float) -> float:
    """Extra margin a customer is planned to bring [currency]; NaN without evidence.

    Only effects in money of grade A to C count, and only `trust` of them: of several measures
    the best-looking one is also the luckiest.
    """
    if evidence.grade not in ("A", "B", "C") or evidence.stopped:
        return math.nan
    return trust * evidence.estimate * margin_rate


def span(
    plan: SegmentPlan, measure: Measure, period: Period, calendar: WorkingCalendar
) -> tuple[date, date]:
    """First and last day of a measure: working days, and inside the period where it has any."""
    end = max(calendar.last_working_on_or_before(period.end), calendar.next_working(period.start))
    start = calendar.add_working_days(period.start, measure.start)
    due = calendar.add_working_days(start, plan.days(measure.due))
    return min(start, end), min(due, end)


def _customers(
    segments: pd.DataFrame, features: pd.DataFrame, customers: pd.DataFrame
) -> pd.DataFrame:
    """Each segmented customer once, with its numbers and owner, sorted."""
    base = segments[[c for c in ("customer_id", "segment", "tag") if c in segments]]
    base = base.merge(features[["customer_id", *_FEATURES]], on="customer_id", how="left")
    place = [c for c in ("owner_id", "team_id") if c in customers]
    base = base.merge(customers[["customer_id", *place]], on="customer_id", how="left")
    for column in ("owner_id", "team_id", "tag"):
        if column not in base:
            base[column] = None
    return base.sort_values("customer_id", kind="stable", ignore_index=True)
