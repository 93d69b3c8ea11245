"""A made-up company with known truth: a Chinese maker of industrial parts and its exports."""

from __future__ import annotations

from analysis.demo.writing import next_quarter, write

__all__ = ["next_quarter", "write"]
