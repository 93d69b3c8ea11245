"""Scores, schemes, movement between periods, and the lists that follow from them."""

from analysis.segmentation.accounts import accounts
from analysis.segmentation.arrears import arrears
from analysis.segmentation.crosswalk import crosswalk, crosswalk_table, tier_differences
from analysis.segmentation.cuts import cut_changes, estimate_cuts
from analysis.segmentation.history import history
from analysis.segmentation.movement import flows, movement_matrix, movements
from analysis.segmentation.place import as_before, segment
from analysis.segmentation.scheme import Scheme, load_scheme, load_schemes
from analysis.segmentation.scheme_tables import scheme_rules, scheme_segments
from analysis.segmentation.scores import scores
from analysis.segmentation.summary import summary
from analysis.segmentation.weights import score_anchors, segment_scores

__all__ = [
    "Scheme",
    "accounts",
    "arrears",
    "as_before",
    "crosswalk",
    "crosswalk_table",
    "cut_changes",
    "estimate_cuts",
    "flows",
    "history",
    "load_scheme",
    "load_schemes",
    "movement_matrix",
    "movements",
    "scheme_rules",
    "scheme_segments",
    "score_anchors",
    "scores",
    "segment",
    "segment_scores",
    "summary",
    "tier_differences",
]
