"""The two quarters of measures before the hand-over: who was chosen, and who was drawn to wait.

The customers are chosen on what could be known on the evening before the quarter. Those who wait
for the next batch are drawn at random within blocks of like customers: of like size, or with the
next order due at a like time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.calendars import Period
from analysis.demo.kinds import day
from analysis.demo.measures import STRATEGIES

FIRST, LATER, EXEMPT = "first", "later", "exempt"
LARGEST = 20  # customers per 1,200 who are never left waiting
PILOT = 1.35  # a campaign of some is drawn from so many times its customers, the largest


@dataclass(frozen=True)
class Campaign:
    """A measure in one of these quarters.

    Parameters
    ----------
    customers
        How many are chosen, per 1,200 customers.
    block, waiting
        Of every `block` like customers, `waiting` are drawn into the next batch.
    pilot
        Drawn at random from a larger circle, so that as many like them are left.
    catch_up
        Those left waiting a quarter ago get it now, outside the draw.
    """

    strategy: str
    customers: int
    block: int
    waiting: int
    pilot: bool = False
    catch_up: bool = False


CAMPAIGNS: dict[str, tuple[Campaign, ...]] = {
    "2025Q2": (
        Campaign("executive_visit", 66, 3, 1, pilot=True),
        Campaign("win_back_offer", 60, 3, 1, pilot=True),
        Campaign("product_trial", 48, 2, 1, pilot=True),
        Campaign("onboarding", 10**9, 1, 0),
    ),
    "2025Q3": (
        Campaign("executive_visit", 200, 3, 1, catch_up=True),
        Campaign("win_back_offer", 240, 3, 1),
        Campaign("product_trial", 140, 2, 1, catch_up=True),
        Campaign("scheduled_reorder", 60, 2, 1),
        Campaign("onboarding", 10**9, 1, 0),
    ),
}


def assign(
    before: pd.DataFrame,
    population: pd.DataFrame,
    period: Period,
    earlier: pd.DataFrame | None,
    size: int,
    stream: np.random.Generator,
) -> pd.DataFrame:
    """Choose the customers of each measure and draw who waits.

    Parameters
    ----------
    before
        As `measures.known` gives it.
    earlier
        The measures of the quarter before, or None.
    size
        Real customers: the measures grow with the company.

    Returns
    -------
    DataFrame
        One row a customer and measure: ``customer, strategy, arm`` (treated, held_out), ``block``
        (-1: outside the draw), ``cost`` [CNY], ``period, wave`` (first, later, exempt).
    """
    candidates = _candidates(before, population, period, size)
    by_size = np.lexsort((np.arange(len(population)), -before["year"].to_numpy()))
    taken = np.zeros(len(population), dtype=bool)
    parts = []
    waited = pd.DataFrame(columns=["customer", "strategy"])
    if earlier is not None:
        taken[earlier["customer"]] = True
        waited = earlier[earlier["wave"] == LATER]
    for campaign in CAMPAIGNS[period.name]:
        if campaign.catch_up:
            parts.append(_caught_up(campaign, waited))
        open_to = by_size[(candidates[campaign.strategy] & ~taken)[by_size]]
        number = max(4, round(min(campaign.customers, size) * size / 1200))
        if campaign.pilot:
            circle = open_to[: round(PILOT * max(number, 200 * size / 1200))]
            drawn = stream.permutation(len(circle))[:number]
            chosen = circle[np.sort(drawn)]
        else:
            chosen = open_to[:number]
        taken[chosen] = True
        parts.append(_draw(campaign, chosen, before, stream))
    return pd.concat(parts, ignore_index=True).assign(period=period.name)


def _candidates(
    before: pd.DataFrame, population: pd.DataFrame, period: Period, size: int
) -> dict[str, np.ndarray]:
    """Who is open to which measure."""
    today = day(period.start) - 1
    kind = population["kind"].to_numpy()
    year, cycles, first = (before[n].to_numpy() for n in ("year", "cycles", "first"))
    rare = np.isin(kind, ["annual", "project"])
    active = (cycles <= 1.5) & (first <= today - 180) & ~rare
    by_size = np.lexsort((np.arange(len(year)), -year))
    exempt = np.zeros(len(year), dtype=bool)
    exempt[by_size[: round(LARGEST * size / 1200)]] = True
    lapsing = (cycles > 1.5) & ~rare & (kind != "new") & (first <= today - 180)
    found = {
        "executive_visit": active & ~exempt,
        "win_back_offer": lapsing & ~exempt & (year < 200_000),
        "product_trial": active & ~exempt & (year < 700_000),
        "scheduled_reorder": (kind == "annual") & (first <= today) & (cycles <= 2.5),
        "onboarding": (first > today - 180) & (first <= today),
    }
    once = (population["same_as"] < 0).to_numpy()
    return {strategy: rows & once for strategy, rows in found.items()}


def _caught_up(campaign: Campaign, waited: pd.DataFrame) -> pd.DataFrame:
    """Those who waited a quarter ago."""
    customers = waited.loc[waited["strategy"] == campaign.strategy, "customer"]
    return pd.DataFrame(
        {
            "customer": customers.to_numpy(),
            "strategy": campaign.strategy,
            "arm": "treated",
            "block": -1,
            "cost": STRATEGIES[campaign.strategy].cost,
            "wave": EXEMPT,
        }
    )


def _draw(
    campaign: Campaign, chosen: np.ndarray, before: pd.DataFrame, stream: np.random.Generator
) -> pd.DataFrame:
    """Blocks of like customers; in each, the same number waits."""
    number = len(chosen)
    if campaign.strategy == "scheduled_reorder":  # what matters is when the next order is due
        chosen = chosen[np.argsort(before["cycles"].to_numpy()[chosen], kind="stable")]
    block = np.arange(number) // campaign.block
    rank = np.lexsort((stream.random(number), block))
    place = np.empty(number, dtype=np.int64)
    place[rank] = np.arange(number) % campaign.block
    waits = place < campaign.waiting
    return pd.DataFrame(
        {
            "customer": chosen,
            "strategy": campaign.strategy,
            "arm": np.where(waits, "held_out", "treated"),
            "block": block,
            "cost": np.where(waits, 0, STRATEGIES[campaign.strategy].cost),
            "wave": np.where(waits, LATER, FIRST),
        }
    )
