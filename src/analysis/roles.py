"""What a segment is in its scheme: the best one, a growing one, the one at risk.

Schemes call their segments as they like. What reads beyond a scheme (decisions, KPIs, the
report) asks for the role instead of the name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

BEST, GROWING, STEADY, NEW, AT_RISK = "best", "growing", "steady", "new", "at_risk"
ROLES = (BEST, GROWING, STEADY, NEW, AT_RISK)


@dataclass(frozen=True)
class Roles:
    """The segments of one scheme with their roles.

    Attributes
    ----------
    by_segment
        Segment → role, empty where it has none; in the order of the report.
    ranks
        Segment → rank, higher is better.
    """

    by_segment: Mapping[str, str] = field(default_factory=dict)
    ranks: Mapping[str, int] = field(default_factory=dict)

    @property
    def segments(self) -> tuple[str, ...]:
        """All segments in the order of the report."""
        return tuple(self.by_segment)

    def of(self, segment: object) -> str:
        """The role of a segment; empty for one without a role or of another scheme."""
        return self.by_segment.get(str(segment), "")

    def one(self, role: str) -> str:
        """The segment that has this role, the first of several; empty where none has."""
        return next((segment for segment, own in self.by_segment.items() if own == role), "")


def roles_of(scheme_segments: pd.DataFrame | None, scheme: str = "") -> Roles:
    """The roles of a scheme.

    Parameters
    ----------
    scheme_segments
        RECORD ``scheme_segments``; None or empty: nobody has a role.
    scheme
        Name of the scheme; empty: the run's primary one.
    """
    if scheme_segments is None or scheme_segments.empty:
        return Roles()
    rows = scheme_segments
    rows = rows[rows["scheme"] == scheme] if scheme else rows[rows["primary"].astype(bool)]
    rows = rows.sort_values("position", kind="stable")
    names = rows["segment"].astype(str).tolist()
    return Roles(
        dict(zip(names, rows["role"].fillna("").astype(str), strict=True)),
        dict(zip(names, rows["rank"].astype(int), strict=True)),
    )
