"""A tagged PDF (PDF/UA) from an executed report notebook, set by Typst.

The exhibits' own elements are laid out by ``reports/templates/pdf/report.typ``. Everything
that a reader sees reaches the template as data (JSON) and pictures, never as Typst source: a
name such as ``#read("x")`` is text by construction. Nothing is read from disk or network while
the pages are set, no date is written, and only the project's own font is used, so the same
notebook gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from analysis.errors import Problem, PublishError, StageError
from analysis.exhibits import fonts
from analysis.report import tree
from analysis.report.html import TEMPLATES, WHOLE, Cut, pointer, read_about, read_pages
from analysis.wording import Language, catalogue

TEMPLATE = "pdf"
MAIN = "report.typ"
# What the template itself writes besides the document's texts.
FURNITURE = "0123456789 /.·图表目录FigureTable"


@dataclass(frozen=True)
class Document:
    """What the template lays out.

    Attributes
    ----------
    data
        Title, language, furniture and the blocks in order, as JSON values.
    pictures
        File name → SVG.
    """

    data: dict[str, Any]
    pictures: dict[str, bytes]

    @property
    def texts(self) -> list[str]:
        """Every text that is printed."""
        shown = [str(v) for k, v in self.data.items() if k not in ("lang", "region", "blocks")]
        for block in self.data["blocks"]:
            shown += [block["heading"], *tree.texts(block["kids"])]
        return shown


def render_pdf(
    executed: Path, target: Path, *, root: Path, lang: Language, cut: Cut = WHOLE
) -> Path:
    """Write the report as PDF.

    Parameters
    ----------
    executed
        The executed report notebook of one language.
    target
        File to write.
    root
        Project folder, which holds ``reports/templates``.
    lang
        ``zh`` or ``en``.
    cut
        Which edition of it.

    Returns
    -------
    Path
        `target`.

    Raises
    ------
    StageError
        If the notebook holds no block of the report, one of its cells failed, or the pages
        cannot be set (an alternative text is missing, the template is broken).
    PublishError
        If the font lacks a character.
    """
    document = read_document(executed, lang, cut)
    if problems := missing_characters(document.texts, target.name):
        raise PublishError(problems)
    target.write_bytes(_typeset(document, root / TEMPLATES / TEMPLATE))
    return target


def read_document(executed: Path, lang: Language, cut: Cut = WHOLE) -> Document:
    """The blocks of an executed notebook for the template."""
    notebook = nbformat.read(executed, as_version=4)  # type: ignore[no-untyped-call]
    pages = read_pages(notebook, executed.name, cut)
    about = read_about(pages, cut, lang)
    pictures: dict[str, bytes] = {}
    blocks = [
        {
            "id": str(block.get("id", "")),
            "page": block["page"],
            "heading": str(block.get("heading", "")),
            "kids": tree.parse(str(block["html"]), pictures),
        }
        for page in pages
        for block in page.blocks
    ]
    data = {
        "lang": lang,
        "region": {"zh": "CN", "en": "US"}[lang],
        "title": about["title"],
        "company": about.get("company", ""),
        "basis": about["basis"],
        "report": f"{catalogue.text('report.id', lang)} {about['report_id']}",
        "pointer": pointer(about, cut, lang),
        "contents": catalogue.text("report.contents", lang),
        "blocks": blocks,
    }
    return Document(data, pictures)


def missing_characters(texts: Iterable[str], file: str) -> list[Problem]:
    """One problem for each character that the font cannot draw; empty boxes are never printed."""
    texts = [*texts, FURNITURE]
    problems = []
    for character in sorted(set().union(*(fonts.missing(text) for text in texts))):
        around = next(text for text in texts if character in text).strip()[:40]
        code = f"U+{ord(character):04X}"
        args = {"found": character, "code": code, "context": around, "font": fonts.FAMILY}
        problems.append(Problem("report.no_glyph", args, file))
    return problems


def _typeset(document: Document, template: Path) -> bytes:
    import typst  # tens of MB that only this needs

    sources = {path.name: path.read_bytes() for path in sorted(template.glob("*.typ"))}
    data = json.dumps(document.data, ensure_ascii=False, sort_keys=True).encode()
    try:
        pdf, warnings = typst.compile_with_warnings(  # type: ignore[call-overload]
            # Whatever stands under "main" is compiled; the rest lies beside it.
            {"main": sources.pop(MAIN), **sources, "document.json": data, **document.pictures},
            format="pdf",
            font_paths=[str(fonts.font_path().parent)],
            ignore_system_fonts=True,
            pdf_standards=["ua-1"],
        )
    except typst.TypstError as error:
        cause = " ".join([error.message, *error.hints])
        raise StageError(Problem("report.not_set", {"cause": cause})) from error
    if warnings:  # such as pages that never settle: page numbers would be wrong
        causes = "; ".join(str(warning) for warning in warnings)
        raise StageError(Problem("report.not_set", {"cause": causes}))
    return bytes(pdf)
