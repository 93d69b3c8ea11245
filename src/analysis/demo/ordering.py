"""The orders that customers place when nobody does anything special."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.calendars import Period
from analysis.demo.kinds import DAYS, KINDS, LAST, SPRING_FESTIVALS, START, day
from analysis.demo.population import PORTFOLIO
from analysis.demo.workdays import workdays

ORDER_SPREAD = 0.30  # log standard deviation of an order's amount around the customer's own
PUSH_DAYS = 16  # orders of so many days after a quarter's end may be pulled forward
PROJECT_ORDERS = 5
PUSHED = (0.25, 0.55)  # share of these orders, in the first year and since the hand-over
COMEBACKS = 0.05  # share of the lapsed customers in a quarter
FIRST_COMEBACKS = "2025Q2"
ON_THE_COPY = 0.35  # share of the orders of a company that stands in the list twice
# an order's amount by month: plants stop in the summer's heat and stock up before the year's end
SEASONS = np.array([0.97, 0.95, 1.05, 1.04, 1.02, 1.00, 0.95, 0.94, 1.03, 0.98, 1.04, 1.08])


def events(population: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """When each customer orders, and for how much, up to the horizon.

    Returns
    -------
    DataFrame
        ``customer`` (row of `population`), ``day`` (0 … `LAST`), ``amount`` aimed at [CNY];
        sorted by customer and day.
    """
    parts = []
    real = population[population["same_as"] < 0]
    for name, rows in real.groupby("kind", sort=False).groups.items():
        if name != "trial":
            at = rows.to_numpy()
            draw = _projects if name == "project" else _renewals
            parts.append(draw(at, population.iloc[at], stream))
    found = pd.concat([*parts, _comebacks(real, stream)], ignore_index=True)
    found["day"] = _calendar(found["day"].to_numpy(), stream)
    # what falls away at Spring Festival falls away for good
    found = found[~(_near_festival(found["day"].to_numpy()) & (stream.random(len(found)) < 0.2))]
    found = found[(found["day"] >= 0) & (found["day"] <= LAST)]
    months = (np.datetime64(START) + found["day"].to_numpy()).astype("datetime64[M]").astype(int)
    found["amount"] = found["amount"] * SEASONS[months % 12]
    found["customer"] = _routed(found, population, stream)
    return found.sort_values(["customer", "day", "amount"], kind="stable", ignore_index=True)


def _routed(
    found: pd.DataFrame, population: pd.DataFrame, stream: np.random.Generator
) -> np.ndarray:
    """Some orders of a company that stands in the list twice are booked on its other number."""
    copies = np.nonzero((population["same_as"] >= 0).to_numpy())[0]
    joined = np.array([day(d) for d in population["joined"].iloc[copies]])
    other = np.full(len(population), -1)
    since = np.full(len(population), LAST + 1)
    other[population["same_as"].to_numpy()[copies]] = copies
    since[population["same_as"].to_numpy()[copies]] = joined
    customer = found["customer"].to_numpy()
    moved = (found["day"].to_numpy() >= since[customer]) & (stream.random(len(found)) < ON_THE_COPY)
    return np.where(moved, other[customer], customer)


def _renewals(at: np.ndarray, people: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """Gamma-distributed gaps around the own cycle; a decline stretches them more and more."""
    cycle, shape, first, until, onset = (
        people[name].to_numpy()[:, None]
        for name in ("cycle", "regularity", "first", "until", "onset")
    )
    most = int(np.ceil(((LAST + 40 - first) / cycle).max() * 1.35)) + 8
    gaps = stream.gamma(np.broadcast_to(shape, (len(at), most))) * cycle / shape
    gaps[:, 0] = 0
    when = first + np.cumsum(gaps, axis=1)
    over = np.clip(when - onset, 0, None)
    over = np.where(np.isfinite(over), over, 0.0)
    when = when + over**2 / 300.0
    keep = (when >= 0) & (when <= until)
    row, _ = np.nonzero(keep)
    amount = _amount(people, row, when[keep], cycle[row, 0], stream) * np.exp(-over[keep] / 500.0)
    return pd.DataFrame({"customer": at[row], "day": when[keep], "amount": amount})


def _projects(at: np.ndarray, people: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """Now and then a project of two to five orders at short distance."""
    cycle, shape, first, until = (
        people[name].to_numpy()[:, None] for name in ("cycle", "regularity", "first", "until")
    )
    most = int(np.ceil((LAST + 40 + cycle.max()) / cycle.min() * 1.6)) + 6
    gaps = stream.gamma(np.broadcast_to(shape, (len(at), most))) * cycle / shape
    gaps[:, 0] = 0
    starts = first + np.cumsum(gaps, axis=1)
    inside = np.cumsum(stream.uniform(8, 30, (len(at), most, PROJECT_ORDERS)), axis=2)
    orders = stream.integers(2, PROJECT_ORDERS + 1, (len(at), most, 1))
    when = starts[:, :, None] + inside
    keep = (np.arange(PROJECT_ORDERS) < orders) & (when >= 0) & (when <= until[:, :, None])
    row = np.nonzero(keep)[0]
    each = cycle[row, 0] / (1 + PROJECT_ORDERS / 2)
    amount = _amount(people, row, when[keep], each, stream)
    return pd.DataFrame({"customer": at[row], "day": when[keep], "amount": amount})


def _comebacks(population: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """In each quarter a few lapsed customers order once more, offer or no offer."""
    lapsed = population.index[population["kind"] == "lapsed"].to_numpy()
    parts = []
    quarter = Period.parse(FIRST_COMEBACKS)
    while day(quarter.start) < LAST:
        gone = lapsed[population["until"][lapsed].to_numpy() < day(quarter.start)]
        back = gone[stream.random(len(gone)) < COMEBACKS]
        usual = population["yearly"][back].to_numpy() * population["cycle"][back].to_numpy() / 365.0
        when = day(quarter.start) + 4 + np.floor(84 * stream.random(len(back)))
        parts.append(pd.DataFrame({"customer": back, "day": when, "amount": 0.8 * usual}))
        quarter = quarter.next()
    return pd.concat(parts, ignore_index=True)


def _amount(
    people: pd.DataFrame,
    row: np.ndarray,
    when: np.ndarray,
    cycle: np.ndarray,
    stream: np.random.Generator,
) -> np.ndarray:
    """A year's money spread over the cycle, growing towards the end of the history."""
    usual = people["yearly"].to_numpy()[row] * cycle / 365.0
    grown = (1 + people["growth"].to_numpy()[row]) ** ((when - DAYS) / 365.0)
    noise = np.exp(stream.normal(-(ORDER_SPREAD**2) / 2, ORDER_SPREAD, len(row)))
    return np.asarray(usual * grown * noise)


