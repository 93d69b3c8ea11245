"""Histories from archives: what differs from one day to the next, and nothing that nobody saw."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.sources import (
    changes,
    customer_changes,
    owner_changes,
    stage_changes,
    stage_history,
    tier_changes,
)
from analysis.sources.snapshots import by_own_number

DAYS = [datetime(2025, 9, day) for day in (5, 12, 19, 26)]


def archived(*states: dict[str, str | None], key: str = "opportunity_id", column: str = "stage"):  # type: ignore[no-untyped-def]
    """One state a day: key → value."""
    rows = [
        {key: who, column: value, "taken_on": day}
        for day, state in zip(DAYS, states, strict=False)
        for who, value in state.items()
    ]
    schema = pa.schema(
        [(key, pa.string()), (column, pa.string()), ("taken_on", pa.timestamp("us"))]
    )
    return pa.Table.from_pylist(rows, schema=schema)


# O1 moves twice and back, O2 stays, O3 comes in the second week, O4 is missing in the third.
SERIES = archived(
    {"O1": "lead", "O2": "offer", "O4": "lead"},
    {"O1": "offer", "O2": "offer", "O3": "lead", "O4": "lead"},
    {"O1": "offer", "O2": "offer", "O3": "won"},
    {"O1": "lead", "O2": "offer", "O3": "won", "O4": "lost"},
)
TRUTH = {
    ("O1", "lead", "offer", DAYS[0], DAYS[1]),
    ("O1", "offer", "lead", DAYS[2], DAYS[3]),
    ("O3", "lead", "won", DAYS[1], DAYS[2]),
    ("O4", "lead", "lost", DAYS[1], DAYS[3]),
}


def told(table: pa.Table) -> set[tuple[object, ...]]:
    rows = table.to_pylist()
    return {tuple(row.values()) for row in rows if row["last_seen"] is not None}


def test_changes_lie_between_the_two_days_that_saw_them() -> None:
    found = stage_changes(SERIES)
    assert told(found) == TRUTH
    first = {r["opportunity_id"]: r["first_seen"] for r in found.to_pylist() if not r["last_seen"]}
    assert first == {"O1": DAYS[0], "O2": DAYS[0], "O3": DAYS[1], "O4": DAYS[0]}


def test_the_stage_history_knows_nothing_before_the_first_archive() -> None:
    rows = {tuple(row.values()) for row in stage_history(SERIES).to_pylist()}
    assert rows == {
        ("O1", "offer", DAYS[1]), ("O1", "lead", DAYS[3]), ("O3", "lead", DAYS[1]),
        ("O3", "won", DAYS[2]), ("O4", "lost", DAYS[3]),
    }  # fmt: skip


def test_owners_and_tiers_change_likewise() -> None:
    owners = archived(
        {"C1": "P1"}, {"C1": None}, {"C1": "P2"}, key="customer_id", column="owner_id"
    )
    assert told(owner_changes(owners)) == {
        ("C1", "P1", None, DAYS[0], DAYS[1]), ("C1", None, "P2", DAYS[1], DAYS[2]),
    }  # fmt: skip
    tiers = archived({"C1": "A"}, {"C1": "A"}, {"C1": "B"}, key="customer_id", column="own_tier")
    assert told(tier_changes(tiers)) == {("C1", "A", "B", DAYS[1], DAYS[2])}


def test_customers_change_owner_tier_and_balance() -> None:
    rows = [
        ("C1", "P1", "A", DAYS[0]), ("C2", "P1", "B", DAYS[0]),
        ("C1", "P2", "A", DAYS[1]), ("C2", "P1", "A", DAYS[1]), ("C3", "P9", "B", DAYS[1]),
    ]  # fmt: skip
    names = ["customer_id", "owner_id", "own_tier", "taken_on"]
    customers = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    owed = pa.table(
        {
            "customer_id": ["E1", "E1", "E1", "E2", "E1"],
            "as_of": [DAYS[0], DAYS[0], datetime(2025, 8, 31), DAYS[1], DAYS[2]],
            "amount": pa.array([5, 7, 99, 3, 12], pa.decimal128(18, 4)),
            "taken_on": [DAYS[0], DAYS[0], DAYS[0], DAYS[1], DAYS[2]],
        }
    )
    found = customer_changes(customers, owed)
    listed = [tuple(row.values()) for row in found.to_pylist()]
    assert listed == [
        ("C1", DAYS[1], "owner_id", "P1", "P2"), ("C2", DAYS[1], "own_tier", "B", "A"),
        ("E1", DAYS[1], "receivables", "12.00", "0.00"),
        ("E1", DAYS[2], "receivables", "0.00", "12.00"),
        ("E2", DAYS[1], "receivables", "0.00", "3.00"),
        ("E2", DAYS[2], "receivables", "3.00", "0.00"),
    ]  # fmt: skip
    numbered = found.append_column("_row", pa.array(range(len(found))))
    known = pa.table({"system": ["erp", "desk"], "key": ["E1", "E2"], "customer_id": ["C1", "C9"]})
    ids = by_own_number(numbered, known, "erp")["customer_id"].to_pylist()
    assert ids == ["C1", "C2", "C1", "C1", "E2", "E2"]
    assert customer_changes(pa.table({}), pa.table({})).num_rows == 0


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abc"), st.sampled_from(["x", "y", None])), min_size=1,
        max_size=4,
    ),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_replaying_the_changes_gives_the_last_state(states: list[dict[str, str]], rng) -> None:  # type: ignore[no-untyped-def]
    series = archived(*states)
    order = list(range(len(series)))
    rng.shuffle(order)
    found = changes(series.take(pa.array(order, pa.int64())), "opportunity_id", "stage")
    assert found.equals(changes(series, "opportunity_id", "stage"))
    replayed: dict[str, str | None] = {}
    for row in found.to_pylist():
        if row["last_seen"] is not None:
            assert replayed[row["opportunity_id"]] == row["before"]
        replayed[row["opportunity_id"]] = row["after"]
    last = {key: value for state in states for key, value in state.items()}
    assert replayed == last


@pytest.mark.parametrize("twice", [("a", "b"), ("b", "a")])
def test_a_number_that_stands_twice_in_an_export_counts_once(twice: tuple[str, str]) -> None:
    rows = [{"lead_id": "L1", "stage": stage, "taken_on": DAYS[0]} for stage in twice]
    found = changes(pa.Table.from_pylist(rows), "lead_id", "stage")
    assert [row["after"] for row in found.to_pylist()] == ["a"]
