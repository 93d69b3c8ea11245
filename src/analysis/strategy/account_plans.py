"""One page a customer: what is wanted of it, the way there, what it takes, and why."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.calendars import Period
from analysis.roles import roles_of
from analysis.settings_measures import Strategy
from analysis.strategy.evidence import NONE
from analysis.strategy.likeness import trails
from analysis.strategy.personal_goals import goals
from analysis.strategy.planning import LATER
from analysis.strategy.playbook import Playbook, Text
from analysis.strategy.reasons import NEEDS, reasons
from analysis.tables import RECORD

_GOAL_NEEDS = ("peer_industry", "days_to_renewal", "arr", "first_order_on")


def account_plans(
    plan: pd.DataFrame,
    segments: pd.DataFrame,
    features: pd.DataFrame,
    customers: pd.DataFrame,
    orders: pa.Table,
    playbook: Playbook,
    settings: Strategy,
    period_next: Period,
    *,
    cuts: pd.DataFrame | None = None,
    scheme_segments: pd.DataFrame | None = None,
    window_days: int = 365,
) -> pd.DataFrame:
    """The account plan of every customer in scope.

    Parameters
    ----------
    plan
        RECORD ``plan``.
    segments, features, customers, orders
        RECORD tables at the end of this period.
    playbook
        Of the next one.
    settings
        Section ``strategy``.
    period_next
        The period planned for; the one before it ends with the orders.
    cuts, scheme_segments
        RECORD tables: the next step in money, and the segments' roles.
    window_days
        Setting ``segmentation.monetary_days``.

    Returns
    -------
    DataFrame
        RECORD ``account_plans``, a row a segmented customer, whether or not it has a measure;
        sorted. The goals are those of `analysis.strategy.personal_goals.goals`.
    """
    this = period_next.previous()
    base = _customers(segments, features, customers)
    roles = roles_of(scheme_segments)
    goal = goals(
        base,
        cuts,
        playbook,
        roles,
        trails(orders, this.end, this.days, window_days),
        settings.accounts,
        period_next,
    )
    own = base[["customer_id", "segment", "owner_id"]].join(goal)
    own["reason"] = reasons(base, roles)
    found = own.merge(_of_plan(plan, playbook), on="customer_id", how="left")
    bare = found["path"].isna()
    fallback = {segment: _resources(playbook, segment, []) for segment in base["segment"].unique()}
    found.loc[bare, "path"] = "[]"
    found.loc[bare, "resources"] = found.loc[bare, "segment"].map(fallback)
    found["grade"] = found["grade"].fillna(NONE)
    found["measures"] = found["measures"].fillna(0).astype(int)
    found["cost"] = found["cost"].fillna(0.0)
    return found[RECORD["account_plans"].names]


def _customers(
    segments: pd.DataFrame, features: pd.DataFrame, customers: pd.DataFrame
) -> pd.DataFrame:
    """Each segmented customer once, with what goals and reasons read, sorted."""
    base = segments[[c for c in ("customer_id", "segment", "tag", "m_reads") if c in segments]]
    more = [c for c in _GOAL_NEEDS if c in features]
    base = base.merge(features[["customer_id", *NEEDS, *more]], on="customer_id", how="left")
    place = [c for c in ("owner_id", "joined_on") if c in customers]
    base = base.merge(customers[["customer_id", *place]], on="customer_id", how="left")
    for column in ("owner_id", "tag"):
        if column not in base:
            base[column] = None
    return base.sort_values("customer_id", kind="stable", ignore_index=True)


def _of_plan(plan: pd.DataFrame, playbook: Playbook) -> pd.DataFrame:
    """What the plan holds for each of its customers."""
    columns = ["customer_id", "path", "resources", "measures", "expected_value", "cost", "grade"]
    if plan.empty:
        return pd.DataFrame(columns=columns)
    rows = plan.sort_values(["customer_id", "start", "measure"], kind="stable", ignore_index=True)
    step = {
        place: _step(*place)
        for place in set(
            zip(rows["measure"], rows["wave"], rows["start"], rows["due"], strict=True)
        )
    }
    rows["step"] = [
        step[place]
        for place in zip(rows["measure"], rows["wave"], rows["start"], rows["due"], strict=True)
    ]
    rows["now"] = (rows["wave"] != LATER).astype(int)
    rows["letter"] = rows["grade"].where(rows["grade"] != NONE)
    groups = rows.groupby("customer_id", sort=True)
    found = groups.agg(
        segment=("segment", "first"),
        path=("step", lambda steps: f"[{', '.join(steps)}]"),
        keys=("measure", lambda names: tuple(dict.fromkeys(names))),
        measures=("now", "sum"),
        grade=("letter", "min"),
    ).reset_index()
    for name in ("expected_value", "cost"):
        sums = [_sum(values) for _, values in groups[name]]
        found[name] = np.array(sums, dtype=float)
    takes = {
        pair: _resources(playbook, str(pair[0]), list(pair[1]))
        for pair in set(zip(found["segment"], found["keys"], strict=True))
    }
    found["resources"] = [takes[pair] for pair in zip(found["segment"], found["keys"], strict=True)]
    return found[columns]


def _sum(values: pd.Series) -> float:
    known = values.astype(float).dropna()
    return math.fsum(known) if len(known) else math.nan


def _step(measure: str, wave: str, start: pd.Timestamp, due: pd.Timestamp) -> str:
    days = {
        name: {"value": day.date().isoformat(), "unit": "date"}
        for name, day in (("start", start), ("due", due))
    }
    key = "later" if wave == LATER else "now"
    told = {"key": f"account_path.{key}", "args": {"measure": {"key": f"measure.{measure}"}} | days}
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def _resources(playbook: Playbook, segment: str, measures: list[str]) -> str:
    """What the segment gets, and what its measures take besides, as a list of sentences."""
    if segment not in playbook.segments:
        return "[]"
    plan = playbook.segments[segment]
    texts: list[Text] = [plan.resources]
    texts += [text for key in measures if (text := playbook.find(key)[1].resources) is not None]
    once = {json.dumps(said(text, plan.arguments()), sort_keys=True): text for text in texts}
    told = [said(text, plan.arguments()) for text in once.values()]
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def said(text: Text, arguments: dict[str, Any]) -> dict[str, Any]:
    """Catalogue key, or the playbook's own words (``text``), with the terms as arguments."""
    words = {"key": text} if isinstance(text, str) else {"text": text}
    return {**words, "args": arguments}
