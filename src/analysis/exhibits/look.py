"""Palette, marks and the drawing board that all figures share.

Two hues only, blue for favourable and orange for unfavourable, always with a sign or a shape:
figures must read the same in grey print. The tokens are those of the report's style sheet.
"""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patheffects import AbstractPathEffect, Normal, Stroke
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

from analysis.exhibits import fonts
from analysis.exhibits.markup import tag

INK, INK2, INK3 = "#1B2733", "#44505D", "#5B6773"
RULE, TINT, TINT2 = "#C6CED6", "#F2F5F8", "#E3E9EF"
BLUE, BLUE1, BLUE2 = "#1A5C97", "#DCE9F5", "#B4D0E9"
ORANGE, ORANGE_MARK, ORANGE1, ORANGE2 = "#A84A0A", "#CF7A2A", "#FAE6D6", "#F2C7A3"
PREV, PREV_FILL = "#8391A0", "#C9D1D9"

SMALL, BODY, LARGE = 7.8, 8.4, 9.2
MM = 1 / 25.4


@contextmanager
def _style() -> Iterator[None]:
    family = fonts.register()
    with (
        matplotlib.rc_context(
            {
                "font.family": [family],
                "font.size": BODY,
                "axes.unicode_minus": True,
                "svg.fonttype": "path",
                "svg.hashsalt": "analysis",
                "path.simplify": False,
                "text.color": INK,
                "axes.linewidth": 0.75,
                "hatch.linewidth": 1.4,
                "text.parse_math": False,
                # Else the shaper asks the machine's locale, and the font draws digits of another
                # height for Chinese than for the rest.
                "text.language": "zh-Hans",
            }
        ),
        warnings.catch_warnings(),
    ):
        # An empty box in place of a letter must stop the report, not slip into it.
        warnings.filterwarnings("error", message=".*[Gg]lyph.*missing.*")
        yield


@contextmanager
def board(width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """A blank figure of `width` × `height` mm; coordinates are millimetres from the top left."""
    with _style():
        figure = Figure(figsize=(width * MM, height * MM))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        axes.axis("off")
        yield figure, axes


@contextmanager
def styled() -> Iterator[None]:
    """The project's style for figures that draw their own axes."""
    with _style():
        yield


def write(
    axes: Axes,
    x: float,
    y: float,
    text: str,
    *,
    size: float = BODY,
    color: str = INK,
    heavy: bool = False,
    halo: bool = False,
    align: str = "left",
) -> Text:
    """Text at a point, vertically centred.

    `heavy` thickens the strokes (the font has one weight); `halo` keeps lines off the letters.
    """
    drawn = axes.text(
        x, y, fonts.drawable(text), size=size, color=color, ha=align, va="center_baseline"
    )
    effects: list[AbstractPathEffect] = []
    if halo:
        effects.append(Stroke(linewidth=2.2, foreground="white"))
    if heavy:
        effects.append(Stroke(linewidth=0.38, foreground=color))
    if effects:
        drawn.set_path_effects([*effects, Normal()])
    return drawn


@lru_cache(maxsize=4096)
def width_of(text: str, size: float = BODY) -> float:
    """Width of a text in mm."""
    with _style():
        shape = FontProperties(family=fonts.FAMILY, size=size)
        width, _, _ = text_to_path.get_text_width_height_descent(fonts.drawable(text), shape, False)
    return float(width) * 25.4 / 72


def to_svg(figure: Figure) -> bytes:
    """The figure as SVG: text as paths, no date, the same bytes for the same drawing."""
    out = io.BytesIO()
    with _style():
        figure.savefig(
            out, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    return out.getvalue()


def image(svg: bytes, alt: str, class_: str = "", facts: str | None = None) -> Markup:
    """The drawing inside the page; `alt` says what it shows, `facts` which facts it draws."""
    data = base64.b64encode(svg).decode("ascii")
    return tag(
        "img",
        src=f"data:image/svg+xml;base64,{data}",
        alt=alt,
        class_=class_ or None,
        data_facts=facts,
    )
