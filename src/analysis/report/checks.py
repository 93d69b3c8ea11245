"""Checks on a finished HTML report, before it may be published."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from analysis.errors import Problem
from analysis.exhibits.facts import Fact
from analysis.exhibits.forms import Form, write
from analysis.report.html import HTML_LANG
from analysis.wording import catalogue
from analysis.wording.catalogue import Language

MOST_BYTES = 5_000_000

# Void elements never close, so they are not put on the stack of open ones.
_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
    ]
)
_UNPRINTED = frozenset(("style", "script", "title"))
_NUMBER = re.compile(r"[+\u2212-]?\d[\d,.]*%?")
_PLACEHOLDER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_.]*\}")
_CJK = re.compile(r"[\u3400-\u9fff\uff01-\uff5e\u3001-\u303f]+")
_KEY = re.compile(r"\b[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+\b")
_ADDRESS = re.compile(r"(?:https?:)?//[^\s\"'<>]+", re.I)
_STYLE_URL = re.compile(r"url\(\s*['\"]?(?!data:)[^)]*\)|@import", re.I)
# Words that the report prints as they are: letters of grades and appendices, software names.
_CONTEXT = 24


@dataclass
class _Number:
    text: str
    fact: str
    form: str


@dataclass
class _Page:
    """What a reader sees, and what a machine finds."""

    lang: str = ""
    policy: str = ""
    numbers: list[_Number] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)  # text outside data, time and names
    alts: list[str | None] = field(default_factory=list)
    image_facts: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = _Page()
        self._open: list[tuple[str, bool]] = []  # tag, whether it holds a name, day or number
        self._number: _Number | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.page.tags.append((tag, known))
        if tag == "html":
            self.page.lang = known.get("lang") or ""
        if tag == "meta" and (known.get("http-equiv") or "").lower() == "content-security-policy":
            self.page.policy = known.get("content") or ""
        if tag == "img":
            self.page.alts.append(known.get("alt"))
            self.page.image_facts += (known.get("data-facts") or "").split()
        if tag == "data":
            self._number = _Number("", known.get("data-fact") or "", known.get("data-form") or "")
        if known.get("data-l") and "data-named" not in known:
            self.page.loose.append(known["data-l"] or "")
        if tag not in _VOID:
            inert = tag in ("data", "time") or "name" in (known.get("class") or "").split()
            self._open.append((tag, inert))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "data" and self._number is not None:
            self.page.numbers.append(self._number)
            self._number = None
        for place in range(len(self._open) - 1, -1, -1):
            if self._open[place][0] == tag:
                del self._open[place:]
                return

    def handle_data(self, data: str) -> None:
        if self._number is not None:
            self._number.text += data
            return
        tags = [tag for tag, _ in self._open]
        if "style" in tags:
            self.page.styles.append(data)
            return
        if _UNPRINTED & set(tags) or any(inert for _, inert in self._open):
            return
        if data.strip():
            self.page.loose.append(data)


def read_report(path: Path) -> _Page:
    """Parse a report."""
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    return reader.page


def fact_ids(path: Path) -> set[str]:
    """Ids of the facts that a report prints or draws."""
    page = read_report(path)
    return {number.fact for number in page.numbers} | set(page.image_facts)


def check_html(
    path: Path, facts: Mapping[str, Fact], lang: Language, *, most_bytes: int = MOST_BYTES
) -> list[Problem]:
    """All that speaks against publishing a report.

    Parameters
    ----------
    path
        The HTML file.
    facts
        The record's facts.
    lang
        Language it should be in.
    most_bytes
        Largest size.

    Returns
    -------
    list of Problem
        Empty where it may be published: no script, no outside address, every printed number
        is its fact's value as the language writes it, no placeholder, no catalogue key,
        pictures have words, English text holds no Chinese outside names.
    """
    page = read_report(path)
    name = path.name
    found = [
        *_safety(page),
        *_numbers(page, facts, lang),
        *_words(page, lang),
        *_furniture(page, lang),
    ]
    size = path.stat().st_size
    if size > most_bytes:
        found.append(
            Problem("report.too_large", {"found": f"{size:,}", "allowed": f"{most_bytes:,}"})
        )
    return [Problem(p.key, p.args, name, p.line) for p in found]


def check_twins(zh: Path, en: Path) -> list[Problem]:
    """Both languages must point to the same facts."""
    differ = sorted(fact_ids(zh) ^ fact_ids(en))
    if not differ:
        return []
    shown = [*differ[:6], *(["…"] if len(differ) > 6 else [])]
    return [Problem("report.facts_differ", {"found": shown}, f"{zh.name} / {en.name}")]


def _safety(page: _Page) -> Iterator[Problem]:
    if "default-src 'none'" not in page.policy:
        yield Problem("report.no_policy")
    for tag, attrs in page.tags:
        if tag in ("script", "iframe", "object", "embed", "link", "base", "form"):
            yield Problem("report.script", {"found": tag})
        for key, value in attrs.items():
            if key.startswith("on"):
                yield Problem("report.handler", {"tag": tag, "found": key})
            address = key in ("src", "href", "action", "srcset", "poster", "data", "xlink:href")
            if address and not re.match(r"(?:data:image/|#)", value or "#"):
                yield Problem("report.external", {"found": (value or "")[:80]})
            if key == "style" and value and _STYLE_URL.search(value):
                yield Problem("report.external", {"found": value[:80]})
    for style in page.styles:
        for hit in [*_STYLE_URL.findall(style), *_ADDRESS.findall(_without_data(style))]:
            yield Problem("report.external", {"found": hit[:80]})


def _without_data(style: str) -> str:
    return re.sub(r"url\(data:[^)]*\)", "", style)


def _numbers(page: _Page, facts: Mapping[str, Fact], lang: Language) -> Iterator[Problem]:
    for number in page.numbers:
        fact = facts.get(number.fact)
        if fact is None:
            yield Problem("report.unknown_fact", {"found": number.text, "fact": number.fact})
            continue
        try:
            form = Form.decode(number.form)
        except ValueError:
            yield Problem("report.bad_form", {"found": number.text, "form": number.form})
            continue
        expected = write(fact, lang, form)
        if number.text != expected:
            yield Problem(
                "report.wrong_number",
                {"fact": number.fact, "expected": expected, "found": number.text},
            )
    for text in page.loose:
        for hit in _NUMBER.finditer(text):
            around = text[max(hit.start() - _CONTEXT, 0) : hit.end() + _CONTEXT].strip()
            yield Problem("report.loose_number", {"found": hit.group(), "context": around})
    for id_ in page.image_facts:
        if id_ not in facts:
            yield Problem("report.unknown_fact", {"found": "image", "fact": id_})


def _words(page: _Page, lang: Language) -> Iterator[Problem]:
    shown = [*page.loose, *(alt for alt in page.alts if alt)]
    for text in shown:
        for hit in _PLACEHOLDER.finditer(text):
            around = text[max(hit.start() - _CONTEXT, 0) : hit.end() + _CONTEXT].strip()
            yield Problem("report.placeholder", {"found": hit.group(), "context": around})
        for hit in _KEY.finditer(text):
            if catalogue.has(hit.group()):
                yield Problem("report.raw_key", {"found": hit.group()})
    if lang == "en":
        for text in page.loose:
            for hit in _CJK.finditer(text):
                yield Problem("report.foreign_text", {"found": hit.group()})


def _furniture(page: _Page, lang: Language) -> Iterator[Problem]:
    if page.lang != HTML_LANG[lang]:
        yield Problem("report.language", {"found": page.lang, "expected": HTML_LANG[lang]})
    for place, alt in enumerate(page.alts, start=1):
        if not alt:
            yield Problem("report.no_alt", {"place": str(place)})
