"""One page a customer: goal from its own numbers, base rate, path."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.schemes import scheme_segments

from analysis import wording
from analysis.calendars import Period
from analysis.engine import conform
from analysis.settings_accounts import Accounts
from analysis.settings_measures import Strategy
from analysis.strategy import account_plans
from analysis.strategy.likeness import reached, trails
from analysis.strategy.personal_goals import rounded_up
from analysis.tables import MONEY, RECORD
from analysis.wording.told import told

from .test_plan import planned

Q4 = Period.parse("2025Q4")
AS_OF = date(2025, 9, 30)


def order_lines(rows):
    """RECORD orders from (customer, day, money)."""
    who, days, money = zip(*rows, strict=True)
    return pa.table(
        {
            "customer_id": pa.array(who, pa.string()),
            "ordered_at": pa.array(pd.to_datetime(list(days)), pa.timestamp("us")),
            "amount": pa.array([round(m, 2) for m in money], pa.float64()).cast(MONEY, safe=False),
        }
    )


@pytest.fixture(scope="module")
def orders(company):
    """Monthly orders over three years, growing by a half in the last one for every third."""
    rows = []
    money = company["features"].set_index("customer_id")["monetary"]
    for i, (customer, yearly) in enumerate(money.items()):
        for month in range(36):
            day = AS_OF - timedelta(days=30 * month + 5)
            grown = 1.5 if i % 3 == 0 and month >= 12 else 1.0
            rows.append((customer, day, yearly / 12 / grown))
    return order_lines(rows)


@pytest.fixture(scope="module")
def plans(company, effects, playbook, orders):
    rows = planned(company, effects, playbook)
    found = account_plans(
        rows, company["segments"], company["features"], company["customers"], orders, playbook,
        Strategy(), Q4, scheme_segments=scheme_segments(),
    )  # fmt: skip
    return rows, found


@pytest.mark.requirement("000-18")
def test_every_customer_has_a_plan(company, plans):
    _, found = plans
    assert conform(found, RECORD["account_plans"]).num_rows == len(company["segments"])
    assert found["customer_id"].is_monotonic_increasing
    for column in ("goal", "kpi", "path", "resources", "reason", "owner_id"):
        assert found[column].notna().all()
    top = found[found["segment"] == "high_value"]
    assert (top["path"] != "[]").all()
    assert (top["resources"] != "[]").all()
    names = set(wording.keys("en"))
    assert all(f"kpi.{kpi}" in names for kpi in found["kpi"].unique())
    for lang in wording.LANGUAGES:
        for column in ("goal", "path", "resources", "reason"):
            said = [told(text, lang, "CNY") for text in found[column].head(40)]
            assert all(said)
            assert not any("{" in one or "account_" in one for one in said)


def test_the_plan_of_a_customer_is_its_rows(plans):
    rows, found = plans
    now = rows[rows["wave"] != "later"]
    known = found.set_index("customer_id")
    assert known["measures"].sum() == len(now)
    assert known["cost"].sum() == pytest.approx(rows["cost"].sum())
    assert known["expected_value"].sum() == pytest.approx(rows["expected_value"].sum())
    for customer, group in list(rows.groupby("customer_id"))[:20]:
        steps = json.loads(known.loc[customer, "path"])
        keys = [step["args"]["measure"]["key"] for step in steps]
        assert sorted(keys) == sorted(f"measure.{key}" for key in group["measure"])
        starts = [step["args"]["start"]["value"] for step in steps]
        assert starts == sorted(starts)


def test_goals_in_money(plans):
    _, found = plans
    kinds = found["goal"].map(lambda text: json.loads(text)["key"].removeprefix("account_goal."))
    assert set(kinds) <= {"to_step", "to_peers", "to_like", "hold", "as_set", "win_back"}
    assert set(kinds[found["segment"] == "churn_risk"]) == {"win_back"}
    money = found[found["unit"] == "money"]
    assert (money["target"] >= money["current"]).all()
    held = money[kinds[money.index] == "hold"]
    assert (held["target"] == held["current"]).all()
    known = found["reached_by"].dropna()
    assert known.between(0, 1).all()
    assert (found.loc[known.index, "n"] >= Accounts().like).all()
    assert found.loc[found["n"] < Accounts().like, "reached_by"].isna().all()


def test_the_next_step_is_the_nearer_one(company, effects, playbook, orders):
    bare = playbook.model_copy(
        update={
            "segments": {
                key: plan.model_copy(update={"personal_goal": None})
                for key, plan in playbook.segments.items()
            }
        }
    )
    cuts = pd.DataFrame(
        {"score": "monetary", "industry": "", "boundary": [1, 2], "value": [60_000.0, 500_000.0]}
    )
    found = account_plans(
        planned(company, effects, playbook), company["segments"], company["features"],
        company["customers"], orders, bare, Strategy(accounts=Accounts(least_reached=0.0)), Q4,
        cuts=cuts, scheme_segments=scheme_segments(),
    )  # fmt: skip
    found["kind"] = found["goal"].map(lambda text: json.loads(text)["key"])
    step = found[found["kind"] == "account_goal.to_step"]
    assert set(step["target"]) <= {60_000.0, 500_000.0}
    assert (step["target"] > step["current"]).all()
    high = found[found["segment"] == "high_value"]
    quartile = high["current"].quantile(0.75)
    below = high[(high["current"] < quartile) & (high["current"] > 60_000)]
    assert set(below["target"]) == {rounded_up(np.array([quartile]))[0]}
    assert set(below["kind"]) == {"account_goal.to_peers"}
    # a boundary in money says nothing of customers whose mean order was read
    segments = company["segments"].assign(m_reads="mean_order")
    other = account_plans(
        planned(company, effects, playbook), segments, company["features"], company["customers"],
        orders, bare, Strategy(), Q4, cuts=cuts, scheme_segments=scheme_segments(),
    )  # fmt: skip
    assert not other["goal"].str.contains("to_step").any()


def test_a_goal_that_nobody_reached_is_set_lower(company, effects, playbook, orders):
    cuts = pd.DataFrame({"score": "monetary", "industry": "", "boundary": [1], "value": [1e9]})
    far = playbook.model_copy(update={"segments": {}})
    features = company["features"].assign(monetary=company["features"]["monetary"].clip(upper=1e6))
    found = account_plans(
        planned(company, effects, playbook), company["segments"], features, company["customers"],
        orders, far, Strategy(), Q4, cuts=cuts, scheme_segments=scheme_segments(),
    )  # fmt: skip
    kinds = found["goal"].map(lambda text: json.loads(text)["key"])
    like = found[kinds == "account_goal.to_like"]
    # a third of all grew by a half: the best quarter did
    assert len(like) > 20
    assert (like["target"] / like["current"]).between(1.3, 1.8).all()


def test_reached_counts_customers_like_it():
    money = np.array([100.0, 100.0, 1_000.0, 100.0])
    then = np.array([90.0, 110.0, 120.0, 100.0, 1_000.0, np.nan, 100.0])
    went = np.array([1.0, 1.2, 1.5, 2.0, 9.0, 9.0, 9.0])
    active = np.array([True, True, True, True, True, True, False])
    share, count, best = reached(
        money, np.array([True, True, True, False]), np.array([1.2, 3.0, 1.0, 1.0]), then, active,
        went, ratio=1.3, least=2,
    )  # fmt: skip
    assert count.tolist() == [4, 4, 1, 1]
    assert share[:2].tolist() == [0.75, 0.0]
    assert np.isnan(share[2:]).all()  # one says nothing
    assert best[0] == 1.5  # a quarter of four went further
    nothing = reached(money[:0], active[:0], money[:0], then, active, went, ratio=2, least=2)
    assert [len(part) for part in nothing] == [0, 0, 0]
    empty = reached(money[:1], active[:1], money[:1], then[:0], active[:0], went[:0], ratio=2,
                    least=2)  # fmt: skip
    assert np.isnan(empty[0]).all()
    assert empty[1].tolist() == [0]


def test_trails_see_nothing_after_the_day():
    rows = [
        ("A", "2023-11-01", 10.0), ("A", "2024-09-15", 20.0), ("A", "2025-05-01", 30.0),
        ("A", "2025-08-01", 40.0), ("A", "2025-10-01", 999.0), ("B", "2023-01-02", 5.0),
    ]  # fmt: skip
    found = trails(order_lines(rows), AS_OF, 92).set_index("customer_id").loc["A"]
    assert (found["money"], found["money_year_ago"]) == (70.0, 30.0)
    assert found["money_before"] == 50.0  # the year up to June
    assert (found["orders_now"], found["orders_before"], found["orders_year_ago"]) == (1, 1, 1)
    assert found["orders_ever_before"] == 3
    short = trails(order_lines(rows[1:4]), AS_OF, 92)
    assert short["money_year_ago"].isna().all()  # the orders do not reach back


@pytest.mark.parametrize(
    ("step", "goal"),
    [(783_000, 800_000), (500_001, 600_000), (550_000, 550_000), (1_030_000, 1_100_000),
     (2_310_000, 2_500_000), (99_900, 100_000), (0.0, 0.0), (12.0, 12.0)],
)  # fmt: skip
def test_round_as_a_manager_does(step, goal):
    assert rounded_up(np.array([step])).tolist() == pytest.approx([goal])


def test_the_order_of_rows_does_not_matter(company, effects, playbook, orders, plans):
    rows, found = plans
    mixed = {name: frame.sample(frac=1, random_state=i) for i, (name, frame) in
             enumerate(company.items())}  # fmt: skip
    turned = orders.take(np.arange(len(orders))[::-1])
    again = account_plans(
        rows.sample(frac=1, random_state=5), mixed["segments"], mixed["features"],
        mixed["customers"], turned, playbook, Strategy(), Q4, scheme_segments=scheme_segments(),
    )  # fmt: skip
    pd.testing.assert_frame_equal(again, found)


def test_nobody_to_plan_for(company, effects, playbook, orders):
    empty = {name: frame.iloc[:0] for name, frame in company.items()}
    found = account_plans(
        pd.DataFrame(columns=RECORD["plan"].names), empty["segments"], empty["features"],
        empty["customers"], orders.slice(0, 0), playbook, Strategy(), Q4,
        scheme_segments=scheme_segments(),
    )  # fmt: skip
    assert conform(found, RECORD["account_plans"]).num_rows == 0
