"""What lands on whose desk: targets, visits, reminders."""

from __future__ import annotations

import json
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.schemes import scheme_segments

from analysis.calendars import Period, WorkingCalendar
from analysis.engine import conform
from analysis.settings_measures import Strategy
from analysis.strategy import load_playbook, reminders, task_targets, tasks, visits
from analysis.strategy.playbook import Measure, Playbook
from analysis.strategy.reminders import before, month_ends, open_ends
from analysis.strategy.visits import visits_of
from analysis.tables import RECORD
from analysis.wording.told import told

from .conftest import ROOT

CHINA = WorkingCalendar("CN")
Q4 = Period.parse("2025Q4")
AS_OF = date(2025, 9, 30)
PLATINUM = load_playbook("platinum4", ROOT)


@pytest.fixture(scope="module")
def desk(company, playbook):
    """Every measure for every customer of its segment; a third of the extra ones wait."""
    plan = plan_of(company, playbook)
    return plan, tasks(plan, playbook, Q4)


def plan_of(company, playbook):
    base = company["segments"].merge(company["customers"], on="customer_id")
    last = CHINA.last_working_on_or_before(Q4.end)
    parts = []
    for segment, key, one in playbook.measures():
        chosen = base[base["segment"] == segment]
        start = CHINA.add_working_days(Q4.start, one.start)
        due = min(CHINA.add_working_days(start, playbook.segments[segment].days(one.due)), last)
        waits = one.extra & (np.arange(len(chosen)) % 3 == 0)
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": chosen["customer_id"].to_numpy(),
                    "measure": key,
                    "strategy": one.strategy,
                    "owner_id": chosen["owner_id"].to_numpy(),
                    "owner_role": one.owner_role,
                    "start": pd.Timestamp(start),
                    "due": pd.Timestamp(due),
                    "wave": np.where(waits, "later", "first" if one.extra else "exempt"),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def placed(desk, company, playbook, **changed):
    plan, found = desk
    own = Strategy.model_validate({"desk": changed})
    customers = company["customers"].assign(region="华东")
    return visits(found, plan, customers, company["features"], playbook, own)


# Targets


@pytest.mark.requirement("000-23")
def test_the_tasks_are_what_plan_and_playbook_ask_for(desk, playbook):
    plan, found = desk
    targets = task_targets(plan, found, playbook)
    conform(targets, RECORD["task_targets"])
    assert targets["tasks"].equals(targets["planned"])
    assert targets["tasks"].sum() == len(found)
    follow = targets[targets["measure"] == "product_trial"]
    trials = plan[(plan["measure"] == "product_trial") & (plan["wave"] != "later")]
    assert follow["planned"].sum() == 3 * len(trials)
    assert set(follow["customers"]) == {len(trials)}


@pytest.mark.requirement("000-23")
def test_a_lost_task_is_seen(desk, playbook):
    plan, found = desk
    lost = found.index[found["source"] == "product_trial/product_trial"][0]
    month = found.loc[lost, "due"].strftime("%Y-%m")
    targets = task_targets(plan, found.drop(lost), playbook)
    wrong = targets[targets["tasks"] != targets["planned"]]
    assert wrong[["measure", "month"]].to_numpy().tolist() == [["product_trial", month]]
    assert int((wrong["planned"] - wrong["tasks"]).iloc[0]) == 1


def test_a_strategys_tasks_may_all_be_lost(desk, playbook):
    plan, found = desk
    targets = task_targets(plan, found[found["source"] != "welcome/welcome_call"], playbook)
    gone = targets[targets["measure"] == "welcome_call"]
    assert (gone["tasks"] == 0).all()
    assert gone["planned"].sum() > 0
    assert (task_targets(plan, found.head(0), playbook)["tasks"] == 0).all()


def test_nothing_planned_is_nothing_asked_for(desk, playbook):
    plan, found = desk
    none = task_targets(plan.head(0), found.head(0), playbook)
    assert len(conform(none, RECORD["task_targets"])) == 0


