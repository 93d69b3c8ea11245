"""Summary, account lists and the crosswalk."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from analysis import wording
from analysis.engine import conform
from analysis.segmentation import (
    accounts,
    as_before,
    crosswalk,
    estimate_cuts,
    movements,
    rulebook,
    segment,
    summary,
)
from analysis.settings_segmentation import Segmentation
from analysis.tables import RECORD
from analysis.wording.numbers import format_value

SETTINGS = Segmentation(
    frequency_cuts=[3.0, 6.0], monetary_cuts=[100.0, 1000.0], mean_order_cuts=[50.0, 500.0]
)
BEST = {"frequency": 6, "monetary": 1000.0, "recency_cycles": 0.9}
MIDDLE = {"frequency": 3, "monetary": 300.0}
STATES = {
    "hold": (BEST, BEST),
    "late": (BEST, {**BEST, "recency_cycles": 1.3, "recency_days": 78.0}),
    "a day": (BEST, {**BEST, "recency_cycles": 1.05, "recency_days": 63.0}),
    "up": (MIDDLE, BEST),
    "more": (MIDDLE, {**MIDDLE, "revenue_period": 200.0}),
    "less": (MIDDLE, {**MIDDLE, "revenue_period": 10.0}),
    "down": (BEST, {**BEST, "recency_cycles": 2.0}),
    "gone": ({**BEST, "recency_cycles": 2.0}, {**BEST, "recency_cycles": 3.0}),
    "small": ({**MIDDLE, "recency_cycles": 2.0}, {**MIDDLE, "recency_cycles": 3.0}),
    "once": (MIDDLE, {**MIDDLE, "recency_cycles": 1.3, "intervals": 0, "revenue_period": 1.0}),
}


@pytest.fixture(scope="module")
def told(rows, rfm5) -> dict[str, pd.DataFrame]:
    names = list(STATES)
    was = rows(*(state[0] for state in STATES.values()), ids=names)
    now = rows(*(state[1] for state in STATES.values()), ids=names)
    customers = pd.DataFrame(
        {
            "customer_id": names,
            "name": [f"客户{name}" for name in names],
            "owner_id": (["p1", "p2", None] * 4)[: len(names)],
            "region": ["华东"] * len(names),
            "own_tier": (["A", None, ""] * 4)[: len(names)],
            "on_trial": [False] * len(names),
        }
    )
    cuts = estimate_cuts(now, SETTINGS)
    segments = segment(now, customers, rfm5, cuts, SETTINGS)
    before = as_before(segment(was, customers, rfm5, cuts, SETTINGS))
    return {
        "features": now,
        "customers": customers,
        "segments": segments,
        "before": before,
        "movements": movements(
            before, segments, was, now, rulebook(rfm5, customers, cuts, SETTINGS)
        ),
        "people": pd.DataFrame({"person_id": ["p1"], "name": ["王强"]}),
    }


def lists(told: dict[str, pd.DataFrame], length: int = 10, **changes) -> pd.DataFrame:
    use = told | changes
    return accounts(
        use["segments"],
        use["movements"],
        use["features"],
        use["customers"],
        use["people"],
        length,
    )


def test_each_customer_stands_in_the_list_it_belongs_to(told) -> None:
    found = lists(told)
    assert found.groupby("list")["customer_id"].apply(list).to_dict() == {
        "hold": ["a day", "hold"],
        "grow": ["up", "more"],
        "rescue": ["down", "gone"],
        "reorder": ["late"],
    }
    assert found["customer_id"].is_unique
    assert list(dict.fromkeys(found["list"])) == ["hold", "grow", "rescue", "reorder"]
    conform(found, RECORD["accounts"])


def test_owners_have_names_where_known(told) -> None:
    owners = lists(told).set_index("customer_id")["owner"]
    assert owners["hold"] == "王强"
    assert owners["late"] == "p2"
    without = lists(told, people=told["people"].head(0)).set_index("customer_id")["owner"]
    assert without["hold"] == "p1"


def test_lists_are_ranked_by_money_and_cut(told) -> None:
    short = lists(told, length=1)
    assert short.groupby("list").size().max() == 1
    assert set(short["rank"]) == {1}
    assert list(short.loc[short["list"] == "grow", "customer_id"]) == ["up"]


def test_without_a_previous_period_lists_still_stand(told) -> None:
    found = lists(told, movements=told["movements"].head(0))
    by_list = found.groupby("list")["customer_id"].apply(list).to_dict()
    assert "hold" in by_list["hold"]
    assert by_list["rescue"] == ["down", "gone"]


def test_reasons_of_lists_speak_both_languages(told) -> None:
    for reason in lists(told)["reason"]:
        sentence = json.loads(reason)
        for lang in wording.LANGUAGES:
            args = {
                name: wording.text(arg["key"], lang)
                if "key" in arg
                else format_value(arg["value"], arg["unit"], lang)
                for name, arg in sentence["args"].items()
            }
            assert "{" not in wording.text(sentence["key"], lang, **args)


def test_the_summary_counts_and_shares(told) -> None:
    found = summary(told["segments"], told["before"], told["features"]).set_index("segment")
    assert list(found.index) == [
        "high_value",
        "potential",
        "churn_risk",
        "low_frequency_essential",
        "new",
        "all",
    ]
    assert found.loc["high_value", "customers"] == 4
    assert found.loc["high_value", "customers_before"] == 4
    assert found.loc["all", "customers"] == len(STATES)
    assert found.loc["all", "revenue_share"] == 1
    assert found["revenue_share"].drop("all").sum() == pytest.approx(1)
    assert found.loc["new", "customers"] == 0
    assert pd.isna(found.loc["new", "inferred_share"])
    first = summary(told["segments"], None, told["features"]).set_index("segment")
    assert (first["customers_before"] == 0).all()
    conform(found.reset_index(), RECORD["segment_summary"])


def test_the_crosswalk_shows_the_companys_own_tier(told) -> None:
    found = crosswalk(told["segments"], told["customers"])
    assert (found["scheme"] == "rfm5").sum() == len(STATES)
    own = found[found["scheme"] == "own_tier"]
    filled = told["customers"]["own_tier"] == "A"
    assert list(own["customer_id"]) == sorted(told["customers"].loc[filled, "customer_id"])
    assert set(own["segment"]) == {"A"}
    conform(found, RECORD["crosswalk"])
    bare = crosswalk(told["segments"], told["customers"].drop(columns="own_tier"))
    assert set(bare["scheme"]) == {"rfm5"}
