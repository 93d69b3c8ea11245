"""A scheme's segments and rules as tables of a record."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.conditions import Comparison, Condition, plain
from analysis.segmentation.axes import MONEY_SETTING
from analysis.segmentation.compiled import Compiled, number_of
from analysis.segmentation.place import Placed, place
from analysis.segmentation.rules import Scheme
from analysis.segmentation.scores import boundaries
from analysis.settings_segmentation import Segmentation

NEAR = 0.05  # within this share of a cut, a customer is near it
SEGMENTS = ["scheme", "segment", "position", "rank", "role", "primary", "name_zh", "name_en"]
THRESHOLDS = ["position", "threshold", "value", "unit", "source"]
RULES = [
    "position", "rule", "segment", "place", "condition", "customers", "amount", "near_cut",
]  # fmt: skip


def scheme_segments(*schemes: Scheme) -> pd.DataFrame:
    """RECORD ``scheme_segments``: the first scheme is the primary one."""
    rows = [
        (
            scheme.scheme, name, segment.position, segment.rank, segment.role or "", i == 0,
            segment.names.get("zh", ""), segment.names.get("en", ""),
        )
        for i, scheme in enumerate(schemes)
        for name, segment in scheme.segments.items()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=SEGMENTS)


def scheme_thresholds(scheme: Scheme, settings: Segmentation) -> pd.DataFrame:
    """RECORD ``scheme_thresholds``: the numbers in force that the scheme's rules name."""
    own = settings.thresholds
    rows = [
        (
            i, name, own.get(name, entry.value), entry.unit,
            "settings" if name in own else "scheme",
        )
        for i, (name, entry) in enumerate(scheme.thresholds.items(), start=1)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=THRESHOLDS)


def scheme_rules(
    features: pd.DataFrame,
    customers: pd.DataFrame,
    scheme: Scheme,
    cuts: pd.DataFrame,
    settings: Segmentation,
) -> pd.DataFrame:
    """Customers and money of every rule, and how many of them a small change would move.

    Parameters
    ----------
    features, customers, scheme, cuts, settings
        As for `segment`.

    Returns
    -------
    pandas.DataFrame
        RECORD ``scheme_rules`` in written order, rules without customers included.
        ``near_cut`` counts those with a number within `NEAR` of a cut that their rule mentions,
        by comparison or by the band of a score.
    """
    placed = place(features, customers, scheme, cuts, settings)
    money = (placed.frame["monetary"].to_numpy(float) * 1e4).round().astype("int64")
    close = near_cut(placed, cuts, settings)
    rule_of = placed.rule
    rows = []
    for i, (rule, segment) in enumerate(zip(placed.made.rules, placed.made.targets, strict=True)):
        mine = rule_of == i
        rows.append(
            (
                i + 1, rule.rule, segment, rule.place, written(placed.made, i),
                int(mine.sum()), int(money[mine].sum()) / 1e4, int(close[mine].sum()),
            )
        )  # fmt: skip
    return pd.DataFrame(rows, columns=RULES)


def written(made: Compiled, rule: int) -> str:
    """A rule's conditions in one line, its thresholds with their values."""
    entries = [a.conditions for a in made.alternatives if a.rule == rule]
    return " | ".join("; ".join(_resolved(c, made) for c in entry) for entry in entries)


def near_cut(
    placed: Placed, cuts: pd.DataFrame, settings: Segmentation, margin: float = NEAR
) -> NDArray[np.bool_]:
    """Whether a customer has a number within a margin of a cut that its rule asks about.

    Parameters
    ----------
    placed
        Who was placed by what; the result has its rows.
    cuts, settings
        Where bands begin.
    margin
        Share of the cut. At a cut of 0 nobody is near.
    """
    found = np.zeros(len(placed.frame), dtype=bool)
    for number, alternative in enumerate(placed.made.alternatives):
        rows = np.flatnonzero(placed.alternative == number)
        if not len(rows):
            continue
        for condition in alternative.conditions:
            for feature, cut in _cuts(condition, placed.made, cuts, settings):
                values = placed.values(feature)[rows]
                found[rows] |= (np.abs(values - cut) <= margin * abs(cut)) & (cut != 0)
    return found


def _cuts(
    condition: Condition, made: Compiled, cuts: pd.DataFrame, settings: Segmentation
) -> Iterator[tuple[str, float]]:
    name = condition.feature
    if name == MONEY_SETTING:
        name = "monetary" if settings.monetary_reads == "total" else "mean_order"
    if condition.words and name == "recency":
        row = cuts[cuts["score"] == "recency"].iloc[0]
        raw = "recency_cycles" if row["unit"] == "cycles" else "recency_days"
        yield raw, float(row["value"])
    elif condition.words:
        yield from ((name, float(edge)) for edge in boundaries(cuts, name))
    for row_ in condition.ranges:
        for test in row_:
            if isinstance(test, Comparison) and _known(test, made):
                yield name, number_of(test.limit, made.limits)


def _known(test: Comparison, made: Compiled) -> bool:
    return not isinstance(test.limit, str) or test.limit in made.limits


def _resolved(condition: Condition, made: Compiled) -> str:
    text = str(condition)
    for name in condition.names:
        if name in made.limits:
            text = text.replace(f" {name}", f" {name} ({plain(made.limits[name])})")
    return text
