"""Which feature moved a customer past which cut: asked of the rules, not guessed.

Put one feature back to what it was and place the customer again: if it goes back, that feature
moved it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis import wording
from analysis.segmentation.reasons import number, sentence
from analysis.segmentation.rulebook import (
    Boundary,
    Rulebook,
    feature_word,
    score_boundaries,
    unit_of,
)

Ints = NDArray[np.intp]
Mask = NDArray[np.bool_]
Words = NDArray[np.object_]

NO_FEATURE = ""
# sentences that name the feature; the others are about one
_GENERAL = ("cause.changed", "cause.crossed_up", "cause.crossed_down")


def deciding_feature(
    then: pd.DataFrame,
    now: pd.DataFrame,
    segments: tuple[pd.Series, pd.Series],
    rulebook: Rulebook,
) -> pd.Series:
    """The feature that moved each customer from its segment on `then` to that on `now`.

    Parameters
    ----------
    then, now
        RECORD ``features`` of two days or two states of the data, with the same customers in
        the same order as index.
    segments
        Where today's rules place the customers on `then` and on `now`.
    rulebook
        Today's rules.

    Returns
    -------
    pandas.Series
        Column of ``features`` by customer; empty where no single feature decided.

    Notes
    -----
    Only features that have passed a boundary of the rules count; where none has, because the
    rules weigh features together, those that have changed. Of several, the one is taken without
    whose change the customer would have stayed; else without whose change it would stand
    elsewhere than now; ties go to the order of the scheme: recency, frequency, money, the rest.
    """
    names = rulebook.features
    passed = {name: np.zeros(len(now), dtype=bool) for name in names}
    for boundary in rulebook.boundaries:
        passed[boundary.feature] |= boundary.holds(then) != boundary.holds(now)
    candidates = np.array([passed[name] for name in names]).reshape(len(names), len(now))
    changed = np.array([_differs(then[name], now[name]) for name in names]).reshape(
        candidates.shape
    )
    candidates = np.where(candidates.any(axis=0), candidates, changed)
    found = np.full(len(now), NO_FEATURE, dtype=object)
    single = candidates.sum(axis=0) == 1
    if single.any():
        found[single] = np.array(names, dtype=object)[candidates[:, single].argmax(axis=0)]
    several = np.flatnonzero(candidates.sum(axis=0) > 1)
    if len(several):
        start, end = (segment.to_numpy(object)[several] for segment in segments)
        states = (then.iloc[several], now.iloc[several])
        found[several] = _put_back(states, (start, end), candidates[:, several], rulebook)
    return pd.Series(found, index=now.index, dtype=object)


def _differs(then: pd.Series, now: pd.Series) -> Mask:
    a, b = then.to_numpy(float), now.to_numpy(float)
    differs: Mask = (a != b) & ~(np.isnan(a) & np.isnan(b))
    return differs


def _put_back(
    states: tuple[pd.DataFrame, pd.DataFrame],
    segments: tuple[Words, Words],
    candidates: Mask,
    rulebook: Rulebook,
) -> Words:
    """Of several candidates the one without which the customer would not have moved."""
    (then, now), (start, end) = states, segments
    best = np.full(len(now), NO_FEATURE, dtype=object)
    second = best.copy()
    for name, asked in zip(rulebook.features, candidates, strict=True):
        rows = np.flatnonzero(asked & (best == NO_FEATURE))
        if not len(rows):
            continue
        without = now.iloc[rows].assign(**{name: then[name].iloc[rows]})
        stands = rulebook.segment_of(without).to_numpy(object)
        best[rows[stands == start[rows]]] = name
        elsewhere = rows[stands != end[rows]]
        second[elsewhere[second[elsewhere] == NO_FEATURE]] = name
    return np.where(best == NO_FEATURE, second, best)


def crossing_sentences(
    then: pd.DataFrame,
    now: pd.DataFrame,
    rules: tuple[pd.Series, pd.Series],
    feature: pd.Series,
    rulebook: Rulebook,
) -> list[str]:
    """Each customer's move in words: which number went from where to where past which cut.

    Parameters
    ----------
    then, now, feature, rulebook
        As taken and given by `deciding_feature`.
    rules
        The rules that placed the customers then and now; their own sentences are preferred.
    """
    which = _boundary_passed(then, now, rules, feature, rulebook.boundaries)
    found = np.full(len(now), "", dtype=object)
    rule_then, rule_now = (rule.to_numpy(object) for rule in rules)
    for name in dict.fromkeys(feature):
        rows = np.flatnonzero((feature == name).to_numpy())
        if name == NO_FEATURE:
            found[rows] = sentence("cause.several")
            continue
        before, after = (f[name].to_numpy(float)[rows] for f in (then, now))
        unit, called = unit_of(name), feature_word(name)
        for code in np.unique(which[rows]):
            part = which[rows] == code
            boundary = rulebook.boundaries[code] if code >= 0 else None
            limit = boundary.limit(now.iloc[rows[part]]) if boundary else np.full(part.sum(), 0.0)
            for row, a, b, cut in zip(rows[part], before[part], after[part], limit, strict=True):
                args = {"before": number(a, unit), "after": number(b, unit)}
                key = "cause.changed"
                if boundary:
                    args["cut"] = number(cut, unit)
                    key = _key(boundary, bool(b > a), unit, rule_then[row], rule_now[row])
                if key in _GENERAL:
                    args["feature"] = called
                found[row] = sentence(key, args)
    return list(found)


def _key(boundary: Boundary, up: bool, unit: str, rule_then: Any, rule_now: Any) -> str:
    if boundary.is_score:
        end = "up" if up else "down"
        if boundary.source == "recency":
            end = f"{'far' if up else 'near'}_{unit}"
        return f"cause.{boundary.source}_{end}"
    own = f"cause.{boundary.source}"
    if rule_now == boundary.source and wording.has(own):
        return own
    if rule_then == boundary.source and wording.has(f"{own}_no_more"):
        return f"{own}_no_more"
    return f"cause.crossed_{'up' if up else 'down'}"


def _boundary_passed(
    then: pd.DataFrame,
    now: pd.DataFrame,
    rules: tuple[pd.Series, pd.Series],
    feature: pd.Series,
    boundaries: tuple[Boundary, ...],
) -> Ints:
    """Position of the boundary that the customer's feature has passed; -1 if none.

    That of the rule which the customer came from or stands in, else a score's, else any; of
    equals the one next to where the customer is now.
    """
    best = np.full(len(now), np.inf)
    near = np.full(len(now), np.inf)
    found = np.full(len(now), -1, dtype=np.intp)
    for code, boundary in enumerate(boundaries):
        passed = (feature == boundary.feature).to_numpy() & (
            boundary.holds(then) != boundary.holds(now)
        )
        of_rule = np.logical_or(*((rule == boundary.source).to_numpy() for rule in rules))
        order = np.where(of_rule, 0, 1 if boundary.is_score else 2)
        distance = np.abs(now[boundary.feature].to_numpy(float) - boundary.limit(now))
        better = passed & ((order < best) | ((order == best) & (distance < near)))
        best[better], near[better], found[better] = order[better], distance[better], code
    return found


def changed_cuts(features: pd.DataFrame, sealed: pd.DataFrame, rulebook: Rulebook) -> pd.DataFrame:
    """Whose value lies between a cut as it was and as it is now.

    Parameters
    ----------
    features
        What was known in the approved record, with the customer as index.
    sealed
        RECORD ``cuts`` of the approved record.
    rulebook
        Today's rules.

    Returns
    -------
    pandas.DataFrame
        feature (empty where no cut, or cuts of several features, passed over the customer) and
        the cut then (before) and now (after).
    """
    found = pd.DataFrame(
        {"feature": NO_FEATURE, "before": np.nan, "after": np.nan}, index=features.index
    )
    times = np.zeros(len(features), dtype=int)
    was = list(score_boundaries(sealed))
    today = [boundary for boundary in rulebook.boundaries if boundary.is_score]
    for name in dict.fromkeys(boundary.feature for boundary in today):
        pairs = zip(
            (boundary for boundary in was if boundary.feature == name),
            (boundary for boundary in today if boundary.feature == name),
            strict=False,
        )
        over = np.zeros(len(features), dtype=bool)
        for then, now in pairs:
            passed = then.holds(features) != now.holds(features)
            found.loc[passed, "feature"] = name
            found.loc[passed, "before"] = then.limit(features)[passed]
            found.loc[passed, "after"] = now.limit(features)[passed]
            over |= passed
        times += over
    found.loc[times > 1, "feature"] = NO_FEATURE
    return found
