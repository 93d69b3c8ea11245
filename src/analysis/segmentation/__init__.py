"""Scores, schemes, movement between periods, and the lists that follow from them."""

from analysis.segmentation.accounts import accounts
from analysis.segmentation.agreement import agreement, cluster_word, crosstab, disputed
from analysis.segmentation.arrears import arrears
from analysis.segmentation.clusters import Challenger, challenge
from analysis.segmentation.crosswalk import crosswalk
from analysis.segmentation.cuts import estimate_cuts
from analysis.segmentation.fragmentation import fragmentation
from analysis.segmentation.grid import grid
from analysis.segmentation.history import history
from analysis.segmentation.matrices import industry_size, matrix, value_need
from analysis.segmentation.movement import flows, movement_matrix, movements
from analysis.segmentation.place import as_before, segment
from analysis.segmentation.scheme import Scheme, load_scheme
from analysis.segmentation.scores import scores
from analysis.segmentation.summary import summary

__all__ = [
    "Challenger",
    "Scheme",
    "accounts",
    "agreement",
    "arrears",
    "as_before",
    "challenge",
    "cluster_word",
    "crosstab",
    "crosswalk",
    "disputed",
    "estimate_cuts",
    "flows",
    "fragmentation",
    "grid",
    "history",
    "industry_size",
    "load_scheme",
    "matrix",
    "movement_matrix",
    "movements",
    "scores",
    "segment",
    "summary",
    "value_need",
]
