"""What is known of a customer as of a date."""

from analysis.features.bands import years_band
from analysis.features.build import build

__all__ = ["build", "years_band"]
