"""The measures of the last quarters: who was chosen, who was drawn, and what they truly changed.

The customers are chosen on what could be known on the evening before the quarter. Those who wait
for the next batch are drawn at random within pairs of like customers. What a measure changes is
read off two worlds that differ in nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.demo.kinds import rng
from analysis.demo.subscription.kinds import LIVE_IN_TIME, QUARTERS, Quarter
from analysis.demo.subscription.ledger import ledger, recurring
from analysis.demo.subscription.terms import Luck, Push, live
from analysis.demo.workdays import workdays


@dataclass(frozen=True)
class Measure:
    """A measure.

    Parameters
    ----------
    customers
        How many are chosen, per 1,200 customers.
    cost
        Per treated customer [CNY].
    done
        Probability that it was carried out.
    """

    strategy: str
    customers: int
    cost: int
    done: float


MEASURES = (
    Measure("proactive_care", 170, 600, 0.95),
    Measure("onboarding", 80, 1500, 0.93),
    Measure("expansion", 150, 900, 0.97),
)
PAIR = 2
EXEMPT = 20  # the largest are never left waiting, per 1,200 customers


def run(folk: pd.DataFrame, chance: Luck, seed: int) -> tuple[pd.DataFrame, list[Push]]:
    """Draw up the measures quarter after quarter, each on the world as it had become.

    Returns
    -------
    assigned : DataFrame
        One row a quarter, customer and measure: ``period, customer, strategy, arm`` (treated,
        held_out), ``block, done, start`` (day), ``cost`` [CNY].
    pushes : list of Push
        What was carried out.
    """
    parts: list[pd.DataFrame] = []
    pushes: list[Push] = []
    for quarter in QUARTERS:
        terms, added = live(folk, chance, pushes)
        chosen = _candidates(folk, terms, added, quarter, rng(seed, f"choice {quarter.name}"))
        # of several streams this one gives the default vendor a typical draw of lots, no lucky one
        drawn = _draw(chosen, len(folk), quarter, rng(seed, f"wave {quarter.name}"))
        parts.append(drawn)
        pushes.append(push(drawn, quarter, len(folk), drawn["done"].to_numpy()))
    return pd.concat(parts, ignore_index=True), pushes


def push(assigned: pd.DataFrame, quarter: Quarter, size: int, mask: np.ndarray) -> Push:
    """The measures of a quarter, for the assigned customers that `mask` picks."""
    start = np.full((3, size), np.nan)
    some = assigned[mask & (assigned["period"] == quarter.name).to_numpy()]
    for row, measure in enumerate(MEASURES):
        own = some[some["strategy"] == measure.strategy]
        start[row, own["customer"]] = own["start"]
    return Push(quarter, *start)


def _candidates(
    folk: pd.DataFrame,
    terms: pd.DataFrame,
    added: pd.DataFrame,
    quarter: Quarter,
    stream: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Customers of each measure, the most urgent first, as they looked the evening before."""
    size, today = len(folk), quarter.before
    runs = terms[(terms["start"] <= today) & (terms["end"] >= today) & (terms["signed"] <= today)]
    renewed = terms[(terms["signed"] <= today) & (terms["start"] > today)]["customer"]
    now = runs.drop_duplicates("customer", keep="last").set_index("customer")
    now = now.reindex(range(size))
    worth = (now["seats"] * now["price"]).fillna(0).to_numpy()
    exempt = np.zeros(size, dtype=bool)
    exempt[np.argsort(-worth, kind="stable")[: round(EXEMPT * size / 1200)]] = True
    ends = now["end"].to_numpy()
    due = (ends >= quarter.first + 12) & (ends <= quarter.last)
    due &= ~np.isin(np.arange(size), renewed) & ~exempt
    # those in charge sense the risk, but not sharply
    felt = now["risk"].fillna(0).to_numpy() * np.exp(stream.normal(0, 0.5, size))
    began, takes = now["start"].to_numpy(), now["live_days"].to_numpy()
    starting = (now["number"].to_numpy() == 0) & (began + takes > today) & (began > today - 75)
    starting &= ~exempt
    sold = added.loc[(added["day"] <= today) & (added["day"] > today - 120), "customer"]
    full = (folk["occupancy"].to_numpy() > 0.68) & (ends > quarter.last + 45) & ~exempt
    full &= ~np.isin(np.arange(size), sold) & ~starting
    urgency = {"proactive_care": felt, "onboarding": today - began, "expansion": worth}
    allowed = {"proactive_care": due & ~starting, "onboarding": starting, "expansion": full}
    found: dict[str, np.ndarray] = {}
    taken = np.zeros(size, dtype=bool)
    for measure in MEASURES:
        rank = np.argsort(-np.nan_to_num(urgency[measure.strategy]), kind="stable")
        open_to = rank[(allowed[measure.strategy] & ~taken)[rank]]
        found[measure.strategy] = open_to[: max(4, round(measure.customers * size / 1200))]
        taken[found[measure.strategy]] = True
    return found


