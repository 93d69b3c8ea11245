"""Signals come through cleaning: kept with a number, or removed with a reason; then acted on."""

from __future__ import annotations

from datetime import date, datetime

import pandas as pd
import pyarrow as pa

from analysis.cleaning import clean
from analysis.conditions import holds
from analysis.settings_model import Settings
from analysis.strategy import facts
from analysis.tables import RECORD

AS_OF = date(2025, 9, 30)
SIGNALS = [
    ("X1", "C1", datetime(2025, 9, 1), "招标公告", "电话 13812345678"),
    ("X1", "C1", datetime(2025, 9, 1), "招标公告", "电话 13812345678"),  # exported twice
    (None, "C2", datetime(2025, 9, 30, 18), "工商变更", None),
    ("X3", "C1", datetime(2025, 10, 1), "招标公告", None),  # nobody knew it yet
    ("X4", "C9", datetime(2025, 9, 1), "招标公告", None),  # not a customer
    ("X5", "C1", datetime(2025, 9, 2), None, "没有类型"),
    ("X6", "C1", datetime(1905, 9, 2), "招标公告", None),
]


def test_what_stays_what_goes_and_whom_it_concerns() -> None:
    columns = ["signal_id", "customer_id", "seen_at", "kind", "text"]
    lists = dict(zip(columns, map(list, zip(*SIGNALS, strict=True)), strict=True))
    orders = {
        "order_id": ["1", "2", "3"],
        "customer_id": ["C1", "C2", "C3"],
        "ordered_at": [datetime(2025, 9, 3)] * 3,
        "amount": pa.array([5, 5, 5], pa.decimal128(18, 4)),
    }
    settings = Settings.model_validate(
        {"run": "acme", "period": "2025Q3", "sources": {"orders": {"path": "o.csv"}}}
    )
    found = clean({"orders": pa.table(orders), "signals": pa.table(lists)}, settings, AS_OF)
    kept = found.tables["signals"]
    assert kept.schema.names == RECORD["signals"].names
    listed = {r["signal_id"]: (r["customer_id"], r["text"]) for r in kept.to_pylist()}
    assert listed == {"X1": ("C1", "电话 ***"), "C2~20250930~1": ("C2", None)}
    removed = [r["rule"] for r in found.removed.to_pylist() if r["table"] == "signals"]
    assert sorted(removed) == [
        "after_as_of", "implausible_dates", "missing_value", "repeated_keys", "unknown_customer",
    ]  # fmt: skip
    steps = found.reconciliation.query("table == 'signals'").set_index("step")["rows"]
    assert (steps["read"], steps["kept"]) == (7, 2)
    ids = [f"C{n}" for n in (1, 2, 3)]
    segments = pd.DataFrame({"customer_id": ids, "segment": "new"})
    nothing = pd.DataFrame({"customer_id": ids})
    known = facts(segments, nothing, nothing, as_of=AS_OF, signals=kept)
    assert holds(known, [{"signal": "招标公告"}]).tolist() == [True, False, False]
    assert holds(known, [{"signals": ">= 1"}]).tolist() == [True, True, False]