def quarter_ends() -> np.ndarray:
    """Day numbers of the quarters' last days, up to and with the horizon."""
    found = []
    quarter = Period.parse(f"{START.year}Q4")
    while day(quarter.end) <= LAST:
        found.append(day(quarter.end))
        quarter = quarter.next()
    return np.array(found)


def _calendar(when: np.ndarray, stream: np.random.Generator) -> np.ndarray:
    """Whole working days: nothing at Spring Festival, a push before a quarter's end."""
    moved = np.floor(when)
    for festival in SPRING_FESTIVALS:
        middle = day(festival)
        closed = (moved >= middle - 9) & (moved <= middle + 12)
        late = closed & (stream.random(len(moved)) < 0.85)
        moved = np.where(late, middle + 13 + np.floor(24 * stream.random(len(moved))), moved)
    for year in range(START.year, START.year + 5):
        first = day(START.replace(year=year))
        closed = (moved >= first) & (moved <= first + 6)
        moved = np.where(closed, moved + 7, moved)
    ends = quarter_ends()
    end = ends[np.clip(np.searchsorted(ends, moved) - 1, 0, len(ends) - 1)]
    after = (moved > end) & (moved <= end + PUSH_DAYS)
    # ever more is pulled forward to reach the quarter's figure
    share = np.interp(end, [365, DAYS], PUSHED)
    pulled = after & (stream.random(len(moved)) < share)
    moved = np.where(pulled, end - np.floor(6 * stream.random(len(moved))), moved)
    return workdays(moved.astype(np.int64))


