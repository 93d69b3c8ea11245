"""What holds for any input: every row and cent ends somewhere, once, wherever it stood."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.cleaning import Cleaned, clean
from analysis.errors import ScopeError
from analysis.settings_model import Settings
from analysis.tables import INPUT

AS_OF = date(2025, 9, 30)
START = datetime(2024, 1, 1)

money = st.decimals(-(10**6), 10**6, places=4, allow_nan=False, allow_infinity=False)
lines = st.fixed_dictionaries(
    {
        "order_id": st.sampled_from([None, "D1", "D2", "D3"]),
        "line_id": st.sampled_from([None, "1", "2"]),
        "customer_id": st.sampled_from([None, "A", "B", "C", "TEST1", "X"]),
        "ordered_at": st.one_of(
            st.integers(0, 800).map(lambda d: START + timedelta(days=d)),
            st.sampled_from([None, datetime(1990, 1, 1), datetime(9999, 12, 31)]),
        ),
        "product": st.sampled_from([None, "p", "q"]),
        "quantity": st.sampled_from([None, -1.0, 0.0, 2.0]),
        "amount": st.one_of(st.none(), st.just(Decimal(0)), money),
        "status": st.sampled_from([None, "正常", "作废"]),
        "returned": st.sampled_from([None, True, False]),
    }
)
listed = st.fixed_dictionaries(
    {
        "customer_id": st.sampled_from([None, "A", "B", "C", "T"]),
        "name": st.sampled_from([None, "甲", "测试客户"]),
        "region": st.sampled_from([None, "华东", "华北"]),
        "status": st.sampled_from([None, "作废"]),
        "joined_on": st.sampled_from([None, START, datetime(2026, 1, 1)]),
        "on_trial": st.sampled_from([None, True]),
    }
)
switches = st.dictionaries(
    st.sampled_from(
        ["voided", "repeated_lines", "test_accounts", "implausible_dates", "returns_netted",
         "zero_amount", "unknown_customer", "missing_customer"]
    ),
    st.booleans(),
)  # fmt: skip
scopes = st.sampled_from([{}, {"orders_since": "2024-06-01"}, {"regions": ["华东"]}])
FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    schema = INPUT[name].schema()
    names = [n for n in schema.names if n in rows[0]]
    data = {n: pa.array([r[n] for r in rows], schema.field(n).type) for n in names}
    data["_file"] = pa.array([f"{name}.csv"] * len(rows))
    data["_row"] = pa.array(range(2, len(rows) + 2), pa.int64())
    return pa.table(data)


def setup(rules: dict[str, bool], scope: dict[str, Any]) -> Settings:
    return Settings.model_validate(
        {"run": "t", "period": "2025Q3", "cleaning": {"rules": rules}, "scope": scope}
    )


def attempt(tables: dict[str, pa.Table], given: Settings) -> Cleaned | None:
    try:
        return clean(tables, given, AS_OF)
    except ScopeError:
        return None


def total(column: pa.ChunkedArray) -> Decimal:
    return Decimal(pc.sum(column.cast(pa.decimal128(38, 4))).as_py() or 0)


def inputs(orders: list[dict[str, Any]], customers: list[dict[str, Any]]) -> dict[str, pa.Table]:
    tables = {"orders": table("orders", orders)}
    if customers:
        tables["customers"] = table("customers", customers)
    return tables


@FEW
@given(st.lists(lines, min_size=1, max_size=25), st.lists(listed, max_size=8), switches, scopes)
def test_every_row_and_cent_is_kept_or_removed_once(
    orders: list[dict[str, Any]],
    customers: list[dict[str, Any]],
    rules: dict[str, bool],
    scope: dict[str, Any],
) -> None:
    tables = inputs(orders, customers)
    found = attempt(tables, setup(rules, scope))
    if found is None:
        return
    for name, before in tables.items():
        gone = found.removed.filter(pc.equal(found.removed["table"], name))
        assert len(set(gone["row"].to_pylist())) == gone.num_rows
        if name == "orders":
            kept = found.tables["orders"]
            assert kept.num_rows + gone.num_rows == before.num_rows
            assert total(before["amount"]) == total(kept["amount"]) + total(gone["amount"])
    known = set(found.tables["customers"]["customer_id"].to_pylist())
    assert set(found.tables["orders"]["customer_id"].to_pylist()) <= known


@FEW
@given(
    st.lists(lines, min_size=1, max_size=25),
    st.lists(listed, max_size=8),
    switches,
    st.integers(0, 2**32 - 1),
)
def test_the_order_of_rows_does_not_matter(
    orders: list[dict[str, Any]],
    customers: list[dict[str, Any]],
    rules: dict[str, bool],
    seed: int,
) -> None:
    draw = np.random.default_rng(seed)
    mixed = [orders[i] for i in draw.permutation(len(orders))]
    shuffled = [customers[i] for i in draw.permutation(len(customers))]
    one = attempt(inputs(orders, customers), setup(rules, {}))
    two = attempt(inputs(mixed, shuffled), setup(rules, {}))
    assert (one is None) == (two is None)
    if one is None or two is None:
        return
    for name in one.tables:
        assert one.tables[name].equals(two.tables[name]), name
    assert one.reconciliation.equals(two.reconciliation)
    assert one.quality.equals(two.quality)


@FEW
@given(st.lists(lines, min_size=1, max_size=25), st.lists(listed, max_size=8), switches)
def test_cleaning_what_is_clean_changes_nothing(
    orders: list[dict[str, Any]], customers: list[dict[str, Any]], rules: dict[str, bool]
) -> None:
    given_settings = setup(rules, {})
    once = attempt(inputs(orders, customers), given_settings)
    if once is None:
        return
    again = clean({n: once.tables[n] for n in ("orders", "customers")}, given_settings, AS_OF)
    assert again.removed.num_rows == 0
    assert again.tables["orders"].equals(once.tables["orders"])
    assert again.tables["customers"].equals(once.tables["customers"])
