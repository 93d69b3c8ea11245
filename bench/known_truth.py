"""Simulations with a known truth, through the draw of the waves and the whole of the estimate.

The firm sells to other firms: sales are spread over two orders of magnitude, some customers buy
nothing in a quarter, some belong to one corporate group. The customers for a measure are those
who did worst against their usual quarter. So they recover by themselves, and a comparison of
before and after sees an effect where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis import effects
from analysis.calendars import Period
from analysis.effects.study import MONEY_OUTCOMES
from analysis.settings_measures import Effectiveness, Strategy

PERIOD = Period.parse("2025Q3")
SETTINGS = Effectiveness()
EFFECT = 1 / 3  # in usual sales
CHOSEN = 0.3  # of the firm's customers
_SEGMENTS = ("small", "medium", "large")
_MONEY = sorted(MONEY_OUTCOMES)
_DRAWS_EVERY = 20  # quarters that pass after one draw


class Judged(NamedTuple):
    """Quarters that were judged, and the truth.

    Attributes
    ----------
    effects
        RECORD ``effects``; each quarter is an outcome of its own.
    truth
        The effect of each row [currency per customer].
    """

    effects: pd.DataFrame
    truth: pd.Series


def no_effect(quarters: int, seed: int, customers: int = 300) -> pd.DataFrame:
    """A measure that does nothing and costs nothing, each quarter judged by itself, in money.

    Returns
    -------
    DataFrame
        A row of RECORD ``effects`` a quarter.
    """
    found = []
    for start in range(0, quarters, len(_MONEY)):
        rng = np.random.default_rng([seed, start])
        drawn = _draw(rng, customers)
        names = _MONEY[: quarters - start]
        passed = pd.concat([_quarter(rng, drawn).assign(outcome=name) for name in names])
        found.append(_judged(drawn, passed.reset_index(drop=True)))
    return pd.concat(found, ignore_index=True)


def with_effect(quarters: int, seed: int, customers: int = 300) -> Judged:
    """A measure that adds a third of the usual sales to every customer that it reaches."""
    return _together(quarters, seed, customers, spread=0.0)


def by_segment(quarters: int, seed: int, customers: int = 600) -> Judged:
    """A measure that adds another amount in each segment, each quarter anew."""
    return _together(quarters, seed, customers, spread=EFFECT / 2)


def _together(quarters: int, seed: int, customers: int, spread: float) -> Judged:
    parts = list(_batches(quarters, seed, customers, spread))
    return Judged(*(pd.concat(column, ignore_index=True) for column in zip(*parts, strict=True)))


def _batches(
    quarters: int, seed: int, customers: int, spread: float
) -> Iterator[tuple[pd.DataFrame, pd.Series]]:
    for start in range(0, quarters, _DRAWS_EVERY):
        rng = np.random.default_rng([seed, start])
        drawn = _draw(rng, customers)
        passed, truth = [], {}
        for number in range(start, min(start + _DRAWS_EVERY, quarters)):
            rows, name = _quarter(rng, drawn), f"sales {number:04d}"
            size = rows["usual"].mean()
            adds = {s: size * (EFFECT + spread * rng.normal()) for s in _SEGMENTS}
            rows["value"] += rows["segment"].map(adds).astype(float) * (rows["wave"] == "first")
            truth |= {(name, segment): value for segment, value in adds.items()}
            truth[name, "all"] = size * EFFECT
            passed.append(rows.assign(outcome=name))
        found = _judged(drawn, pd.concat(passed, ignore_index=True), segments=spread > 0)
        rows = zip(found["outcome"], found["segment"], strict=True)
        yield found, pd.Series([truth[row] for row in rows])


def _draw(rng: np.random.Generator, customers: int) -> pd.DataFrame:
    """RECORD ``waves`` of the customers, who stand in the order of their usual sales."""
    ids = np.array([f"C{i:04d}" for i in range(customers)])
    rank = np.arange(customers)
    known = pd.DataFrame(
        {
            "customer_id": ids,
            "strategy": "visit",
            "segment": np.array(_SEGMENTS)[rank * len(_SEGMENTS) // customers],
            "extra": True,
            "later_share": 0.3,
            "proven": False,
            "monetary": rank + 1.0,
            # every twentieth customer is the sister of the next one
            "group_id": np.where(rank % 20 == 0, np.roll(ids, -1), ids),
        }
    )
    seed = int(rng.integers(2**31))
    everybody = Strategy(exempt_top=0)
    return effects.assign(known, known, known, everybody, PERIOD, seed, min_arm=SETTINGS.min_arm)


def _quarter(rng: np.random.Generator, drawn: pd.DataFrame) -> pd.DataFrame:
    """A firm's customers who did worst, and what they buy if nothing is done.

    They change places within the blocks of the draw, which is as if it were drawn anew.
    """
    size = round(len(drawn) / CHOSEN)
    usual = np.sort(rng.lognormal(8, 1, size))
    buys = rng.random((2, size)) < 0.95
    before, after = usual * rng.lognormal(0, 0.4, (2, size)) * buys
    worst = np.sort(np.argsort(before / usual, kind="stable")[: len(drawn)])
    chance = rng.random(len(drawn))
    block = drawn.groupby(["segment", "band"]).ngroup().to_numpy()
    place = np.empty(len(drawn), dtype=int)
    place[np.argsort(block, kind="stable")] = np.lexsort((chance, block))
    worst = worst[place]
    rows = drawn[["customer_id", "segment", "wave"]].reset_index(drop=True)
    return rows.assign(usual=usual[worst], before=before[worst], value=after[worst])


def _judged(drawn: pd.DataFrame, outcomes: pd.DataFrame, *, segments: bool = False) -> pd.DataFrame:
    first = drawn["wave"] == "first"
    treatments = drawn[["customer_id", "strategy"]].assign(
        arm=np.where(first, "treated", "held_out"), cost=0.0, done=first
    )
    found = effects.estimate(
        treatments,
        outcomes[["customer_id", "outcome", "value", "before"]],
        SETTINGS,
        1,
        period=PERIOD,
        waves=drawn,
        customers=drawn,
        segments_before=drawn if segments else None,
    )
    return found.effects
