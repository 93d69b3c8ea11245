"""Waterfall: what stood before, what came and went, what stands now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from analysis.exhibits import look

Kind = Literal["previous", "plus", "minus", "neutral", "actual", "target"]
PITCH = 5.7  # from row to row [mm]
BAR = 0.52

_FILL = {
    "previous": look.PREV_FILL,
    "plus": look.BLUE,
    "minus": look.ORANGE_MARK,
    "neutral": look.PREV_FILL,
    "actual": look.INK,
    "target": "none",
}
_EDGE = {"previous": look.INK3, "neutral": look.INK3, "target": look.INK}
_TEXT = {"plus": look.BLUE, "minus": look.ORANGE}


@dataclass(frozen=True)
class Step:
    """One row: a total (`previous`, `actual`, `target`) or a signed change.

    `value` sets the geometry; `text` and `note` are what is written beside the bar.
    """

    label: str
    kind: Kind
    value: float
    text: str
    note: str = ""


def draw(
    steps: Sequence[Step], *, cut: float = 0.0, width: float = 114.0, pitch: float = PITCH
) -> bytes:
    """The waterfall as SVG.

    Parameters
    ----------
    steps
        Rows from top to bottom.
    cut
        Value below which the bars of totals are left out; they carry two slashes then.
    width, pitch
        Size and distance of the rows, in mm.
    """
    height = len(steps) * pitch + 1.0
    gutter = max(look.width_of(step.label) for step in steps) + 3
    room = max(look.width_of(step.text + step.note) for step in steps) + 5
    spans = _spans(steps)
    top = max(max(span) for span in spans) or 1.0
    low = cut or min(0.0, *(min(span) for span in spans))
    scale = (width - gutter - room) / ((top - low) or 1.0)

    def x(value: float) -> float:
        return gutter + (value - low) * scale

    with look.board(width, height) as (figure, axes):
        axes.plot([x(max(low, 0.0))] * 2, [0, height], color=look.INK, lw=0.75)
        for row, (step, (start, end)) in enumerate(zip(steps, spans, strict=True)):
            middle = (row + 0.5) * pitch + 0.5
            total = step.kind in ("previous", "actual", "target")
            look.write(axes, 0, middle, step.label, heavy=step.kind in ("previous", "actual"))
            left = x(max(min(start, end), low)) if not total else x(max(low, 0.0))
            right = x(max(start, end))
            _bar(axes, step.kind, left, right, middle, pitch)
            if total and cut:
                _slashes(axes, left + 3.2, middle, pitch)
            if row + 1 < len(steps) and steps[row + 1].kind != "target":
                _connect(axes, x(end), middle, pitch)
            color = _TEXT.get(step.kind, look.INK)
            strong = step.kind not in ("neutral", "target")
            look.write(axes, right + 1.6, middle, step.text, color=color, heavy=strong)
            if step.note:
                place = right + 1.6 + look.width_of(step.text) + 1.6
                look.write(axes, place, middle, step.note, color=look.INK3, size=look.SMALL)
        return look.to_svg(figure)


def _spans(steps: Sequence[Step]) -> list[tuple[float, float]]:
    level, spans = 0.0, []
    for row, step in enumerate(steps):
        if step.kind in ("previous", "actual", "target"):
            spans.append((0.0, step.value))
            # A target below the walk is for comparison; one on top is where the walk begins.
            level = level if step.kind == "target" and row else step.value
        else:
            spans.append((level, level + step.value))
            level += step.value
    return spans


def _bar(axes: Axes, kind: Kind, left: float, right: float, middle: float, pitch: float) -> None:
    axes.add_patch(
        Rectangle(
            (left, middle - pitch * BAR / 2),
            max(right - left, 0.25),
            pitch * BAR,
            facecolor=_FILL[kind],
            edgecolor=_EDGE.get(kind, "none"),
            linewidth=0.9 if kind == "target" else 0.75,
        )
    )


def _slashes(axes: Axes, left: float, middle: float, pitch: float) -> None:
    half = pitch * BAR / 2 + 0.6
    for shift in (0.0, 1.5):
        axes.plot(
            [left + shift, left + shift + 1.3],
            [middle + half, middle - half],
            color="white",
            lw=1.5,
        )


def _connect(axes: Axes, place: float, middle: float, pitch: float) -> None:
    # A thin line from the level this row ends at to the next row, which begins there.
    axes.plot(
        [place, place],
        [middle + pitch * BAR / 2, middle + pitch * (1 - BAR / 2)],
        color=look.INK3,
        lw=0.75,
    )
