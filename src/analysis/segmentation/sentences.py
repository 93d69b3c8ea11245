"""Why a customer is where it is: one sentence from its own numbers and the rule that took it.

Rules of a scheme with sentences of its own are told by ``reason.<rule>`` of the catalogues. Any
other rule is told by its conditions: what was asked, what the customer has, the threshold. All
customers of one rule share a sentence, so that only numbers are filled in, column by column.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from analysis import wording
from analysis.conditions import Comparison, Condition, Words
from analysis.segmentation import axes as ax
from analysis.segmentation.axes import MONEY_SETTING, TRIAL
from analysis.segmentation.compiled import Alternative, Compiled, number_of
from analysis.segmentation.cuts import SCORES
from analysis.segmentation.reasons import Arg, number, word
from analysis.segmentation.scores import boundaries
from analysis.settings_segmentation import Segmentation

Floats = NDArray[np.float64]
Texts = tuple[pa.Array | str, ...]
_TEXT = pa.large_string()  # five million sentences exceed what the smaller one can hold
_TESTS = {">=": "at_least", ">": "above", "<=": "at_most", "<": "below", "=": "equal"}
_SLOT = re.compile(r'"\\u0000(.+?)\\u0000"')
# what the sentences of the catalogues may name: argument → feature
_NUMBERS = {
    "days": "recency_days",
    "cycles": "recency_cycles",
    "interval": "expected_interval_days",
    "tenure": "tenure_days",
    **{score: feature for score, (feature, _, _) in SCORES.items()},
}


@dataclass(frozen=True)
class Told:
    """What sentences are made of; rows of all frames and arrays are the same customers."""

    made: Compiled
    frame: pd.DataFrame
    marks: pd.DataFrame
    points: Mapping[str, Floats]
    alternative: NDArray[np.intp]


def sentences(told: Told, cuts: pd.DataFrame, settings: Segmentation) -> pd.Series:
    """Every customer's reason, JSON of a catalogue key and arguments.

    Parameters
    ----------
    told
        Who was placed by what.
    cuts, settings
        Thresholds and windows that the sentences name.

    Notes
    -----
    A general reason is ``reason.rule`` with the argument ``conditions``: ``{"list": […]}`` of
    nested sentences, each ``{"key": "condition.…", "args": …}``.
    """
    limits = _limits(told.made, cuts)
    order = np.argsort(told.alternative, kind="stable")
    ends = np.searchsorted(told.alternative[order], np.arange(len(told.made.alternatives) + 1))
    found = [pa.array([], type=_TEXT)]
    for i, alternative in enumerate(told.made.alternatives):
        rows = order[ends[i] : ends[i + 1]]
        if len(rows):
            template = _template(told.made, alternative, limits, settings)
            found.append(_filled(template, told, rows))
    places = np.empty(len(order), dtype=np.intp)
    places[order] = np.arange(len(order))
    texts: pd.Series = pa.concat_arrays(found).take(pa.array(places)).to_pandas()
    return texts


def slot(name: str) -> str:
    """Where a column's value comes to stand in a template."""
    return f"\0{name}\0"


def _template(
    made: Compiled, alternative: Alternative, limits: Mapping[str, float], settings: Segmentation
) -> dict[str, Any]:
    rule = made.rules[alternative.rule].rule
    windows = {
        "frequency_days": number(settings.frequency_days, "days"),
        "monetary_days": number(settings.monetary_days, "days"),
    }
    numbers = {name: slot(feature) for name, feature in _NUMBERS.items()}
    if made.scheme.sentences and wording.has(f"reason.{rule}"):
        args: dict[str, Any] = numbers | windows
        threshold = next(_comparisons(alternative), None)
        if threshold is not None:
            feature, test = threshold
            args["threshold"] = number(number_of(test.limit, limits), _unit(made, feature))
        return {"key": f"reason.{rule}", "args": args}
    clauses = [
        clause
        for condition in alternative.conditions
        for clause in _clauses(made, condition, limits, settings)
    ]
    if not clauses:
        return {"key": "reason.rest", "args": numbers | windows}
    return {"key": "reason.rule", "args": {"conditions": {"list": clauses}}}


def _limits(made: Compiled, cuts: pd.DataFrame) -> dict[str, float]:
    """What names right of a sign stand for; an empty high_value_total is where high begins."""
    high = boundaries(cuts, "monetary")
    return {"high_value_total": float(high[-1]) if len(high) else np.nan} | dict(made.limits)


