"""Scores, schemes, movement between periods, and the lists that follow from them."""

from analysis.segmentation.accounts import accounts
from analysis.segmentation.agreement import agreement, cluster_word, crosstab, disputed
from analysis.segmentation.arrears import arrears
from analysis.segmentation.clusters import Challenger, challenge
from analysis.segmentation.crosswalk import crosswalk, crosswalk_table, tier_differences
from analysis.segmentation.cuts import cut_changes, estimate_cuts
from analysis.segmentation.distance import boundary_cases, cut_distances
from analysis.segmentation.fragmentation import fragmentation
from analysis.segmentation.grid import grid
from analysis.segmentation.history import history
from analysis.segmentation.matrices import industry_size, matrix, value_need
from analysis.segmentation.movement import flows, movement_matrix, movements
from analysis.segmentation.overrides import apply_overrides, segment_names
from analysis.segmentation.place import as_before, segment
from analysis.segmentation.review import review
from analysis.segmentation.rulebook import Rulebook, rulebook
from analysis.segmentation.scheme import Scheme, load_scheme, load_schemes
from analysis.segmentation.scheme_tables import scheme_rules, scheme_segments, scheme_thresholds
from analysis.segmentation.scores import scores
from analysis.segmentation.steady import steady
from analysis.segmentation.summary import summary
from analysis.segmentation.warning import hits_and_misses, warned, warning_record, warnings
from analysis.segmentation.week_lists import (
    owed,
    renewal_list,
    reorder_list,
    returns,
    standing_segments,
    week_lists,
)
from analysis.segmentation.weights import score_anchors, segment_scores
from analysis.segmentation.worklists import worklists

__all__ = [
    "Challenger",
    "Rulebook",
    "Scheme",
    "accounts",
    "agreement",
    "apply_overrides",
    "arrears",
    "as_before",
    "boundary_cases",
    "challenge",
    "cluster_word",
    "crosstab",
    "crosswalk",
    "crosswalk_table",
    "cut_changes",
    "cut_distances",
    "disputed",
    "estimate_cuts",
    "flows",
    "fragmentation",
    "grid",
    "history",
    "hits_and_misses",
    "industry_size",
    "load_scheme",
    "load_schemes",
    "matrix",
    "movement_matrix",
    "movements",
    "owed",
    "renewal_list",
    "reorder_list",
    "returns",
    "review",
    "rulebook",
    "scheme_rules",
    "scheme_segments",
    "scheme_thresholds",
    "score_anchors",
    "scores",
    "segment",
    "segment_names",
    "segment_scores",
    "standing_segments",
    "steady",
    "summary",
    "tier_differences",
    "value_need",
    "warned",
    "warning_record",
    "warnings",
    "week_lists",
    "worklists",
]
