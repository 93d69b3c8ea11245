"""The kinds of customers the made-up company has, and the calendar of its history.

A kind is latent: it stands in the truth files only, never in an export.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from analysis.calendars import Period

START = date(2022, 10, 1)
HANDED_OVER = "2025Q3"
AS_OF = date(2025, 9, 30)  # on which a new company is handed over
BEFORE = date(2025, 6, 30)  # the day on which last quarter's measures were drawn up
HORIZON = date(2026, 12, 31)  # so far lives are drawn; a company may go on until then
DAYS = (AS_OF - START).days  # day numbers run from 0 (START) to DAYS (AS_OF)
LAST = (HORIZON - START).days
QUARTER_START = (date(2025, 7, 1) - START).days
SPRING_FESTIVALS = (date(2023, 1, 22), date(2024, 2, 10), date(2025, 1, 29), date(2026, 2, 17))

LEAST_CUSTOMERS = 50  # fewer would leave a kind empty
MOST_CUSTOMERS = 1_000_000


@dataclass(frozen=True)
class Kind:
    """One latent kind.

    Parameters
    ----------
    share
        Share of all customers.
    yearly, spread
        Median and log standard deviation of a year's revenue at the end of the history [CNY].
    cycle
        Shortest and longest own buying cycle [days].
    regularity
        Shape of the gamma-distributed gaps; 1 is a Poisson process, more is more regular.
    growth
        Yearly growth of the order amount.
    discount
        Mean discount on the list price.
    lines
        Largest number of lines of an order.
    pain
        What these customers complain about most.
    visits
        Mean number of visits and calls a quarter.
    """

    key: str
    share: float
    yearly: float
    spread: float
    cycle: tuple[float, float]
    regularity: float
    growth: float
    discount: float
    lines: int
    pain: str
    visits: float


KINDS: tuple[Kind, ...] = (
    Kind("key", 0.11, 1_550_000, 0.42, (14, 32), 12.0, 0.03, 0.08, 5, "delivery", 2.6),
    Kind("steady", 0.225, 190_000, 0.55, (24, 60), 6.0, 0.02, 0.04, 3, "price", 1.0),
    Kind("growing", 0.05, 300_000, 0.55, (22, 50), 5.0, 0.35, 0.05, 4, "price", 1.4),
    Kind("wholesaler", 0.05, 520_000, 0.60, (14, 30), 5.0, 0.03, 0.18, 6, "price", 1.1),
    Kind("project", 0.08, 230_000, 0.70, (170, 330), 1.5, 0.03, 0.05, 4, "coordination", 0.9),
    Kind("annual", 0.085, 360_000, 0.45, (183, 365), 60.0, 0.03, 0.04, 3, "quality", 0.5),
    Kind("declining", 0.06, 170_000, 0.55, (25, 55), 4.0, 0.00, 0.04, 3, "response", 0.7),
    Kind("lapsed", 0.19, 110_000, 0.70, (24, 65), 4.0, 0.00, 0.04, 3, "response", 0.4),
    Kind("turned", 0.01, 900_000, 0.30, (18, 30), 8.0, 0.00, 0.07, 4, "delivery", 2.0),
    Kind("new", 0.12, 85_000, 0.60, (26, 50), 4.0, 0.00, 0.03, 2, "coordination", 1.5),
    Kind("trial", 0.02, 0, 0.00, (40, 60), 4.0, 0.00, 0.00, 2, "coordination", 1.2),
)
KEYS: tuple[str, ...] = tuple(kind.key for kind in KINDS)


def counts(customers: int) -> np.ndarray:
    """Customers of each kind, at least one each, adding to `customers`; shape ``(len(KINDS),)``."""
    exact = np.array([kind.share for kind in KINDS]) * customers
    found: np.ndarray = np.maximum(np.floor(exact).astype(np.int64), 1)
    order = np.argsort(-(exact - np.floor(exact)), kind="stable")
    rest = customers - int(found.sum())
    if rest > 0:
        found[order[:rest]] += 1
    elif rest < 0:
        found[int(np.argmax(found))] += rest
    return found


def rng(seed: int, subject: str) -> np.random.Generator:
    """A stream of its own for each subject, so that a change in one leaves the others alone."""
    return np.random.default_rng([seed, *subject.encode()])


def day(value: date) -> int:
    """Day number of a date: 0 is `START`."""
    return (value - START).days


@dataclass(frozen=True)
class Chapter:
    """A part of the history that is drawn by itself: what comes later leaves it as it is.

    Parameters
    ----------
    first, last
        Its first and last day number.
    name
        Its quarter; empty for the years before the company was handed over first.
    """

    first: int
    last: int
    name: str

    def stream(self, seed: int, subject: str) -> np.random.Generator:
        """The source of chance of a subject in this chapter."""
        return rng(seed, f"{subject} {self.name}".rstrip())


def chapters(as_of: date) -> tuple[Chapter, ...]:
    """The years before the hand-over, then quarter by quarter up to `as_of`."""
    found = [Chapter(0, DAYS, "")]
    quarter = Period.parse(HANDED_OVER).next()
    while quarter.end <= as_of:
        found.append(Chapter(day(quarter.start), day(quarter.end), quarter.name))
        quarter = quarter.next()
    return tuple(found)
