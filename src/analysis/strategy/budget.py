"""Which measures fit into the budget."""

from __future__ import annotations

import numpy as np
import pandas as pd


def affordable(chosen: pd.DataFrame, waves: pd.DataFrame, budget: float | None) -> pd.DataFrame:
    """Options with the wave they were drawn into, as far as the budget goes.

    Parameters
    ----------
    chosen
        Rows of `analysis.strategy.options` that nothing rules out.
    waves
        RECORD ``waves`` of them.
    budget
        As of `within`.
    """
    rows = chosen.merge(
        waves[["customer_id", "strategy", "wave"]], on=["customer_id", "strategy"], how="left"
    )
    rows["duty"] = ~rows["extra"].astype(bool)
    rows["price"] = rows["cost"]
    now = rows.assign(cost=rows["cost"].where(rows["wave"] != "later", 0.0))
    return rows.loc[within(now, budget).index]


def within(rows: pd.DataFrame, budget: float | None) -> pd.DataFrame:
    """The rows that the budget pays for.

    Duties come first, the customers with the most money first. Then the extra measures, the
    strategy with the most expected value per cost first (those without evidence last, in the
    playbook's order), and within it the customers with the most money. A strategy ends at the
    first customer that does not fit: going on with cheaper ones, or with the free places of the
    later wave, would make the waves differ.

    Parameters
    ----------
    rows
        The plan with ``duty``, ``price`` (cost if carried out now), ``worth`` (expected value
        if carried out now) and ``money`` (of the customer); ``cost`` is what it costs now.
    budget
        Money for all rows; None: no limit.
    """
    if budget is None:
        return rows
    price = rows["price"].to_numpy(float)
    worth = rows["worth"].to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(price > 0, worth / price, np.where(worth > 0, np.inf, worth))
    order = rows.assign(
        place=np.arange(len(rows)),
        extra=~rows["duty"].to_numpy(bool),
        rank=-np.where(np.isnan(ratio), -np.inf, ratio),
        turn=pd.factorize(rows["strategy"])[0],
        size=-rows["money"],
    )
    order.loc[~order["extra"], ["rank", "turn"]] = 0
    order = order.sort_values(
        ["extra", "rank", "turn", "size", "customer_id", "measure"], kind="stable"
    )
    left, closed = float(budget), set()
    kept = np.zeros(len(rows), dtype=bool)
    for place, cost, strategy in zip(
        order["place"], order["cost"].astype(float), order["strategy"], strict=True
    ):
        if strategy in closed:
            continue
        if cost > left + 1e-9:
            closed.add(strategy)
            continue
        left -= cost
        kept[place] = True
    return rows[kept]
