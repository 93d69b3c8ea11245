"""The made-up record with the tables of a plan that was fitted to its limits."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from analysis.exhibits.book import Book
from tests.exhibits import sample

START, DUE = pd.Timestamp("2025-10-09"), pd.Timestamp("2025-12-20")


def _told(key: str, **args: tuple[float, str]) -> str:
    shown = {name: {"value": value, "unit": unit} for name, (value, unit) in args.items()}
    return json.dumps({"key": key, "args": shown}, ensure_ascii=False)


def _own(zh: str, en: str, **args: tuple[float, str]) -> str:
    shown = {name: {"value": value, "unit": unit} for name, (value, unit) in args.items()}
    return json.dumps({"text": {"zh": zh, "en": en}, "args": shown}, ensure_ascii=False)


def strategy_table() -> pd.DataFrame:
    """Three extra strategies and a duty; goals in a company's own words, with terms and without."""
    rows: list[dict[str, Any]] = []
    for rank, row in enumerate(sample.plan_summary().head(4).to_dict("records"), start=1):
        title = json.dumps(
            [
                {"key": "task.executive_visit", "args": {}},
                {"key": "task.executive_visit", "args": {}},
            ]
        )
        rows.append(
            {
                **{str(k): v for k, v in row.items()},
                "rank": rank,
                "extra": row["basis"] != "mandatory",
                "goal": _own(
                    "续约率做到 {renewal}，每家第 2 单",
                    "Renewals at {renewal}, a 2nd order each",
                    renewal=(0.98, "share"),
                ),
                "measures": title,
                "resources": _own("高管时间、8 折额度", "Executives' time, 20 % off"),
                "starts_on": START,
                "due": DUE,
                "target": 0.98 if rank == 1 else None,
                "unit": "share" if rank == 1 else None,
            }
        )
    return pd.DataFrame(rows)


def budget_curve(habit: bool = True) -> pd.DataFrame:
    """Four levels of the budget."""
    rows = [
        (0.5, 0.9e6, 0.9e6, 1.7e6, 0.8e6, 130, 1.1e6, 0.9e6, 0.001),
        (0.75, 1.35e6, 1.35e6, 2.2e6, 0.9e6, 210, 1.5e6, 1.2e6, 0.0005),
        (1.0, 1.8e6, 1.79e6, 2.52e6, 0.73e6, 280, 1.9e6, 1.4e6, 0.0),
        (1.25, 2.25e6, 2.0e6, 2.6e6, 0.6e6, 300, 2.2e6, 1.4e6, 0.0),
    ]
    names = "share budget spent expected_value net_value customers ranking_value habit_value gap"
    frame = pd.DataFrame(rows, columns=names.split())
    return frame if habit else frame.assign(habit_value=None)


def tables() -> dict[str, pd.DataFrame]:
    """All tables of the made-up record and of its plan."""
    limits = pd.DataFrame(
        [
            ("budget", "all", 1.8e6, 1.79e6, "money", True, 1.4, None, "exhibits.plan.note"),
            ("capacity", "r1", 60.0, 84.0, "visits", True, 900.0, 24.0, "exhibits.plan.note"),
            ("capacity", "r2", 60.0, 20.0, "visits", False, None, None, "exhibits.plan.note"),
        ],
        columns=["limit", "who", "allowed", "used", "unit", "binding", "price", "short", "advice"],
    )
    limits["advice"] = [_told(key) for key in limits["advice"]]
    capacity = pd.DataFrame(
        [
            ("r1", "sales_rep", "t1", 40, 60.0, 50.0, 10.0, 1.0, 7, 900.0),
            ("r2", "sales_rep", "t1", 12, 60.0, 20.0, 0.0, 0.333, 0, 0.0),
            ("r3", "sales_director", "t1", 5, None, 6.0, 3.0, None, 0, None),
        ],
        columns=[
            "person_id",
            "role",
            "team_id",
            "customers",
            "capacity",
            "duties",
            "extra",
            "used",
            "left_out",
            "one_more",
        ],
    )
    touches = pd.DataFrame(
        [
            ("high_value", 218, 3, 700, 218, 0, 190),
            ("potential", 642, 1, 600, 600, 42, 500),
            ("new", 312, 0, 0, 312, 0, None),
        ],
        columns=["segment", "customers", "least", "planned", "reached", "short", "last"],
    )
    not_planned = pd.DataFrame(
        [
            ("c1", "potential", "product_trial", "trial", "budget", 900.0, 2000.0),
            ("c2", "potential", "product_trial", "trial", "budget", 800.0, 2000.0),
            ("c2", "potential", "webinar", "webinar", "capacity", None, 0.0),
        ],
        columns=["customer_id", "segment", "strategy", "measure", "why", "expected_value", "cost"],
    )
    designs = pd.DataFrame(
        {"strategy": ["executive_visit"], "statement": [_told("exhibits.plan.note")]}
    )
    people = pd.DataFrame({"person_id": ["r1", "r2"], "name": ["一号", None]})
    return {
        **sample.tables(),
        "strategy_table": strategy_table(),
        "limits": limits,
        "budget_curve": budget_curve(),
        "touches": touches,
        "capacity": capacity,
        "not_planned": not_planned,
        "designs": designs,
        "people": people,
    }


def book(lang: str = "zh", **changes: pd.DataFrame) -> Book:
    """The made-up record with its plan as a book; tables may be replaced."""
    return sample.book(lang, {**tables(), **changes})
