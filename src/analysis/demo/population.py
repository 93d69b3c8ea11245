"""The customers: who they are (exported) and how they buy (latent)."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from analysis.demo import words
from analysis.demo.company import REPS_PER_TEAM
from analysis.demo.kinds import BEFORE, DAYS, KINDS, START, counts, day

PORTFOLIO = 6  # products a customer buys
KEY_ACCOUNTS = 16  # the largest customers of the two key account managers, per 1,200


def build(customers: int, products: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """All customers, in the order of their numbers.

    Parameters
    ----------
    customers
        How many.
    products
        As `company.products` gives them.
    stream
        Source of chance.

    Returns
    -------
    DataFrame
        One row a customer. Exported: ``customer_id, name, industry, size, region, province, city,
        owner_id, team_id, joined, tier, need, on_trial``. Latent: ``kind, yearly`` [CNY], ``cycle``
        [days], ``regularity, growth, discount, first`` (day of the first order, may lie before the
        history), ``until`` (day after which nothing is ordered), ``onset`` (day on which the
        decline starts), ``portfolio_0`` … (rows of `products`).
    """
    number = counts(customers)
    kind = stream.permutation(np.repeat(np.arange(len(KINDS)), number))
    frame = pd.DataFrame({"kind": np.array([k.key for k in KINDS])[kind]})
    frame["customer_id"] = [f"KH{n:06d}" for n in range(1, customers + 1)]
    frame = _who(frame, stream)
    frame = _how(frame, kind, stream)
    frame = _ownership(frame, stream)
    return _portfolio(frame, products, stream)


def _who(frame: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """Industry, place and name."""
    size = len(frame)
    trade = (frame["kind"] == "wholesaler").to_numpy()
    names = list(words.INDUSTRIES)
    share = np.array([words.INDUSTRIES[n][0] for n in names])
    industry = stream.choice(len(names), size=size, p=share / share.sum())
    frame["industry"] = np.where(trade, words.TRADE, np.array(names)[industry])
    frame["_industry"] = industry
    places = [
        (region, province, city, weight / sum(map(len, provinces.values())))
        for region, (weight, provinces) in words.REGIONS.items()
        for province, cities in provinces.items()
        for city in cities
    ]
    weight = np.array([place[3] for place in places])
    place = stream.choice(len(places), size=size, p=weight / weight.sum())
    for column, name in enumerate(("region", "province", "city")):
        frame[name] = np.array([p[column] for p in places])[place]
    frame["name"] = _names(frame, trade, industry, stream)
    return frame


def _names(
    frame: pd.DataFrame, trade: np.ndarray, industry: np.ndarray, stream: np.random.Generator
) -> list[str]:
    """City, a brand of two syllables, the trade: different for every customer."""
    listed = [words.INDUSTRIES[n][3] for n in words.INDUSTRIES]
    brands = len(words.BRAND_FIRST) * len(words.BRAND_SECOND)
    brand = stream.integers(brands, size=len(frame))
    variant = stream.integers(3, size=len(frame))
    found: list[str] = []
    seen: set[str] = set()
    for row, city in enumerate(frame["city"]):
        line = words.TRADE_WORDS if trade[row] else listed[industry[row]]
        for step in range(brands):
            first, second = divmod((int(brand[row]) + step) % brands, len(words.BRAND_SECOND))
            syllables = words.BRAND_FIRST[first] + words.BRAND_SECOND[second]
            name = f"{city}{syllables}{line[int(variant[row])]}有限公司"
            if name not in seen and syllables[0] != syllables[1]:
                break
        else:
            name = f"{name}{row}"
        seen.add(name)
        found.append(name)
    return found


def _how(frame: pd.DataFrame, kind: np.ndarray, stream: np.random.Generator) -> pd.DataFrame:
    """Size, cycle, first and last day of each customer's buying."""
    size = len(frame)

    def of(name: str) -> np.ndarray:
        return np.asarray(np.array([getattr(k, name) for k in KINDS])[kind])

    low, high = np.array([k.cycle for k in KINDS])[kind].T
    factor = np.array([v[1] for v in words.INDUSTRIES.values()])[frame["_industry"]]
    annual = (frame["kind"] == "annual").to_numpy()
    once = stream.random(size) < 0.5
    cycle = stream.uniform(low, high) * np.where(annual, 1.0, factor)
    frame["cycle"] = np.where(annual, np.where(once, high, low), cycle)
    frame["yearly"] = of("yearly") * np.exp(of("spread") * _tails(size, stream))
    frame["regularity"] = of("regularity")
    frame["growth"] = of("growth")
    frame["discount"] = np.clip(of("discount") + stream.normal(0, 0.012, size), 0, 0.18)
    loyal = frame["kind"].isin(["key", "annual", "project"]).to_numpy()
    old = stream.random(size) < np.where(loyal, 0.88, 0.6)
    early = -stream.random(size) * frame["cycle"].to_numpy()
    later = np.floor(stream.uniform(5, day(BEFORE) - 95, size))
    frame["first"] = np.where(old, early, later)
    frame["until"] = float(DAYS + 40)  # beyond the end: the quarter-end push pulls orders forward
    frame["onset"] = np.inf
    drawn = stream.random((4, size))
    for name, rows in frame.groupby("kind", sort=False).groups.items():
        at = rows.to_numpy()
        if name == "new":
            frame.loc[at, "first"] = np.floor(DAYS - 2 - 160 * drawn[0, at] ** 0.9)
        elif name == "lapsed":
            left = np.floor(140 + (DAYS - 75 - 140) * drawn[0, at] ** 0.75)
            came = np.floor((left - 120).clip(1) * drawn[2, at])
            frame.loc[at, "first"] = np.where(drawn[1, at] < 0.45, early[at], came)
            frame.loc[at, "until"] = left
        elif name == "turned":
            frame.loc[at, "first"] = early[at]
            frame.loc[at, "until"] = np.floor(DAYS - 130 + 60 * drawn[0, at])
        elif name == "declining":
            frame.loc[at, "first"] = early[at]
            frame.loc[at, "onset"] = np.floor(500 + 330 * drawn[0, at])
        elif name == "trial":
            frame.loc[at, ["first", "until"]] = [float(DAYS), -1.0]
    long_ago = np.floor(-30 - 3200 * drawn[3] ** 1.5)
    first = frame["first"].to_numpy()
    joined = np.where(first < 0, long_ago, first - np.floor(5 + 50 * drawn[3]))
    joined = np.where(frame["kind"] == "trial", DAYS - np.floor(5 + 110 * drawn[3]), joined)
    frame["joined"] = [START + timedelta(days=int(d)) for d in joined]
    return frame


