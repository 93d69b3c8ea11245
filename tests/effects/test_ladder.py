"""Which evidence is chosen, what it finds where the truth is known, and what speaks against it."""

from __future__ import annotations

import json
import math
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from statsmodels.stats.multitest import multipletests

from analysis import wording
from analysis.calendars import Period
from analysis.effects import estimate, panel_from_orders, traits_from_orders
from analysis.engine import conform
from analysis.settings_measures import Effectiveness
from analysis.tables import RECORD

Q3 = Period.parse("2025Q3")
WINDOWS = 12
SETTINGS = Effectiveness()
CHOSEN = Effectiveness(assignment="chosen")
TABLES = dict(
    zip(
        ("effects", "checks", "event_study", "balance", "evidence"),
        ("effects", "effect_checks", "event_study", "balance", "evidence"),
        strict=True,
    )
)


def rollout(seed=1, n=300, effect=400.0, starts=(0, 1, 2), trend=0.0, dip=0.0):
    """A measure that reached its customers in three quarters; a third is never reached.

    Each treated customer buys `effect` more from its start on; `trend` is what the treated
    gain a period anyway, `dip` what they lost in the period before the start.
    """
    rng = np.random.default_rng(seed)
    ids = np.array([f"C{i:04d}" for i in range(n)])
    reached = rng.random(n) < 2 / 3
    back = rng.choice(starts, n)  # periods before the present one
    cohort = np.where(reached, WINDOWS - 1 - back, np.inf)
    level = rng.lognormal(8, 0.4, n)
    period = np.arange(WINDOWS)
    value = level[:, None] + rng.normal(0, 300, (n, WINDOWS)) + 50 * period
    value += effect * (period >= cohort[:, None]) + trend * reached[:, None] * period
    value -= dip * (period == cohort[:, None] - 1)
    panel = pd.DataFrame(
        {
            "customer_id": np.repeat(ids, WINDOWS),
            "period": np.tile(period, n),
            "value": value.ravel(),
        }
    )
    first = [Q3.back(int(b)).start + timedelta(days=10) for b in back[reached]]
    listed = pd.DataFrame(
        {
            "customer_id": ids[reached],
            "strategy": "pilot",
            "arm": "treated",
            "started_on": pd.to_datetime(first),
            "cost": 60.0,
            "done": True,
        }
    )
    outcomes = pd.DataFrame(
        {
            "customer_id": ids,
            "outcome": "revenue",
            "value": value[:, -1],
            "before": value[:, -2],
        }
    )
    customers = pd.DataFrame({"customer_id": ids, "group_id": ids})
    return listed, outcomes, customers, panel


def staged(settings=CHOSEN, **args):
    """The estimates of a roll-out."""
    listed, outcomes, customers, panel = rollout(**args)
    now = listed[listed["started_on"] >= pd.Timestamp(Q3.start)].reset_index(drop=True)
    return estimate(
        now, outcomes, settings, 1, period=Q3, listed=listed, customers=customers, panel=panel
    )


