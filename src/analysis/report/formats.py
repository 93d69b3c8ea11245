"""The formats a report can be written in: file ending → what writes it, what checks it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from analysis.errors import Problem
from analysis.exhibits.facts import Fact
from analysis.report.checks import check_html
from analysis.report.checks_pdf import check_pdf
from analysis.report.html import render_html
from analysis.report.pdf import render_pdf
from analysis.wording import Language


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


FORMATS: Mapping[str, Format] = {
    "html": Format(".html", render_html),
    "pdf": Format(".pdf", render_pdf),
}


def render_all(
    executed: Path, folder: Path, *, formats: Collection[str], root: Path, lang: Language
) -> dict[str, Path]:
    """Write ``report.<lang>.*`` into a folder; the HTML always, because others are checked by it.

    Returns
    -------
    dict
        Format → file.
    """
    return {
        name: form.render(executed, folder / f"report.{lang}{form.ending}", root=root, lang=lang)
        for name, form in FORMATS.items()
        if name == "html" or name in formats
    }


def check_all(
    files: Mapping[str, Path], facts: Mapping[str, Fact], lang: Language
) -> list[Problem]:
    """All that speaks against publishing one language's files: HTML by facts, PDF by the HTML."""
    problems = check_html(files["html"], facts, lang)
    if "pdf" in files:
        problems += check_pdf(files["pdf"], files["html"], lang)
    return problems
