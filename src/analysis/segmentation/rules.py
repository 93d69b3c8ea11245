"""What a scheme file says: segments, thresholds, scores and rules in written order."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from analysis.settings_types import Language, Section

# segments of the shipped scheme, for callers that have no scheme at hand
RFM5_RANKS = {
    "high_value": 3,
    "potential": 2,
    "churn_risk": 1,
    "low_frequency_essential": 2,
    "new": 2,
}

Place = Literal["exact", "inferred", "guard"]
Role = Literal["best", "growing", "steady", "new", "at_risk", ""]
Unit = Literal["money", "days", "cycles", "share", "count", "number"]


class Segment(Section):
    """A segment of a scheme."""

    rank: int = Field(description="higher is better; a move between equal ranks is sideways")
    role: Role = Field("", description="best, growing, steady, new, at_risk or empty")
    names: dict[Language, str] = Field(default_factory=dict, description="its own names")
    position: int = Field(0, description="order in the report; that of the file")


class Threshold(Section):
    """A number that rules name."""

    value: float = Field(description="the number")
    unit: Unit = Field("number", description="money, days, cycles, share, count or number")


class Score(Section):
    """A weighted score, 0 to 100."""

    parts: dict[str, float] = Field(min_length=1, description="feature → weight; adds to 1")
    names: dict[Language, str] = Field(default_factory=dict, description="its own names")


class Rule(Section):
    """A rule that applies where its conditions hold."""

    rule: str = Field(description="name; also that of its reason")
    place: Place = Field("exact", description="exact, inferred or guard")
    segment: str | None = Field(None, description="segment it places in")
    segment_setting: str | None = Field(None, description="setting that names the segment")
    tag: str = Field("", description="must_win_back, trial, a word of one's own, or empty")
    when: dict[str, Any] | list[dict[str, Any]] = Field(
        default_factory=dict, description="feature → condition; a list: any of its entries"
    )

    @property
    def alternatives(self) -> list[dict[str, Any]]:
        """Its conditions: any of the entries, all conditions of it."""
        return self.when if isinstance(self.when, list) else [self.when]


class Scheme(Section):
    """A set of rules over the features of a customer."""

    scheme: str = Field(description="name")
    names: dict[Language, str] = Field(default_factory=dict, description="its own title")
    match: Literal["first", "one"] = Field(
        "first", description="first: the written order decides; one: rules must not overlap"
    )
    sentences: bool = Field(
        False, description="its rules have sentences of their own in the catalogues"
    )
    thresholds: dict[str, Threshold] = Field(default_factory=dict, description="named numbers")
    scores: dict[str, Score] = Field(default_factory=dict, description="weighted scores")
    grid: dict[str, list[float]] = Field(
        default_factory=dict, description="features whose only values these are"
    )
    not_monotone: list[str] = Field(
        default_factory=list, description="features of which more may mean a worse segment"
    )
    segments: dict[str, Segment] = Field(min_length=2, description="in report order")
    rules: list[Rule] = Field(min_length=1, description="in written order")
    fallback: Rule | None = Field(None, description="takes whom no rule takes")

    @model_validator(mode="before")
    @classmethod
    def _positions(cls, given: Any) -> Any:
        known = given.get("segments") if isinstance(given, dict) else None
        if not isinstance(known, dict):
            return given
        numbered = {
            name: {**entry, "position": i} if isinstance(entry, dict) else entry
            for i, (name, entry) in enumerate(known.items(), 1)
        }
        return {**given, "segments": numbered}

    @property
    def all_rules(self) -> list[Rule]:
        """The rules in written order, the fallback last."""
        return [*self.rules, *([self.fallback] if self.fallback else [])]

    @property
    def ranks(self) -> dict[str, int]:
        """Each segment's rank, in report order; higher is better."""
        return {name: segment.rank for name, segment in self.segments.items()}

    @property
    def best(self) -> str:
        """The segment to hold."""
        return self._with("best")

    @property
    def at_risk(self) -> str:
        """The segment to rescue."""
        return self._with("at_risk")

    def _with(self, role: Role) -> str:
        return next(name for name, segment in self.segments.items() if segment.role == role)


def best_and_worst(scheme: Scheme | None) -> tuple[str, str]:
    """The segment to hold and the one to rescue; None: those of ``rfm5``."""
    return (scheme.best, scheme.at_risk) if scheme else ("high_value", "churn_risk")
