"""The table of ``make bench-validity``: published numbers, and simulations with a known truth."""

from __future__ import annotations

import pytest
from bench.published import Missing
from bench.validity import CHECKS, Check, near, table

MARKS = {False: (), True: (pytest.mark.slow,)}


def cases():
    return [pytest.param(check, id=check.number, marks=MARKS[check.slow]) for check in CHECKS]


@pytest.mark.requirement("003-07", "004-17")
@pytest.mark.parametrize("check", cases())
def test_numbers_come_out(check: Check) -> None:
    try:
        found = check.ours()
    except Missing as missing:
        pytest.skip(f"{missing} is not here")
    assert check.low <= found <= check.high


def test_the_table_says_what_is_wrong_and_what_is_left_out() -> None:
    def absent() -> float:
        raise Missing("the data")

    checks = [
        near("right", lambda: 1.0, 1.0, 0.1, "a paper"),
        near("wrong", lambda: 1.2, 1.0, 0.1, "a paper"),
        near("unknown", lambda: float("nan"), 1.0, 0.1, "a paper"),
        near("absent", absent, 1.0, 0.1, "a paper"),
    ]
    states = {row[0]: row[-1] for row in table(checks)}
    assert states == {
        "right": "ok", "wrong": "NOT", "unknown": "NOT", "absent": "left out: the data"
    }  # fmt: skip
