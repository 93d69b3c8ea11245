"""Where a sheet's header stands: below titles, in one row or in two."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from analysis.sources.grid import Merge, Scorer

SEARCH = 30  # rows within which the header must stand
_LEAST_BELOW = 2  # fewer texts than this below a row make no second row of a header
# A band over several columns that only names a part of the form: 基本信息 over 客户名称.
_BAND = re.compile(r"(?i)(信息|资料|情况|内容|明细|方式|information|info|details)\Z")
# Values, as opposed to headers: numbers, money, days, times, shares.
_VALUE = re.compile(r"\A[^\w]*\d[\d\s.,:/年月日%-]*(元|万|万元|亿)?\)?\Z")


@dataclass(frozen=True)
class Header:
    """The header of a sheet.

    Attributes
    ----------
    at
        Position of its first row among the rows searched.
    depth
        Its rows, one or two.
    cells
        One text a column; for two rows the upper and the lower text joined.
    title
        Texts of the rows above it: they may state the unit of the numbers below.
    """

    at: int
    depth: int
    cells: tuple[str, ...]
    title: tuple[str, ...] = ()


def find(
    rows: Sequence[Sequence[str]],
    score: Scorer,
    *,
    numbers: Sequence[int] = (),
    merges: Sequence[Merge] | None = None,
    only: int | None = None,
) -> Header:
    """The first header that holds all that is wanted, else the one that holds most of it.

    Parameters
    ----------
    rows
        The first rows of the file, cells cleaned as headers.
    score
        Says of a row whether it is complete, and how many wanted headers it holds.
    numbers, merges
        Row numbers of `rows` and the sheet's merged cells; None where the format has none.
    only
        The one position to look at, where the settings name the row.
    """
    best: tuple[tuple[bool, int], Header] | None = None
    for at in range(len(rows)) if only is None else (only,):
        header = Header(at, 1, tuple(rows[at]))
        rank = score(header.cells)
        pair = _pair(rows, at, score, numbers, merges)
        if pair is not None:
            cells, formed = pair
            both = score(cells)
            if both > rank or (formed and both == rank):
                header, rank = Header(at, 2, cells), both
        if best is None or rank > best[0]:
            best = rank, header
        if rank[0]:
            break
    if best is None or (best[0][1] == 0 and only is None):
        first = next((i for i, cells in enumerate(rows) if any(cells)), 0)
        return Header(first, 1, tuple(rows[first]) if rows else ())
    above = tuple(text for cells in rows[: best[1].at] for text in cells if text)
    return replace(best[1], title=above)


def _pair(
    rows: Sequence[Sequence[str]],
    at: int,
    score: Scorer,
    numbers: Sequence[int],
    merges: Sequence[Merge] | None,
) -> tuple[tuple[str, ...], bool] | None:
    """Join a row and the next to one header; tell whether their form says that they are one.

    It does where a merged cell makes a band, or the lower row fills exactly the upper one's gaps.
    """
    if at + 1 >= len(rows):
        return None
    width = max(len(rows[at]), len(rows[at + 1]))
    upper, lower = (_padded(rows[i], width) for i in (at, at + 1))
    bands = _bands(numbers[at], merges) if numbers and merges else []
    if not _joinable(upper, lower, banded=bool(bands)):
        return None
    spread = _spread(upper, lower, bands)
    joined = [_joined(a, b) for a, b in zip(spread, lower, strict=True)]
    counts = Counter([*lower, *upper])
    plain = [
        low if low and _BAND.search(up) and counts[low] == 1 else both
        for up, low, both in zip(spread, lower, joined, strict=True)
    ]
    fills = not lower[0] and all(up or low for up, low in zip(upper, lower, strict=True))
    cells = tuple(plain) if score(plain) > score(joined) else tuple(joined)
    return cells, bool(bands) or fills


def _padded(cells: Sequence[str], width: int) -> list[str]:
    return [*cells, *[""] * (width - len(cells))]


def _bands(number: int, merges: Sequence[Merge] | None) -> list[tuple[int, int]]:
    """Columns over which one cell of a row stretches."""
    return [
        (m.left, m.right) for m in merges or () if m.top == m.bottom == number and m.left < m.right
    ]


def _joinable(upper: Sequence[str], lower: Sequence[str], *, banded: bool) -> bool:
    """Whether the lower row completes the upper one: texts, below gaps, none of its own left."""
    below = [c for c in lower if c]
    if len(below) < _LEAST_BELOW or any(_VALUE.match(c) for c in below):
        return False
    if not upper or (not upper[0] and not (banded and lower[0])):
        return False
    gaps = any(low and not up for up, low in zip(upper, lower, strict=True))
    alone = any(up and not low for up, low in zip(upper, lower, strict=True))
    # a title over the header spans it all, and every column below has its own text
    return gaps and (alone or sum(1 for c in upper if c) > 1)


def _spread(
    upper: Sequence[str], lower: Sequence[str], bands: Sequence[tuple[int, int]]
) -> list[str]:
    """The upper row with each band over all of its columns."""
    found = list(upper)
    if bands:
        for left, right in bands:
            found[left : right + 1] = [upper[left]] * len(found[left : right + 1])
        return found
    for i in range(1, len(found)):
        if not found[i] and lower[i] and lower[i - 1]:
            found[i] = found[i - 1]
    return found


def _joined(upper: str, lower: str) -> str:
    if not lower or upper == lower:
        return upper
    gap = " " if upper[-1:].isascii() and lower[:1].isascii() and upper else ""
    return f"{upper}{gap}{lower}"
