"""Today's rules, ready to be asked where a customer would stand, and at which numbers that turns.

Movement, anti-flapping and lists work for any scheme: they ask a `Rulebook` and know nothing of
how the scheme is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis import wording
from analysis.conditions import Sign
from analysis.segmentation.compiled import comparisons
from analysis.segmentation.cuts import SCORES
from analysis.segmentation.place import segment
from analysis.segmentation.reasons import Arg, word
from analysis.segmentation.rules import RFM5_RANKS, Scheme
from analysis.settings_segmentation import Segmentation
from analysis.tables import RECORD

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Place = Callable[[pd.DataFrame], pd.DataFrame]

_COMPARE = {">=": np.greater_equal, ">": np.greater, "<=": np.less_equal, "<": np.less}
_RFM5_ROLES = {
    "high_value": "best",
    "potential": "growing",
    "churn_risk": "at_risk",
    "low_frequency_essential": "steady",
    "new": "new",
}


@dataclass(frozen=True)
class Boundary:
    """A number at which one feature turns a score or a rule's condition.

    Attributes
    ----------
    feature
        Column of RECORD ``features``.
    sign
        How the feature is compared with the number.
    limits
        Industry → the number; the key ``""`` for all industries without one of their own.
    source
        The score or the rule that compares.
    is_score
        Whether `source` is a score.
    """

    feature: str
    sign: Sign
    limits: Mapping[str, float]
    source: str
    is_score: bool = False

    def limit(self, features: pd.DataFrame) -> Floats:
        """The number that applies to each customer."""
        found: Floats = np.full(len(features), self.limits.get("", np.nan), dtype=float)
        if len(self.limits) > 1 and "peer_industry" in features.columns:
            own = features["peer_industry"].map({k: v for k, v in self.limits.items() if k})
            found = np.where(own.isna(), found, own.to_numpy(float))
        return found

    def holds(self, features: pd.DataFrame) -> Mask:
        """Where the comparison holds; a missing value holds nothing."""
        values = features[self.feature].to_numpy(float)
        mask: Mask = _COMPARE[self.sign](values, self.limit(features))
        return mask

    def other_side(self, features: pd.DataFrame) -> Floats:
        """The value next to the number, on the side where each customer is not."""
        limit, holds = self.limit(features), self.holds(features)
        upwards, takes_limit = self.sign in (">=", ">"), self.sign in (">=", "<=")
        beyond = np.nextafter(limit, np.where(holds == upwards, -np.inf, np.inf))
        found: Floats = np.where(holds == takes_limit, beyond, limit)
        return found


@dataclass(frozen=True)
class Rulebook:
    """The rules and cuts in force.

    Attributes
    ----------
    place
        RECORD ``features`` → RECORD ``segments`` without reasons, by today's rules and cuts.
    boundaries
        Every number at which a place can turn; the scores' first.
    ranks
        Segment → rank, in report order; higher is better.
    weighed
        Features that count in weighted scores, and so turn at no number of their own.
    """

    place: Place
    boundaries: tuple[Boundary, ...]
    ranks: Mapping[str, int]
    weighed: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        """The features it reads: those it compares, in the order of the boundaries, first."""
        compared = (boundary.feature for boundary in self.boundaries)
        return tuple(dict.fromkeys([*compared, *self.weighed]))

    def segment_of(self, features: pd.DataFrame) -> pd.Series:
        """Segments by customer, for features with the customer as index."""
        rows = features.rename_axis("customer_id").reset_index()
        placed = self.place(rows).set_index("customer_id")["segment"]
        return placed.reindex(features.index)


def rulebook(
    scheme: Scheme, customers: pd.DataFrame, cuts: pd.DataFrame, settings: Segmentation
) -> Rulebook:
    """The rulebook of a scheme.

    Parameters
    ----------
    scheme, customers, cuts, settings
        What `segment` takes beside the features.
    """
    by_rule = partial(segment, customers=customers, scheme=scheme, cuts=cuts, settings=settings)
    boundaries = (*score_boundaries(cuts), *_rule_boundaries(scheme, cuts, settings))
    weighed = tuple(part for score in scheme.scores.values() for part in score.parts)
    return Rulebook(partial(by_rule, reasons=False), boundaries, ranks_of(scheme), weighed)


def score_boundaries(cuts: pd.DataFrame) -> Iterator[Boundary]:
    """The boundaries of the scores, recency first.

    Parameters
    ----------
    cuts
        RECORD ``cuts``; an industry's own cuts stand beside those of all others.
    """
    reads = {score: feature for score, (feature, _, _) in SCORES.items()}
    for score in ("recency", *SCORES):
        rows = cuts[cuts["score"] == score]
        industries = rows["industry"].fillna("") if "industry" in rows else [""] * len(rows)
        rows = rows.assign(industry=industries)
        for _, found in rows.groupby("boundary", sort=True):
            limits = dict(zip(found["industry"], found["value"].astype(float), strict=True))
            if score == "recency":
                feature = f"recency_{found['unit'].iloc[0]}"
                yield Boundary(feature, ">", limits, score, is_score=True)
            else:
                yield Boundary(reads[score], ">=", limits, score, is_score=True)


def _rule_boundaries(
    scheme: Scheme, cuts: pd.DataFrame, settings: Segmentation
) -> Iterator[Boundary]:
    for rule, feature, sign, limit in comparisons(scheme, settings, cuts):
        if feature in scheme.scores:
            continue  # a weighted score turns with its parts, at no number of theirs
        for each in (">=", "<=") if sign == "=" else (sign,):
            yield Boundary(feature, each, {"": limit}, rule)


def ranks_of(scheme: Scheme | None) -> dict[str, int]:
    """Segment → rank, in report order; None: those of ``rfm5``."""
    return scheme.ranks if scheme else dict(RFM5_RANKS)


def roles_of(scheme: Scheme | None) -> dict[str, str]:
    """Segment → best, growing, steady, new, at_risk or empty; None: those of ``rfm5``."""
    if scheme is None:
        return dict(_RFM5_ROLES)
    return {name: segment.role for name, segment in scheme.segments.items()}


def feature_word(feature: str) -> Arg:
    """A feature's name in a sentence."""
    key = f"feature_name.{feature}"
    return word(key if wording.has(key) else f"workbook.column.{feature}")


def unit_of(feature: str) -> str:
    """A feature's unit, as `analysis.wording.numbers.format_value` takes it."""
    column = next((c for c in RECORD["features"].columns if c.name == feature), None)
    if column is None:
        return "number"
    if column.type in ("money", "share"):
        return column.type
    if column.unit in ("days", "cycles"):
        return column.unit
    return "count" if column.type == "integer" else "number"
