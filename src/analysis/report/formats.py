"""The formats a report can be written in: file ending → what writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from analysis.report.html import render_html


class Renderer(Protocol):
    """Writes one format from one executed notebook."""

    def __call__(self, executed: Path, target: Path, *, root: Path, lang: str) -> Path:
        """Write `target` and return it."""
        ...


@dataclass(frozen=True)
class Format:
    """One format: its file ending and its renderer."""

    ending: str
    render: Renderer


FORMATS: Mapping[str, Format] = {"html": Format(".html", render_html)}
