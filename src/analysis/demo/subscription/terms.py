"""Contracts: how long they run, who renews them, for how many seats, and who does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.demo.subscription.kinds import DAYS, GAP, KINDS, LIVE_IN_TIME, Quarter, anniversary
from analysis.demo.subscription.words import EDITIONS

ROUNDS = 7  # contracts one after the other that a history can hold
SMALL, LARGE = 50, 500  # headcounts below and from which the risk differs [people]
MOST_RISK = 0.85
COMEBACKS = 0.08
LATE, EARLY = 0.12, 0.06  # renewals that start after a gap, or before the old contract's end
CARE = 0.60  # share of the losses that care prevents
COACHING = 0.55  # of the days to being live, where the customer is accompanied
ANSWER = 0.10  # share of the customers who add seats because of the campaign

_DRAWS = (
    "loss", "confirmed", "onset", "comeback", "return", "gap", "lead", "seats", "change", "price",
    "years", "add", "add_day", "add_seats",
)  # fmt: skip


@dataclass(frozen=True)
class Push:
    """The measures of one quarter: for each customer the day on which it starts, else NaN.

    Attributes
    ----------
    quarter
        Contracts that end in it are what care is about.
    care, coaching, campaign
        Shape ``(customers,)`` each [day number].
    """

    quarter: Quarter
    care: np.ndarray
    coaching: np.ndarray
    campaign: np.ndarray


@dataclass(frozen=True)
class Luck:
    """Every draw that decides about contracts, made once.

    Two worlds lived with the same luck differ by their measures alone.

    Attributes
    ----------
    by_round
        Uniform numbers by name, shape ``(ROUNDS, customers)``.
    answer
        Decides whether a customer answers to the campaign, shape ``(customers,)``.
    """

    by_round: dict[str, np.ndarray]
    answer: np.ndarray


def luck(customers: int, stream: np.random.Generator) -> Luck:
    """Draw for `customers`."""
    drawn = {name: stream.random((ROUNDS, customers)) for name in _DRAWS}
    return Luck(drawn, stream.random(customers))


def live(
    folk: pd.DataFrame, chance: Luck, pushes: Sequence[Push] = ()
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Let contracts run, end and be renewed, past the end of the history.

    Parameters
    ----------
    folk
        As `population.build` gives it.
    chance
        As `luck` gives it.
    pushes
        The measures that were carried out.

    Returns
    -------
    terms : DataFrame
        Sorted by customer: ``customer, number`` (0, 1, …), ``start, end, signed`` (days), ``years,
        seats, price`` (a seat a year [fen]), ``renews`` (continues the contract before it),
        ``live_days`` (NaN but for a first contract within the history), ``risk`` (of not being
        renewed, if nobody does anything), ``would`` (is lost if nobody does anything), ``lost``,
        ``saved_on`` (day from which care works, else NaN), ``onset`` (day from which usage falls,
        NaN if it does not), ``confirmed`` (day on which a loss is known), ``add_day`` (of its first
        added seats, else NaN).
    added : DataFrame
        ``customer, number, day, seats, price, campaign`` (it was the campaign that sold them).
    """
    size = len(folk)
    listed = folk["edition"].map({name: p for name, (p, _) in EDITIONS.items()}).to_numpy()
    alive = ~folk["on_trial"].to_numpy()
    start, years = folk["first"].to_numpy(), folk["years"].to_numpy()
    seats, price = folk["seats"].to_numpy(), folk["price"].to_numpy()
    signed = start - 3 - np.floor(20 * chance.by_round["lead"][0]).astype(np.int64)
    renews = np.zeros(size, dtype=bool)
    found, more = [], []
    for number in range(ROUNDS):
        u = {name: drawn[number] for name, drawn in chance.by_round.items()}
        end = anniversary(start, 12 * years) - 1
        slow = _live_days(folk, start, pushes) if number == 0 else np.full(size, np.nan)
        risk = _risk(folk, slow)
        would = u["loss"] < risk
        started = _care_started(end, pushes)
        kept = would & (u["loss"] >= risk * (1 - CARE)) & np.isfinite(started)
        lost = would & ~kept
        warned = would & (folk["kind"] != "closing").to_numpy()
        onset = np.where(warned, end - 70 - np.floor(120 * u["onset"]), np.nan)
        term = pd.DataFrame(
            {
                "customer": np.arange(size), "number": number, "start": start, "end": end,
                "signed": signed, "years": years, "seats": seats, "price": price,
                "renews": renews, "live_days": slow, "risk": risk, "would": would, "lost": lost,
                "saved_on": np.where(kept, started, np.nan), "onset": onset,
                "confirmed": end + np.floor(25 * u["confirmed"]).astype(np.int64),
            }
        )  # fmt: skip
        bought = _added(folk, term[alive & ~would], u, chance.answer, pushes)
        first = bought.groupby("customer")["day"].min().reindex(range(size))
        found.append(term.assign(add_day=first.to_numpy())[alive])
        more.append(bought)
        back = lost & (u["comeback"] < COMEBACKS)
        alive = alive & (start <= DAYS) & (~lost | back)
        extra = bought.groupby("customer")["seats"].sum().reindex(range(size)).fillna(0)
        seats = _next_seats(folk, seats + extra.to_numpy().astype(np.int64), u)
        dearer = np.round(price * (1 + 0.05 * u["price"]) / 1000) * 1000
        price = np.minimum(dearer, listed).astype(np.int64)
        gap = np.where(back, 90 + np.floor(200 * u["return"]), _gap(u)).astype(np.int64)
        start = end + 1 + gap
        ahead = np.where(u["lead"] < 0.1, 60 + 500 * u["lead"], 3 + 55 * u["lead"])
        ahead = np.where(gap > 0, np.minimum(ahead, gap), ahead).astype(np.int64)
        # nobody signs because of a call that has not been made yet
        usual = start - ahead
        signed = np.where(kept, np.fmax(usual, started + 14), usual).astype(np.int64)
        start = np.maximum(start, signed + kept)
        renews = ~back
        years = np.where(u["years"] < 0.88, 1, np.where(u["years"] < 0.94, 2, 3))
    terms = pd.concat(found).sort_values(["customer", "number"], ignore_index=True)
    return terms, pd.concat(more).sort_values(
        ["customer", "number", "day", "campaign"], ignore_index=True
    )


