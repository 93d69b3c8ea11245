"""When leadership is asked to collect overdue money."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.calendars import Period, WorkingCalendar
from analysis.engine import conform
from analysis.settings_measures import Strategy
from analysis.strategy import decisions
from analysis.tables import RECORD

Q4 = Period.parse("2025Q4")
NOTHING = pd.DataFrame()


def arrears(count: int, others: int = 3) -> pd.DataFrame:
    """`count` high-value customers in arrears with 1,000 overdue each, and some who are not."""
    total = count + others
    return pd.DataFrame(
        {
            "customer_id": [f"C{i}" for i in range(total)],
            "segment": "high_value",
            "balance": 2000.0,
            "overdue": 1000.0,
            "collect": [i < count for i in range(total)],
        }
    )


def kpis(share: float, target: float) -> pd.DataFrame:
    row = {"kpi": "overdue_share", "segment": "all", "period": "2025Q3"}
    return pd.DataFrame([{**row, "value": share, "target": target}])


@pytest.fixture
def asked(playbook):
    def _asked(owing, shares=None, **settings):
        moves = pd.DataFrame(columns=RECORD["movements"].names)
        plan = pd.DataFrame(columns=RECORD["plan"].names)
        summary = pd.DataFrame(columns=RECORD["plan_summary"].names)
        return decisions(
            summary, {}, moves, plan, Strategy(**settings), playbook=playbook, period_next=Q4,
            arrears=owing, kpis=shares,
        )  # fmt: skip

    return _asked


def test_many_in_arrears_are_a_decision(asked):
    found = asked(arrears(5))
    assert conform(found, RECORD["decisions"]).num_rows == 1
    row = found.iloc[0]
    assert (row["decision"], row["customers"], row["value"]) == ("collect", 5, 5000)
    assert (row["owner_role"], row["segment"], row["cost"]) == ("finance_director", "high_value", 0)
    assert WorkingCalendar("CN").is_working(row["due"].date())


def test_few_are_one_only_while_too_much_is_overdue(asked):
    few = arrears(4)
    assert asked(few).empty
    assert asked(few, kpis(0.17, 0.18)).empty
    assert asked(few, kpis(0.19, float("nan"))).empty
    assert asked(few, kpis(0.19, 0.18))["customers"].tolist() == [4]
    assert asked(few, kpis(0.19, 0.18), collect_overdue_share=0.25).empty
    assert len(asked(few, collect_customers=4)) == 1


def test_without_anybody_in_arrears_nobody_is_asked(asked):
    for owing in (None, NOTHING, arrears(0)):
        assert asked(owing, kpis(0.5, 0.1)).empty
