"""Next period's measures: who does what with which customer until when."""

from analysis.strategy.account_plans import account_plans
from analysis.strategy.allocation import Allocation, allocate
from analysis.strategy.angles import segment_angles
from analysis.strategy.candidates import candidates
from analysis.strategy.clocks import clock_due
from analysis.strategy.decisions import decisions
from analysis.strategy.entitlements import entitlements
from analysis.strategy.facts import facts
from analysis.strategy.options import options
from analysis.strategy.planning import plan
from analysis.strategy.playbook import Playbook
from analysis.strategy.playbook_files import load_playbook, playbook_for
from analysis.strategy.reminders import reminders
from analysis.strategy.shrinkage import learnt
from analysis.strategy.strategy_table import strategy_table
from analysis.strategy.summary import summarise
from analysis.strategy.task_targets import task_targets
from analysis.strategy.tasks import tasks
from analysis.strategy.visits import visits

__all__ = [
    "Allocation",
    "Playbook",
    "account_plans",
    "allocate",
    "candidates",
    "clock_due",
    "decisions",
    "entitlements",
    "facts",
    "learnt",
    "load_playbook",
    "options",
    "plan",
    "playbook_for",
    "reminders",
    "segment_angles",
    "strategy_table",
    "summarise",
    "task_targets",
    "tasks",
    "visits",
]
