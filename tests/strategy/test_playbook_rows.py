"""The documents' tables, row by row, in the playbooks that ship."""

from __future__ import annotations

from datetime import datetime

import pytest

from analysis.calendars import WorkingCalendar
from analysis.strategy import clock_due, load_playbook, segment_angles
from analysis.wording.told import told

from .conftest import ROOT


def book(name):
    return load_playbook(name, ROOT)


def row(name, segment):
    """A segment's plan, and owner, channel and number of tasks of each measure."""
    plan = book(name).segments[segment]
    return plan, {k: (m.owner_role, m.channel, len(m.tasks)) for k, m in plan.measures.items()}


@pytest.mark.requirement("000-20")
def test_high_value_row() -> None:
    plan, measures = row("rfm5", "high_value")
    assert measures["executive_visit"] == ("sales_director", "visit", 3)  # one a month
    assert measures["quarterly_review"][0] == "key_account_manager"  # one to one
    assert {"executive_reception", "custom_solution", "training"} <= set(plan.entitlements)
    assert plan.measures["executive_visit"].resources == "resource.executive_reception"
    assert plan.personal_goal == {"fact": "monetary", "growth": 0.2}


@pytest.mark.requirement("000-21")
def test_potential_row() -> None:
    plan, measures = row("rfm5", "potential")
    assert measures["product_trial"][0] == measures["solution_guidance"][0] == "sales_rep"
    assert plan.terms["sessions"].value == 3
    assert plan.measures["product_trial"].entitlement == "trial"
    assert "webinar" in plan.measures["solution_guidance"].tasks


@pytest.mark.requirement("000-22")
def test_churn_risk_row() -> None:

    plan, measures = row("rfm5", "churn_risk")
    assert measures["win_back_call"][0] == measures["win_back_offer"][0] == "cs_specialist"
    assert plan.terms["discount"].value == plan.entitlements["discount"].value == 0.2
    assert plan.entitled("priority_service")
    call = plan.clocks["first_call"]
    assert (call.value, call.unit) == (48, "hours")
    told = datetime(2025, 9, 30, 15)  # the evening before Golden Week
    assert clock_due(told, call, WorkingCalendar("CN")) == datetime(2025, 10, 10, 15)


@pytest.mark.requirement("001-32", "001-23")
def test_platinum_row() -> None:
    plan, measures = row("platinum4", "platinum")
    analysis, forum = plan.measures["business_analysis"], plan.measures["executive_forum"]
    assert (analysis.kpi, analysis.target.value) == ("renewal_rate", 0.98)
    assert measures["business_analysis"][2] == plan.least_touches == 3  # one a month
    assert (forum.kpi, forum.target.value, forum.cooldown) == ("upsell_rate", 0.15, 3)  # a year
    assert plan.measures["renewal_talk"].when == [{"days_to_renewal": ">= 0, <= 90"}]


@pytest.mark.requirement("001-32", "001-23", "001-20")
def test_gold_row() -> None:
    plan, measures = row("platinum4", "gold")
    assert plan.personal_goal == {"fact": "monetary", "to": 800_000}
    assert measures["tier_discount"][0] == "sales_manager"
    assert (plan.measures["tier_discount"].kpi, plan.measures["tier_discount"].target.value) == (
        "reached_share",
        0.3,
    )
    assert plan.measures["product_trial"].target.value == 0.2
    assert plan.measures["product_trial"].entitlement == "trial"
    assert "judge" in plan.measures["quarter_end_review"].tasks


@pytest.mark.requirement("001-32", "001-22")
def test_at_risk_row() -> None:
    plan, measures = row("platinum4", "at_risk")
    targets = {m.kpi: m.target.value for m in plan.measures.values() if m.target}
    assert targets == {"win_back_rate": 0.3, "won_back": 15, "satisfaction": 4}
    assert (plan.terms["coupon_from"].value, plan.terms["coupon_off"].value) == (50, 10)
    clocks = {key: (term.value, term.unit) for key, term in plan.clocks.items()}
    assert clocks == {
        "reasons": (7, "days"),
        "start_within": (20, "days"),
        "response": (2, "hours"),
        "response_for": (30, "days"),
    }
    care = plan.measures["personal_care"]
    assert care.contractual and plan.days(care.due) == 30
    assert all(who[0] == "cs_specialist" for who in measures.values())


