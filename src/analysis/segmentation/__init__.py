"""Scores, schemes, movement between periods, and the lists that follow from them."""

from analysis.segmentation.accounts import accounts
from analysis.segmentation.arrears import arrears
from analysis.segmentation.crosswalk import crosswalk
from analysis.segmentation.cuts import estimate_cuts
from analysis.segmentation.distance import boundary_cases, cut_distances
from analysis.segmentation.history import history
from analysis.segmentation.movement import flows, movement_matrix, movements
from analysis.segmentation.overrides import apply_overrides, segment_names
from analysis.segmentation.place import as_before, segment
from analysis.segmentation.review import review
from analysis.segmentation.scheme import Scheme, load_scheme
from analysis.segmentation.scores import scores
from analysis.segmentation.summary import summary

__all__ = [
    "Scheme",
    "accounts",
    "apply_overrides",
    "arrears",
    "as_before",
    "boundary_cases",
    "crosswalk",
    "cut_distances",
    "estimate_cuts",
    "flows",
    "history",
    "load_scheme",
    "movement_matrix",
    "movements",
    "review",
    "scores",
    "segment",
    "segment_names",
    "summary",
]
