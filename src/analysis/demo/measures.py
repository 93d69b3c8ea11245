"""Last quarter's measures: who was chosen, who was drawn, and what it truly changed.

The customers are chosen on what could be known on the evening of `BEFORE`. Those who wait for the
next batch are drawn at random within blocks of like customers: of like size, or with the next
order due at a like time. The effect is really there: orders that a treated customer places on top
of what it would have ordered anyway.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.demo.kinds import BEFORE, DAYS, QUARTER_START, day
from analysis.demo.ordering import workdays


@dataclass(frozen=True)
class Measure:
    """A measure of last quarter.

    Parameters
    ----------
    customers
        How many are chosen, per 1,200 customers.
    block, waiting
        Of every `block` like customers, `waiting` are drawn into the next batch.
    cost
        Per treated customer [CNY].
    effect
        Mean effect on the quarter's revenue, as a share of the customer's usual quarter.
    answer
        Share of the customers who answer at all; these carry the whole effect.
    done
        Probability that it was carried out.
    """

    strategy: str
    label: str
    customers: int
    block: int
    waiting: int
    cost: int
    effect: float
    answer: float
    done: float


MEASURES: tuple[Measure, ...] = (
    Measure("executive_visit", "高层互访", 200, 3, 1, 7500, 0.30, 0.90, 0.97),
    Measure("win_back_offer", "回归优惠", 240, 3, 1, 3000, 0.00, 0.00, 0.99),
    Measure("product_trial", "新品试用", 140, 2, 1, 2000, 0.05, 0.35, 0.93),
    Measure("scheduled_reorder", "定期补货", 60, 2, 1, 500, 0.04, 0.30, 0.92),
    Measure("onboarding", "新客陪跑", 10**9, 1, 0, 1200, 0.08, 0.50, 0.90),
)


def known(orders: pd.DataFrame, population: pd.DataFrame) -> pd.DataFrame:
    """What the firm knew of each customer on the evening of `BEFORE`.

    Returns
    -------
    DataFrame
        Row for row as `population`: ``year`` (money of the last 365 days), ``quarter`` (a quarter
        of it), ``first`` and ``last`` day of an order (NaN without one), ``cycles`` (time since the
        last order in own cycles).
    """
    today = day(BEFORE)
    seen = orders[orders["day"] <= today]
    recent = seen[seen["day"] > today - 365]
    rows = range(len(population))
    frame = pd.DataFrame(
        {
            "year": recent.groupby("customer")["amount"].sum().reindex(rows).fillna(0.0),
            "first": seen.groupby("customer")["day"].min().reindex(rows),
            "last": seen.groupby("customer")["day"].max().reindex(rows),
        }
    )
    frame["quarter"] = frame["year"] / 4
    frame["cycles"] = (today - frame["last"]) / population["cycle"].to_numpy()
    return frame


def assign(
    before: pd.DataFrame, population: pd.DataFrame, stream: np.random.Generator
) -> pd.DataFrame:
    """Choose the customers of each measure and draw who waits.

    Returns
    -------
    DataFrame
        One row a customer and measure: ``customer, strategy, arm`` (treated, held_out), ``block``,
        ``done``, ``start`` (day number), ``cost`` [CNY], ``usual`` (usual quarter [CNY]),
        ``promised`` (what being treated adds to the quarter [CNY]).
    """
    size = len(population)
    kind = population["kind"].to_numpy()
    year, cycles, first = (before[n].to_numpy() for n in ("year", "cycles", "first"))
    today = day(BEFORE)
    active = (cycles <= 1.5) & (first <= today - 180) & ~np.isin(kind, ["annual", "project"])
    by_size = np.lexsort((np.arange(size), -year))
    exempt = np.zeros(size, dtype=bool)
    exempt[by_size[: round(20 * size / 1200)]] = True  # the largest are never left waiting
    lapsing = (cycles > 1.5) & ~np.isin(kind, ["annual", "project", "new"]) & (first <= today - 180)
    candidates = {
        "executive_visit": active & ~exempt,
        "win_back_offer": lapsing & ~exempt & (year < 200_000),
        "product_trial": active & ~exempt & (year < 700_000),
        "scheduled_reorder": (kind == "annual") & (first <= today) & (cycles <= 2.5),
        "onboarding": (first > today - 180) & (first <= today),
    }
    taken = np.zeros(size, dtype=bool)
    parts = []
    for measure in MEASURES:
        open_to = by_size[(candidates[measure.strategy] & ~taken)[by_size]]
        chosen = open_to[: max(4, round(min(measure.customers, size) * size / 1200))]
        taken[chosen] = True
        parts.append(_draw(measure, chosen, before, stream))
    return pd.concat(parts, ignore_index=True)


def _draw(
    measure: Measure, chosen: np.ndarray, before: pd.DataFrame, stream: np.random.Generator
) -> pd.DataFrame:
    """Blocks of like customers; in each, the same number waits."""
    number = len(chosen)
    if measure.strategy == "scheduled_reorder":  # what matters there is when the next order is due
        chosen = chosen[np.argsort(before["cycles"].to_numpy()[chosen], kind="stable")]
    block = np.arange(number) // measure.block
    rank = np.lexsort((stream.random(number), block))
    place = np.empty(number, dtype=np.int64)
    place[rank] = np.arange(number) % measure.block
    waits = place < measure.waiting
    done = stream.random(number) < measure.done
    answers = stream.random(number) < measure.answer
    share = measure.effect / measure.answer if measure.answer else 0.0
    usual = before["quarter"].to_numpy()[chosen]
    promised = usual * share * answers * stream.uniform(0.75, 1.25, number)
    start = QUARTER_START + 6 + stream.integers(0, 10, number)
    return pd.DataFrame(
        {
            "customer": chosen,
            "strategy": measure.strategy,
            "arm": np.where(waits, "held_out", "treated"),
            "block": block,
            "done": done & ~waits,
            "start": workdays(start),
            "cost": np.where(waits, 0, measure.cost),
            "usual": usual,
            "promised": promised,
        }
    )


def extra_orders(assigned: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """What every customer of a measure would order on top, were it treated.

    Returns
    -------
    DataFrame
        ``customer, day, amount``, ``assigned`` (row of `assigned`), ``real`` (the customer was
        treated and the measure carried out: only these orders take place).
    """
    gives = assigned[assigned["promised"] > 0]
    pieces = np.where(gives["promised"] > 60_000, 2, 1)
    row = np.repeat(gives.index.to_numpy(), pieces)
    place = np.arange(len(row)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    split = np.where(place == 0, 0.55, 0.45)
    split = np.where(np.repeat(pieces, pieces) == 1, 1.0, split)
    after = assigned["start"].to_numpy()[row] + 7 + stream.integers(0, 28, len(row)) + 28 * place
    return pd.DataFrame(
        {
            "customer": assigned["customer"].to_numpy()[row],
            "day": workdays(np.minimum(after, DAYS)),
            "amount": assigned["promised"].to_numpy()[row] * split,
            "assigned": row,
            "real": (assigned["done"] & (assigned["arm"] == "treated")).to_numpy()[row],
        }
    )
