"""Surveys, leads, opportunities and tasks: kept, without what nobody could know on the last day."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from tests.cleaning.test_keys import AS_OF, order, table

from analysis.cleaning import Cleaned, clean
from analysis.settings_model import Settings

TABLES = ("surveys", "leads", "opportunities", "task_results")


def run(**rows: list[dict[str, Any]]) -> Cleaned:
    settings = Settings.model_validate(
        {"run": "t", "period": "2025Q3", "sources": {"orders": {"path": "o.csv"}}}
    )
    given = {"orders": [order(1, "KH1")], "customers": [{"customer_id": "KH1"}], **rows}
    return clean({name: table(name, found) for name, found in given.items()}, settings, AS_OF)


def rows(found: Cleaned, name: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = found.tables[name].to_pylist()
    return listed


def gone(found: Cleaned, name: str) -> dict[str, str]:
    return {r["key"]: r["rule"] for r in found.removed.to_pylist() if r["table"] == name}


def day(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_without_files_they_are_empty_and_valid() -> None:
    found = run()
    for name in TABLES:
        assert found.tables[name].num_rows == 0
    assert "tasks" not in found.tables  # the record's own tasks are those of the plan


def test_a_lead_or_a_deal_needs_no_customer_but_a_known_one() -> None:
    found = run(
        leads=[
            {"lead_id": "1", "created_at": day("2025-08-01")},
            {"lead_id": "2", "created_at": day("2025-08-01"), "customer_id": "KH1"},
            {"lead_id": "3", "created_at": day("2025-08-01"), "customer_id": "KH9"},
            {"lead_id": "4", "created_at": day("2035-08-01")},
            {"lead_id": "2", "created_at": day("2025-08-01"), "customer_id": "KH1"},
        ],
        opportunities=[{"opportunity_id": "1", "status": "open"}],
        tasks=[{"task_id": "1", "status": "open", "due_on": day("2025-10-09")}],
    )
    assert [r["lead_id"] for r in rows(found, "leads")] == ["1", "2"]
    assert gone(found, "leads") == {
        "3": "unknown_customer",
        "4": "after_as_of",
        "2": "repeated_keys",
    }
    assert len(rows(found, "opportunities")) == len(rows(found, "task_results")) == 1


def test_what_happened_later_is_not_known() -> None:
    later, now = day("2025-10-01"), day("2025-09-30")
    found = run(
        leads=[
            {"lead_id": "1", "created_at": now, "converted_at": later, "customer_id": "KH1"},
        ],
        opportunities=[
            {"opportunity_id": "1", "status": "won", "closed_at": later, "reason_lost": "x"},
            {"opportunity_id": "2", "status": "lost", "closed_at": now, "reason_lost": "x"},
        ],
        tasks=[{"task_id": "1", "status": "done", "done_on": later}],
    )
    lead = rows(found, "leads")[0]
    assert lead["converted_at"] is None
    assert lead["customer_id"] is None
    one, two = rows(found, "opportunities")
    assert (one["status"], one["closed_at"], one["reason_lost"]) == ("open", None, None)
    assert (two["status"], two["reason_lost"]) == ("lost", "x")
    task = rows(found, "task_results")[0]
    assert (task["status"], task["done_on"]) == ("open", None)


@pytest.mark.requirement("003-10")
def test_survey_answers_get_a_number_and_need_a_customer() -> None:
    answer = {"customer_id": "KH1", "answered_on": day("2025-08-01"), "question": "nps"}
    found = run(surveys=[{**answer, "score": 9.0}, {**answer, "score": 3.0},
                         {**answer, "survey_id": "7", "customer_id": None}])  # fmt: skip
    numbers = [r["survey_id"] for r in rows(found, "surveys")]
    assert numbers == ["KH1~20250801~1", "KH1~20250801~2"]
    assert gone(found, "surveys") == {"7": "missing_customer"}
