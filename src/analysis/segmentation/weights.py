"""Weighted scores: several features as one number from 0 to 100, each part shown.

A part's points are where a customer stands among all, from 0 at the lowest value to 100 at the
highest, by the deciles of the known values. Equal values get equal points; a value that spans
several deciles gets the middle of them. The deciles are cuts
like the others: `score_anchors` writes them as rows of RECORD ``cuts``, so that they are frozen
into a record and reused, and a customer's points move by its own doing alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.segmentation.axes import FEWER, features
from analysis.segmentation.rules import Scheme
from analysis.segmentation.scores import boundaries

COLUMNS = ["customer_id", "score", "part", "value", "points", "weight", "contribution"]
_STEPS = 10

Floats = NDArray[np.float64]


def score_anchors(
    known: pd.DataFrame, scheme: Scheme, previous: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Deciles of every part of a scheme's weighted scores.

    Parameters
    ----------
    known
        RECORD ``features``.
    scheme
        Its ``scores``; a scheme without gives no rows.
    previous
        RECORD ``cuts`` of the previous period; reused as they are. None re-estimates.

    Returns
    -------
    pandas.DataFrame
        Rows of RECORD ``cuts`` to stand below the others: ``score`` is ``<score>.<part>``,
        ``boundary`` 0 to 10. A part that nobody has a value of gets no rows.
    """
    rows: list[tuple[str, int, float, str, str]] = []
    for name, part in _parts(scheme):
        score, unit = f"{name}.{part}", features()[part].unit
        found, source = _frozen(previous, score), "previous"
        if found is None:
            found, source = _deciles(_values(known, part)), "estimated"
        rows += [(score, i, float(v), unit, source) for i, v in enumerate(found)]
    found_rows = pd.DataFrame(rows, columns=["score", "boundary", "value", "unit", "source"])
    return found_rows.assign(industry="")  # the same for all industries


def segment_scores(known: pd.DataFrame, scheme: Scheme, cuts: pd.DataFrame) -> pd.DataFrame:
    """Every part of every customer's weighted scores.

    Returns
    -------
    pandas.DataFrame
        RECORD ``segment_scores``, sorted by customer, parts in the order of the scheme. The
        contributions of a customer add to its score; they are empty where the value is unknown,
        and the weights of the known parts stand for the whole.
    """
    frame = known.sort_values("customer_id", kind="stable").reset_index(drop=True)
    found = []
    for name, score in scheme.scores.items():
        table = _points(frame, scheme, name, cuts)
        total = _known_weight(table, score.parts)
        for position, (part, weight) in enumerate(score.parts.items()):
            found.append(
                pd.DataFrame(
                    {
                        "customer_id": frame["customer_id"],
                        "score": name,
                        "part": part,
                        "value": _values(frame, part),
                        "points": table[part],
                        "weight": weight,
                        "contribution": table[part] * weight / total,
                        "position": position,
                    }
                )
            )
    if not found:
        return pd.DataFrame(columns=COLUMNS)
    keys = ["customer_id", "score", "position"]
    return pd.concat(found).sort_values(keys, kind="stable", ignore_index=True)[COLUMNS]


def weighted(known: pd.DataFrame, scheme: Scheme, cuts: pd.DataFrame) -> dict[str, Floats]:
    """Each weighted score of every customer, 0 to 100; NaN where no part is known.

    Rows stay in the order of `known`. Parts without anchors in `cuts` take those of `known`.
    """
    found = {}
    for name, score in scheme.scores.items():
        table = _points(known, scheme, name, cuts)
        total = _known_weight(table, score.parts)
        summed = np.zeros(len(known))
        for part, weight in score.parts.items():
            summed += np.nan_to_num(table[part]) * weight
        # Points that are equal on paper must not differ by binary dust at a threshold.
        found[name] = np.round(summed / total, 6)
    return found


def _points(
    known: pd.DataFrame, scheme: Scheme, name: str, cuts: pd.DataFrame
) -> dict[str, Floats]:
    found = {}
    for part in scheme.scores[name].parts:
        values = _values(known, part)
        anchors = boundaries(cuts, f"{name}.{part}")
        found[part] = _scaled(values, anchors if len(anchors) else _deciles(values), part)
    return found


def _scaled(values: Floats, anchors: Floats, part: str) -> Floats:
    if not len(anchors):
        return np.full(len(values), np.nan)
    levels = np.linspace(0.0, 100.0, len(anchors))
    distinct, first, count = np.unique(anchors, return_index=True, return_counts=True)
    middle = (levels[first] + levels[first + count - 1]) / 2
    found = np.interp(values, distinct, middle)
    found[np.isnan(values)] = np.nan
    better: Floats = 100.0 - found if part in FEWER else found
    return better


def _known_weight(table: dict[str, Floats], weights: dict[str, float]) -> Floats:
    total = sum(np.where(np.isnan(table[part]), 0.0, weight) for part, weight in weights.items())
    known: Floats = np.where(total == 0, np.nan, total)
    return known


def _deciles(values: Floats) -> Floats:
    known = values[~np.isnan(values)]
    if not len(known):
        return known
    shares = np.linspace(0.0, 1.0, _STEPS + 1)
    found: Floats = np.quantile(known, shares, method="inverted_cdf")
    return found


def _frozen(previous: pd.DataFrame | None, score: str) -> Floats | None:
    found = boundaries(previous, score) if previous is not None else np.array([])
    return found if len(found) == _STEPS + 1 else None


def _values(known: pd.DataFrame, part: str) -> Floats:
    if part not in known.columns:
        return np.full(len(known), np.nan)
    found: Any = known[part].to_numpy(float)
    values: Floats = found
    return values


def _parts(scheme: Scheme) -> Iterator[tuple[str, str]]:
    for name, score in scheme.scores.items():
        for part in score.parts:
            yield name, part
