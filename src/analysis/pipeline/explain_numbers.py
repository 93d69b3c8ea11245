"""A customer's numbers: features, cuts that band them, orders they are made of."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pandas as pd

from analysis.pipeline.known import Customer, aligned
from analysis.report.workbook import column_name
from analysis.segmentation import cut_distances
from analysis.tables import RECORD
from analysis.wording.numbers import format_value

LATEST_ORDERS = 5
_UNITS = ("days", "orders", "cycles", "intervals", "products", "times", "tickets", "points")
_UNTOLD = ("customer_id", "as_of")


def features(known: Customer) -> Iterator[str]:
    """Everything known of the customer, with units."""
    row = known.row("features")
    columns = [c for c in RECORD["features"].columns if c.name not in _UNTOLD]
    yield from aligned(
        [
            (_label(known, column.name), _shown(known, row[column.name], column.type, column.unit))
            for column in columns
            if column.name in row and not pd.isna(row[column.name])
        ]
    )


def distances(known: Customer) -> Iterator[str]:
    """Each score that decides, and how far the customer is from the next cuts."""
    row, place = known.row("features"), known.row("segments")
    cuts = known.table("cuts")
    if not row or not place or cuts.empty:
        return
    found = cut_distances(pd.DataFrame([row]), cuts)
    reads = place.get("m_reads")
    unread = {"mean_order": ("monetary",), "total": ("mean_order",)}.get(str(reads), ())
    told: dict[str, list[str]] = {}
    for step in found[~found["score"].isin(unread)].to_dict("records"):
        here = told.setdefault(str(step["score"]), [_here(known, step)])
        here.append(_step(known, step))
    rows = [
        (known.word("score.name", score) if first == part else "", part)
        for score, (first, *further) in told.items()
        for part in (first, *further)
    ]
    yield from aligned(rows)


def _here(known: Customer, step: dict[Any, Any]) -> str:
    kind = "score.recency" if step["score"] == "recency" else "score.band"
    unit = "orders" if step["unit"] == "count" else step["unit"]
    kind_of = "money" if unit == "money" else "number"
    value = _shown(known, step["value"], kind_of, unit)
    return known.text("cut.here", band=known.word(kind, step["band"]), value=value)


def _step(known: Customer, step: dict[Any, Any]) -> str:
    """What brings the customer over one cut."""
    unit, lang = str(step["unit"]), known.lang
    kind = "score.recency" if step["score"] == "recency" else "score.band"
    band = known.word(kind, step["toward"])
    if step["score"] == "recency":  # a number of cycles means little to a person; days do
        days, cut = f"{step['days']:,.0f}", format_value(step["cut"], unit, lang)
        return known.text(f"cut.{step['toward']}_{unit}", band=band, days=days, cut=cut)
    if unit == "money":
        gap, cut = known.money(step["gap"]), known.money(step["cut"])
    else:
        gap, cut = (format_value(step[name], unit, lang) for name in ("gap", "cut"))
    key = unit if step["rising"] else f"{unit}_less"
    return known.text(f"cut.{key}", band=band, gap=gap, cut=cut)


def orders(known: Customer) -> Iterator[str]:
    """How the orders make frequency and money, and the latest of them."""
    lines = pd.DataFrame(known.rows("orders"))
    row = known.row("features")
    if lines.empty or not row:
        yield known.text("orders.none")
        return
    as_of = pd.Timestamp(row["as_of"])
    lines["day"] = pd.to_datetime(lines["ordered_at"]).dt.floor("D")
    seen = lines[lines["day"] <= as_of]
    bought = _bought(seen)
    yield _frequency(known, bought, row, as_of)
    yield _monetary(known, seen, row, as_of)
    yield known.text("orders.latest", count=f"{len(bought):,}")
    latest = bought.sort_values(["day", "order_id"], ascending=False).head(LATEST_ORDERS)
    yield from aligned(
        [
            (f"  {known.day(order['day'])}  {order['order_id']}", known.money(order["amount"]))
            for order in latest.to_dict("records")
        ]
    )
    if len(seen) < len(lines):
        yield known.text("orders.later")


def _bought(lines: pd.DataFrame) -> pd.DataFrame:
    """Orders as `analysis.features` counts them: their money nets to more than zero."""
    positive = lines[lines["amount"] > 0].groupby("order_id")["day"].max()
    sums = lines.groupby("order_id")["amount"].sum()
    found = pd.DataFrame({"amount": sums[sums > 0], "day": positive}).dropna()
    return found.rename_axis("order_id").reset_index()


def _frequency(
    known: Customer, bought: pd.DataFrame, row: dict[str, Any], as_of: pd.Timestamp
) -> str:
    days = int(known.settings["segmentation.frequency_days"])
    start = as_of - timedelta(days=days - 1)
    count = int((bought["day"] >= start).sum())
    said = known.text(
        "orders.frequency",
        days=f"{days:,}",
        start=known.day(start),
        count=f"{count:,}",
        label=_label(known, "frequency"),
        shown=_shown(known, row["frequency"], "integer", "orders"),
    )
    return said if count == row["frequency"] else said + known.text("orders.differs")


def _monetary(
    known: Customer, lines: pd.DataFrame, row: dict[str, Any], as_of: pd.Timestamp
) -> str:
    days = int(known.settings["segmentation.monetary_days"])
    start = as_of - timedelta(days=days - 1)
    amounts = lines.loc[lines["day"] >= start, "amount"]
    total, returns = round(amounts.sum(), 4), round(amounts[amounts < 0].sum(), 4)
    args = {
        "days": f"{days:,}",
        "start": known.day(start),
        "sum": known.exact(total),
        "label": _label(known, "monetary"),
        "shown": known.money(row["monetary"]),
    }
    key = "orders.monetary" if returns else "orders.monetary_plain"
    said = known.text(key, **args, **({"returns": known.exact(-returns)} if returns else {}))
    same = math.isclose(total, row["monetary"], abs_tol=0.005)
    return said if same else said + known.text("orders.differs")


def _label(known: Customer, column: str) -> str:
    """What the workbook calls a column, without the unit that stands at the value."""
    name = column_name("features", column, known.lang)
    return name.partition("（")[0].partition(" (")[0]


def _shown(known: Customer, value: Any, kind: str, unit: str) -> str:
    """A value with its unit."""
    if kind == "money":
        return known.money(value)
    if kind == "date":
        return known.day(value)
    if isinstance(value, str):
        return value
    places = 0 if float(value).is_integer() else 1
    number = format_value(value, "number", known.lang, decimals=places)
    return known.text(f"unit.{unit}", value=number) if unit in _UNITS else number
