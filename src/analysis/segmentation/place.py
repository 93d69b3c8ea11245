"""Every customer's segment, the rule that placed it and the reason in its own numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from analysis.errors import Problem, SettingsError
from analysis.segmentation.axes import MONEY_SETTING, TRIAL, Axis, codes, switch_words
from analysis.segmentation.compiled import Alternative, Compiled, compiled
from analysis.segmentation.findings import point_words
from analysis.segmentation.rules import Scheme
from analysis.segmentation.scores import scores
from analysis.segmentation.sentences import Told, sentences
from analysis.segmentation.weights import weighted
from analysis.settings_segmentation import Segmentation

Codes = NDArray[np.intp]


@dataclass(frozen=True)
class Placed:
    """Who was placed by what.

    Attributes
    ----------
    made
        The compiled scheme.
    frame
        RECORD ``features``, sorted by ``customer_id``.
    marks
        Scores of the same rows.
    points
        Weighted scores of the same rows.
    trying
        Whether each customer is on trial.
    alternative
        For each row, the entry of ``made.alternatives`` that placed it.
    """

    made: Compiled
    frame: pd.DataFrame
    marks: pd.DataFrame
    points: dict[str, NDArray[np.float64]]
    trying: NDArray[np.bool_]
    alternative: Codes

    @property
    def rule(self) -> Codes:
        """For each row, the rule that placed it."""
        rules: Codes = np.array([a.rule for a in self.made.alternatives])[self.alternative]
        return rules

    def values(self, feature: str) -> NDArray[np.float64]:
        """A feature's or weighted score's numbers; NaN where there is no such column."""
        if feature in self.points:
            return self.points[feature]
        if feature not in self.frame.columns:
            return np.full(len(self.frame), np.nan)
        found: NDArray[np.float64] = self.frame[feature].to_numpy(float)
        return found


def segment(
    features: pd.DataFrame,
    customers: pd.DataFrame,
    scheme: Scheme,
    cuts: pd.DataFrame,
    settings: Segmentation,
    *,
    reasons: bool = True,
) -> pd.DataFrame:
    """Place every customer.

    Parameters
    ----------
    features
        RECORD ``features``; one row a customer. Columns that are missing have no values.
    customers
        RECORD ``customers``; tells who is on trial.
    scheme
        From `load_scheme`.
    cuts
        From `estimate_cuts`, with `score_anchors` where the scheme has weighted scores.
    settings
        Thresholds that the scheme's conditions name.
    reasons
        False leaves ``reason`` empty, where only the places are asked for.

    Returns
    -------
    pandas.DataFrame
        RECORD ``segments``, sorted by ``customer_id``: exactly one row a customer. ``m_score``
        is the score of the money that the placing rule reads (``m_reads``: the one whose band,
        else whose amount it names, else setting ``monetary_reads``). ``score`` is the first of
        the scheme's weighted scores. ``system_segment`` equals ``segment``.

    Raises
    ------
    SettingsError
        If the rules leave a customer without a place under these settings.
    """
    placed = place(features, customers, scheme, cuts, settings)
    made, marks, rules = placed.made, placed.marks, placed.made.rules
    money = ["total", "mean_order", None]
    read = np.array([money.index(_reads(a, settings)) for a in made.alternatives])
    reads = read[placed.alternative]
    m_score = marks["monetary"].where(reads == 0, marks["mean_order"])
    reads[(marks["recency"] == "none").to_numpy()] = 2
    segments = _pick(made.targets, placed.rule)
    first = next(iter(scheme.scores), None)
    told = Told(made, placed.frame, marks, placed.points, placed.alternative)
    return pd.DataFrame(
        {
            "customer_id": placed.frame["customer_id"],
            "scheme": scheme.scheme,
            "segment": segments,
            "system_segment": segments,
            "place": _pick([rule.place for rule in rules], placed.rule),
            "rule": _pick([rule.rule for rule in rules], placed.rule),
            "r_score": marks["recency"],
            "f_score": marks["frequency"],
            "m_score": m_score,
            "m_reads": _pick(money, reads),
            "tag": _pick([rule.tag for rule in rules], placed.rule),
            "score": placed.points[first] if first else np.nan,
            "reason": sentences(told, cuts, settings) if reasons else "",
        }
    )


def place(
    features: pd.DataFrame,
    customers: pd.DataFrame,
    scheme: Scheme,
    cuts: pd.DataFrame,
    settings: Segmentation,
) -> Placed:
    """Find every customer's rule; parameters and errors as `segment`."""
    frame = features.sort_values("customer_id", kind="stable").reset_index(drop=True)
    made = compiled(scheme, settings)
    marks = scores(frame, cuts)
    points = weighted(frame, scheme, cuts)
    trying = _on_trial(frame["customer_id"], customers)
    cells = [_cells(axis, frame, marks, points, trying) for axis in made.axes]
    found = np.full(len(frame), -1, dtype=np.intp)
    left = np.arange(len(frame))
    for number, alternative in enumerate(made.alternatives):
        holds = np.ones(len(left), dtype=bool)
        for axis, member, cell in zip(made.axes, alternative.box, cells, strict=True):
            if member != axis.full:
                taken = np.array([member >> i & 1 for i in range(len(axis.cells))], dtype=bool)
                holds &= taken[cell[left]]
        found[left[holds]] = number
        left = left[~holds]
    if len(left):
        example = {
            axis.name.removeprefix("score."): axis.cells[cell[left[0]]].example
            for axis, cell in zip(made.axes, cells, strict=True)
        }
        args = {"scheme": scheme.scheme, "count": len(left), "example": point_words(example)}
        raise SettingsError(Problem("schemes.left_over", args))
    return Placed(made, frame, marks, points, trying, found)


