"""The made-up company itself: its teams, its people, what it sells."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.demo import words

REPS_PER_TEAM = 5


def person_name(number: int) -> str:
    """A name that is plainly made up: a surname and a year of the sexagenary cycle."""
    stem = words.STEMS[number % len(words.STEMS)]
    branch = words.BRANCHES[number % len(words.BRANCHES)]
    return words.SURNAMES[number % len(words.SURNAMES)] + stem + branch


def people() -> pd.DataFrame:
    """Everybody in sales and service.

    Returns
    -------
    DataFrame
        ``person_id, name, role, team_id, team, manager_id, capacity`` (visits a quarter);
        `role` in the words of the export.
    """
    rows: list[tuple[str, str, str, str, str, int]] = [
        ("销售运营总监", "T00", "销售管理部", "", "P001", 12),
        ("大客户经理", "T00", "销售管理部", "P001", "P002", 45),
        ("大客户经理", "T00", "销售管理部", "P001", "P003", 45),
        ("客户成功专员", "T00", "销售管理部", "P001", "P004", 70),
        ("客户成功专员", "T00", "销售管理部", "P001", "P005", 70),
    ]
    for team, region in enumerate(words.REGIONS, start=1):
        director = f"P{100 * team:03d}"
        rows.append(("大区总监", f"T{team:02d}", f"{region}大区", "P001", director, 30))
        rows += [
            ("销售代表", f"T{team:02d}", f"{region}大区", director, f"P{100 * team + rep:03d}", 60)
            for rep in range(1, REPS_PER_TEAM + 1)
        ]
    frame = pd.DataFrame(
        rows, columns=["role", "team_id", "team", "manager_id", "person_id", "capacity"]
    )
    frame["name"] = [person_name(7 + 7 * number) for number in range(len(frame))]
    order = ["person_id", "name", "role", "team_id", "team", "manager_id", "capacity"]
    return frame[order]


def products(stream: np.random.Generator) -> pd.DataFrame:
    """Everything on the price list.

    Returns
    -------
    DataFrame
        ``code, name, category, group`` (number of the category), ``list_price`` and ``cost`` of
        one unit [CNY].
    """
    rows = []
    for group, (category, (code, items)) in enumerate(words.PRODUCTS.items()):
        for number, (name, price) in enumerate(items, start=1):
            rows.append((f"{code}{100 + number}", name, category, group, price))
    frame = pd.DataFrame(rows, columns=["code", "name", "category", "group", "list_price"])
    rate = stream.uniform(0.61, 0.72, size=len(frame))
    frame["cost"] = np.round(frame["list_price"].to_numpy() * rate, 2)
    return frame
