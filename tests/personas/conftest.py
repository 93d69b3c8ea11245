"""A made-up base of customers whose differences are planted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from analysis.tables import RECORD

Tables = dict[str, pd.DataFrame]
AS_OF = pd.Timestamp(2025, 9, 30)


@pytest.fixture(scope="session")
def base() -> Callable[..., Tables]:
    """Customers without any difference between segments but those that are put in."""

    def make(
        size: int = 600, seed: int = 1, segments: tuple[str, ...] = ("high_value", "new")
    ) -> Tables:
        draw = np.random.default_rng(seed)
        ids = [f"C{i:05d}" for i in range(size)]
        features = pd.DataFrame(
            {
                "customer_id": ids,
                "as_of": AS_OF,
                "recency_days": draw.integers(0, 300, size).astype(float),
                "frequency": draw.poisson(4, size),
                "monetary": draw.lognormal(9, 1, size).round(2),
                "mean_order": draw.lognormal(7, 1, size).round(2),
                "tenure_days": draw.integers(0, 2000, size).astype(float),
                "expected_interval_days": draw.gamma(4, 20, size),
                "recency_cycles": draw.gamma(1, 1, size),
                "orders_ever": 5,
                "products": draw.poisson(3, size),
                "visits": draw.poisson(2, size).astype(float),
                "tickets": draw.poisson(1, size).astype(float),
                "satisfaction": draw.integers(1, 6, size).astype(float),
            }
        )
        customers = pd.DataFrame(
            {
                "customer_id": ids,
                "name": [f"客户{i}" for i in range(size)],
                "industry": draw.choice(["汽车零部件", "装备制造", "电子"], size),
                "size_band": draw.choice(["500-1000人", "100-500人", "50人以下"], size),
                "region": draw.choice(["华东", "华南", "华北", "西南"], size),
                "own_tier": draw.choice(["A", "B", "C"], size),
                "need": draw.choice(["simple", "complex", "custom"], size),
            }
        )
        placed = pd.DataFrame(
            {"customer_id": ids, "segment": [segments[i % len(segments)] for i in range(size)]}
        )
        return {"segments": placed, "features": features, "customers": customers}

    return make


@pytest.fixture(scope="session")
def notes() -> Callable[..., pa.Table]:
    """Activities with the given texts: (customer, day, text)."""

    def make(*rows: tuple[str, str, str], kind: str = "visit") -> pa.Table:
        when = [datetime.combine(datetime.fromisoformat(day), time(23, 30)) for _, day, _ in rows]
        columns = {
            "activity_id": [str(i) for i in range(len(rows))],
            "customer_id": [row[0] for row in rows],
            "happened_at": when,
            "kind": [kind] * len(rows),
            "text": [row[2] for row in rows],
        }
        schema = RECORD["activities"].schema()
        return pa.table(
            {f.name: pa.array(columns.get(f.name, [None] * len(rows)), f.type) for f in schema}
        )

    return make
