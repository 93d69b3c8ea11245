"""The made-up software vendor: customers who subscribe, renew, grow and leave."""

from __future__ import annotations

from analysis.demo.subscription.writing import write

__all__ = ["write"]
