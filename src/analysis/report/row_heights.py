"""How high a row must be for what is written in it.

Excel grows a row for wrapped text when it opens a file; LibreOffice and WPS show the first line.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable

LINE = 15.0  # points, of the 11 point font that workbooks are written in
_MOST = 8  # lines; more belong into a report


def columns_of(text: str) -> int:
    """Width of a text in characters; a Chinese one is as wide as two others."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def row_height(cells: Iterable[tuple[str, float]]) -> float:
    """Height at which all of a row's wrapped texts can be read [points].

    Parameters
    ----------
    cells
        Text and width of its column [characters].
    """
    lines = (
        sum(max(1, math.ceil(columns_of(line) / width)) for line in text.splitlines())
        for text, width in cells
        if text
    )
    return LINE * min(max(lines, default=1), _MOST)
