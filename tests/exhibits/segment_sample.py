"""The tables of a made-up record about lists, warnings, rules, matrices, clusters, decisions."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from analysis.engine import conform, to_frame
from analysis.tables import RECORD
from tests.exhibits import sample

NAMES = [f"C{i:03d}" for i in range(1, 13)]
PERIOD, BEFORE = "2025Q3", "2025Q2"


def _frame(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows in the columns and types of the contract."""
    frame = pd.DataFrame(rows, columns=RECORD[name].names)
    unknown = [column for column in frame if frame[column].isna().all()]
    frame = frame.astype(dict.fromkeys(unknown, object)).where(frame.notna(), None)
    return to_frame(conform(frame, RECORD[name]))


def worklists() -> pd.DataFrame:
    rows = []
    for one, segment in (
        ("reorder", "potential"), ("win_back", "churn_risk"), ("moved_down", "churn_risk"),
        ("warning", "high_value"),
    ):  # fmt: skip
        for rank, customer in enumerate(NAMES, start=1):
            rows.append(
                {
                    "list": one,
                    "rank": rank,
                    "customer_id": customer,
                    "name": f"{customer} 机械有限公司" if rank > 1 else sample.HOSTILE,
                    "segment": segment,
                    "owner_id": "P1",
                    "owner": "负责人甲" if rank > 2 else None,
                    "region": "华东",
                    "amount": 900_000.0 - 50_000 * rank,
                    "days_over": 10.0 + rank,
                    "expected_on": pd.Timestamp("2025-08-01"),
                    "reason": json.dumps({"key": f"worklist_reason.{one}", "args": {}}),
                }
            )
    return _frame("worklists", rows)


def warnings() -> pd.DataFrame:
    rules = ("activity_down", "cycle_exceeded", "both")
    rows = [
        {
            "customer_id": customer,
            "rule": rules[place % 3],
            "activity": 4.0,
            "activity_before": 9.0,
            "activity_change": -0.56,
            "recency_cycles": 1.3,
            "amount": 900_000.0 - 50_000 * (place + 1),
            "chance": 0.55,
            "low": 0.41,
            "high": 0.68,
            "reason": json.dumps({"key": f"warning.{rules[place % 3]}", "args": {}}),
        }
        for place, customer in enumerate(NAMES)
    ]
    return _frame("warnings", rows)


def warning_record() -> pd.DataFrame:
    rows = [
        ("any", BEFORE, 40, 22, 47.0), ("none", BEFORE, 900, 6, None),
        ("any", "all", 120, 66, 47.0), ("none", "all", 2700, 27, None),
        ("both", "all", 40, 22, 47.0), ("cycle_exceeded", "all", 40, 22, 47.0),
        ("activity_down", "all", 40, 22, 47.0),
    ]  # fmt: skip
    return _frame(
        "warning_record",
        [
            {
                "rule": rule, "period": period, "customers": n, "lost": lost, "rate": lost / n,
                "low": lost / n * 0.8, "high": min(1.0, lost / n * 1.2), "lift": 1.0,
                "lead_days": lead,
            }
            for rule, period, n, lost, lead in rows
        ],
    )  # fmt: skip


def crosswalk_summary() -> pd.DataFrame:
    rows = [
        {
            "scheme": scheme, "segment": tier, "primary_segment": segment,
            "customers": 10 + 7 * i + 3 * j, "amount": 1e6 * (4 - i) * (5 - j),
        }
        for scheme, tiers in (("own_tier", ("A", "B", "C")), ("grade4", ("grade_high",)))
        for i, tier in enumerate(tiers)
        for j, segment in enumerate(sample.SEGMENTS)
        if (i, j) != (2, 0)
    ]  # fmt: skip
    return _frame("crosswalk_summary", rows)


