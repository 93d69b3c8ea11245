"""What the lint of a scheme has to say, as keys and arguments of its sentences.

A Chinese reader gets the catalogue's words for features, levels and segments; an English one
those of the file, which are English.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from analysis import wording
from analysis.conditions import plain

Kind = Literal[
    "gap", "overlap", "ordered", "bounds_gap", "bounds_overlap", "unreachable", "impossible",
    "shadowed", "idle", "not_monotone", "fallback", "too_many",
    "outside", "fraction", "other_unit", "one_sided",
]  # fmt: skip
Severity = Literal["error", "warning", "info"]
Point = dict[str, float | str | None]


_WORDS = ("score.recency", "score.band", "lint.word")  # what a level is called
_FEATURES = ("feature", "lint.feature")


@dataclass(frozen=True)
class Finding:
    """One thing the lint has to say.

    Attributes
    ----------
    kind, severity
        What, and whether it keeps the scheme from running (error).
    rules, segments
        The rules it is about and where they place; a segment alone for ``unreachable``.
    example
        A customer it happens to: feature → value; features that do not matter are left out.
    other
        For ``not_monotone``: the customer that should not be worse off.
    cells, share
        Cells of the space it covers.
    more
        Further arguments of its sentence.
    """

    kind: Kind
    severity: Severity
    rules: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    example: Mapping[str, float | str | None] | None = None
    other: Mapping[str, float | str | None] | None = None
    cells: int = 0
    share: float = 0.0
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def args(self) -> dict[str, Any]:
        """Arguments of its sentence ``error.schemes.<kind>``."""
        return {
            "rules": list(self.rules),
            "rule": self.rules[0] if self.rules else "",
            "last": self.rules[-1] if self.rules else "",
            "others": list(self.rules[:-1]),
            "segments": [segment_word(name) for name in self.segments],
            "example": point_words(self.example or {}),
            "other": point_words(self.other or {}),
            "share": f"{self.share:.1%}",
            **self.more,
        }


def point_words(point: Mapping[str, float | str | None]) -> list[Any]:
    """``recency_days = 30, recency = far``; in Chinese by the names of feature and level."""
    return [
        {
            "key": "lint.point",
            "feature": {"zh": feature_word(name), "en": name},
            "value": level_word(value),
        }
        for name, value in point.items()
    ] or ["–"]


def feature_word(name: str) -> Any:
    """What a feature is called; one without a name stands for itself."""
    key = _known(name, _FEATURES)
    return {"key": key} if key else name


def level_word(value: float | str | None) -> Any:
    """A number; a level, a switch or "missing", in Chinese by its name."""
    if isinstance(value, float | int):
        return plain(value)
    word = "missing" if value is None else value
    key = _known(word, _WORDS)
    return {"zh": {"key": key}, "en": word} if key else word


def segment_word(name: str) -> Any:
    """What a segment is called; one that only its scheme names stands for itself."""
    key = _known(name, ("segment",))
    return {"key": key} if key else name


def _known(name: str, areas: tuple[str, ...]) -> str:
    return next((key for area in areas if wording.has(key := f"{area}.{name}")), "")
