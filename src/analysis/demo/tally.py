"""Everything that can be counted about the made-up company, block after block."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

import pandas as pd

from analysis.demo.kinds import KINDS, START
from analysis.demo.truth import quarters
from analysis.demo.world import World

KIND = "trade"
GENERATION = 3  # changes when the same seed no longer gives the same company


class Tally:
    """Counts for ``truth/summary.json``, from which a company also goes on.

    Parameters
    ----------
    customers, seed
        Of the company at the hand-over.
    """

    def __init__(self, customers: int, seed: int) -> None:
        self._customers, self._seed = customers, seed
        self._kinds: Counter[str] = Counter({kind.key: 0 for kind in KINDS})
        self._money: Counter[str] = Counter()
        self._quarters: Counter[str] = Counter()
        self._dirt: Counter[str] = Counter()
        self._links: Counter[str] = Counter()
        self._measures: Counter[tuple[str, str, str]] = Counter()
        self._as_of = ""

    def add(self, world: World, measured: pd.DataFrame, links: pd.DataFrame) -> None:
        """Count a block.

        Parameters
        ----------
        measured, links
            As `truth.effects` and `truth.links` give them.
        """
        clean = world.clean
        real = world.population[world.population["same_as"] < 0]
        self._as_of = str(world.as_of)
        self._kinds.update({str(k): int(v) for k, v in real["kind"].value_counts().items()})
        self._money.update(
            order_lines=len(clean),
            revenue_fen=int(clean["amount"].sum()),
            cost_fen=int(clean["cost"].sum()),
        )
        by_quarter = clean.groupby(quarters(clean["day"]))["amount"].sum()
        self._quarters.update({str(k): int(v) for k, v in by_quarter.items()})
        self._links.update({str(k): int(v) for k, v in links["kind"].value_counts().items()})
        for (period, strategy, arm), rows in measured.groupby(["period", "strategy", "arm"]):
            place = (str(period), str(strategy))
            self._measures[*place, str(arm)] += len(rows)
            if arm == "treated":
                self._measures[*place, "done"] += int(rows["done"].sum())
                self._measures[*place, "effect_fen"] += round(float(rows["effect"].sum()) * 100)

    def add_dirt(self, found: pd.DataFrame) -> None:
        """Count dirty rows, as `truth.dirt` gives them."""
        names = (found["table"] + "." + found["rule"]).value_counts()
        self._dirt.update({str(k): int(v) for k, v in names.items()})

    def content(self, rows: Mapping[str, int]) -> bytes:
        """The counts as JSON; `rows` of each export by name."""
        found = {
            "generation": GENERATION,
            "kind": KIND,
            "seed": self._seed,
            "customers": self._customers,
            "start": str(START),
            "as_of": self._as_of,
            "kinds": dict(self._kinds),
            **self._money,
            "revenue_fen_by_quarter": dict(sorted(self._quarters.items())),
            "links": dict(sorted(self._links.items())),
            "dirt": dict(sorted(self._dirt.items())),
            "measures": self._by_measure(),
            "rows": dict(rows),
        }
        return (json.dumps(found, ensure_ascii=False, indent=2) + "\n").encode()

    def _by_measure(self) -> dict[str, dict[str, dict[str, float]]]:
        """Period → strategy → how many were treated and left waiting, and the mean effect."""
        found: dict[str, dict[str, dict[str, float]]] = {}
        for period, strategy in sorted({key[:2] for key in self._measures}):
            place = (period, strategy)
            treated = self._measures[*place, "treated"]
            effect = self._measures[*place, "effect_fen"] / 100
            found.setdefault(period, {})[strategy] = {
                "treated": treated,
                "held_out": self._measures[*place, "held_out"],
                "done": self._measures[*place, "done"],
                "mean_effect": round(effect / treated, 2) if treated else 0.0,
            }
        return found
