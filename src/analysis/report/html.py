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
from analysis.exhibits.exhibit import BLOCK, NOTEBOOK
from analysis.wording import catalogue

TEMPLATES = Path("reports/templates")
TEMPLATE = "html"
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "form-action 'none'; base-uri 'none'"
)
HTML_LANG = {"zh": "zh-CN", "en": "en"}
FALLBACK_FONT = "Report CJK"

# Room on an A4 sheet between head and foot, space between blocks, a chapter's heading [mm].
SHEET, GAP, HEADING = 262.0, 3.7, 10.0


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


def render_html(executed: Path, target: Path, *, root: Path, lang: str) -> Path:
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
    pages = read_pages(notebook, executed.name)
    about = read_about(pages)
    text = "".join(str(block["html"]) for page in pages for block in page.blocks)
    css = (root / TEMPLATES / TEMPLATE / "report.css").read_text(encoding="utf-8")
    report = {
        "html_lang": HTML_LANG[lang],
        "policy": POLICY,
        "title": about["title"],
        "title_html": Markup(about["title_html"]),  # noqa: S704 - an exhibit's own markup
        "basis": about["basis"],
        "id": about["report_id"],
        "id_label": catalogue.text("report.id", lang),  # type: ignore[arg-type]
        "pointer": pointer(about, lang),
        "pages": pages,
        "css": Markup(_compact(css)),  # noqa: S704 - a file of ours
    }
    fonts_ = _font_css([text, *map(str, report.values())], css)
    report["font_css"] = Markup(fonts_)  # noqa: S704 - base64
    exporter = _exporter(root)
    body, _ = exporter.from_notebook_node(notebook, resources={"report": report})
    target.write_text(body.strip() + "\n", encoding="utf-8", newline="\n")
    return target


def read_pages(notebook: Any, name: str) -> list[Page]:
    """The blocks of an executed notebook as sheets.

    Blocks of one page key stay together where they fit on a sheet. A further key joins the
    sheet if all of it fits in; the first sheet is page 1 and nothing joins it.

    Raises
    ------
    StageError
        If a cell failed or there is no block.
    """
    groups: list[Page] = []
    for output in _outputs(notebook, name):
        data = output.get("data", {})
        block = data.get(BLOCK)
        if not block or block.get("page") == NOTEBOOK or "text/html" not in data:
            continue
        key = str(block.get("page") or "more")
        if not groups or groups[-1].key != key:
            groups.append(Page(key))
        html = Markup(data["text/html"])  # noqa: S704 - exhibits are made of markup alone
        groups[-1].blocks.append({**block, "html": html})
    if not groups:
        raise StageError(Problem("report.no_blocks", {"notebook": name}))
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


def read_about(pages: list[Page]) -> dict[str, str]:
    """Title, basis and report id, which the cover block carries."""
    for page in pages:
        for block in page.blocks:
            if block.get("about"):
                return {key: str(value) for key, value in block["about"].items()}
    return {"title": "", "title_html": "", "basis": "", "report_id": ""}


def pointer(about: dict[str, str], lang: str) -> str:
    """What the foot of every page points to: the cover's own words, else the appendices."""
    return about.get("pointer") or catalogue.text("report.pointer", lang)  # type: ignore[arg-type]


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
