"""Against moving to and fro: a margin around the cuts, and confirmation before a fall.

Off by default. With ``margin`` a customer keeps its segment while a feature that would keep it
there lies within that share of a cut's value: with 0.1 and a cut at 1.5 own cycles it falls
only beyond 1.65, and rises again only at or below 1.35. With ``confirm`` it falls to a worse
segment only when the rules say so at that many period ends in a row; it rises at once. A first
order and a place that a person decides, or no longer does, move at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.segmentation.causes import HELD, OVERRIDE
from analysis.segmentation.reasons import number, sentence, word
from analysis.segmentation.rulebook import Boundary, Rulebook, feature_word, unit_of
from analysis.settings_segmentation import Steady

Mask = NDArray[np.bool_]


def steady(
    placed: Mapping[str, pd.DataFrame],
    features: Mapping[str, pd.DataFrame],
    rulebook: Rulebook,
    settings: Steady,
    sealed: pd.DataFrame | None = None,
) -> dict[str, pd.DataFrame]:
    """The segments in force at each period's end, with those held back who only came near a cut.

    Parameters
    ----------
    placed
        Period → RECORD ``segments`` at its end, as today's rules place it.
    features
        Period → RECORD ``features`` at its end.
    rulebook
        Today's rules.
    settings
        Section ``segmentation.steady``.
    sealed
        RECORD ``segments`` of the approved previous record, which stand as they are; None:
        worked out from the earlier ends like the others.

    Returns
    -------
    dict
        The same periods, the earliest first. Whoever is held has place ``guard``, rule
        ``held``, no tag and a reason that names both segments. The earliest period is as the
        rules place it.
    """
    periods = sorted(
        (name for name in placed if len(placed[name])),
        key=lambda name: pd.Timestamp(features[name]["as_of"].iloc[0]),
    )
    found = {name: frame for name, frame in placed.items() if not len(frame)}
    if settings.margin == 0 and settings.confirm == 1:
        return found | {name: placed[name] for name in periods}
    previous = periods[-2] if len(periods) > 1 else None
    for i, name in enumerate(periods):
        if name == previous and sealed is not None:
            found[name] = sealed
        elif i == 0:
            found[name] = placed[name]
        else:
            ends = periods[i - 1 :: -1][: settings.confirm - 1]
            found[name] = _hold(
                placed[name],
                found[periods[i - 1]],
                (features[periods[i - 1]], features[name]),
                [placed[end] for end in ends],
                rulebook,
                settings,
            )
    return found


def _hold(
    raw: pd.DataFrame,
    before: pd.DataFrame,
    features: tuple[pd.DataFrame, pd.DataFrame],
    earlier: Sequence[pd.DataFrame],
    rulebook: Rulebook,
    settings: Steady,
) -> pd.DataFrame:
    """The places in force at one end, from those in force at the end before it."""
    ids = raw["customer_id"]
    old = before.set_index("customer_id").reindex(ids)
    was, now = (frame.set_index("customer_id").reindex(ids) for frame in features)
    stood, says = old["segment"].to_numpy(object), raw["segment"].to_numpy(object)
    free = (
        old["segment"].notna().to_numpy()
        & (stood != says)
        & (old["place"] != OVERRIDE).to_numpy()
        & (raw["place"] != OVERRIDE).to_numpy()
        & (was["orders_ever"] > 0).to_numpy()
    )
    reason = raw["reason"].to_numpy(object).copy()
    held = np.zeros(len(raw), dtype=bool)
    rows = np.flatnonzero(free)
    if settings.margin > 0 and len(rows):
        near = _near(now.iloc[rows], stood[rows], says[rows], rulebook, settings.margin)
        held[rows[list(near)]], reason[rows[list(near)]] = True, list(near.values())
    rows = np.flatnonzero(free & ~held)
    if settings.confirm > 1 and len(rows):
        stays, waiting = _unconfirmed(
            raw.iloc[rows], stood[rows], earlier, rulebook, settings.confirm
        )
        held[rows[stays]], reason[rows[stays]] = True, waiting
    return raw.assign(
        segment=np.where(held, stood, says),
        place=raw["place"].mask(held, "guard"),
        rule=raw["rule"].mask(held, HELD),
        tag=raw["tag"].mask(held, ""),
        reason=reason,
    )


def _near(
    now: pd.DataFrame,
    stood: NDArray[np.object_],
    says: NDArray[np.object_],
    rulebook: Rulebook,
    margin: float,
) -> dict[int, str]:
    """Reason by position, of those who would still stand there just across a cut that is near.

    Each feature near a cut is moved across it alone, then all of them together.
    """
    found: dict[int, str] = {}
    together, moved = now.copy(), np.zeros(len(now), dtype=int)
    example: dict[int, tuple[str, float, float]] = {}
    for name in rulebook.features:
        boundaries = [b for b in rulebook.boundaries if b.feature == name]
        cut, across = _across(now, name, boundaries, margin)
        rows = np.flatnonzero(~np.isnan(cut))
        if not len(rows):
            continue
        values = now[name].to_numpy(float)
        moved[rows] += 1
        example |= {int(row): (name, values[row], cut[row]) for row in rows}
        together[name] = np.where(np.isnan(cut), values, across)
        there = rulebook.segment_of(now.iloc[rows].assign(**{name: across[rows]}))
        for row in rows[there.to_numpy(object) == stood[rows]]:
            found.setdefault(row, _held_near(stood, says, row, example[row], margin))
    rows = np.flatnonzero(moved > 1)
    if len(rows):
        there = rulebook.segment_of(together.iloc[rows])
        for row in rows[there.to_numpy(object) == stood[rows]]:
            found.setdefault(row, _held_near(stood, says, row, example[row], margin))
    return found


def _across(
    now: pd.DataFrame, name: str, boundaries: Sequence[Boundary], margin: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The nearest cut within the margin (NaN: none) and the value just across it."""
    values = now[name].to_numpy(float)
    cut, across = np.full((2, len(now)), np.nan)
    nearest = np.full(len(now), np.inf)
    for boundary in boundaries:
        limit = boundary.limit(now)
        distance = np.abs(values - limit)
        with np.errstate(invalid="ignore"):
            near = (distance <= margin * np.abs(limit)) & (distance < nearest)
        cut[near], across[near] = limit[near], boundary.other_side(now)[near]
        nearest[near] = distance[near]
    return cut, across


