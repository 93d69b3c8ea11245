"""Which measures apply to which customer, before anybody is chosen or drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.calendars import Period
from analysis.conditions import holds
from analysis.settings_measures import Strategy
from analysis.stats import keyed_uniform
from analysis.strategy.evidence import Evidence
from analysis.strategy.playbook import Measure, Playbook

COLUMNS = [
    "customer_id", "segment", "strategy", "measure", "extra", "later_share", "proven", "treated",
    "money", "why_not",
]  # fmt: skip
STOPPED, NOT_ENTITLED, COOL_DOWN = "stopped", "not_entitled", "cool_down"
TOO_SMALL, NEGATIVE, KEEPS_SIZE = "too_small", "negative", "keeps_size"

_NOT_REACHED = "held_out"  # an arm of customers who did not get the measure


def candidates(
    segments: pd.DataFrame,
    features: pd.DataFrame,
    customers: pd.DataFrame,
    evidence: Mapping[str, Evidence],
    playbook: Playbook,
    settings: Strategy,
    margin_rate: float,
    period_next: Period,
    seed: int,
    *,
    min_arm: int,
    facts: pd.DataFrame | None = None,
    treatments: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The measures that apply to each customer, and which of them are ruled out.

    Parameters
    ----------
    segments, features, customers
        RECORD tables at the end of this period.
    evidence
        From `analysis.strategy.learnt`.
    playbook
        From `playbook_for`.
    settings
        Section ``strategy``.
    margin_rate
        Margin in extra revenue, 0-1.
    period_next, seed
        Of the lot that settles who takes part where a measure keeps its size.
    min_arm
        Customers that an arm needs to be judged.
    facts
        customer_id and what conditions ask for; None: a measure with conditions applies to nobody
        but those whom ``missing`` takes.
    treatments
        RECORD ``treatments``, earlier periods too: whom a measure has reached cools down.

    Returns
    -------
    DataFrame
        `COLUMNS`, one row a customer and measure, in the playbook's order. A measure applies to
        its segment where any row of its conditions holds. ``why_not`` is empty for those that
        may be planned; else, the first that holds: it was stopped (``stopped``), the segment has
        no right to it (``not_entitled``), the customer had it within ``cooldown`` periods
        (``cool_down``), its cost is more than the customer's margin can carry (``too_small``),
        customers are expected to buy less with it (``negative``), or it keeps its size until
        somebody can judge it (``keeps_size``: drawn by corporate group). What worked goes to
        more customers, and a smaller later wave keeps checking it (``later_share_proven``). While
        it is near certain that a measure pays, and it was judged lately, nobody waits for it
        (``recheck``): what is known already is not worth its price. ``treated`` had it when it was
        last measured.
    """
    base = segments[["customer_id", "segment"]].merge(
        features[["customer_id", "monetary"]], on="customer_id", how="left"
    )
    base["money"] = base["monetary"].astype(float).fillna(0.0)
    base["group_id"] = _groups(base["customer_id"], customers)
    base = base.sort_values("customer_id", kind="stable", ignore_index=True)
    known = base[["customer_id"]]
    if facts is not None:
        known = known.merge(facts, on="customer_id", how="left")
    parts = []
    for segment, key, measure in playbook.measures():
        place = np.flatnonzero((base["segment"] == segment).to_numpy())
        place = place[holds(known.iloc[place], measure.when)]
        rows = base.iloc[place]
        one = evidence.get(measure.strategy, Evidence())
        needed = measure.entitlement
        free = measure.extra and not measure.contractual  # what is promised is not weighed
        why = np.full(len(rows), None, dtype=object)
        left = np.ones(len(rows), dtype=bool)
        for reason, out in (
            (STOPPED, free and one.stopped),
            (NOT_ENTITLED, needed is not None and not playbook.segments[segment].entitled(needed)),
            (COOL_DOWN, _cooling(rows, measure, treatments, period_next)),
            (TOO_SMALL, free and _too_small(rows, measure, settings, margin_rate)),
            (NEGATIVE, free and one.negative),
        ):
            why[left & out] = reason
            left &= ~np.asarray(out)
        settled = _settled(one, measure, settings, margin_rate, period_next)
        if free and one.unsettled and not settled and settings.hold_unsettled:
            salt = f"{period_next.name}|{measure.strategy}"
            size = one.treated + _waiting(one.treated, settings.later_share, min_arm)
            places = np.flatnonzero(left)
            why[places[~by_lot(rows.iloc[places], size, seed, salt)]] = KEEPS_SIZE
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": rows["customer_id"].to_numpy(object),
                    "segment": segment,
                    "strategy": measure.strategy,
                    "measure": key,
                    "extra": measure.extra,
                    "later_share": 0.0 if settled else _later_share(one, settings),
                    "proven": one.proven,
                    "treated": one.treated,
                    "money": rows["money"].to_numpy(float),
                    "why_not": why,
                }
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def by_lot(rows: pd.DataFrame, size: int, seed: int, salt: str) -> NDArray[np.bool_]:
    """Which customers take part: whole corporate groups, until there are `size` customers.

    Who takes part is settled before the waves are drawn, so the waves stay comparable; by lot,
    so that what is learnt holds for the whole segment; and by corporate group, as the waves are.

    Parameters
    ----------
    rows
        customer_id, group_id.
    """
    groups, sizes = np.unique(rows["group_id"].to_numpy(str), return_counts=True)
    order = np.lexsort((groups, keyed_uniform(groups, seed, f"{salt}|part")))
    before = np.cumsum(sizes[order]) - sizes[order]
    kept: NDArray[np.bool_] = np.isin(rows["group_id"].to_numpy(str), groups[order[before < size]])
    return kept


