"""The lists of a week: overdue to reorder, contracts that end, invoices due, payments overdue.

A week does not segment anew: a customer stands where the last quarter left it. Who owes comes
from an ageing of these days; where there is none, from invoices less payments: each customer's
payments settle its oldest invoices first. Payments that name no invoice cannot be told apart
otherwise, and an ageing does the same.
"""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.engine import query, to_frame
from analysis.roles import NEW, Roles
from analysis.segmentation.cuts import estimate_cuts
from analysis.segmentation.place import segment
from analysis.segmentation.rulebook import roles_of
from analysis.segmentation.rules import Scheme
from analysis.segmentation.weights import score_anchors
from analysis.segmentation.worklists import at_risk, late
from analysis.settings_segmentation import Segmentation
from analysis.tables import RECORD

LISTS = ("reorder", "renewal", "falling_due", "overdue_payment")
WEEK = timedelta(days=7)

# What a bucket such as 91-180 or 361+ begins with is the fewest days overdue in it.
_AGEING = """
WITH latest AS (
    SELECT * FROM receivables WHERE as_of = (SELECT max(as_of) FROM receivables)
), dated AS (
    SELECT *, coalesce(TRY_CAST(regexp_extract(bucket, '^([0-9]+)[-+]', 1) AS INTEGER), 0) AS first
    FROM latest
)
SELECT customer_id, CAST(sum(overdue) AS DECIMAL(18, 4)) AS overdue,
       CAST(max(first) FILTER (overdue > 0) AS DOUBLE) AS days
FROM dated GROUP BY customer_id HAVING sum(overdue) > 0 ORDER BY customer_id
"""
# A credit note lowers what is owed from its day on, as a payment does.
_INVOICES = """
WITH billed AS (
    SELECT customer_id, invoice_id, CAST(coalesce(due_on, invoiced_on) AS DATE) AS due, amount
    FROM invoices WHERE CAST(invoiced_on AS DATE) <= $as_of
), paid AS (
    SELECT customer_id, sum(amount) AS amount FROM (
        SELECT customer_id, amount FROM payments WHERE CAST(paid_on AS DATE) <= $as_of
        UNION ALL SELECT customer_id, -amount FROM billed WHERE amount < 0
    ) GROUP BY customer_id
), running AS (
    SELECT customer_id, due,
           sum(amount) OVER (PARTITION BY customer_id ORDER BY due, invoice_id, amount
                             ROWS UNBOUNDED PRECEDING) AS until, amount
    FROM billed WHERE amount > 0
), open AS (
    SELECT r.customer_id, r.due, least(r.amount, r.until - coalesce(p.amount, 0)) AS amount
    FROM running AS r LEFT JOIN paid AS p USING (customer_id)
    WHERE r.until > coalesce(p.amount, 0)
)
SELECT customer_id, 'overdue_payment' AS list, min(due) AS event_on,
       CAST(sum(amount) AS DECIMAL(18, 4)) AS amount
FROM open WHERE due < $as_of GROUP BY customer_id
UNION ALL
SELECT customer_id, 'falling_due', min(due), CAST(sum(amount) AS DECIMAL(18, 4))
FROM open WHERE due BETWEEN $as_of AND $ahead GROUP BY customer_id
ORDER BY list, customer_id
"""


def standing_segments(
    kept: pd.DataFrame | None,
    then: pd.DataFrame | None,
    features: pd.DataFrame,
    customers: pd.DataFrame,
    scheme: Scheme,
    settings: Segmentation,
) -> pd.DataFrame:
    """The segments in force in a week.

    Parameters
    ----------
    kept
        RECORD ``segments`` of the last quarter's record; None without one.
    then
        RECORD ``features`` as of that quarter's end, where the rules place everybody without a
        record; None with one.
    features
        RECORD ``features`` as of the week.
    customers, scheme, settings
        As in `analysis.segmentation.place.segment`.

    Returns
    -------
    DataFrame
        customer_id, segment; every customer of `features`, in their order. Who came since stands
        in the segment of new customers; it is empty where the scheme has none.
    """
    known = kept
    if known is None and then is not None:
        anchors = [score_anchors(then, scheme, None)] if scheme.scores else []
        cuts = pd.concat([estimate_cuts(then, settings), *anchors], ignore_index=True)
        known = segment(then, customers, scheme, cuts, settings, reasons=False)
    found = features[["customer_id"]]
    if known is None:
        return found.assign(segment="")
    found = found.merge(known[["customer_id", "segment"]], on="customer_id", how="left")
    new = next((key for key, role in roles_of(scheme).items() if role == NEW), "")
    return found.assign(segment=found["segment"].fillna(new))


