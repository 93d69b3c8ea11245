"""A company under several numbers becomes one customer, in every table, to the cent."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from analysis import cleaning
from analysis.settings_model import Settings
from analysis.tables import ARROW_TYPES, INPUT

CODE = "91110000600037341L"


def table(name: str, *rows: dict[str, Any]) -> pa.Table:
    columns = [c for c in INPUT[name].columns if any(c.name in r for r in rows)]
    return pa.table(
        {c.name: pa.array([r.get(c.name) for r in rows], ARROW_TYPES[c.type]) for c in columns}
    )


@pytest.fixture
def company() -> dict[str, pa.Table]:
    """K1 and K3 are one company by their code, K2 is its subsidiary, K4 another of like name."""
    day = datetime(2025, 8, 1)
    return {
        "customers": table(
            "customers",
            {"customer_id": "K1", "name": "苏州新科精密机械有限公司", "credit_code": CODE,
             "joined_on": datetime(2020, 1, 1)},
            {"customer_id": "K2", "name": "泓衡电子有限公司", "parent_id": "K3"},
            {"customer_id": "K3", "name": "新科精密", "credit_code": CODE, "industry": "机械",
             "joined_on": datetime(2023, 1, 1)},
            {"customer_id": "K4", "name": "无锡新科精密机械有限公司", "phone": "13800000000"},
        ),
        "orders": table(
            "orders",
            *({"order_id": f"O{i}", "line_id": "1", "customer_id": f"K{i}", "ordered_at": day,
               "amount": Decimal("100.01") * i} for i in (1, 2, 3, 4)),
        ),
        "contacts": table(
            "contacts", {"contact_id": "P1", "customer_id": "K3", "email": "wang@xinke.cn"}
        ),
    }  # fmt: skip


def clean(tables: dict[str, pa.Table], *, switch: bool) -> cleaning.Cleaned:
    rules = {"same_company": switch}
    given = {"run": "t", "period": "2025Q3", "cleaning": {"rules": rules}}
    return cleaning.clean(tables, Settings.model_validate(given), date(2025, 9, 30))


@pytest.mark.requirement("004-02")
def test_one_company_is_one_customer_in_every_table(company: dict[str, pa.Table]) -> None:
    found = clean(company, switch=True)
    kept = {r["customer_id"]: r for r in found.tables["customers"].to_pylist()}
    assert sorted(kept) == ["K1", "K2", "K4"]
    assert kept["K1"]["industry"] == "机械"  # what the other row knew
    assert kept["K1"]["name"] == "苏州新科精密机械有限公司"
    assert kept["K2"]["group_id"] == "K1"  # the subsidiary follows its parent
    orders = {r["order_id"]: r for r in found.tables["orders"].to_pylist()}
    assert orders["O3"]["customer_id"] == "K1"
    assert sum(r["amount"] for r in orders.values()) == Decimal("1000.10")
    assert found.tables["contacts"]["customer_id"].to_pylist() == ["K1"]
    (gone,) = found.removed.to_pylist()
    assert (gone["key"], gone["rule"]) == ("K3", "same_company")
    assert json.loads(gone["reason"])["args"] == {"found": "K1"}
    assert found.company_matches["outcome"].to_pylist() == ["merged"]


def test_without_the_rule_it_is_only_proposed(company: dict[str, pa.Table]) -> None:
    found = clean(company, switch=False)
    assert found.tables["customers"].num_rows == 4
    assert not found.removed.num_rows
    (pair,) = found.company_matches.to_pylist()
    assert (pair["left_id"], pair["right_id"], pair["outcome"]) == ("K1", "K3", "proposed")
    assert (pair["left_name"], pair["right_name"]) == ("苏州新科精密机械有限公司", "新科精密")


def test_a_removed_customer_takes_nobody_with_it(company: dict[str, pa.Table]) -> None:
    """A voided row with the smaller number is no home for the orders of the other."""
    rows = company["customers"].to_pylist()
    rows[0]["status"] = "作废"
    company["customers"] = table("customers", *rows)
    found = clean(company, switch=True)
    assert sorted(found.tables["customers"]["customer_id"].to_pylist()) == ["K2", "K3", "K4"]
    assert not found.company_matches.num_rows


def test_cleaning_twice_changes_nothing(company: dict[str, pa.Table]) -> None:
    once = clean(company, switch=True)
    again = clean({n: once.tables[n] for n in ("customers", "orders", "contacts")}, switch=True)
    own = [n for n in once.tables["customers"].column_names if n != "group_id"]  # needs parents
    assert again.tables["customers"].select(own).equals(once.tables["customers"].select(own))
    assert again.tables["orders"].equals(once.tables["orders"])
