"""An exhibit's HTML as a tree of names, classes and text, and the pictures that it holds.

The page template lays the tree out. Text reaches it as data and stays text, whatever a
customer is called; pictures become files beside it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from analysis.errors import Problem, StageError

Node = dict[str, Any]  # tag, classes, attributes, children (nodes and strings)

_VOID = frozenset(("img", "br", "col"))
_KEPT = ("id", "alt", "colspan")
_PICTURE = re.compile(r"data:image/svg\+xml;base64,(.*)", re.S)
_LINE = re.compile(r"linear-gradient\((#[0-9A-Fa-f]{6}),\1\) ([\d.]+)%")
_WIDTH = re.compile(r"(?:width|--w):\s*([\d.]+)%")


class _Builder(HTMLParser):
    def __init__(self, pictures: dict[str, bytes]) -> None:
        super().__init__(convert_charrefs=True)
        self.root: Node = _node("root")
        self._open = [self.root]
        self._pictures = pictures

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = _node(tag, **{key: value or "" for key, value in attrs})
        if tag == "img":
            made["src"] = self._picture(dict(attrs).get("src") or "")
        self._open[-1]["kids"].append(made)
        if tag not in _VOID:
            self._open.append(made)

    def handle_endtag(self, tag: str) -> None:
        for place in range(len(self._open) - 1, 0, -1):
            if self._open[place]["tag"] == tag:
                del self._open[place:]
                return

    def handle_data(self, data: str) -> None:
        self._open[-1]["kids"].append(data)

    def _picture(self, source: str) -> str:
        found = _PICTURE.match(source)
        if found is None:
            raise StageError(Problem("report.no_picture", {"found": source[:40]}))
        name = f"pictures/{len(self._pictures) + 1}.svg"
        self._pictures[name] = base64.b64decode(found.group(1))
        return name


def _node(tag: str, **attrs: str) -> Node:
    made: Node = {"tag": tag, "classes": attrs.get("class", "").split(), "kids": []}
    made |= {key: attrs[key] for key in _KEPT if key in attrs}
    style = attrs.get("style", "")
    if lines := _LINE.findall(style):
        made["lines"] = [[color, float(share)] for color, share in lines]
    if width := _WIDTH.search(style):
        made["width"] = float(width.group(1))
    return made


def parse(html: str, pictures: dict[str, bytes]) -> list[Node | str]:
    """The elements of a fragment.

    Parameters
    ----------
    html
        An exhibit's markup.
    pictures
        File name → SVG; the fragment's pictures are added.

    Raises
    ------
    StageError
        If a picture is not held by the markup itself.
    """
    builder = _Builder(pictures)
    builder.feed(html)
    builder.close()
    return list(builder.root["kids"])


def texts(kids: list[Node | str]) -> Iterator[str]:
    """Every piece of text, in reading order."""
    for kid in kids:
        if isinstance(kid, str):
            yield kid
        else:
            yield from texts(kid["kids"])


def alts(kids: list[Node | str]) -> Iterator[str]:
    """The words of every picture, in reading order."""
    for kid in kids:
        if not isinstance(kid, str):
            if kid["tag"] == "img":
                yield kid.get("alt", "")
            yield from alts(kid["kids"])
