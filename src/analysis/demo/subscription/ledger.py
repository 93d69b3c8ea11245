"""The contract ledger as it stands on the last day, and what it says about recurring revenue.

A contract counts from its start until the contract that renews it takes over; where it was not
renewed, until its end; where it has ended and the renewal is still being negotiated, it goes on
counting. Early renewals are so not counted twice, and the gap before a late one is none.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.demo.subscription import words
from analysis.demo.subscription.kinds import DAYS, dates
from analysis.demo.workdays import workdays

RENEWED, LOST, TALKING, RUNNING = "已续", "流失", "谈判中", "未到期"
OPEN_END = 10**6  # a day that never comes


def ledger(
    terms: pd.DataFrame, added: pd.DataFrame, folk: pd.DataFrame, stream: np.random.Generator
) -> pd.DataFrame:
    """All contracts signed so far; additional seats are contracts of their own.

    Returns
    -------
    DataFrame
        Sorted by day of signing: ``contract, customer`` (row of `folk`), ``number, addition``
        (adds seats to another contract), ``base`` (that contract), ``predecessor, successor``
        (contract, empty without), ``signed, start, end`` (days), ``months, seats, price`` (a seat
        a year [fen]), ``arr, amount`` [fen], ``extra`` (money of its additions [fen]), ``status,
        reason, automatic, until`` (last day on which it counts), ``kind`` (新签, 续签, 增购).
    """
    main = terms.assign(
        addition=False, months=12 * terms["years"], signed=workdays(terms["signed"].to_numpy())
    )
    # a renewal takes over when it starts: additions end with the contract they add to
    joined = added.merge(
        terms[["customer", "number", "start", "end", "renews"]], on=["customer", "number"]
    )
    months = np.ceil((joined["end"] - joined["day"]) / 30.4375).astype(np.int64)
    more = joined.assign(
        addition=True,
        signed=workdays(joined["day"].to_numpy() - 2),
        start=joined["day"],
        months=months,
    )
    main["next_start"] = _next(main, "start").where(_next(main, "renews").eq(True))
    main["next_signed"] = _next(main, "signed").where(_next(main, "renews").eq(True))
    columns = ["customer", "number", "next_start", "next_signed", "lost", "confirmed"]
    more = more.merge(main[columns], on=["customer", "number"])
    frame = pd.concat([main, more], ignore_index=True)
    frame = frame[frame["signed"] <= DAYS]
    frame = frame.sort_values(
        ["signed", "customer", "number", "addition"], kind="stable", ignore_index=True
    )
    frame["arr"] = frame["seats"] * frame["price"]
    unit = np.round(frame["price"] * frame["months"] / 12).astype(np.int64)
    frame["amount"] = frame["seats"] * unit
    renewal = np.where(frame["renews"], "续签", "新签")
    frame["kind"] = np.where(frame["addition"], "增购", renewal)
    frame = _numbered(frame)
    frame["status"], frame["until"] = _standing(frame)
    frame["reason"] = _reasons(frame, folk, stream)
    frame["automatic"] = stream.random(len(frame)) < 0.15
    return frame


def _next(main: pd.DataFrame, name: str) -> pd.Series:
    return main.groupby("customer")[name].shift(-1)


def _numbered(frame: pd.DataFrame) -> pd.DataFrame:
    """Contract numbers, and who follows whom; an addition carries its contract's number."""
    main = ~frame["addition"]
    month = [f"{when:%Y%m}" for when in dates(frame["signed"].to_numpy())]
    running = main.groupby(pd.Series(month, index=frame.index)).cumsum()
    own = [f"HT{m}-{n:04d}" for m, n in zip(month, running, strict=True)]
    key = list(zip(frame["customer"], frame["number"], strict=True))
    base = {k: c for k, c, m in zip(key, own, main, strict=True) if m}
    nth = frame.groupby(["customer", "number"])["addition"].cumsum()
    frame["base"] = [base[k] for k in key]
    frame["contract"] = [
        f"{b}-Z{n}" if a else b
        for b, n, a in zip(frame["base"], nth, frame["addition"], strict=True)
    ]
    before = [base.get((c, n - 1), "") for c, n in key]
    after = [base.get((c, n + 1), "") for c, n in key]
    frame["predecessor"] = np.where(frame["renews"].eq(True) & main, before, "")
    taken = frame["next_signed"].notna() & (frame["next_signed"] <= DAYS)
    frame["successor"] = np.where(taken, after, "")
    extra = frame[frame["addition"]].groupby("base")["amount"].sum()
    frame["extra"] = frame["contract"].map(extra).fillna(0).astype(np.int64)
    return frame


def _standing(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """What the ledger says of each contract, and the last day on which it counts."""
    end, renewed = frame["end"].to_numpy(), (frame["successor"] != "").to_numpy()
    over = end <= DAYS
    known = frame["lost"].eq(True).to_numpy() & (frame["confirmed"] <= DAYS).to_numpy()
    soon = (end - DAYS <= 90) & (frame["confirmed"].to_numpy() % 5 < 3)
    talking = np.where(over | soon, TALKING, RUNNING)
    status = np.where(renewed, RENEWED, np.where(known & over, LOST, talking))
    open_end = np.where(over & (status == TALKING), OPEN_END, end)
    taken_over = frame["next_start"].fillna(0).to_numpy().astype(np.int64) - 1
    return status, np.where(renewed, taken_over, open_end)


def _reasons(frame: pd.DataFrame, folk: pd.DataFrame, stream: np.random.Generator) -> np.ndarray:
    """Why lost customers left: mostly for what hurt them."""
    customer = frame["customer"].to_numpy()
    own = folk["pain"].map(words.LOSS_REASONS).to_numpy()[customer]
    closed = (folk["kind"] == "closing").to_numpy()[customer]
    drawn = stream.random(len(frame))
    reason = np.where(drawn < 0.72, own, words.OTHER_REASON)
    reason = np.where((drawn >= 0.72) & (drawn < 0.80), words.CLOSED, reason)
    reason = np.where(closed, words.CLOSED, reason)
    return np.where((frame["status"] == LOST).to_numpy(), reason, "")


def recurring(book: pd.DataFrame, on: int, customers: int) -> np.ndarray:
    """Yearly recurring revenue of each customer at the end of a day [fen]."""
    runs = book[(book["start"] <= on) & (book["until"] >= on)]
    found = np.bincount(runs["customer"], weights=runs["arr"], minlength=customers)
    return found.astype(np.int64)


def bridge(book: pd.DataFrame, first: int, last: int, customers: int) -> dict[str, int]:
    """Recurring revenue from the evening before `first` to the evening of `last` [fen].

    Returns
    -------
    dict
        ``opening + new + expansion - contraction - churn = closing``, customer by customer.
    """
    before, after = (recurring(book, on, customers) for on in (first - 1, last))
    stayed = (before > 0) & (after > 0)
    change = np.where(stayed, after - before, 0)
    return {
        "opening": int(before.sum()),
        "new": int(after[before == 0].sum()),
        "expansion": int(change[change > 0].sum()),
        "contraction": int(-change[change < 0].sum()),
        "churn": int(before[after == 0].sum()),
        "closing": int(after.sum()),
    }
