"""Marks beside words: status, grade, share bars, tick boxes. Shape and word, never colour alone."""

from __future__ import annotations

from markupsafe import Markup

from analysis.exhibits.markup import Rich, tag

# Drawn, not typed: the glyphs differ in size from font to font.
_SHAPES = {
    "up": Markup('<path d="M5 .8 9.6 9.2H.4Z"/>'),
    "down": Markup('<path d="M5 9.2 .4 .8H9.6Z"/>'),
    "mid": Markup('<circle cx="5" cy="5" r="4.1"/>'),
    "none": Markup(
        '<circle cx="5" cy="5" r="3.6" fill="none" stroke="currentColor" stroke-width="1.5"/>'
    ),
}
STATUS = {"on_target": "up", "watch": "mid", "below": "down", "none": "none"}
VERDICT = {"worked": "up", "did_not_pay": "down", "cannot_tell": "mid", "none": "none"}
_CHARACTER = {"up": "▲", "down": "▼", "mid": "●", "none": "○"}


def shape(kind: str) -> Markup:
    """A small triangle, dot or ring."""
    return tag("svg", _SHAPES[kind], class_=f"shp {kind}", viewBox="0 0 10 10", aria_hidden="true")


def status(kind: str, word: Rich) -> Rich:
    """A shape with its word."""
    return Rich(
        tag("span", shape(kind), word, class_=f"st {kind}"),
        f"{_CHARACTER[kind]} {word.markdown}",
        f"{_CHARACTER[kind]} {word.plain}",
    )


def grade(letter: str) -> Rich:
    """Evidence grade: A solid, B and C outlined, D dashed."""
    known = letter if letter in "ABCD" and letter else "D"
    return Rich(tag("span", known, class_=f"grade g{known}"), known, known)


def bar(share: float | None, class_: str) -> Markup:
    """A thin bar as long as the share of its column."""
    if share is None or not 0 <= share <= 1.5:
        return Markup()
    return tag("span", class_=f"bar {class_}", style=f"--w:{share * 100:.1f}%", aria_hidden="true")


def before_after(share: float | None, longest: float, word: Rich, class_: str = "") -> Markup:
    """A hatched bar of the misleading before/after comparison, with its words."""
    drawn = None
    if share is not None and longest > 0:
        drawn = tag("i", style=f"width:{max(share, 0.0) / longest * 26:.0f}%")
    return tag("span", drawn, tag("em", word), class_=f"nv {class_}".strip())


def boxes(*names: Rich) -> Rich:
    """Tick boxes: the paper copy is the minutes."""
    html = Markup().join(tag("span", tag("i", class_="bx"), name, class_="tick") for name in names)
    text = " ".join(f"[ ] {name.plain}" for name in names)
    return Rich(html, text.replace("[", "\\["), text)
