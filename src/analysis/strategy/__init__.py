"""Next period's measures: who does what with which customer until when."""

from analysis.strategy.allocation import Allocation, allocate
from analysis.strategy.candidates import candidates
from analysis.strategy.decisions import decisions
from analysis.strategy.planning import plan
from analysis.strategy.playbook import Playbook, load_playbook, playbook_for
from analysis.strategy.summary import summarise
from analysis.strategy.tasks import tasks

__all__ = [
    "Allocation",
    "Playbook",
    "allocate",
    "candidates",
    "decisions",
    "load_playbook",
    "plan",
    "playbook_for",
    "summarise",
    "tasks",
]
