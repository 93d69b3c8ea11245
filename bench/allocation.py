"""The plan within the means beside a plain greedy, in the same run: seconds, value and gap.

make bench-allocation
"""

from __future__ import annotations

import time

from tests.strategy.means import (
    company,
    features_of,
    lots,
    people,
    playbook,
    segments_of,
    strategy,
    value_for_cost,
)

from analysis.strategy import allocate

SIZES = ((500, 5, 10), (2_000, 5, 20), (5_000, 6, 40), (50_000, 5, 300))
BUDGET, VISITS = 1_500.0, 0.8  # for each customer


def measured(customers: int, strategies: int, owners: int) -> list[tuple[str, ...]]:
    """One size: whole allocation with its curve, the choice alone, and the greedy."""
    options = company(customers, strategies, owners, seed=1)
    cap = round(VISITS * customers / owners)
    budget = BUDGET * customers
    team = people(**{f"P{i:03d}": cap for i in range(owners)})
    book = playbook(*(f"s{j}" for j in range(strategies)))
    rows = []
    begun = time.perf_counter()
    greedy = value_for_cost(options, budget, cap)
    seconds = time.perf_counter() - begun
    rows.append(
        ("greedy, net / cost", seconds, (greedy["worth"] - greedy["cost"]).sum(), float("nan"))
    )
    for name, curve in (("best plan at one budget", [1.0]), ("best plan and curve of four", None)):
        limits = {} if curve is None else {"curve": curve}
        begun = time.perf_counter()
        found = allocate(
            options, team, segments_of(options), features_of(options), book,
            strategy(budget, **limits), draw=lots(0.0),
        )  # fmt: skip
        seconds = time.perf_counter() - begun
        value = (found.chosen["worth"] - found.chosen["cost"]).sum()
        rows.append((name, seconds, value, found.curve["gap"].max()))
    return [(f"{customers:,} × {strategies}", *row) for row in rows]


def main() -> None:
    print(f"{'customers × strategies':24}{'way':30}{'seconds':>9}{'net value':>16}{'gap':>10}")
    for size in SIZES:
        for case, way, seconds, value, gap in measured(*size):
            print(f"{case:24}{way:30}{seconds:9.1f}{value:16,.0f}{gap:10.5f}")


if __name__ == "__main__":
    main()
