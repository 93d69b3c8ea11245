"""The measures, and what each would truly change: drawn for every customer, treated or not.

The effect is really there: orders that a treated customer places on top of what it would have
ordered anyway. What a measure would bring to a customer in a quarter is drawn before anybody
decides who gets it, so that two plans differ by nothing but the orders of those they treat.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.calendars import Period
from analysis.demo.kinds import day, rng
from analysis.demo.workdays import workdays

SECOND_ORDER = 60_000  # CNY: what is promised beyond comes in two orders
NOTICE = 5  # days between a measure's start and the first order on top


@dataclass(frozen=True)
class Measure:
    """A measure and its truth.

    Parameters
    ----------
    cost
        Per treated customer [CNY].
    effect
        Mean effect on the quarter's revenue, as a share of the customer's usual quarter.
    answer
        Share of the customers who answer at all; these carry the whole effect.
    done
        Probability that it is carried out.
    """

    strategy: str
    label: str
    cost: int
    effect: float
    answer: float
    done: float


MEASURES: tuple[Measure, ...] = (
    Measure("executive_visit", "高层互访", 7500, 0.30, 0.90, 0.97),
    Measure("win_back_offer", "回归优惠", 3000, 0.00, 0.00, 0.99),
    Measure("product_trial", "新品试用", 2000, 0.05, 0.35, 0.93),
    Measure("scheduled_reorder", "定期补货", 500, 0.04, 0.30, 0.92),
    Measure("onboarding", "新客陪跑", 1200, 0.08, 0.50, 0.90),
    Measure("key_account_care", "重点客户专人服务", 0, 0.02, 0.30, 0.95),
    Measure("solution_guidance", "方案辅导", 0, 0.03, 0.30, 0.85),
    Measure("churn_enquiry", "流失原因排查", 0, 0.00, 0.00, 0.90),
    Measure("supply_assurance", "供货保障回访", 0, 0.00, 0.00, 0.92),
    Measure("welcome", "首单回访", 0, 0.00, 0.00, 0.96),
)
STRATEGIES: dict[str, Measure] = {measure.strategy: measure for measure in MEASURES}


def known(orders: pd.DataFrame, population: pd.DataFrame, period: Period) -> pd.DataFrame:
    """What the firm knew of each customer on the evening before a period.

    Parameters
    ----------
    orders
        ``customer, day, amount``; without what measures added.

    Returns
    -------
    DataFrame
        Row for row as `population`: ``year`` (money of the last 365 days), ``quarter`` (a quarter
        of it), ``first`` and ``last`` day of an order (NaN without one), ``cycles`` (time since the
        last order in own cycles).
    """
    today = day(period.start) - 1
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


def answers(before: pd.DataFrame, period: Period, seed: int) -> pd.DataFrame:
    """What every measure would bring to every customer in a period.

    Parameters
    ----------
    before
        As `known` gives it.

    Returns
    -------
    DataFrame
        ``strategy, customer`` (row of the population), ``usual`` (usual quarter [CNY]),
        ``promised`` (what being treated adds to the quarter [CNY]), ``done`` (would be carried
        out), ``start`` (day number on which the firm would begin by itself), ``wait`` (days from
        then to the first order on top).
    """
    usual = before["quarter"].to_numpy()
    size = len(usual)
    parts = []
    for measure in MEASURES:
        stream = rng(seed, f"{measure.strategy} {period.name}")
        done = stream.random(size) < measure.done
        answer = stream.random(size) < measure.answer
        share = measure.effect / measure.answer if measure.answer else 0.0
        promised = usual * share * answer * stream.uniform(0.75, 1.25, size)
        start = day(period.start) + 6 + stream.integers(0, 10, size)
        parts.append(
            pd.DataFrame(
                {
                    "strategy": measure.strategy,
                    "customer": np.arange(size),
                    "usual": usual,
                    "promised": promised,
                    "done": done,
                    "start": workdays(start),
                    "wait": 7 + stream.integers(0, 28, size),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def settled(chosen: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """A quarter's measures with what becomes of them.

    Parameters
    ----------
    chosen
        ``customer, strategy, arm, block, cost, period, wave``; ``start`` where the plan says it.
    found
        As `answers` gives it.

    Returns
    -------
    DataFrame
        With ``done``, ``start`` (day number), ``usual`` and ``promised`` [CNY] beside.
    """
    columns = ["strategy", "customer", "usual", "promised", "done", "start"]
    own = found[columns].rename(columns={"start": "usual_start"})
    both = chosen.merge(own, on=["strategy", "customer"], how="left", validate="1:1")
    treated = both["arm"] == "treated"
    planned = both["start"] if "start" in both else both["usual_start"]
    # those who wait are compared from the day on which the others began
    start = planned.where(treated, both["usual_start"]).fillna(both["usual_start"])
    names = ["customer", "strategy", "arm", "block", "done", "start", "cost", "usual", "promised"]
    found = both.assign(
        done=both["done"].eq(True) & treated,
        start=start,
        cost=both["cost"].where(treated, 0).round(),
    )[[*names, "period", "wave"]]
    whole = dict.fromkeys(("customer", "block", "start", "cost"), "int64")
    return found.astype({**whole, "usual": float, "promised": float})


def orders(found: pd.DataFrame, period: Period) -> pd.DataFrame:
    """The orders that every customer would place on top, were it treated.

    Returns
    -------
    DataFrame
        ``customer, strategy, period, day, amount``; the day holds if nothing begins later.
    """
    gives = found[found["promised"] > 0]
    pieces = np.where(gives["promised"] > SECOND_ORDER, 2, 1)
    some = gives.loc[gives.index.repeat(pieces)]
    place = some.groupby(level=0).cumcount().to_numpy()
    split = np.where(np.repeat(pieces, pieces) == 1, 1.0, np.where(place == 0, 0.55, 0.45))
    when = some["start"].to_numpy() + some["wait"].to_numpy() + 28 * place
    return pd.DataFrame(
        {
            "customer": some["customer"].to_numpy(),
            "strategy": some["strategy"].to_numpy(),
            "period": period.name,
            "day": workdays(np.minimum(when, day(period.end))),
            "amount": some["promised"].to_numpy() * split,
        }
    )


def realised(extra: pd.DataFrame, assigned: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Which of the orders on top take place, and when.

    Parameters
    ----------
    extra
        As `orders` gives it.
    assigned
        As `settled` gives it, of the same period.

    Returns
    -------
    DataFrame
        `extra` with ``assigned`` (row of `assigned`, or -1) and ``real`` (treated and carried
        out), and the day moved behind the start of the measure.
    """
    own = assigned.reset_index(names="assigned")[
        ["strategy", "customer", "assigned", "done", "start"]
    ]
    both = extra.merge(own, on=["strategy", "customer"], how="left", validate="m:1")
    real = both["done"].eq(True).to_numpy()
    earliest = both["start"].to_numpy() + NOTICE
    moved = np.minimum(np.maximum(both["day"].to_numpy(), earliest), day(period.end))
    when = np.where(real, moved, both["day"].to_numpy()).astype(np.int64)
    return extra.assign(
        day=workdays(when), assigned=both["assigned"].fillna(-1).astype("int64"), real=real
    )
