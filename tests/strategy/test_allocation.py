"""Within the means: the best plan, the limits hold after the draw, what does not fit is said."""

from __future__ import annotations

import json
from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import wording
from analysis.calendars import Period
from analysis.effects import assign
from analysis.engine import conform
from analysis.strategy import allocate
from analysis.strategy.units import quarters
from analysis.tables import RECORD
from analysis.wording.told import told

from .means import (
    company,
    features_of,
    frame,
    lots,
    nobody_waits,
    option,
    people,
    playbook,
    segments_of,
    strategy,
    value_for_cost,
)


def planned(options, own, team=None, book=None, draw=nobody_waits, **more):
    book = book or playbook(*dict.fromkeys(options["strategy"]))
    return allocate(
        options, team, segments_of(options), features_of(options), book, own, draw=draw, **more
    )


def pairs(rows):
    return set(zip(rows["customer_id"], rows["strategy"], strict=True))


def spent(rows):
    return rows.loc[rows["wave"] != "later", "cost"].sum()


def visits(rows):
    return rows[rows["wave"] != "later"].groupby("owner_id")["visits"].sum()


def reasons(found):
    rows = found.not_planned
    return dict(
        zip(zip(rows["customer_id"], rows["strategy"], strict=True), rows["why"], strict=True)
    )


def assert_tables(found):
    names = ("not_planned", "capacity", "limits", "touches", "budget_curve", "waves")
    frames = (
        found.not_planned,
        found.capacity,
        found.limits,
        found.touches,
        found.curve,
        found.waves,
    )
    for name, rows in zip(names, frames, strict=True):
        assert list(rows.columns) == RECORD[name].names
        assert conform(rows, RECORD[name]).num_rows == len(rows)
    for text in [*found.not_planned["reason"], *found.limits["advice"]]:
        assert wording.has(json.loads(text)["key"])
        for lang in ("zh", "en"):
            assert "{" not in told(text, lang, "CNY")


@st.composite
def small(draw):
    rows = [
        option(
            f"C{customer}",
            name,
            cost=float(draw(st.integers(0, 12))),
            worth=float(draw(st.integers(0, 30))),
            visits=float(draw(st.integers(0, 3))),
            owner_id=draw(st.sampled_from(["P1", "P2"])),
            money=float(draw(st.integers(0, 3))),
        )
        for customer in range(draw(st.integers(1, 4)))
        for name in draw(st.sampled_from(["a", "ab", "abc"]))
    ]
    budget = draw(st.one_of(st.none(), st.integers(0, 40)))
    caps = {p: draw(st.integers(0, 5)) for p in ("P1", "P2")}
    return frame(*rows), budget, caps, draw(st.integers(1, 3))


def best(options, budget, caps, most):
    """The most net value, by trying every set."""
    rows = options.to_dict("records")
    found = 0.0
    for size in range(len(rows) + 1):
        for chosen in combinations(rows, size):
            counts = pd.Series([r["customer_id"] for r in chosen], dtype=object).value_counts()
            fits = (
                (budget is None or sum(r["cost"] for r in chosen) <= budget)
                and all(
                    sum(r["visits"] for r in chosen if r["owner_id"] == p) <= cap
                    for p, cap in caps.items()
                )
                and (counts.empty or counts.max() <= most)
            )
            if fits:
                found = max(found, sum(r["worth"] - r["cost"] for r in chosen))
    return found


@pytest.mark.requirement("001-20")
@given(small())
@settings(max_examples=25, deadline=None)
def test_the_best_plan_of_all(case):
    options, budget, caps, most = case
    if len(options) > 9:
        options = options.head(9)
    own = strategy(
        None if budget is None else float(budget), most_measures=most, gap=0.0, curve=[1.0]
    )
    found = planned(options, own, people(**caps))
    chosen = found.chosen
    assert (chosen["worth"] - chosen["cost"]).sum() == pytest.approx(
        best(options, budget, caps, most)
    )
    assert len(chosen) + len(found.not_planned) == len(options)
    assert_tables(found)


