"""Customer numbers of another system: translated, kept or listed, and no cent lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import wording
from analysis.cleaning import Cleaned, clean
from analysis.errors import SourceError
from analysis.settings_model import Settings
from analysis.tables import INPUT

AS_OF = date(2025, 9, 30)
PAIRS = (("0101", "KH1"), ("0102", "KH2"), ("9", "KH2"))


def table(name: str, rows: Sequence[dict[str, Any]]) -> pa.Table:
    used = [f for f in INPUT[name].schema() if any(f.name in r for r in rows)]
    data = {f.name: pa.array([r.get(f.name) for r in rows], f.type) for f in used}
    data["_file"] = pa.array([f"{name}.csv"] * len(rows))
    data["_row"] = pa.array(range(2, len(rows) + 2), pa.int64())
    return pa.table(data)


def order(number: int, customer: str | None, amount: Decimal | int = 10) -> dict[str, Any]:
    return {
        "order_id": f"D{number}",
        "customer_id": customer,
        "ordered_at": datetime(2025, 8, 1),
        "amount": Decimal(amount),
    }


def key(number: str, customer: str | None, system: str = "erp") -> dict[str, Any]:
    return {"system": system, "key": number, "customer_id": customer}


def run(
    orders: Sequence[dict[str, Any]],
    keys: Sequence[dict[str, Any]] = tuple(key(*pair) for pair in PAIRS),
    **others: Sequence[dict[str, Any]],
) -> Cleaned:
    sources = {
        "orders": {"path": "o.csv", "keys": "erp"},
        "receivables": {"path": "r.csv", "keys": "erp"},
        "customer_keys": {"path": "k.csv"},
    }
    given_settings = Settings.model_validate({"run": "t", "period": "2025Q3", "sources": sources})
    tables = {"orders": orders, "customer_keys": keys, **others}
    customers = [{"customer_id": "KH1"}, {"customer_id": "KH2"}, {"customer_id": "KH3"}]
    made = {name: table(name, rows) for name, rows in tables.items()}
    return clean({"customers": table("customers", customers), **made}, given_settings, AS_OF)


def test_numbers_are_translated_kept_or_listed() -> None:
    found = run(
        [
            order(1, "0101"),
            order(2, "101", 7),  # the zero is part of the number
            order(3, "KH3"),  # the company's own number already
            order(4, "0109", 20),
            order(5, "0109", 22),
            order(6, None, 3),
        ]
    )
    assert sorted(found.tables["orders"]["customer_id"].to_pylist()) == ["KH1", "KH3"]
    bridge = {
        r["became"]: (r["keys"], r["rows"], r["amount"]) for r in found.key_bridge.to_pylist()
    }
    assert bridge == {
        "translated": (1, 1, Decimal(10)),
        "own_number": (1, 1, Decimal(10)),
        "unmatched": (2, 3, Decimal(49)),
    }
    lost = {r["key"]: (r["rows"], r["amount"]) for r in found.unmatched_keys.to_pylist()}
    assert lost == {"101": (1, Decimal(7)), "0109": (2, Decimal(42))}
    gone = {r["row"]: r for r in found.removed.to_pylist() if r["table"] == "orders"}
    assert {n: r["rule"] for n, r in gone.items()} == {
        3: "unmatched_key",
        5: "unmatched_key",
        6: "unmatched_key",
        7: "missing_customer",
    }
    reason = json.loads(gone[5]["reason"])
    assert "0109" in wording.text(reason["key"], "zh", **reason["args"])
    steps = found.reconciliation.query("table == 'orders'").set_index("step")["amount"]
    assert steps["read"] + steps["unmatched_key"] + steps["missing_customer"] == steps["kept"] == 20


def test_an_own_number_that_is_also_a_key_is_translated_once() -> None:
    found = run([order(1, "KH1")], [key("KH1", "KH2"), key("x", "KH1")])
    assert found.tables["orders"]["customer_id"].to_pylist() == ["KH2"]


def test_accounts_of_one_customer_stay_apart_and_add_up() -> None:
    def open_money(account: str, bucket: str, amount: int) -> dict[str, Any]:
        return {
            "customer_id": account,
            "as_of": datetime(2025, 9, 30),
            "bucket": bucket,
            "amount": Decimal(amount),
        }

    rows = [open_money("0102", "1-30", 5), open_money("9", "1-30", 5), open_money("9", "1-30", 5)]
    found = run([order(1, "0101")], receivables=rows)
    kept = found.tables["receivables"].to_pylist()
    assert [(r["customer_id"], r["account"]) for r in kept] == [("KH2", "0102"), ("KH2", "9")]
    assert [r["rule"] for r in found.removed.to_pylist() if r["table"] == "receivables"] == [
        "repeated_keys"  # the same account, bucket and money again: the same export again
    ]


def test_a_key_of_two_customers_names_both() -> None:
    with pytest.raises(SourceError) as caught:
        run([order(1, "0101")], [key("0101", "KH1"), key("0101", "KH2"), key("0102", "KH2")])
    (problem,) = caught.value.problems
    assert problem.key == "cleaning.key_of_two"
    assert problem.file == "customer_keys.csv"
    for lang in wording.LANGUAGES:
        (told,) = wording.explain(caught.value, lang)
        assert all(word in told for word in ("0101", "KH1", "KH2"))


def test_a_system_without_numbers_is_an_error() -> None:
    with pytest.raises(SourceError, match="no_keys_of_system") as caught:
        run([order(1, "0101")], [key("0101", "KH1", "crm")])
    assert caught.value.problems[0].args["present"] == ["crm"]


def test_a_number_without_a_customer_is_no_partner() -> None:
    found = run(
        [order(1, "0101"), order(2, "0105", 4)], [*[key(*p) for p in PAIRS], key("0105", None)]
    )
    assert found.unmatched_keys["key"].to_pylist() == ["0105"]


@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["0101", "0102", "9", "KH3", "0999", "101", None]),
            st.integers(-(10**9), 10**9).filter(bool),
        ),
        max_size=20,
    )
)
def test_the_bridge_keeps_every_cent(rows: list[tuple[str | None, int]]) -> None:
    lines = [order(i, c, Decimal(cents) / 100) for i, (c, cents) in enumerate(rows, 1)]
    found = run([*lines, order(0, "0101")])
    kept = sum(found.tables["orders"]["amount"].to_pylist())
    gone = sum(r["amount"] for r in found.removed.to_pylist() if r["table"] == "orders")
    assert kept + gone == sum(line["amount"] for line in lines) + 10
    bridged = sum(r["amount"] for r in found.key_bridge.to_pylist())
    assert bridged == sum(line["amount"] for line in lines if line["customer_id"]) + 10
    lost = sum(r["amount"] for r in found.unmatched_keys.to_pylist())
    assert lost == sum(Decimal(c) / 100 for k, c in rows if k in ("0999", "101"))


def told(problem: Any) -> str:
    return (
        wording.explain(SourceError(problem), "zh")[0]
        + wording.explain(SourceError(problem), "en")[0]
    )


def test_those_without_a_partner_stand_by_money_with_what_to_do() -> None:
    found = run(
        [
            order(1, "0101", 50),
            order(2, "0109", 20),
            order(3, "0109", 22),
            order(4, "00102", 5),  # one zero more than the number of KH2
            order(5, "kh3", 3),  # the company's own number in small letters
        ]
    )
    rows = found.unmatched_keys.to_pylist()
    assert [(r["rank"], r["key"], r["rows"], r["amount"]) for r in rows] == [
        (1, "0109", 2, Decimal(42)),
        (2, "00102", 1, Decimal(5)),
        (3, "kh3", 1, Decimal(3)),
    ]
    assert [r["share"] for r in rows] == [0.42, 0.05, 0.03]
    assert [r["near"] for r in rows] == [None, "0102", "KH3"]
    assert {(r["table"], r["system"]) for r in rows} == {("orders", "erp")}
    for row, word in zip(rows, ("erp", "0102", "KH3"), strict=True):
        advice = json.loads(row["advice"])
        for lang in wording.LANGUAGES:
            assert word in wording.text(advice["key"], lang, **advice["args"])
    # told, never silently equal: none of their money is anybody's
    assert found.tables["orders"]["amount"].to_pylist() == [Decimal(50)]


def test_a_number_that_resembles_two_customers_resembles_nobody() -> None:
    found = run([order(1, "0101"), order(2, "Ab", 5)], [*map(key, *zip(*PAIRS, strict=True)),
                key("AB", "KH1"), key("ab", "KH2")])  # fmt: skip
    (row,) = found.unmatched_keys.to_pylist()
    assert (row["key"], row["near"]) == ("Ab", None)


def test_several_numbers_of_one_customer_are_counted() -> None:
    found = run([order(1, "0102"), order(2, "9"), order(3, "0101")])
    (line,) = found.key_bridge.to_pylist()
    assert (line["became"], line["keys"], line["customers"]) == ("translated", 3, 2)


def test_a_key_of_two_customers_names_file_and_row_of_both() -> None:
    with pytest.raises(SourceError) as caught:
        run([order(1, "0101")], [key("0101", "KH2"), key("9", "KH2"), key("0101", "KH1")])
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("customer_keys.csv", 4)
    assert problem.args["one"] == "KH1"
    assert problem.args["other_line"] == "2"
    assert "customer_keys.csv" in told(problem)


def test_a_chain_of_numbers_is_followed_to_the_customer() -> None:
    chain = [key("0101", "C-7"), key("C-7", "M1", "crm"), key("M1", "KH1", "master")]
    found = run([order(1, "0101"), order(2, "0102")], [*chain, key("0102", "KH2")])
    assert found.tables["orders"]["customer_id"].to_pylist() == ["KH1", "KH2"]
    assert {r["became"]: r["keys"] for r in found.key_bridge.to_pylist()} == {
        "chained": 1,
        "translated": 1,
    }


def test_numbers_that_lead_back_to_themselves_are_refused() -> None:
    with pytest.raises(SourceError, match="keys_in_a_circle") as caught:
        run([order(1, "A")], [key("A", "B"), key("B", "C", "crm"), key("C", "A", "old")])
    assert set(caught.value.problems[0].args["numbers"]) == {"A", "B", "C"}


def test_a_key_table_without_any_match_is_a_problem() -> None:
    with pytest.raises(SourceError, match="no_key_matches") as caught:
        run([order(1, "X1"), order(2, "X2")])
    assert caught.value.problems[0].args["numbers"] == "2"
    with pytest.raises(SourceError, match="keys_only_alike") as caught:
        run([order(1, "101"), order(2, "102")])
    problem = caught.value.problems[0]
    assert (problem.args["number"], problem.args["near"]) == ("101", "0101")
    assert "0101" in told(problem)


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["0101", "9", "101", "kh1", "X"]), st.integers(1, 10**7)),
             min_size=1, max_size=15),
    st.lists(st.sampled_from([*PAIRS, ("0102", "KH2"), ("x", "KH1")]), max_size=6),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_no_join_multiplies_money_and_no_order_of_rows_matters(
    lines: list[tuple[str, int]], repeated: list[tuple[str, str]], chance: Any
) -> None:
    orders = [order(i, c, Decimal(m) / 100) for i, (c, m) in enumerate([("0101", 7), *lines], 1)]
    keys = [key(*pair) for pair in (*PAIRS, *repeated)]
    first = run(orders, keys)
    money = sum(row["amount"] for row in orders)
    steps = first.reconciliation.query("table == 'orders'").set_index("step")["amount"]
    assert Decimal(str(steps["read"])) == money
    lost = sum((r["amount"] for r in first.unmatched_keys.to_pylist()), Decimal(0))
    assert sum(first.tables["orders"]["amount"].to_pylist()) + lost == money
    chance.shuffle(orders)
    chance.shuffle(keys)
    again = run(orders, keys)
    assert again.unmatched_keys.equals(first.unmatched_keys)
    assert again.key_bridge.equals(first.key_bridge)
    assert again.tables["orders"].equals(first.tables["orders"])