def _comparisons(alternative: Alternative) -> Iterator[tuple[str, Comparison]]:
    for condition in alternative.conditions:
        for row in condition.ranges:
            for test in row:
                if isinstance(test, Comparison):
                    yield condition.feature, test


def _clauses(
    made: Compiled, condition: Condition, limits: Mapping[str, float], settings: Segmentation
) -> Iterator[Arg]:
    """What one condition asked and what the customer has."""
    name = condition.feature
    if name == MONEY_SETTING:
        name = "monetary" if settings.monetary_reads == "total" else "mean_order"
    if name == TRIAL:
        for words in condition.words:
            yield _clause(f"on_trial_{next(iter(words.allowed))}")
        return
    if name == "recency":
        for words in condition.words:
            only = next(iter(words.allowed)) if len(words.allowed) == 1 else "any"
            numbers = {"days": slot("recency_days"), "cycles": slot("recency_cycles")}
            yield _clause(f"recency_{only}", **numbers)
        return
    score = name in made.scheme.scores
    has = {"feature": word(f"feature.{'weighted_score' if score else name}"), "value": slot(name)}
    for _ in condition.words:
        yield _clause("band", **has, band=slot(f"score.{name}"))
    if len(condition.ranges) > 1:
        yield _clause("value", **has)
    elif condition.ranges:
        yield from _range(condition.ranges[0], has, limits, _unit(made, name))


def _range(
    row: tuple[Comparison | Words, ...],
    has: dict[str, Any],
    limits: Mapping[str, float],
    unit: str,
) -> Iterator[Arg]:
    tests = [test for test in row if isinstance(test, Comparison)]
    asked = [
        (word(f"test.{_TESTS[t.sign]}"), number(number_of(t.limit, limits), unit)) for t in tests
    ]
    if len(asked) == 2:
        (test, limit), (test2, limit2) = asked
        yield _clause("both", **has, test=test, limit=limit, test_too=test2, limit_too=limit2)
    elif asked:
        for test, limit in asked:
            yield _clause("one", **has, test=test, limit=limit)
    elif any(isinstance(t, Words) and "missing" in t.allowed for t in row):
        yield _clause("missing", feature=has["feature"])
    else:
        yield _clause("value", **has)


def _clause(key: str, **args: Any) -> Arg:
    return {"key": f"condition.{key}", "args": args}


def _unit(made: Compiled, feature: str) -> str:
    """A feature's unit; points and ratings, which have none, are told with one place."""
    unit = "number" if feature in made.scheme.scores else ax.features()[feature].unit
    return "ratio" if unit == "number" else unit


def _column(told: Told, name: str, rows: NDArray[np.intp]) -> Texts:
    """A column of these rows as JSON, in pieces to be joined row by row."""
    if name.startswith("score."):
        bands = told.marks[name.removeprefix("score.")].to_numpy()[rows]
        return ('{"key": "score.band.', pa.array(bands, type=_TEXT), '"}')
    if name in told.points:
        values = told.points[name][rows]
    elif name in told.frame.columns:
        values = told.frame[name].to_numpy(float)[rows]
    else:
        values = np.full(len(rows), np.nan)
    return _numbers(values, _unit(told.made, name))


def _numbers(values: Floats, unit: str) -> Texts:
    """Numbers with their unit as JSON; a missing one becomes null and reads as a dash.

    Four places are the contract of money, and more than anyone reads of the others.
    """
    texts = pa.array(np.round(values, 4), from_pandas=True).cast(_TEXT).fill_null("null")
    return (f'{{"unit": "{unit}", "value": ', texts, "}")


def _filled(template: dict[str, Any], told: Told, rows: NDArray[np.intp]) -> pa.Array:
    """The template's JSON with every slot filled from the rows of its column."""
    pieces = _SLOT.split(json.dumps(template, sort_keys=True))
    if len(pieces) == 1:
        return pa.repeat(pa.scalar(pieces[0], _TEXT), len(rows))
    columns = [_column(told, p, rows) if i % 2 else (p,) for i, p in enumerate(pieces)]
    parts = [pa.scalar(p, _TEXT) if isinstance(p, str) else p for column in columns for p in column]
    return pc.binary_join_element_wise(*parts, pa.scalar("", _TEXT))
