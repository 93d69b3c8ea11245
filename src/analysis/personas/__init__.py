"""Portraits: what sets the customers of a segment apart."""

from analysis.personas.headline import headline
from analysis.personas.profile import profile

__all__ = ["headline", "profile"]