@st.composite
def companies(draw):
    options = company(
        draw(st.integers(3, 40)), draw(st.integers(1, 4)), draw(st.integers(1, 4)),
        draw(st.integers(0, 99)), later=draw(st.sampled_from([0.0, 0.3, 0.5])),
        values=draw(st.sampled_from(["by_customer", "by_strategy"])),
    )  # fmt: skip
    kinds = draw(st.sampled_from(["duty", "unknown", "unsettled", "plain"]))
    first = options["strategy"] == "s0"
    options.loc[first & (kinds == "duty"), "extra"] = False
    options.loc[first & (kinds == "unknown"), "worth"] = np.nan
    options.loc[first & (kinds == "unsettled"), "proven"] = False
    budget = draw(st.one_of(st.none(), st.floats(0, 200_000)))
    cap = draw(st.one_of(st.none(), st.integers(0, 40)))
    least = draw(st.integers(0, 2))
    return options, budget, cap, least, draw(st.integers(0, 9)), draw(st.floats(0, 0.6))


@pytest.mark.requirement("001-20", "004-28")
@given(companies())
@settings(max_examples=40, deadline=None)
def test_budget_and_visits_hold_after_the_draw(case):
    options, budget, cap, least, seed, share = case
    names = sorted(set(options["strategy"]))
    team = None if cap is None else people(**dict.fromkeys(sorted(set(options["owner_id"])), cap))
    found = planned(
        options, strategy(budget, explore_least=3, curve=[1.0]), team,
        playbook(*names, least={"s": least}), lots(share, seed),
    )  # fmt: skip
    assert_tables(found)
    assert budget is None or spent(found.chosen) <= budget + 1e-6
    assert cap is None or (visits(found.chosen) <= cap + 1e-6).all()
    assert len(found.chosen) + len(found.not_planned) == len(options)
    extras = found.chosen[found.chosen["extra"]]
    assert extras.empty or extras.groupby("customer_id")["strategy"].nunique().max() <= 2
    row = found.touches.iloc[0]
    now = found.chosen[found.chosen["wave"] != "later"]
    contacts = now.groupby("customer_id")["touches"].sum()
    assert row["planned"] == contacts.sum()
    reached = (contacts >= least).sum() if least else options["customer_id"].nunique()
    assert row["reached"] == reached
    assert row["reached"] + row["short"] == row["customers"]


def test_the_order_of_rows_does_not_matter():
    options = company(60, 4, 5, later=0.3)
    options.loc[options["strategy"] == "s1", "worth"] = np.nan
    own, team = strategy(100_000.0, explore_least=2), people(**{f"P{i:03d}": 25 for i in range(5)})
    book = playbook("s0", "s1", "s2", "s3", least={"s": 1})
    one = planned(options, own, team, book, lots(0.3))
    other = planned(
        options.sample(frac=1, random_state=3).reset_index(drop=True), own,
        team.iloc[::-1].reset_index(drop=True), book, lots(0.3),
    )  # fmt: skip
    for name, mine, theirs in zip(one._fields, one, other, strict=True):
        if name != "waves":
            pd.testing.assert_frame_equal(mine, theirs, obj=name)


def test_without_limits_everything_that_pays():
    options = frame(
        option("C1", "a"),
        option("C1", "b", worth=np.nan),
        option("C2", "a", worth=90.0),
        option("C2", "b", worth=90.0, proven=False),
        option("C3", "a", worth=100.0),
        option("C3", "d", extra=False, worth=np.nan, cost=999.0),
    )
    found = planned(options, strategy())
    assert pairs(found.chosen) == {
        ("C1", "a"), ("C1", "b"), ("C2", "b"), ("C3", "a"), ("C3", "d"),
    }  # fmt: skip
    assert set(found.chosen.loc[found.chosen["extra"], "chosen_by"]) == {"all"}
    assert set(found.chosen.loc[~found.chosen["extra"], "chosen_by"]) == {"duty"}
    assert reasons(found) == {("C2", "a"): "negative"}
    assert not found.limits["binding"].any()


