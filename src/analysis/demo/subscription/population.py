"""The vendor's customers: who they are (exported) and how they fare (latent)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.demo import words as places
from analysis.demo.subscription import words
from analysis.demo.subscription.kinds import DAYS, KINDS, counts, dates

IN_PROGRESS = 0.58  # share of the customers whose contract runs when the history starts
OFF_LOG = 0.05  # run the software on their own servers: no usage is known
SUBSIDIARIES = 0.04
LATE_PAYERS = 0.12


def build(customers: int, stream: np.random.Generator) -> pd.DataFrame:
    """All customers, in the order of their numbers.

    Returns
    -------
    DataFrame
        One row a customer. Exported: ``customer_id, tenant_id, name, industry, staff`` (headcount),
        ``size, region, province, city, rep_id, csm_id, team_id, tier, source, joined`` (date),
        ``on_trial, parent`` (row of the parent, -1 without). Latent: ``kind, pain, first`` (day of
        the first contract, before the history where it is negative), ``years, seats, edition,
        price`` (of a seat for a year [fen]), ``occupancy, live_days, breadth`` (functions used),
        ``logged`` (its usage is known), ``days_late`` (payment after the due day).
    """
    kind = stream.permutation(np.repeat(np.arange(len(KINDS)), counts(customers)))
    frame = pd.DataFrame({"kind": np.array([k.key for k in KINDS])[kind]})
    frame["customer_id"] = [f"KH{n:06d}" for n in range(1, customers + 1)]
    frame["tenant_id"] = [
        f"{65_000_000 + n:08x}{low:016x}"
        for n, low in enumerate(stream.integers(2**63, size=customers).tolist())
    ]
    frame = _who(frame, stream)
    frame = _contract(frame, kind, stream)
    frame = _fares(frame, kind, stream)
    return _owners(frame, stream)


def _who(frame: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """Industry, place and name."""
    size = len(frame)
    industries = list(places.INDUSTRIES)
    share = np.array([places.INDUSTRIES[n][0] for n in industries])
    industry = stream.choice(len(industries), size=size, p=share / share.sum())
    frame["industry"] = np.array(industries)[industry]
    towns = [
        (region, province, city, weight / sum(map(len, provinces.values())))
        for region, (weight, provinces) in places.REGIONS.items()
        for province, cities in provinces.items()
        for city in cities
    ]
    weight = np.array([town[3] for town in towns])
    town = stream.choice(len(towns), size=size, p=weight / weight.sum())
    for column, name in enumerate(("region", "province", "city")):
        frame[name] = np.array([t[column] for t in towns])[town]
    frame["name"] = names(frame["city"], frame["industry"], stream)
    return frame


def names(cities: pd.Series, industries: pd.Series, stream: np.random.Generator) -> list[str]:
    """City, a brand of two syllables, the trade: different for every firm."""
    first, second = places.BRAND_FIRST, places.BRAND_SECOND
    brands = [a + b for a in first for b in second if a != b]
    drawn = stream.integers(len(brands), size=len(cities))
    variant = stream.integers(3, size=len(cities))
    found: dict[str, None] = {}
    for city, industry, at, v in zip(cities, industries, drawn, variant, strict=True):
        trade = places.INDUSTRIES[industry][3][int(v)]
        tried = (brands[(int(at) + step) % len(brands)] for step in range(len(brands)))
        free = (name for b in tried if (name := f"{city}{b}{trade}有限公司") not in found)
        found[next(free, f"{city}{brands[int(at)]}{trade}{len(found)}有限公司")] = None
    return list(found)


def _contract(frame: pd.DataFrame, kind: np.ndarray, stream: np.random.Generator) -> pd.DataFrame:
    """Headcount, and the first contract: when, for how long, how many seats, at which price."""
    size = len(frame)
    median = np.array([k.staff for k in KINDS])[kind]
    staff = median * np.exp(np.clip(stream.normal(0, 1.05, size), -2.2, 2.6))
    frame["staff"] = np.maximum(np.round(staff), 8).astype(np.int64)
    frame["size"] = np.array(words.SIZES)[
        np.searchsorted(words.SIZE_EDGES, frame["staff"], "right")
    ]
    seats = frame["staff"].to_numpy() * stream.uniform(0.07, 0.17, size)
    pilot = (frame["kind"] == "pilot").to_numpy()
    frame["seats"] = np.where(pilot, 5, np.clip(np.round(seats), 5, 400)).astype(np.int64)
    taste = np.log(frame["seats"].to_numpy()) + stream.normal(0, 0.7, size)
    edition = np.searchsorted([2.9, 4.1], taste)
    frame["edition"] = np.array(list(words.EDITIONS))[edition]
    listed = np.array([price for price, _ in words.EDITIONS.values()])[edition]
    discount = np.clip(0.05 * (np.log(frame["seats"]) - 2) + stream.normal(0, 0.04, size), 0, 0.3)
    frame["price"] = (np.round(listed * (1 - discount) / 1000) * 1000).astype(np.int64)
    frame["years"] = np.array([1, 2, 3])[np.searchsorted([0.86, 0.92], stream.random(size))]
    running = stream.random(size) < IN_PROGRESS
    into = -1 - np.floor(stream.random(size) * (365 * frame["years"].to_numpy() - 2))
    later = np.floor(stream.random(size) * (DAYS - 1))
    frame["first"] = np.where(running, into, later).astype(np.int64)
    # who signed up long ago was a customer before its present contract
    drawn = stream.random(size)
    ahead = np.where(running, 1500 * drawn**2, 20 + 100 * drawn)
    joined = np.where(pilot, DAYS - 8 - np.floor(100 * drawn), frame["first"] - np.floor(ahead))
    frame.loc[pilot, "first"] = joined[pilot].astype(np.int64)
    frame["joined"] = dates(joined)
    frame["on_trial"] = pilot
    return frame


def _fares(frame: pd.DataFrame, kind: np.ndarray, stream: np.random.Generator) -> pd.DataFrame:
    """How it uses the software, how it pays, what hurts it."""
    size = len(frame)
    pains = [k.pains for k in KINDS]
    drawn = stream.random(size)
    frame["pain"] = [pains[k][int(u * len(pains[k]))] for k, u in zip(kind, drawn, strict=True)]
    occupancy = np.array([k.occupancy for k in KINDS])[kind] + stream.normal(0, 0.07, size)
    frame["occupancy"] = np.clip(occupancy, 0.08, 0.94)
    median = np.array([k.live for k in KINDS])[kind]
    frame["live_days"] = np.round(median * np.exp(stream.normal(0, 0.4, size))).astype(np.int64)
    held = frame["edition"].map({name: n for name, (_, n) in words.EDITIONS.items()}).to_numpy()
    used = held * np.clip(frame["occupancy"].to_numpy() + stream.normal(0, 0.12, size), 0.2, 1.0)
    frame["breadth"] = np.clip(np.round(used * 0.8), 1, held).astype(np.int64)
    frame["logged"] = stream.random(size) >= OFF_LOG
    late = stream.random(size) < LATE_PAYERS + 0.15 * frame["kind"].isin(["fading", "closing"])
    usual = stream.gamma(2.0, 6.0, size) - 14
    frame["days_late"] = np.round(np.where(late, 40 + stream.gamma(2.0, 45.0, size), usual))
    parent = np.full(size, -1)
    large = np.argsort(-frame["staff"].to_numpy(), kind="stable")[: max(2, size // 12)]
    number = max(1, round(SUBSIDIARIES * size))
    small = np.setdiff1d(np.arange(size), large)
    some = stream.choice(small, size=number, replace=False)
    parent[some] = stream.choice(large, size=number)
    frame["parent"] = parent
    return frame


def _owners(frame: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """Who sells to it, who looks after it, and what the vendor itself thinks of it."""
    size = len(frame)
    team = frame["region"].map({name: n for n, name in enumerate(places.REGIONS, 1)}).to_numpy()
    rep = stream.integers(1, words.REPS_PER_REGION + 1, size=size)
    frame["rep_id"] = [f"S{100 * t + r:03d}" for t, r in zip(team, rep, strict=True)]
    frame["team_id"] = [f"X{t:02d}" for t in team]
    csm = stream.integers(1, words.CSMS + 1, size=size)
    frame["csm_id"] = [f"C{n:03d}" for n in csm]
    worth = frame["seats"].to_numpy() * frame["price"].to_numpy() / 100
    noisy = worth * np.exp(stream.normal(0, 0.5, size))
    frame["tier"] = np.array(words.TIERS)[np.searchsorted([25_000, 80_000, 250_000], noisy)]
    frame["source"] = np.array(words.SOURCES)[stream.integers(len(words.SOURCES), size=size)]
    # exports are incomplete where nobody must fill a field in
    frame.loc[stream.random(size) < 0.05, "industry"] = ""
    return frame
