"""Goals: value, baseline, light, and what can be shown at all."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.optimize import brentq
from statsmodels.stats.proportion import proportion_confint

from analysis import wording
from analysis.calendars import Period
from analysis.effects import baselines, goals
from analysis.effects import kpis as measured_kpis
from analysis.effects.goals import customers_to_show
from analysis.engine import conform
from analysis.settings_goals import Goal
from analysis.settings_measures import Effectiveness
from analysis.tables import RECORD

Q3 = Period.parse("2025Q3")


def goal(kpi, direction="at_least", **more):
    return Goal(**{"goal": kpi, "kpi": kpi, "segment": "all", "direction": direction,
                   "due": "2025Q3", **more})  # fmt: skip


def kpis(*rows):
    """Rows of (kpi, segment, period, value, unit, numerator, denominator)."""
    made = pd.DataFrame(columns=RECORD["kpis"].names)
    for row in rows:
        names = ["kpi", "segment", "period", "value", "unit", "numerator", "denominator"]
        made.loc[len(made), names] = row
    made["n"] = made["denominator"]
    return made


def notes(frame):
    return [
        [n["key"] for n in json.loads(text)] if isinstance(text, str) else []
        for text in frame["note"]
    ]


VALUES = kpis(
    ("retention", "all", "2025Q3", 0.88, "share", 88, 100),
    ("retention", "all", "2025Q2", 0.86, "share", 86, 100),
    ("satisfaction", "at_risk", "2025Q3", 3.9, "number", np.nan, np.nan),
    ("revenue", "all", "2025Q3", 95.0, "money", np.nan, np.nan),
)


def test_lights_and_the_way_covered():
    found = goals(
        [
            goal("churn_rate", "at_most", target=0.10),
            goal("retention", "up", change=0.05, since="2025Q2", due="2025Q4"),
            goal("retention", "up", change=0.01, since="2025Q2"),
            goal("retention", target=0.95, baseline=0.80),
            goal("revenue", target=100.0, segment="all"),
            goal("satisfaction", target=4.0, segment="at_risk"),
            goal("revenue", "down", baseline=120.0, change=0.25),
        ],
        VALUES,
        Q3,
    )
    assert found["value"].tolist() == pytest.approx([0.12, 0.88, 0.88, 0.88, 95, 3.9, 95])
    assert found["target"].tolist() == pytest.approx([0.1, 0.903, 0.8686, 0.95, 100, 4, 90])
    # missed by two points; on its way and not due; reached; seven points short; …
    assert found["status"].tolist() == [
        "watch", "watch", "on_target", "below", "below", "below", "below",
    ]  # fmt: skip
    assert found["attainment"].tolist() == pytest.approx(
        [1.2, 0.02 / 0.043, 0.02 / 0.0086, 0.08 / 0.15, 0.95, 0.975, 25 / 30]
    )
    assert found["unit"].tolist()[:2] == ["share", "share"]


def test_what_cannot_be_measured_says_so():
    found = goals(
        [
            goal("satisfaction", target=4.0),
            goal("retention", "up", change=0.1, since="2024Q2"),
            goal("retention", "up", change=0.2, baseline=0.9, since=None),
        ],
        VALUES,
        Q3,
    )
    assert found["status"].tolist() == ["none", "none", "below"]
    assert notes(found) == [
        ["goal_note.not_measured"],
        ["goal_note.no_baseline"],
        ["goal_note.beyond_whole"],
    ]


def test_a_segment_starts_from_what_its_customers_of_then_did():
    """Gold had G1 and G2 at the end of Q2, one of whom has bought twice within a year."""
    lines = [
        ("G1", "2025-01-10", 10), ("G1", "2025-05-10", 10), ("G2", "2025-03-10", 10),
        ("G3", "2025-02-10", 10), ("G3", "2025-08-10", 10), ("G1", "2022-01-10", 10),
    ]  # fmt: skip
    rows = [
        {"order_id": f"O{i}", "line_id": "1", "customer_id": who, "ordered_at": pd.Timestamp(day),
         "amount": Decimal(money)}
        for i, (who, day, money) in enumerate(lines)
    ]  # fmt: skip
    bought = pa.Table.from_pylist(rows, schema=RECORD["orders"].schema())
    aims = [
        goal("repurchase_rate", "up", segment="gold", change=0.2, since="2025Q2"),
        goal("repurchase_rate", "up", segment="all", change=0.2, since="2025Q2"),
    ]
    then = pd.DataFrame({"customer_id": ["G1", "G2"], "segment": "gold"})
    now = pd.DataFrame({"customer_id": ["G1", "G3"], "segment": "gold"})
    here = measured_kpis(bought, None, Q3, Effectiveness(), tables={"segments": now})
    was = baselines(aims, bought, then, Q3.previous(), Effectiveness(), tables={})
    conform(was, RECORD["kpis"])
    found = goals(aims, pd.concat([here, was]), Q3).iloc[0]
    assert (found["baseline"], found["value"]) == (0.5, 1.0)
    assert found["target"] == pytest.approx(0.6)
    # nobody asks for a segment, or since an earlier period: nothing is computed
    for other in (aims[1:], [goal("retention", "up", segment="gold", change=0.2, since="2025Q1")]):
        assert baselines(other, bought, then, Q3.previous(), Effectiveness(), tables={}).empty


@pytest.mark.parametrize(("target", "n"), [(0.98, 189), (0.95, 73), (0.9, 35), (0.3, 2)])
def test_customers_to_show_agree_with_another_wilson_interval(target, n):
    assert customers_to_show(target, at_least=True) == n
    assert customers_to_show(1 - target, at_least=False) == n

    def spare(size):
        low, _ = proportion_confint(size, size, method="wilson")
        return low - target

    assert brentq(spare, 0.01, 10_000) == pytest.approx(n, abs=1)
    assert proportion_confint(n, n, method="wilson")[0] >= target


ORDERS = [
    # customer, day, amount
    ("G1", "2024-05-01", 400_000),
    ("G1", "2025-05-01", 800_000),
    ("G2", "2024-05-01", 600_000),
    ("G2", "2025-02-01", 500_000),
    ("G3", "2025-09-30", 799_999),
    ("R1", "2025-07-01", 10),
    ("R2", "2024-01-01", 10),
    ("R3", "2025-08-01", 10),
    ("R3", "2025-08-02", -10),
    ("X", "2023-01-01", 1),
]
MEMBERS = pd.DataFrame(
    [("G1", "gold"), ("G2", "gold"), ("G3", "gold"), ("G4", "gold"),
     ("R1", "at_risk"), ("R2", "at_risk"), ("R3", "at_risk")],
    columns=["customer_id", "segment"],
)  # fmt: skip


def orders():
    rows = [
        {
            "order_id": f"O{i}",
            "line_id": "1",
            "customer_id": customer,
            "ordered_at": pd.Timestamp(day),
            "amount": Decimal(amount),
        }
        for i, (customer, day, amount) in enumerate(ORDERS)
    ]
    return pa.Table.from_pylist(rows, schema=RECORD["orders"].schema())


def test_what_goals_ask_beyond_the_kpis_by_hand():
    wanted = [
        goal("annual_purchase", "up", segment="gold", change=0.2, since="2025Q2"),
        goal("upsell_rate", segment="gold", target=0.15),
        goal("reached_share", segment="gold", target=0.3, reach=800_000),
        goal("reached_customers", segment="gold", target=1, reach=800_000),
        goal("win_back_rate", segment="at_risk", target=0.3),
        goal("won_back", segment="at_risk", target=15),
    ]
    found = goals(wanted, VALUES, Q3, orders=orders(), segments_before=MEMBERS)
    assert found["value"].tolist() == pytest.approx(
        [(800_000 + 500_000 + 799_999) / 4, 400_000 / 1_000_000, 1 / 4, 1, 2 / 3, 2]
    )
    assert found["n"].tolist() == [4, 2, 4, 4, 3, 3]
    # a quarter of four reaches it: the share asks for two, the number for one
    assert notes(found)[3] == ["goal_note.disagree"]
    assert conform(found, RECORD["goals"]).num_rows == 6
    assert found["baseline"].iloc[0] == pytest.approx((800_000 + 500_000) / 4)
    assert found["status"].tolist() == [
        "on_target", "on_target", "below", "on_target", "on_target", "below",
    ]  # fmt: skip
    young = orders().slice(0, 9)  # records begin in January 2024: no year before
    short = goals(wanted[1:2], VALUES, Period.parse("2024Q4"), orders=young,
                  segments_before=MEMBERS)  # fmt: skip
    assert short["status"].tolist() == ["none"]


@pytest.mark.requirement("001-32")
@pytest.mark.parametrize(("customers", "agree"), [(50, True), (49, True), (51, False), (40, False)])
def test_a_share_and_a_number_of_the_same_customers_agree(customers, agree):
    pair = [
        goal("win_back_rate", segment="at_risk", target=0.30, customers=customers),
        goal("won_back", segment="at_risk", target=15, customers=customers),
    ]
    found = notes(goals(pair, VALUES, Q3))[1]
    assert ("goal_note.disagree" not in found) == agree


@pytest.mark.requirement("001-32")
def test_fifteen_customers_cannot_show_98_percent():
    wanted = [goal("renewal_rate", segment="platinum", target=0.98, customers=15)]
    (note,) = [n for n in json.loads(goals(wanted, VALUES, Q3)["note"].iloc[0])
               if n["key"] == "goal_note.too_few"]  # fmt: skip
    args = {name: arg["value"] for name, arg in note["args"].items()}
    assert args == {"n": 15, "n_needed": 189, "one": pytest.approx(1 / 15), "target": 0.98}
    assert wording.has(note["key"])
    counted = kpis(("renewal_rate", "platinum", "2025Q3", 0.99, "share", 198, 200))
    assert notes(goals(wanted, counted, Q3)) == [[]]
    by_value = counted.assign(n=15.0)
    assert notes(goals(wanted, by_value, Q3)) == [[]]  # a share of money: other spread


def test_no_goals_no_rows():
    assert list(goals([], VALUES, Q3).columns) == RECORD["goals"].names


def test_goals_of_another_scheme_s_segments_are_left_out():
    chosen = [goal("retention", target=0.8), goal("satisfaction", target=4.0, segment="at_risk")]
    scheme = pd.DataFrame({"segment": ["platinum", "at_risk"], "primary": [True, False]})
    found = goals(chosen, VALUES, Q3, scheme_segments=scheme)
    assert list(found["goal"]) == ["retention"]
    assert len(goals(chosen, VALUES, Q3)) == 2
