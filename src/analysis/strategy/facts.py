"""What is known of each customer, as the conditions of a playbook ask for it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from analysis.conditions import SWITCH
from analysis.engine import query, to_frame

WINDOW_DAYS = 365  # of what customers buy
SIGNAL_DAYS = 90  # a signal older than a quarter asks for nothing any more
LEAST_PEERS = 10  # fewer customers of an industry say nothing of what is usual there
MOST_PEERS = 0.5  # share beyond which "most" buy a category


@dataclass(frozen=True)
class Fact:
    """What a condition may ask of a fact.

    Attributes
    ----------
    tables
        Any of them gives it; without one it is unknown of everybody.
    unit
        Of its numbers: money, days, cycles, count, share, number; empty: words.
    low, high, whole
        Between which numbers it lies; whether it takes whole ones only.
    words
        Words it may hold; None: the company's own.
    many
        Whether it may hold several at once.
    """

    tables: tuple[str, ...]
    unit: str = ""
    low: float = 0.0
    high: float = math.inf
    whole: bool = False
    words: tuple[str, ...] | None = ()
    many: bool = False


_TEXTS = ("activities", "tickets")
_ORDERS, _TICKETS = ("orders",), ("tickets",)
_CONTRACTS, _OWED = ("subscriptions",), ("receivables",)
NEEDS = ("simple", "complex", "custom")
TAGS = ("must_win_back", "trial")
PAINS = (
    "delivery", "response", "price", "quality", "coordination", "integration", "stability",
    "feature", "attitude", "onboarding",
)  # fmt: skip
WISHES = ("custom", "supply", "trial", "reference", "training", "long_term", "dedicated")

_FEATURES: dict[str, Fact] = {
    "monetary": Fact(_ORDERS, "money", -math.inf),
    "mean_order": Fact(_ORDERS, "money", -math.inf),
    "margin": Fact(_ORDERS, "money", -math.inf),
    "revenue_period": Fact(_ORDERS, "money", -math.inf),
    "frequency": Fact(_ORDERS, "count", whole=True),
    "orders_ever": Fact(_ORDERS, "count", whole=True),
    "products": Fact(_ORDERS, "count", whole=True),
    "recency_days": Fact(_ORDERS, "days", whole=True),
    "recency_cycles": Fact(_ORDERS, "cycles"),
    "expected_interval_days": Fact(_ORDERS, "days"),
    "tenure_days": Fact(_ORDERS, "days", whole=True),
    "relationship_days": Fact(("customers", "orders"), "days", whole=True),
    "activity_change": Fact(_ORDERS, "share", -1.0),
    "visits": Fact(("activities",), "count", whole=True),
    "satisfaction": Fact(_TICKETS, "number", 1.0, 5.0),
    "complaints": Fact(_TICKETS, "count", whole=True),
    "arr": Fact(_CONTRACTS, "money"),
    "days_to_renewal": Fact(_CONTRACTS, "days", -math.inf, whole=True),
    "usage_change": Fact(("usage",), "share", -1.0),
    "seats_used": Fact(("usage",), "share"),
}
FACTS: dict[str, Fact] = _FEATURES | {
    "overdue": Fact(_OWED, "money"),
    "overdue_days": Fact(_OWED, "days", whole=True),
    "days_since_complaint": Fact(_TICKETS, "days", whole=True),
    "on_trial": Fact(("customers",), words=SWITCH),
    "need": Fact(("customers",), words=NEEDS),
    "industry": Fact(("customers",), words=None),
    "tag": Fact(("segments",), words=TAGS),
    "pain": Fact(_TEXTS, words=PAINS, many=True),
    "wish": Fact(_TEXTS, words=WISHES, many=True),
    "product_gap": Fact(_ORDERS, words=None),
    "product_gap_share": Fact(_ORDERS, "share", MOST_PEERS, 1.0),
    "signal": Fact(("signals",), words=None, many=True),
    "signals": Fact(("signals",), "count", whole=True),
}


class Heard(Protocol):
    """What customers said in their own words, as notebook 03 finds it."""

    @property
    def heard(self) -> frozenset[str]:
        """Customers of whom there is a text."""

    @property
    def said(self) -> Mapping[tuple[str, str], frozenset[str]]:
        """(aspect, key) → customers; aspects pain and value."""


def facts(
    segments: pd.DataFrame,
    features: pd.DataFrame,
    customers: pd.DataFrame,
    *,
    as_of: date,
    arrears: pd.DataFrame | None = None,
    orders: pa.Table | None = None,
    tickets: pa.Table | None = None,
    mentions: Heard | None = None,
    signals: pa.Table | None = None,
) -> pd.DataFrame:
    """The facts of every customer with a segment.

    Parameters
    ----------
    segments, features, customers, arrears
        RECORD tables at the period's end. Without arrears the overdue money is that of
        ``features``, and since when it is overdue is unknown.
    as_of
        Last day that counts.
    orders, tickets
        RECORD tables: what others of the same industry buy; when the last complaint came.
    mentions
        From `analysis.personas.mentions.find`: what customers complain of and ask for.
    signals
        Table ``signals``.

    Returns
    -------
    DataFrame
        ``customer_id, segment`` and a column for each of `FACTS`, sorted by customer. What no
        table says is NaN or None. `pain`, `wish` and `signal` are frozensets; empty: looked for
        and not found.
    """
    base = segments[[c for c in ("customer_id", "segment", "tag") if c in segments]]
    base = base.sort_values("customer_id", kind="stable", ignore_index=True)
    ids = pd.Index(base["customer_id"].astype(str))
    found: dict[str, Any] = {"customer_id": base["customer_id"], "segment": base["segment"]}
    known = features.set_index(features["customer_id"].astype(str))
    for name in _FEATURES:
        found[name] = _numbers(known, name, ids)
    who = customers.set_index(customers["customer_id"].astype(str))
    for name in ("on_trial", "need", "industry"):
        found[name] = who[name].reindex(ids).to_numpy(object) if name in who else None
    found["tag"] = base["tag"].replace("", None) if "tag" in base else None
    found |= _owed(arrears, known, ids)
    found["days_since_complaint"] = _complaints(tickets, as_of, ids)
    for name, aspect in (("pain", "pain"), ("wish", "value")):
        found[name] = _said(mentions, aspect, ids)
    found |= _gaps(orders, customers, as_of, ids)
    found |= _signals(signals, as_of, ids)
    return pd.DataFrame(found, index=base.index)[["customer_id", "segment", *FACTS]]


def _numbers(table: pd.DataFrame, name: str, ids: pd.Index) -> NDArray[np.float64]:
    if name not in table:
        return np.full(len(ids), np.nan)
    found: NDArray[np.float64] = table[name].astype(float).reindex(ids).to_numpy(np.float64)
    return found


def _owed(
    arrears: pd.DataFrame | None, known: pd.DataFrame, ids: pd.Index
) -> dict[str, NDArray[np.float64]]:
    """Overdue money and the days of its oldest part; who is in no snapshot owes nothing."""
    if arrears is None or arrears.empty:
        return {
            "overdue": _numbers(known, "overdue", ids),
            "overdue_days": np.full(len(ids), np.nan),
        }
    owed = arrears.set_index(arrears["customer_id"].astype(str))
    found = {name: np.nan_to_num(_numbers(owed, name, ids)) for name in ("overdue", "days")}
    owes = found["overdue"] > 0
    return {"overdue": found["overdue"], "overdue_days": np.where(owes, found["days"], 0.0)}


_COMPLAINTS = """
SELECT customer_id, date_diff('day', max(CAST(opened_at AS DATE)), $as_of) AS days
FROM tickets
WHERE kind = 'complaint' AND opened_at < $after
GROUP BY customer_id
"""


def _complaints(tickets: pa.Table | None, as_of: date, ids: pd.Index) -> NDArray[np.float64]:
    if tickets is None or not len(tickets) or "kind" not in tickets.column_names:
        return np.full(len(ids), np.nan)
    span = {"as_of": as_of, "after": as_of + timedelta(days=1)}
    days = to_frame(query(_COMPLAINTS, span, tickets=tickets)).set_index("customer_id")
    return _numbers(days, "days", ids)


def _said(mentions: Heard | None, aspect: str, ids: pd.Index) -> NDArray[np.object_]:
    """The keys of an aspect that each customer mentioned; None where there is no text."""
    found = np.full(len(ids), None, dtype=object)
    if mentions is None:
        return found
    keys = [key for about, key in mentions.said if about == aspect]
    bits = np.zeros(len(ids), dtype=np.int64)
    for place, key in enumerate(keys):
        bits |= ids.isin(mentions.said[aspect, key]).astype(np.int64) << place
    heard = ids.isin(mentions.heard)
    for code in np.unique(bits[heard]):
        said = frozenset(key for place, key in enumerate(keys) if code >> place & 1)
        found[heard & (bits == code)] = [said] * int((heard & (bits == code)).sum())
    return found


# What a customer bought over a year, against the others of its industry; its widest gap.
_GAPS = """
WITH bought AS (
    SELECT DISTINCT o.customer_id, c.industry, o.category
    FROM orders AS o JOIN customers AS c USING (customer_id)
    WHERE o.ordered_at >= $start AND o.ordered_at < $after AND o.amount > 0
      AND o.category IS NOT NULL AND c.industry IS NOT NULL
), peers AS (
    SELECT industry, count(DISTINCT customer_id) AS n FROM bought GROUP BY industry
), usual AS (
    SELECT industry, category, count(*) / (any_value(n) - 1) AS share
    FROM bought JOIN peers USING (industry)
    WHERE n > $least
    GROUP BY industry, category
    HAVING share > $most
)
SELECT b.customer_id, u.category, u.share
FROM (SELECT DISTINCT customer_id, industry FROM bought) AS b
JOIN usual AS u USING (industry)
WHERE NOT EXISTS (
    FROM bought AS own WHERE own.customer_id = b.customer_id AND own.category = u.category)
