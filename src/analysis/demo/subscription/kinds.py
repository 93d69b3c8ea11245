"""The latent kinds of customers of the made-up software vendor, and its calendar.

A kind stands in the truth files only, never in an export. Days are numbers, 0 is `START`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from analysis.demo.kinds import AS_OF, DAYS, START, day

GAP = 60  # a contract that starts within so many days of another's end renews it [days]
LIVE_IN_TIME = 90  # a customer that is not live after so many days is slow [days]
LOG_START = date(2024, 7, 1)  # a Monday; older logs are not kept


@dataclass(frozen=True)
class Quarter:
    """A quarter whose measures are in the files, by the day numbers of its ends."""

    name: str
    first: int
    last: int

    @property
    def before(self) -> int:
        """The day on whose evening the measures were drawn up."""
        return self.first - 1


QUARTERS = (
    Quarter("2025Q2", day(date(2025, 4, 1)), day(date(2025, 6, 30))),
    Quarter("2025Q3", day(date(2025, 7, 1)), DAYS),
)
LAST = QUARTERS[-1]


@dataclass(frozen=True)
class Kind:
    """One latent kind.

    Parameters
    ----------
    share
        Share of all customers.
    loss
        Probability that a contract that ends is not renewed.
    adds
        Probability that seats are added during a term.
    shrinks
        Probability that a renewal is for fewer seats.
    occupancy
        Active users per seat once the customer is live.
    live
        Median days from the start to being live.
    pains
        What these customers complain about most; one of these each.
    staff
        Median headcount.
    contacts
        Mean number of visits and calls a quarter.
    """

    key: str
    share: float
    loss: float
    adds: float
    shrinks: float
    occupancy: float
    live: float
    pains: tuple[str, ...]
    staff: float
    contacts: float


KINDS: tuple[Kind, ...] = (
    Kind("thriving", 0.16, 0.05, 0.42, 0.02, 0.84, 45, ("integration",), 260, 1.8),
    Kind("steady", 0.34, 0.11, 0.12, 0.07, 0.66, 60, ("price",), 170, 1.0),
    Kind("seasonal", 0.08, 0.12, 0.08, 0.07, 0.60, 62, ("price",), 150, 0.9),
    Kind("shallow", 0.14, 0.28, 0.03, 0.25, 0.34, 80, ("training",), 120, 0.8),
    Kind("stalled", 0.08, 0.50, 0.02, 0.12, 0.22, 140, ("onboarding",), 75, 1.1),
    Kind("fading", 0.12, 0.52, 0.04, 0.15, 0.55, 70, ("stability", "response"), 110, 0.8),
    Kind("closing", 0.02, 0.50, 0.04, 0.10, 0.60, 60, ("price",), 70, 0.6),
    Kind("pilot", 0.06, 0.00, 0.00, 0.00, 0.45, 40, ("integration",), 110, 1.3),
)
KEYS: tuple[str, ...] = tuple(kind.key for kind in KINDS)


def counts(customers: int) -> np.ndarray:
    """Customers of each kind, at least one each, adding to `customers`; shape ``(len(KINDS),)``."""
    exact = np.array([kind.share for kind in KINDS]) * customers
    found: np.ndarray = np.maximum(np.floor(exact).astype(np.int64), 1)
    order = np.argsort(-(exact - np.floor(exact)), kind="stable")
    rest = customers - int(found.sum())
    found[order[: max(rest, 0)]] += 1
    found[int(np.argmax(found))] += min(rest, 0)
    return found


def anniversary(days: np.ndarray, months: np.ndarray | int) -> np.ndarray:
    """Day numbers of the same day of the month, `months` later; a month's end where it has none."""
    dates = np.datetime64(START, "D") + days.astype("timedelta64[D]")
    month = dates.astype("datetime64[M]")
    later = month + np.asarray(months).astype("timedelta64[M]")
    length = (later + 1).astype("datetime64[D]") - later.astype("datetime64[D]")
    into = np.minimum(dates - month.astype("datetime64[D]"), length - np.timedelta64(1, "D"))
    found = later.astype("datetime64[D]") + into - np.datetime64(START, "D")
    return np.asarray(found.astype(np.int64))


def dates(days: np.ndarray) -> list[date]:
    """Dates of day numbers."""
    return [START + timedelta(days=int(d)) for d in days]


__all__ = ["AS_OF", "DAYS", "START", "day"]
