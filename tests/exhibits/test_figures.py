"""Drawings: text as paths, no date, the same bytes every time."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from analysis.exhibits import intervals, sparks, waterfall

STEPS = [
    waterfall.Step("上期", "previous", 131.2, "13,120"),
    waterfall.Step("新客户", "plus", 4.1, "+410"),
    waterfall.Step("老客户减购", "minus", -10.3, "−1,030"),
    waterfall.Step("本期", "actual", 125.0, "12,500", "环比 −620"),
    waterfall.Step("目标", "target", 135.0, "13,500", "差 1,000"),
]


def _bridge() -> bytes:
    return waterfall.draw(STEPS, cut=110.0)


def _spark() -> bytes:
    return sparks.draw([1, 2, 3, 2, 4, 5, 4, 6], target=5) or b""


def _interval() -> bytes:
    axis = intervals.axis_for([-1, 12, 3])
    return intervals.draw(
        axis,
        "worked",
        estimate=6.8,
        low=2.1,
        high=11.5,
        even=2.7,
        text="6.8",
        range_text="（2.1～11.5）",
        even_text="够本 2.7",
        absent="没有可比的对象，不画",
    )


@pytest.mark.parametrize("draw", [_bridge, _spark, _interval])
def test_a_drawing_is_always_the_same_and_holds_no_text(draw: Callable[[], bytes]) -> None:
    svg = draw()
    assert svg == draw()
    text = svg.decode()
    assert "<svg" in text
    assert "<text" not in text
    assert "dc:date" not in text
    assert "font-family" not in text


def test_a_short_series_gives_no_sparkline() -> None:
    assert sparks.draw([math.nan, 1, 2]) is None
    assert sparks.draw([1, 2, math.nan]) is None
    assert b"<svg" in (sparks.draw([5, 5, 5]) or b"")


def test_the_axis_holds_zero_and_few_ticks() -> None:
    for values in ([0.1, 0.2], [-5, -1], [10_000, 2_000_000], [0, 0]):
        axis = intervals.axis_for(values)
        assert axis.low <= 0 <= axis.high
        assert all(axis.low <= v <= axis.high for v in values)
        assert 1 <= len(axis.ticks) <= 6


def test_the_grid_is_a_background_without_addresses() -> None:
    style = intervals.grid(intervals.axis_for([0, 10]))
    assert "linear-gradient" in style
    assert "url(" not in style


def test_a_bridge_without_changes_can_be_drawn() -> None:
    flat = [STEPS[0], waterfall.Step("本期", "actual", 131.2, "13,120")]
    assert waterfall.draw(flat)