def test_at_most_so_many_extra_strategies():
    options = frame(
        option("C1", "a"), option("C1", "b", worth=300.0), option("C1", "c", worth=200.0)
    )
    found = planned(options, strategy(most_measures=2))
    assert pairs(found.chosen) == {("C1", "b"), ("C1", "c")}
    assert reasons(found) == {("C1", "a"): "enough"}


def test_a_strategy_is_taken_as_a_whole():
    options = frame(
        option("C1", "a", cost=60.0, measure="a1"),
        option("C1", "a", cost=60.0, measure="a2", worth=np.nan),
        option("C2", "a", cost=60.0, measure="a1"),
        option("C2", "a", cost=60.0, measure="a2", worth=np.nan, why_not="cool_down"),
    )
    assert planned(options, strategy(119.0)).chosen.empty
    found = planned(options, strategy(120.0))
    assert sorted(found.chosen["measure"]) == ["a1", "a2"]
    assert pairs(found.chosen) == {("C1", "a")}
    assert set(found.not_planned["why"]) == {"cool_down"}


@pytest.mark.requirement("004-12")
def test_what_was_ruled_out_keeps_its_reason():
    why = ["stopped", "too_small", "keeps_size", "cool_down", "not_entitled", "no_owner"]
    options = frame(*(option(f"C{i}", "a", why_not=reason) for i, reason in enumerate(why)))
    found = planned(options, strategy())
    assert found.chosen.empty
    assert list(found.not_planned["why"]) == why
    assert_tables(found)


@pytest.mark.requirement("004-28")
def test_nobody_is_forgotten_and_ranking_by_value_would():
    # By value per cost the two large ones take it all; the least contacts give each its own.
    options = frame(
        option("C1", "a", worth=900.0, money=9.0), option("C1", "b", worth=800.0, money=9.0),
        option("C2", "a", worth=150.0, money=5.0), option("C3", "a", worth=np.nan, money=1.0),
    )  # fmt: skip
    free = planned(options, strategy(300.0, explore_share=0.0, gap=0.0))
    assert pairs(free.chosen) == {("C1", "a"), ("C1", "b"), ("C2", "a")}
    own = strategy(300.0, explore_share=0.0, gap=0.0)
    found = planned(options, own, book=playbook("a", "b", least={"s": 1}))
    assert pairs(found.chosen) == {("C1", "a"), ("C2", "a"), ("C3", "a")}
    assert found.chosen.set_index("customer_id")["chosen_by"].to_dict() == {
        "C1": "value", "C2": "value", "C3": "touches",
    }  # fmt: skip
    touches = found.touches.iloc[0]
    assert (touches["reached"], touches["short"]) == (3, 0)


def test_contacts_that_money_cannot_reach_are_said():
    options = frame(*(option(f"C{i}", "a", worth=200.0 + i) for i in range(4)))
    found = planned(options, strategy(200.0), book=playbook("a", least={"s": 1}))
    limits = found.limits.set_index("limit")
    assert limits.loc["touches", "short"] == 2
    assert limits.loc["touches", "binding"]
    assert "2 customers get fewer" in told(limits.loc["touches", "advice"], "en", "CNY")
    assert limits.loc["budget", "price"] > 0
    assert_tables(found)


def test_duties_beyond_the_means():
    options = frame(
        option("C1", "d", extra=False, cost=50.0, money=1.0, contractual=True),
        option("C2", "d", extra=False, cost=50.0, money=9.0),
        option("C3", "d", extra=False, cost=50.0, money=5.0),
        option("C4", "d", extra=False, cost=50.0, money=2.0),
        option("C4", "a", worth=500.0),
    )
    found = planned(options, strategy(120.0))
    assert pairs(found.chosen) == {("C1", "d"), ("C2", "d")}
    limits = found.limits.set_index("limit").loc["budget"]
    assert (limits["short"], limits["used"], limits["binding"]) == (80.0, 100.0, True)
    assert "80" in told(limits["advice"], "en", "CNY")
    assert set(reasons(found).values()) == {"budget"}
    # the same for a person's visits; what was promised stays even beyond them
    found = planned(options, strategy(), people(P1=2))
    assert pairs(found.chosen) == {("C1", "d"), ("C2", "d")}
    row = found.limits[found.limits["who"] == "P1"].iloc[0]
    assert (row["short"], row["allowed"], row["used"]) == (3 - 1, 2, 2)
    assert set(reasons(found).values()) == {"capacity"}
    person = found.capacity.iloc[0]
    assert (person["duties"], person["extra"], person["left_out"]) == (2, 0, 2)
    found = planned(options, strategy(0.0), people(P1=0))
    assert pairs(found.chosen) == {("C1", "d")}
    assert_tables(found)


