"""A small made-up week: the tables of its record as frames."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.exhibits.book import Book
from analysis.exhibits.weekly import open_week
from analysis.settings_model import Settings
from tests.exhibits.sample import HOSTILE

PERIOD = "2025-W39"
START, END = pd.Timestamp("2025-09-22"), pd.Timestamp("2025-09-28")


class Stage:
    """What `open_stage` returns, as far as a sheet asks for it."""

    def __init__(self, lang: Any, **changes: Any) -> None:
        base: dict[str, Any] = {
            "run": "sample",
            "period": PERIOD,
            "sources": {"orders": {"path": "o.csv", "event": "shipped", "tax": "excluded"}},
            "report": {"company": "岱泓工业部件有限公司"},
        }
        from analysis.calendars import Period

        self.settings = Settings.model_validate({**base, **changes})
        self.lang = lang
        self.period = Period.parse(PERIOD)
        self.as_of = self.period.end
        self.provenance = {"report_id": f"sample-{PERIOD}-abc123"}
        self.origins: dict[str, str] = {}


def target(gap: float = -1.9e6, basis: str = "target") -> pd.DataFrame:
    """The week and its quarter so far."""
    rows = [
        ("week", START, 9.8e6, 9.8e6, 6, 6, 0, float("nan")),
        ("quarter", pd.Timestamp("2025-07-01"), 105.7e6, 109.0e6, 65, 67, 2, 5.1e6),
    ]
    names = ["span", "starts_on", "target", "whole", "working_days", "whole_days", "days_left"]
    frame = pd.DataFrame(rows, columns=[*names, "needed"])
    actual = frame["target"] + gap
    return frame.assign(
        ends_on=END, basis=basis, actual=actual, gap=gap, attainment=actual / frame["target"],
        previous=7.7e6, n=300, pace=actual / frame["working_days"],
    )  # fmt: skip


def gaps(gap: float = -1.9e6) -> pd.DataFrame:
    """Splits that add up."""
    week = {"华东": -1.5e6, "华南": 0.4e6, "unknown": -0.5e6, HOSTILE: gap + 1.6e6}
    quarter = {"ambition": -1e6, "new": 2e6, "more": 3e6, "less": -5e6, "not_bought": gap + 1e6}
    rows = [("week", "region", step, amount) for step, amount in week.items()]
    rows += [("quarter", "customers", step, amount) for step, amount in quarter.items()]
    frame = pd.DataFrame(rows, columns=["span", "split", "step", "amount"])
    return frame.assign(against="target", n=12)


def lists(reorder: int = 45, others: int = 30, name: str = "") -> pd.DataFrame:
    """Customers of every list, some with hostile names."""
    parts = []
    kinds = {
        "reorder": reorder,
        "renewal": others,
        "falling_due": others,
        "overdue_payment": others,
    }
    for kind, count in kinds.items():
        for place in range(count):
            called = name or (HOSTILE if place == 1 else f"深圳示例精密机械第{place}分公司")
            parts.append((kind, place + 1, f"C{place}", called, 2e6 / (place + 1), place % 3 == 0))
    columns = ["list", "rank", "customer_id", "name", "amount", "fresh"]
    frame = pd.DataFrame(parts, columns=columns)
    return frame.assign(
        segment="high_value", owner_id="P1", owner="吴辛巳", team_id=None, region="华东",
        mean_order=frame["amount"] / 7, days=12.0, event_on=END,
    )  # fmt: skip


def tasks(people: int = 30) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Persons with tasks, and everybody."""
    rows = [(f"P{n}", f"陈己{n}", n % 5, n % 4, n % 7, n % 6, END) for n in range(people)]
    columns = ["owner_id", "owner", "due", "done", "overdue", "next_due", "first_due"]
    frame = pd.DataFrame(rows, columns=columns)
    whole = frame[columns[2:6]].sum().to_dict()
    everybody = pd.DataFrame([{"owner_id": "all", "owner": None, **whole, "first_due": END}])
    ahead = pd.DataFrame(
        [
            (f"P{n}", key, 1 + n % 3)
            for n in range(people)
            for key in ("executive_visit", "own_one")
        ],
        columns=["owner_id", "strategy", "tasks"],
    )
    return pd.concat([everybody, frame], ignore_index=True), ahead


def basis(segments: str = "sealed", plan: str = "sealed", owed: str = "invoices") -> pd.DataFrame:
    """What the week stands on."""
    rows = [
        ("segments", segments, "2025Q2", END), ("plan", plan, "2025Q3", END),
        ("owed", owed, None, END), ("spread", "revenue", None, pd.NaT),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["item", "source", "period", "as_of"])


def week(**changes: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """All tables of the week."""
    done, ahead = tasks()
    returned = {"list": "reorder", "customers": 135, "returned": 34, "amount": 1.9e6}
    return {
        "weekly_target": target(), "weekly_gaps": gaps(), "weekly_lists": lists(),
        "weekly_returns": pd.DataFrame([returned]), "weekly_tasks": done, "weekly_next": ahead,
        "weekly_basis": basis(), **changes,
    }  # fmt: skip


def quiet() -> dict[str, pd.DataFrame]:
    """A week of a company that has nothing but orders, and no target."""
    whole = week()
    empty = {n: whole[n].head(0) for n in ("weekly_lists", "weekly_tasks", "weekly_next")}
    back = whole["weekly_returns"].assign(customers=0, returned=0, amount=0.0)
    return {
        **whole, **empty, "weekly_returns": back, "weekly_target": target(2e6, "pace"),
        "weekly_gaps": gaps(2e6), "weekly_basis": basis("recomputed", "none", "none"),
    }  # fmt: skip


def book(lang: Any, tables: dict[str, pd.DataFrame] | None = None, **changes: Any) -> Book:
    """The made-up week as a book."""
    return open_week(Stage(lang, **changes), **(week() if tables is None else tables))
