"""A made-up company with known truth: a Chinese maker of industrial parts and its exports."""

from __future__ import annotations

from analysis.demo.writing import write

__all__ = ["write"]
