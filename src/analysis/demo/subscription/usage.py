"""The usage log: who works with the software, week by week.

What is not logged is missing, not zero: customers on their own servers, weeks in which the
collector was down. A week in which nobody worked is a row of zeros.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.demo.kinds import SPRING_FESTIVALS
from analysis.demo.subscription import words
from analysis.demo.subscription.kinds import DAYS, KINDS, LOG_START, day

LOST_ROWS = 0.008  # weeks of a tenant that never arrived
OUTAGES = (day(LOG_START) + 7 * 19 + 6, day(LOG_START) + 7 * 47 + 6)  # weeks of half the tenants
SHARES = (1.0, 0.72, 0.55, 0.42, 0.34, 0.27, 0.2, 0.15)  # of the active users, by function
DIPS = 0.10  # share of the customers with a slump that means nothing


def weeks() -> np.ndarray:
    """The last days of the logged weeks."""
    return np.arange(day(LOG_START) + 6, DAYS + 1, 7)


def active(
    folk: pd.DataFrame, book: pd.DataFrame, terms: pd.DataFrame, stream: np.random.Generator
) -> np.ndarray:
    """Active users of every customer in every week; -1 where it has no access.

    Returns
    -------
    numpy.ndarray
        Shape ``(customers, weeks)`` [people].
    """
    when = weeks()
    size = (len(folk), len(when))
    level = np.full(size, np.nan)
    pilot = folk["on_trial"].to_numpy()
    ramp = (when - folk["first"].to_numpy()[:, None]) / 40
    level = np.where(pilot[:, None] & (ramp >= 0), np.clip(ramp, 0.2, 1.0), level)
    seats = np.where(pilot[:, None], folk["seats"].to_numpy()[:, None], np.zeros(size))
    occupancy = folk["occupancy"].to_numpy()
    running = book[["customer", "number", "addition", "until"]]
    until = running[~running["addition"]].drop(columns="addition")
    known = terms.merge(until, on=["customer", "number"])
    for _, term in known.groupby("number", sort=True):
        column = {name: term[name].to_numpy()[:, None] for name in term.columns}
        inside = (when >= column["start"]) & (when <= column["until"])
        at = term["customer"].to_numpy()
        share = _share(column, when, occupancy[at])
        level[at] = np.where(inside, share, level[at])
        seats[at] = np.where(inside, column["seats"], seats[at])
    noise = np.exp(stream.normal(0, 0.06, size))
    mean = seats * level * _season(folk, when) * _slumps(folk, when, stream) * noise
    users = np.minimum(np.round(mean), seats + _extra(folk, book, when))
    return np.where(np.isnan(level), -1, np.nan_to_num(users)).astype(np.int64)


def _share(column: dict[str, np.ndarray], when: np.ndarray, occupancy: np.ndarray) -> np.ndarray:
    """Active users per seat of the contract.

    Slow to start, full before seats are added, falling before it is lost, up again where care
    helped.
    """
    usual = np.broadcast_to(occupancy[:, None], (len(occupancy), len(when)))
    full = np.clip((when - column["add_day"] + 130) / 130, 0, 1)
    full = np.where(np.isnan(column["add_day"]), 0, full)
    share = usual + np.maximum(0.97 - usual, 0) * full
    start = np.clip((when - column["start"]) / np.maximum(column["live_days"], 1), 0.12, 1)
    share = share * np.where(np.isnan(column["live_days"]), 1, start)
    span = column["end"] - column["onset"] + 1
    fallen = np.clip((when - column["onset"]) / span, 0, 1)
    fallen = np.where(np.isnan(column["onset"]), 0, fallen) * 0.85
    healed = np.clip((when - column["saved_on"] - 7) / 60, 0, 1)
    healed = np.where(np.isnan(column["saved_on"]), 0, healed)
    return np.asarray(share * (1 - fallen * (1 - healed)))


def _season(folk: pd.DataFrame, when: np.ndarray) -> np.ndarray:
    """Spring Festival, National Day, and the months of the seasonal trades."""
    middle = when - 3
    factor = np.ones(len(when))
    for festival in SPRING_FESTIVALS:
        away = np.abs(middle - day(festival) - 2)
        factor = np.where(away <= 9, 0.25, np.where(away <= 15, 0.7, factor))
    first = [day(LOG_START.replace(month=10, day=3))]
    factor = np.where(np.min([np.abs(middle - d) for d in first], axis=0) <= 4, 0.5, factor)
    wave = 1 + 0.38 * np.cos(2 * np.pi * (when - day(LOG_START) - 120) / 365.25)
    seasonal = (folk["kind"] == "seasonal").to_numpy()[:, None]
    return np.where(seasonal, wave, 1.0) * factor


def _slumps(folk: pd.DataFrame, when: np.ndarray, stream: np.random.Generator) -> np.ndarray:
    """Some weeks of little use, after which all is as before: false alarms."""
    size = len(folk)
    hit = stream.random(size) < DIPS
    first = when[0] + stream.random(size) * (when[-1] - when[0])
    length = stream.uniform(25, 70, size)
    inside = (when >= first[:, None]) & (when <= (first + length)[:, None])
    return np.where(hit[:, None] & inside, 0.5, 1.0)


def _extra(folk: pd.DataFrame, book: pd.DataFrame, when: np.ndarray) -> np.ndarray:
    """Seats added to a contract while it runs."""
    found = np.zeros((len(folk), len(when)), dtype=np.int64)
    more = book[book["addition"]]
    inside = (when >= more["start"].to_numpy()[:, None]) & (
        when <= more["until"].to_numpy()[:, None]
    )
    np.add.at(found, more["customer"].to_numpy(), inside * more["seats"].to_numpy()[:, None])
    return found


def log(folk: pd.DataFrame, users: np.ndarray, stream: np.random.Generator) -> pd.DataFrame:
    """The rows that reached the log.

    Parameters
    ----------
    users
        As `active` gives them.

    Returns
    -------
    DataFrame
        Sorted by week and customer: ``customer, day, function, users, logins, minutes, events``.
    """
    when = weeks()
    size = users.shape
    half = np.asarray(stream.random(size[0]) < 0.5)
    missing = np.asarray(stream.random(size) < LOST_ROWS)
    missing |= half[:, None] & np.isin(when, OUTAGES)
    missing |= ~folk["logged"].to_numpy()[:, None]
    kinds = [k.key for k in KINDS]
    offset = np.array([kinds.index(k) for k in folk["kind"]]) + folk["staff"].to_numpy()
    # each customer starts with another function of its edition
    held = folk["edition"].map({e: n for e, (_, n) in words.EDITIONS.items()}).to_numpy()
    parts = []
    for nth in range(int(folk["breadth"].max())):
        uses = (folk["breadth"].to_numpy() > nth)[:, None]
        at, week = np.nonzero((users >= 0) & ~missing & uses)
        mean = users[at, week] * SHARES[nth]
        count = np.minimum(np.round(mean), users[at, week]).astype(np.int64)
        keep = (count > 0) | (nth == 0)
        at, week, count = at[keep], week[keep], count[keep]
        parts.append(
            pd.DataFrame(
                {
                    "customer": at,
                    "day": when[week],
                    "function": np.array(words.FUNCTIONS)[(offset[at] + nth) % held[at]],
                    "nth": nth,
                    "users": count,
                }
            )
        )
    frame = pd.concat(parts).sort_values(["day", "customer", "nth"], ignore_index=True)
    count = frame["users"].to_numpy()
    frame["logins"] = stream.poisson(count * 4.2)
    frame["minutes"] = np.round(count * 88 * np.exp(stream.normal(0, 0.25, len(frame))))
    frame["events"] = stream.poisson(count * 31.0)
    return frame.astype({"minutes": "int64"}).drop(columns="nth")
