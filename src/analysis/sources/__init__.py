"""Files → canonical tables; nothing is read wrong silently."""

from analysis.sources.databases import FOLDER as DRAWN
from analysis.sources.databases import fingerprints as draw_databases
from analysis.sources.decisions import decision_files, decisions
from analysis.sources.files import fingerprints
from analysis.sources.memory import inputs as remembered
from analysis.sources.memory import remember
from analysis.sources.period_files import period_file
from analysis.sources.propose import changes_since, headers_of, propose
from analysis.sources.reader import Sources, read
from analysis.sources.snapshots import (
    changes,
    customer_changes,
    lead_changes,
    owner_changes,
    series,
    stage_changes,
    stage_history,
    tier_changes,
)

__all__ = [
    "DRAWN",
    "Sources",
    "changes",
    "changes_since",
    "customer_changes",
    "decision_files",
    "decisions",
    "draw_databases",
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
