"""What is known of each customer, and what is not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from analysis.conditions import holds
from analysis.personas.mentions import find, taxonomy
from analysis.strategy import facts
from analysis.strategy.facts import FACTS, LEAST_PEERS, PAINS, SIGNAL_DAYS, WISHES
from analysis.tables import INPUT, RECORD

AS_OF = date(2025, 9, 30)
IDS = ["C3", "C1", "C2"]


def tables():
    segments = pd.DataFrame(
        {"customer_id": IDS, "segment": "new", "tag": ["must_win_back", "", None]}
    )
    features = pd.DataFrame(
        {
            "customer_id": ["C1", "C2", "C3"],
            "monetary": [10.5, 20.0, 30.0],
            "recency_days": [1.0, np.nan, 3.0],
            "overdue": [5.0, np.nan, 0.0],
            "days_to_renewal": [29.0, np.nan, -1.0],
        }
    )
    customers = pd.DataFrame(
        {
            "customer_id": ["C1", "C2", "C3", "C4"],
            "industry": ["机械", None, "机械", "机械"],
            "need": ["custom", None, "simple", "simple"],
            "on_trial": pd.Series([True, None, False, True], dtype=object),
        }
    )
    return segments, features, customers


def test_one_row_a_customer_and_every_fact() -> None:
    found = facts(*tables(), as_of=AS_OF)
    assert list(found.columns) == ["customer_id", "segment", *FACTS]
    assert found["customer_id"].tolist() == ["C1", "C2", "C3"]
    assert found["monetary"].tolist() == [10.5, 20.0, 30.0]
    assert found["need"].tolist()[0] == "custom"
    assert found["tag"].isna().tolist() == [True, True, False]
    # who comes in another order is told the same
    segments, features, customers = tables()
    again = facts(segments[::-1], features[::-1], customers[::-1], as_of=AS_OF)
    pd.testing.assert_frame_equal(found, again)


def test_what_no_table_says_is_unknown() -> None:
    found = facts(*tables(), as_of=AS_OF)
    unknown = {name for name in FACTS if found[name].isna().all()}
    assert {"pain", "wish", "signal", "signals", "product_gap", "overdue_days"} <= unknown
    assert {"days_since_complaint", "seats_used", "satisfaction"} <= unknown
    for name, fact in FACTS.items():
        if name in unknown:
            asked = "> -1e9" if fact.unit else ["delivery", "yes", "custom"]
            assert not holds(found, [{name: asked}]).any(), name


@pytest.mark.requirement("001-24")
def test_renewal_within_thirty_days() -> None:
    found = facts(*tables(), as_of=AS_OF)
    assert holds(found, [{"days_to_renewal": ">= 0, <= 30"}]).tolist() == [True, False, False]


def test_overdue_money_and_since_when() -> None:
    arrears = pd.DataFrame(
        {"customer_id": ["C1", "C3"], "overdue": [0.0, 900.0], "days": [0, 91], "balance": 1000.0}
    )
    found = facts(*tables(), as_of=AS_OF, arrears=arrears)
    assert found["overdue"].tolist() == [0.0, 0.0, 900.0]  # C2 is in no snapshot: owes nothing
    assert found["overdue_days"].tolist() == [0.0, 0.0, 91.0]
    without = facts(*tables(), as_of=AS_OF, arrears=arrears.iloc[:0])
    assert without["overdue"].tolist()[0] == 5.0
    assert without["overdue_days"].isna().all()


def test_days_since_the_last_complaint() -> None:
    tickets = pa.table(
        {
            "customer_id": ["C1", "C1", "C2", "C3", "C1"],
            "opened_at": [
                datetime(2025, 9, 1, 8),
                datetime(2025, 9, 20, 23, 59),
                datetime(2025, 9, 30, 23, 59),
                datetime(2025, 9, 2),
                datetime(2025, 10, 1),  # after the day that counts
            ],
            "kind": ["complaint", "complaint", "complaint", "request", "complaint"],
        }
    )
    found = facts(*tables(), as_of=AS_OF, tickets=tickets)
    assert found["days_since_complaint"].tolist()[:2] == [10.0, 0.0]
    assert np.isnan(found["days_since_complaint"].iloc[2])
    assert (
        facts(*tables(), as_of=AS_OF, tickets=tickets.drop(["kind"]))["days_since_complaint"]
        .isna()
        .all()
    )


@dataclass(frozen=True)
class Said:
    heard: frozenset[str]
    said: dict[tuple[str, str], frozenset[str]]


def test_what_customers_say() -> None:
    mentions = Said(
        frozenset({"C1", "C2"}),
        {
            ("pain", "delivery"): frozenset({"C1", "C9"}),
            ("pain", "price"): frozenset({"C1"}),
            ("value", "trial"): frozenset({"C2"}),
        },
    )
    found = facts(*tables(), as_of=AS_OF, mentions=mentions)
    assert found["pain"].tolist() == [frozenset({"delivery", "price"}), frozenset(), None]
    assert found["wish"].tolist() == [frozenset(), frozenset({"trial"}), None]


def test_the_portraits_own_words_are_understood() -> None:
    keys = {aspect: set() for aspect in ("pain", "value")}
    for aspect, key in taxonomy().patterns:
        keys[aspect].add(key)
    assert keys == {"pain": set(PAINS), "value": set(WISHES)}
    notes = pa.table(
        {
            "customer_id": ["C1", "C3"],
            "opened_at": [datetime(2025, 9, 1), datetime(2025, 9, 2)],
            "text": ["交货太慢了，价格也偏贵", "一切正常"],
        }
    )
    mentions = find(pd.Timestamp(AS_OF), (notes, "opened_at"))
    found = facts(*tables(), as_of=AS_OF, mentions=mentions)
    assert found["pain"].tolist() == [frozenset({"delivery", "price"}), None, frozenset()]


def test_recent_signals() -> None:
    start = pd.Timestamp(AS_OF) - pd.Timedelta(days=SIGNAL_DAYS - 1)
    signals = pa.table(
        {
            "customer_id": ["C1", "C1", "C1", "C2", "C3"],
            "seen_at": [
                datetime(2025, 9, 30, 20),
                start.to_pydatetime(),
                datetime(2025, 9, 1),
                (start - pd.Timedelta(seconds=1)).to_pydatetime(),
                datetime(2025, 10, 1),
            ],
            "kind": ["公开招标", "法人变更", "公开招标", "公开招标", "公开招标"],
        }
    )
    found = facts(*tables(), as_of=AS_OF, signals=signals)
    assert found["signal"].tolist() == [
        frozenset({"公开招标", "法人变更"}),
        frozenset(),
        frozenset(),
    ]
    assert found["signals"].tolist() == [3.0, 0.0, 0.0]
    assert holds(found, [{"signal": "公开招标"}]).tolist() == [True, False, False]


def lines(bought: dict[str, list[str]], when: datetime = datetime(2025, 6, 1)) -> pa.Table:
    rows = [(customer, category) for customer, all_ in bought.items() for category in all_]
    return pa.table(
        {
            "customer_id": [customer for customer, _ in rows],
            "category": [category for _, category in rows],
            "ordered_at": [when] * len(rows),
            "amount": [Decimal("1.0000")] * len(rows),
        }
    )


def of_industry(n: int, industry: str = "机械"):
    ids = [f"C{i:02d}" for i in range(n)]
    segments = pd.DataFrame({"customer_id": ids, "segment": "new"})
    features = pd.DataFrame({"customer_id": ids, "monetary": 1.0})
    return segments, features, pd.DataFrame({"customer_id": ids, "industry": industry})


def test_what_most_peers_buy_and_it_does_not() -> None:
    n = LEAST_PEERS + 1
    company = of_industry(n)
    bought = {f"C{i:02d}": ["A"] for i in range(n)}
    for i in range(1, 8):
        bought[f"C{i:02d}"].append("B")  # 7 of the 10 others
    for i in range(1, 6):
        bought[f"C{i:02d}"].append("C")  # 5 of 10: no majority
    found = facts(*company, as_of=AS_OF, orders=lines(bought)).set_index("customer_id")
    assert found.loc["C00", "product_gap"] == "B"
    assert found.loc["C00", "product_gap_share"] == pytest.approx(0.7)
    assert found.loc["C01", "product_gap"] is None
    assert found["product_gap"].notna().sum() == n - 7
    # too few peers, another industry, another year: nothing is said
    few = {k: v for k, v in bought.items() if k != "C10"}
    assert facts(*company, as_of=AS_OF, orders=lines(few))["product_gap"].isna().all()
    alone = company[2].assign(industry=[f"I{i}" for i in range(n)])
    found = facts(company[0], company[1], alone, as_of=AS_OF, orders=lines(bought))
    assert found["product_gap"].isna().all()
    old = facts(*company, as_of=AS_OF, orders=lines(bought, datetime(2024, 9, 30, 23)))
    assert old["product_gap"].isna().all()
    first = facts(*company, as_of=AS_OF, orders=lines(bought, datetime(2024, 10, 1)))
    assert first["product_gap"].notna().any()


def test_the_widest_gap_is_named_and_ties_go_by_name() -> None:
    n = LEAST_PEERS + 1
    bought = {f"C{i:02d}": ["A"] for i in range(n)}
    for i in range(1, n):
        bought[f"C{i:02d}"] += ["Z", "B"]
        if i > 3:
            bought[f"C{i:02d}"].append("Y")
    found = facts(*of_industry(n), as_of=AS_OF, orders=lines(bought)).set_index("customer_id")
    assert found.loc["C00", "product_gap"] == "B"
    assert found.loc["C01", "product_gap"] == "Y"


def test_facts_name_tables_that_there_are() -> None:
    known = {*INPUT, *RECORD}
    assert {table for fact in FACTS.values() for table in fact.tables} <= known
    numeric = {c.name for c in RECORD["features"].columns}
    assert {n for n in FACTS if n in numeric} >= {"monetary", "days_to_renewal", "seats_used"}
