"""What is known of each customer, as traits that can be compared between segments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from analysis.engine import query, to_frame
from analysis.personas import mentions

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
YEAR_DAYS = 365


@dataclass(frozen=True)
class Share:
    """A level that a customer has or has not.

    Attributes
    ----------
    member
        Who has it, one entry a customer.
    base
        Of whom it is known.
    """

    aspect: str
    trait: str
    member: Flags
    base: Flags
    defining: bool = False


@dataclass(frozen=True)
class Number:
    """A measured value; NaN where it is not known.

    Attributes
    ----------
    defining
        The segment is made from it, so it differs by construction.
    """

    aspect: str
    trait: str
    values: Floats
    unit: str
    statistic: Literal["mean", "median"]
    defining: bool = False


# aspect, column, unit, statistic, defining. Money and days are skewed: their median is shown.
_NUMBERS: tuple[tuple[str, str, str, Literal["mean", "median"], bool], ...] = (
    ("basic", "tenure_days", "days", "median", True),
    ("transaction", "monetary", "money", "median", True),
    ("transaction", "mean_order", "money", "median", True),
    ("transaction", "frequency", "number", "mean", True),
    ("transaction", "expected_interval_days", "days", "median", True),
    ("transaction", "recency_days", "days", "median", True),
    ("transaction", "recency_cycles", "cycles", "median", True),
    ("transaction", "products", "number", "mean", False),
    ("behaviour", "visits", "number", "mean", False),
    ("service", "tickets", "number", "mean", False),
    ("service", "satisfaction", "number", "mean", False),
)
_LEVELS = (
    ("basic", "industry"),
    ("basic", "size_band"),
    ("basic", "region"),
    ("basic", "own_tier"),
    ("need", "need"),
)


def gather(
    frame: pd.DataFrame,
    activities: pa.Table | None,
    tickets: pa.Table | None,
    *,
    min_group: int,
    top_levels: int,
) -> Iterator[Share | Number]:
    """All traits of the customers in `frame`.

    Parameters
    ----------
    frame
        One row a customer: features with the customers' own columns.
    activities, tickets
        RECORD tables; only the year up to ``frame["as_of"]`` is seen.
    min_group
        Levels with fewer customers are left out.
    top_levels
        Of each trait only the most frequent levels are shown.
    """
    bought = (frame["orders_ever"] > 0).to_numpy()
    for aspect, column, unit, statistic, defining in _NUMBERS:
        values = frame[column].to_numpy(dtype=float)
        if aspect == "transaction":
            values = np.where(bought, values, np.nan)
        if not np.isnan(values).all():
            yield Number(aspect, column, values, unit, statistic, defining)
    for aspect, column in _LEVELS:
        if column in frame.columns:
            yield from _levels(aspect, column, frame[column], min_group, top_levels)
    as_of = pd.Timestamp(frame["as_of"].iloc[0])
    ids = frame["customer_id"]
    yield from _kinds("behaviour", "contact", activities, "happened_at", ids, as_of, top_levels)
    yield from _kinds("service", "ticket", tickets, "opened_at", ids, as_of, top_levels)
    answered = _answered(tickets, ids, as_of)
    if answered is not None:
        yield Number("service", "response_days", answered, "days", "median")
    texts = mentions.find(as_of, (activities, "happened_at"), (tickets, "opened_at"))
    heard = ids.isin(texts.heard).to_numpy()
    for (aspect, key), said in texts.said.items():
        member = ids.isin(said).to_numpy()
        if member.any():
            yield Share(aspect, f"{aspect}={key}", member, heard)


def _levels(
    aspect: str, column: str, values: pd.Series, min_group: int, top_levels: int
) -> Iterator[Share]:
    known = (values.notna() & (values.astype(str).str.strip() != "")).to_numpy()
    counts = values[known].astype(str).value_counts()
    levels = sorted(counts.index, key=lambda level: (-counts[level], level))
    text = values.astype(str).to_numpy()
    for level in levels[:top_levels]:
        if counts[level] >= min_group:
            yield Share(aspect, f"{column}={level}", (text == level) & known, known)


def _kinds(
    aspect: str,
    name: str,
    table: pa.Table | None,
    column: str,
    ids: pd.Series,
    as_of: pd.Timestamp,
    top_levels: int,
) -> Iterator[Share]:
    """Customers with at least one row of a kind in the last year, of all customers."""
    if table is None or not table.num_rows or "kind" not in table.column_names:
        return
    recent = table.filter(_last_year(table.column(column), as_of))
    pairs = recent.select(["customer_id", "kind"]).group_by(["customer_id", "kind"]).aggregate([])
    frame = to_frame(pairs).dropna()
    counts = frame["kind"].value_counts()
    everyone = np.ones(len(ids), dtype=bool)
    for kind in sorted(counts.index, key=lambda kind: (-counts[kind], kind))[:top_levels]:
        member = ids.isin(frame.loc[frame["kind"] == kind, "customer_id"]).to_numpy()
        yield Share(aspect, f"{name}={kind}", member, everyone)


def _answered(table: pa.Table | None, ids: pd.Series, as_of: pd.Timestamp) -> Floats | None:
    """Median days to the first answer of each customer's tickets of the last year."""
    if table is None or "first_response_at" not in table.column_names:
        return None
    recent = table.filter(_last_year(table.column("opened_at"), as_of))
    found = query(
        """
        SELECT customer_id,
               median(date_diff('second', opened_at, first_response_at)) / 86400.0 AS days
        FROM tickets
        WHERE first_response_at >= opened_at AND first_response_at < $end
        GROUP BY customer_id
        """,
        {"end": _end(as_of)},
        tickets=recent,
    )
    if not found.num_rows:
        return None
    days = to_frame(found).set_index("customer_id")["days"]
    return ids.map(days).to_numpy(dtype=float)


def _last_year(when: Any, as_of: pd.Timestamp) -> Any:
    end = _end(as_of)
    start = end - timedelta(days=YEAR_DAYS)
    return pc.and_(
        pc.greater_equal(when, pa.scalar(start, when.type)),
        pc.less(when, pa.scalar(end, when.type)),
    )


def _end(as_of: pd.Timestamp) -> Any:
    return (as_of.normalize() + timedelta(days=1)).to_pydatetime()
