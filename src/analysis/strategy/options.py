"""What each customer could get: by whom, for how much, and what it is expected to bring."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from analysis.settings_measures import Strategy
from analysis.strategy import owners
from analysis.strategy.candidates import NEGATIVE
from analysis.strategy.evidence import NONE, Evidence
from analysis.strategy.playbook import Measure, Playbook
from analysis.strategy.shrinkage import worth

COLUMNS = [
    "customer_id", "segment", "strategy", "measure", "extra", "contractual", "owner_id",
    "owner_role", "cost", "visits", "calls", "worth", "worth_low", "worth_high", "later_share",
    "proven", "treated", "money", "touches", "grade", "why_not",
]  # fmt: skip
# a task of a measure with one of these is a contact with the customer
CONTACTS = frozenset({"visit", "meeting", "phone", "online", "mail", "wechat"})
CALLED = frozenset({"phone", "online"})  # of these, what takes its owner's time on the line


def options(
    candidates: pd.DataFrame,
    customers: pd.DataFrame,
    people: pd.DataFrame | None,
    features: pd.DataFrame,
    playbook: Playbook,
    evidence: Mapping[str, Evidence],
    settings: Strategy,
    margin_rate: float,
    treatments: pd.DataFrame | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Candidates with what the allocation weighs.

    Parameters
    ----------
    candidates
        From `analysis.strategy.candidates`.
    customers, people, features
        RECORD tables at the end of this period.
    playbook
        As given to the candidates.
    evidence
        From `analysis.strategy.learnt`.
    settings
        Section ``strategy``.
    margin_rate
        Margin in extra revenue, 0-1.
    treatments
        RECORD table: on whom each strategy was measured, for ``accounts.scaling``.
    level
        Of the intervals.

    Returns
    -------
    DataFrame
        `COLUMNS`, in the order of the candidates. ``worth`` is the expected extra margin before
        the cost [currency], with its bounds; a strategy's worth stands with the first of its
        measures that a customer may get, for it was measured as a whole. ``touches`` are the
        contacts that the measure makes; ``visits`` and ``calls`` what takes its owner's time.
    """
    found = candidates.copy()
    place = [c for c in ("owner_id", "team_id") if c in customers]
    who = candidates[["customer_id"]].merge(
        customers[["customer_id", *place]].drop_duplicates("customer_id"),
        on="customer_id",
        how="left",
    )
    for column in ("owner_id", "team_id"):
        if column not in who:
            who[column] = None
    persons = owners.People(people, playbook.substitutes)
    found["owner_id"] = np.full(len(found), None, dtype=object)
    found["owner_role"] = ""
    for name in ("cost", "visits", "calls"):
        found[name] = 0.0
    found["touches"] = 0
    found["contractual"] = False
    measures = found["measure"].to_numpy(object)
    for _, key, measure in playbook.measures():
        mine = np.flatnonzero(measures == key)
        rows = found.index[mine]
        found.loc[rows, "owner_id"] = owners.assign(who.iloc[mine], measure.owner_role, persons)
        found.loc[rows, "owner_role"] = measure.owner_role
        found.loc[rows, "cost"] = float(measure.cost)
        found.loc[rows, "visits"] = float(measure.visits)
        found.loc[rows, "calls"] = float(calls(measure))
        found.loc[rows, "touches"] = contacts(measure)
        found.loc[rows, "contractual"] = measure.contractual
    measured_on = _measured_on(found, features, treatments, evidence)
    value = worth(found, evidence, settings.accounts, margin_rate, measured_on)
    counted = _first_of_strategy(found)
    for name, column in (("worth", "worth"), ("worth_low", "low"), ("worth_high", "high")):
        found[name] = value[column].where(counted)
    hardly = found["extra"].astype(bool) & ~found["contractual"] & ~found["proven"].astype(bool)
    hardly &= _chance(found, level) < settings.limits.explore_chance
    found["why_not"] = found["why_not"].mask(hardly & found["why_not"].isna(), NEGATIVE)
    grades = {name: one.grade for name, one in evidence.items()}
    grade = found["strategy"].map(grades)
    found["grade"] = grade.where(found["worth"].notna(), NONE).astype(object)
    return found[COLUMNS]


def _chance(rows: pd.DataFrame, level: float) -> pd.Series:
    """Chance that a strategy brings a customer at least what it costs; NaN without evidence."""
    spread = (rows["worth_high"] - rows["worth_low"]) / 2 / stats.norm.ppf(0.5 + level / 2)
    cost = rows.groupby(["customer_id", "strategy"])["cost"].transform("sum")
    net = (rows["worth"] - cost).to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = stats.norm.cdf(net / spread.to_numpy(float))
    return pd.Series(np.where(net == 0, 0.5, chance), rows.index)


def contacts(measure: Measure) -> int:
    """Contacts that a measure makes with a customer: its tasks, if they reach the customer."""
    return len(measure.tasks) if measure.channel in CONTACTS else 0


def calls(measure: Measure) -> int:
    """Calls and online meetings that a measure takes: its tasks, where that is its channel."""
    return len(measure.tasks) if measure.channel in CALLED else 0


def _first_of_strategy(rows: pd.DataFrame) -> pd.Series:
    """The first measure of each customer and strategy, those that may be planned before others."""
    ruled_out = rows["why_not"].notna()
    order = rows.assign(ruled_out=ruled_out).sort_values("ruled_out", kind="stable")
    again = order.duplicated(["customer_id", "strategy"])
    return ~again.reindex(rows.index)


def _measured_on(
    rows: pd.DataFrame,
    features: pd.DataFrame,
    treatments: pd.DataFrame | None,
    evidence: Mapping[str, Evidence],
) -> dict[str, float]:
    """Mean money of the customers each strategy was measured on; else of those it applies to."""
    found: dict[str, float] = {}
    listed = [rows[["customer_id", "strategy"]]]
    if treatments is not None and not treatments.empty:
        of_segment = {name for name, one in evidence.items() if one.by_segment}
        whole = ~treatments["strategy"].isin(of_segment)
        listed.append(treatments.loc[whole, ["customer_id", "strategy"]])
    money = features.drop_duplicates("customer_id").set_index("customer_id")["monetary"]
    for part in listed:
        once = part.drop_duplicates()
        own = once["customer_id"].map(money).astype(float).dropna()
        for strategy, values in own.groupby(once["strategy"]):
            found[str(strategy)] = math.fsum(values) / len(values)
    return found
