"""Canonical tables → the record's tables, with a reason for every row that goes."""

from analysis.cleaning.coverage import require_orders
from analysis.cleaning.pipeline import Cleaned, clean
from analysis.cleaning.tie_out import TieOut, tie_out

__all__ = ["Cleaned", "TieOut", "clean", "require_orders", "tie_out"]
