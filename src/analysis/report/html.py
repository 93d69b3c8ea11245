"""One self-contained HTML file from an executed report notebook.

No script, no external address, the same bytes for the same notebook. Only blocks that the
exhibits made are printed: code, streams, errors and foreign outputs stay out.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
from markupsafe import Markup
from nbconvert.exporters.templateexporter import TemplateExporter

from analysis.errors import Problem, StageError
from analysis.exhibits import fonts
from analysis.exhibits.exhibit import BLOCK, FULL_ONLY, NOTEBOOK
from analysis.wording import Language, catalogue

TEMPLATES = Path("reports/templates")
TEMPLATE = "html"
_WORDS = ("full", "pointer.leadership", "pointer.full")  # which the editions do not share
LEADERSHIP, FULL = "leadership", "full"
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "form-action 'none'; base-uri 'none'"
)
HTML_LANG = {"zh": "zh-CN", "en": "en"}
FALLBACK_FONT = "Report CJK"

# Room on an A4 sheet between head and foot, space between blocks, a chapter's heading [mm].
SHEET, GAP, HEADING = 262.0, 3.7, 10.0


@dataclass(frozen=True)
class Cut:
    """An edition of the report, and how dispensable a block may be to stand in it."""

    edition: str
    most_spare: int


WHOLE = Cut(LEADERSHIP, FULL_ONLY)


@dataclass
class Page:
    """Consecutive blocks that share a sheet."""

    key: str
    blocks: list[dict[str, Any]] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """Class of the page: the part of its key before a hyphen."""
        return self.key.partition("-")[0]

    @property
    def height(self) -> float:
        """About how much of the sheet is filled [mm]."""
        return sum(_height(block) for block in self.blocks)


def render_html(
    executed: Path, target: Path, *, root: Path, lang: Language, cut: Cut = WHOLE
) -> Path:
    """Write the report.

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
        If the notebook holds no block of the report, or one of its cells failed.
    """
    notebook = nbformat.read(executed, as_version=4)  # type: ignore[no-untyped-call]
    pages = read_pages(notebook, executed.name, cut)
    about = read_about(pages, cut, lang)
    css = (root / TEMPLATES / TEMPLATE / "report.css").read_text(encoding="utf-8")
    report = {
        "html_lang": HTML_LANG[lang],
        "policy": POLICY,
        "title": about["title"],
        "title_html": Markup(about["title_html"]),  # noqa: S704 - an exhibit's own markup
        "basis": about["basis"],
        "id": about["report_id"],
        "id_label": catalogue.text("report.id", lang),
        "pointer": pointer(about, cut, lang),
        "pages": pages,
        "css": Markup(_compact(css)),  # noqa: S704 - a file of ours
    }
    # the same characters for every edition: cutting the font takes longest
    whole = [f"{block['heading']}{block['html']}" for block in read_blocks(notebook, executed.name)]
    words = [catalogue.text(f"report.{key}", lang) for key in _WORDS]
    fonts_ = _font_css([*whole, *words, *map(str, report.values())], css)
    report["font_css"] = Markup(fonts_)  # noqa: S704 - base64
    exporter = _exporter(root)
    body, _ = exporter.from_notebook_node(notebook, resources={"report": report})
    target.write_text(body.strip() + "\n", encoding="utf-8", newline="\n")
    return target


def read_blocks(notebook: Any, name: str) -> list[dict[str, Any]]:
    """The blocks of an executed notebook in order, each with its page and its HTML.

    Raises
    ------
    StageError
        If a cell failed or there is no block.
    """
    blocks = []
    for output in _outputs(notebook, name):
        data = output.get("data", {})
        block = data.get(BLOCK)
        if block and block.get("page") != NOTEBOOK and "text/html" in data:
            html = Markup(data["text/html"])  # noqa: S704 - exhibits are made of markup alone
            blocks.append({**block, "page": str(block.get("page") or "more"), "html": html})
    if not blocks:
        raise StageError(Problem("report.no_blocks", {"notebook": name}))
    return blocks


def _kept(blocks: list[dict[str, Any]], cut: Cut) -> list[dict[str, Any]]:
    """The blocks of an edition; a chapter that loses its first block keeps its heading."""
    kept: list[dict[str, Any]] = []
    waiting = ("", "")  # page and heading of a block that was left out
    for block in blocks:
        heading = str(block.get("heading") or "")
        if heading:
            waiting = ("", "")
        if int(block.get("spare") or 0) > cut.most_spare:
            waiting = (block["page"], heading) if heading else waiting
            continue
        took = waiting[1] if block["page"] == waiting[0] else ""
        kept.append({**block, "heading": took} if took else block)
        waiting = ("", "")
    return kept


def read_pages(notebook: Any, name: str, cut: Cut = WHOLE) -> list[Page]:
    """The blocks of an executed notebook as sheets.

    Blocks of one page key stay together where they fit on a sheet. A further key joins the
    sheet if all of it fits in; the first sheet is page 1 and nothing joins it.

    Raises
    ------
    StageError
        If a cell failed or there is no block.
    """
    groups: list[Page] = []
    for block in _kept(read_blocks(notebook, name), cut):
        if not groups or groups[-1].key != block["page"]:
            groups.append(Page(block["page"]))
        groups[-1].blocks.append(block)
    sheets = [groups[0]]
    for group in groups[1:]:
        if len(sheets) > 1 and sheets[-1].height + group.height <= SHEET:
            sheets[-1].blocks += group.blocks
            continue
        sheets.append(Page(group.key))
        for block in group.blocks:
            if sheets[-1].blocks and sheets[-1].height + _height(block) > SHEET:
                sheets.append(Page(f"{group.key}-{len(sheets)}"))
            sheets[-1].blocks.append(block)
    return sheets


def _height(block: dict[str, Any]) -> float:
    return float(block.get("height") or 0) + GAP + (HEADING if block.get("heading") else 0)


def _outputs(notebook: Any, name: str) -> Iterator[Any]:
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            if output.output_type == "error":
                raise StageError(
                    Problem("report.cell_failed", {"notebook": name, "cause": output.ename})
                )
            yield output


def read_about(pages: list[Page], cut: Cut, lang: Language) -> dict[str, str]:
    """Title, basis and report id, which the cover block carries; the title names the edition."""
    about = {"title": "", "title_html": "", "basis": "", "report_id": ""}
    for page in pages:
        for block in page.blocks:
            if block.get("about"):
                about = {key: str(value) for key, value in block["about"].items()}
    if cut.edition == FULL:
        for key in ("title", "title_html"):
            about[key] += catalogue.text("report.full", lang)
    return about


def pointer(about: dict[str, str], cut: Cut, lang: Language) -> str:
    """What the foot of every page points to: the cover's own words, else the appendices."""
    return about.get("pointer") or catalogue.text(f"report.pointer.{cut.edition}", lang)


def _exporter(root: Path) -> TemplateExporter:
    exporter = TemplateExporter(  # type: ignore[no-untyped-call]
        template_name=TEMPLATE,
        template_file="index.html.j2",
        extra_template_basedirs=[str(root / TEMPLATES)],
    )
    # nbconvert leaves escaping to its templates; ours escapes whatever is not marked as safe.
    exporter.environment.autoescape = True
    return exporter


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.pieces += [value for key, value in attrs if key == "data-l" and value]


def _font_css(texts: list[str], css: str) -> str:
    """A font with just the report's characters, last in line: no empty boxes anywhere."""
    reader = _Text()
    for text in texts:
        reader.feed(text)
    shown = [*reader.pieces, "".join(re.findall(r'content:"([^"]*)"', css)), "0123456789."]
    data = base64.b64encode(fonts.subset_woff(shown)).decode("ascii")
    return (
        f'@font-face{{font-family:"{FALLBACK_FONT}";font-weight:400;'
        f'src:url(data:font/woff;base64,{data}) format("woff")}}'
    )


def _compact(css: str) -> str:
    return re.sub(r"/\*.*?\*/\s*", "", css, flags=re.S).strip()
