"""Where low ends and high begins.

Settings come first, then the previous period's frozen cuts, then the data. Estimated cuts are
terciles that never part equal values. A cut can only lie in a gap between two values that
differ:

- *low* ends at the gap below which the share of customers is nearest to a third,
- *mid* ends at the gap above that one that is nearest to halving the rest,
- *high* is what remains; of two gaps equally near the lower one is taken.

Where no second gap is left, the upper customers are high if they are the minority, else mid.
Without ties these are terciles. With 80 % one-order customers low is "one order", and the
others are parted between mid and high. Two hundred identical customers have no gap: all are
low. Customers without a positive value (no order in the window) say nothing about sizes: they
are left out of the estimate and always score low.

In mode ``industry`` every industry with enough customers that have a positive value gets cuts
of its own; the others share those of all customers. ``threshold`` estimates nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import Problem, SettingsError
from analysis.settings_segmentation import Segmentation

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.intp]
Pair: TypeAlias = Sequence[float]

# score → the feature it reads, its unit, and the smallest step between two values
SCORES: dict[str, tuple[str, str, float]] = {
    "frequency": ("frequency", "count", 1.0),
    "monetary": ("monetary", "money", 0.0001),
    "mean_order": ("mean_order", "money", 0.0001),
}
COLUMNS = ["score", "industry", "boundary", "value", "unit", "source", "below", "above"]
CHANGES = [*COLUMNS[:3], "unit", "before", "after", "change", "source"]
ALL = ""  # the industry of cuts that all customers share who have none of their own


def estimate_cuts(
    features: pd.DataFrame, settings: Segmentation, previous: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The boundaries of every score.

    Parameters
    ----------
    features
        RECORD ``features``; ``peer_industry`` may be missing, then there are no industries.
    settings
        ``frequency_cuts``, ``monetary_cuts`` and ``mean_order_cuts`` win where given;
        ``cuts`` says what else is done.
    previous
        RECORD ``cuts`` of the previous period: reused as they are, so that a customer does not
        move because the others did. None, or ``settings.cuts.reestimate``, estimates again on
        purpose.

    Returns
    -------
    pandas.DataFrame
        RECORD ``cuts``. ``value`` is the first value of the upper band: a customer with exactly
        that value is in the upper band. The recency boundary is the last value that is still
        near. A score that nobody has a positive value in gets no rows; all are low. ``below``
        and ``above`` count the customers of `features` whom the cut scores, on either side.

    Raises
    ------
    SettingsError
        If two cuts of the settings do not rise, or mode ``threshold`` has no numbers.

    Notes
    -----
    Frozen means frozen: an industry keeps its own cuts when it shrinks, and one that has grown
    gets none before the next estimate on purpose. Where the previous period had cuts of no
    industry at all, the mode is new, and industries are estimated beside the frozen overall cuts.
    """
    problems = list(_problems(settings))
    if problems:
        raise SettingsError(problems)
    if settings.cuts.reestimate:
        previous = None
    codes, names = industry_codes(features)
    place = {name: code for code, name in enumerate(names)}
    rows = [_recency(features, settings)]
    for score, (feature, unit, step) in SCORES.items():
        values = features[feature].to_numpy(float)
        found = _of_score(score, values, step, (codes, names), settings, previous)
        own = [place[industry] for industry in found if industry in place]
        for industry, (source, pair) in found.items():
            # a frozen industry may have no customer left
            mine = codes == place.get(industry, len(place))
            scored = values[~np.isin(codes, own) if industry == ALL else mine]
            for boundary, value in enumerate(pair, start=1):
                above = int((scored >= value).sum())
                counts = (len(scored) - above, above)
                rows.append((score, industry, boundary, float(value), unit, source, *counts))
    return pd.DataFrame(rows, columns=COLUMNS)


def industry_codes(features: pd.DataFrame) -> tuple[Codes, list[str]]:
    """Each customer's industry as a position among the sorted names; −1 where it has none."""
    if "peer_industry" not in features.columns:
        return np.full(len(features), -1, dtype=np.intp), []
    codes, names = pd.factorize(features["peer_industry"], sort=True)
    return codes, [str(name) for name in names]


