"""One place escapes: whatever a name holds, it stays text."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.exhibits import markup
from tests.exhibits import sample

HOSTILE = [
    sample.HOSTILE,
    '"><svg onload=alert(1)>',
    "</style><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{ 7*7 }} {kpi.revenue} {0}",
    "![x](http://evil.example/p.gif)",
    "[link](javascript:alert(1))",
    "`rm -rf`{=html}",
    "=cmd|' /C calc'!A0",
    "\u202egnp.exe",
    "a\x00b\x1bc\ud800",
    "| a | b |",
]


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def _read(html: object) -> _Tags:
    reader = _Tags()
    reader.feed(str(html))
    return reader


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_is_inert(text: str) -> None:
    piece = markup.name(text)
    read = _read(piece.html)
    assert read.tags == ["span"]
    assert read.text == piece.plain == markup.clean(text)
    for sign in "<>[]`!|":
        assert sign not in piece.markdown.replace("\\" + sign, "")


@pytest.mark.parametrize("text", HOSTILE)
def test_attributes_are_inert(text: str) -> None:
    read = _read(markup.tag("img", alt=text, src="data:image/png;base64,"))
    assert read.tags == ["img"]
    assert {key for key, _ in read.attributes} == {"alt", "src"}


@given(st.text())
def test_any_text_comes_back_as_it_was_cleaned(text: str) -> None:
    shown = markup.clean(text)
    assert _read(markup.name(text).html).text == shown
    assert markup.clean(shown) == shown


def test_words_make_key_words_bold() -> None:
    piece = markup.words("a **b** <c>")
    assert str(piece.html) == "a <b>b</b> &lt;c&gt;"
    assert piece.plain == "a b <c>"


def test_joined_pieces_keep_their_three_forms() -> None:
    piece = markup.join([markup.words("a"), markup.name("<b>")], ", ")
    assert piece.plain == "a, <b>"
    assert "&lt;b&gt;" in piece.html
    assert "\\<b\\>" in piece.markdown
