"""The draw: fair, by corporate group, from names alone."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import wording
from analysis.calendars import Period
from analysis.effects.waves import as_planned, assign, later_share
from analysis.engine import conform
from analysis.settings_measures import Strategy
from analysis.tables import RECORD
from analysis.wording.told import told

Q4 = Period.parse("2025Q4")
MIN_ARM = 20


def company(
    n: int, group_of: list[int] | None = None, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Customers with their groups, and their money."""
    ids = [f"C{i:04d}" for i in range(n)]
    groups = ids if group_of is None else [f"G{g}" for g in group_of]
    money = np.round(np.random.default_rng(seed).lognormal(10, 1, n), 2)
    return (
        pd.DataFrame({"customer_id": ids, "group_id": groups}),
        pd.DataFrame({"customer_id": ids, "monetary": money}),
    )


def asked(ids: list[str], strategy: str = "visit", **more: object) -> pd.DataFrame:
    fields = {"segment": "s", "extra": True, "later_share": 0.3, "proven": False}
    return pd.DataFrame({"customer_id": ids, "strategy": strategy, **fields, **more})


def drawn(
    candidates: pd.DataFrame,
    customers: pd.DataFrame,
    features: pd.DataFrame,
    *,
    seed: int = 7,
    top: int = 0,
    min_arm: int = 0,
    period: Period = Q4,
) -> pd.DataFrame:
    own = Strategy(exempt_top=top)
    return assign(candidates, customers, features, own, period, seed, min_arm=min_arm)


_companies = st.integers(3, 60).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 20), min_size=n, max_size=n),
        st.integers(0, 5),
        st.sampled_from([0.0, 0.1, 0.3, 0.5, 1.0]),
        st.integers(0, 9),
    )
)


@pytest.mark.requirement("004-17")
@settings(max_examples=30)
@given(_companies)
def test_what_holds_for_every_draw(case: tuple[list[int], int, float, int]) -> None:
    group_of, top, share, seed = case
    customers, features = company(len(group_of), group_of)
    candidates = asked(list(customers["customer_id"]), later_share=share)
    found = drawn(candidates, customers, features, seed=seed, top=top)
    assert conform(found, RECORD["waves"]).num_rows == len(customers)
    # every corporate group together
    alike = found[["group_id", "wave", "band", "chance"]].drop_duplicates()
    assert alike["group_id"].is_unique
    # the largest are never drawn, nor is anybody of their groups
    richest = features.sort_values(["monetary", "customer_id"], ascending=[False, True])
    spared = set(customers.set_index("customer_id").loc[richest["customer_id"][:top], "group_id"])
    assert set(found.loc[found["wave"] == "exempt", "group_id"]) == spared
    assert (found["chance"].isna() == found["group_id"].isin(spared)).all()
    # in each block, and in all, the share that waits is right within one group
    units = found[found["chance"].notna()].drop_duplicates("group_id")
    late = units["wave"] == "later"
    for _, block in units.groupby("band"):
        assert abs((block["wave"] == "later").sum() - share * len(block)) < 1
    assert abs(late.sum() - share * len(units)) < 1
    # in each block the smallest numbers wait
    for _, block in units.groupby("band"):
        waiting = block["wave"] == "later"
        if waiting.any() and not waiting.all():
            assert block.loc[waiting, "chance"].max() < block.loc[~waiting, "chance"].min()
    # neither the order of rows nor where the tables come from matters
    again = drawn(
        candidates.sample(frac=1, random_state=seed),
        customers.sample(frac=1, random_state=seed + 1),
        features.sample(frac=1, random_state=seed + 2),
        seed=seed,
        top=top,
    )
    pd.testing.assert_frame_equal(again, found)


def test_a_groups_block_is_that_of_its_largest_customer() -> None:
    customers, features = company(9)
    features["monetary"] = np.arange(9.0)
    customers.loc[[0, 8], "group_id"] = "G"  # the smallest and the largest
    found = drawn(asked(list(customers["customer_id"])), customers, features)
    bands = found.set_index("customer_id")["band"]
    assert bands["C0000"] == bands["C0008"] == 3
    assert bands["C0001"] == 1


def test_numbers_are_the_groups_own() -> None:
    """Another customer's name moves nobody's number; another seed, period or strategy does."""
    customers, features = company(30)
    ids = list(customers["customer_id"])
    found = drawn(asked(ids), customers, features).set_index("customer_id")
    renamed = {"C0029": "X0029"}
    other = drawn(
        asked([*ids[:-1], "X0029"]),
        customers.replace(renamed),
        features.replace(renamed),
    ).set_index("customer_id")
    assert (other["chance"][:-1] == found["chance"][ids[:-1]]).all()
    for changed in (
        drawn(asked(ids), customers, features, seed=8),
        drawn(asked(ids), customers, features, period=Q4.next()),
        drawn(asked(ids, "trial"), customers, features),
    ):
        assert (changed["chance"].to_numpy() != found["chance"].to_numpy()).all()