QUALIFY row_number() OVER (PARTITION BY b.customer_id ORDER BY u.share DESC, u.category) = 1
"""


def _gaps(
    orders: pa.Table | None, customers: pd.DataFrame, as_of: date, ids: pd.Index
) -> dict[str, NDArray[Any]]:
    """The category that most of its peers buy and it does not, and their share."""
    told: dict[str, NDArray[Any]] = {
        "product_gap": np.full(len(ids), None, dtype=object),
        "product_gap_share": np.full(len(ids), np.nan),
    }
    lacks = orders is None or "category" not in orders.column_names
    if lacks or "industry" not in customers:
        return told
    after = as_of + timedelta(days=1)
    values = {
        "start": after - timedelta(days=WINDOW_DAYS), "after": after,
        "least": LEAST_PEERS, "most": MOST_PEERS,
    }  # fmt: skip
    peers = pa.table(
        {
            name: pa.array(customers[name].astype(object), pa.string(), from_pandas=True)
            for name in ("customer_id", "industry")
        }
    )
    gaps = to_frame(query(_GAPS, values, orders=orders, customers=peers)).set_index("customer_id")
    if gaps.empty:
        return told
    found = gaps.reindex(ids)
    has = found["category"].notna().to_numpy()
    told["product_gap"][has] = found["category"][has]
    told["product_gap_share"][has] = found["share"][has]
    return told


_SIGNALS = """
SELECT customer_id, list(DISTINCT kind ORDER BY kind) AS kinds, count(*) AS n
FROM signals
WHERE seen_at >= $start AND seen_at < $after AND kind IS NOT NULL
GROUP BY customer_id
"""


def _signals(signals: pa.Table | None, as_of: date, ids: pd.Index) -> dict[str, NDArray[Any]]:
    """The kinds of signals seen within `SIGNAL_DAYS`, and how many."""
    kinds = np.full(len(ids), None, dtype=object)
    if signals is None or not len(signals):
        return {"signal": kinds, "signals": np.full(len(ids), np.nan)}
    after = as_of + timedelta(days=1)
    span = {"start": after - timedelta(days=SIGNAL_DAYS), "after": after}
    seen = query(_SIGNALS, span, signals=signals).to_pylist()
    sets = {row["customer_id"]: frozenset(row["kinds"]) for row in seen}
    counts = {row["customer_id"]: row["n"] for row in seen}
    kinds[:] = [sets.get(one, frozenset()) for one in ids]
    return {"signal": kinds, "signals": np.array([counts.get(one, 0) for one in ids], float)}