def test_a_clock_runs_on_working_days(desk):
    """48 hours from 9 October 2025 end on Saturday 11th, a working day of that year."""
    _, found = desk
    calls = found[found["source"] == "churn_enquiry/win_back_call"]
    assert set(calls["due"]) == {pd.Timestamp(2025, 10, 11)}


# Visits


def test_every_visit_once_within_the_day_and_the_working_calendar(desk, company, playbook):
    plan, found = desk
    calendar = placed(desk, company, playbook, visits_a_day=2)
    conform(calendar, RECORD["visits"])
    # as the playbook states; the review states none and takes one a task
    wanted = {
        "executive_visit": 1, "product_trial": 2, "quarterly_review": 2, "collection_visit": 1,
    }  # fmt: skip
    now = plan[plan["wave"] != "later"]["measure"].value_counts()
    assert len(calendar) == sum(now[key] * count for key, count in wanted.items())
    assert calendar["visit_id"].is_unique
    assert calendar.groupby(["owner_id", "on_day"]).size().max() <= 2
    assert all(CHINA.is_working(day.date()) for day in calendar["on_day"].unique())
    assert calendar["on_day"].min() >= pd.Timestamp(2025, 10, 9)  # after the National Day week
    joined = calendar.merge(found[["task_id", "due", "owner_id"]], on="task_id")
    assert (joined["owner_id_x"] == joined["owner_id_y"]).all()
    assert ((joined["on_day"] > joined["due"]) == (joined["moved_days"] < 0)).all()
    weeks = [day.strftime("%G-W%V") for day in calendar["on_day"]]
    assert calendar["week"].tolist() == weeks


@pytest.mark.requirement("001-21")
def test_the_best_get_a_deep_visit_a_month(company):
    segments = company["segments"].assign(segment="platinum")
    plan = plan_of({**company, "segments": segments.head(60)}, PLATINUM)
    found = tasks(plan, PLATINUM, Q4)
    calendar = placed((plan, found), company, PLATINUM, visits_a_day=20)
    deep = calendar.merge(found[["task_id", "source"]], on="task_id")
    deep = deep[deep["source"] == "business_analysis/business_analysis"]
    days = deep.sort_values("on_day").groupby("customer_id")["on_day"].apply(list)
    assert set(days.index) == set(plan["customer_id"])
    for one in days:
        assert [day.month for day in one] == [10, 11, 12]
        assert all(b - a >= pd.Timedelta(days=10) for a, b in pairwise(one))


@pytest.mark.requirement("000-20")
def test_an_executive_meets_the_best_each_month_and_travels_once(desk, company, playbook):
    plan, found = desk
    best = plan[(plan["measure"] == "executive_visit") & (plan["wave"] != "later")]
    asked = found[found["source"] == "executive_visit/executive_visit"]
    days = asked.sort_values("due").groupby("customer_id")["due"].apply(list)
    assert set(days.index) == set(best["customer_id"])
    for one in days:
        assert len(one) == 3
        assert all(b - a >= pd.Timedelta(days=21) for a, b in pairwise(one))
    calendar = placed(desk, company, playbook, visits_a_day=20).merge(asked[["task_id"]])
    assert sorted(calendar["customer_id"]) == sorted(best["customer_id"])


def test_with_room_nothing_is_late_and_without_it_nothing_is_hidden(desk, company, playbook):
    assert (placed(desk, company, playbook, visits_a_day=20)["moved_days"] >= 0).all()
    scarce = placed(desk, company, playbook, visits_a_day=1)
    late = scarce["moved_days"] < 0
    assert late.any()
    assert len(scarce) == len(placed(desk, company, playbook, visits_a_day=20))


def test_order_of_the_rows_does_not_matter(desk, company, playbook):
    plan, found = desk
    one = placed(desk, company, playbook)
    two = placed((plan[::-1], found[::-1]), company, playbook)
    pd.testing.assert_frame_equal(one, two)