def chosen(seed=1, n=800, effect=300.0, overlap=True):
    """Large customers were chosen; the measure adds `effect` to what they would have bought."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"C{i:04d}" for i in range(n)])
    size = rng.normal(0, 1, n)
    treated = size + rng.normal(0, 1, n) > 0.8 if overlap else size > 0.8
    money = {f"money_{k}": 3000 + 800 * size + rng.normal(0, 250, n) for k in range(1, 5)}
    value = 3000 + 800 * size + rng.normal(0, 250, n) + effect * treated
    traits = pd.DataFrame({"customer_id": ids, **money, "tenure_days": rng.uniform(90, 2000, n)})
    if not overlap:
        traits["tenure_days"] = np.where(treated, 100.0, 2000.0) + rng.normal(0, 1, n)
    treatments = pd.DataFrame(
        {
            "customer_id": ids[treated],
            "strategy": "visit",
            "arm": "treated",
            "started_on": pd.Timestamp("2025-07-10"),
            "cost": 30.0,
            "done": True,
        }
    )
    outcomes = pd.DataFrame(
        {"customer_id": ids, "outcome": "revenue", "value": value, "before": money["money_1"]}
    )
    return treatments, outcomes, traits, pd.DataFrame({"customer_id": ids, "group_id": ids})


def matched_estimates(settings=CHOSEN, **args):
    treatments, outcomes, traits, customers = chosen(**args)
    return estimate(
        treatments, outcomes, settings, 1, period=Q3, customers=customers, traits=traits
    )


def waves_of(seed=1, n=240, effect=300.0, done=1.0, groups=False):
    """A draw within three bands, optionally by corporate groups of two."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"C{i:04d}" for i in range(n)])
    group = np.array([f"G{i // 2:04d}" for i in range(n)]) if groups else ids
    band = 1 + np.arange(n) * 3 // n
    first = np.zeros(n, dtype=bool)
    for b in (1, 2, 3):
        names = np.unique(group[band == b])
        first |= np.isin(group, rng.permutation(names)[: len(names) * 2 // 3])
    before = 1000.0 * band + rng.normal(0, 200, n)
    took = first & (rng.random(n) < done)
    value = before + rng.normal(0, 200, n) + effect * took
    treatments = pd.DataFrame(
        {
            "customer_id": ids,
            "strategy": "visit",
            "arm": np.where(first, "treated", "held_out"),
            "started_on": pd.Timestamp("2025-07-10"),
            "cost": np.where(first, 30.0, 0.0),
            "done": took,
        }
    )
    outcomes = pd.DataFrame(
        {"customer_id": ids, "outcome": "revenue", "value": value, "before": before}
    )
    waves = pd.DataFrame(
        {
            "customer_id": ids,
            "strategy": "visit",
            "segment": "potential",
            "band": band,
            "group_id": group,
            "wave": np.where(first, "first", "later"),
        }
    )
    return treatments, outcomes, pd.DataFrame({"customer_id": ids, "group_id": group}), waves


def only(frame):
    assert len(frame) == 1
    return frame.iloc[0]


def check(found, name):
    return only(found.checks[found.checks["check"] == name])


def valid(found):
    """Every table fits its contract and every sentence has words."""
    for field, name in TABLES.items():
        conform(getattr(found, field), RECORD[name])
    texts = [*found.effects["reason"], *found.checks["text"]]
    for loaded in map(json.loads, texts):
        args = {name: str(arg["value"]) for name, arg in loaded["args"].items()}
        for lang in wording.LANGUAGES:
            assert wording.text(loaded["key"], lang, **args)
    return found


def test_a_draw_is_grade_a_within_its_blocks():
    treatments, outcomes, customers, waves = waves_of()
    found = valid(
        estimate(treatments, outcomes, SETTINGS, 1, period=Q3, customers=customers, waves=waves)
    )
    row = only(found.effects)
    assert (row["grade"], row["method"], row["control"]) == ("A", "regression_adjusted", "held_out")
    assert row["low"] < 300 < row["high"]
    assert row["n_groups"] == 240
    assert row["periods"] == 1
    assert check(found, "balance")["passed"]
    without = only(estimate(treatments, outcomes, SETTINGS, 1).effects)
    assert without["estimate"] != row["estimate"]  # the blocks count
    assert only(found.evidence)["estimate"] == row["estimate"]
    assert set(found.balance["trait"]) == {"before"}


def test_corporate_groups_count_once():
    treatments, outcomes, customers, waves = waves_of(groups=True)
    found = valid(estimate(treatments, outcomes, SETTINGS, 1, customers=customers, waves=waves))
    assert only(found.effects)["n_groups"] == 120
    spill = check(found, "spill_over")
    assert (spill["value"], spill["passed"]) == (0, True)
    moved = treatments.copy()
    moved.loc[0, "arm"] = "held_out" if moved.loc[0, "arm"] == "treated" else "treated"
    torn = estimate(moved, outcomes, SETTINGS, 1, customers=customers, waves=waves)
    spill = check(torn, "spill_over")
    assert (spill["value"], spill["passed"]) == (1, False)


def test_a_single_corporate_group_settles_nothing():
    """All customers of an arm belong to one group: its spread inside is not that of others."""
    treatments, outcomes, traits, customers = chosen()
    owned = customers["customer_id"].isin(treatments["customer_id"])
    for whose in (owned, ~owned, owned | True):
        one = customers.assign(group_id=customers["group_id"].mask(whose, "HOLDING"))
        found = valid(
            estimate(treatments, outcomes, CHOSEN, 1, period=Q3, customers=one, traits=traits)
        )
        row = only(found.effects)
        assert (row["grade"], row["verdict"]) == ("D", "cannot_tell")
        assert json.loads(row["reason"])["key"] == "effect_reason.one_group"
    drawn, values, firms, waves = waves_of()
    first = firms["customer_id"].isin(drawn.loc[drawn["arm"] == "treated", "customer_id"])
    one = firms.assign(group_id=firms["group_id"].mask(first, "HOLDING"))
    row = only(valid(estimate(drawn, values, SETTINGS, 1, customers=one, waves=waves)).effects)
    assert (row["grade"], row["verdict"]) == ("A", "cannot_tell")
    assert row[["estimate", "low", "high"]].isna().all()
    assert json.loads(row["reason"])["key"] == "effect_reason.one_group"
    assert json.loads(row["what_would_change"])["key"] == "effect_change.one_group"
    listed, begun, customers, panel = rollout()
    reached = customers["customer_id"].isin(listed["customer_id"])
    one = customers.assign(group_id=customers["group_id"].mask(reached, "HOLDING"))
    now = listed[listed["started_on"] >= pd.Timestamp(Q3.start)].reset_index(drop=True)
    args = {"period": Q3, "listed": listed, "panel": panel}
    assert (
        only(estimate(now, begun, CHOSEN, 1, customers=customers, **args).effects)["grade"] == "B"
    )
    assert only(estimate(now, begun, CHOSEN, 1, customers=one, **args).effects)["grade"] == "D"


def test_as_intended_beside_as_done():
    treatments, outcomes, customers, waves = waves_of(done=0.6, n=600)
    row = only(
        estimate(treatments, outcomes, SETTINGS, 1, customers=customers, waves=waves).effects
    )
    assert row["estimate"] < 240  # as intended: not all were reached
    assert row["as_done_low"] < 300 < row["as_done_high"]
    assert row["as_done"] == pytest.approx(row["estimate"] / row["done_share"], rel=0.1)
    undone = waves_of(done=0.3, n=600)
    row = only(estimate(undone[0], undone[1], SETTINGS, 1).effects)
    assert json.loads(row["reason"])["key"] == "effect_reason.not_carried_out"
    assert math.isnan(row["as_done"])


@pytest.mark.requirement("004-17")
def test_a_staged_roll_out_is_grade_b_and_finds_the_effect():
    found = valid(staged())
    row = only(found.effects)
    assert (row["grade"], row["method"], row["control"]) == ("B", "staggered", "untreated")
    assert row["low"] < 400 < row["high"]
    assert row["low"] > 0
    assert row["periods"] == 3
    assert check(found, "pre_trend")["passed"]
    assert check(found, "dip")["passed"]
    assert check(found, "placebo_date")["passed"]
    events = found.event_study.set_index("relative")
    assert events.index.min() < -3
    assert events.index.max() == 2
    assert events.loc[-2, "estimate"] == 0  # the baseline, before the period of the trigger
    assert (events.loc[[0, 1], "low"] > 0).all()


@pytest.mark.slow
def test_a_roll_out_without_effect_is_not_one():
    hits = [only(staged(seed=seed, effect=0.0).effects)["low"] > 0 for seed in range(30)]
    assert sum(hits) <= 4


def test_a_trend_before_the_start_breaks_the_roll_out():
    found = valid(staged(trend=150.0))
    row = only(found.effects)
    assert row["grade"] in ("C", "D")
    assert row["method"] != "staggered"
    assert not check(found, "pre_trend")["passed"]
    assert len(found.event_study)  # what broke it is shown


def test_a_dip_before_the_start_is_said_and_stays_out_of_the_baseline():
    found = staged(dip=600.0)
    row = only(found.effects)
    assert row["grade"] == "B"
    assert row["low"] < 400 < row["high"]  # not 1000
    assert found.event_study.set_index("relative").loc[-1, "high"] < 0


def test_too_few_periods_before_the_start_are_no_roll_out():
    listed, outcomes, customers, panel = rollout()
    late = panel[panel["period"] >= WINDOWS - 6].assign(period=lambda f: f["period"] - 6)
    now = listed[listed["started_on"] >= pd.Timestamp(Q3.start)]
    args = {"period": Q3, "listed": listed, "customers": customers}
    found = estimate(now, outcomes, CHOSEN, 1, panel=late, **args)
    assert only(found.effects)["grade"] != "B"  # three periods lie before the first start
    short = CHOSEN.model_copy(
        update={"ladder": CHOSEN.ladder.model_copy(update={"pre_periods": 3})}
    )
    assert only(estimate(now, outcomes, short, 1, panel=late, **args).effects)["grade"] == "B"


def test_chosen_customers_are_compared_with_customers_like_them():
    found = valid(matched_estimates())
    row = only(found.effects)
    assert (row["grade"], row["method"], row["control"]) == ("C", "matched", "untreated")
    assert row["low"] < 300 < row["high"]
    assert row["effective_n"] < row["n_control"]
    plain = row["mean_treated"] - 3000
    assert plain > 600  # the comparison as it is would have claimed twice as much
    assert row["mean_control"] == pytest.approx(row["mean_treated"] - row["estimate"])
    assert check(found, "overlap")["passed"]
    assert check(found, "placebo_outcome")["passed"]
    assert 0 < check(found, "robustness")["value"] < 1
    assert pd.isna(check(found, "robustness")["passed"])
    distance = found.balance.set_index("trait")
    assert abs(distance["distance"]["before"]) > 0.5
    assert distance["distance_weighted"].abs().max() < 1e-6


@pytest.mark.requirement("003-07")
def test_chosen_for_a_bad_quarter_recover_beside_others_who_had_one():
    """No effect at all: before/after rises by a third, those like them rise as much."""
    above, claimed = 0, []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        ids = np.array([f"C{i:04d}" for i in range(900)])
        usual = rng.normal(3000, 600, 900)
        past = usual + rng.normal(0, 900, (5, 900))
        bad = np.argsort(past[0] - past[1:4].mean(axis=0))[:300]  # as anybody can see
        picked = np.isin(np.arange(900), rng.permutation(bad)[:120])
        traits = {f"money_{k}": past[k - 1] for k in range(1, 5)}
        outcomes = {"outcome": "revenue", "value": past[4], "before": past[0]}
        found = estimate(
            pd.DataFrame({"customer_id": ids[picked], "strategy": "s", "arm": "treated"}),
            pd.DataFrame({"customer_id": ids, **outcomes}),
            CHOSEN, 1, traits=pd.DataFrame({"customer_id": ids, **traits}),
        )  # fmt: skip
        row = only(found.effects)
        assert row["grade"] == "C"
        above += row["low"] > 0
        claimed.append(row["before_after"])
    assert above <= 2
    assert np.mean(claimed) > 0.3


def test_nobody_like_them_is_no_conclusion():
    found = valid(matched_estimates(overlap=False))
    row = only(found.effects)
    assert (row["grade"], row["method"], row["verdict"]) == ("D", "none", "cannot_tell")
    assert row[["estimate", "low", "high", "total_value"]].isna().all()


def test_whom_other_measures_reached_and_who_is_exempt_are_no_comparison():
    treatments, outcomes, traits, customers = chosen()
    free = sorted(set(customers["customer_id"]) - set(treatments["customer_id"]))
    other = treatments.iloc[:100].assign(customer_id=free[:100], strategy="coupon")
    exempt = treatments.iloc[:50].assign(customer_id=free[100:150], arm="exempt")
    args = {"period": Q3, "customers": customers.iloc[:-7], "traits": traits}
    both = pd.concat([treatments, other], ignore_index=True)
    found = estimate(
        both, outcomes, CHOSEN, 1, listed=pd.concat([both, exempt]), **args
    ).effects.set_index("strategy")
    gone = len(set(customers["customer_id"].iloc[-7:]) & set(free))
    assert found.loc["visit", "n_control"] == len(free) - 150 - gone


def test_shares_get_an_e_value():
    treatments, outcomes, traits, customers = chosen()
    rng = np.random.default_rng(3)
    reached = outcomes["customer_id"].isin(treatments["customer_id"])
    kept = (rng.random(len(outcomes)) < 0.5 + 0.3 * reached).astype(float)
    shares = outcomes.assign(outcome="retention", value=kept).drop(columns="before")
    found = valid(estimate(treatments, shares, CHOSEN, 1, customers=customers, traits=traits))
    row = only(found.effects)
    assert (row["grade"], row["unit"]) == ("C", "share")
    ratio = row["mean_treated"] / row["mean_control"]
    expected = ratio + math.sqrt(ratio * (ratio - 1))
    assert check(found, "e_value")["value"] == pytest.approx(expected)


def test_hidden_selection_shows_in_the_placebo():
    """Growing customers were chosen: with the same comparison they grew before, too."""
    treatments, outcomes, traits, customers = chosen()
    reached = traits["customer_id"].isin(treatments["customer_id"])
    traits["money_1"] = traits["money_1"] + 500 * reached
    found = estimate(
        treatments,
        outcomes.assign(before=traits["money_1"]),
        CHOSEN, 1, customers=customers, traits=traits,
    )  # fmt: skip
    placebo = check(found, "placebo_outcome")
    assert not placebo["passed"]
    assert placebo["value"] == pytest.approx(500, abs=150)


def test_a_draw_out_of_balance_falls_to_the_next_rung():
    treatments, outcomes, traits, customers = chosen()
    rest = customers[~customers["customer_id"].isin(treatments["customer_id"])]
    held = treatments.iloc[:1].drop(columns="customer_id").merge(
        rest[["customer_id"]], how="cross"
    ).assign(arm="held_out", cost=0.0, done=False)  # fmt: skip
    both = pd.concat([treatments, held], ignore_index=True)
    found = valid(
        estimate(both, outcomes, SETTINGS, 1, period=Q3, customers=customers, traits=traits)
    )
    row = only(found.effects)
    assert row["grade"] == "C"
    assert row["balance_p"] < SETTINGS.balance_alarm
    assert not check(found, "balance")["passed"]


def test_further_outcomes_are_corrected_among_themselves():
    """The plan says what each was to move; a strategy of which it was not measured is judged
    on all that was."""
    both = [], []
    for at, effect in enumerate((60.0, 0.0, 40.0)):
        treatments, outcomes, _, _ = waves_of(at, effect=effect)
        own = {"customer_id": f"S{at}" + treatments["customer_id"]}
        both[0].append(treatments.assign(strategy=f"s{at}", **own))
        both[1].append(outcomes.assign(**own))
    treatments, outcomes = (pd.concat(frames, ignore_index=True) for frames in both)
    bought = outcomes.assign(outcome="bought", value=(outcomes["value"] > 1500) * 1.0)
    measured = pd.concat([outcomes, bought], ignore_index=True)
    plan = pd.DataFrame({"strategy": ["s0", "s1", "s2"], "kpi": ["revenue", "revenue", "nps"]})
    found = estimate(treatments, measured, SETTINGS, 1, plan=plan).effects
    on_line = 2 * np.minimum(found["chance_pays"], 1 - found["chance_pays"])
    outcome, strategy = found["outcome"], found["strategy"]
    families = [
        outcome == "revenue",
        (outcome == "bought") & (strategy == "s2"),
        (outcome == "bought") & (strategy != "s2"),
    ]
    assert [int(rows.sum()) for rows in families] == [3, 1, 2]
    for rows in families:
        by_hand = multipletests(on_line[rows], method="holm")[1]
        assert found.loc[rows, "p_adjusted"].to_numpy() == pytest.approx(by_hand)


def test_segments_are_drawn_together():
    treatments, outcomes, customers, waves = waves_of(n=360)
    names = np.array(["high_value", "new", "potential"])[np.arange(360) % 3]
    segments = pd.DataFrame({"customer_id": customers["customer_id"], "segment": names})
    found = valid(
        estimate(treatments, outcomes, SETTINGS, 1, segments_before=segments, waves=waves)
    ).effects
    parts = found[found["segment"] != "all"]
    assert set(parts["segment"]) == {"high_value", "new", "potential"}
    assert set(parts["grade"]) == {"A"}
    spread = parts["pooled"].max() - parts["pooled"].min()
    assert spread < parts["estimate"].max() - parts["estimate"].min()
    assert parts["p_adjusted"].isna().all()


@pytest.mark.parametrize("make", [staged, matched_estimates])
def test_neither_order_nor_names_matter(make, monkeypatch):
    first = make()
    mixed = np.random.default_rng(0)

    def shuffled(frame):
        return frame.sample(frac=1, random_state=int(mixed.integers(1000)))

    inner = {staged: rollout, matched_estimates: chosen}[make]
    monkeypatch.setitem(globals(), inner.__name__, lambda **a: tuple(map(shuffled, inner(**a))))
    second = make()
    for field in TABLES:
        pd.testing.assert_frame_equal(getattr(first, field), getattr(second, field))


def test_nothing_done_gives_empty_tables():
    treatments, outcomes, _, _ = chosen()
    found = estimate(treatments.iloc[:0], outcomes, SETTINGS, 1, period=Q3)
    assert all(getattr(found, field).empty for field in TABLES)
    valid(found)


def lines(*rows):
    table = [
        {"order_id": f"O{i}", "line_id": "1", "customer_id": c, "ordered_at": pd.Timestamp(day),
         "amount": amount}
        for i, (c, day, amount) in enumerate(rows)
    ]  # fmt: skip
    frame = pd.DataFrame(table)
    frame["product"] = None
    return conform(frame, RECORD["orders"])


def test_panel_of_orders():
    orders = lines(
        ("A", "2025-01-02", 0.1), ("A", "2025-03-31", 0.2), ("A", "2025-09-30", 5.0),
        ("X", "2025-09-30", 9.0),
    )  # fmt: skip
    periods = [Q3.back(k) for k in (3, 2, 1, 0)]
    found = panel_from_orders(orders, pd.DataFrame({"customer_id": ["B", "A"]}), periods)
    # the orders begin in 2025Q1: the quarter before is not 0 but unknown
    assert found["period"].tolist() == [0, 1, 2] * 2
    assert found["customer_id"].tolist() == ["A"] * 3 + ["B"] * 3
    assert found["value"].tolist() == [
        0.3,
        0.0,
        5.0,
        0.0,
        0.0,
        0.0,
    ]  # exact, not 0.30000000000000004
    none = panel_from_orders(orders.slice(0, 0), pd.DataFrame({"customer_id": ["A"]}), periods)
    assert none.empty


def test_traits_see_nothing_after_the_start():
    treatments = pd.DataFrame({"customer_id": ["A"], "started_on": [pd.Timestamp("2025-07-11")]})
    past = [
        ("A", "2025-06-30", 7.0), ("A", "2025-04-01", 3.0), ("A", "2024-06-29", 1.0),
        ("B", "2025-03-30", 4.0),
    ]  # fmt: skip
    customers = pd.DataFrame({"customer_id": ["A", "B", "C"]})
    found = traits_from_orders(lines(*past), treatments, Q3, customers)
    later = lines(*past, ("A", "2025-07-01", 1e6), ("C", "2025-08-01", 5.0))
    pd.testing.assert_frame_equal(found, traits_from_orders(later, treatments, Q3, customers))
    row = found.set_index("customer_id")
    assert row.loc["A", ["money_1", "money_2", "recency_days", "order_days"]].tolist() == [
        10,
        0,
        0,
        2,
    ]
    assert row.loc["A", "cycle_days"] == pytest.approx(366 / 2)
    assert row.loc["B", ["money_1", "money_2", "recency_days"]].tolist() == [0, 4, 92]
    # as long as the orders reach back
    assert row.loc["C", ["recency_days", "cycle_days", "tenure_days"]].tolist() == [367, 367, 0]
    assert isinstance(later, pa.Table)