def reorder_list(
    segments: pd.DataFrame,
    features: pd.DataFrame,
    week_ago: pd.DataFrame,
    roles: Roles,
    lapsed_cycles: float = math.inf,
) -> pd.DataFrame:
    """Who should have ordered by its own cycle and has not; see `worklists.late`.

    Parameters
    ----------
    segments
        From `standing_segments`.
    features, week_ago
        RECORD ``features`` as of the week and as of the end of the week before.
    lapsed_cycles
        Silent for longer is lost, not late [cycles].

    Returns
    -------
    DataFrame
        customer_id, amount (of the monetary window), mean_order, days beyond the own cycle,
        event_on (when the next order was due), fresh (not yet late a week ago).
    """
    now = _late(segments, features, roles, lapsed_cycles)
    before = set(_late(segments, week_ago, roles, lapsed_cycles)["customer_id"])
    over = now["recency_days"] - now["expected_interval_days"]
    return pd.DataFrame(
        {
            "list": "reorder",
            "customer_id": now["customer_id"],
            "amount": now["monetary"],
            "mean_order": now["mean_order"],
            "days": over,
            "event_on": pd.to_datetime(now["as_of"])
            - pd.to_timedelta(over.astype(float).round(), unit="D"),
            "fresh": ~now["customer_id"].isin(before),
        }
    )


def returns(
    segments: pd.DataFrame,
    week_ago: pd.DataFrame,
    orders: pa.Table,
    roles: Roles,
    week_start: date,
    as_of: date,
    lapsed_cycles: float = math.inf,
) -> pd.DataFrame:
    """How many of those overdue to reorder a week ago have ordered since.

    Returns
    -------
    DataFrame
        RECORD ``weekly_returns``: one row. It says who came back, not why.
    """
    before = _late(segments, week_ago, roles, lapsed_cycles)
    row = query(
        "SELECT count(*) AS returned, CAST(coalesce(sum(amount), 0) AS DECIMAL(18, 4)) AS amount "
        "FROM (SELECT customer_id, sum(amount) AS amount FROM orders JOIN before "
        "USING (customer_id) WHERE CAST(ordered_at AS DATE) BETWEEN $start AND $end "
        "GROUP BY customer_id HAVING sum(amount) > 0)",
        {"start": week_start, "end": as_of},
        orders=orders.select(["customer_id", "ordered_at", "amount"]),
        before=pa.table({"customer_id": pa.array(before["customer_id"], pa.string())}),
    ).to_pylist()[0]
    made = {"list": "reorder", "customers": len(before), **row}
    return pd.DataFrame([made])[RECORD["weekly_returns"].names]


def renewal_list(features: pd.DataFrame, ahead_days: int) -> pd.DataFrame:
    """Whose contract ends within `ahead_days` of the last day that counts."""
    ahead = features["days_to_renewal"].astype(float)
    found = features[(ahead >= 0) & (ahead <= ahead_days)]
    return pd.DataFrame(
        {
            "list": "renewal",
            "customer_id": found["customer_id"],
            "amount": found["arr"].fillna(0.0),
            "days": found["days_to_renewal"],
            "event_on": found["renewal_on"],
            "fresh": found["days_to_renewal"].astype(float) > ahead_days - WEEK.days,
        }
    )