def test_a_duty_that_costs_nothing_of_what_is_short_stays():
    free = {"extra": False, "cost": 0.0, "measure": "collect", "visits": 1.0}
    paid = {"extra": False, "cost": 300.0, "measure": "review", "visits": 0.0}
    options = frame(
        option("C1", "d", **free), option("C1", "d", **paid),
        option("C2", "d", **free, money=9_000.0), option("C2", "d", **paid, money=9.0),
        option("C3", "a", worth=500.0, cost=150.0),
    )  # fmt: skip
    found = planned(options, strategy(100.0))
    assert sorted(found.chosen["measure"]) == ["collect", "collect"]
    told_of = found.not_planned.set_index(["customer_id", "measure"])
    assert set(told_of["why"]) == {"budget"}
    assert json.loads(told_of.loc[("C1", "review"), "reason"])["args"]["cost"]["value"] == 300.0
    # what is short is short for two customers' duties; the third waits for an extra
    limit = found.limits.set_index("limit").loc["budget"]
    assert limit["short"] == 500.0
    assert json.loads(limit["advice"])["args"]["count"]["value"] == 2
    # the same the other way round: no visits left, and what needs none is done
    found = planned(options, strategy(), people(P1=1))
    assert sorted(found.chosen.loc[~found.chosen["extra"], "measure"]) == [
        "collect", "review", "review",
    ]  # fmt: skip
    assert reasons(found) == {("C1", "d"): "capacity", ("C3", "a"): "capacity"}
    # a duty that is ruled out takes no other with it
    options.loc[0, "why_not"] = "no_owner"
    found = planned(options, strategy())
    assert ("C1", "review") in set(
        zip(found.chosen["customer_id"], found.chosen["measure"], strict=True)
    )
    assert_tables(found)


def test_calls_of_a_person_and_of_a_role():
    call = {"visits": 0.0, "calls": 2.0, "cost": 0.0}
    options = frame(*(option(f"C{i}", "a", **call, worth=100.0 + i) for i in range(5)))
    # nobody's calls are known: no limit
    assert len(planned(options, strategy()).chosen) == 5
    team = people(P1=0).assign(calls=5.0)
    found = planned(options, strategy(), team)
    assert pairs(found.chosen) == {("C3", "a"), ("C4", "a")}
    row = found.limits.set_index(["limit", "who"]).loc[("calls", "P1")]
    assert (row["allowed"], row["used"], row["unit"], row["binding"]) == (5, 4, "times", True)
    assert set(reasons(found).values()) == {"calls"}
    assert "no 2 calls left" in told(found.not_planned["reason"].iloc[0], "en", "CNY")
    found = planned(options, strategy(role_calls={"sales_rep": 6}))
    assert len(found.chosen) == 3
    duties = options.assign(extra=False)
    short = planned(duties, strategy(), team).limits.set_index(["limit", "who"])
    assert short.loc[("calls", "P1"), "short"] == 5
    assert_tables(found)


def test_visits_of_a_role_and_of_other_periods():
    options = frame(*(option(f"C{i}", "a", owner_id=None) for i in range(8)))
    found = planned(options, strategy(role_visits={"sales_rep": 3}))
    assert len(found.chosen) == 3
    row = found.limits[found.limits["who"] == "sales_rep"].iloc[0]
    assert (row["used"], row["price"], row["binding"]) == (3, 50.0, True)
    assert "Sales representative" in told(found.not_planned["reason"].iloc[0], "en", "CNY")
    month = Period.parse("2025-10")
    found = planned(options, strategy(role_visits={"sales_rep": 6}), period_next=month)
    assert len(found.chosen) == 2
    assert [quarters(Period.parse(p)) for p in ("2025", "2025H1", "2025Q4")] == [4, 2, 1]


