"""Checks on a finished PDF report against its HTML twin, before it may be published."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import Problem
from analysis.report import tree
from analysis.report.html import HTML_LANG
from analysis.wording.catalogue import Language

if TYPE_CHECKING:
    from pypdf import PdfReader

MOST_PAGES = 10
TOO_LONG = "report.pdf_pages"
A4 = (595.28, 841.89)  # [pt]
_NUMBER = re.compile(r"[+\u2212]?\d(?:[\d,.]*\d)?")
_SHOWN = 6


@dataclass(frozen=True)
class _Html:
    """What the HTML report prints and draws."""

    title: str
    numbers: Counter[str]
    running: Counter[str]  # in the line that heads every page but the first
    foot: Counter[str]
    chapters: Counter[str]
    alts: Counter[str]
    captions: Counter[str]  # numbers of figures, and of tables
    ordinals: Counter[str]  # of numbered lists


def check_pdf(
    pdf: Path,
    html: Path,
    lang: Language,
    *,
    most_pages: int = MOST_PAGES,
    too_long: str = TOO_LONG,
) -> list[Problem]:
    """All that speaks against publishing a PDF.

    Parameters
    ----------
    pdf
        The PDF file.
    html
        The HTML report of the same executed notebook.
    lang
        Language it should be in.
    most_pages
        Largest number of pages.
    too_long
        What is said of more: a key below ``error``.

    Returns
    -------
    list of Problem
        Empty where it may be published: tagged, titled, with bookmarks, on A4 and short
        enough; every picture of the HTML is there with the same words; every number that is
        printed is one of the HTML's, as often as there, or belongs to the page furniture.
    """
    from pypdf import PdfReader  # only the report needs it

    reader = PdfReader(pdf)
    page = _read_html(html)
    found = [
        *_furniture(reader, page, lang),
        *_length(reader, most_pages, too_long),
        *_pictures(reader, page),
        *_numbers(pdf, reader, page),
    ]
    return [Problem(p.key, p.args, pdf.name) for p in found]


def count_pages(pdf: Path) -> int:
    """Pages of a PDF."""
    from pypdf import PdfReader  # only the report needs it

    return len(PdfReader(pdf).pages)


# -- the PDF -----------------------------------------------------------------------------------


def _length(reader: PdfReader, most_pages: int, too_long: str) -> Iterator[Problem]:
    if len(reader.pages) > most_pages:
        args = {"found": str(len(reader.pages)), "allowed": str(most_pages)}
        yield Problem(too_long, args)


def _furniture(reader: PdfReader, page: _Html, lang: Language) -> Iterator[Problem]:
    root = reader.root_object
    if not root.get("/MarkInfo", {}).get("/Marked") or "/StructTreeRoot" not in root:
        yield Problem("report.pdf_untagged")
    spoken = str(root.get("/Lang", ""))
    if not re.match(rf"{lang}\b", spoken):
        yield Problem("report.language", {"found": spoken, "expected": HTML_LANG[lang]})
    title = _info(reader, "/Title")
    if _plain(title) != _plain(page.title):
        yield Problem("report.pdf_title", {"found": title, "expected": page.title})
    if not reader.outline:
        yield Problem("report.pdf_bookmarks")
    for place, sheet in enumerate(reader.pages, start=1):
        size = (float(sheet.mediabox.width), float(sheet.mediabox.height))
        if any(abs(a - b) > 1 for a, b in zip(size, A4, strict=True)):
            found = " × ".join(f"{side / 72 * 25.4:.0f} mm" for side in size)
            args = {"place": str(place), "found": found, "expected": "A4"}
            yield Problem("report.pdf_paper", args)


def _info(reader: PdfReader, key: str) -> str:
    known = reader.metadata
    return "" if known is None else str(known.get(key, ""))


def _pictures(reader: PdfReader, page: _Html) -> Iterator[Problem]:
    words = [_plain(alt) for alt in _figures(reader.root_object.get("/StructTreeRoot"))]
    for place, alt in enumerate(words, start=1):
        if not alt:
            yield Problem("report.no_alt", {"place": str(place)})
    drawn = Counter(words)
    for alt, count in sorted((page.alts - drawn).items()):
        yield Problem("report.pdf_no_picture", {"count": str(count), "found": alt[:80]})
    for alt, count in sorted((drawn - page.alts).items()):
        if alt:
            yield Problem("report.pdf_more_pictures", {"count": str(count), "found": alt[:80]})


def _figures(element: Any) -> Iterator[str]:
    """The alternative texts of the tagged pictures, in reading order."""
    waiting = [element]
    while waiting:
        one = waiting.pop()
        one = one.get_object() if hasattr(one, "get_object") else one
        if isinstance(one, list):
            waiting += reversed(one)
        elif isinstance(one, dict):
            if one.get("/S") == "/Figure":
                yield str(one.get("/Alt", ""))
            if "/K" in one:
                waiting.append(one["/K"])


def _texts(pdf: Path) -> Iterator[str]:
    """What each page prints."""
    import pypdfium2  # only the report needs it; many times faster than reading it in Python

    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            yield page.get_textpage().get_text_range()


def _numbers(pdf: Path, reader: PdfReader, page: _Html) -> Iterator[Problem]:
    printed = _numbers_of(_texts(pdf))
    expected = page.numbers + _beside(reader, page)
    missing, extra = expected - printed, printed - expected
    if missing or extra:
        yield Problem("report.pdf_numbers", {"missing": _some(missing), "extra": _some(extra)})


def _beside(reader: PdfReader, page: _Html) -> Counter[str]:
    """Numbers that the pages print besides the exhibits'."""
    count = len(reader.pages)
    author = _info(reader, "/Author")
    pages = _counting(count) + Counter({str(count): count})
    found = pages + page.captions + page.ordinals + page.chapters
    for _ in range(count - 1):
        found += page.running + _numbers_of([author])
    for _ in range(count):
        found += page.foot
    chapters = [item for item in reader.outline if not isinstance(item, list)][1:]
    for item in chapters:  # the contents give each chapter's page
        found[str((reader.get_destination_page_number(item) or 0) + 1)] += 1
    return found


