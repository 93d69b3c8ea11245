"""Returns, the log of tickets and unpaid invoices: what becomes of them, to the cent."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.cleaning import Cleaned, clean
from analysis.errors import SettingsError
from analysis.settings_model import Settings
from analysis.tables import INPUT

AS_OF = date(2025, 9, 30)
LAST = datetime(2025, 9, 30)
DAY = datetime(2025, 9, 1)


def run(netted: bool = True, rejected: pa.Table | None = None, **rows: list[dict[str, Any]]) -> Any:
    tables = {}
    for name, given_rows in rows.items():
        schema = INPUT[name].schema()
        full = [{f.name: r.get(f.name) for f in schema} for r in given_rows]
        made = pa.Table.from_pylist(full, schema)
        place = pa.repeat(pa.scalar(f"{name}.csv"), len(full))
        numbers = pa.array(range(2, len(full) + 2), pa.int64())
        tables[name] = made.append_column("_file", place).append_column("_row", numbers)
    chosen = Settings.model_validate(
        {"run": "t", "period": "2025Q3", "cleaning": {"rules": {"returns_netted": netted}}}
    )
    return clean(tables, chosen, AS_OF, rejected)


def line(order: str, number: str, amount: int, customer: str = "A") -> dict[str, Any]:
    return {"order_id": order, "line_id": number, "customer_id": customer, "ordered_at": DAY,
            "amount": Decimal(amount)}  # fmt: skip


LINES = [line("D1", "1", 10), line("D1", "2", 20), line("D2", "1", 40), line("D3", "1", 80),
         line("D3", "2", -80)]  # fmt: skip


def kept(found: Cleaned) -> set[tuple[str, str]]:
    return {(r["order_id"], r["line_id"]) for r in found.tables["orders"].to_pylist()}


def test_an_order_that_came_back_does_not_count() -> None:
    back = [{"order_id": "D1"}, {"order_id": "D1"}, {"order_id": "D3"}, {"order_id": "D9"}]
    found = run(orders=LINES, returns=back)
    # D3 was taken off by a negative line already
    assert kept(found) == {("D2", "1"), ("D3", "1"), ("D3", "2")}
    gone = [r for r in found.removed.to_pylist() if r["rule"] == "returned_lines"]
    assert sum(r["amount"] for r in gone) == 30
    (alone,) = found.unmatched_keys.to_pylist()
    assert (alone["table"], alone["system"], alone["key"]) == ("returns", "orders", "D9")
    steps = found.reconciliation.set_index(["table", "step"])["rows"]
    assert steps["returns", "read"] == steps["returns", "kept"] == 4


def test_a_line_that_came_back_and_one_that_will() -> None:
    back = [
        {"order_id": "D1", "line_id": "2"},
        {"order_id": "D2", "returned_on": datetime(2025, 10, 2)},
    ]
    assert kept(run(orders=LINES[:3], returns=back)) == {("D1", "1"), ("D2", "1")}


def test_without_netting_what_was_sold_stays() -> None:
    assert len(kept(run(netted=False, orders=LINES[:3], returns=[{"order_id": "D1"}]))) == 3


def test_a_return_of_an_order_number_of_two_customers_is_told() -> None:
    lines = [line("D1", "1", 5), line("D1", "2", 6, "B"), line("D2", "1", 7)]
    found = run(orders=lines, returns=[{"order_id": "D1"}])
    check = found.quality.query("table == 'returns' and check == 'consistency'").iloc[0]
    assert (check["field"], check["failed"]) == ("order_id", 1)


def event(ticket: str, day: int, what: str, customer: str = "A") -> dict[str, Any]:
    return {"ticket_id": ticket, "customer_id": customer, "event": what,
            "happened_at": DAY + timedelta(days=day)}  # fmt: skip


def test_a_log_becomes_tickets() -> None:
    found = run(
        ticket_events=[
            event("T1", 3, "closed"),
            event("T1", 0, "assigned"),
            event("T1", 1, "answered"),
            event("T1", 2, "answered"),
            event("T2", 5, "assigned", "B"),
            event("T2", 40, "closed", "B"),  # after the last day that counts
            event("T3", 60, "assigned"),
            event("T1", 4, "assigned", "C"),  # the first event says whose it is
        ]
    )
    tickets = {r["ticket_id"]: r for r in found.tables["tickets"].to_pylist()}
    assert set(tickets) == {"T1", "T2"}
    assert (tickets["T1"]["customer_id"], tickets["T2"]["customer_id"]) == ("A", "B")
    assert tickets["T1"]["opened_at"] == DAY
    assert tickets["T1"]["first_response_at"] == DAY + timedelta(days=1)
    assert tickets["T1"]["closed_at"] == DAY + timedelta(days=3)
    assert tickets["T2"]["closed_at"] is None
    # who is in no other table is known by the tickets
    assert found.tables["customers"]["customer_id"].to_pylist() == ["A", "B"]
    check = found.quality.query("table == 'ticket_events' and check == 'consistency'").iloc[0]
    assert (check["passed"], check["failed"]) == (2, 1)


@pytest.mark.parametrize(
    ("late", "bucket", "overdue"),
    [(-1, "not_due", 0), (0, "due_today", 0), (1, "1-30", 7), (30, "1-30", 7), (31, "31-60", 7),
     (90, "61-90", 7), (180, "91-180", 7), (360, "181-360", 7), (361, "361+", 7)],
)  # fmt: skip
def test_an_unpaid_invoice_has_its_age(late: int, bucket: str, overdue: int) -> None:
    item = {"item_id": "F1", "customer_id": "A", "as_of": LAST, "amount": Decimal(7),
            "due_on": LAST - timedelta(days=late)}  # fmt: skip
    (row,) = run(open_items=[item]).tables["receivables"].to_pylist()
    assert (row["bucket"], row["amount"], row["overdue"]) == (bucket, 7, overdue)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("AB"), st.integers(-400, 400), st.integers(-(10**8), 10**8)),
        min_size=1,
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_unpaid_invoices_keep_every_cent(rows: list[tuple[str, int, int]], chance: Any) -> None:
    items = [
        {"item_id": f"F{i}", "customer_id": who, "as_of": LAST, "amount": Decimal(cents) / 100,
         "due_on": LAST - timedelta(days=late)}
        for i, (who, late, cents) in enumerate(rows)
    ]  # fmt: skip
    found = run(open_items=items)
    assert sum(found.tables["receivables"]["amount"].to_pylist()) == sum(i["amount"] for i in items)
    chance.shuffle(items)
    assert run(open_items=items).tables["receivables"].equals(found.tables["receivables"])


def test_rows_of_a_document_that_could_not_be_read_are_reconciled() -> None:
    item = {"item_id": "F1", "customer_id": "A", "as_of": LAST, "due_on": LAST}
    schema = clean_removed_schema()
    bad = {"table": "open_items", "file": "i.csv", "row": 3, "key": "F2",
           "rule": "unreadable_date", "reason": "{}", "amount": Decimal(5)}  # fmt: skip
    found = run(
        rejected=pa.Table.from_pylist([bad], schema), open_items=[{**item, "amount": Decimal(7)}]
    )
    steps = found.reconciliation.query("table == 'open_items'").set_index("step")["amount"]
    assert steps.to_dict() == {"read": 12.0, "unreadable_date": -5.0, "kept": 7.0}


def clean_removed_schema() -> pa.Schema:
    from analysis.tables import RECORD

    return RECORD["removed_rows"].schema()


def test_a_table_and_its_documents_are_not_given_together(tmp_path: Any) -> None:
    from analysis import settings as loader

    path = tmp_path / "params" / "p.yml"
    path.parent.mkdir()
    (tmp_path / "notebooks").mkdir()
    path.write_text(
        "run: a\nperiod: 2025Q3\nsources:\n  tickets: {path: t.csv}\n"
        "  ticket_events: {path: e.csv}\n"
    )
    with pytest.raises(SettingsError, match="made_twice"):
        loader.load("params/p.yml", tmp_path)
