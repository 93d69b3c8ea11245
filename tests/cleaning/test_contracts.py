"""Contracts and the usage log reach the record; a headcount stands in for a size band."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from analysis.cleaning import Cleaned, clean
from analysis.settings_model import Settings
from analysis.tables import INPUT, RECORD

AS_OF = date(2025, 9, 30)


def table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    schema = INPUT[name].schema()
    used = [f for f in schema if any(f.name in r for r in rows)]
    return pa.table({f.name: pa.array([r.get(f.name) for r in rows], f.type) for f in used})


def run(cleaning: dict[str, Any] | None = None, **tables: list[dict[str, Any]]) -> Cleaned:
    given = Settings.model_validate({"run": "t", "period": "2025Q3", "cleaning": cleaning or {}})
    return clean({name: table(name, rows) for name, rows in tables.items()}, given, AS_OF)


def test_contracts_and_usage_are_kept_and_judged() -> None:
    def term(number: str, customer: str, starts: datetime) -> dict[str, Any]:
        return {
            "subscription_id": number, "customer_id": customer, "starts_on": starts,
            "ends_on": datetime(2026, 8, 31), "arr": Decimal(9), "status": "active",
        }  # fmt: skip

    def use(day: datetime) -> dict[str, Any]:
        return {"customer_id": "A", "used_on": day, "feature": "f", "events": 3.0}

    found = run(
        customers=[{"customer_id": "A"}],
        subscriptions=[
            term("1", "A", datetime(2024, 9, 1)),
            term("2", "A", datetime(2025, 12, 1)),  # signed already, begins later
            term("3", "B", datetime(2024, 9, 1)),
            term("1", "A", datetime(2024, 9, 1)),
        ],
        usage=[
            use(datetime(2025, 9, 30)),
            use(datetime(2025, 10, 1)),
            use(datetime(1970, 1, 1)),
            use(datetime(2025, 9, 30)),
        ],
    )
    for name, count in (("subscriptions", 2), ("usage", 1)):
        kept = found.tables[name]
        assert kept.schema == RECORD[name].schema()
        assert kept.num_rows == count
        steps = found.reconciliation.query("table == @name").set_index("step")["rows"]
        assert steps["read"] == steps.drop(["read", "kept"]).sum() * -1 + steps["kept"] == 4
    rules = [(r["table"], r["rule"]) for r in found.removed.to_pylist()]
    assert sorted(rules) == [
        ("subscriptions", "repeated_keys"),
        ("subscriptions", "unknown_customer"),
        ("usage", "after_as_of"),
        ("usage", "implausible_dates"),
        ("usage", "repeated_keys"),
    ]


def test_without_them_the_tables_are_empty_and_valid() -> None:
    found = run(customers=[{"customer_id": "A"}])
    for name in ("subscriptions", "usage"):
        assert found.tables[name].schema == RECORD[name].schema()
        assert found.tables[name].num_rows == 0


@pytest.mark.requirement("004-25")
def test_a_headcount_gives_the_band_that_the_customer_table_lacks() -> None:
    people = {"A": 19, "B": 20, "C": 299, "D": 300, "E": 1000, "F": None, "G": 5}
    rows = [{"customer_id": name, "employees": count} for name, count in people.items()]
    rows[-1]["size_band"] = "大型"

    def bands(edges: list[int]) -> dict[str, str | None]:
        kept = run({"size_people": edges}, customers=rows).tables["customers"]
        return dict(
            zip(kept["customer_id"].to_pylist(), kept["size_band"].to_pylist(), strict=True)
        )

    assert bands([20, 300, 1000]) == {
        "A": "micro", "B": "small", "C": "small", "D": "medium", "E": "large", "F": None,
        "G": "大型",
    }  # fmt: skip
    assert set(bands([]).values()) == {None, "大型"}