def _some(numbers: Counter[str]) -> list[str]:
    shown = sorted(numbers)[:_SHOWN]
    return [*shown, *(["…"] if len(numbers) > _SHOWN else [])] or ["–"]


# -- the HTML ----------------------------------------------------------------------------------


def _read_html(path: Path) -> _Html:
    kids = tree.parse(path.read_text(encoding="utf-8"), {})
    every = list(_nodes(kids))
    main = next(node for node in every if node["tag"] == "main")
    body = [kid for page in main["kids"] if isinstance(page, dict) for kid in page["kids"]]
    blocks = [kid for kid in body if isinstance(kid, str) or not _one_of(kid, "run", "foot", "ph")]
    inner = list(_nodes(blocks))
    running = [node for node in every if "run" in node["classes"]][:1]
    foot = [node for node in every if "foot" in node["classes"]][:1]
    chapters = [node for node in inner if node["tag"] == "h2"]
    title = next(node for node in every if node["tag"] == "title")
    captions: Counter[str] = Counter()
    for kind in ("fig-", "tbl-"):
        captions += _counting(sum(1 for node in inner if _captioned(node, kind)))
    ordinals: Counter[str] = Counter()
    for node in inner:
        items = [kid for kid in node["kids"] if isinstance(kid, dict)]
        counted = [kid for kid in items if "cl" in kid["classes"]]
        if node["tag"] == "ol" or counted:
            ordinals += _counting(len(counted or items))
    return _Html(
        title="".join(tree.texts(title["kids"])),
        numbers=_numbers_of(tree.texts(blocks)),
        running=_numbers_of(tree.texts(list(running))),
        foot=_numbers_of(tree.texts(list(foot))),
        chapters=_numbers_of(tree.texts(list(chapters))),
        alts=Counter(_plain(alt) for alt in tree.alts(blocks)),
        captions=captions,
        ordinals=ordinals,
    )


def _one_of(node: tree.Node, *classes: str) -> bool:
    return any(class_ in node["classes"] for class_ in classes)


def _counting(last: int) -> Counter[str]:
    return Counter(str(place) for place in range(1, last + 1))


def _captioned(node: tree.Node, kind: str) -> bool:
    titled = any(isinstance(kid, dict) and kid["tag"] == "h3" for kid in node["kids"])
    return node["tag"] == "figure" and titled and node.get("id", "").startswith(kind)


def _nodes(kids: list[tree.Node | str]) -> Iterator[tree.Node]:
    for kid in kids:
        if isinstance(kid, dict):
            yield kid
            yield from _nodes(kid["kids"])


def _numbers_of(texts: Iterable[str]) -> Counter[str]:
    return Counter(hit for text in texts for hit in _NUMBER.findall(text))


def _plain(text: str) -> str:
    return " ".join(text.split())