def _held_near(
    stood: NDArray[np.object_],
    says: NDArray[np.object_],
    row: int,
    example: tuple[str, float, float],
    margin: float,
) -> str:
    feature, value, cut = example
    unit = unit_of(feature)
    args: dict[str, Any] = {
        "segment": word(f"segment.{stood[row]}"),
        "moved": word(f"segment.{says[row]}"),
        "feature": feature_word(feature),
        "value": number(value, unit),
        "cut": number(cut, unit),
        "margin": number(margin, "share"),
    }
    return sentence("reason.held_margin", args)


def _unconfirmed(
    raw: pd.DataFrame,
    stood: NDArray[np.object_],
    earlier: Sequence[pd.DataFrame],
    rulebook: Rulebook,
    needed: int,
) -> tuple[Mask, list[str]]:
    """Who falls, but not for the `needed` end in a row: a mask, and their reasons."""
    ranks = rulebook.ranks
    line = pd.Series(stood).map(ranks).to_numpy(float)
    below = raw["segment"].map(ranks).to_numpy(float) < line
    seen = below.astype(int)
    running = below.copy()
    for frame in earlier:
        then = frame.set_index("customer_id")["segment"].reindex(raw["customer_id"])
        running &= then.map(ranks).to_numpy(float) < line
        seen += running
    stays = below & (seen < needed)
    rows = zip(stood[stays], raw["segment"][stays], seen[stays], strict=True)
    told = [
        sentence(
            "reason.held_confirm",
            {
                "segment": word(f"segment.{there}"),
                "moved": word(f"segment.{says}"),
                "seen": number(count, "count"),
                "needed": number(needed, "count"),
            },
        )
        for there, says, count in rows
    ]
    return stays, told
