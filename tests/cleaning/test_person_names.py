"""Targets kept by a person's name: that person's number, or listed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from analysis.cleaning import Cleaned, clean
from analysis.effects.kpi_targets import company_goals, person_goals
from analysis.errors import SourceError
from analysis.roles import roles_of
from analysis.settings_model import Settings
from analysis.tables import INPUT, RECORD

PEOPLE = [("P1", "王强"), ("P2", "李 敏"), ("P3", "陈静"), ("P4", "陈静"), ("P5", None)]


def table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    schema = INPUT[name].schema()
    return pa.Table.from_pylist([{f.name: r.get(f.name) for f in schema} for r in rows], schema)


def run(owners: list[str | None], people: list[tuple[str, str | None]] = PEOPLE) -> Cleaned:
    order = {"order_id": "D1", "customer_id": "A", "ordered_at": datetime(2025, 8, 1)}
    tables = {
        "orders": table("orders", [{**order, "amount": Decimal(10)}]),
        "people": table("people", [{"person_id": p, "name": n} for p, n in people]),
        "targets": table(
            "targets",
            [
                {"kpi": "revenue", "period": "2025Q3", "owner_id": who, "value": 2.0**i}
                for i, who in enumerate(owners)
            ],
        ),
    }
    return clean(tables, Settings(run="t", period="2025Q3"), date(2025, 9, 30))


def owners(found: Cleaned) -> dict[float, str | None]:
    rows = found.tables["targets"].to_pylist()
    return {row["value"]: row["owner_id"] for row in rows}


@pytest.mark.requirement("000-03")
def test_a_name_stands_for_its_number() -> None:
    found = run(["王强", " 李 敏 ", "P3", None])
    assert owners(found) == {1.0: "P1", 2.0: "P2", 4.0: "P3", 8.0: None}
    assert not found.unmatched_keys.num_rows
    goals = person_goals(found.tables["targets"])
    assert goals["revenue", "2025Q3", "P1"] == 1.0


def test_a_name_of_nobody_or_of_two_is_listed_and_still_counts() -> None:
    found = run(["王强", "陈静", "赵磊"])
    assert owners(found) == {1.0: "P1", 2.0: "陈静", 4.0: "赵磊"}
    listed = found.unmatched_keys.to_pylist()
    assert {(r["table"], r["system"], r["key"], r["rows"]) for r in listed} == {
        ("targets", "people", "陈静", 1),
        ("targets", "people", "赵磊", 1),
    }
    assert found.unmatched_keys.schema.names == RECORD["unmatched_keys"].names
    goals = company_goals(found.tables["targets"], roles_of(None))
    assert goals["revenue", "2025Q3", "all"] == 7.0


def test_without_people_a_target_keeps_its_word() -> None:
    found = run(["王强"], people=[])
    assert owners(found) == {1.0: "王强"}
    assert not found.unmatched_keys.num_rows


def owned(
    owners: list[str | None], codes: Sequence[tuple[str, str, str]] = (), keys: str | None = None
) -> Cleaned:
    deals = [
        {"opportunity_id": f"D{i}", "customer_id": "A", "owner_id": who, "amount": Decimal(10 * i)}
        for i, who in enumerate(owners, 1)
    ]
    tables = {
        "opportunities": table("opportunities", deals),
        "customers": table("customers", [{"customer_id": "A", "owner_id": "王 强"}]),
        "people": table("people", [{"person_id": p, "name": n} for p, n in PEOPLE]),
    }
    source: dict[str, Any] = {"opportunities": {"path": "o.csv"}}
    if codes:
        rows = [{"system": s, "key": k, "person_id": p} for s, k, p in codes]
        tables["people_keys"] = table("people_keys", rows)
    if keys:
        pair = {"system": keys, "key": "A", "customer_id": "A"}
        tables["customer_keys"] = table("customer_keys", [pair])
        source["opportunities"]["keys"] = keys
    given = Settings.model_validate({"run": "t", "period": "2025Q3", "sources": source})
    return clean(tables, given, date(2025, 9, 30))


def sellers(found: Cleaned) -> list[str | None]:
    return found.tables["opportunities"]["owner_id"].to_pylist()


def test_a_code_of_the_erp_and_a_name_of_the_crm_are_one_person() -> None:
    codes = [("erp", "0301", "P1"), ("erp", "P2", "P3"), ("hr", "77", "P2")]
    found = owned(["0301", "李敏", "P2", "77", None], codes, keys="erp")
    # in a file of the ERP its codes come first: there P2 is the person whose number is P3
    assert sellers(found) == ["P1", "P2", "P3", "77", None]
    assert found.tables["customers"]["owner_id"].to_pylist() == ["P1"]
    assert [r["key"] for r in found.unmatched_keys.to_pylist()] == ["77"]
    # elsewhere any system's code will do, and the company's own number comes first
    assert sellers(owned(["0301", "77", "P2"], codes)) == ["P1", "P2", "P2"]


def test_sellers_whom_nobody_knows_are_listed_by_money_and_keep_it() -> None:
    found = owned(["0999", "陈静", "0999", "P1"])
    rows = found.unmatched_keys.to_pylist()
    assert [(r["key"], r["rows"], r["amount"]) for r in rows] == [
        ("0999", 2, Decimal(40)),
        ("陈静", 1, Decimal(20)),  # two people of that name
    ]
    assert sum(found.tables["opportunities"]["amount"].to_pylist()) == 100
    assert [r["share"] for r in rows] == [0.4, 0.2]


def test_a_code_of_two_persons_is_refused() -> None:
    with pytest.raises(SourceError, match="code_of_two"):
        owned(["0301"], [("erp", "0301", "P1"), ("erp", "0301", "P2")])
