"""Settings of one customer's own plan."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from analysis.settings_types import Section, Share


class Accounts(Section):
    """One customer, one strategy."""

    resume: list[str] = Field(
        default_factory=list,
        description="strategies taken up again by a person although they were stopped",
    )
    scaling: Literal["constant", "proportional"] = Field(
        "constant",
        description="what a customer of another size is expected to buy more: the same money, or"
        " the same share of what it usually buys",
    )
    most_gain: float | None = Field(
        1.0,
        gt=0,
        description="extra margin expected of a customer: at most this share of the margin that it"
        " brings in the monetary window [share]; empty: no limit",
    )
    peers: int = Field(
        8, ge=4, description="customers of a segment in an industry from which they are a measure"
    )
    like: int = Field(
        20, ge=5, description="fewer customers like it: no share that went as far [customers]"
    )
    least_reached: Share = Field(
        0.1, description="a goal that fewer of the customers like it reached is set lower [share]"
    )
    like_ratio: float = Field(
        1.5, gt=1, description="customers like it buy at most so many times as much, or as little"
    )