def test_one_visit_more():
    options = frame(*(option(f"C{i}", "a", worth=200.0 + i, cost=0.0) for i in range(5)))
    found = planned(options, strategy(), people(P1=3, P2=9))
    person = found.capacity.set_index("person_id").loc["P1"]
    assert person["one_more"] == pytest.approx(201, abs=0.01)
    assert (person["used"], person["left_out"]) == (1.0, 2)
    assert pairs(found.chosen) == {("C2", "a"), ("C3", "a"), ("C4", "a")}


def test_the_largest_come_first_among_equals():
    options = frame(*(option(f"C{i}", "a", money=float(i % 7)) for i in range(14)))
    found = planned(options, strategy(400.0))
    assert pairs(found.chosen) == {("C13", "a"), ("C6", "a"), ("C12", "a"), ("C5", "a")}


def test_learning_has_its_share_and_what_value_leaves():
    rows = [option(f"C{i:03d}", "a", worth=300.0) for i in range(100)]
    rows += [option(f"D{i:03d}", "n", worth=np.nan, proven=False) for i in range(100)]
    options = frame(*rows)
    own = strategy(5_000.0, explore_share=0.2, explore_least=5)
    found = planned(options, own, book=playbook("n", "a"))
    counts = found.chosen["chosen_by"].value_counts()
    assert counts.to_dict() == {"value": 40, "learning": 10}
    explore = found.limits.set_index("limit").loc["explore"]
    assert (explore["allowed"], explore["used"], explore["binding"]) == (1_000.0, 1_000.0, True)
    # too few to say anything: nobody at all, and the value has the money
    found = planned(options, own.model_copy(update={"limits": own.limits.model_copy(
        update={"explore_least": 30})}), book=playbook("n", "a"))  # fmt: skip
    assert found.chosen["chosen_by"].value_counts().to_dict() == {"value": 50}
    # where nothing competes, learning has it all
    found = planned(options[options["strategy"] == "n"], own, book=playbook("n"))
    assert found.chosen["chosen_by"].value_counts().to_dict() == {"learning": 50}
    # by lot: neither the first nor the largest
    assert found.chosen["customer_id"].tolist() != [f"D{i:03d}" for i in range(50)]
    again = planned(options[options["strategy"] == "n"], own, book=playbook("n"), seed=8)
    assert pairs(again.chosen) != pairs(found.chosen)


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_learning_keeps_to_its_share_though_money_is_left(share):
    rows = [option(f"C{i:03d}", "a", worth=300.0) for i in range(10)]
    rows += [
        option(f"D{i:03d}", "n", worth=np.nan, proven=False, later_share=share) for i in range(90)
    ]
    for budget in (5_000.0, 20_000.0):  # a part of it fits; all of it would
        own = strategy(budget, explore_share=0.1, explore_least=1)
        found = planned(frame(*rows), own, book=playbook("n", "a"), draw=lots(share))
        learning = found.chosen[found.chosen["strategy"] == "n"]
        assert 0.07 * budget <= spent(learning) <= 0.1 * budget
        explore = found.limits.set_index("limit").loc["explore"]
        assert explore["used"] <= explore["allowed"] == 0.1 * budget
        assert explore["binding"]
        assert set(reasons(found).values()) == {"learning"}
        assert_tables(found)


def test_without_money_the_share_to_learn_with_does_not_bind():
    rows = [option(f"C{i}", "d", extra=False, cost=50.0) for i in range(4)]
    rows += [option(f"D{i}", "n", worth=np.nan, proven=False) for i in range(4)]
    for budget in (0.0, 200.0):
        found = planned(frame(*rows), strategy(budget, explore_least=1))
        explore = found.limits.set_index("limit").loc["explore"]
        assert not explore["binding"]
        assert json.loads(explore["advice"])["key"] == "limit_advice.explore_nothing"
        assert {why for (_, name), why in reasons(found).items() if name == "n"} == {"budget"}