def test_a_task_of_nobody_has_no_visit(desk, company, playbook):
    plan, found = desk
    alone = found.assign(owner_id=[None, ""] * (len(found) // 2) + [None] * (len(found) % 2))
    assert placed((plan, alone), company, playbook).empty


MEASURE = {
    "strategy": "s", "extra": False, "owner_role": "sales_rep", "channel": "visit",
    "kpi": "revenue", "start": 0, "due": 20, "cost": 0,
}  # fmt: skip
TEXTS = dict.fromkeys(("goal", "product", "communication", "resources", "frequency"), "x")


def measure(count, **changed):
    steps = {f"t{i}": {"title": "x", "standard": "x", "due": i} for i in range(count)}
    return {**MEASURE, "tasks": steps, **changed}


@pytest.mark.parametrize(
    ("count", "changed", "each"),
    [
        (3, {}, [1, 1, 1]),
        (3, {"channel": "phone"}, [0, 0, 0]),
        (3, {"visits": 1}, [0, 0, 1]),
        (3, {"visits": 2}, [0, 1, 1]),
        (2, {"visits": 5}, [2, 3]),
        (1, {"visits": 3, "channel": "online"}, [3]),
        (2, {"visits": 0.5}, [0, 1]),
    ],
)
def test_visits_that_a_measure_takes(count, changed, each):
    assert visits_of(Measure.model_validate(measure(count, **changed))) == each


def small(windows, a_day, money=None, regions=None):
    """One person's visits, each with its first and last working day of January 2026."""
    days = [
        day for day in (date(2026, 1, 5) + timedelta(n) for n in range(12)) if day.weekday() < 5
    ]
    book = Playbook.model_validate(
        {"playbook": "p", "segments": {"a": {**TEXTS, "measures": {"m": measure(1)}}}}
    )
    ids = [f"C{n:02d}" for n in range(len(windows))]
    starts = pd.to_datetime([days[first] for first, _ in windows])
    ends = pd.to_datetime([days[last] for _, last in windows])
    plan = pd.DataFrame(
        {"customer_id": ids, "measure": "m", "start": starts, "due": ends, "wave": "first"}
    )
    found = pd.DataFrame(
        {"task_id": ids, "customer_id": ids, "owner_id": "P", "due": ends, "source": "s/m"}
    )
    customers = pd.DataFrame({"customer_id": ids, "region": regions or [None] * len(ids)})
    features = pd.DataFrame({"customer_id": ids, "monetary": money or [1.0] * len(ids)})
    own = Strategy.model_validate({"desk": {"visits_a_day": a_day}})
    return visits(found, plan, customers, features, book, own).set_index("customer_id")


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)).map(sorted), min_size=1, max_size=20),
    st.integers(1, 3),
)
@settings(max_examples=60, deadline=None)
def test_late_only_where_no_calendar_could_avoid_it(windows, a_day):
    """By Hall's condition (no stretch of days holds more visits than room) all fit, or some not."""
    found = small(windows, a_day)
    fits = all(
        sum(first >= a and last <= b for first, last in windows) <= a_day * (b - a + 1)
        for a in range(10)
        for b in range(a, 10)
    )
    assert (found["moved_days"] >= 0).all() == fits
    assert len(found) == len(windows)
    assert found.groupby("on_day").size().max() <= a_day


def test_the_largest_customer_is_the_last_to_be_late():
    found = small([(0, 0)] * 3, 1, money=[1.0, 9.0, 5.0])
    assert found["moved_days"].to_dict() == {"C01": 0, "C02": -1, "C00": -2}


def test_visits_spread_over_the_weeks_and_regions_go_together():
    spread = small([(0, 9)] * 10, 3)
    assert spread.groupby("week").size().tolist() == [5, 5]
    east = small([(0, 9)] * 4, 3, regions=["东", "西", "东", "西"])
    days = east.groupby("on_day").groups.values()
    assert sorted(sorted(ids) for ids in days) == [["C00", "C02"], ["C01", "C03"]]


# Reminders


