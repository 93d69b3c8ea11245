"""Conditions of a scheme: a tiny language, read exactly.

A condition stands on the right of a feature's name and says which of its values it takes::

    ">= 10"                 one comparison (>=, >, <=, <, =) with a number,
    "> a_setting, <= 5"     parted by commas: all must hold
    high                    a band of a score: none near far, low mid high
    [low, mid]              a list: any of them
    missing, known          whether there is a value
    yes, no                 of a feature that is either
    3                       a number alone: exactly that

Band words and comparisons may stand together (``mid, >= 500``): the words ask the score, the
comparison the number behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Sign = Literal[">=", ">", "<=", "<", "="]

BANDS = ("low", "mid", "high")
RECENCY = ("none", "near", "far")
PRESENCE = ("missing", "known")
SWITCH = ("no", "yes")
WORDS = (*RECENCY, *BANDS, *PRESENCE, *SWITCH)

_SIGNS: dict[str, Sign] = {
    ">=": ">=", "≥": ">=", ">": ">", "<=": "<=", "≤": "<=", "<": "<", "=": "=", "==": "=",
}  # fmt: skip
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
        return " / ".join(word for word in WORDS if word in self.allowed)


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


def parse(feature: str, written: Any) -> Condition:
    """Read what stands right of a feature's name.

    Raises
    ------
    ConditionError
        If it is not of the language above.
    """
    if not isinstance(written, list):
        tests = [_test(part) for part in _parts(written)]
        words = tuple(t for t in tests if isinstance(t, Words) and not _presence(t))
        others = tuple(t for t in tests if isinstance(t, Comparison) or _presence(t))
        return Condition(feature, words, (others,) if others else ())
    rows = [[_test(part) for part in _parts(item)] for item in written]
    if not rows:
        raise ConditionError("[]")
    if all(len(row) == 1 and isinstance(row[0], Words) and not _presence(row[0]) for row in rows):
        merged = frozenset[str]().union(*(row[0].allowed for row in rows))  # type: ignore[union-attr]
        return Condition(feature, (Words(merged),))
    for row in rows:
        for test in row:
            if isinstance(test, Words) and not _presence(test):
                raise ConditionError(str(test))
    return Condition(feature, (), tuple(tuple(row) for row in rows))


def plain(limit: float | str) -> str:
    """A number without a needless decimal point, with thousands marked; a name as it is."""
    if isinstance(limit, str):
        return limit
    return f"{limit:,.0f}" if limit == int(limit) else f"{limit:,}"


def _presence(test: Test) -> bool:
    return isinstance(test, Words) and test.allowed <= set(PRESENCE)


def _parts(written: Any) -> list[str]:
    if isinstance(written, bool):
        return [SWITCH[written]]
    if isinstance(written, (int, float)):
        return [f"= {written!r}"]
    if not isinstance(written, str):
        raise ConditionError(str(written))
    return [part.strip() for part in written.split(",")]


def _test(part: str) -> Test:
    if part in WORDS:
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
