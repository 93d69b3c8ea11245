"""Why a customer's segment changed: exact, by asking the rules what would have been.

A customer who stands elsewhere than in the approved record of the previous period got there
over three steps, and each is found by placing features that differ in nothing else:

==================  =====================================================
approved segment    by the rules of then, from what was known of it then
→ *rules*           by today's rules and cuts, from what was known then
→ *data*            by today's rules and cuts, from what is known of that day now
→ *own*             by today's rules and cuts, from what is known of today
==================  =====================================================

So neither the rules of then nor their cuts are needed, only the features that the approval kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.segmentation.crossings import changed_cuts, crossing_sentences, deciding_feature
from analysis.segmentation.reasons import day, number, sentence, word
from analysis.segmentation.rulebook import Rulebook, feature_word, unit_of

ENTERED, LEFT, HELD, OVERRIDE = "entered", "left", "held", "override"
Pair: TypeAlias = tuple[pd.DataFrame, pd.DataFrame]


@dataclass(frozen=True)
class Sealed:
    """What the approved record of the previous period kept; None: nothing of it.

    Attributes
    ----------
    features
        RECORD ``features``, with the customer as index.
    cuts
        RECORD ``cuts``.
    """

    features: pd.DataFrame | None = None
    cuts: pd.DataFrame | None = None


def causes(
    moves: pd.DataFrame,
    segments: Pair,
    features: Pair,
    rulebook: Rulebook,
    sealed: Sealed,
    merged: pd.DataFrame | None,
) -> pd.DataFrame:
    """The cause of every customer's move, or of none.

    Parameters
    ----------
    moves
        segment_before, segment_after, direction, with the customer as index.
    segments, features
        RECORD ``segments`` (before: ``segments_before``) and ``features`` of the two ends, with
        the customer as index; the features from today's data.
    rulebook
        Today's rules.
    sealed
        What was kept of the previous record.
    merged
        customer_id → kept_id; None: nobody was merged.

    Returns
    -------
    pandas.DataFrame
        cause, cause_kind and feature, with the index of `moves`.
    """
    found = _said(moves.index, "", None)
    old, new = segments
    came, gone = moves["direction"] == ENTERED, moves["direction"] == LEFT
    _tell(found, gone, "lost", sentence("cause.left"))
    _entered(found, came, features)
    _merged(found, moves, merged)

    same = moves["direction"] == "same"
    _tell(found, same, "same", sentence("cause.same"))
    _tell(found, same & _is(new, "rule", HELD, moves.index), "held", sentence("cause.held"))
    moved = ~(came | gone | same)
    decided, undone = (_is(table, "place", OVERRIDE, moves.index) for table in (new, old))
    _tell(found, moved & undone, OVERRIDE, sentence("cause.override_ended"))
    _tell(found, moved & decided, OVERRIDE, sentence("cause.override"))
    moved &= ~(decided | undone)

    was, now = features
    known = moved & _stands_in(was, moves.index) & _stands_in(now, moves.index)
    _tell(found, moved & ~known, "data", sentence("cause.data"))
    ids = moves.index[known]
    if len(ids):
        was_held = _is(old, "rule", HELD, ids)
        rule = new["rule"].reindex(ids)
        ends = (was.loc[ids], now.loc[ids])
        told = _moved(moves.loc[ids], rule, was_held, ends, rulebook, sealed)
        found.loc[ids, found.columns] = told
    return found


def _is(table: pd.DataFrame, column: str, value: str, index: pd.Index) -> pd.Series:
    """Whether a customer has the value in a column, which older tables may not have."""
    if column not in table.columns:
        return pd.Series(data=False, index=index)
    return table[column].reindex(index) == value


def _stands_in(table: pd.DataFrame, ids: pd.Index) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = table.index.get_indexer(ids) >= 0
    return found


def _tell(found: pd.DataFrame, rows: Any, kind: str, cause: Any, feature: Any = "") -> None:
    found.loc[rows, "cause"] = cause
    found.loc[rows, "cause_kind"] = kind
    found.loc[rows, "feature"] = feature


def _entered(found: pd.DataFrame, came: pd.Series, features: Pair) -> None:
    """Those who were not there: a first order, a first order entered late, or none yet."""
    was, now = features
    since = _day(was)
    first = now["first_order_on"].reindex(found.index)
    _tell(found, came, "new", sentence("cause.entered_without_order"))
    ordered = came & first.notna()
    late = ordered & (first <= since) if since is not None else came & False
    timely = ordered & ~late
    _tell(found, timely, "new", _each("cause.entered_first_order", "day", first[timely].map(day)))
    _tell(found, late, "data", _each("cause.entered_late", "day", first[late].map(day)))


def _day(features: pd.DataFrame) -> pd.Timestamp | None:
    """The day the features are as of; None if there are none."""
    known = features["as_of"].dropna()
    return pd.Timestamp(known.iloc[0]) if len(known) else None


def _each(key: str, name: str, values: pd.Series) -> list[str]:
    """One sentence a customer, with its own value."""
    return [sentence(key, {name: value}) for value in values]


def _merged(found: pd.DataFrame, moves: pd.DataFrame, merged: pd.DataFrame | None) -> None:
    """Those who stand under another number now, and new numbers that others stand under."""
    if merged is None or merged.empty:
        return
    entered, left = moves["segment_before"] == ENTERED, moves["segment_after"] == LEFT
    pairs = merged[merged["customer_id"] != merged["kept_id"]]
    pairs = pairs[
        pairs["customer_id"].isin(moves.index[left]) & pairs["kept_id"].isin(moves.index[~left])
    ].sort_values(["kept_id", "customer_id"])
    kept = pairs.drop_duplicates("customer_id").set_index("customer_id")["kept_id"]
    _tell(found, kept.index, "merged", _each("cause.merged", "kept", kept))
    former = pairs.drop_duplicates("kept_id").set_index("kept_id")["customer_id"]
    former = former[former.index.isin(moves.index[entered])]
    _tell(found, former.index, "merged", _each("cause.merged_in", "former", former))


def _moved(
    moves: pd.DataFrame,
    rule: pd.Series,
    was_held: pd.Series,
    features: Pair,
    rulebook: Rulebook,
    sealed: Sealed,
) -> pd.DataFrame:
    """Those who were and are there, and changed segment by the rules."""
    was, now = features
    found = _said(moves.index, "", None)
    again = _placed(rulebook, was)
    stands, ended = again["segment"], moves["segment_after"]
    first = (was["orders_ever"] == 0) & (now["orders_ever"] > 0)
    confirmed = was_held & (stands == ended) & ~first
    shifted = (stands != moves["segment_before"]) & ~was_held & ~first
    own = ~(first | confirmed | shifted)

    on = now.loc[first, "first_order_on"].map(day)
    _tell(found, first, "new", _each("cause.first_order", "day", on), "orders_ever")
    _tell(found, confirmed, "own", sentence("cause.confirmed"))
    if own.any():
        then, today = was[own], now[own]
        feature = deciding_feature(then, today, (stands[own], ended[own]), rulebook)
        rules = again.loc[own, "rule"], rule[own]
        told = crossing_sentences(then, today, rules, feature, rulebook)
        _tell(found, own, "own", told, feature)
    if shifted.any():
        parts = _shifted(was[shifted], stands[shifted], rulebook, sealed)
        found.loc[parts.index, found.columns] = parts
    return found


def _placed(rulebook: Rulebook, features: pd.DataFrame) -> pd.DataFrame:
    rows = features.rename_axis("customer_id").reset_index()
    return rulebook.place(rows).set_index("customer_id").reindex(features.index)


def _shifted(
    was: pd.DataFrame, stands: pd.Series, rulebook: Rulebook, sealed: Sealed
) -> pd.DataFrame:
    """Those whom today's data or rules would have placed elsewhere at the previous end."""
    kept = was.iloc[:0] if sealed.features is None else sealed.features
    known = _stands_in(kept, was.index)
    then = kept.reindex(was.index[known])
    ruled_then = rulebook.segment_of(then) if len(then) else stands[known]
    uncorrected = ruled_then == stands[known]
    corrected, ruled = then.index[~uncorrected], then.index[uncorrected]
    # Without the features of then, a cut that passed over the customer is what can be known.
    rest = was[~known]
    recut = _cut_passed(rest, rulebook, sealed)
    by_cut = rest.index[recut["feature"] != ""]
    parts = [
        _corrected(then.loc[corrected], was.loc[corrected], (ruled_then, stands), rulebook),
        _recut(_cut_passed(then.loc[ruled], rulebook, sealed), stands),
        _recut(recut.loc[by_cut], stands),
        _said(rest.index.difference(by_cut), "data", sentence("cause.data")),
    ]
    return pd.concat(parts)


