"""The one place where text becomes markup.

`Rich` is a piece of text in three forms at once: HTML, Markdown, plain. Every piece that comes
from data goes through `name`, every word of a catalogue through `words`, every number through
`number`: nothing else writes ``<``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

NBSP = "\u00a0"
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+\-!|$~^@&])")
_BOLD = re.compile(r"\*\*(.+?)\*\*", re.S)


@dataclass(frozen=True)
class Rich:
    """A piece of text as HTML, Markdown and plain text."""

    html: Markup
    markdown: str
    plain: str

    def __add__(self, other: Rich) -> Rich:
        return Rich(
            self.html + other.html, self.markdown + other.markdown, self.plain + other.plain
        )

    def __bool__(self) -> bool:
        return bool(self.plain)


EMPTY = Rich(Markup(), "", "")


def clean(text: str) -> str:
    """Text without control, surrogate and direction-changing characters, on one line."""
    kept = (
        char if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn") else " "
        for char in str(text)
    )
    return " ".join("".join(kept).split())


def escape_markdown(text: str) -> str:
    """Text that Markdown prints as it is."""
    return _MARKDOWN.sub(r"\\\1", text)


def tag(kind: str, *children: object, **attributes: object) -> Markup:
    """An HTML element; children and attribute values are escaped unless they are markup.

    Attribute names take a trailing underscore off (``class_``) and turn the others into
    hyphens; None leaves the attribute out.
    """
    inner = Markup().join(_html(child) for child in children if child is not None)
    shown = Markup().join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), value)
        for key, value in attributes.items()
        if value is not None
    )
    if kind in ("img", "br", "col"):
        return Markup("<{}{}>").format(Markup(kind), shown)  # noqa: S704 - names of our own
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(kind), shown, inner)  # noqa: S704


def _html(child: object) -> Markup:
    if isinstance(child, Rich):
        return child.html
    return escape(child)


def words(text: str) -> Rich:
    """Words of a catalogue: escaped; ``**key words**`` become bold."""
    pieces: list[Rich] = []
    for index, piece in enumerate(_BOLD.split(text)):
        if piece:
            plain = Rich(escape(piece), escape_markdown(piece), piece.replace(NBSP, " "))
            pieces.append(bold(plain) if index % 2 else plain)
    return join(pieces)


def bold(piece: Rich) -> Rich:
    """The piece in bold."""
    return Rich(tag("b", piece), f"**{piece.markdown}**", piece.plain)


def span(piece: Rich, class_: str) -> Rich:
    """The piece inside a styled span."""
    return Rich(tag("span", piece, class_=class_), piece.markdown, piece.plain)


def name(text: object) -> Rich:
    """A name or key that comes from the data: inert in every format."""
    shown = clean(str(text))
    return Rich(tag("span", shown, class_="name"), escape_markdown(shown), shown)


def own(text: str) -> Rich:
    """A piece of a sentence in a company's own words, as inert as a name; its blanks stay."""
    piece = name(text)
    lead, trail = text[:1].isspace(), text[-1:].isspace() and len(text) > 1
    return words(" " * lead) + piece + words(" " * trail)


def number(text: str, fact: str, value: object, form: str) -> Rich:
    """A formatted number with the id of its fact."""
    html = tag("data", text, data_fact=fact, data_form=form, value=value)
    return Rich(html, escape_markdown(text), text)


def moment(text: str, machine: str) -> Rich:
    """A day or a period."""
    return Rich(tag("time", text, datetime=machine), escape_markdown(text), text)


def join(pieces: Iterable[Rich], separator: str = "") -> Rich:
    """The pieces in a row."""
    known = [piece for piece in pieces if piece.plain or piece.html]
    between = words(separator) if separator else EMPTY
    result = EMPTY
    for index, piece in enumerate(known):
        result = result + (between if index and separator else EMPTY) + piece
    return result