def _draw(
    chosen: dict[str, np.ndarray], size: int, quarter: Quarter, stream: np.random.Generator
) -> pd.DataFrame:
    """Pairs of neighbours in urgency; one of each waits for the next batch."""
    parts = []
    for measure in MEASURES:
        at = chosen[measure.strategy]
        number = len(at)
        block = np.arange(number) // PAIR
        rank = np.lexsort((stream.random(number), block))
        place = np.empty(number, dtype=np.int64)
        place[rank] = np.arange(number) % PAIR
        waits = place == 1
        begins = quarter.first + 3 + stream.integers(0, 9, number)
        parts.append(
            pd.DataFrame(
                {
                    "period": quarter.name,
                    "customer": at,
                    "strategy": measure.strategy,
                    "arm": np.where(waits, "held_out", "treated"),
                    "block": block,
                    "done": (stream.random(number) < measure.done) & ~waits,
                    "start": workdays(begins),
                    "cost": np.where(waits, 0, measure.cost),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def effects(
    folk: pd.DataFrame, chance: Luck, assigned: pd.DataFrame, pushes: list[Push], seed: int
) -> pd.DataFrame:
    """What every measure does for each of its customers, treated or not.

    Returns
    -------
    DataFrame
        `assigned` with ``if_treated, if_not`` (renewed 0/1, live within `LIVE_IN_TIME` days 0/1,
        seats added in the quarter), ``arr_if_treated, arr_if_not`` (change of the yearly recurring
        revenue in the quarter [CNY]), ``effect_if_treated``, and ``effect`` and ``arr_effect``
        (what really came of it).
    """
    parts = []
    for number, quarter in enumerate(QUARTERS):
        rows = assigned[assigned["period"] == quarter.name]
        everybody = push(assigned, quarter, len(folk), np.ones(len(assigned), dtype=bool))
        for name, now in (("if_treated", [everybody]), ("if_not", [])):
            terms, added = live(folk, chance, [*pushes[:number], *now])
            book = ledger(terms, added, folk, rng(seed, "subscription ledger"))
            money = change(book, quarter, len(folk))[rows["customer"]]
            rows = rows.assign(
                **{name: _results(terms, added, rows, quarter), f"arr_{name}": money / 100}
            )
        parts.append(rows)
    frame = pd.concat(parts)
    done = frame["done"].to_numpy()
    gained = (frame["if_treated"] - frame["if_not"]).to_numpy()
    worth = (frame["arr_if_treated"] - frame["arr_if_not"]).to_numpy()
    return frame.assign(
        effect_if_treated=gained,
        effect=np.where(done, gained, 0),
        arr_effect=np.where(done, worth, 0.0),
    )


def change(book: pd.DataFrame, quarter: Quarter, customers: int) -> np.ndarray:
    """Change of each customer's yearly recurring revenue in a quarter [fen]."""
    before, after = (recurring(book, on, customers) for on in (quarter.before, quarter.last))
    return np.asarray(after - before)


def _results(
    terms: pd.DataFrame, added: pd.DataFrame, rows: pd.DataFrame, quarter: Quarter
) -> np.ndarray:
    """The outcome that each measure is about, in a world, whoever knows of it."""
    due = terms[(terms["end"] >= quarter.first) & (terms["end"] <= quarter.last)]
    new = added[(added["day"] >= quarter.first) & (added["day"] <= quarter.last)]
    seen = observed(rows, due.loc[~due["lost"], "customer"], new, terms)
    strategy = rows["strategy"].to_numpy()
    return np.asarray(np.select([strategy == name for name in seen], list(seen.values())))


def outcomes(
    book: pd.DataFrame, terms: pd.DataFrame, rows: pd.DataFrame, quarter: Quarter
) -> dict[str, np.ndarray]:
    """What the vendor could see of a quarter's customers on its last evening.

    Parameters
    ----------
    book
        As `ledger.ledger` gives it.
    rows
        The measures of the quarter.

    Returns
    -------
    dict
        As `observed` gives it.
    """
    here = (book["signed"] >= quarter.first) & (book["signed"] <= quarter.last)
    began = (book["start"] >= quarter.first) & (book["start"] <= quarter.last)
    signed = book.loc[here & (book["kind"] == "续签"), "customer"]
    return observed(rows, signed, book[book["addition"] & began], terms)


def observed(
    rows: pd.DataFrame, renewed: pd.Series, new: pd.DataFrame, terms: pd.DataFrame
) -> dict[str, np.ndarray]:
    """Renewed 0/1, live in time 0/1, seats added: by the measure that is about it."""
    first = terms[terms["number"] == 0].set_index("customer")
    customer = rows["customer"].to_numpy()
    live_days = first["live_days"].reindex(customer).to_numpy()
    seats = new.groupby("customer")["seats"].sum().reindex(customer).fillna(0).to_numpy()
    return {
        "proactive_care": np.isin(customer, renewed.to_numpy()).astype(np.int64),
        "onboarding": (live_days <= LIVE_IN_TIME).astype(np.int64),
        "expansion": seats.astype(np.int64),
    }
