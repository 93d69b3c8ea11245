"""The formats and editions of a report: what writes them, what checks them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import nbformat

from analysis.errors import Problem
from analysis.exhibits.exhibit import FULL_ONLY
from analysis.exhibits.facts import Fact
from analysis.report.checks import check_html, check_twins
from analysis.report.checks_pdf import MOST_PAGES, TOO_LONG, check_pdf, count_pages
from analysis.report.html import FULL, LEADERSHIP, WHOLE, Cut, read_blocks, read_pages, render_html
from analysis.report.pdf import render_pdf
from analysis.wording import Language

Files = dict[str, Path]  # format → file


class Renderer(Protocol):
    """Writes one format from one executed notebook."""

    def __call__(
        self, executed: Path, target: Path, *, root: Path, lang: Language, cut: Cut = WHOLE
    ) -> Path:
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
    stem
        First part of the files' names.
    most_pages
        Largest number of A4 pages.
    too_long
        What is said of a longer one: a key below ``error``.
    """

    stem: str
    most_pages: int
    too_long: str = TOO_LONG

    def file(self, folder: Path, lang: str, form: str) -> Path:
        """The edition's file of one language and format."""
        return folder / f"{self.stem}.{lang}{FORMATS[form].ending}"


WEEKLY = "weekly"
EDITIONS: Mapping[str, Edition] = {
    LEADERSHIP: Edition("report", MOST_PAGES),
    FULL: Edition("full", 100),
    WEEKLY: Edition("weekly", 1, "report.week_pages"),
}
# What a stage publishes: key of `analysis.pipeline.stages.Stage.edition` → its editions.
PUBLISHED: Mapping[str, tuple[str, ...]] = {"report": (LEADERSHIP, FULL), "weekly": (WEEKLY,)}


@dataclass(frozen=True)
class Rendered:
    """The files of one edition in one language."""

    edition: str
    lang: Language
    files: Files


def render_all(
    executed: Mapping[Language, Path],
    folder: Path,
    *,
    formats: Collection[str],
    root: Path,
    editions: Collection[str] = PUBLISHED["report"],
) -> list[Rendered]:
    """Write ``report.<lang>.*``, ``full.<lang>.*``, … into a folder.

    HTML is always written, because others are checked by it. The leadership edition leaves out,
    in all languages alike, what it can best do without until each has no more than
    `MOST_PAGES` pages; the others hold everything.

    Parameters
    ----------
    executed
        Language → executed report notebook.
    editions
        Keys of `EDITIONS`.
    """
    chosen = [name for name in FORMATS if name == "html" or name in formats]
    made = []
    for edition in editions:
        cut, written = Cut(edition, FULL_ONLY), list[Path]()
        if edition == LEADERSHIP:
            cut, written = _short_enough(executed, folder, chosen, root)
        for lang, notebook in executed.items():
            files = {}
            for name in chosen:
                target = EDITIONS[edition].file(folder, lang, name)
                if target not in written:
                    FORMATS[name].render(notebook, target, root=root, lang=lang, cut=cut)
                files[name] = target
            made.append(Rendered(edition, lang, files))
    return made


def _short_enough(
    executed: Mapping[Language, Path], folder: Path, formats: Collection[str], root: Path
) -> tuple[Cut, list[Path]]:
    """The leadership edition that leaves out no more than it must, and what is written of it.

    Its pages are those of the PDF, which only setting it tells; without one the HTML's sheets.
    """
    notebooks = {
        lang: nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        for lang, path in executed.items()
    }
    blocks = [
        block
        for lang, notebook in notebooks.items()
        for block in read_blocks(notebook, executed[lang].name)
    ]
    spare = {int(block.get("spare") or 0) for block in blocks} - {0, FULL_ONLY}
    for most in (FULL_ONLY - 1, *(level - 1 for level in sorted(spare, reverse=True))):
        cut, written = Cut(LEADERSHIP, most), []
        for lang, notebook in notebooks.items():
            pages = len(read_pages(notebook, executed[lang].name, cut))
            if "pdf" in formats:
                target = EDITIONS[LEADERSHIP].file(folder, lang, "pdf")
                written.append(render_pdf(executed[lang], target, root=root, lang=lang, cut=cut))
                pages = count_pages(target)
            if pages > MOST_PAGES:
                break
        else:
            break
    return cut, written if len(written) == len(notebooks) else []


def check_all(made: Collection[Rendered], facts: Mapping[str, Fact]) -> Iterator[Problem]:
    """All that speaks against publishing: HTML by the facts, PDF and twins by the HTML."""
    for one in made:
        yield from check_html(one.files["html"], facts, one.lang)
        if "pdf" in one.files:
            edition = EDITIONS[one.edition]
            yield from check_pdf(
                one.files["pdf"],
                one.files["html"],
                one.lang,
                most_pages=edition.most_pages,
                too_long=edition.too_long,
            )
    for key in EDITIONS:
        pages = {one.lang: one.files["html"] for one in made if one.edition == key}
        if len(pages) > 1:
            yield from check_twins(pages["zh"], pages["en"])
