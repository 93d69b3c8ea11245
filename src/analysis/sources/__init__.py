"""Files → canonical tables; nothing is read wrong silently."""

from analysis.sources.decisions import decision_files, decisions
from analysis.sources.files import fingerprints
from analysis.sources.propose import period_file, propose
from analysis.sources.reader import Sources, read

__all__ = [
    "Sources",
    "decision_files",
    "decisions",
    "fingerprints",
    "period_file",
    "propose",
    "read",
]
