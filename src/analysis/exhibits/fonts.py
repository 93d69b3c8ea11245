"""The Chinese font that the project brings: Noto Sans SC, from a pinned package.

Figures use it for every letter, so that they look the same on every machine and never show an
empty box. The HTML report carries a subset of it behind the reader's own fonts.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

from analysis.errors import Problem, StageError

PACKAGE = "pylopdf-fonts-zh-cn"
FILE = "NotoSansSC-Regular.otf"
FAMILY = "Noto Sans SC"


@cache
def font_path() -> Path:
    """The font file of the installed package.

    Raises
    ------
    StageError
        If the package is not installed.
    """
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == FILE:
            return Path(str(file.locate()))
    raise StageError(Problem("exhibits.font_missing", {"package": PACKAGE}))


@cache
def register() -> str:
    """Make the font known to matplotlib; returns its family name."""
    from matplotlib import font_manager

    font_manager.fontManager.addfont(str(font_path()))
    return FAMILY


@cache
def characters() -> frozenset[int]:
    """Code points that the font can draw."""
    with TTFont(font_path(), lazy=True) as font:
        return frozenset(font.getBestCmap())


def missing(text: str) -> set[str]:
    """Characters of a text that the font cannot draw."""
    return {c for c in text if not c.isspace() and ord(c) not in characters()}


def drawable(text: str) -> str:
    """The text with a replacement sign for what the font cannot draw (rare characters)."""
    return "".join(c if c.isspace() or ord(c) in characters() else "\u25a1" for c in text)


def subset_woff(text: Iterable[str]) -> bytes:
    """A WOFF file with just these characters; the same characters give the same bytes."""
    return _subset(frozenset({ord(c) for piece in text for c in piece} & characters()))


@lru_cache(maxsize=4)  # the editions of a report share their characters
def _subset(wanted: frozenset[int]) -> bytes:
    options = subset.Options()
    options.flavor = "woff"
    options.recalc_timestamp = False
    options.layout_features = []
    options.hinting = False
    options.desubroutinize = True
    options.name_IDs = [1, 2]
    options.notdef_outline = True
    out = io.BytesIO()
    with subset.load_font(str(font_path()), options) as font:
        worker = subset.Subsetter(options)
        worker.populate(unicodes=sorted(wanted))
        worker.subset(font)
        subset.save_font(font, out, options)
    return out.getvalue()
