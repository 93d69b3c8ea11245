"""Who starts now and who in the next wave, drawn so that the effect can be seen.

Only extra measures are drawn, never duties. What is drawn is the corporate group: a parent that
gets a measure talks to its subsidiaries, so customers of one group would not tell the two waves
apart. The largest accounts stay outside with their whole group.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.calendars import Period
from analysis.settings_measures import Strategy
from analysis.stats import keyed_uniform
from analysis.tables import RECORD

Counts = NDArray[np.int64]

FIRST, LATER, EXEMPT = "first", "later", "exempt"
BANDS = 3
MOST_LATER = 0.5  # a share is raised to this at most: the first wave is never the smaller one
_BLOCK = ["segment", "band"]


def assign(
    candidates: pd.DataFrame,
    customers: pd.DataFrame,
    features: pd.DataFrame,
    settings: Strategy,
    period_next: Period,
    seed: int,
    *,
    min_arm: int,
) -> pd.DataFrame:
    """The wave of each customer of each strategy.

    Groups are ordered by the money of their largest customer within its segment, and parted
    into thirds. In each third a share of the groups waits: those with the smallest number that
    group, seed and salt give. Neither the order of the rows nor other customers' numbers
    matter to it. Of a measure that worked only the smallest wait: from as few thirds, the
    smallest first, as hold two arms, so that checking it again costs little.

    Parameters
    ----------
    candidates
        customer_id, strategy, segment, extra (False: a duty), later_share (0-1), proven (it
        worked before). A customer may stand there once a measure.
    customers
        RECORD table: group_id; a customer without one is its own group.
    features
        RECORD table: monetary.
    settings
        Section ``strategy``: ``exempt_top``.
    period_next
        The period planned for: part of the salt.
    seed
        The run's seed.
    min_arm
        Customers that an arm needs to be judged: see `later_share`.

    Returns
    -------
    DataFrame
        RECORD ``waves``, sorted by strategy and customer.
    """
    rows = candidates.drop_duplicates(["customer_id", "strategy"]).reset_index(drop=True)
    if rows.empty:
        return pd.DataFrame(columns=RECORD["waves"].names)
    money = features.set_index("customer_id")["monetary"].astype(float)
    rows["money"] = rows["customer_id"].map(money).fillna(0.0)
    groups = _groups(customers)
    rows["group_id"] = [groups.get(customer, customer) for customer in rows["customer_id"]]
    top = largest(features, settings.exempt_top)
    spared = {groups.get(customer, customer) for customer in top}
    parts = [
        _assigned(part, top, spared, seed, salt_of(period_next, str(strategy)), min_arm)
        for strategy, part in rows.groupby("strategy", sort=True)
    ]
    found = pd.concat(parts, ignore_index=True)
    found["band"] = found["band"].astype("Int64")
    found = found.sort_values(["strategy", "customer_id"], kind="stable", ignore_index=True)
    return found[RECORD["waves"].names]


def as_planned(waves: pd.DataFrame, plan: pd.DataFrame) -> pd.DataFrame:
    """The rows of the draw that are in the plan: a budget may end before everybody has it."""
    key = ["customer_id", "strategy"]
    return waves.merge(plan[key].drop_duplicates(), on=key, how="inner")


def salt_of(period_next: Period, strategy: str) -> str:
    """What a draw is for: other periods and strategies draw anew."""
    return f"{period_next.name}|{strategy}"


def largest(features: pd.DataFrame, count: int) -> frozenset[str]:
    """The customers with the most money, ties by customer number."""
    ordered = features.assign(money=-features["monetary"].astype(float).fillna(0.0)).sort_values(
        ["money", "customer_id"], kind="stable"
    )
    return frozenset(ordered["customer_id"].head(count))


def later_share(planned: float, groups: int, min_arm: int, proven: bool) -> float:
    """Share that waits, so that the later wave can be compared with.

    Parameters
    ----------
    planned
        Share by the settings, 0-1; 0: nobody is to wait.
    groups
        Corporate groups that may be drawn.
    min_arm
        Customers that an arm needs. The share is raised until so many wait, to a half at most.
    proven
        It worked before. Where even a half is too few, a measure that worked is not held back
        from anybody; one still to be judged is drawn as planned, and its periods add up.

    Returns
    -------
    float
        0-1; NaN: no draw.
    """
    if planned == 0 or groups == 0:
        return planned
    needed = min_arm / groups
    if needed <= MOST_LATER:
        return max(planned, needed)
    return math.nan if proven else planned


def _groups(customers: pd.DataFrame) -> dict[str, str]:
    if "group_id" not in customers:
        return {}
    known = customers.dropna(subset=["group_id"])
    return dict(zip(known["customer_id"], known["group_id"], strict=True))


def _assigned(
    rows: pd.DataFrame,
    top: frozenset[str],
    spared: set[str],
    seed: int,
    salt: str,
    min_arm: int,
) -> pd.DataFrame:
    """One strategy's rows with band, chance, wave and why."""
    first = rows.iloc[0]
    rows = rows.assign(band=np.nan, chance=np.nan, wave=EXEMPT, why=_why("duty"))
    if not first["extra"]:
        return rows
    own = rows["customer_id"].isin(top)
    outside = rows["group_id"].isin(spared)
    rows.loc[outside, "why"] = _why("exempt_group")
    rows.loc[own, "why"] = _why("exempt_top", count=len(top))
    drawn = rows[~outside]
    planned, proven = float(first["later_share"]), bool(first["proven"])
    if proven and planned > 0:
        drawn = _smallest(drawn, min_arm)
        large = ~outside & ~rows.index.isin(drawn.index)
        rows.loc[large, "why"] = _why("large")
        outside |= large
    groups = int(drawn["group_id"].nunique())
    share = later_share(planned, groups, min_arm, proven)
    if math.isnan(share):
        rows.loc[~outside, "why"] = _why("too_few", groups=groups, least=min_arm)
        return rows
    found = drawn["group_id"].map(_draw(drawn, share, seed, salt).to_dict("index"))
    for column in ("band", "chance", "wave", "why"):
        rows.loc[drawn.index, column] = [unit[column] for unit in found]
    return rows