def as_before(segments: pd.DataFrame, origin: str = "recomputed") -> pd.DataFrame:
    """RECORD ``segments_before``: the same places, with where they come from.

    Parameters
    ----------
    segments
        Segments at the previous period's end: read from a sealed record, or recomputed by
        `segment` from features as of that day with the current cuts.
    origin
        ``sealed`` or ``recomputed``.
    """
    kept = segments[["customer_id", "scheme", "segment", "place", "rule"]]
    return kept.assign(origin=origin).sort_values("customer_id", kind="stable", ignore_index=True)


def _pick(options: Sequence[str | None], placed: Codes) -> pd.Series:
    """The option of every row."""
    chosen = pa.array(options, type=pa.large_string()).take(pa.array(placed))
    words: pd.Series = chosen.to_pandas()
    return words


def _cells(
    axis: Axis,
    frame: pd.DataFrame,
    marks: pd.DataFrame,
    points: dict[str, NDArray[np.float64]],
    trying: NDArray[np.bool_],
) -> Codes:
    """The cell of every row on an axis."""
    if axis.name == TRIAL:
        return codes(axis, switch_words(trying))
    if axis.name.startswith("score."):
        return codes(axis, marks[axis.name.removeprefix("score.")].to_numpy())
    if axis.name in points:
        return codes(axis, points[axis.name])
    if axis.name not in frame.columns:
        return codes(axis, np.full(len(frame), np.nan))
    return codes(axis, frame[axis.name].to_numpy(float))


def _on_trial(ids: pd.Series, customers: pd.DataFrame) -> NDArray[np.bool_]:
    if TRIAL not in customers.columns:
        return np.zeros(len(ids), dtype=bool)
    trying = customers.loc[customers[TRIAL].isin([True]), "customer_id"]
    found: NDArray[np.bool_] = ids.isin(trying).to_numpy()
    return found


def _reads(alternative: Alternative, settings: Segmentation) -> str:
    """Which money an entry of conditions reads: total or mean_order."""
    by_setting = "monetary" if settings.monetary_reads == "total" else "mean_order"
    banded, raw = set[str](), set[str]()
    for condition in alternative.conditions:
        name = by_setting if condition.feature == MONEY_SETTING else condition.feature
        if name in ("monetary", "mean_order"):
            (banded if condition.words else raw).add(name)
    for named in (banded, raw):
        if len(named) == 1:
            return "total" if named == {"monetary"} else "mean_order"
    return settings.monetary_reads
