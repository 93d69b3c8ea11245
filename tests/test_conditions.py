"""Conditions over a frame of facts: what is asked, and what the unknown fulfils."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.conditions import ConditionError, Words, compare, holds, parse

FACTS = pd.DataFrame(
    {
        "overdue": [0.0, 30.0, 31.0, math.nan],
        "money": [Decimal("10.00"), Decimal("99.99"), None, Decimal("100.00")],
        "on_trial": pd.Series([True, False, None, True], dtype=object),
        "need": ["custom", "simple", None, "complex"],
        "pain": [frozenset({"price", "delivery"}), frozenset(), None, frozenset({"quality"})],
    }
)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], [1, 1, 1, 1]),
        ([{"overdue": "> 30"}], [0, 0, 1, 0]),
        ([{"overdue": ">= 30, < 31"}], [0, 1, 0, 0]),
        ([{"overdue": ["missing", "<= 0"]}], [1, 0, 0, 1]),
        ([{"overdue": 30}], [0, 1, 0, 0]),
        ([{"money": ">= 100"}], [0, 0, 0, 1]),
        ([{"money": "< 100"}], [1, 1, 0, 0]),
        ([{"on_trial": "yes"}], [1, 0, 0, 1]),
        ([{"on_trial": False}], [0, 1, 0, 0]),
        ([{"need": ["custom", "complex"]}], [1, 0, 0, 1]),
        ([{"need": "known"}], [1, 1, 0, 1]),
        ([{"pain": ["delivery", "quality"]}], [1, 0, 0, 1]),
        ([{"pain": "delivery, price"}], [1, 0, 0, 0]),  # both of them
        ([{"pain": "delivery, quality"}], [0, 0, 0, 0]),
        ([{"pain": "known"}], [1, 1, 0, 1]),  # looked for, though nothing was found
        ([{"pain": "missing"}], [0, 0, 1, 0]),
        ([{"overdue": "> 30"}, {"need": "custom"}], [1, 0, 1, 0]),  # any row
        ([{"overdue": "< 31", "need": "custom"}], [1, 0, 0, 0]),  # all of a row
        ([{"nowhere": "> 0"}], [0, 0, 0, 0]),
        ([{"nowhere": "missing"}], [1, 1, 1, 1]),
        ([{"nowhere": "anything"}], [0, 0, 0, 0]),
    ],
)
def test_who_fulfils_a_condition(rows, expected) -> None:
    found = holds(FACTS, rows)
    assert found.dtype == bool
    assert found.astype(int).tolist() == expected


def test_a_frame_without_rows_and_a_frame_in_another_order() -> None:
    assert holds(FACTS.iloc[:0], [{"overdue": "> 30", "pain": "price"}]).tolist() == []
    mixed = FACTS.iloc[[2, 0, 3, 1]]
    assert holds(mixed, [{"overdue": "> 30"}]).tolist() == [True, False, False, False]


@pytest.mark.parametrize("written", ["> a_name", ["<= ", "> 3"], {}, "", None])
def test_what_is_no_condition_is_refused(written) -> None:
    with pytest.raises(ConditionError):
        holds(FACTS, [{"overdue": written}])


def test_words_of_ones_own_need_not_be_named_before() -> None:
    assert parse("signal", ["公开招标", "known by nobody"], None).words == (
        Words(frozenset({"公开招标", "known by nobody"})),
    )
    with pytest.raises(ConditionError):
        parse("signal", "公开招标")
    with pytest.raises(ConditionError):  # a comparison that went wrong is no word
        parse("signal", "=> 3", None)
    assert str(parse("pain", ["price", "delivery", "high"], None)) == "pain high / delivery / price"


SIGNS = [">=", ">", "<=", "<", "="]


@given(
    values=st.lists(st.none() | st.integers(-3, 3), max_size=20),
    row=st.lists(st.tuples(st.sampled_from(SIGNS), st.integers(-3, 3)), min_size=1, max_size=3),
)
def test_as_one_value_after_the_other(values, row) -> None:
    frame = pd.DataFrame({"x": pd.Series(values, dtype=float)})
    written = ", ".join(f"{sign} {limit}" for sign, limit in row)
    one = [v is not None and all(compare(v, s, limit) for s, limit in row) for v in values]
    assert holds(frame, [{"x": written}]).tolist() == one
    opposite = {">=": "<", ">": "<=", "<=": ">", "<": ">=", "=": "="}
    if len(row) == 1 and row[0][0] != "=":
        other = holds(frame, [{"x": f"{opposite[row[0][0]]} {row[0][1]}"}])
        known = np.array([v is not None for v in values], dtype=bool)
        assert (holds(frame, [{"x": written}]) ^ other).tolist() == known.tolist()