def _smallest(rows: pd.DataFrame, min_arm: int) -> pd.DataFrame:
    """The rows of as few thirds, the smallest first, as hold two arms to compare; else all."""
    band = rows["group_id"].map(_banded(rows).set_index("group_id")["band"])
    for most in range(1, BANDS):
        found = rows[band <= most]
        if found["group_id"].nunique() * MOST_LATER >= min_arm:
            return found
    return rows


def _banded(rows: pd.DataFrame) -> pd.DataFrame:
    """Corporate groups by their largest customer, with its third within the segment."""
    units = rows.sort_values(["money", "customer_id"], kind="stable")
    units = units.drop_duplicates("group_id", keep="last")
    units = units.sort_values(["segment", "money", "group_id"], kind="stable")
    rank = units.groupby("segment").cumcount()
    band = rank * BANDS // units.groupby("segment")["group_id"].transform("size") + 1
    return units.assign(band=band)


def _draw(rows: pd.DataFrame, share: float, seed: int, salt: str) -> pd.DataFrame:
    """Band, chance, wave and why of each corporate group (index: group_id)."""
    units = _banded(rows)
    units["chance"] = keyed_uniform(units["group_id"], seed, salt)
    units = units.sort_values([*_BLOCK, "chance", "group_id"], kind="stable")
    blocks = units.groupby(_BLOCK, sort=True).size().rename("groups").reset_index()
    start = keyed_uniform(["rounding"], seed, salt)[0]
    blocks["waiting"] = _shared_out(blocks["groups"].to_numpy(), share, start)
    turn = units.groupby(_BLOCK, sort=True).cumcount().to_numpy()
    units = units.drop(columns="why").merge(blocks, on=_BLOCK, how="left")
    units["wave"] = np.where(turn < units["waiting"], LATER, FIRST)
    told = {
        (wave, size, waiting, band): _why(
            wave, band={"key": f"wave_reason.band.{band}"}, groups=size, later=waiting
        )
        for wave, size, waiting, band in set(_cells(units))
    }
    units["why"] = [told[cell] for cell in _cells(units)]
    return units.set_index("group_id")[["band", "chance", "wave", "why"]]


def _cells(units: pd.DataFrame) -> list[tuple[str, int, int, int]]:
    columns = ("wave", "groups", "waiting", "band")
    return list(zip(*(units[column].tolist() for column in columns), strict=True))


def _shared_out(sizes: Counts, share: float, start: float) -> Counts:
    """How many of each block wait: whole numbers within one of their share.

    The parts left over are carried from block to block from a start drawn once, so that the
    total, too, is within one of its share, and every group waits as often as planned (systematic
    sampling, Madow 1949, Annals of Mathematical Statistics 20, 333-354).
    """
    reached = np.floor(start + share * np.concatenate([[0], np.cumsum(sizes)]))
    waiting: Counts = np.minimum(np.diff(reached).astype(int), sizes)
    return waiting


def _why(key: str, **args: Any) -> str:
    """A reason: catalogue key below ``wave_reason.``; numbers are counts."""
    said = {
        name: value if isinstance(value, dict) else {"value": int(value), "unit": "count"}
        for name, value in args.items()
    }
    return json.dumps({"key": f"wave_reason.{key}", "args": said}, sort_keys=True)
