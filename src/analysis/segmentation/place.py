"""Every customer's segment, the rule that placed it and the reason in its own numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis import wording
from analysis.errors import Problem, SettingsError
from analysis.segmentation.cuts import SCORES
from analysis.segmentation.reasons import number, sentence, word
from analysis.segmentation.scheme import BANDS, TRIAL, Condition, R, Rule, Scheme
from analysis.segmentation.scores import boundaries, scores
from analysis.settings_model import Segmentation

Codes = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Words = NDArray[np.object_]

_COMPARE = {
    "above": np.greater,
    "at_least": np.greater_equal,
    "below": np.less,
    "at_most": np.less_equal,
}


def segment(
    features: pd.DataFrame,
    customers: pd.DataFrame,
    scheme: Scheme,
    cuts: pd.DataFrame,
    settings: Segmentation,
) -> pd.DataFrame:
    """Place every customer.

    Parameters
    ----------
    features
        RECORD ``features``; one row a customer.
    customers
        RECORD ``customers``; tells who is on trial.
    scheme
        From `load_scheme`.
    cuts
        From `estimate_cuts`.
    settings
        Thresholds that the scheme's conditions name.

    Returns
    -------
    pandas.DataFrame
        RECORD ``segments``, sorted by ``customer_id``: exactly one row a customer. ``m_score``
        is the score of the money that the customer's row of cells reads (``m_reads``).

    Raises
    ------
    SettingsError
        If a setting puts a rule's customers in a segment that the scheme does not have.
    """
    frame = features.sort_values("customer_id", kind="stable").reset_index(drop=True)
    marks = scores(frame, cuts)
    values = {name: frame[name].to_numpy(float) for name in _needed(scheme)}
    values[TRIAL] = _on_trial(frame["customer_id"], customers)

    rules: list[Any] = [*scheme.without_order, *scheme.cells, *scheme.guards]
    index = {rule.rule: i for i, rule in enumerate(rules)}
    cell, money = _cells(scheme, marks, settings, index)
    placed = cell.copy()
    # Guards look at the cell, not at what another guard made of it. Going backwards, the first
    # in the written order has the last word.
    for guard in reversed(scheme.guards):
        looked_at = np.isin(cell, [index[name] for name in guard.cells])
        placed[looked_at & _holds(guard, values, cuts, settings)] = index[guard.rule]

    outside = (marks["recency"] == "none").to_numpy()
    for rule in reversed(scheme.without_order):
        placed[outside & _holds(rule, values, cuts, settings)] = index[rule.rule]

    m_score = np.where(money == "mean_order", marks["mean_order"], marks["monetary"])
    money[outside] = None
    found = pd.DataFrame(
        {
            "customer_id": frame["customer_id"].to_numpy(),
            "scheme": scheme.scheme,
            "segment": _pick([_target(rule, scheme, settings) for rule in rules], placed),
            "place": _pick([rule.place for rule in rules], placed),
            "rule": _pick([rule.rule for rule in rules], placed),
            "r_score": marks["recency"].to_numpy(),
            "f_score": marks["frequency"].to_numpy(),
            "m_score": m_score,
            "m_reads": money,
            "tag": _pick([rule.tag for rule in rules], placed),
        }
    )
    thresholds = {
        rule.rule: number(_threshold(rule.when[0], cuts, settings), _unit(rule.when[0]))
        for rule in scheme.guards
        if rule.when
    }
    return found.assign(reason=_reasons(frame, found, thresholds, settings))


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


def _pick(options: Sequence[str], placed: Codes) -> Words:
    words: Words = np.array(options, dtype=object)[placed]
    return words


def _cells(
    scheme: Scheme, marks: pd.DataFrame, settings: Segmentation, index: dict[str, int]
) -> tuple[Codes, Words]:
    """The rule of every customer's cell, and the money it read; without an order: any."""
    r = np.where(marks["recency"] == "far", 1, 0)
    f = _code(marks["frequency"])
    money = np.empty((len(R), len(BANDS)), dtype=object)
    for (i, near), (j, band) in product(enumerate(R), enumerate(BANDS)):
        money[i, j] = scheme.reads(near, band, settings)
    table = np.zeros((len(R), len(BANDS), len(BANDS)), dtype=int)
    for cell in scheme.cells:
        table[R.index(cell.r), BANDS.index(cell.f), BANDS.index(cell.m)] = index[cell.rule]
    read = money[r, f]
    m = np.where(read == "mean_order", _code(marks["mean_order"]), _code(marks["monetary"]))
    return table[r, f, m], read


