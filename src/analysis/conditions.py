"""Conditions of a scheme or a playbook: a tiny language, read exactly.

A condition stands on the right of a feature's name and says which of its values it takes::

    ">= 10"                 one comparison (>=, >, <=, <, =) with a number,
    "> a_setting, <= 5"     parted by commas: all must hold
    high                    a band of a score: none near far, low mid high
    [low, mid]              a list: any of them
    missing, known          whether there is a value
    yes, no                 of a feature that is either
    delivery                where the words are not given: any word that such a feature has
    3                       a number alone: exactly that

Band words and comparisons may stand together (``mid, >= 500``): the words ask the score, the
comparison the number behind it. Of a feature with several words at once (``delivery, price``)
all the words asked for must be among them.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Sign = Literal[">=", ">", "<=", "<", "="]

BANDS = ("low", "mid", "high")
RECENCY = ("none", "near", "far")
PRESENCE = ("missing", "known")
SWITCH = ("no", "yes")
WORDS = (*RECENCY, *BANDS, *PRESENCE, *SWITCH)

_SIGNS: dict[str, Sign] = {
    ">=": ">=", "≥": ">=", ">": ">", "<=": "<=", "≤": "<=", "<": "<", "=": "=", "==": "=",
}  # fmt: skip
_OPERATORS: dict[Sign, Callable[[Any, Any], Any]] = {
    ">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt, "=": operator.eq,
}  # fmt: skip
_BEGINS = "".join(_SIGNS)
_COMPARISON = re.compile(r"\A(>=|<=|==|[<>=≥≤])\s*(\S+)\Z")
_NUMBER = re.compile(r"\A[-+]?(\d[\d_]*\.?\d*|\.\d+)([eE][-+]?\d+)?\Z", re.ASCII)
_NAME = re.compile(r"\A[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)


class ConditionError(ValueError):
    """A condition that cannot be read; carries the piece that is wrong."""

    def __init__(self, found: str) -> None:
        self.found = found
        super().__init__(found)


@dataclass(frozen=True)
class Comparison:
    """A sign and what stands right of it: a number, or the name of a threshold or setting."""

    sign: Sign
    limit: float | str

    def __str__(self) -> str:
        return f"{self.sign} {plain(self.limit)}"


@dataclass(frozen=True)
class Words:
    """Any of these words."""

    allowed: frozenset[str]

    def __str__(self) -> str:
        order = {word: place for place, word in enumerate(WORDS)}
        return " / ".join(sorted(self.allowed, key=lambda w: (order.get(w, len(order)), w)))


Test = Comparison | Words


@dataclass(frozen=True)
class Condition:
    """What a rule asks of one feature.

    Attributes
    ----------
    feature
        Name left of the colon.
    words
        Bands of its score, yes or no, or known, all of which must hold; mostly one or none.
    ranges
        Any of these rows of comparisons must hold, each as a whole; empty: no comparison.
        ``missing`` among them takes the customers without a value.
    """

    feature: str
    words: tuple[Words, ...] = ()
    ranges: tuple[tuple[Test, ...], ...] = ()

    @property
    def names(self) -> Iterator[str]:
        """Names of thresholds and settings that it mentions."""
        return (limit for limit in self.limits if isinstance(limit, str))

    @property
    def limits(self) -> Iterator[float | str]:
        """Everything it compares with."""
        for row in self.ranges:
            yield from (test.limit for test in row if isinstance(test, Comparison))

    def __str__(self) -> str:
        rows = [", ".join(map(str, row)) for row in self.ranges]
        parts = [*map(str, self.words), *([" / ".join(rows)] if rows else [])]
        return f"{self.feature} {', '.join(parts)}"


def parse(feature: str, written: Any, words: Sequence[str] | None = WORDS) -> Condition:
    """Read what stands right of a feature's name.

    Parameters
    ----------
    words
        Words that may be asked for; None: any that do not look like a comparison.

    Raises
    ------
    ConditionError
        If it is not of the language above.
    """
    if not isinstance(written, list):
        tests = [_test(part, words) for part in _parts(written)]
        asked = tuple(t for t in tests if isinstance(t, Words) and not presence(t))
        others = tuple(t for t in tests if isinstance(t, Comparison) or presence(t))
        return Condition(feature, asked, (others,) if others else ())
    rows = [[_test(part, words) for part in _parts(item)] for item in written]
    if not rows:
        raise ConditionError("[]")
    if all(len(row) == 1 and isinstance(row[0], Words) and not presence(row[0]) for row in rows):
        merged = frozenset[str]().union(*(row[0].allowed for row in rows))  # type: ignore[union-attr]
        return Condition(feature, (Words(merged),))
    for row in rows:
        for test in row:
            if isinstance(test, Words) and not presence(test):
                raise ConditionError(str(test))
    return Condition(feature, (), tuple(tuple(row) for row in rows))


def compare(value: Any, sign: Sign, limit: float) -> Any:
    """A number, or an array of numbers, against a limit; NaN fulfils nothing."""
    return _OPERATORS[sign](value, limit)


def holds(frame: pd.DataFrame, rows: Sequence[Mapping[str, Any]]) -> NDArray[np.bool_]:
    """For which rows of a frame any of these rows of conditions holds.

    Parameters
    ----------
    frame
        One column a feature: numbers; booleans (``yes``, ``no``); words, each a string, or a
        frozenset of strings where there may be several. NaN and None are unknown. A feature
        without a column is unknown throughout.
    rows
        Any of them must hold; of one, all its conditions (feature → condition). Empty: nothing
        is asked, everybody fulfils it. Limits are numbers here, no names.

    Returns
    -------
    numpy.ndarray
        Booleans, row by row. The unknown fulfils nothing but ``missing``; an empty frozenset is
        known and holds no word.

    Raises
    ------
    ConditionError
        If a condition is not of the language, or compares with a name.
    """
    if not rows:
        return np.ones(len(frame), dtype=bool)
    met = np.zeros(len(frame), dtype=bool)
    for row in rows:
        every = np.ones(len(frame), dtype=bool)
        for feature, written in row.items():
            values = frame[feature] if feature in frame else pd.Series(None, frame.index, object)
            every &= _met(parse(feature, written, None), values)
        met |= every
    return met


def _met(condition: Condition, values: pd.Series) -> NDArray[np.bool_]:
    met = np.ones(len(values), dtype=bool)
    for words in condition.words:
        met &= _passes(words, values)
    if condition.ranges:
        rows = [np.all([_passes(test, values) for test in row], axis=0) for row in condition.ranges]
        met &= np.any(rows, axis=0)
    return met


def _passes(test: Test, values: pd.Series) -> NDArray[np.bool_]:
    if isinstance(test, Comparison):
        if isinstance(test.limit, str):
            raise ConditionError(test.limit)
        numbers = pd.to_numeric(values).to_numpy(float, na_value=np.nan)
        found: NDArray[np.bool_] = compare(numbers, test.sign, test.limit)
        return found
    if presence(test):
        unknown = values.isna().to_numpy()
        return np.where(unknown, "missing" in test.allowed, "known" in test.allowed)
    # each distinct value is judged once; code -1, the unknown, takes the last place
    codes, distinct = pd.factorize(values)
    judged = np.array([*(bool(_words(one) & test.allowed) for one in distinct), False])
    return judged[codes]


def _words(value: Any) -> frozenset[str]:
    if isinstance(value, frozenset):
        return value
    return frozenset([SWITCH[int(value)] if isinstance(value, bool | np.bool_) else str(value)])


def plain(limit: float | str) -> str:
    """A number without a needless decimal point, with thousands marked; a name as it is."""
    if isinstance(limit, str):
        return limit
    return f"{limit:,.0f}" if limit == int(limit) else f"{limit:,}"


def presence(test: Test) -> bool:
    """Whether it asks only if there is a value."""
    return isinstance(test, Words) and test.allowed <= set(PRESENCE)


def _parts(written: Any) -> list[str]:
    if isinstance(written, bool):
        return [SWITCH[written]]
    if isinstance(written, (int, float)):
        return [f"= {written!r}"]
    if not isinstance(written, str):
        raise ConditionError(str(written))
    return [part.strip() for part in written.split(",")]


def _test(part: str, words: Sequence[str] | None) -> Test:
    if part in words if words is not None else part and part[0] not in _BEGINS:
        return Words(frozenset([part]))
    found = _COMPARISON.match(part)
    if found is None:
        raise ConditionError(part)
    operand = found[2]
    if _NUMBER.match(operand):
        return Comparison(_SIGNS[found[1]], float(operand.replace("_", "")))
    if _NAME.match(operand):
        return Comparison(_SIGNS[found[1]], operand)
    raise ConditionError(part)