def tier_differences() -> pd.DataFrame:
    rows = [
        {
            "rank": rank, "customer_id": customer, "name": f"{customer} 客户", "own_tier": "C",
            "segment": "high_value", "usual_tier": "A",
            "direction": "tier_too_low" if rank % 3 else "tier_too_high",
            "owner": "负责人乙", "amount": 800_000.0 - 30_000 * rank,
        }
        for rank, customer in enumerate(NAMES, start=1)
    ]  # fmt: skip
    return _frame("tier_differences", rows)


def scheme_rules(count: int = 24) -> pd.DataFrame:
    rows = [
        {
            "position": i, "rule": f"rule_{i}", "segment": sample.SEGMENTS[i % 5],
            "place": "exact", "condition": "recency: near; tenure_days: > new_customer_days",
            "customers": 5 * i, "amount": 3e6 + i, "near_cut": i,
        }
        for i in range(count)
    ]  # fmt: skip
    return _frame("scheme_rules", rows)


def matrix_cells(industries: int = 4) -> pd.DataFrame:
    made = []
    for name, downs, acrosses in (
        ("value_need", ["high", "mid", "low"], ["simple", "complex", "custom"]),
        ("industry_size", [f"行业{i}" for i in range(industries)], ["large", "small"]),
    ):
        inner = {
            (r, c): 4 + 10 * i for i, (r, c) in enumerate((r, c) for r in downs for c in acrosses)
        }
        total = sum(inner.values())

        def size(r: str, c: str, inner: dict[Any, int] = inner) -> int:
            return sum(n for (a, b), n in inner.items() if r in (a, "all") and c in (b, "all"))

        for r in [*downs, "all"]:
            for c in [*acrosses, "all"]:
                n = size(r, c)
                made.append(
                    {
                        "matrix": name, "row": r, "column": c, "customers": n,
                        "share": n / total, "low": 0.5 * n / total, "high": min(1, 2 * n / total),
                        "amount": n * 1e4, "amount_share": n / total,
                        "merged_into": "x" if n < 10 and "all" not in (r, c) else None,
                    }
                )  # fmt: skip
    return _frame("matrix_cells", made)


def cluster_choice(chosen: int = 4) -> pd.DataFrame:
    rows = [
        {
            "k": k, "strength": 0.9 if k == chosen else 0.4, "smallest": 40,
            "smallest_share": 0.05, "stability": 0.8, "passed": k == chosen, "chosen": k == chosen,
        }
        for k in (3, 4, 5)
    ]  # fmt: skip
    return _frame("cluster_choice", rows)


def clusters() -> pd.DataFrame:
    rows = [
        {
            "customer_id": customer, "cluster": "high_value",
            "segment": "high_value" if i % 4 else "potential", "agrees": bool(i % 4),
            "amount": 1e5,
        }
        for i, customer in enumerate(NAMES)
    ]  # fmt: skip
    return _frame("clusters", rows)


def overrides() -> pd.DataFrame:
    rows = [
        {
            "customer_id": customer, "segment": "high_value", "system_segment": "potential",
            "author": "销售总监", "reason": "战略合作", "state": "expired" if i == 0 else "applied",
            "file": "decisions/sample/overrides.csv", "row": i + 2,
        }
        for i, customer in enumerate(NAMES[:4])
    ]  # fmt: skip
    return _frame("overrides", rows)


def tables() -> dict[str, pd.DataFrame]:
    """All of them beside the other tables of the made-up record."""
    return sample.tables() | {
        "worklists": worklists(),
        "warnings": warnings(),
        "warning_record": warning_record(),
        "crosswalk_summary": crosswalk_summary(),
        "tier_differences": tier_differences(),
        "scheme_rules": scheme_rules(),
        "matrix_cells": matrix_cells(),
        "cluster_choice": cluster_choice(),
        "clusters": clusters(),
        "overrides": overrides(),
    }


def empty() -> dict[str, pd.DataFrame]:
    """The same record with nothing in them."""
    own = set(tables()) - set(sample.tables())
    return sample.tables() | {name: _frame(name, []) for name in own}
