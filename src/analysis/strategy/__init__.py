"""Next period's measures: who does what with which customer until when."""

from analysis.strategy.candidates import candidates
from analysis.strategy.decisions import decisions
from analysis.strategy.planning import plan
from analysis.strategy.playbook import Playbook, load_playbook, playbook_for
from analysis.strategy.reminders import reminders
from analysis.strategy.summary import summarise
from analysis.strategy.task_targets import task_targets
from analysis.strategy.tasks import tasks
from analysis.strategy.visits import visits

__all__ = [
    "Playbook",
    "candidates",
    "decisions",
    "load_playbook",
    "plan",
    "playbook_for",
    "reminders",
    "summarise",
    "task_targets",
    "tasks",
    "visits",
]
