"""The customers: who they are (exported) and how they buy (latent)."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from analysis.demo import words
from analysis.demo.blocks import Block, codes
from analysis.demo.company import REPS_PER_TEAM
from analysis.demo.kinds import (
    BEFORE,
    DAYS,
    HORIZON,
    KINDS,
    LAST,
    START,
    chapters,
    counts,
    day,
    rng,
)

PORTFOLIO = 6  # products a customer buys
KEY_ACCOUNTS = 16  # the largest customers of the two key account managers, per 1,200
LARGEST = 0.048  # of the revenue to be expected is the most that one customer stands for
SUBSIDIARIES = 0.04  # of the customers
FAMILIES = ("key", "steady", "wholesaler")  # kinds that have parents and subsidiaries
LEAVING = 0.03  # of the active customers leave for good in each quarter after the hand-over
TERMS = (30, 60, 90)  # days
SYLLABLES = tuple(dict.fromkeys(words.BRAND_SECOND + words.BRAND_FIRST))


def build(block: Block, products: pd.DataFrame) -> pd.DataFrame:
    """All customers of a block, also those who will only come, in the order of their numbers.

    Parameters
    ----------
    block
        Which and how many.
    products
        As `company.products` gives them.

    Returns
    -------
    DataFrame
        One row a customer. Exported: ``customer_id, name, industry, size, region, province, city,
        owner_id, team_id, joined, tier, need, on_trial``. Latent: ``kind, yearly`` [CNY], ``cycle``
        [days], ``regularity, growth, discount, first`` (day of the first order, may lie before the
        history), ``until`` (day after which nothing is ordered), ``onset`` (day on which the
        decline starts), ``portfolio_0`` … (rows of `products`), ``parent`` (row of the parent
        company, or -1), ``same_as`` (row of the customer that it really is, or -1: a company that
        stands in the list twice has a name and a number in each row, and orders on both),
        ``terms`` (agreed days until payment) and ``pays_after`` (days after the due date on which
        the customer usually pays; negative: before).
    """
    number = counts(block.size)
    kind = rng(block.seed, "kinds").permutation(np.repeat(np.arange(len(KINDS)), number))
    taken: set[str] = set()
    folk = _customers(kind, block, products, taken, rng(block.seed, "customers"))
    parts = [folk, _copies(folk, block.copies, rng(block.seed, "copies"))]
    new = np.full(block.arrivals, [k.key for k in KINDS].index("new"))
    for chapter in chapters(HORIZON)[1:]:
        stream = chapter.stream(block.seed, "arrivals")
        came = _customers(new, block, products, taken, stream, families=False)
        # no first order early enough to be pulled forward into the quarter before
        first = np.sort(stream.integers(chapter.first + 20, chapter.last + 1, len(came)))
        joined = np.maximum(first - stream.integers(5, 40, len(came)), chapter.first)
        until = first + 40 + np.floor(stream.exponential(91 / LEAVING, len(came)))
        parts.append(came.assign(first=first.astype(float), joined=_dates(joined), until=until))
    everyone = pd.concat(parts, ignore_index=True)
    everyone.insert(0, "customer_id", codes(block.numbers(), block.company[0]))
    return everyone


def _customers(
    kind: np.ndarray,
    block: Block,
    products: pd.DataFrame,
    taken: set[str],
    stream: np.random.Generator,
    families: bool = True,
) -> pd.DataFrame:
    """Customers of these kinds, with names that nobody has `taken` yet."""
    mean = sum(k.share * k.yearly * np.exp(k.spread**2 / 2) for k in KINDS)
    third = _third(block.index)
    frame = pd.DataFrame({"kind": np.array([k.key for k in KINDS])[kind]})
    frame["parent"] = _parents(frame["kind"], stream) if families else -1
    frame["same_as"] = -1
    frame = _who(frame, stream)
    frame["name"] = _names(frame, third, taken, stream)
    frame = _how(frame, kind, LARGEST * mean * block.size, stream)
    frame = _ownership(frame, stream)
    frame = _paying(frame, stream)
    frame = _portfolio(frame, products, stream)
    return _related(frame, stream)


def _third(block: int) -> str:
    """Syllables that set the brands of a block apart: none in the first, another one in each."""
    if block == 0:
        return ""
    again, one = divmod(block - 1, len(SYLLABLES))
    return SYLLABLES[one] + (SYLLABLES[again - 1] if again else "")


def _parents(kind: pd.Series, stream: np.random.Generator) -> np.ndarray:
    """Row of the parent company of each customer, one of its own kind; -1 for most."""
    found = np.full(len(kind), -1)
    for name in FAMILIES:
        rows = stream.permutation(np.nonzero((kind == name).to_numpy())[0])
        share = SUBSIDIARIES * len(kind) / kind.isin(FAMILIES).sum()
        below = round(share * len(rows))
        if 0 < below < len(rows):
            found[rows[:below]] = stream.choice(rows[below:], size=below)
    return found


def _copies(folk: pd.DataFrame, number: int, stream: np.random.Generator) -> pd.DataFrame:
    """Companies that somebody put into the list a second time."""
    old = np.nonzero((folk["first"] < DAYS - 400).to_numpy())[0]
    real = np.sort(stream.choice(old, size=number, replace=False))
    twice = folk.iloc[real].copy()
    begin = np.maximum(folk["first"].to_numpy()[real], 0)
    joined = begin + np.floor((DAYS - 200 - begin) * stream.random(number))
    return twice.assign(same_as=real, parent=-1, joined=_dates(joined))


def _dates(days: np.ndarray) -> np.ndarray:
    return np.array([START + timedelta(days=int(d)) for d in days], dtype=object)


def _who(frame: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """Industry and place."""
    size = len(frame)
    trade = (frame["kind"] == "wholesaler").to_numpy()
    names = list(words.INDUSTRIES)
    share = np.array([words.INDUSTRIES[n][0] for n in names])
    industry = stream.choice(len(names), size=size, p=share / share.sum())
    parent = frame["parent"].to_numpy()
    industry = np.where(parent >= 0, industry[parent], industry)
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
    return frame


def _names(
    frame: pd.DataFrame, third: str, taken: set[str], stream: np.random.Generator
) -> list[str]:
    """City, a brand of a few syllables, the trade; a subsidiary bears its parent's brand."""
    listed = [words.INDUSTRIES[n][3] for n in words.INDUSTRIES]
    trade = (frame["kind"] == "wholesaler").to_numpy()
    industry = frame["_industry"].to_numpy()
    brands = len(words.BRAND_FIRST) * len(words.BRAND_SECOND)
    brand = stream.integers(brands, size=len(frame))
    parent = frame["parent"].to_numpy()
    brand = np.where(parent >= 0, brand[parent], brand)
    variant = stream.integers(3, size=len(frame))
    found: list[str] = []
    for row, city in enumerate(frame["city"]):
        line = words.TRADE_WORDS if trade[row] else listed[industry[row]]
        for step in range(brands):
            first, second = divmod((int(brand[row]) + step) % brands, len(words.BRAND_SECOND))
            syllables = words.BRAND_FIRST[first] + words.BRAND_SECOND[second]
            name = f"{city}{syllables}{third}{line[int(variant[row])]}有限公司"
            if name not in taken and syllables[0] != syllables[1]:
                break
        else:
            name = f"{name}{row}"
        taken.add(name)
        found.append(name)
    return found


