"""Set-wise work and table contracts."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from analysis import engine
from analysis.errors import StageError
from analysis.tables import INPUT, RECORD, dictionary

CUSTOMERS = RECORD["customers"]


def orders(amounts: list[str]) -> pa.Table:
    return pa.table(
        {
            "customer_id": ["a"] * len(amounts),
            "amount": pa.array([Decimal(a) for a in amounts], pa.decimal128(18, 4)),
        }
    )


def test_money_sums_exactly_in_any_order() -> None:
    amounts = ["0.1000", "0.2000", "123456789012.3400", "-0.3000"] * 500
    sums = {
        engine.query("select sum(amount) as s from o", o=orders(order))["s"][0].as_py()
        for order in (amounts, amounts[::-1], sorted(amounts))
    }
    assert sums == {Decimal("61728394506170.0000")}


def test_a_query_reaches_no_file(tmp_path: object) -> None:
    with pytest.raises(duckdb.Error):
        engine.query("select * from read_csv('/etc/hostname')")


def test_values_are_bound_not_pasted() -> None:
    found = engine.query(
        "select count(*) as n from o where customer_id = ?", ["a' or '1'='1"], o=orders(["1"])
    )
    assert found["n"][0].as_py() == 0


def test_conform_orders_casts_and_fills() -> None:
    frame = pd.DataFrame({"customer_id": ["b", "a"], "name": ["x", None], "extra": [1, 2]})
    table = engine.conform(frame, CUSTOMERS)
    assert table.schema == CUSTOMERS.schema()
    assert table["customer_id"].to_pylist() == ["a", "b"]
    assert table["name"].to_pylist() == [None, "x"]


def test_conform_tells_all_problems() -> None:
    frame = pd.DataFrame({"joined_on": ["soon"], "name": ["x"]})
    with pytest.raises(StageError) as caught:
        engine.conform(frame, CUSTOMERS)
    assert [p.key for p in caught.value.problems] == ["table.missing_column", "table.wrong_type"]


def test_conform_refuses_empty_and_repeated_keys() -> None:
    with pytest.raises(StageError, match=r"table\.empty_value"):
        engine.conform(pd.DataFrame({"customer_id": ["a", None]}), CUSTOMERS)
    with pytest.raises(StageError, match=r"table\.repeated_key"):
        engine.conform(pd.DataFrame({"customer_id": ["a", "a"]}), CUSTOMERS)


def test_float_dust_does_not_reach_money() -> None:
    frame = pd.DataFrame(
        {
            "order_id": ["1"],
            "line_id": ["1"],
            "customer_id": ["a"],
            "ordered_at": pd.to_datetime(["2025-01-01"]),
            "amount": [0.1 + 0.2],
        }
    )
    assert engine.conform(frame, RECORD["orders"])["amount"][0].as_py() == Decimal("0.3000")


def test_frames_have_plain_types() -> None:
    table = engine.conform(pd.DataFrame({"customer_id": ["a"]}), CUSTOMERS)
    frame = engine.to_frame(table)
    assert frame["customer_id"].dtype == object
    assert str(frame["joined_on"].dtype).startswith("datetime64")


def test_every_table_is_in_the_dictionary() -> None:
    text = dictionary()
    for table in (*INPUT.values(), *RECORD.values()):
        assert f"### {table.name}\n" in text
        assert set(table.key) <= set(table.names), table.name
