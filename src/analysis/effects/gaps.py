"""The gap between what was to come in and what came in, split exactly to the cent.

Every split is a walk from ``base`` over its parts to ``actual``. Against the previous period or
the year before, ``base`` is that period's revenue. Against a target, ``base`` is the target and
the first part, ``ambition``, what the target asked beyond the period compared with (negative: so
much more was to be sold); the other parts say what came of it. A single number for the whole
company holds no volumes and no products, so that nothing finer can be said of it.

price       volume, mix, price, new_products, discontinued, unpriced:
            `analysis.effects.price_volume`
customers   new, returned, more, less, not_bought: `analysis.effects.bridge`
region …    a part a member. Where each member has a target of its own, its part is its revenue
            less its target, and ``not_assigned`` what the members' targets are above the company's
collection  of overdue receivables: base what was overdue at the last count before the period,
            newly_overdue, collected (also written off), actual what is overdue at the last count
            in the period
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Literal

import pandas as pd
import pyarrow as pa

from analysis.calendars import Period
from analysis.effects import price_volume
from analysis.effects.bridge import steps as bridge_steps
from analysis.engine import query
from analysis.tables import RECORD

Against = Literal["target", "previous", "year_ago"]
Part = tuple[str, Decimal, int]  # step, money, customers or lines

_CUSTOMERS = ("new", "returned", "more", "less", "not_bought")
_UNKNOWN = "unknown"
_CENTS = Decimal("0.0001")

_MEMBERS = """
WITH customers AS (
    SELECT customer_id,
           coalesce(sum(amount) FILTER (day BETWEEN $start AND $end), 0) AS now,
           coalesce(sum(amount) FILTER (day BETWEEN $from AND $to), 0) AS before
    FROM (SELECT customer_id, amount, CAST(ordered_at AS DATE) AS day FROM orders)
    WHERE day BETWEEN $start AND $end OR day BETWEEN $from AND $to
    GROUP BY customer_id
)
SELECT coalesce(nullif(g.member, ''), $unknown) AS member,
       CAST(sum(now) AS DECIMAL(18, 4)) AS now, CAST(sum(before) AS DECIMAL(18, 4)) AS before,
       count(*) AS customers
FROM customers LEFT JOIN groups AS g USING (customer_id)
GROUP BY ALL ORDER BY member
"""

# A debt is the longer overdue the further right it stands. Days since the count before the period
# tell which debts were overdue then already; of a bucket that holds both, its middle decides.
_OVERDUE = """
WITH counts AS (
    SELECT max(CAST(as_of AS DATE)) FILTER (CAST(as_of AS DATE) BETWEEN $from AND $to) AS opening,
           max(CAST(as_of AS DATE)) FILTER (CAST(as_of AS DATE) BETWEEN $start AND $end) AS closing
    FROM receivables WHERE overdue IS NOT NULL
), aged AS (
    SELECT customer_id, CAST(as_of AS DATE) AS day, coalesce(overdue, 0) AS overdue,
           TRY_CAST(regexp_extract(bucket, '^([0-9]+)', 1) AS INTEGER) AS youngest,
           TRY_CAST(regexp_extract(bucket, '([0-9]+)$', 1) AS INTEGER) AS oldest
    FROM receivables
), customers AS (
    SELECT customer_id,
           coalesce(sum(overdue) FILTER (day = opening), 0) AS before,
           coalesce(sum(overdue) FILTER (day = closing), 0) AS now,
           coalesce(sum(overdue) FILTER (day = closing AND
               (youngest IS NULL OR (youngest + coalesce(oldest, youngest)) / 2.0
                    > date_diff('day', opening, closing))), 0) AS old
    FROM aged CROSS JOIN counts
    WHERE opening IS NOT NULL AND closing IS NOT NULL
    GROUP BY customer_id
), split AS (
    SELECT before, now, greatest(least(old, before), 0) AS kept FROM customers
)
SELECT CAST(sum(before) AS DECIMAL(18, 4)) AS base,
       CAST(sum(now - kept) AS DECIMAL(18, 4)) AS newly_overdue,
       CAST(sum(kept - before) AS DECIMAL(18, 4)) AS collected,
       CAST(sum(now) AS DECIMAL(18, 4)) AS actual,
       count(CASE WHEN before > 0 THEN 1 END) AS n_base,
       count(CASE WHEN now > kept THEN 1 END) AS n_newly_overdue,
       count(CASE WHEN before > kept THEN 1 END) AS n_collected,
       count(CASE WHEN now > 0 THEN 1 END) AS n_actual