def _near_festival(when: np.ndarray) -> np.ndarray:
    """Whether a day lies in the weeks around Spring Festival."""
    distance = [np.abs(when - 12 - day(festival)) for festival in SPRING_FESTIVALS]
    return np.asarray(np.min(distance, axis=0) <= 30)


def lines(
    orders: pd.DataFrame,
    population: pd.DataFrame,
    products: pd.DataFrame,
    stream: np.random.Generator,
) -> pd.DataFrame:
    """Break orders into lines of products, quantities and prices.

    Parameters
    ----------
    orders
        ``customer, day, amount``.

    Returns
    -------
    DataFrame
        ``order`` (row of `orders`), ``line`` (from 1), ``customer, day, product`` (row of
        `products`), ``quantity``; ``price, amount, cost`` in whole fen, so that
        amount = quantity × price exactly.
    """
    size = len(orders)
    customer = orders["customer"].to_numpy()
    kind = pd.Categorical(population["kind"], categories=[k.key for k in KINDS]).codes[customer]
    most = np.array([k.lines for k in KINDS])[kind]
    number = 1 + stream.binomial(most - 1, 0.45)
    order = np.repeat(np.arange(size), number)
    line = np.arange(len(order)) - np.repeat(np.cumsum(number) - number, number)
    weight = stream.gamma(2.5, size=len(order))
    weight = weight / np.bincount(order, weights=weight, minlength=size)[order]
    portfolio = population[[f"portfolio_{n}" for n in range(PORTFOLIO)]].to_numpy()
    # favourites first: a customer's first products are drawn more often than its last
    start = np.floor(PORTFOLIO * stream.random(size) ** 1.8).astype(np.int64)
    product = portfolio[customer[order], (start[order] + line) % PORTFOLIO]
    when = orders["day"].to_numpy()[order]
    listed = products["list_price"].to_numpy()[product] * 1.012 ** ((when - DAYS) / 365.0)
    discount = population["discount"].to_numpy()[customer[order]]
    price = listed * (1 - discount) * (1 + stream.normal(0, 0.01, len(order)))
    price = np.maximum(np.round(price * 100), 100).astype(np.int64)
    aim = orders["amount"].to_numpy()[order] * weight * 100
    quantity = np.maximum(np.round(aim / price), 1).astype(np.int64)
    cost = products["cost"].to_numpy()[product] * 1.012 ** ((when - DAYS) / 365.0)
    unit = np.round(cost * (1 + stream.normal(0, 0.015, len(order))) * 100).astype(np.int64)
    return pd.DataFrame(
        {
            "order": order,
            "line": line + 1,
            "customer": customer[order],
            "day": when,
            "product": product,
            "quantity": quantity,
            "price": price,
            "amount": quantity * price,
            "cost": quantity * unit,
        }
    )


def returns(sold: pd.DataFrame, rate: float, stream: np.random.Generator) -> pd.DataFrame:
    """Goods sent back: negative lines some days after the delivery, as documents of their own."""
    back = sold[stream.random(len(sold)) < rate].copy()
    share = stream.uniform(0.15, 1.0, len(back))
    quantity = np.maximum(np.round(back["quantity"].to_numpy() * share), 1).astype(np.int64)
    unit = back["cost"].to_numpy() // back["quantity"].to_numpy()
    later = back["day"].to_numpy() + stream.integers(7, 31, len(back))
    back["day"] = workdays(later)
    back["quantity"] = -quantity
    back["amount"] = -quantity * back["price"].to_numpy()
    back["cost"] = -quantity * unit
    back["line"] = 1
    return back.reset_index(drop=True)
