"""Conditions: what is written is what is read, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.conditions import Comparison, ConditionError, Words, parse
from analysis.segmentation.axes import Domain, codes, grid_axis, number_axis


def test_comparisons_bands_and_both() -> None:
    found = parse("monetary", "mid, >= high_value_total")
    assert found.words == (Words(frozenset({"mid"})),)
    assert found.ranges == ((Comparison(">=", "high_value_total"),),)
    assert list(found.names) == ["high_value_total"]
    assert parse("frequency", "> 5, ≤ 1_000").ranges == (
        (Comparison(">", 5.0), Comparison("<=", 1000.0)),
    )
    assert parse("frequency", ["low", "mid"]).words == (Words(frozenset({"low", "mid"})),)
    assert parse("f", 3).ranges == ((Comparison("=", 3.0),),)
    assert parse("on_trial", True).words == (Words(frozenset({"yes"})),)
    missing = parse("satisfaction", ["missing", "> 3"])
    assert missing.ranges == ((Words(frozenset({"missing"})),), (Comparison(">", 3.0),))
    assert str(missing) == "satisfaction missing / > 3"


@pytest.mark.parametrize(
    "written",
    ["", "5", ">=", ">= 5 6", "=> 5", ">= 5,", "tall", ">= 1,000", ">= -", [], [["low"]], None, {},
     ["low", ">= 5"], ">= 5 and < 7", "!= 3", ">= ５"],
)  # fmt: skip
def test_anything_else_is_refused(written: object) -> None:
    with pytest.raises(ConditionError):
        parse("frequency", written)


DOMAINS = [
    Domain(),
    Domain(low=0.0),
    Domain(whole=True, low=0.0, optional=False),
    Domain(low=1.0, high=5.0),
    Domain(whole=True),
    Domain(low=-1.0),
]


@given(
    domain=st.sampled_from(DOMAINS),
    cuts=st.lists(st.integers(-3, 8) | st.floats(-3, 8, allow_nan=False, width=16), max_size=6),
    values=st.lists(st.integers(-20, 20) | st.floats(-20, 20, width=16), min_size=1),
)
def test_a_cell_and_its_example_are_on_the_same_side_of_every_cut(domain, cuts, values) -> None:
    axis = number_axis("x", domain, cuts)
    for cell in axis.cells:
        if cell.example is not None:
            assert domain.low <= cell.example <= domain.high
            assert not domain.whole or cell.example == int(cell.example)
    inside = [v for v in values if domain.low <= v <= domain.high]
    inside = [float(int(v)) if domain.whole else float(v) for v in inside]
    for value, code in zip(inside, codes(axis, np.array(inside, dtype=float)), strict=True):
        example = axis.cells[code].example
        assert isinstance(example, float)
        for cut in cuts:
            assert (value > cut, value == cut) == (example > cut, example == cut)


def test_missing_values_have_a_cell_of_their_own() -> None:
    axis = number_axis("x", Domain(), [1.0])
    assert axis.cells[0].example is None
    assert list(codes(axis, np.array([np.nan, 0.0, 1.0, 2.0]))) == [0, 1, 2, 3]
    orders = number_axis("frequency", Domain(whole=True, low=0.0, optional=False), [9.0, 10.0])
    assert len(orders.cells) == 4  # between nine and ten orders lies nothing
    assert len(grid_axis("r", [1, 2, 3]).cells) == 3