@pytest.mark.requirement("001-19", "001-21")
def test_ordinary_customers_get_a_call_a_quarter_and_platinum_a_talk_a_month() -> None:
    plan, measures = row("platinum4", "loyal_base")
    assert plan.least_touches == 1
    assert measures["supply_assurance"] == ("sales_rep", "phone", 1)
    low, sent = row("grade4", "grade_low")
    assert {channel for _, channel, _ in sent.values()} == {"mail"}
    assert low.least_touches == 1


@pytest.mark.requirement("003-05")
@pytest.mark.parametrize(
    ("segment", "measure", "owner"),
    [
        ("grade_high", "product_proposal", "key_account_manager"),  # VIP, personal recommendation
        ("grade_potential", "targeted_campaign", "marketing_manager"),  # campaigns, offers
        ("grade_maintain", "relationship_care", "cs_specialist"),  # more service and care
        ("grade_low", "cross_sell_mail", "marketing_manager"),  # less effort, cross-sell
    ],
)
def test_four_grades(segment, measure, owner) -> None:
    plan, measures = row("grade4", segment)
    assert measures[measure][0] == owner
    cost = max(m.cost for m in plan.measures.values())
    assert cost == {"grade_high": 4000, "grade_potential": 1500}.get(segment, 0)


@pytest.mark.requirement("003-09")
def test_campaigns_of_each_grade() -> None:
    grades = book("grade4").segments
    discount = {name: plan.entitlements["discount"].value for name, plan in grades.items()}
    assert discount["grade_high"] > discount["grade_potential"] > discount["grade_low"] > 0
    high, low = grades["grade_high"], grades["grade_low"]
    assert high.measures["loyalty_reward"].entitlement == "loyalty_reward"
    assert high.entitled("custom_solution")
    assert low.measures["starter_offer"].when == [{"orders_ever": "<= 1"}, {"on_trial": "yes"}]
    assert low.measures["starter_offer"].entitlement == "starter_pack"


@pytest.mark.requirement("004-07", "004-27", "004-28")
def test_contacts_of_each_level() -> None:
    urgency = {name: plan.least_touches for name, plan in book("urgency4").segments.items()}
    assert urgency == {"follow_now": 6, "quarter_focus": 3, "nurture": 3, "hold_off": 1}
    maturity = {name: plan.least_touches for name, plan in book("maturity4").segments.items()}
    assert maturity == {
        "maturity_strategic": 3,  # executives visit, looked at every month
        "maturity_key": 3,  # a review a month
        "maturity_general": 1,  # a survey a quarter
        "maturity_new": 2,  # education and cases
    }
    first = book("urgency4").segments["follow_now"]
    assert first.days("first_call") == 2
    strategic = book("maturity4").segments["maturity_strategic"].measures["signal_check"]
    assert strategic.when == [{"signals": ">= 1"}]  # a signal prompts a re-check


@pytest.mark.requirement("004-12")
def test_resources_match_the_tier() -> None:
    due = {name: set(plan.entitlements) for name, plan in book("maturity4").segments.items()}
    assert {"custom_solution", "discount"} <= due["maturity_strategic"]
    assert {"quick_quote", "priority_service"} <= due["maturity_key"]
    assert "standard_pack" in due["maturity_general"]
    assert due["maturity_new"] == {"trial", "starter_pack"}
    assert "custom_solution" not in due["maturity_key"] | due["maturity_general"]


def test_missing_playbooks_are_written() -> None:
    for segment in ("low_frequency_essential", "new"):
        plan, measures = row("rfm5", segment)
        assert {m.extra for m in plan.measures.values()} == {True, False}
        assert plan.entitlements
        assert len(measures) == 3


def test_overdue_money_comes_before_the_offer() -> None:
    plan = book("rfm5").segments["churn_risk"]
    talk, offer = plan.measures["payment_talk"], plan.measures["win_back_offer"]
    assert talk.when == [{"overdue_days": "> 30"}]
    assert talk.start + plan.days(talk.due) <= offer.start
    assert book("rfm5").find("collection_visit")[1].when == talk.when


def test_a_playbooks_own_words_are_filled_in() -> None:
    found = segment_angles(book("platinum4")).set_index("segment")
    assert told(found.loc["at_risk", "product"], "zh", "CNY") == "回归券：满 50.00 元 减 10.00 元"
    assert told(found.loc["platinum", "goal"], "zh", "CNY") == "续约率做到 98.0%，增购率做到 15.0%"