@pytest.mark.slow
def test_every_customer_waits_as_often_as_planned() -> None:
    """Over many seeds, in blocks of any size, and groups like single customers."""
    customers, features = company(11, [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    candidates = asked(list(customers["customer_id"]))
    waits = np.mean(
        [
            drawn(candidates, customers, features, seed=seed)["wave"] == "later"
            for seed in range(150)
        ],
        axis=0,
    )
    assert np.abs(waits - 0.3).max() < 4 * np.sqrt(0.3 * 0.7 / 150)


def test_the_share_is_raised_until_the_later_wave_can_be_judged() -> None:
    assert later_share(0.3, 1000, MIN_ARM, False) == 0.3
    assert later_share(0.1, 100, MIN_ARM, True) == 0.2
    assert later_share(0.1, 40, MIN_ARM, True) == 0.5
    assert np.isnan(later_share(0.1, 39, MIN_ARM, True))
    # still to be judged: drawn as planned, its periods add up
    assert later_share(0.3, 39, MIN_ARM, False) == 0.3
    assert later_share(0.0, 100, MIN_ARM, True) == 0.0  # the settings want nobody to wait
    for n in (40, 57, 199):
        customers, features = company(n)
        ids = list(customers["customer_id"])
        worked = asked(ids, later_share=0.1, proven=True)
        for seed in range(4):
            found = drawn(worked, customers, features, seed=seed, min_arm=MIN_ARM)
            assert (found["wave"] == "later").sum() >= MIN_ARM
            assert (found["wave"] == "first").sum() >= MIN_ARM


def test_what_worked_is_not_held_back_from_a_few() -> None:
    customers, features = company(39)
    ids = list(customers["customer_id"])
    found = drawn(asked(ids, later_share=0.1, proven=True), customers, features, min_arm=MIN_ARM)
    assert set(found["wave"]) == {"exempt"}
    assert {json.loads(why)["key"] for why in found["why"]} == {"wave_reason.too_few"}


def test_every_row_says_why() -> None:
    customers, features = company(40, [*range(38), 5, 39])
    features["monetary"] = np.arange(40.0) + 1
    features.loc[5, "monetary"] = 1e6  # C0005 and C0038 are one group
    ids = list(customers["customer_id"])
    both = pd.concat([asked(ids), asked(ids, "care", extra=False)])
    found = drawn(both, customers, features, top=1).set_index(["strategy", "customer_id"])
    keys = found["why"].map(lambda why: json.loads(why)["key"].removeprefix("wave_reason."))
    assert set(keys["care"]) == {"duty"}
    assert keys["visit", "C0005"] == "exempt_top"
    assert keys["visit", "C0038"] == "exempt_group"
    rest = found.loc["visit"].drop(["C0005", "C0038"])
    assert (keys["visit"].drop(["C0005", "C0038"]) == rest["wave"]).all()
    late = rest[(rest["wave"] == "later") & (rest["band"] == 3)]
    args = json.loads(late["why"].iloc[0])["args"]
    assert args["later"]["value"] == len(late)
    assert args["groups"]["value"] == (rest["band"] == 3).sum()
    said = told(late["why"].iloc[0], "zh", "CNY")
    assert said == (
        f"抽签（同一集团算一家）：金额较大的 {args['groups']['value']} 家里"
        f"有 {len(late)} 家排到下一批，"
        "这家在内，先作对照。"
    )
    for why in found["why"].unique():
        for lang in wording.LANGUAGES:
            assert told(why, lang, "CNY")


def test_only_what_is_planned_is_kept() -> None:
    customers, features = company(12)
    found = drawn(asked(list(customers["customer_id"])), customers, features)
    plan = found.head(5).assign(measure="m")
    twice = pd.concat([plan, plan.assign(measure="n")])
    pd.testing.assert_frame_equal(as_planned(found, twice), found.head(5))


def test_nobody_to_draw() -> None:
    customers, features = company(3)
    none = asked([])
    assert conform(drawn(none, customers, features), RECORD["waves"]).num_rows == 0
    alone = drawn(asked(["C0001"]), customers, features.iloc[:0])
    assert len(alone) == 1
    bare = drawn(asked(["C0001"]), customers[["customer_id"]], features)
    assert bare["group_id"].tolist() == ["C0001"]


def test_what_worked_is_checked_again_among_the_small() -> None:
    customers, features = company(150)
    ids = list(customers["customer_id"])
    worked = asked(ids, later_share=0.1, proven=True)
    found = drawn(worked, customers, features, min_arm=MIN_ARM)
    money = features.set_index("customer_id")["monetary"]
    small = money[money <= money.sort_values().iloc[49]].index
    assert set(found.loc[found["wave"] != "exempt", "customer_id"]) == set(small)
    assert (found["wave"] == "later").sum() == MIN_ARM
    large = found[found["wave"] == "exempt"]
    assert {json.loads(why)["key"] for why in large["why"]} == {"wave_reason.large"}
    for lang in wording.LANGUAGES:
        assert told(large["why"].iloc[0], lang, "CNY")
    # too few small ones for two arms: two thirds, then all
    for n, most in ((90, 60), (42, 42)):
        customers, features = company(n)
        some = asked(list(customers["customer_id"]), later_share=0.1, proven=True)
        assert (drawn(some, customers, features, min_arm=MIN_ARM)["wave"] != "exempt").sum() == most
