"""Canonical tables → the record's tables, with a reason for every row that goes."""

from analysis.cleaning.coverage import require_orders
from analysis.cleaning.pipeline import Cleaned, clean

__all__ = ["Cleaned", "clean", "require_orders"]
