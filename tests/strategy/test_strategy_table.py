"""The table of strategies, row by row as the documents have it."""

from __future__ import annotations

import pytest

from analysis.calendars import Period
from analysis.engine import conform
from analysis.strategy import strategy_table
from analysis.tables import RECORD
from analysis.wording.told import told

from .test_plan import planned, summary_of

Q4 = Period.parse("2025Q4")


@pytest.fixture(scope="module")
def table(company, effects, playbook):
    rows = planned(company, effects, playbook)
    return strategy_table(playbook, summary_of(rows, company, effects, playbook), Q4)


def said(table, segment, column):
    rows = table[table["segment"] == segment]
    return "；".join(told(text, "zh", "CNY") for text in rows[column])


@pytest.mark.requirement("000-19", "001-23")
def test_no_empty_owner_or_goal(table, playbook):
    assert conform(table, RECORD["strategy_table"]).num_rows == len(table)
    for column in ("goal", "measures", "owner_role", "resources", "starts_on", "due", "kpi"):
        assert table[column].notna().all()
        assert (table[column] != "[]").all()
    assert list(table["strategy"]) == playbook.strategies()
    assert (table["starts_on"] <= table["due"]).all()
    # what is not planned stands there as well, without customers
    stopped = table.set_index("strategy").loc["win_back_offer"]
    assert (stopped["customers"], stopped["cost"]) == (0, 0)


def test_one_rank_in_both_tables(company, effects, playbook):
    rows = planned(company, effects, playbook)
    summary = summary_of(rows, company, effects, playbook)
    found = strategy_table(playbook, summary, Q4).set_index("strategy")
    ranks = summary.set_index("strategy")["rank"]
    assert found.loc[ranks.index, "rank"].tolist() == ranks.tolist()
    assert sorted(found["rank"]) == list(range(1, len(found) + 1))
    assert len(ranks) < len(found)


@pytest.mark.requirement("000-20")
def test_high_value_row(table):
    rows = table[table["segment"] == "high_value"].set_index("strategy")
    assert "深化合作" in said(table, "high_value", "goal")
    assert "高层互访" in said(table, "high_value", "measures")
    assert "季度业务复盘" in said(table, "high_value", "measures")
    assert rows.loc["executive_visit", "owner_role"] == "sales_director"
    assert "接待" in said(table, "high_value", "resources")


@pytest.mark.requirement("000-21")
def test_potential_row(table):
    rows = table[table["segment"] == "potential"].set_index("strategy")
    assert "缩短决策周期" in said(table, "potential", "goal")
    for words in ("试用", "线上研讨", "3 次操作指导"):
        assert words in said(table, "potential", "measures")
    assert set(rows["owner_role"]) == {"sales_rep"}
    assert "试用" in said(table, "potential", "resources")


@pytest.mark.requirement("000-22")
def test_churn_risk_row(table):
    rows = table[table["segment"] == "churn_risk"].set_index("strategy")
    assert "挽留" in said(table, "churn_risk", "goal")
    assert "48 小时内电话" in said(table, "churn_risk", "measures")
    assert "20.0%" in said(table, "churn_risk", "measures")
    assert set(rows["owner_role"]) == {"cs_specialist"}
    assert "优惠" in said(table, "churn_risk", "resources")
