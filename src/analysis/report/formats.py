"""The formats a report can be written in: file ending → what writes it, what checks it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from analysis.errors import Problem
from analysis.exhibits.facts import Fact
from analysis.report.checks import check_html
from analysis.report.checks_pdf import MOST_PAGES, TOO_LONG, check_pdf
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


@dataclass(frozen=True)
class Edition:
    """One edition: what its files are called, and how many pages it may have.

    Attributes
    ----------
    name
        First part of the files' names.
    most_pages
        Largest number of A4 pages.
    too_long
        What is said of a longer one: a key below ``error``.
    """

    name: str
    most_pages: int
    too_long: str

    def file(self, folder: Path, lang: str, form: str) -> Path:
        """The edition's file of one language and format."""
        return folder / f"{self.name}.{lang}{FORMATS[form].ending}"


EDITIONS: Mapping[str, Edition] = {
    one.name: one
    for one in (
        Edition("report", MOST_PAGES, TOO_LONG),
        Edition("weekly", 1, "report.week_pages"),
    )
}


def render_all(
    executed: Path,
    folder: Path,
    *,
    formats: Collection[str],
    root: Path,
    lang: Language,
    edition: Edition = EDITIONS["report"],
) -> dict[str, Path]:
    """Write ``<edition>.<lang>.*`` into a folder; the HTML always: others are checked by it.

    Returns
    -------
    dict
        Format → file.
    """
    return {
        name: form.render(executed, edition.file(folder, lang, name), root=root, lang=lang)
        for name, form in FORMATS.items()
        if name == "html" or name in formats
    }


def check_all(
    files: Mapping[str, Path],
    facts: Mapping[str, Fact],
    lang: Language,
    edition: Edition = EDITIONS["report"],
) -> list[Problem]:
    """All that speaks against publishing one language's files: HTML by facts, PDF by the HTML."""
    problems = check_html(files["html"], facts, lang)
    if "pdf" in files:
        problems += check_pdf(
            files["pdf"],
            files["html"],
            lang,
            most_pages=edition.most_pages,
            too_long=edition.too_long,
        )
    return problems
