"""Cuts: equal values in one band, settings before frozen before estimated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import SettingsError
from analysis.segmentation import estimate_cuts, scores
from analysis.settings_model import Recency, Segmentation
from analysis.tables import RECORD

BANDS = {"low": 0, "mid": 1, "high": 2}


def bands(rows, values: list[float], column: str = "frequency") -> pd.Series:
    features = rows(*({column: value} for value in values))
    cuts = estimate_cuts(features, Segmentation())
    return scores(features, cuts)[column]


@pytest.mark.requirement("001-08")
def test_without_ties_cuts_are_terciles(rows) -> None:
    found = bands(rows, list(range(1, 301)))
    assert found.value_counts().to_dict() == {"low": 100, "mid": 100, "high": 100}


@pytest.mark.requirement("001-08")
def test_eighty_percent_one_order_customers(rows) -> None:
    values = [1] * 160 + [2] * 24 + [3] * 10 + [7] * 6
    found = bands(rows, values)
    assert set(found[:160]) == {"low"}
    assert set(found[160:184]) == {"mid"}
    assert set(found[184:]) == {"high"}


@pytest.mark.requirement("001-08")
def test_two_hundred_identical_customers_get_one_score(rows) -> None:
    features = rows(*({} for _ in range(200)))
    found = scores(features, estimate_cuts(features, Segmentation()))
    for column in ("recency", "frequency", "monetary", "mean_order"):
        assert len(set(found[column])) == 1


def test_a_large_middle_value_does_not_swallow_its_neighbours(rows) -> None:
    found = bands(rows, [1] * 10 + [2] * 80 + [3] * 10)
    assert found.value_counts().to_dict() == {"low": 10, "mid": 80, "high": 10}


@pytest.mark.parametrize(("few", "upper"), [(20, "high"), (50, "mid"), (80, "mid")])
def test_two_values_make_two_bands(rows, few: int, upper: str) -> None:
    found = bands(rows, [1] * (100 - few) + [2] * few)
    assert found.value_counts().to_dict() == {"low": 100 - few, upper: few}


def test_nobody_without_a_positive_value_decides(rows) -> None:
    found = bands(rows, [0] * 500 + list(range(1, 31)))
    assert set(found[:510]) == {"low"}
    assert found[500:].value_counts().to_dict() == {"low": 10, "mid": 10, "high": 10}


@settings(max_examples=100, deadline=None)
@given(values=st.lists(st.integers(0, 12), min_size=1, max_size=60), seed=st.integers(0, 5))
def test_equal_values_equal_scores_in_any_order(rows, values: list[int], seed: int) -> None:
    found = bands(rows, values)
    order = np.random.default_rng(seed).permutation(len(values))
    again = bands(rows, [values[i] for i in order])
    assert list(found.iloc[order]) == list(again)
    by_value: dict[int, str] = {}
    for value, band in zip(values, found, strict=True):
        assert by_value.setdefault(value, band) == band
    ranked = [BANDS[by_value[value]] for value in sorted(by_value)]
    assert ranked == sorted(ranked)


@settings(max_examples=50, deadline=None)
@given(values=st.lists(st.integers(1, 10**6), min_size=3, max_size=60))
def test_cuts_never_fall(rows, values: list[int]) -> None:
    features = rows(*({"monetary": float(value)} for value in values))
    cuts = estimate_cuts(features, Segmentation())
    low, high = cuts.loc[cuts["score"] == "monetary", "value"]
    assert 0 < low <= high


def test_settings_win_over_frozen_over_estimated(rows) -> None:
    features = rows(*({"frequency": i, "monetary": 10.0 * i} for i in range(1, 31)))
    given_ = Segmentation(frequency_cuts=[4.0, 9.0])
    previous = estimate_cuts(features, Segmentation(monetary_cuts=[1.0, 2.0]))
    cuts = estimate_cuts(features, given_, previous).set_index(["score", "boundary"])
    assert list(cuts.loc["frequency", "value"]) == [4, 9]
    assert set(cuts.loc["frequency", "source"]) == {"settings"}
    assert list(cuts.loc["monetary", "value"]) == [1, 2]
    assert set(cuts.loc["monetary", "source"]) == {"previous"}
    fresh = estimate_cuts(features, given_).set_index(["score", "boundary"])
    assert set(fresh.loc["monetary", "source"]) == {"estimated"}
    assert list(fresh.loc["monetary", "value"]) == [110, 210]


def test_frozen_cuts_do_not_move_with_the_others(rows) -> None:
    first = rows(*({"monetary": float(i)} for i in range(1, 31)))
    frozen = estimate_cuts(first, Segmentation())
    richer = rows(*({"monetary": 100.0 * i} for i in range(1, 31)))
    again = estimate_cuts(richer, Segmentation(), frozen)
    assert list(again["value"]) == list(frozen["value"])


def test_falling_cuts_are_refused_together(rows) -> None:
    # the settings refuse the first already; the room does not rely on them
    bad = Segmentation.model_construct(frequency_cuts=[5.0, 2.0], mean_order_cuts=[0.0, 2.0])
    with pytest.raises(SettingsError) as caught:
        estimate_cuts(rows({}), bad)
    assert [p.key for p in caught.value.problems] == ["segmentation.cuts_must_rise"] * 2


def test_no_order_at_all_leaves_only_recency(rows, no_order) -> None:
    features = rows(no_order, no_order)
    cuts = estimate_cuts(features, Segmentation())
    assert list(cuts["score"]) == ["recency"]
    assert list(cuts.columns) == RECORD["cuts"].names
    found = scores(features, cuts)
    assert set(found["recency"]) == {"none"}
    assert set(found["monetary"]) == {"low"}


def test_far_is_strictly_beyond_in_both_modes(rows) -> None:
    features = rows(
        {"recency_cycles": 1.5, "recency_days": 90.0},
        {"recency_cycles": 1.51, "recency_days": 91.0},
    )
    for mode in ("own_cycle", "window"):
        settings_ = Segmentation(recency=Recency(mode=mode))
        found = scores(features, estimate_cuts(features, settings_))
        assert list(found["recency"]) == ["near", "far"]