def test_what_runs_and_is_not_settled_is_learnt_of_first():
    rows = [option(f"C{i:03d}", "u", worth=20.0, proven=False) for i in range(20)]
    rows += [option(f"D{i:03d}", "n", worth=np.nan, proven=False) for i in range(20)]
    found = planned(frame(*rows), strategy(3_000.0, explore_least=5), book=playbook("n", "u"))
    assert found.chosen["strategy"].value_counts().to_dict() == {"u": 20, "n": 10}


def test_what_is_expected_to_pay_goes_to_the_best_before_it_is_settled():
    rows = [option(f"C{i:03d}", "u", worth=200.0 + i, proven=False) for i in range(20)]
    found = planned(frame(*rows), strategy(500.0, explore_least=5), book=playbook("u"))
    assert found.chosen["customer_id"].tolist() == [f"C{i:03d}" for i in range(15, 20)]


def test_only_what_starts_now_costs():
    options = company(200, 3, 4, later=0.3)
    found = planned(options, strategy(100_000.0), draw=lots(0.3))
    later = found.chosen["wave"] == "later"
    assert found.chosen["cost"].sum() > 100_000 >= spent(found.chosen) > 90_000
    assert later.any()
    # if after all nobody waits, the plan still holds
    found = planned(options, strategy(100_000.0), draw=nobody_waits)
    assert 90_000 < spent(found.chosen) <= 100_000


def test_what_was_promised_stays_outside_the_draw():
    seen = []

    def draw(candidates):
        seen.append(candidates)
        return nobody_waits(candidates)

    options = frame(option("C1", "a", contractual=True, worth=1.0), option("C2", "b"))
    found = planned(options, strategy(100.0), draw=draw)
    assert pairs(found.chosen) == {("C1", "a")}
    assert dict(zip(seen[0]["strategy"], seen[0]["extra"], strict=True))["a"] == np.False_
    assert found.chosen["chosen_by"].tolist() == ["duty"]


@pytest.mark.requirement("001-20")
def test_the_curve():
    options = company(150, 4, 6, seed=2)
    previous = options[options["strategy"] == "s1"].head(40)
    found = planned(options, strategy(120_000.0), previous=previous)
    curve = found.curve
    assert curve["share"].tolist() == [0.5, 0.75, 1.0, 1.25]
    assert (curve["spent"] <= curve["budget"] + 1e-6).all()
    assert (curve["expected_value"].diff().dropna() > 0).all()
    assert (curve["net_value"] >= curve["ranking_value"] - curve["budget"]).all()
    assert (curve["expected_value"] > curve["ranking_value"]).all()
    assert (curve["expected_value"] > curve["habit_value"]).all()
    assert (curve["gap"] <= 0.001).all()
    level = curve[curve["share"] == 1.0].iloc[0]
    assert level["expected_value"] == pytest.approx(found.chosen["worth"].sum())
    without = planned(options, strategy(120_000.0)).curve
    assert without["habit_value"].isna().all()
    free = planned(options, strategy()).curve
    assert free.loc[free["share"] == 1.0, "budget"].iloc[0] > 120_000


def test_nothing_to_allocate():
    options = frame().astype({"worth": float})
    found = planned(options, strategy(10.0), book=playbook())
    assert found.chosen.empty
    assert_tables(found)


def test_nothing_is_changed_in_place():
    options, team = company(30, 3, 2, later=0.3), people(P000=5, P001=5)
    kept = options.copy(), team.copy()
    planned(options, strategy(20_000.0), team, draw=lots(0.3))
    pd.testing.assert_frame_equal(options, kept[0])
    pd.testing.assert_frame_equal(team, kept[1])


def test_with_the_draw_of_effects():
    options = company(300, 3, 6, later=0.3)
    options.loc[options["strategy"] == "s2", "worth"] = np.nan
    features = features_of(options)
    customers = features[["customer_id"]].assign(group_id=None)
    own = strategy(300_000.0)
    draw = partial(
        assign, customers=customers, features=features, settings=own,
        period_next=Period.parse("2025Q4"), seed=7, min_arm=20,
    )  # fmt: skip
    found = planned(options, own, draw=draw, team=people(**{f"P{i:03d}": 60 for i in range(6)}))
    assert spent(found.chosen) <= 300_000
    assert (visits(found.chosen) <= 60).all()
    assert set(found.chosen["wave"]) == {"first", "later", "exempt"}
    assert len(found.waves) == len(found.chosen)
    assert_tables(found)