def _groups(ids: pd.Series, customers: pd.DataFrame) -> pd.Series:
    """The corporate group of each customer; alone: itself."""
    if "group_id" not in customers:
        return ids
    known = customers.drop_duplicates("customer_id").set_index("customer_id")["group_id"]
    return ids.map(known).fillna(ids)


def _settled(
    one: Evidence, measure: Measure, settings: Strategy, margin_rate: float, period_next: Period
) -> bool:
    """Whether it is near certain that a measure pays, by a comparison of late."""
    own = settings.recheck
    since = {period_next.back(k + 1).name for k in range(own.periods)}
    line = measure.cost / margin_rate if margin_rate > 0 else math.inf
    return not one.stopped and one.judged_in in since and one.chance(line) >= own.chance


def _later_share(one: Evidence, settings: Strategy) -> float:
    """The share that waits where something is still to be shown: less where it worked."""
    return settings.later_share_proven if one.proven else settings.later_share


def _waiting(treated: int, later_share: float, min_arm: int) -> int:
    """Customers to wait beside `treated`: by the share, or enough for an arm where it is half."""
    if not 0 < later_share < 1:
        return 0
    return max(math.ceil(treated * later_share / (1 - later_share)), min(min_arm, treated))


def _cooling(
    rows: pd.DataFrame, measure: Measure, treatments: pd.DataFrame | None, period_next: Period
) -> NDArray[np.bool_] | bool:
    """Whom the strategy reached within so many periods before the next one."""
    if measure.cooldown == 0 or treatments is None or treatments.empty:
        return False
    started = pd.to_datetime(treatments["started_on"])
    recent = (started >= pd.Timestamp(period_next.back(measure.cooldown).start)) & (
        started < pd.Timestamp(period_next.start)
    )
    mine = (treatments["strategy"] == measure.strategy) & (treatments["arm"] != _NOT_REACHED)
    reached = treatments.loc[mine & recent, "customer_id"]
    found: NDArray[np.bool_] = rows["customer_id"].isin(set(reached)).to_numpy()
    return found


def _too_small(
    rows: pd.DataFrame, measure: Measure, settings: Strategy, margin_rate: float
) -> NDArray[np.bool_] | bool:
    """A visit that costs more than the customer brings in cannot pay, whoever gets it."""
    if settings.most_of_margin is None:
        return False
    carried = settings.most_of_margin * margin_rate * rows["money"].to_numpy(float)
    found: NDArray[np.bool_] = measure.cost > carried
    return found