FROM split
"""


def gaps(
    orders: pa.Table,
    kpis: pd.DataFrame | None,
    period: Period,
    *,
    against: Against | None = None,
    previous: Period | None = None,
    groups: pd.DataFrame | None = None,
    kpi_cuts: pd.DataFrame | None = None,
    receivables: pa.Table | None = None,
) -> pd.DataFrame:
    """Where the gap is: by product, by customer, by whoever is in charge, and in the arrears.

    Parameters
    ----------
    orders
        RECORD ``orders``.
    kpis
        RECORD ``kpis``, for the target of ``revenue``, the company's and each segment's.
    period
        The period; a week as well as a quarter.
    against
        What `base` is; default: the target. Without a target it is the previous period.
    previous
        The period compared with; default: the period before, or that of the year before where
        `against` says so.
    groups
        customer_id and a column for each cut, such as region, team_id, owner_id, segment; a
        customer without one stands under ``unknown``.
    kpi_cuts
        RECORD ``kpi_cuts``, for targets of regions, teams and persons.
    receivables
        RECORD ``receivables``; without a count in the period before and one in this period
        there is no split of arrears.

    Returns
    -------
    DataFrame
        RECORD ``gaps``. base + parts = actual, exactly, in every split.
    """
    target = _target(kpis, period)
    chosen = against or "target"
    if chosen == "target" and target is None:
        chosen = "previous"
    then = previous or (period.year_ago() if chosen == "year_ago" else period.previous())
    flows = _rows(bridge_steps(orders, period, then), "customers")
    before, now = (flows.pop(end, (end, Decimal(0), 0)) for end in ("previous", "current"))
    ends = ("base", *before[1:]), ("actual", *now[1:])
    splits: dict[str, list[Part]] = {
        "price": _ordered(
            _rows(price_volume.parts(price_volume.products(orders, period, then)), "n"),
            price_volume.PARTS,
        ),
        "customers": _ordered(flows, _CUSTOMERS),
    }
    goals: dict[tuple[str, str], Decimal] = {}
    if target is not None and chosen == "target":
        goals = _member_targets(kpis, kpi_cuts, period)
        ends = ("base", target, 0), ends[1]
        ambition: Part = ("ambition", before[1] - target, 0)
        splits = {name: [ambition, *parts] for name, parts in splits.items()}
    for cut, known in _cuts(groups):
        members = _members(orders, known, period, then)
        own = {member: goals[cut, member] for member in members if (cut, member) in goals}
        splits[cut] = _cut(members, own, ends[0][1], against_target=chosen == "target")
    walks = {name: [ends[0], *parts, ends[1]] for name, parts in splits.items()}
    rows = [(name, *part[:1], chosen, *part[1:]) for name, walk in walks.items() for part in walk]
    overdue = _overdue(receivables, period)
    rows += [("collection", step, "previous", money, n) for step, money, n in overdue]
    made = pd.DataFrame(rows, columns=["split", "step", "against", "amount", "n"])
    made["amount"] = made["amount"].astype("float64")
    return made[RECORD["gaps"].names]


def _rows(found: pa.Table, count: str) -> dict[str, Part]:
    return {row["step"]: (row["step"], row["amount"], row[count]) for row in found.to_pylist()}


def _ordered(found: dict[str, Part], order: Iterable[str]) -> list[Part]:
    """The parts that occur, in their order."""
    return [found[step] for step in order if step in found]


def _money(value: float) -> Decimal:
    return Decimal(repr(float(value))).quantize(_CENTS)


def _target(kpis: pd.DataFrame | None, period: Period) -> Decimal | None:
    found = _revenue(kpis, period)
    whole = found[found["segment"] == "all"] if len(found) else found
    return _money(whole["target"].iloc[0]) if len(whole) else None


def _revenue(frame: pd.DataFrame | None, period: Period) -> pd.DataFrame:
    """The rows of a table of KPIs that hold a revenue target of the period."""
    if frame is None or frame.empty:
        return pd.DataFrame()
    chosen = (frame["kpi"] == "revenue") & (frame["period"] == period.name)
    return frame[chosen & frame["target"].notna()]


def _member_targets(
    kpis: pd.DataFrame | None, kpi_cuts: pd.DataFrame | None, period: Period
) -> dict[tuple[str, str], Decimal]:
    """(cut, member) → its target."""
    found: dict[tuple[str, str], Decimal] = {}
    for row in _revenue(kpis, period).to_dict("records"):
        found["segment", str(row["segment"])] = _money(row["target"])
    for row in _revenue(kpi_cuts, period).to_dict("records"):
        found[str(row["cut"]), str(row["member"])] = _money(row["target"])
    return found


def _cuts(groups: pd.DataFrame | None) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each cut with customer_id, member."""
    if groups is None:
        return
    for column in groups.columns.drop("customer_id"):
        known = groups[["customer_id", column]].set_axis(["customer_id", "member"], axis=1)
        yield str(column).removesuffix("_id"), known


def _members(
    orders: pa.Table, known: pd.DataFrame, period: Period, then: Period
) -> dict[str, dict[str, Any]]:
    """Each member's money in both periods and its customers."""
    days = {"start": period.start, "end": period.end, "from": then.start, "to": then.end}
    found = query(
        _MEMBERS,
        {**days, "unknown": _UNKNOWN},
        orders=orders.select(["customer_id", "ordered_at", "amount"]),
        groups=pa.table({n: pa.array(known[n], pa.string(), from_pandas=True) for n in known}),
    )
    return {row["member"]: row for row in found.to_pylist()}


def _cut(
    members: dict[str, dict[str, Any]],
    own: dict[str, Decimal],
    base: Decimal,
    *,
    against_target: bool,
) -> list[Part]:
    """What each member adds to the gap: against its own target where each has one."""
    if against_target and members and len(own) == len(members):
        spare = sum(own.values(), Decimal(0)) - base
        parts: list[Part] = [("not_assigned", spare, 0)] if spare else []
        return parts + [(m, r["now"] - own[m], r["customers"]) for m, r in members.items()]
    before = sum((row["before"] for row in members.values()), Decimal(0))
    parts = [("ambition", before - base, 0)] if against_target else []
    return parts + [(m, r["now"] - r["before"], r["customers"]) for m, r in members.items()]


def _overdue(receivables: pa.Table | None, period: Period) -> list[Part]:
    """Opening overdue, newly overdue, collected, closing."""
    then = period.previous()
    if receivables is None or not len(receivables):
        return []
    days = {"start": period.start, "end": period.end, "from": then.start, "to": then.end}
    columns = ["customer_id", "as_of", "bucket", "overdue"]
    row = query(_OVERDUE, days, receivables=receivables.select(columns)).to_pylist()[0]
    steps = ("base", "newly_overdue", "collected", "actual")
    return [(step, row[step], row[f"n_{step}"]) for step in steps if row[step] is not None]
