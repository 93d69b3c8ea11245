"""Sparklines: eight periods in a tile, no axis, own scale."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analysis.exhibits import look

WIDTH, HEIGHT = 18.0, 6.4


def draw(values: Sequence[float], *, target: float | None = None, back: int = 4) -> bytes | None:
    """The series as SVG: a solid dot is now, a ring the same period a year before.

    Parameters
    ----------
    values
        Oldest first; NaN where unknown.
    target
        Dashed line, where there is one.
    back
        Periods in a year.

    Returns
    -------
    bytes or None
        None where fewer than three values are known.
    """
    known = [v for v in values if math.isfinite(v)]
    if len(known) < 3 or not math.isfinite(values[-1]):
        return None
    reach = [*known, *([target] if target is not None and math.isfinite(target) else [])]
    low, high = min(reach), max(reach)
    span = (high - low) or 1.0

    def y(value: float) -> float:
        return HEIGHT - 1.1 - (value - low) / span * (HEIGHT - 2.2)

    xs = [1.2 + i * (WIDTH - 2.4) / (len(values) - 1) for i in range(len(values))]
    with look.board(WIDTH, HEIGHT) as (figure, axes):
        if target is not None and math.isfinite(target):
            axes.plot(
                [0.8, WIDTH - 0.8], [y(target)] * 2, color=look.INK3, lw=0.75, ls=(0, (3, 2.2))
            )
        ys = [y(v) if math.isfinite(v) else math.nan for v in values]
        axes.plot(xs, ys, color=look.INK2, lw=1.1, solid_joinstyle="round")
        if len(values) > back and math.isfinite(ys[-1 - back]):
            axes.plot(
                [xs[-1 - back]],
                [ys[-1 - back]],
                marker="o",
                ms=3.4,
                mfc="white",
                mec=look.INK2,
                mew=1.0,
            )
        axes.plot([xs[-1]], [ys[-1]], marker="o", ms=4.4, color=look.INK)
        return look.to_svg(figure)