@pytest.mark.requirement("001-24")
@pytest.mark.parametrize(
    ("event", "day"),
    [
        (date(2024, 3, 30), date(2024, 2, 29)),  # a leap day, a Thursday
        (date(2025, 3, 31), date(2025, 2, 28)),  # 1 March is a Saturday
        (date(2025, 10, 31), date(2025, 9, 30)),  # 1 October is a holiday
        (date(2025, 11, 10), date(2025, 10, 11)),  # a Saturday worked
        (date(2028, 3, 30), date(2028, 2, 29)),
        (date(2026, 3, 21), date(2026, 2, 14)),  # 19 February lies in the Spring Festival
    ],
)
def test_thirty_days_before_on_a_working_day(event, day):
    assert before(event, 30, CHINA) == day


@given(st.dates(date(2020, 1, 1), date(2026, 12, 31)), st.integers(0, 90))
def test_never_too_late_never_on_a_holiday(event, days):
    found = before(event, days, CHINA)
    assert CHINA.is_working(found)
    assert timedelta(days) <= event - found <= timedelta(days + 12)
    after = found + timedelta(1)
    while after <= event - timedelta(days):
        assert not CHINA.is_working(after)
        after += timedelta(1)


@given(st.integers(2000, 2099), st.integers(1, 4))
def test_month_ends(year, quarter):
    period = Period.parse(f"{year}Q{quarter}")
    found = month_ends(period)
    assert len(found) == 3
    assert found[-1] == period.end
    assert all((day + timedelta(1)).day == 1 for day in found)


CONTRACTS = pd.DataFrame(
    [
        ("S1", "C1", "2024-11-15", "2025-11-14", None, "active"),
        ("S2", "C2", "2024-10-20", "2025-10-19", None, "active"),  # 30 days before: September
        ("S3", "C3", "2024-12-01", "2025-11-30", None, "churned"),
        ("S4", "C4", "2024-11-01", "2025-10-31", None, "renewed"),
        ("S5", "C5", "2024-11-01", "2025-10-31", None, "active"),
        ("S6", "C5", "2025-11-01", "2026-10-31", "S5", "active"),
        ("S7", "C6", "2024-11-01", "2025-10-31", None, "active"),
        ("S8", "C6", "2025-11-20", "2026-11-19", None, "active"),  # follows within sixty days
        ("S9", "C7", "2024-08-01", "2025-07-31", None, "active"),  # over
        ("S10", "C8", "2025-02-01", "2026-02-28", None, "negotiating"),  # 29 January: later
        ("S11", "C1", "2025-05-01", "2025-11-14", None, None),  # ends with the main contract
    ],
    columns=["subscription_id", "customer_id", "starts_on", "ends_on", "predecessor", "status"],
).assign(
    starts_on=lambda f: pd.to_datetime(f["starts_on"]),
    ends_on=lambda f: pd.to_datetime(f["ends_on"]),
)


def test_ends_that_nothing_follows():
    found = open_ends(CONTRACTS, AS_OF)
    assert dict(zip(found["customer_id"], found["left"], strict=True)) == {
        "C1": False, "C2": False, "C3": True, "C8": False,
    }  # fmt: skip
    assert len(found) == 4


def reminded(desk, company, playbook, period=Q4, **tables):
    plan, found = desk
    own = tables.pop("settings", Strategy())
    return reminders(
        found, plan, playbook, company["customers"], company["segments"], company["people"],
        own, AS_OF, period, scheme_segments=scheme_segments(), **tables,
    )  # fmt: skip


@pytest.mark.requirement("001-24", "000-24")
def test_contracts_are_recalled_before_they_end(desk, company, playbook):
    found = reminded(desk, company, playbook, subscriptions=CONTRACTS)
    conform(found, RECORD["reminders"])
    own = found[found["kind"].isin(["renewal", "contract_end"])]
    known = {row.customer_id: (row.kind, str(row.remind_on.date())) for row in own.itertuples()}
    assert known == {
        "C1": ("renewal", "2025-10-15"),
        "C2": ("renewal", "2025-10-09"),  # its own day has passed: the first working day
        "C3": ("contract_end", "2025-10-31"),
    }
    assert found["reminder_id"].is_unique


