"""From treatments and outcomes to verdicts."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from bench import published

from analysis import wording
from analysis.calendars import Period
from analysis.effects import estimate, verdicts
from analysis.effects.study import unit_of
from analysis.engine import conform
from analysis.settings_measures import Effectiveness
from analysis.tables import RECORD
from analysis.wording.told import told

Q3 = Period.parse("2025Q3")
SETTINGS = Effectiveness()


def company(seed=1, n=240, effect=0.0, cost=100.0, done=1.0, share=0.3, shift=0.0):
    """Treatments and outcomes of one strategy; `shift` puts the arms out of balance before."""
    rng = np.random.default_rng(seed)
    ids = [f"C{i:04d}" for i in range(n)]
    held = rng.permutation(n) < share * n
    before = rng.lognormal(8, 0.5, n) * (1 + shift * ~held)
    value = before * rng.lognormal(0, 0.15, n) + effect * ~held
    treatments = pd.DataFrame(
        {
            "customer_id": ids,
            "strategy": "visit",
            "arm": np.where(held, "held_out", "treated"),
            "cost": np.where(held, 0.0, cost),
            "done": ~held & (rng.random(n) < done),
        }
    )
    outcomes = pd.DataFrame(
        {"customer_id": ids, "outcome": "revenue", "value": value, "before": before}
    )
    return treatments, outcomes


def many(count, **args):
    """Companies of other seeds as strategies of one: each with customers of its own."""
    both = [], []
    for seed in range(count):
        treatments, outcomes = company(seed, **args)
        own = {"customer_id": f"{seed}-" + treatments["customer_id"]}
        both[0].append(treatments.assign(strategy=f"s{seed}", **own))
        both[1].append(outcomes.assign(**own))
    return tuple(pd.concat(frames, ignore_index=True) for frames in both)


def judged(treatments, outcomes, segments=None, settings=SETTINGS):
    """The effects without anything beside treatments and outcomes."""
    return estimate(treatments, outcomes, settings, 1, segments_before=segments).effects


def only(frame):
    assert len(frame) == 1
    return frame.iloc[0]


def key(row):
    return json.loads(row["reason"])["key"].removeprefix("effect_reason.")


@pytest.mark.realdata
def test_published_campaign():
    try:
        found = published.campaign()
    except published.Missing as missing:
        pytest.skip(f"{missing} is not here")
    told = found.loc[["visit", "spend"], ["verdict", "grade", "method"]].drop_duplicates()
    assert told.to_numpy().tolist() == [["worked", "A", "difference_in_means"]]
    assert dict(found["unit"].groupby("outcome").first()) == {"spend": "money", "visit": "share"}
    assert found["n_treated"].sum() / 2 + found["n_control"].iloc[0] == 64_000
    # nobody wrote down a cost: whether it paid is not said
    assert found["total_value"].isna().all()


def test_worked_did_not_pay_and_cannot_tell():
    # margin 30 %: a measure of 100 must bring 333 more
    worked = only(judged(*company(effect=1500.0)))
    assert (worked["verdict"], worked["grade"], key(worked)) == ("worked", "A", "worked")
    assert worked["break_even"] == pytest.approx(100 / 0.3)
    assert worked["low"] > worked["break_even"]
    assert worked["total_value"] == pytest.approx(
        worked["estimate"] * 0.3 * worked["n_treated"] - 100 * worked["n_treated"]
    )
    assert worked["total_value"] == pytest.approx(worked["extra_margin"] - worked["cost_total"])
    useless = only(judged(*company(cost=600.0)))
    assert (useless["verdict"], key(useless)) == ("did_not_pay", "did_not_pay")
    assert useless["high"] < useless["break_even"]
    unsettled = only(judged(*company(n=80, effect=300.0)))
    assert (unsettled["verdict"], key(unsettled)) == ("cannot_tell", "undecided")
    assert unsettled["n_needed"] > 24
    assert unsettled["periods_needed"] == math.ceil(unsettled["n_needed"] / 24) - 1


def test_needed_customers_do_settle_it():
    """With as many customers as asked for, a useless measure is shown not to pay."""
    first = only(judged(*company(n=80, effect=150.0, share=0.5)))
    assert first["verdict"] == "cannot_tell"
    n = int(2 * first["n_needed"])
    verdict = list(judged(*many(60, n=n, share=0.5))["verdict"])
    assert verdict.count("did_not_pay") / 60 >= 0.65  # planned: .80
    assert verdict.count("worked") <= 2


def test_an_interval_lies_above_no_effect_at_most_at_the_nominal_rate():
    # without a cost the break-even is 0: the hardest case
    found = judged(*many(200, n=160, share=0.5, cost=0.0))
    assert (found["low"] > 0).sum() <= 11  # 2.5 % of 200 are 5; 11 is 2.7 standard errors above
    assert (found["verdict"] == "worked").sum() <= 1  # judged together, the best is luck


def test_customers_who_did_badly_recover_by_themselves():
    """Chosen for a bad quarter, no effect at all: before/after rises, the comparison does not."""
    rng = np.random.default_rng(9)
    size = 3000
    usual = rng.lognormal(8, 0.4, size)
    before, after = usual * rng.lognormal(0, 0.5, (2, size))
    chosen = np.argsort(before / usual)[: size // 5]
    ids = np.array([f"C{i:05d}" for i in range(size)])[chosen]
    held = rng.permutation(len(ids)) < 0.3 * len(ids)
    treatments = pd.DataFrame(
        {"customer_id": ids, "strategy": "s", "arm": np.where(held, "held_out", "treated")}
    )
    outcomes = pd.DataFrame(
        {
            "customer_id": ids,
            "outcome": "revenue",
            "value": after[chosen],
            "before": before[chosen],
        }
    )
    row = only(judged(treatments, outcomes))
    assert row["before_after"] > 0.3
    assert row["before_after_control"] > 0.3
    assert row["verdict"] == "cannot_tell"
    assert row["low"] < 0 < row["high"]


def test_no_comparison_is_no_effect():
    treatments, outcomes = company(effect=5000.0, share=0.0)
    row = only(judged(treatments, outcomes))
    assert (row["grade"], row["method"], row["verdict"]) == ("D", "none", "cannot_tell")
    assert key(row) == "no_comparison"
    assert row[["estimate", "low", "high", "total_value"]].isna().all()
    assert row["before_after"] > 0.5


def test_grades():
    treatments, outcomes = company(effect=1500.0)
    chosen = Effectiveness(assignment="chosen")
    assert only(judged(treatments, outcomes, settings=chosen))["grade"] == "C"
    unknown = only(judged(treatments, outcomes.drop(columns="before"), settings=chosen))
    assert (unknown["grade"], key(unknown)) == ("D", "not_comparable")
    shifted = only(judged(*company(shift=0.6)))
    assert shifted["balance_p"] < 0.001
    assert shifted["grade"] == "C"
    planned = Effectiveness(held_out_share=0.5)
    assert only(judged(treatments, outcomes, settings=planned))["grade"] == "C"
    assert (
        only(judged(treatments, outcomes, settings=Effectiveness(held_out_share=0.3)))["grade"]
        == "A"
    )


def test_too_few_and_not_carried_out():
    few = only(judged(*company(n=40)))
    assert (few["verdict"], key(few), few["n_needed"]) == ("cannot_tell", "too_few", 20)
    assert math.isnan(few["estimate"])
    undone = only(judged(*company(effect=1500.0, done=0.3)))
    assert (undone["verdict"], key(undone)) == ("cannot_tell", "not_carried_out")
    assert undone["done_share"] < 0.5
    assert not math.isnan(undone["estimate"])


def test_segments_of_a_size():
    treatments, outcomes = company(n=300, effect=1500.0)
    segments = pd.DataFrame(
        {
            "customer_id": treatments["customer_id"],
            "segment": np.where(np.arange(300) < 260, "potential", "new"),
        }
    )
    found = judged(treatments, outcomes, segments)
    assert list(found["segment"]) == ["all", "potential"]  # 40 new ones have too small an arm
    assert found["n_treated"].iloc[1] < found["n_treated"].iloc[0]


def test_arms_compare_with_their_own_strategy():
    one, outcomes = company(effect=1500.0)
    other, more = company(seed=2, effect=0.0)
    other = other.assign(strategy="coupon", customer_id="X" + other["customer_id"])
    more = more.assign(customer_id="X" + more["customer_id"], value=more["value"] + 9_000)
    both = judged(pd.concat([one, other]), pd.concat([outcomes, more]))
    alone = only(judged(one, outcomes))
    row = both.set_index("strategy").loc["visit"]
    assert row["estimate"] == alone["estimate"]
    assert row["p_value"] == alone["p_value"]


def test_order_of_rows_changes_nothing():
    treatments, outcomes = company(n=90, effect=200.0)
    first = judged(treatments, outcomes)
    second = judged(
        treatments.sample(frac=1, random_state=1), outcomes.sample(frac=1, random_state=2)
    )
    pd.testing.assert_frame_equal(first, second)


def test_table_fits_its_contract_and_every_reason_has_words():
    parts = [
        judged(*company(**args))
        for args in (
            {"effect": 1500.0},
            {"cost": 600.0},
            {"n": 80, "effect": 300.0},
            {"share": 0.0},
            {"n": 40},
            {"effect": 1500.0, "done": 0.3},
        )
    ]
    rows = pd.concat([p.assign(strategy=f"s{i}") for i, p in enumerate(parts)])
    assert conform(rows, RECORD["effects"]).num_rows == len(parts)
    for reason in rows["reason"]:
        loaded = json.loads(reason)
        args = {name: str(arg["value"]) for name, arg in loaded["args"].items()}
        for lang in wording.LANGUAGES:
            assert wording.text(loaded["key"], lang, **args)


def test_nothing_to_judge():
    empty = judged(*(t.iloc[:0] for t in company()))
    assert conform(empty, RECORD["effects"]).num_rows == 0


def test_equal_outcomes_are_no_verdict():
    treatments, outcomes = company()
    row = only(judged(treatments, outcomes.assign(value=0.0, before=0.0)))
    # 0 for everybody is rather nothing recorded than a measure that failed
    assert (row["verdict"], row["decision"]) == ("cannot_tell", "keep_testing")
    assert key(row) == "no_spread"
    free = only(judged(treatments.assign(cost=0.0), outcomes.assign(value=0.0)))
    assert (free["verdict"], key(free)) == ("cannot_tell", "no_spread")


def test_outcomes_missing_in_one_arm_are_no_verdict():
    treatments, outcomes = company(effect=1500.0)
    held = treatments.loc[treatments["arm"] == "held_out", "customer_id"]
    lost = outcomes["customer_id"].isin(held[: len(held) // 2])
    segments = treatments[["customer_id"]].assign(segment="a")
    found = estimate(treatments, outcomes[~lost], SETTINGS, 1, period=Q3, segments_before=segments)
    assert set(found.effects["segment"]) == {"all", "a"}
    for _, row in found.effects.iterrows():
        assert (row["verdict"], row["decision"]) == ("cannot_tell", "keep_testing")
        assert key(row) == "outcomes_missing"
    assert found.evidence["look"].tolist() == [0]  # nor does it add to later periods
    every_tenth = outcomes["customer_id"].str.endswith("0")
    assert only(judged(treatments, outcomes[~every_tenth]))["verdict"] == "worked"


def test_revenue_without_margin_pays_for_nothing():
    settings = SETTINGS.model_copy(update={"margin_rate": 0.0})
    row = only(judged(*company(effect=1500.0), settings=settings))
    assert (row["verdict"], key(row), row["decision"]) == ("did_not_pay", "without_margin", "stop")
    for lang in ("zh", "en"):
        assert "–" not in told(row["reason"], lang, "CNY")


def test_a_measure_given_to_both_arms_has_no_effect_on_those_reached():
    treatments, outcomes = company()
    assert math.isnan(only(judged(treatments.assign(done=True), outcomes))["as_done"])


def test_measures_on_the_same_customers_cannot_be_told_apart():
    treatments, outcomes = company(effect=1500.0)
    both = pd.concat([treatments, treatments.assign(strategy="coupon")], ignore_index=True)
    found = estimate(both, outcomes, SETTINGS, 1).checks
    found = found[found["check"] == "other_measures"]
    assert found[["value", "bound"]].to_numpy().tolist() == [[1.0, 0.0]] * 2
    assert not found["passed"].any()
    half = treatments["customer_id"].str[-1].isin(list("02468"))  # in both arms alike
    coupon = treatments[half].assign(strategy="coupon", arm="treated")
    again = estimate(pd.concat([treatments, coupon]), outcomes, SETTINGS, 1).checks
    again = again[(again["check"] == "other_measures") & (again["strategy"] == "visit")]
    assert again["passed"].tolist() == [True]
    alone = estimate(treatments, outcomes, SETTINGS, 1).checks
    assert "other_measures" not in set(alone["check"])


def test_units():
    assert unit_of("visit", np.array([0.0, 1, 1])) == "share"
    assert unit_of("spend", np.array([0.0, 1, 1])) == "money"
    assert unit_of("orders", np.array([0.0, 2, 1])) == "count"
    assert unit_of("score", np.array([0.5, 2, 1])) == "number"


def test_break_even():
    assert verdicts.break_even(30, 0.3, "money") == pytest.approx(100)
    assert verdicts.break_even(math.nan, 0.3, "money") == 0
    assert verdicts.break_even(30, 0, "money") == math.inf
    assert math.isnan(verdicts.break_even(30, 0.3, "share"))
