"""Next period's measures: who does what with which customer until when."""

from analysis.strategy.account_plans import account_plans
from analysis.strategy.candidates import candidates
from analysis.strategy.decisions import decisions
from analysis.strategy.options import options
from analysis.strategy.planning import plan
from analysis.strategy.playbook import Playbook, load_playbook, playbook_for
from analysis.strategy.shrinkage import learnt
from analysis.strategy.strategy_table import strategy_table
from analysis.strategy.summary import summarise
from analysis.strategy.tasks import tasks

__all__ = [
    "Playbook",
    "account_plans",
    "candidates",
    "decisions",
    "learnt",
    "load_playbook",
    "options",
    "plan",
    "playbook_for",
    "strategy_table",
    "summarise",
    "tasks",
]