def test_first_calls_begin_with_the_measure(desk, company, playbook):
    found = reminded(desk, company, playbook)
    calls = found[found["kind"] == "first_call"]
    plan, _ = desk
    assert set(calls["customer_id"]) == set(
        plan.loc[plan["measure"] == "win_back_call", "customer_id"]
    )
    assert set(calls["remind_on"]) == {pd.Timestamp(2025, 10, 9)}
    assert set(calls["event_on"]) == {pd.Timestamp(2025, 10, 11)}
    assert "48" in told(calls["text"].iloc[0], "zh", "CNY")


def test_overdue_money_from_a_limit_on(desk, company, playbook):
    ids = company["customers"]["customer_id"].to_numpy()[:4]
    arrears = pd.DataFrame(
        {
            "customer_id": ids, "as_of": pd.Timestamp(AS_OF), "overdue": [9_999.99, 1e4, 5e5, 5e5],
            "days": [90, 30, 29, 91],
        }
    )  # fmt: skip
    found = reminded(desk, company, playbook, arrears=arrears)
    own = found[found["kind"] == "overdue_payment"].set_index("customer_id")
    assert set(own.index) == {ids[1], ids[3]}
    owners = company["customers"].set_index("customer_id")["owner_id"]
    assert own.loc[ids[3], "owner_id"] == owners[ids[3]]
    assert set(own["remind_on"]) == {pd.Timestamp(2025, 10, 9)}


@pytest.mark.requirement("004-27")
def test_yearly_quarterly_monthly(desk, company, playbook):
    def dates(name, **changed):
        own = Strategy.model_validate({"desk": changed})
        found = reminded(desk, company, playbook, Period.parse(name), settings=own)
        found = found[found["kind"].isin(["review", "re_segment"])]
        keys = [json.loads(text)["key"].rpartition(".")[2] for text in found["text"]]
        return {(key, str(day.date())) for key, day in zip(keys, found["remind_on"], strict=True)}

    def named(name, key, **changed):
        return sorted(day for one, day in dates(name, **changed) if one == key)

    assert named("2025Q4", "full_review") == ["2025-12-31"]
    assert named("2025Q4", "fine_tune") == []  # the full review takes its place
    assert named("2024Q1", "fine_tune") == ["2024-03-29"]  # 31 March 2024 is a Sunday
    assert named("2024Q1", "strategic") == ["2024-01-31", "2024-02-29", "2024-03-29"]
    assert named("2025H2", "fine_tune", fine_tune_months=2) == ["2025-08-29", "2025-10-31"]
    assert named("2025Q4", "strategic", strategic_months=12) == ["2025-12-31"]
    assert named("2025-W45", "strategic") == []


def test_everybody_looks_through_the_own_top_customers(desk, company, playbook):
    found = reminded(desk, company, playbook)
    monthly = found[found["text"].str.contains("strategic")]
    best = company["segments"].query("segment == 'high_value'")["customer_id"]
    owners = company["customers"].set_index("customer_id")["owner_id"].loc[best]
    assert set(monthly["owner_id"]) == set(owners)
    counts = {
        who: json.loads(text)["args"]["customers"]["value"]
        for who, text in zip(monthly["owner_id"], monthly["text"], strict=True)
    }
    assert counts == owners.value_counts().to_dict()
    yearly = found[found["kind"] == "review"]
    assert yearly["owner_id"].tolist() == ["P001"]


def test_no_reminder_outside_the_period_or_on_a_holiday(desk, company, playbook):
    found = reminded(desk, company, playbook, subscriptions=CONTRACTS)
    assert found["remind_on"].between(pd.Timestamp(Q4.start), pd.Timestamp(Q4.end)).all()
    assert all(CHINA.is_working(day.date()) for day in found["remind_on"])
    assert np.all(found["remind_on"].diff().dropna() >= pd.Timedelta(0))
