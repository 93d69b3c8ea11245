"""Who would get which measure, before anybody is drawn."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from analysis.calendars import Period
from analysis.settings_measures import Strategy
from analysis.stats import keyed_uniform
from analysis.strategy.evidence import Evidence, read
from analysis.strategy.playbook import Playbook

COLUMNS = ["customer_id", "segment", "strategy", "measure", "extra", "later_share", "proven"]


def candidates(
    segments: pd.DataFrame,
    features: pd.DataFrame,
    effects: pd.DataFrame | None,
    playbook: Playbook,
    settings: Strategy,
    margin_rate: float,
    period_next: Period,
    seed: int,
    *,
    min_arm: int,
) -> pd.DataFrame:
    """The customers of each measure.

    Parameters
    ----------
    segments, features
        RECORD tables at the end of this period.
    effects
        RECORD ``effects`` of this period's measures; None or empty: nothing was measured.
    playbook
        From `load_playbook`.
    settings
        Section ``strategy``.
    margin_rate
        Margin in extra revenue, 0-1.
    period_next, seed
        Of the lot that settles who takes part where a measure keeps its size.
    min_arm
        Customers that an arm needs to be judged.

    Returns
    -------
    DataFrame
        `COLUMNS`, one row a customer and measure, in the playbook's order. Extra measures whose
        effect did not pay are left out; those that nobody can judge yet keep their size
        (``hold_unsettled``), and none goes to a customer whose margin could not carry it
        (``most_of_margin``). What worked goes to more customers, and a smaller later wave keeps
        checking it (``later_share_proven``).
    """
    base = segments[["customer_id", "segment"]].merge(
        features[["customer_id", "monetary"]], on="customer_id", how="left"
    )
    base = base.sort_values("customer_id", kind="stable", ignore_index=True)
    evidence = read(effects)
    parts = []
    for segment, key, measure in playbook.measures():
        known = evidence.get(measure.strategy, Evidence())
        if measure.extra and known.stopped:
            continue
        chosen = base[base["segment"] == segment]
        if measure.extra and settings.most_of_margin is not None:
            # A visit that costs more than the customer brings in cannot pay, whoever gets it.
            margin = chosen["monetary"].astype(float).fillna(0.0) * margin_rate
            chosen = chosen[measure.cost <= settings.most_of_margin * margin]
        if measure.extra and known.unsettled and settings.hold_unsettled:
            salt = f"{period_next.name}|{measure.strategy}"
            size = known.treated + _waiting(known.treated, settings.later_share, min_arm)
            chosen = by_lot(chosen, size, seed, salt)
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": chosen["customer_id"],
                    "segment": segment,
                    "strategy": measure.strategy,
                    "measure": key,
                    "extra": measure.extra,
                    "later_share": settings.later_share_proven
                    if known.proven
                    else settings.later_share,
                    "proven": known.proven,
                }
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def _waiting(treated: int, later_share: float, min_arm: int) -> int:
    """Customers to wait beside `treated`: by the share, or enough for an arm where it is half."""
    if not 0 < later_share < 1:
        return 0
    return max(math.ceil(treated * later_share / (1 - later_share)), min(min_arm, treated))


def by_lot(customers: pd.DataFrame, size: int, seed: int, salt: str) -> pd.DataFrame:
    """At most `size` customers, drawn by lot; in the order they came.

    Who takes part is settled before the waves are drawn, so the waves stay comparable; and by
    lot, so that what is learnt holds for the whole segment.
    """
    chance = keyed_uniform(customers["customer_id"], seed, f"{salt}|part")
    kept = np.lexsort((customers["customer_id"].to_numpy(str), chance))[:size]
    return customers.iloc[np.sort(kept)]
