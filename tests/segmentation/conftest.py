"""Feature rows and the shipped scheme."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.segmentation import Scheme, load_scheme

ROOT = Path(__file__).parents[2]

_DEFAULTS: dict[str, Any] = {
    "as_of": pd.Timestamp(2025, 9, 30),
    "recency_days": 30.0,
    "frequency": 3,
    "monetary": 300.0,
    "mean_order": 100.0,
    "tenure_days": 400.0,
    "expected_interval_days": 60.0,
    "recency_cycles": 0.5,
    "intervals": 2,
    "first_order_on": pd.Timestamp(2024, 8, 26),
    "last_order_on": pd.Timestamp(2025, 8, 31),
    "orders_ever": 3,
    "revenue_period": 100.0,
    "revenue_previous": 80.0,
    "revenue_year_ago": 0.0,
    "products": 1,
    "visits": float("nan"),
    "tickets": float("nan"),
    "satisfaction": float("nan"),
}
NO_ORDER: dict[str, Any] = {
    "recency_days": float("nan"),
    "recency_cycles": float("nan"),
    "tenure_days": float("nan"),
    "mean_order": float("nan"),
    "expected_interval_days": float("nan"),
    "frequency": 0,
    "monetary": 0.0,
    "intervals": float("nan"),
    "orders_ever": 0,
    "first_order_on": pd.NaT,
    "last_order_on": pd.NaT,
    "revenue_period": 0.0,
    "revenue_previous": 0.0,
}


@pytest.fixture(scope="session")
def rfm5() -> Scheme:
    return load_scheme("rfm5", ROOT)


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def rows() -> Callable[..., pd.DataFrame]:
    """Features from a list of rows, each a map of what differs from the defaults."""

    def make(*changes: dict[str, Any], ids: list[str] | None = None) -> pd.DataFrame:
        names = ids or [f"C{i:04d}" for i in range(len(changes))]
        return pd.DataFrame(
            [
                {"customer_id": name, **_DEFAULTS, **change}
                for name, change in zip(names, changes, strict=True)
            ],
            columns=["customer_id", *_DEFAULTS],
        )

    return make


@pytest.fixture(scope="session")
def no_order() -> dict[str, Any]:
    return NO_ORDER
