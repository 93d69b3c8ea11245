"""Everything that happens in the made-up company, before any of it is written down."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from analysis.demo import company, measures, ordering, population
from analysis.demo.kinds import rng

RETURN_RATE = 0.015


@dataclass(frozen=True)
class World:
    """What happened, as the simulation knows it.

    Attributes
    ----------
    seed
        Of every draw.
    products, staff
        As `company.products` and `company.people` give them.
    population
        The customers, as `population.build` gives them.
    assigned, extra, extra_lines
        The measures, the orders that they would add and the lines of these orders, real or not.
    sold, returned
        Order lines that took place and goods sent back, as `ordering` gives them.
    """

    seed: int
    products: pd.DataFrame
    staff: pd.DataFrame
    population: pd.DataFrame
    assigned: pd.DataFrame
    extra: pd.DataFrame
    extra_lines: pd.DataFrame
    sold: pd.DataFrame
    returned: pd.DataFrame

    @property
    def clean(self) -> pd.DataFrame:
        """Every order line that is true: sold and sent back."""
        return pd.concat([self.sold, self.returned], ignore_index=True)


def simulate(size: int, seed: int) -> World:
    """Let `size` customers live through the history."""
    products = company.products(rng(seed, "products"))
    folk = population.build(size, products, rng(seed, "customers"))

    # first what would have happened anyway, then what the measures added
    usual = ordering.events(folk, rng(seed, "orders"))
    before = measures.known(usual, folk)
    # of several streams this one gives the default company a typical draw of lots, no lucky one
    assigned = measures.assign(before, folk, rng(seed, "next batch"))
    extra = measures.extra_orders(assigned, rng(seed, "effects"))
    sold = ordering.lines(usual, folk, products, rng(seed, "lines"))
    added = ordering.lines(extra, folk, products, rng(seed, "extra lines"))
    real = added[extra["real"].to_numpy()[added["order"]]]
    sold = pd.concat([sold, real.assign(order=real["order"] + len(usual))], ignore_index=True)
    returned = ordering.returns(sold, RETURN_RATE, rng(seed, "returns"))
    return World(seed, products, company.people(), folk, assigned, extra, added, sold, returned)
