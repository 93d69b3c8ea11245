"""Outcomes, the bridge and the KPIs, from orders."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.schemes import scheme_segments

from analysis import wording
from analysis.calendars import Period
from analysis.effects import bridge, kpis, outcomes_from_orders
from analysis.effects.kpi_compare import status, time_elapsed
from analysis.effects.kpi_dictionary import BY_KEY, KPIS
from analysis.effects.kpi_values import year_start
from analysis.engine import conform
from analysis.settings_measures import Effectiveness
from analysis.tables import RECORD

Q3 = Period.parse("2025Q3")
SETTINGS = Effectiveness()


def orders(*lines):
    """Lines of (customer, day, amount[, cost]), each an order."""
    rows = [
        {
            "order_id": f"O{i}",
            "line_id": "1",
            "customer_id": line[0],
            "ordered_at": pd.Timestamp(line[1]),
            "amount": Decimal(str(line[2])),
            "cost": Decimal(str(line[3])) if len(line) > 3 else None,
        }
        for i, line in enumerate(lines)
    ]
    return pa.Table.from_pylist(rows, schema=RECORD["orders"].schema())


def measured(frame, kpi, segment="all", period="2025Q3"):
    """The one row of a KPI."""
    found = frame.query("kpi == @kpi and segment == @segment and period == @period")
    assert len(found) == 1
    return found.iloc[0]


def test_outcomes_and_the_window_before_the_trigger():
    treatments = pd.DataFrame(
        {
            "customer_id": ["A", "B", "C"],
            "started_on": [pd.Timestamp("2025-06-20"), pd.NaT, pd.NaT],
        }
    )
    lines = orders(
        ("A", "2025-07-01 00:00", 10),
        ("A", "2025-09-30 23:59", 5),
        ("A", "2025-10-01", 100),
        ("A", "2025-06-20", 1000),  # after the trigger, before the period: neither
        ("A", "2025-06-19", 7),
        ("A", "2025-03-20", 3),  # first day of the 92 before 20 June
        ("A", "2025-03-19", 2000),
        ("B", "2025-08-01", -4),
        ("X", "2025-08-01", 9),  # not in the measure
    )
    found = outcomes_from_orders(lines, treatments, Q3).set_index("customer_id")
    assert list(found.index) == ["A", "B", "C"]
    assert list(found["value"]) == [15, -4, 0]
    assert list(found["before"]) == [10, 0, 0]
    assert set(found["outcome"]) == {"revenue"}


def test_outcomes_without_a_start_end_at_the_period():
    treatments = pd.DataFrame({"customer_id": ["A"]})
    lines = orders(("A", "2025-06-30", 1), ("A", "2025-03-31", 2), ("A", "2025-03-30", 4))
    assert outcomes_from_orders(lines, treatments, Q3)["before"].tolist() == [3]
    young = orders(("A", "2025-07-30", 1))
    assert outcomes_from_orders(young, treatments, Q3)["before"].isna().all()


def test_outcomes_take_arrow_too():
    treatments = pa.table(
        {"customer_id": ["A", "B"], "started_on": pa.nulls(2, pa.timestamp("us"))}
    )
    assert len(outcomes_from_orders(orders(("A", "2025-07-30", 1)), treatments, Q3)) == 2


lines_of = st.lists(
    st.tuples(
        st.sampled_from("ABCDEFGH"),
        st.dates(date(2024, 10, 1), date(2025, 10, 31)),
        st.decimals(-999_999, 9_999_999, places=4, allow_nan=False),
    ),
    max_size=40,
)


@given(lines_of)
@settings(max_examples=60, deadline=None)
@pytest.mark.requirement("000-27")
def test_bridge_adds_up_to_the_cent(lines):
    table = orders(*lines)
    steps = {
        row["step"]: row["amount"]
        for row in conform(bridge(table, Q3), RECORD["bridge"]).to_pylist()
    }
    changes = sum((steps[s] for s in ("new", "returned", "more", "less", "not_bought")), Decimal(0))
    assert steps["previous"] + changes == steps["current"]
    current = sum((a for _, d, a in lines if Q3.start <= d <= Q3.end), Decimal(0))
    assert steps["current"] == current


def test_bridge_steps():
    table = orders(
        ("new", "2025-07-05", 10),
        ("back", "2024-12-01", 50),
        ("back", "2025-08-01", 20),
        ("more", "2025-05-01", 100),
        ("more", "2025-08-01", 130),
        ("less", "2025-05-01", 100),
        ("less", "2025-08-01", 60),
        ("gone", "2025-06-30", 70),
        ("same", "2025-06-30", 5),
        ("same", "2025-07-30", 5),
        ("old", "2024-01-01", 5),
    )
    found = bridge(table, Q3).set_index("step")
    assert found["amount"].to_dict() == {
        "previous": 275,
        "new": 10,
        "returned": 20,
        "more": 30,
        "less": -40,
        "not_bought": -70,
        "current": 225,
    }
    assert found["customers"].to_dict() == {
        "previous": 4,
        "new": 1,
        "returned": 1,
        "more": 1,
        "less": 1,
        "not_bought": 1,
        "current": 5,
    }
    year = bridge(table, Q3, Period.parse("2024Q3")).set_index("step")
    assert year.loc["previous", "amount"] == 0


def history():
    """Two and a half years of one steady customer, and some others."""
    steady = [
        ("steady", day, 100, 60) for day in pd.date_range("2023-01-02", "2025-09-30", freq="MS")
    ]
    return orders(
        *steady,
        ("lost", "2024-02-01", 500, 300),
        ("kept", "2024-05-01", 200, 150),
        ("kept", "2025-08-15", 400, 380),
        ("first", "2025-09-01", 50, 10),
        ("first", "2025-09-02", -20, -4),
        ("sender", "2025-08-02", -30),  # a return only: no purchase, no cost known
    )


@pytest.mark.requirement("001-25")
def test_kpi_values_by_hand():
    found = kpis(history(), None, Q3, SETTINGS)
    value = {key: measured(found, key)["value"] for key in found["kpi"].unique()}
    # steady: three orders of 100; kept 400; first 50 − 20; sender −30
    assert value["revenue"] == 300 + 400 + 30 - 30
    assert value["gross_margin_rate"] == pytest.approx((730 - (180 + 380 + 6)) / 730)
    assert value["active_customers"] == 3
    assert value["new_customers"] == 1
    assert value["average_order"] == pytest.approx(700 / 5)
    # bought 2023-10-01 … 2024-09-30: steady, lost, kept; again in the last year: steady, kept
    retention = measured(found, "retention")
    assert (retention["numerator"], retention["denominator"]) == (2, 3)
    # last year: steady (12 orders), kept (1), first (1 and a return)
    repurchase = measured(found, "repurchase_rate")
    assert (repurchase["numerator"], repurchase["denominator"]) == (1, 3)
    assert np.isnan([value[k] for k in ("visit_coverage", "satisfaction", "ytd_attainment")]).all()
    assert np.isnan(value["high_value_customers"])
    missing = measured(found, "visit_coverage")
    assert missing["status"] == "none"


def test_kpi_periods_changes_and_history():
    found = kpis(history(), None, Q3, SETTINGS)
    revenue = found.query("kpi == 'revenue' and segment == 'all'")
    assert len(revenue) == 9
    assert revenue["period"].iloc[0] == "2025Q3"
    assert revenue["period"].iloc[-1] == "2023Q3"
    row = measured(found, "revenue")
    assert (row["previous"], row["year_ago"]) == (300, 300)
    assert row["change"] == pytest.approx(700 / 300 - 1)
    share = measured(found, "retention", period="2025Q2")
    assert share["change"] == pytest.approx(share["value"] - share["previous"])
    # two years are needed: 2024Q3 reaches back to 2022-10-01, before the first order
    assert np.isnan(measured(found, "retention", period="2024Q3")["value"])
    short = kpis(orders(("A", "2025-08-20", 1)), None, Q3, SETTINGS)
    # the reported quarter's orders are its orders; what was not recorded before is not 0
    assert measured(short, "revenue")["value"] == 1
    assert short["previous"].isna().all()
    assert short[short["period"] != Q3.name]["value"].isna().all()
    assert conform(found, RECORD["kpis"]).num_rows == len(found)


def test_targets_and_lights():
    targets = pd.DataFrame(
        [
            ("revenue", "2025Q3", None, None, 710.0),
            ("retention", "2025Q3", "all", "", 0.68),
            ("average_order", "2025Q3", "all", None, 140.0),
            ("active_customers", "2025Q3", "all", None, 10.0),
            ("revenue", "2025", "all", None, 2000.0),
            ("new_customers", "2025Q3", "all", "P1", 1.0),
            ("new_customers", "2025Q3", "all", "P2", 2.0),
        ],
        columns=["kpi", "period", "segment", "owner_id", "value"],
    )
    found = kpis(history(), targets, Q3, SETTINGS, watch=0.02)
    revenue = measured(found, "revenue")
    assert revenue["attainment"] == pytest.approx(700 / 710)
    assert (revenue["gap"], revenue["status"]) == (-10, "watch")
    assert measured(found, "retention")["status"] == "watch"
    assert measured(found, "average_order")["status"] == "on_target"
    assert measured(found, "active_customers")["status"] == "below"
    assert measured(found, "new_customers")["target"] == 3
    year = measured(found, "ytd_attainment")
    assert year["value"] == pytest.approx((600 + 700) / 2000)
    assert year["target"] == 0.75
    assert np.isnan(year["previous"])
    quarters = targets.query("period == '2025Q3'").copy()
    assert np.isnan(measured(kpis(history(), quarters, Q3, SETTINGS), "ytd_attainment")["value"])
    full = pd.concat([quarters, *(quarters.assign(period=f"2025Q{q}").iloc[:1] for q in (1, 2, 4))])
    year = measured(kpis(history(), full, Q3, SETTINGS), "ytd_attainment")
    assert year["denominator"] == 4 * 710


def test_segments_visits_and_ratings():
    customers = pd.DataFrame(
        {
            "customer_id": ["steady", "kept", "first", "lost", "later"],
            "joined_on": pd.to_datetime(
                ["2023-01-01", None, "2025-09-01", "2024-01-01", "2025-12-01"]
            ),
        }
    )
    segments = pd.DataFrame(
        {"customer_id": ["steady", "kept", "first"], "segment": ["a", "a", "b"]}
    )
    activities = pa.Table.from_pylist(
        [
            {"activity_id": i, "customer_id": c, "happened_at": pd.Timestamp(d), "kind": k}
            for i, (c, d, k) in enumerate(
                [
                    ("steady", "2025-04-02", "visit"),
                    ("steady", "2025-07-02", "visit"),
                    ("steady", "2025-07-03", "call"),
                    ("kept", "2025-08-02", "mail"),
                    ("lost", "2025-09-30 18:00", "call"),
                ]
            )
        ]
    )
    tickets = pa.Table.from_pylist(
        [
            {"customer_id": c, "opened_at": pd.Timestamp("2025-07-09"), "satisfaction": s}
            for c, s in (("steady", 4.0), ("kept", 3.0), ("kept", None))
        ]
    )
    counts = pd.DataFrame(
        {
            "period": ["2025Q3", "2025Q3", "2025Q2"],
            "segment": ["high_value", "new", "high_value"],
            "customers": [18, 3, 20],
        }
    )
    found = kpis(
        history(),
        None,
        Q3,
        SETTINGS,
        tables={
            "segments": segments,
            "segment_history": counts,
            "scheme_segments": scheme_segments(),
            "customers": customers,
            "activities": activities,
            "tickets": tickets,
        },
    )
    coverage = measured(found, "visit_coverage")
    # known: steady, kept, first, lost, and sender by its order; "later" is not yet
    assert (coverage["numerator"], coverage["denominator"]) == (2, 5)
    assert np.isnan(measured(found, "visit_coverage", period="2025Q1")["value"])  # no records yet
    assert measured(found, "visit_coverage", "a")["value"] == 0.5
    assert measured(found, "satisfaction")["value"] == 3.5
    assert measured(found, "satisfaction")["n"] == 2
    high = measured(found, "high_value_customers")
    assert (high["value"], high["previous"]) == (18, 20)
    parts = [measured(found, "revenue", s)["value"] for s in ("a", "b")]
    assert parts == [700, 30]
    assert np.isnan(measured(found, "revenue", "a")["previous"])
    assert conform(found, RECORD["kpis"]).num_rows == len(found)


@pytest.mark.requirement("000-27", "001-25")
@pytest.mark.parametrize("name", ["2025-W36", "2025-09", "2025H1", "2025"])
def test_other_periods(name):
    found = kpis(history(), None, Period.parse(name), SETTINGS)
    assert set(found.query("kpi == 'revenue'")["value"].notna())
    assert found["period"].nunique() == 9


def test_status_reads_the_direction():
    kpi = BY_KEY["revenue"]
    assert status(kpi, 98.0, 100.0, 0.02) == "watch"
    assert status(kpi, 97.9, 100.0, 0.02) == "below"
    lower = type(kpi)("overdue", "share", "overdue", better="lower")
    assert status(lower, 0.17, 0.18, 0.02) == "on_target"
    assert status(lower, 0.22, 0.18, 0.02) == "below"


def test_share_of_the_year():
    assert time_elapsed(Q3) == 0.75
    assert time_elapsed(Period.parse("2025-01")) == pytest.approx(1 / 12)
    assert 0.6 < time_elapsed(Period.parse("2025-W36")) < 0.7
    assert year_start(date(2024, 2, 28)) == date(2023, 2, 28)  # no 29 February in 2023
    assert year_start(date(2025, 9, 30)) == date(2024, 10, 1)


def test_every_kpi_has_a_name_and_a_definition():
    for kpi in KPIS:
        assert wording.has(f"kpi.{kpi.key}")
        assert wording.has(f"kpi_definition.{kpi.key}")