@pytest.mark.parametrize(
    ("treated", "proven", "budget", "waits"),
    [
        (30, True, None, False),  # 24 of 44 would get it: fewer than before
        (24, True, None, True),  # no fewer than before: checked once more
        (50, True, None, True),  # fewer than before even if nobody waits
        (30, False, None, True),  # still to be judged
        (30, True, 4_200.0, False),  # as many as the money carries
    ],
)
def test_what_worked_is_not_taken_from_customers_to_check_it(treated, proven, budget, waits):
    options = frame(
        *(
            option(f"C{i:02d}", "visit", worth=300.0, treated=treated, proven=proven,
                   later_share=0.1, money=1_000.0 + i)
            for i in range(44)
        )
    )  # fmt: skip
    features = features_of(options)
    own = strategy(budget).model_copy(update={"exempt_top": 0})
    draw = partial(
        assign, customers=features[["customer_id"]].assign(group_id=None), features=features,
        settings=own, period_next=Period.parse("2025Q4"), seed=7,
        min_arm=20 if proven else 0,
    )  # fmt: skip
    found = planned(options, own, draw=draw)
    assert (found.chosen["wave"] == "later").any() == waits
    if budget is not None:
        assert len(found.chosen) == 42
        assert spent(found.chosen) <= budget
    if not waits:
        assert (found.chosen["later_share"] == 0).all()
    assert_tables(found)


@pytest.mark.slow
@pytest.mark.requirement("001-20")
def test_what_is_shrunk_before_it_is_chosen_is_what_comes():
    """The winner's curse: of many noisy estimates the best-looking are chosen.

    Truth: every customer × strategy is worth N(100, 40²); it is measured with an error of 80.
    Raw estimates promise far more than comes; shrunk towards what they have in common they
    promise what comes, and more of it comes.
    """
    promised, came = {"raw": 0.0, "shrunk": 0.0}, {"raw": 0.0, "shrunk": 0.0}
    for seed in range(6):
        rng = np.random.default_rng(seed)
        options = company(120, 4, 3, seed).assign(cost=60.0)
        truth = rng.normal(100, 40, len(options))
        measured = truth + rng.normal(0, 80, len(options))
        spread = max(measured.var() - 80**2, 0.0)
        shrunk = measured.mean() + (measured - measured.mean()) * spread / (spread + 80**2)
        real = dict(
            zip(zip(options["customer_id"], options["strategy"], strict=True), truth, strict=True)
        )
        for name, worth in (("raw", measured), ("shrunk", shrunk)):
            found = planned(options.assign(worth=worth), strategy(60.0 * 60, curve=[1.0]))
            promised[name] += found.chosen["worth"].sum()
            came[name] += sum(real[pair] for pair in pairs(found.chosen))
    assert promised["raw"] > 1.5 * came["raw"]
    assert 0.9 < promised["shrunk"] / came["shrunk"] < 1.1


@pytest.mark.slow
@pytest.mark.requirement("001-20", "004-28")
def test_value_for_cost_in_turn_is_beaten_where_contacts_are_laid_down():
    """Greedy first gives everybody its cheapest measure, where another would bring more."""
    options = company(80, 5, 8, seed=5)
    budget, cap = 120_000.0, 12
    team = people(**{f"P{i:03d}": cap for i in range(8)})
    book = playbook(*(f"s{j}" for j in range(5)), least={"s": 1})
    found = planned(options, strategy(budget, curve=[1.0]), team, book)
    greedy = value_for_cost(options, budget, cap, least=1)
    mine = (found.chosen["worth"] - found.chosen["cost"]).sum()
    theirs = (greedy["worth"] - greedy["cost"]).sum()
    reached = found.chosen["customer_id"].nunique()
    assert reached >= greedy["customer_id"].nunique()
    assert mine > 1.02 * theirs