def cut_changes(old: pd.DataFrame | None, new: pd.DataFrame) -> pd.DataFrame:
    """Each cut beside last period's.

    Parameters
    ----------
    old, new
        RECORD ``cuts`` of the previous period (None: there was none) and of this one.

    Returns
    -------
    pandas.DataFrame
        score, industry, boundary, unit, before, after, change (after / before − 1), source of
        the new value (empty: the cut is gone), in the order of `new`, then what is gone.
    """
    key = ["score", "industry", "boundary", "unit"]
    then = new.iloc[:0] if old is None else old
    if "industry" not in then.columns:
        then = then.assign(industry=ALL)
    joined = (
        new[[*key, "value", "source"]]
        .rename(columns={"value": "after"})
        .merge(then[[*key, "value"]].rename(columns={"value": "before"}), on=key, how="left")
    )
    gone = then[~then.set_index(key).index.isin(new.set_index(key).index)]
    lost = gone[key].assign(before=gone["value"], after=np.nan, source="")
    joined = pd.concat([joined, lost]) if len(lost) else joined
    return joined.assign(change=joined["after"] / joined["before"] - 1)[CHANGES].reset_index(
        drop=True
    )


def _problems(settings: Segmentation) -> Iterator[Problem]:
    for score in SCORES:
        given = getattr(settings, f"{score}_cuts")
        args = {"setting": f"segmentation.{score}_cuts"}
        if given is not None and not 0 < given[0] < given[1]:
            yield Problem("segmentation.cuts_must_rise", {**args, "found": list(given)})
        if given is None and _mode(settings, score) == "threshold":
            yield Problem("segmentation.cuts_missing", args)


def _mode(settings: Segmentation, score: str) -> str:
    return getattr(settings.cuts, score) or settings.cuts.mode


def _recency(features: pd.DataFrame, settings: Segmentation) -> tuple[Any, ...]:
    recency = settings.recency
    cycles = recency.mode == "own_cycle"
    value = recency.far_cycles if cycles else float(recency.window_days)
    known = features["recency_cycles" if cycles else "recency_days"].to_numpy(float)
    unit = "cycles" if cycles else "days"
    sides = (int((known <= value).sum()), int((known > value).sum()))
    return ("recency", ALL, 1, value, unit, "settings", *sides)


def _of_score(
    score: str,
    values: Floats,
    step: float,
    industries: tuple[Codes, list[str]],
    settings: Segmentation,
    previous: pd.DataFrame | None,
) -> dict[str, tuple[str, Pair]]:
    """Industry (`ALL`: all others) → where its two cuts come from, and they."""
    given: Pair | None = getattr(settings, f"{score}_cuts")
    if given is not None:
        return {ALL: ("settings", given)}
    frozen = {} if previous is None else _frozen(previous, score)
    found: dict[str, tuple[str, Pair]] = {}
    if ALL in frozen:
        found[ALL] = ("previous", frozen[ALL])
    elif (pair := _terciles(values, step)) is not None:
        found[ALL] = ("estimated", pair)
    if _mode(settings, score) != "industry" or not found:
        return found
    kept = {name: ("previous", pair) for name, pair in frozen.items() if name != ALL}
    return found | (kept or dict(_within(values, step, industries, settings.cuts.min_industry)))


def _within(
    values: Floats, step: float, industries: tuple[Codes, list[str]], least: int
) -> Iterator[tuple[str, tuple[str, Pair]]]:
    codes, names = industries
    known = (values > 0) & (codes >= 0)
    counts = np.bincount(codes[known], minlength=len(names))
    for place in np.flatnonzero(counts >= least):
        pair = _terciles(values[known & (codes == place)], step)
        if pair is not None:
            yield names[int(place)], ("estimated", pair)


def _frozen(previous: pd.DataFrame, score: str) -> dict[str, Pair]:
    """Industry → its two cuts; records made before industries had cuts hold none."""
    rows = previous[previous["score"] == score].sort_values("boundary")
    names = rows["industry"] if "industry" in rows.columns else pd.Series(ALL, index=rows.index)
    pairs = {str(name): [float(v) for v in group] for name, group in rows["value"].groupby(names)}
    return {name: pair for name, pair in sorted(pairs.items()) if len(pair) == 2}


def _terciles(values: Floats, step: float) -> list[float] | None:
    """First value of mid and of high; one or two steps above the largest where a band is empty."""
    known = values[~np.isnan(values)]
    levels, counts = np.unique(known[known > 0], return_counts=True)
    if len(levels) == 0:
        return None
    below = np.cumsum(counts)
    # Whole numbers on both sides: a third of 300 customers is 100, without binary dust.
    gaps = below[:-1]
    beyond = float(levels[-1]) + step
    if len(gaps) == 0:
        return [beyond, beyond + step]
    low = int(np.argmin(np.abs(3 * gaps - below[-1])))
    if low + 1 == len(gaps):
        upper = float(levels[low + 1])
        return [upper, upper if 2 * gaps[low] > below[-1] else beyond]
    rest = below[-1] - gaps[low]
    mid = low + 1 + int(np.argmin(np.abs(2 * (gaps[low + 1 :] - gaps[low]) - rest)))
    return [float(levels[low + 1]), float(levels[mid + 1])]
