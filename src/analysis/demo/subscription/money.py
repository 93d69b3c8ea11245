"""Invoices, payments and what is open: every amount in whole fen, tax included."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.demo.subscription.kinds import DAYS, anniversary
from analysis.demo.subscription.ledger import LOST
from analysis.demo.workdays import workdays

TERM = 30  # days from the invoice to its due day
ADVANCE = 0.06  # share of the invoices that are paid before they are written
HALVES = 0.12  # share of the payments that come in two
NEVER = 0.25  # share of the last invoices of lost late payers that stay open
BUCKETS: tuple[tuple[str, float], ...] = (
    # header in the ageing report, most days overdue
    ("账期内", 0),
    ("1-30", 30),
    ("31-60", 60),
    ("61-90", 90),
    ("91-180", 180),
    ("181-360", 360),
    ("360以上", np.inf),
)


def invoices(book: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """One invoice a contract and year, written when the year begins.

    Returns
    -------
    DataFrame
        Sorted by day: ``invoice, customer, contract, day, due, amount``.
    """
    years = np.maximum(np.ceil(book["months"] / 12).astype(int), 1).to_numpy()
    row = np.repeat(np.arange(len(book)), years)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(years) - years, years)
    some = book.iloc[row]
    share = some["amount"].to_numpy() // years[row]
    amount = np.where(nth == 0, some["amount"].to_numpy() - share * (years[row] - 1), share)
    begins = anniversary(some["start"].to_numpy(), 12 * nth)
    first = np.where(nth == 0, np.minimum(some["signed"].to_numpy() + 20, begins), begins)
    day = workdays(first + stream.integers(0, 12, len(row)))
    frame = pd.DataFrame(
        {
            "customer": some["customer"].to_numpy(),
            "contract": some["contract"].to_numpy(),
            "day": day,
            "due": day + TERM,
            "amount": amount,
            "lost": (some["status"] == LOST).to_numpy() & (nth == years[row] - 1),
        }
    )
    frame = frame[(frame["day"] >= 0) & (frame["day"] <= DAYS)]
    frame = frame.sort_values(["day", "contract"], kind="stable", ignore_index=True)
    frame["invoice"] = [f"FP{n:08d}" for n in range(1, len(frame) + 1)]
    return frame


def payments(bills: pd.DataFrame, folk: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """What came in up to the last day.

    Returns
    -------
    DataFrame
        Sorted by day: ``payment, customer, invoice, day, amount, advance``.
    """
    size = len(bills)
    late = folk["days_late"].to_numpy()[bills["customer"]]
    day = bills["due"].to_numpy() + late + np.round(stream.normal(0, 6, size))
    ahead = stream.random(size) < ADVANCE
    day = np.where(ahead, bills["day"].to_numpy() - stream.integers(1, 15, size), day)
    never = bills["lost"].to_numpy() & (late > TERM) & (stream.random(size) < NEVER)
    halved = stream.random(size) < HALVES
    second = bills["amount"].to_numpy() // 2 * halved
    frame = pd.DataFrame(
        {
            "customer": bills["customer"].to_numpy(),
            "invoice": bills["invoice"].to_numpy(),
            "day": workdays(day.astype(np.int64)),
            "amount": bills["amount"].to_numpy() - second,
            "advance": ahead,
        }
    )
    wait = stream.integers(15, 60, size)
    later = frame.assign(day=workdays(frame["day"].to_numpy() + wait), amount=second, advance=False)
    both = pd.concat([frame[~never], later[halved & ~never]])
    both = both[(both["day"] >= 0) & (both["day"] <= DAYS)]
    both = both.sort_values(["day", "invoice", "amount"], kind="stable", ignore_index=True)
    both["payment"] = [f"SK{n:08d}" for n in range(1, len(both) + 1)]
    return both


def ageing(bills: pd.DataFrame, paid: pd.DataFrame, on: int) -> pd.DataFrame:
    """Open invoices at the end of a day, by customer and days overdue.

    Returns
    -------
    DataFrame
        One row a customer with an open balance: ``customer, balance`` and one column for each of
        `BUCKETS` [fen].
    """
    written = bills[bills["day"] <= on]
    settled = paid[paid["day"] <= on].groupby("invoice")["amount"].sum()
    left = written["amount"].to_numpy() - settled.reindex(written["invoice"]).fillna(0).to_numpy()
    overdue = on - written["due"].to_numpy()
    bucket = np.searchsorted([most for _, most in BUCKETS], overdue)
    table = pd.DataFrame({"customer": written["customer"].to_numpy()})
    for number, (name, _) in enumerate(BUCKETS):
        table[name] = np.where(bucket == number, left, 0).astype(np.int64)
    found = table.groupby("customer", as_index=False).sum()
    found.insert(1, "balance", found[[name for name, _ in BUCKETS]].sum(axis=1))
    return found[found["balance"] > 0].reset_index(drop=True)
