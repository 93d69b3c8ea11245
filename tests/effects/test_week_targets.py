"""A week's target is that of its working days, and its gap adds up to the cent."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.calendars import Period, WorkingCalendar
from analysis.effects import week_gaps, week_targets
from analysis.effects.week_targets import member_basis, quarter_of, spread
from analysis.tables import RECORD

WEEK = Period.parse("2025-W39")  # 22 to 28 September: the Sunday is a make-up working day


def orders(*lines: tuple[str, str, float]) -> pa.Table:
    """Order lines: customer, day, money."""
    rows = [
        {
            "order_id": f"O{n}",
            "line_id": "1",
            "customer_id": who,
            "ordered_at": pd.Timestamp(day),
            "product": "p",
            "quantity": 1.0,
            "amount": Decimal(str(money)),
        }
        for n, (who, day, money) in enumerate(lines)
    ]
    return pa.Table.from_pylist(rows, schema=RECORD["orders"].schema())


def quarter_target(value: float, period: str = "2025Q3", **more: object) -> pd.DataFrame:
    return pd.DataFrame(
        [{"kpi": "revenue", "period": period, "segment": "all", "value": value, **more}]
    )


LINES = (
    ("A", "2024-10-08", 700.0), ("B", "2025-05-06", 300.0), ("C", "2025-06-30", 0.01),
    ("A", "2025-07-01", 100.0), ("A", "2025-09-22", 60.0), ("B", "2025-09-28", 30.5),
    ("B", "2025-09-29", 1000.0), ("D", "2025-09-24", 5.0),
)  # fmt: skip
CUSTOMERS = pd.DataFrame(
    {
        "customer_id": ["A", "B", "C", "D"],
        "region": ["north", "south", "north", None],
        "team_id": [None] * 4,
        "owner_id": ["P1", "P2", "P1", None],
    }
)


def test_the_weeks_target_is_that_of_its_working_days() -> None:
    found = week_targets(orders(*LINES), quarter_target(6700.0), WEEK, WEEK.end).set_index("span")
    calendar = WorkingCalendar("CN")
    days = [date(2025, 7, 1) + timedelta(days=n) for n in range(92)]
    assert sum(map(calendar.is_working, days)) == 67  # 1 July to 30 September
    week, quarter = found.loc["week"], found.loc["quarter"]
    assert (week["working_days"], week["target"], week["actual"]) == (6, 600.0, 95.5)
    assert week["gap"] == 95.5 - 600.0
    assert (quarter["working_days"], quarter["target"], quarter["actual"]) == (65, 6500.0, 195.5)
    assert (quarter["days_left"], quarter["needed"]) == (2, pytest.approx((6700 - 195.5) / 2))
    assert list(found["basis"]) == ["target", "target"]


@pytest.mark.requirement("000-27")
@settings(max_examples=4, deadline=None)
@given(st.integers(0, 3), st.integers(1, 10**9))
def test_the_weeks_of_a_quarter_add_up_to_it(part: int, cents: int) -> None:
    quarter = Period.parse(f"2025Q{part + 1}")
    goal = quarter_target(cents / 100, quarter.name)
    week = Period.parse("2025-W01").back(-13 * part)
    total, day = 0.0, quarter.start
    books = orders(("A", "2024-01-02", 1.0))
    while day <= quarter.end:
        iso = day.isocalendar()
        week = Period.parse(f"{iso.year:04d}-W{iso.week:02d}")
        last = min(week.end, quarter.end)
        rows = week_targets(books, goal, week, last).set_index("span")
        so_far = rows.loc["quarter", "target"]
        total, day = so_far, week.end + timedelta(days=1)
    assert total == pytest.approx(cents / 100, abs=0.0001)


def test_a_week_on_the_edge_takes_each_day_from_its_quarter() -> None:
    goals = pd.concat([quarter_target(6700.0), quarter_target(59000.0, "2025Q4")])
    edge = Period.parse("2025-W40")  # 29 and 30 September work, then the holiday begins
    found = week_targets(orders(*LINES), goals, edge, edge.end).set_index("span")
    assert found.loc["week", "target"] == 200.0
    assert found.loc["quarter", "starts_on"] == pd.Timestamp("2025-10-01")
    assert found.loc["quarter", "working_days"] == 0
    assert pd.isna(found.loc["quarter", "attainment"])


def test_without_a_target_the_pace_of_the_quarter_before_stands_in() -> None:
    found = week_targets(orders(*LINES), None, WEEK, WEEK.end).set_index("span")
    assert list(found["basis"]) == ["pace", "pace"]
    before = [date(2025, 4, 1) + timedelta(days=n) for n in range(91)]
    working = sum(map(WorkingCalendar("CN").is_working, before))
    assert found.loc["week", "target"] == pytest.approx(300.01 / working * 6, abs=0.0001)


def test_a_day_before_the_weeks_end_counts_its_days_alone() -> None:
    found = week_targets(orders(*LINES), quarter_target(6700.0), WEEK, date(2025, 9, 23))
    assert found.set_index("span").loc["week", ["target", "actual"]].tolist() == [200.0, 60.0]


@pytest.mark.requirement("000-27")
@pytest.mark.parametrize("split", ["region", "owner", "customers", "price", "team"])
@pytest.mark.parametrize("goal", [6700.0, 0.03, None])
def test_every_split_adds_up_to_the_cent(split: str, goal: float | None) -> None:
    books = orders(*LINES)
    targets = None if goal is None else quarter_target(goal)
    found = week_targets(books, targets, WEEK, WEEK.end)
    gaps = week_gaps(books, found, WEEK, CUSTOMERS, targets, split=split)
    chosen = "customers" if split == "team" else split  # no customer has a team
    assert set(gaps.loc[gaps["span"] == "week", "split"]) == {chosen}
    for (span, _), rows in gaps.groupby(["span", "split"]):
        parts = rows.set_index("step")["amount"].map(lambda v: Decimal(repr(float(round(v, 4)))))
        own = found.set_index("span").loc[span]
        assert parts["base"] == Decimal(repr(float(round(own["target"], 4))))
        assert parts["actual"] == Decimal(repr(float(round(own["actual"], 4))))
        assert sum(parts.drop("actual")) == parts["actual"]


def test_a_member_is_held_against_its_part_of_the_target() -> None:
    books, targets = orders(*LINES), quarter_target(6700.0)
    found = week_targets(books, targets, WEEK, WEEK.end)
    gaps = week_gaps(books, found, WEEK, CUSTOMERS, targets)
    parts = gaps[gaps["span"] == "week"].set_index("step")["amount"]
    north, south = 600 * 700.01 / 1000.01, 600 * 300 / 1000.01
    assert parts["north"] == pytest.approx(60 - north, abs=0.001)
    assert parts["south"] == pytest.approx(30.5 - south, abs=0.001)
    assert parts["unknown"] == 5.0  # nobody asked anything of it
    assert "not_assigned" not in parts


def test_persons_own_targets_come_first() -> None:
    books = orders(*LINES)
    targets = pd.concat(
        [quarter_target(670.0, owner_id="P1"), quarter_target(6030.0, owner_id="P2")]
    )
    found = week_targets(books, targets, WEEK, WEEK.end)
    assert found["whole"].iloc[1] == 6700.0
    gaps = week_gaps(books, found, WEEK, CUSTOMERS, targets, split="owner")
    parts = gaps[gaps["span"] == "week"].set_index("step")["amount"]
    assert (parts["P1"], parts["P2"]) == (0.0, 30.5 - 540.0)
    assert member_basis(books, targets, CUSTOMERS, "owner", WEEK)["source"] == "targets"
    assert member_basis(books, targets, CUSTOMERS, "region", WEEK)["source"] == "revenue"
    assert member_basis(books, targets, CUSTOMERS, "price", WEEK)["source"] == "none"


@given(
    st.decimals(-1000, 10**9, places=4),
    st.dictionaries(st.text(min_size=1, max_size=3), st.decimals(0, 10**8, places=4), max_size=6),
)
def test_spreading_loses_nothing(total: Decimal, shares: dict[str, Decimal]) -> None:
    parts = spread(total, shares)
    if sum(shares.values()):
        assert sum(parts.values()) == total
        assert spread(total, dict(reversed(shares.items()))) == parts
    else:
        assert parts == {}


def test_the_quarter_of_a_day() -> None:
    names = [quarter_of(date(2025, month, 1)).name for month in (1, 3, 4, 9, 10, 12)]
    assert names == ["2025Q1", "2025Q1", "2025Q2", "2025Q3", "2025Q4", "2025Q4"]