def _code(bands: pd.Series) -> Codes:
    return bands.map({band: i for i, band in enumerate(BANDS)}).to_numpy(int)


def _needed(scheme: Scheme) -> set[str]:
    rules = [*scheme.without_order, *scheme.guards]
    return {c.feature for rule in rules for c in rule.when} - {TRIAL}


def _on_trial(ids: pd.Series, customers: pd.DataFrame) -> Floats:
    if TRIAL not in customers.columns:
        return np.zeros(len(ids))
    trying = customers.loc[customers[TRIAL].isin([True]), "customer_id"]
    return ids.isin(trying).to_numpy().astype(float)


def _holds(
    rule: Rule, values: dict[str, Floats], cuts: pd.DataFrame, settings: Segmentation
) -> Mask:
    """Where all conditions hold; a missing value holds nothing."""
    size = len(values[TRIAL])
    mask = np.ones(size, dtype=bool)
    for condition in rule.when:
        compare = _COMPARE[condition.is_]
        mask &= compare(values[condition.feature], _threshold(condition, cuts, settings))
    return mask


def _threshold(condition: Condition, cuts: pd.DataFrame, settings: Segmentation) -> float:
    if not isinstance(condition.than, str):
        return float(condition.than)
    value = getattr(settings, condition.than)
    if value is None and condition.than == "high_value_total":
        high = boundaries(cuts, "monetary")
        value = high[-1] if len(high) else np.inf
    return float(value)


def _unit(condition: Condition) -> str:
    if condition.feature in ("monetary", "mean_order") or condition.feature.startswith("revenue"):
        return "money"
    if condition.feature.endswith("_cycles"):
        return "cycles"
    return "days" if condition.feature.endswith("_days") else "count"


def _target(rule: Any, scheme: Scheme, settings: Segmentation) -> str:
    name = getattr(rule, "segment_setting", None)
    target: str = getattr(settings, name) if name else rule.segment
    if target not in scheme.segments:
        raise SettingsError(
            Problem(
                "segmentation.unknown_segment",
                {"rule": rule.rule, "found": target, "allowed": list(scheme.segments)},
            )
        )
    return target


def _reasons(
    frame: pd.DataFrame,
    placed: pd.DataFrame,
    thresholds: dict[str, dict[str, Any]],
    settings: Segmentation,
) -> list[str]:
    """Each customer's reason; `frame` and `placed` have the same rows in the same order."""
    # A company's own rule may have no sentence of its own: the general one names its scores.
    keys = {
        rule: f"reason.{rule}" if wording.has(f"reason.{rule}") else "reason.cell"
        for rule in placed["rule"].unique()
    }
    fixed = {
        "frequency_days": number(settings.frequency_days, "days"),
        "monetary_days": number(settings.monetary_days, "days"),
    }
    columns = {
        "days": ("recency_days", "days"),
        "cycles": ("recency_cycles", "cycles"),
        "interval": ("expected_interval_days", "days"),
        "tenure": ("tenure_days", "days"),
        **{score: (feature, unit) for score, (feature, unit, _) in SCORES.items()},
    }
    numbers = [(name, frame[c].to_numpy(float), unit) for name, (c, unit) in columns.items()]
    marks = zip(
        placed["rule"], placed["r_score"], placed["f_score"], placed["m_score"], strict=True
    )
    found = []
    for i, (rule, r, f, m) in enumerate(marks):
        args: dict[str, Any] = {name: number(v[i], unit) for name, v, unit in numbers} | fixed
        if rule in thresholds:
            args["threshold"] = thresholds[rule]
        if keys[rule] == "reason.cell":
            args |= {
                "r": word(f"score.recency.{r}"),
                "f": word(f"score.band.{f}"),
                "m": word(f"score.band.{m}"),
            }
        found.append(sentence(keys[rule], args))
    return found