def _tails(size: int, stream: np.random.Generator) -> np.ndarray:
    """Standard normal, cut where one customer would be a tenth of the company."""
    return np.clip(stream.normal(size=size), -2.6, 2.4)


def _ownership(frame: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """Who looks after whom, and what the firm itself thinks of the customer."""
    size = len(frame)
    regions = {name: n for n, name in enumerate(words.REGIONS, start=1)}
    team = frame["region"].map(regions).to_numpy()
    rep = stream.integers(1, REPS_PER_TEAM + 1, size=size)
    owner = np.array([f"P{100 * t + r:03d}" for t, r in zip(team, rep, strict=True)], dtype=object)
    keys = frame["yearly"].where(frame["kind"] == "key", 0)
    top = max(1, round(KEY_ACCOUNTS * size / 1200))
    largest = keys.sort_values(ascending=False, kind="stable").index[:top]
    owner[largest] = np.array(["P002", "P003"], dtype=object)[np.arange(top) % 2]
    frame["owner_id"] = owner
    frame["team_id"] = [f"T{t:02d}" for t in team]
    noisy = frame["yearly"].to_numpy() * np.exp(stream.normal(0, 0.8, size))
    frame["tier"] = np.array(words.TIERS)[3 - np.searchsorted([40_000, 160_000, 700_000], noisy)]
    staff = np.log(frame["yearly"].to_numpy().clip(2e4)) * 0.8 + stream.normal(0, 0.9, size)
    frame["size"] = np.array(words.SIZES)[np.searchsorted([8.9, 9.7, 10.6, 11.6], staff)]
    weights = stream.random(size)
    custom = frame["kind"].isin(["project", "annual"]).to_numpy()
    simple = np.where(custom, 0.2, 0.6)
    frame["need"] = np.array(words.NEEDS)[
        (weights > simple).astype(int) + (weights > np.where(custom, 0.5, 0.87)).astype(int)
    ]
    frame["on_trial"] = frame["kind"] == "trial"
    # exports are incomplete where nobody must fill a field in
    frame.loc[stream.random(size) < 0.06, "industry"] = ""
    frame.loc[stream.random(size) < 0.09, "size"] = ""
    return frame


def _portfolio(
    frame: pd.DataFrame, products: pd.DataFrame, stream: np.random.Generator
) -> pd.DataFrame:
    """The products a customer buys: mostly of the groups its industry needs."""
    groups = [words.INDUSTRIES[n][2] for n in words.INDUSTRIES]
    group = products["group"].to_numpy()
    liking = np.full((len(groups), len(products)), 0.15)
    for industry, wanted in enumerate(groups):
        for weight, one in zip((6.0, 3.0, 1.5), wanted, strict=True):
            liking[industry, group == one] = weight
    # the largest of log(u) / weight: a weighted draw without replacement (Efraimidis, Spirakis)
    scores = np.log(stream.random((len(frame), len(products)))) / liking[frame["_industry"]]
    best = np.argsort(-scores, axis=1, kind="stable")[:, :PORTFOLIO]
    for column in range(PORTFOLIO):
        frame[f"portfolio_{column}"] = best[:, column]
    return frame.drop(columns="_industry")
