"""Our revenue against finance's monthly totals, to the cent, where both count the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from analysis import engine
from analysis.calendars import Period
from analysis.engine import Rows
from analysis.settings_sources import Source
from analysis.tables import RECORD

ALL = "all"

# Words of a basis → key; longer words first, as 含税 stands inside 不含税.
_EVENTS = {
    "signed": ("signed", "签约", "签订", "签单", "合同"),
    "ordered": ("ordered", "下单", "订单", "订货"),
    "shipped": ("shipped", "delivered", "发货", "出货", "出库"),
    "invoiced": ("invoiced", "billed", "开票", "发票"),
    "paid": ("paid", "collected", "回款", "收款"),
}
_TAXES = {
    "excluded": ("excluded", "excluding", "net of tax", "不含税", "未税", "无税"),
    "included": ("included", "including", "gross", "含税", "价税合计"),
}


@dataclass(frozen=True)
class TieOut:
    """What ties, and what could not be compared.

    Attributes
    ----------
    rows
        RECORD ``tie_out``: the period's months on the basis of the orders, and `all`.
    left_out
        RECORD ``tie_out_left_out``: finance's totals of the period that were not compared, and
        months without one, each with its obstacle.
    """

    rows: pa.Table
    left_out: pa.Table


def tie_out(
    orders: Rows,
    controls: pa.Table,
    sources: Mapping[str, Source],
    period: Period,
    as_of: date,
) -> TieOut:
    """Set the orders of each of the period's months against finance's total.

    Parameters
    ----------
    orders, controls
        RECORD tables, cleaned.
    sources
        Settings of the sources: `event` and `tax` of ``orders``, and of ``controls`` for totals
        that do not say themselves what they count.
    period, as_of
        The period and the last day that counts: a month that is not over is not compared.

    Returns
    -------
    TieOut
        Difference is ours − finance. The row `all` stands only where every month of the period
        could be compared.
    """
    ours = sources.get("orders")
    own = _basis(ours.event if ours else None, ours.tax if ours else None)
    given = sources.get("controls")
    default = _basis(given.event if given else None, given.tax if given else None)
    months = _months(period)
    rows: list[dict[str, Any]] = []
    left: list[dict[str, Any]] = []
    sums = _ours(orders, months)
    seen: set[str] = set()
    for total in controls.sort_by([("month", "ascending"), ("basis", "ascending")]).to_pylist():
        month = total["month"]
        if month not in months:
            continue
        basis = canonical_basis(total["basis"] or "") or default
        obstacle = _obstacle(basis, own, month in seen, months[month], as_of)
        if obstacle:
            shown = basis or total["basis"] or ""
            left.append({"month": month, "basis": shown, "amount": total["amount"],
                         "obstacle": obstacle})  # fmt: skip
            continue
        seen.add(month)
        rows.append(_row(month, basis, sums.get(month, Decimal(0)), total["amount"]))
    if controls.num_rows:
        left += [
            {"month": m, "basis": own, "amount": None, "obstacle": "no_total"}
            for m in months
            if m not in seen and m not in {row["month"] for row in left}
        ]
    if rows and len(rows) == len(months):
        added = [sum((r[name] for r in rows), Decimal(0)) for name in ("ours", "finance")]
        rows.append(_row(ALL, own, *added))
    return TieOut(_table("tie_out", rows), _table("tie_out_left_out", left))


def canonical_basis(words: str) -> str:
    """``shipped/excluded`` from 发货·不含税 or the like; empty unless both parts are said."""
    plain = words.lower()
    event = [key for key, known in _EVENTS.items() if any(w in plain for w in known)]
    tax = next((key for key, known in _TAXES.items() if any(w in plain for w in known)), None)
    return _basis(event[0], tax) if len(event) == 1 else ""


def _basis(event: str | None, tax: str | None) -> str:
    return f"{event}/{tax}" if event and tax else ""


def _obstacle(basis: str, own: str, again: bool, end: date, as_of: date) -> str:
    if not own:
        return "own_basis_unknown"
    if not basis:
        return "basis_unknown"
    if basis != own:
        return "other_basis"
    if again:
        return "second_total"
    return "month_not_over" if end > as_of else ""


def _months(period: Period) -> dict[str, date]:
    """The months that lie in the period, with their last day; a week holds none."""
    found: dict[str, date] = {}
    if period.kind == "week":
        return found
    month = Period.parse(f"{period.start:%Y-%m}")
    while month.end <= period.end:
        found[month.name] = month.end
        month = month.next()
    return found


def _ours(orders: Rows, months: Mapping[str, date]) -> dict[str, Decimal]:
    if not months:
        return {}
    found = engine.query(
        "SELECT strftime(ordered_at, '%Y-%m') AS month, "
        "CAST(sum(amount) AS DECIMAL(18, 4)) AS amount FROM orders "
        "WHERE ordered_at >= $start AND ordered_at < $end GROUP BY month",
        {
            "start": min(months.values()).replace(day=1),
            "end": max(months.values()) + timedelta(days=1),
        },
        orders=orders,
    )
    return dict(zip(found["month"].to_pylist(), found["amount"].to_pylist(), strict=True))


def _row(month: str, basis: str, ours: Decimal, finance: Decimal) -> dict[str, Any]:
    difference = ours - finance
    share = float(difference / finance) if finance else None
    return {"month": month, "basis": basis, "ours": ours, "finance": finance,
            "difference": difference, "share": share}  # fmt: skip


def _table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    schema = RECORD[name].schema()
    return engine.conform(pa.Table.from_pylist(rows, schema=schema), RECORD[name])
