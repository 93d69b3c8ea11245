"""Files → canonical tables; nothing is read wrong silently."""

from analysis.sources.databases import FOLDER as DRAWN
from analysis.sources.databases import fingerprints as draw_databases
from analysis.sources.decisions import decision_files, decisions
from analysis.sources.files import fingerprints
from analysis.sources.propose import period_file, propose
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
    "customer_changes",
    "decision_files",
    "decisions",
    "draw_databases",
    "fingerprints",
    "lead_changes",
    "owner_changes",
    "period_file",
    "propose",
    "read",
    "series",
    "stage_changes",
    "stage_history",
    "tier_changes",
]
