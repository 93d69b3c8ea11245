"""One row of the interval chart: estimate, likely range, break-even, all rows on one axis."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from analysis.exhibits import look

WIDTH, HEIGHT = 57.0, 15.0
Verdict = Literal["worked", "did_not_pay", "cannot_tell", "none"]
_COLOR = {
    "worked": look.BLUE,
    "did_not_pay": look.ORANGE,
    "cannot_tell": look.INK2,
    "none": look.INK2,
}


@dataclass(frozen=True)
class Axis:
    """A common axis in data units: from `low` to `high`, a grid line every `step`."""

    low: float
    high: float
    step: float

    def x(self, value: float) -> float:
        """Place of a value in mm."""
        return 1.5 + (value - self.low) / (self.high - self.low) * (WIDTH - 3)

    @property
    def ticks(self) -> list[float]:
        """Grid values inside the axis."""
        first = math.ceil(self.low / self.step - 1e-9)
        last = math.floor(self.high / self.step + 1e-9)
        return [round(k * self.step, 10) for k in range(first, last + 1)]


def axis_for(values: Iterable[float]) -> Axis:
    """The axis that holds these values and zero, with at most five grid lines."""
    known = [0.0, *(v for v in values if math.isfinite(v))]
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    low, high = low - 0.06 * span, high + 0.06 * span
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough)
    return Axis(low, high, step)


def grid(axis: Axis) -> str:
    """The grid as a CSS background: one line a tick, the zero line stronger."""
    lines = []
    for tick in axis.ticks:
        color = look.INK3 if abs(tick) < 1e-12 else look.TINT2
        share = axis.x(tick) / WIDTH * 100
        lines.append(f"linear-gradient({color},{color}) {share:.2f}% 0/1px 100% no-repeat")
    return "background:" + ",".join(lines) + ";background-origin:content-box"


def draw_axis(axis: Axis, labels: Iterable[str]) -> bytes:
    """Tick labels above the column."""
    with look.board(WIDTH, 4.0) as (figure, axes):
        for tick, label in zip(axis.ticks, labels, strict=True):
            place = min(max(axis.x(tick), 3.0), WIDTH - 3.0)
            look.write(axes, place, 2.0, label, size=look.SMALL, color=look.INK3, align="center")
        return look.to_svg(figure)


def draw(
    axis: Axis,
    verdict: Verdict,
    *,
    estimate: float | None,
    low: float | None,
    high: float | None,
    even: float | None,
    text: str,
    range_text: str,
    even_text: str,
    absent: str,
) -> bytes:
    """One row as SVG; without an estimate the words `absent` stand in its place.

    The grid is not drawn: it runs through all rows behind them (`grid`).
    """
    with look.board(WIDTH, HEIGHT) as (figure, axes):
        if estimate is None or low is None or high is None:
            look.write(axes, axis.x(0) + 2, HEIGHT / 2, absent, size=look.SMALL, color=look.INK2)
            return look.to_svg(figure)
        color = _COLOR[verdict]
        middle = HEIGHT * 0.5
        if even is not None and axis.low <= even <= axis.high:
            place = axis.x(even)
            axes.plot(
                [place, place],
                [HEIGHT * 0.1, HEIGHT * 0.72],
                color=look.INK,
                lw=0.9,
                ls=(0, (3, 2)),
            )
            wide = look.width_of(even_text, look.SMALL)
            start = min(max(place - 1.0, 0.0), WIDTH - wide - 0.5)
            look.write(axes, start, HEIGHT * 0.87, even_text, size=look.SMALL, color=look.INK2,
                       halo=True)  # fmt: skip
        left, right = axis.x(low), axis.x(high)
        axes.plot([left, right], [middle, middle], color=color, lw=1.7, solid_capstyle="butt")
        for end in (left, right):
            axes.plot([end, end], [middle - 1.3, middle + 1.3], color=color, lw=1.7)
        axes.plot(
            [axis.x(estimate)],
            [middle],
            marker="o",
            ms=6.6,
            mfc="white" if verdict in ("cannot_tell", "none") else color,
            mec=color,
            mew=1.5,
        )
        _value(axes, axis, text, range_text, estimate, high, even, middle)
        return look.to_svg(figure)


def _value(
    axes: object,
    axis: Axis,
    text: str,
    range_text: str,
    estimate: float,
    high: float,
    even: float | None,
    middle: float,
) -> None:
    wide = look.width_of(text, look.LARGE) + 1.2 + look.width_of(range_text, look.SMALL)
    edge = max(axis.x(high), axis.x(even) if even is not None else 0.0)
    if edge + 2.5 + wide <= WIDTH:
        x, y = edge + 2.5, middle
    else:
        x, y = min(max(axis.x(estimate) - wide / 2, 0.5), WIDTH - wide - 0.5), middle - 4.6
    if even is not None and x - 1 < axis.x(even) < x + wide and axis.x(even) + 1.5 + wide <= WIDTH:
        x = axis.x(even) + 1.5  # clear of the break-even line
    look.write(axes, x, y, text, size=look.LARGE, heavy=True, halo=True)  # type: ignore[arg-type]
    look.write(
        axes,  # type: ignore[arg-type]
        x + look.width_of(text, look.LARGE) + 1.2,
        y,
        range_text,
        size=look.SMALL,
        color=look.INK2,
        halo=True,
    )
