"""Files → canonical tables; nothing is read wrong silently."""

from analysis.sources.decisions import decision_files, decisions
from analysis.sources.files import fingerprints
from analysis.sources.memory import inputs as remembered
from analysis.sources.memory import remember
from analysis.sources.period_files import period_file
from analysis.sources.propose import changes_since, headers_of, propose
from analysis.sources.reader import Sources, read
from analysis.sources.snapshots import (
    changes,
    lead_changes,
    owner_changes,
    series,
    stage_changes,
    stage_history,
    tier_changes,
)

__all__ = [
    "Sources",
    "changes",
    "changes_since",
    "decision_files",
    "decisions",
    "fingerprints",
    "headers_of",
    "lead_changes",
    "owner_changes",
    "period_file",
    "propose",
    "read",
    "remember",
    "remembered",
    "series",
    "stage_changes",
    "stage_history",
    "tier_changes",
]