def _how(
    frame: pd.DataFrame, kind: np.ndarray, most: float, stream: np.random.Generator
) -> pd.DataFrame:
    """Size (at `most` so much a year), cycle, first and last day of each customer's buying."""
    size = len(frame)

    def of(name: str) -> np.ndarray:
        return np.asarray(np.array([getattr(k, name) for k in KINDS])[kind])

    low, high = np.array([k.cycle for k in KINDS])[kind].T
    factor = np.array([v[1] for v in words.INDUSTRIES.values()])[frame["_industry"]]
    annual = (frame["kind"] == "annual").to_numpy()
    once = stream.random(size) < 0.5
    cycle = stream.uniform(low, high) * np.where(annual, 1.0, factor)
    frame["cycle"] = np.where(annual, np.where(once, high, low), cycle)
    yearly = of("yearly") * np.exp(of("spread") * _tails(size, stream))
    frame["yearly"] = np.minimum(yearly, most)
    frame["regularity"] = of("regularity")
    frame["growth"] = of("growth")
    frame["discount"] = np.clip(of("discount") + stream.normal(0, 0.012, size), 0, 0.22)
    loyal = frame["kind"].isin(["key", "annual", "project"]).to_numpy()
    old = stream.random(size) < np.where(loyal, 0.88, 0.6)
    early = -stream.random(size) * frame["cycle"].to_numpy()
    later = np.floor(stream.uniform(5, day(BEFORE) - 95, size))
    frame["first"] = np.where(old, early, later)
    # beyond the end: the quarter-end push pulls orders forward; some leave before
    stays = np.floor(stream.exponential(91 / np.where(loyal, LEAVING / 3, LEAVING)))
    frame["until"] = np.minimum(DAYS + 1 + stays, float(LAST + 40))
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
    frame["joined"] = _dates(joined)
    return frame


def _tails(size: int, stream: np.random.Generator) -> np.ndarray:
    """Standard normal, cut at both ends."""
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
    for column, name in enumerate(_portfolio_columns()):
        frame[name] = best[:, column]
    return frame.drop(columns="_industry")


def _paying(frame: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """Agreed terms, and when a customer really pays: some are always late, large ones too."""
    size = len(frame)
    large = (frame["kind"] == "key").to_numpy()
    bounds = np.where(large[:, None], [0.2, 0.7], [0.6, 0.9])
    frame["terms"] = np.array(TERMS)[(stream.random(size)[:, None] > bounds).sum(axis=1)]
    tight = frame["kind"].isin(["lapsed", "declining", "turned"]).to_numpy()
    chronic = stream.random(size) < np.where(large, 0.17, np.where(tight, 0.2, 0.08))
    prompt = np.clip(np.round(stream.normal(0, 6, size)), -12, 20)
    late = 30 + np.minimum(np.floor(stream.gamma(2.0, 25.0, size)), 210)
    frame["pays_after"] = np.where(chronic, late, prompt).astype(np.int64)
    return frame


def _related(frame: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """A subsidiary buys as its parent does: the same goods at the same terms, only less."""
    below = np.nonzero((frame["parent"] >= 0).to_numpy())[0]
    above = frame["parent"].to_numpy()[below]
    shared = ["growth", "discount", "terms", *_portfolio_columns()]
    for name in shared:
        values = frame[name].to_numpy().copy()
        values[below] = values[above]
        frame[name] = values
    for name, low, high in (("cycle", 0.9, 1.1), ("yearly", 0.15, 0.5)):
        values = frame[name].to_numpy().copy()
        values[below] = values[above] * stream.uniform(low, high, len(below))
        frame[name] = values
    return frame


def _portfolio_columns() -> list[str]:
    return [f"portfolio_{column}" for column in range(PORTFOLIO)]
