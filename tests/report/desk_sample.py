"""A small record whose names and numbers are as hostile as people's files can be."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa

from analysis.engine import conform
from analysis.settings_model import Settings
from analysis.tables import RECORD

AS_OF = date(2025, 9, 30)
ROOT = Path(__file__).resolve().parents[2]
HOSTILE = [
    "=1+1", "+86 13800000000", "-2+3", "@SUM(A1)", "=cmd|' /C calc'!A0", "＝1+1", "＋1", "－1",
    "＠SUM(A1)", '=HYPERLINK("http://a.example","x")', "  =1+1", "\t=1+1", "\r\n=1+1",
    "\u200b=1+1",
    "\u3000=1+1", "{=1+1}", "'=1", '"=1+1"', 'a","=1+1', "甲\n乙", "甲\r\n=1+1", "甲;乙,丙",
    "甲\\n乙",
    "BEGIN:VEVENT", "甲\r\nEND:VCALENDAR", "😀", "👨‍👩‍👧‍👦" * 40, "a\x00b\x1fc", "\u202eabc",
    "_x0041_",
    "<b>&amp;</b>", "]]>", "0007", "9007199254740993123", "1E5", "TRUE", "#REF!",
    "../../etc/passwd",
    "C:\\x", "x" * 300,
]  # fmt: skip
IDS = ["0007", "9007199254740993123", *[f"{n:05d}" for n in range(len(HOSTILE) - 2)]]


def table(name: str, rows: Sequence[dict[str, Any]]) -> pa.Table:
    frame = pd.DataFrame(rows, columns=RECORD[name].names)
    for column in RECORD[name].columns:
        if column.type == "date":
            frame[column.name] = pd.to_datetime(frame[column.name])
    return conform(frame, RECORD[name])


def said(key: str, **args: Any) -> str:
    return json.dumps({"key": key, "args": args})


def tables(
    names: Sequence[str] = HOSTILE, owners: Sequence[str] = ("P1", "P2"), **more: pa.Table
) -> dict[str, pa.Table]:
    """Each customer with a task, a visit for every other one, a reminder for every third."""
    ids = IDS[: len(names)]
    own = [owners[n % len(owners)] for n in range(len(names))]
    due = pd.Timestamp(2025, 10, 20)
    return {
        "customers": table(
            "customers",
            [
                {"customer_id": i, "name": name, "owner_id": who, "region": name}
                for i, name, who in zip(ids, names, own, strict=True)
            ],
        ),
        "people": table("people", [{"person_id": who, "name": f"{who}="} for who in owners]),
        "segments": table(
            "segments",
            [
                {"customer_id": i, "scheme": "rfm5", "segment": "potential", "place": "exact",
                 "rule": "r", "reason": said("reason.no_order")}
                for i in ids
            ],
        ),
        "tasks": table(
            "tasks",
            [
                {"task_id": f"0e{n:010d}", "customer_id": i, "owner_id": who,
                 "owner_role": "sales_rep", "title": said("task.care_call"), "due": due,
                 "standard": said("standard.care_call"), "source": "s/m"}
                for n, (i, who) in enumerate(zip(ids, own, strict=True))
            ],
        ),
        "visits": table(
            "visits",
            [
                {"visit_id": f"v{n}", "customer_id": i, "owner_id": who, "channel": "visit",
                 "on_day": due, "week": "2025-W43", "task_id": f"0e{n:010d}",
                 "moved_days": -1 if n == 0 else 0}
                for n, (i, who) in enumerate(zip(ids, own, strict=True)) if n % 2 == 0
            ],
        ),
        "reminders": table(
            "reminders",
            [
                {"reminder_id": f"r{n}", "kind": "renewal", "customer_id": i, "owner_id": who,
                 "remind_on": due, "event_on": due,
                 "text": said("reminder.renewal", day={"value": "2025-10-20", "unit": "date"})}
                for n, (i, who) in enumerate(zip(ids, own, strict=True)) if n % 3 == 0
            ],
        ),
        **more,
    }  # fmt: skip


def settings(**changed: Any) -> Settings:
    return Settings.model_validate(
        {
            "run": "acme",
            "period": "2025Q3",
            "sources": {"orders": {"path": "o.csv", "columns": {}}},
            **changed,
        }
    )


def opened(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content))


def formulas(content: bytes) -> list[str]:
    return [
        str(cell.value)
        for sheet in opened(content)
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f" or cell.hyperlink
    ]
