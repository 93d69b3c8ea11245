"""A small company to plan for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.strategy import load_playbook

SEGMENTS = ("high_value", "potential", "churn_risk", "low_frequency_essential", "new")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def playbook():
    return load_playbook("rfm5", ROOT, segments=SEGMENTS)


@pytest.fixture(scope="session")
def company():
    """300 customers: segments, features, customers, people."""
    rng = np.random.default_rng(1)
    n = 300
    ids = np.array([f"C{i:04d}" for i in range(n)], dtype=object)
    money = np.round(rng.lognormal(11, 1, n), 2)
    previous = money / 4 * rng.lognormal(0, 0.3, n)
    segments = pd.DataFrame(
        {
            "customer_id": ids,
            "segment": rng.choice(SEGMENTS, n, p=[0.2, 0.3, 0.25, 0.1, 0.15]),
            "tag": "",
        }
    )
    features = pd.DataFrame(
        {
            "customer_id": ids,
            "monetary": money,
            "mean_order": money / 5,
            "frequency": 10,
            "recency_days": 40.0,
            "expected_interval_days": 35.5,
            "tenure_days": 700.0,
            "orders_ever": 12,
            "revenue_period": previous * rng.lognormal(0, 0.3, n),
            "revenue_previous": previous,
        }
    )
    team = rng.integers(1, 4, n)
    customers = pd.DataFrame(
        {
            "customer_id": ids,
            "owner_id": [f"P{t}0{r}" for t, r in zip(team, rng.integers(1, 3, n), strict=True)],
            "team_id": [f"T{t}" for t in team],
        }
    )
    people = pd.DataFrame(
        [
            ("P001", "sales_operations_director", "T0", None),
            ("P002", "cs_specialist", "T0", "P001"),
            ("P003", "cs_specialist", "T0", "P001"),
            *[
                row
                for t in (1, 2, 3)
                for row in (
                    (f"P{t}00", "sales_director", f"T{t}", "P001"),
                    (f"P{t}01", "sales_rep", f"T{t}", f"P{t}00"),
                    (f"P{t}02", "sales_rep", f"T{t}", f"P{t}00"),
                )
            ],
        ],
        columns=["person_id", "role", "team_id", "manager_id"],
    )
    return {
        "segments": segments,
        "features": features,
        "customers": customers,
        "people": people,
    }


DECISION = {"worked": "expand", "did_not_pay": "stop", "cannot_tell": "keep_testing"}


def effect(strategy, verdict="worked", value=60_000.0, grade="A", **more):
    """A row of effects for all customers."""
    return {
        "strategy": strategy,
        "arm": "treated",
        "outcome": "revenue",
        "segment": "all",
        "unit": "money",
        "grade": grade,
        "estimate": value,
        "low": value - 20_000,
        "high": value + 20_000,
        "std_error": 10_000.0,
        "verdict": verdict,
        "decision": DECISION[verdict],
        "n_treated": 40,
        "cost_per_customer": 3_000.0,
        **more,
    }


@pytest.fixture(scope="session")
def effects():
    return pd.DataFrame(
        [
            effect("executive_visit", n_treated=30),
            effect("win_back_offer", "did_not_pay", 1_000.0),
            effect("product_trial", "cannot_tell", 12_000.0),
            effect("onboarding", "cannot_tell", np.nan, "D"),
        ]
    )