def owed(
    receivables: pa.Table,
    invoices: pa.Table,
    payments: pa.Table,
    as_of: date,
    *,
    ahead_days: int = 30,
    ageing_days: int = 7,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Whose payment is overdue, and whose invoices fall due soon.

    Parameters
    ----------
    receivables, invoices, payments
        RECORD tables, rows up to `as_of` count.
    ahead_days
        Invoices that fall due within so many days.
    ageing_days
        An ageing of at most so many days ago is believed; an older one only where there are no
        invoices. An ageing says nothing of what falls due.

    Returns
    -------
    tuple
        Rows of the lists ``overdue_payment`` and ``falling_due`` (`fresh`: fell due in the last
        seven days, or comes within `ahead_days` only now); and the row ``owed`` of
        ``weekly_basis``.
    """
    day = pd.Timestamp(as_of)
    aged = receivables.filter(_upto(receivables, "as_of", day))
    last = pd.Timestamp(max(aged["as_of"].to_pylist())) if len(aged) else None
    billed = len(invoices) > 0 and len(payments) > 0
    frames = []
    source: str = "none"
    when: Any = pd.NaT
    days = {"as_of": as_of, "ahead": as_of + timedelta(days=ahead_days)}
    if billed:
        found = to_frame(query(_INVOICES, days, invoices=invoices, payments=payments))
        found["days"] = (day - found["event_on"]).dt.days.astype(float).abs()
        late_ = found["list"] == "overdue_payment"
        found["fresh"] = (late_ & (found["days"] <= WEEK.days)) | (
            ~late_ & (found["days"] > ahead_days - WEEK.days)
        )
        frames.append(found)
        source, when = "invoices", day
    if last is not None and (not billed or (day - last).days <= ageing_days):
        frames = [frame[frame["list"] != "overdue_payment"] for frame in frames]
        ageing = to_frame(query(_AGEING, receivables=aged))
        frames.append(
            ageing.rename(columns={"overdue": "amount"}).assign(
                list="overdue_payment", event_on=None, fresh=False
            )
        )
        source, when = "ageing", last
    kept = [frame for frame in frames if len(frame)]
    rows = pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=["list"])
    return rows, {"item": "owed", "source": source, "period": None, "as_of": when}


def week_lists(
    rows: pd.DataFrame,
    segments: pd.DataFrame,
    customers: pd.DataFrame,
    people: pd.DataFrame | None,
) -> pd.DataFrame:
    """The lists with names and persons in charge, the most money first.

    Parameters
    ----------
    rows
        Rows of all lists: list, customer_id, amount, days, event_on, fresh, mean_order.
    segments
        From `standing_segments`.
    customers, people
        RECORD tables; without `people` their numbers stand for the names.

    Returns
    -------
    DataFrame
        RECORD ``weekly_lists``; who is no customer of the record is left out.
    """
    names = RECORD["weekly_lists"].names
    if rows.empty:
        return pd.DataFrame(columns=names)
    details = [c for c in ("name", "owner_id", "team_id", "region") if c in customers]
    frame = rows.merge(customers[["customer_id", *details]], on="customer_id")
    frame = frame.merge(segments[["customer_id", "segment"]], on="customer_id", how="left")
    known = pd.DataFrame(columns=["person_id", "name"]) if people is None else people
    named = known.dropna(subset=["name"]).drop_duplicates("person_id")
    called = named.set_index("person_id")["name"]
    frame = frame.assign(owner=frame["owner_id"].map(called).fillna(frame["owner_id"]))
    for column in ("mean_order", "event_on"):
        if column not in frame:
            frame[column] = None
    frame["order"] = frame["list"].map({name: place for place, name in enumerate(LISTS)})
    frame = frame.sort_values(
        ["order", "amount", "customer_id"], ascending=[True, False, True], kind="stable"
    )
    frame["rank"] = frame.groupby("list").cumcount() + 1
    return frame.reindex(columns=names).reset_index(drop=True)


def _late(
    segments: pd.DataFrame, features: pd.DataFrame, roles: Roles, lapsed_cycles: float
) -> pd.DataFrame:
    frame = features.merge(segments, on="customer_id", validate="one_to_one")
    return frame[late(frame, at_risk(frame, roles.by_segment), lapsed_cycles)]


def _upto(table: pa.Table, column: str, day: pd.Timestamp) -> pa.Array:
    return pc.less_equal(table[column], pa.scalar(day.to_pydatetime(), table[column].type))