def _live_days(folk: pd.DataFrame, start: np.ndarray, pushes: Sequence[Push]) -> np.ndarray:
    """Days to being live; NaN for those who were live before the history."""
    days = folk["live_days"].to_numpy().astype(float)
    for push in pushes:
        from_here = push.coaching - start
        sooner = np.maximum(np.round(days * COACHING), from_here + 10)
        days = np.where(np.isfinite(from_here), np.minimum(days, sooner), days)
    return np.asarray(np.where(start >= 0, days, np.nan))


def _risk(folk: pd.DataFrame, live_days: np.ndarray) -> np.ndarray:
    """Probability that a contract is not renewed: small firms and slow starters leave more."""
    base = folk["kind"].map({k.key: k.loss for k in KINDS}).to_numpy()
    staff = folk["staff"].to_numpy()
    size = np.where(staff < SMALL, 1.6, np.where(staff >= LARGE, 0.7, 1.0))
    slow = np.where(np.nan_to_num(live_days) > LIVE_IN_TIME, 1.5, 1.0)
    return np.asarray(np.minimum(base * size * slow, MOST_RISK))


def _care_started(end: np.ndarray, pushes: Sequence[Push]) -> np.ndarray:
    """Day from which the customer of an ending contract is cared for; NaN without care."""
    found = np.full(len(end), np.nan)
    for push in pushes:
        due = (end >= push.quarter.first) & (end <= push.quarter.last)
        found = np.where(due & np.isfinite(push.care), push.care, found)
    return found


def _added(
    folk: pd.DataFrame,
    open_to: pd.DataFrame,
    u: dict[str, np.ndarray],
    answer: np.ndarray,
    pushes: Sequence[Push],
) -> pd.DataFrame:
    """Seats added during the contracts `open_to` it, unprompted or because of a campaign."""
    at = open_to["customer"].to_numpy()
    start, end = open_to["start"].to_numpy(), open_to["end"].to_numpy()
    often = folk["kind"].map({k.key: k.adds for k in KINDS}).to_numpy()[at]
    share = 0.10 + 0.30 * u["add_seats"][at]
    when = start + 75 + np.floor(u["add_day"][at] * (end - start - 140))
    own = u["add"][at] < often * np.sqrt(open_to["years"].to_numpy())
    parts = [_rows(open_to, own, when, share).assign(campaign=False)]
    for push in pushes:
        begins = push.campaign[at]
        later = begins + 12 + np.floor(60 * u["add_day"][at])
        sold = (begins >= start) & (later <= end - 30) & (answer[at] < ANSWER)
        parts.append(_rows(open_to, sold, later, 0.6 * share).assign(campaign=True))
    return pd.concat(parts, ignore_index=True)


def _rows(
    contracts: pd.DataFrame, mask: np.ndarray, when: np.ndarray, share: np.ndarray
) -> pd.DataFrame:
    some = contracts[mask]
    seats = np.maximum(np.round(some["seats"].to_numpy() * share[mask]), 1)
    day = when[mask].astype(np.int64)
    return some[["customer", "number", "price"]].assign(day=day, seats=seats.astype(np.int64))


def _next_seats(folk: pd.DataFrame, seats: np.ndarray, u: dict[str, np.ndarray]) -> np.ndarray:
    """Seats of the renewal: a few take more, those who hardly use them take fewer."""
    shrinks = folk["kind"].map({k.key: k.shrinks for k in KINDS}).to_numpy()
    grows = folk["kind"].map({k.key: k.adds for k in KINDS}).to_numpy() * 0.5
    less = u["seats"] < shrinks
    more = u["seats"] > 1 - grows
    change = np.where(less, -0.12 - 0.25 * u["change"], np.where(more, 0.05 + 0.2 * u["change"], 0))
    found = np.maximum(np.round(seats * (1 + change)), 3)
    return np.asarray(found.astype(np.int64))


def _gap(u: dict[str, np.ndarray]) -> np.ndarray:
    """Days between the old contract's end and the new one's start; negative where they overlap."""
    late = 1 + np.floor((GAP - 2) * u["return"] ** 1.5)
    early = -7 - np.floor(38 * u["return"])
    gap = np.where(u["gap"] < LATE, late, np.where(u["gap"] > 1 - EARLY, early, 0))
    return np.asarray(gap.astype(np.int64))
