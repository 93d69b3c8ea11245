"""The strategy table in the documents' order, and what the plan's limits mean."""

from __future__ import annotations

import pytest

from analysis.exhibits import allocation, plan
from tests.exhibits import plan_sample, sample


@pytest.mark.requirement("000-19")
@pytest.mark.parametrize(
    ("lang", "heads"),
    [
        ("zh", ["类型", "目标", "措施", "责任人", "资源", "节点", "预期效果"]),
        ("en", ["Type", "Goal", "Measures", "Lead", "Resources", "When", "Expected effect"]),
    ],
)
def test_the_table_has_the_columns_that_managers_know(lang: str, heads: list[str]) -> None:
    shown = plan.plan_table(plan_sample.book(lang))
    assert shown is not None
    first = next(line for line in shown.plain.splitlines() if "\t" in line)
    assert first.split("\t") == heads


def test_goals_in_own_words_keep_their_blanks_and_their_numbers_are_facts() -> None:
    shown = plan.plan_table(plan_sample.book("en"))
    assert shown is not None
    assert "Renewals at 98.0%, a 2nd order each" in shown.plain
    assert 'data-fact="strategy.high_value.executive_visit.goal.renewal"' in shown.html


def test_a_step_that_repeats_stands_once() -> None:
    shown = plan.plan_table(plan_sample.book())
    assert shown is not None
    row = next(line for line in shown.plain.splitlines() if line.startswith("高价值客户"))
    assert row.split("\t")[2].count("高层") <= 2  # the strategy's name and the step's, once each


def test_duties_stand_in_a_table_of_their_own() -> None:
    book = plan_sample.book()
    first, duties = plan.plan_table(book), plan.duty_table(book)
    assert first is not None
    assert duties is not None
    assert "流失风险客户" not in "".join(line for line in first.plain.splitlines() if "\t" in line)
    assert "流失风险客户" in duties.plain


def test_without_the_table_nothing_is_claimed() -> None:
    book = sample.book()
    assert plan.duty_table(book) is None
    assert allocation.budget(book) is None
    assert allocation.people(book) is None
    assert allocation.touches(book) is None
    assert allocation.left_out(book) is None
    assert allocation.next_proof(book) is None


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_budget_is_held_against_plain_ranking(lang: str) -> None:
    shown = allocation.budget(plan_sample.book(lang))
    assert shown is not None
    assert shown.caption.count("252") + shown.caption.count("2.52") == 1
    assert shown.caption.count("190") + shown.caption.count("1.90") == 1
    assert len([line for line in shown.plain.splitlines() if "\t" in line]) == 5


def test_habit_has_a_column_only_where_there_was_a_plan() -> None:
    curve = plan_sample.budget_curve(habit=False)
    shown = allocation.budget(plan_sample.book(budget_curve=curve))
    assert shown is not None
    assert "照上期排" not in shown.plain


def test_without_evidence_no_curve_is_drawn() -> None:
    curve = plan_sample.budget_curve().assign(expected_value=0.0)
    shown = allocation.budget(plan_sample.book(budget_curve=curve))
    assert shown is not None
    assert "还没有实测效果" in shown.plain
    assert "\t" not in shown.plain


@pytest.mark.requirement("004-28")
def test_who_is_forgotten_is_said() -> None:
    shown = allocation.touches(plan_sample.book())
    assert shown is not None
    assert "42 家够不上" in shown.caption
    assert "新客户" not in shown.plain  # no least number, nothing to hold


def test_the_fullest_come_first_and_names_stand_where_they_are_known() -> None:
    shown = allocation.people(plan_sample.book())
    assert shown is not None
    rows = [line.split("\t")[0] for line in shown.plain.splitlines() if "\t" in line][1:]
    assert rows == ["一号", "r2", "r3"]
    assert "1 位排满" in shown.caption


def test_who_gets_nothing_is_counted_by_reason() -> None:
    shown = allocation.left_out(plan_sample.book())
    assert shown is not None
    assert shown.caption.startswith("2 家客户")
    rows = {
        line.split("\t")[0]: line.split("\t")[1]
        for line in shown.plain.splitlines()
        if "\t" in line
    }
    assert rows["预算用完"] == "2"
    assert rows["责任人排满"] == "1"
