"""Cuts: equal values in one band, settings before frozen before estimated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import SettingsError
from analysis.segmentation import cut_changes, estimate_cuts, scores
from analysis.segmentation.scores import BANDS as WORDS
from analysis.segmentation.scores import RECENCY, boundaries, score_codes
from analysis.settings_segmentation import CutModes, Recency, Segmentation
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


def industries(rows, **sizes: int) -> pd.DataFrame:
    """Customers whose money runs from 1 upwards, times ten for each further industry."""
    changes = [
        {"monetary": float(money) * 10**place, "peer_industry": name if name != "none" else None}
        for place, (name, size) in enumerate(sizes.items())
        for money in range(1, size + 1)
    ]
    return rows(*changes).assign(peer_industry=[c["peer_industry"] for c in changes])


def money_by(**options: object) -> Segmentation:
    return Segmentation(cuts=CutModes(monetary="industry", **options))


def test_large_industries_have_cuts_of_their_own(rows) -> None:
    features = industries(rows, steel=60, food=90, glass=59, none=70)
    cuts = estimate_cuts(features, money_by())
    assert set(cuts.loc[cuts["score"] == "monetary", "industry"]) == {"", "steel", "food"}
    assert set(cuts.loc[cuts["score"] != "monetary", "industry"]) == {""}
    assert list(boundaries(cuts, "monetary", "steel")) == [21, 41]
    assert list(boundaries(cuts, "monetary", "food")) == [310, 610]
    shared = estimate_cuts(features, Segmentation())
    assert list(boundaries(cuts, "monetary", "glass")) == list(boundaries(shared, "monetary"))
    found = scores(features, cuts).assign(industry=features["peer_industry"])
    counted = found[found["industry"] == "steel"]["monetary"].value_counts().to_dict()
    assert counted == {"low": 20, "mid": 20, "high": 20}
    rest = ~features["peer_industry"].isin(["steel", "food"])
    by_all = scores(features, shared)["monetary"]
    assert list(found.loc[rest, "monetary"]) == list(by_all[rest])


def test_equal_values_of_an_industry_in_any_order(rows) -> None:
    features = industries(rows, steel=60, food=61)
    same = features.assign(monetary=[7.0, 7.0, 9.0] * 40 + [7.0])
    cuts = estimate_cuts(same, money_by())
    order = np.random.default_rng(1).permutation(len(same))
    again = same.iloc[order].assign(customer_id=[f"X{i}" for i in range(len(same))])
    pd.testing.assert_frame_equal(estimate_cuts(again, money_by()), cuts)
    found = scores(same, cuts)["monetary"]
    assert list(scores(again, cuts)["monetary"]) == list(found.iloc[order])
    pairs = found.groupby([same["peer_industry"], same["monetary"]]).nunique()
    assert set(pairs) == {1}


def test_cuts_count_who_stands_on_either_side(rows) -> None:
    features = industries(rows, steel=60, none=30)
    cuts = estimate_cuts(features, money_by())
    cuts = cuts.set_index(["score", "industry", "boundary"]).sort_index()
    steel = cuts.loc[("monetary", "steel")]
    assert list(steel["below"]) == [20, 40] and list(steel["above"]) == [40, 20]
    others = cuts.loc[("monetary", "")]  # counted over those whom it scores
    assert set(others["below"] + others["above"]) == {30}
    recency = cuts.loc[("recency", "", 1)]
    assert (recency["below"], recency["above"]) == (90, 0)


def test_an_industry_keeps_its_frozen_cuts(rows) -> None:
    frozen = estimate_cuts(industries(rows, steel=60, food=40), money_by())
    later = industries(rows, steel=20, food=200)
    kept = estimate_cuts(later, money_by(), frozen)
    columns = ["score", "industry", "boundary", "value"]
    pd.testing.assert_frame_equal(kept[columns], frozen[columns])
    assert set(kept.loc[kept["score"] != "recency", "source"]) == {"previous"}
    fresh = estimate_cuts(later, money_by(reestimate=True), frozen)
    assert set(fresh.loc[fresh["score"] != "recency", "source"]) == {"estimated"}
    assert set(fresh["industry"]) == {"", "food"}


def test_a_new_mode_estimates_industries_beside_frozen_cuts(rows) -> None:
    features = industries(rows, steel=60, food=60)
    frozen = estimate_cuts(features, Segmentation()).drop(columns=["industry", "below", "above"])
    cuts = estimate_cuts(features, money_by(), frozen).query("score == 'monetary'")
    sources = cuts.groupby("industry")["source"].unique().map(list).to_dict()
    assert sources == {"": ["previous"], "food": ["estimated"], "steel": ["estimated"]}
    back = estimate_cuts(features, Segmentation(), cuts)
    assert set(back["industry"]) == {""}


def test_given_numbers_hold_for_every_industry(rows) -> None:
    settings_ = Segmentation(monetary_cuts=[5.0, 50.0], cuts=CutModes(mode="industry"))
    cuts = estimate_cuts(industries(rows, steel=60, food=60), settings_)
    assert set(cuts.loc[cuts["score"] == "monetary", "industry"]) == {""}
    assert list(boundaries(cuts, "monetary", "steel")) == [5, 50]


def test_thresholds_need_numbers(rows) -> None:
    settings_ = Segmentation(cuts=CutModes(mode="threshold"), frequency_cuts=[2.0, 5.0])
    with pytest.raises(SettingsError) as caught:
        estimate_cuts(rows({}), settings_)
    assert [(p.key, p.args["setting"]) for p in caught.value.problems] == [
        ("segmentation.cuts_missing", "segmentation.monetary_cuts"),
        ("segmentation.cuts_missing", "segmentation.mean_order_cuts"),
    ]
    one = Segmentation(cuts=CutModes(frequency="threshold"), frequency_cuts=[2.0, 5.0])
    cuts = estimate_cuts(rows({"frequency": 1}, {"frequency": 2}), one).query("score=='frequency'")
    assert list(cuts["value"]) == [2, 5] and set(cuts["source"]) == {"settings"}


def test_changes_show_the_old_value_beside_the_new(rows) -> None:
    old = estimate_cuts(industries(rows, steel=60), money_by())
    new = estimate_cuts(industries(rows, steel=90), money_by(reestimate=True), old)
    found = cut_changes(old, new).set_index(["score", "industry", "boundary"]).sort_index()
    line = found.loc[("monetary", "steel", 1)]
    assert (line["before"], line["after"], line["source"]) == (21, 31, "estimated")
    assert line["change"] == pytest.approx(31 / 21 - 1)
    gone = cut_changes(old, estimate_cuts(industries(rows, steel=60), Segmentation()))
    assert gone.iloc[-2:]["industry"].to_list() == ["steel", "steel"]
    assert gone.iloc[-2:]["after"].isna().all()
    first = cut_changes(None, new)
    assert len(first) == len(new) and first["before"].isna().all()
    window = Segmentation(recency=Recency(mode="window"))
    other = cut_changes(old, estimate_cuts(industries(rows, steel=60), window))
    recency = other[other["score"] == "recency"]  # days and cycles are not compared
    assert recency["change"].isna().all() and len(recency) == 2


def test_codes_are_the_words_in_one_byte(rows, no_order) -> None:
    features = rows(*({"frequency": i, "monetary": i * 1.0} for i in range(1, 31)), no_order)
    cuts = estimate_cuts(features, Segmentation())
    codes, named = score_codes(features, cuts), scores(features, cuts)
    for score, found in codes.items():
        assert found.dtype == np.int8
        words = RECENCY if score == "recency" else WORDS
        assert [words[code] for code in found] == list(named[score])


@pytest.mark.requirement("001-08")
def test_refunds_and_missing_values_are_low(rows) -> None:
    values = [-500.0, float("nan"), 0.0, 1.0, 2.0, 3.0]
    found = bands(rows, values, "monetary")
    assert list(found) == ["low", "low", "low", "low", "mid", "high"]
    refunds = rows({"monetary": -5.0}, {"monetary": -1.0})
    cuts = estimate_cuts(refunds, Segmentation())
    assert "monetary" not in set(cuts["score"])
    assert list(scores(refunds, cuts)["monetary"]) == ["low", "low"]


@pytest.mark.requirement("001-08")
def test_a_value_on_a_cut_is_in_the_upper_band(rows) -> None:
    settings_ = Segmentation(monetary_cuts=[100.0, 200.0])
    features = rows(*({"monetary": m} for m in (99.9999, 100.0, 199.9999, 200.0)))
    found = scores(features, estimate_cuts(features, settings_))["monetary"]
    assert list(found) == ["low", "mid", "mid", "high"]
