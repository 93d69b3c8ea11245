"""A made-up company to allocate for: options as `strategy.options` gives them."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd

from analysis.settings_measures import Strategy
from analysis.tables import RECORD

COLUMNS = [
    "customer_id", "segment", "strategy", "measure", "extra", "contractual", "owner_id",
    "owner_role", "cost", "visits", "calls", "worth", "later_share", "proven", "treated", "money",
    "touches", "why_not",
]  # fmt: skip


def option(customer, strategy, **more):
    """A row of options."""
    return {
        "customer_id": customer,
        "segment": "s",
        "strategy": strategy,
        "measure": f"{strategy}_m",
        "extra": True,
        "contractual": False,
        "owner_id": "P1",
        "owner_role": "sales_rep",
        "cost": 100.0,
        "visits": 1.0,
        "calls": 0.0,
        "worth": 150.0,
        "later_share": 0.0,
        "proven": True,
        "treated": 0,
        "money": 1_000.0,
        "touches": 1,
        "why_not": None,
        **more,
    }


def frame(*rows):
    return pd.DataFrame(list(rows), columns=COLUMNS)


def playbook(*strategies, least=None):
    """What `allocate` asks of a playbook: its order, and the least contacts."""
    least = least or {}
    return SimpleNamespace(
        strategies=lambda: list(strategies),
        segments={name: SimpleNamespace(least_touches=n) for name, n in {"s": 0, **least}.items()},
    )


def people(**capacity):
    return pd.DataFrame(
        [(p, "sales_rep", "T1", c) for p, c in capacity.items()],
        columns=["person_id", "role", "team_id", "capacity"],
    )


def segments_of(options):
    return options[["customer_id", "segment"]].drop_duplicates().reset_index(drop=True)


def features_of(options):
    known = options[["customer_id", "money"]].drop_duplicates("customer_id")
    return known.rename(columns={"money": "monetary"}).assign(visits=1)


def strategy(budget=None, **limits):
    return Strategy.model_validate({"budget": budget, "limits": limits})


def nobody_waits(candidates):
    """A draw in which everybody starts."""
    return lots(0.0)(candidates)


def lots(share, seed=0):
    """A draw that lets about a share of the extra ones wait."""

    def draw(candidates):
        rows = candidates.drop_duplicates(["customer_id", "strategy"]).reset_index(drop=True)
        rng = np.random.default_rng(seed)
        chance = {c: rng.random() for c in sorted(set(rows["customer_id"]))}
        wave = np.where(rows["customer_id"].map(chance) < share, "later", "first")
        rows = rows.assign(wave=np.where(rows["extra"].astype(bool), wave, "exempt"))
        rows = rows.assign(group_id=rows["customer_id"], why=json.dumps({"key": "x"}))
        return rows.reindex(columns=RECORD["waves"].names)

    return draw


def company(customers, strategies, owners, seed=0, *, values="by_customer", later=0.0):
    """Customers × strategies, each customer with one owner.

    `values`: worth differs ``by_customer``, or only ``by_strategy``.
    """
    rng = np.random.default_rng(seed)
    ids = np.array([f"C{i:05d}" for i in range(customers)], dtype=object).repeat(strategies)
    names = np.tile([f"s{j}" for j in range(strategies)], customers)
    money = np.round(rng.lognormal(11, 1, customers), 2).repeat(strategies)
    cost = np.tile(rng.choice([500.0, 1200.0, 2000.0, 3000.0, 7500.0], strategies), customers)
    lift = np.tile(rng.uniform(0.6, 2.2, strategies), customers)
    worth = cost * lift
    if values == "by_customer":
        worth = worth * rng.lognormal(0, 0.6, customers).repeat(strategies)
        worth = worth * rng.lognormal(0, 0.4, len(ids))
    owner = np.array([f"P{i:03d}" for i in rng.integers(0, owners, customers)], dtype=object)
    return pd.DataFrame(
        {
            "customer_id": ids,
            "segment": "s",
            "strategy": names,
            "measure": names + "_m",
            "extra": True,
            "contractual": False,
            "owner_id": owner.repeat(strategies),
            "owner_role": "sales_rep",
            "cost": cost,
            "visits": np.tile(rng.integers(1, 4, strategies).astype(float), customers),
            "calls": 0.0,
            "worth": np.round(worth, 2),
            "later_share": later,
            "proven": True,
            "treated": 0,
            "money": money,
            "touches": 1,
            "why_not": None,
        }
    )


def value_for_cost(options, budget, cap, *, least=0, most=2):
    """The plain greedy: net by cost, and before it everybody's cheapest where contacts count."""
    rows = options.assign(net=options["worth"] - options["cost"])
    rows = rows.assign(ratio=rows["net"] / rows["cost"])
    cheapest = rows.sort_values(["cost", "customer_id"]).drop_duplicates("customer_id")
    order = rows[rows["net"] >= 0].sort_values(["ratio", "customer_id"], ascending=[False, True])
    if least:
        order = pd.concat([cheapest, order[~order.index.isin(cheapest.index)]])
    left, free, counts, kept = budget, {}, {}, []
    for row in order.itertuples():
        room = free.get(row.owner_id, cap)
        if counts.get(row.customer_id, 0) < most and row.cost <= left and row.visits <= room:
            left, free[row.owner_id] = left - row.cost, room - row.visits
            counts[row.customer_id] = counts.get(row.customer_id, 0) + 1
            kept.append(row.Index)
    return options.loc[kept]
