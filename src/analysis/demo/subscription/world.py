"""Everything that happens to the software vendor, before any of it is written down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.demo.kinds import rng
from analysis.demo.subscription import ledger, measures, population, terms, usage


@dataclass(frozen=True)
class World:
    """What happened, as the simulation knows it.

    Attributes
    ----------
    seed
        Of every draw.
    folk
        The customers, as `population.build` gives them.
    terms, added
        Contracts and added seats, past the end of the history too, as `terms.live` gives them.
    assigned
        Measures, with their true effects, as `measures.effects` gives them.
    book
        The ledger as of the last day, as `ledger.ledger` gives it.
    users
        Active users by customer and week, as `usage.active` gives them.
    """

    seed: int
    folk: pd.DataFrame
    terms: pd.DataFrame
    added: pd.DataFrame
    assigned: pd.DataFrame
    book: pd.DataFrame
    users: np.ndarray

    @property
    def live_days(self) -> np.ndarray:
        """Days from the start to being live, measures included; shape ``(customers,)``."""
        first = self.terms[self.terms["number"] == 0].set_index("customer")["live_days"]
        found = first.reindex(range(len(self.folk))).fillna(self.folk["live_days"])
        return np.asarray(found.to_numpy())

    def stream(self, subject: str) -> np.random.Generator:
        """A stream of chance of its own for a subject."""
        return rng(self.seed, f"subscription {subject}")


def simulate(size: int, seed: int) -> World:
    """Let `size` customers live through the history."""
    folk = population.build(size, rng(seed, "subscription customers"))
    chance = terms.luck(size, rng(seed, "subscription contracts"))
    assigned, pushes = measures.run(folk, chance, seed)
    measured = measures.effects(folk, chance, assigned, pushes, seed)
    found, added = terms.live(folk, chance, pushes)
    book = ledger.ledger(found, added, folk, rng(seed, "subscription ledger"))
    users = usage.active(folk, book, found, rng(seed, "subscription usage"))
    return World(seed, folk, found, added, measured, book, users)
