"""Scores, schemes, movement between periods, and the lists that follow from them."""

from analysis.segmentation.accounts import accounts
from analysis.segmentation.arrears import arrears
from analysis.segmentation.crosswalk import crosswalk
from analysis.segmentation.cuts import estimate_cuts
from analysis.segmentation.history import history
from analysis.segmentation.movement import flows, movement_matrix, movements
from analysis.segmentation.place import as_before, segment
from analysis.segmentation.rulebook import Rulebook, rulebook
from analysis.segmentation.scheme import Scheme, load_scheme
from analysis.segmentation.scores import scores
from analysis.segmentation.steady import steady
from analysis.segmentation.summary import summary
from analysis.segmentation.warning import hits_and_misses, warned, warning_record, warnings
from analysis.segmentation.worklists import worklists

__all__ = [
    "Rulebook",
    "Scheme",
    "accounts",
    "arrears",
    "as_before",
    "crosswalk",
    "estimate_cuts",
    "flows",
    "history",
    "hits_and_misses",
    "load_scheme",
    "movement_matrix",
    "movements",
    "rulebook",
    "scores",
    "segment",
    "steady",
    "summary",
    "warned",
    "warning_record",
    "warnings",
    "worklists",
]