def _said(index: pd.Index, kind: str, cause: Any, feature: Any = "") -> pd.DataFrame:
    columns = {"cause": cause, "cause_kind": kind, "feature": feature}
    return pd.DataFrame(columns, index=index, dtype=object)


def _corrected(
    then: pd.DataFrame,
    was: pd.DataFrame,
    segments: tuple[pd.Series, pd.Series],
    rulebook: Rulebook,
) -> pd.DataFrame:
    """What was known of a day has changed since."""
    start, end = (segment.loc[was.index] for segment in segments)
    feature = deciding_feature(then, was, (start, end), rulebook)
    ends = pd.DataFrame({"feature": feature, "before": np.nan, "after": np.nan})
    for name in set(feature) - {""}:
        rows = (feature == name).to_numpy()
        ends.loc[rows, "before"] = then.loc[rows, name].astype(float)
        ends.loc[rows, "after"] = was.loc[rows, name].astype(float)
    told = _would_have(ends, end, "cause.data_corrected", "cause.data_place")
    return _said(was.index, "data", told, feature)


def _recut(cuts: pd.DataFrame, stands: pd.Series) -> pd.DataFrame:
    """The rules or cuts have changed since."""
    told = _would_have(cuts, stands, "cause.rules_cut", "cause.rules_place")
    return _said(cuts.index, "rules", told, cuts["feature"])


def _would_have(ends: pd.DataFrame, stands: pd.Series, precise: str, general: str) -> list[str]:
    """Where each customer would have stood already, and through which number's change."""
    told = []
    rows = zip(ends["feature"], ends["before"], ends["after"], stands.loc[ends.index], strict=True)
    for name, before, after, place in rows:
        args: dict[str, Any] = {"place": word(f"segment.{place}")}
        if name:
            unit = unit_of(name)
            args["feature"] = feature_word(name)
            args |= {"before": number(before, unit), "after": number(after, unit)}
        told.append(sentence(precise if name else general, args))
    return told


def _cut_passed(features: pd.DataFrame, rulebook: Rulebook, sealed: Sealed) -> pd.DataFrame:
    if sealed.cuts is None:
        return pd.DataFrame({"feature": "", "before": 0.0, "after": 0.0}, index=features.index)
    return changed_cuts(features, sealed.cuts, rulebook)
