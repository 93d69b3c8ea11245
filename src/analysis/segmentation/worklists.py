"""The lists that sales work through: overdue to reorder, must win back, moved down, warned."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.segmentation.reasons import number, sentence
from analysis.segmentation.rulebook import roles_of
from analysis.segmentation.rules import Scheme
from analysis.tables import RECORD

# A day past the mean interval is no news: nearly half of all orders come later than that.
LATE_CYCLES = 1.2
LISTS = ("reorder", "win_back", "moved_down", "warning")
_DETAILS = ("name", "owner_id", "region")


def worklists(
    segments: pd.DataFrame,
    movements: pd.DataFrame,
    features: pd.DataFrame,
    customers: pd.DataFrame,
    people: pd.DataFrame | None,
    warnings: pd.DataFrame,
    *,
    scheme: Scheme | None = None,
    lapsed_cycles: float = math.inf,
) -> pd.DataFrame:
    """Every customer of each list, by money in the monetary window.

    Parameters
    ----------
    segments, movements, features, customers
        RECORD tables; `movements` may be empty.
    people
        RECORD ``people``: names of the persons in charge; without them their numbers stand.
    warnings
        RECORD ``warnings``; may be empty.
    scheme
        Which segment is at risk; None: that of ``rfm5``.
    lapsed_cycles
        ``segmentation.lapsed_cycles``: beyond it nobody is expected to reorder [cycles].

    Returns
    -------
    pandas.DataFrame
        RECORD ``worklists``, lists in the order of `LISTS`; a customer may stand in several:

        - *reorder* (应购未购): as `late`;
        - *win_back*: as `to_win_back`;
        - *moved_down*: a worse segment than at the previous end; its reason is the cause;
        - *warning*: RECORD ``warnings``, with their reason.

        Nobody is left out for having no money in the window; who ties stands by number.
    """
    frame = joined(segments, movements, features, customers, people)
    over = pd.to_timedelta(frame["days_over"].astype(float).round(), unit="D")
    frame["expected_on"] = pd.to_datetime(frame["as_of"]) - over
    risk = at_risk(frame, roles_of(scheme))
    parts = {
        "reorder": frame[late(frame, risk, lapsed_cycles)],
        "win_back": frame[to_win_back(frame, risk)],
        "moved_down": frame[frame["direction"] == "worse"],
        "warning": frame.merge(warnings[["customer_id", "reason"]], on="customer_id"),
    }
    causes = movements.set_index("customer_id")["cause"]
    told = {
        "reorder": _each("worklist_reason.reorder", parts["reorder"]),
        "win_back": _unless_silent(parts["win_back"], "worklist_reason.win_back"),
        "moved_down": list(parts["moved_down"]["customer_id"].map(causes)),
        "warning": list(parts["warning"]["reason"]),
    }
    found = [
        _ranked(part.assign(list=name, reason=told[name], days_over=_past(part)))
        for name, part in parts.items()
    ]
    names = RECORD["worklists"].names
    filled = [part[names] for part in found if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=names)


def joined(
    segments: pd.DataFrame,
    movements: pd.DataFrame,
    features: pd.DataFrame,
    customers: pd.DataFrame,
    people: pd.DataFrame | None,
) -> pd.DataFrame:
    """One row a customer with everything that lists are made of.

    Returns
    -------
    pandas.DataFrame
        Columns of RECORD ``segments`` (its reason as placed) and ``features``; segment_before and
        direction of its movement (empty without one); name, owner_id, owner and region; amount
        and days_over: since the contract's end where there is one, else beyond the own cycle.
    """
    frame = segments.rename(columns={"reason": "placed"}).merge(
        features, on="customer_id", validate="one_to_one"
    )
    moved = movements[["customer_id", "segment_before", "direction"]]
    frame = frame.merge(moved, on="customer_id", how="left")
    details = [c for c in ("customer_id", *_DETAILS) if c in customers.columns]
    frame = frame.merge(customers[details], on="customer_id", how="left")
    for column in _DETAILS:
        if column not in frame:
            frame[column] = None
    return frame.assign(
        owner=_owners(frame["owner_id"], people),
        amount=frame["monetary"],
        days_over=_days_over(frame),
    )


def _days_over(frame: pd.DataFrame) -> pd.Series:
    silent = frame["recency_days"] - frame["expected_interval_days"]
    return (-_renewal(frame)).fillna(silent)


def _renewal(frame: pd.DataFrame) -> pd.Series:
    """Days to the end of the contract; missing for who buys without one."""
    if "days_to_renewal" in frame:
        return frame["days_to_renewal"].astype(float)
    return pd.Series(math.nan, index=frame.index)


def at_risk(frame: pd.DataFrame, roles: Mapping[str, str]) -> pd.Series:
    """Who stands in the segment whose role is at_risk."""
    return frame["segment"].map(roles) == "at_risk"


def late(frame: pd.DataFrame, risk: pd.Series, lapsed_cycles: float) -> pd.Series:
    """Overdue to reorder: not at risk, past `LATE_CYCLES` of a cycle known from own intervals.

    Who has, or had, a contract renews it instead, or does not. Who is silent for more than
    `lapsed_cycles` does not order late: it has left, in whatever segment.
    """
    risk = risk | _renewal(frame).notna()
    cycles = frame["recency_cycles"].astype(float)
    return ~risk & (cycles > LATE_CYCLES) & (cycles <= lapsed_cycles) & (frame["intervals"] > 0)


def to_win_back(frame: pd.DataFrame, risk: pd.Series) -> pd.Series:
    """At risk, and tagged must win back, or high in money and past its own cycle."""
    high = frame["m_score"] == "high" if "m_score" in frame else risk & False
    silent = frame["days_over"] > 0
    return risk & ((frame["tag"] == "must_win_back") | (high & silent))


def numbers(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The numbers that the sentences of lists speak of, one map a row."""
    columns = {
        "amount": ("amount", "money"),
        "days": ("recency_days", "days"),
        "interval": ("expected_interval_days", "days"),
        "cycles": ("recency_cycles", "cycles"),
        "over": ("days_over", "days"),
    }
    values = {
        name: [number(v, unit) for v in (frame[c].round() if c == "days_over" else frame[c])]
        for name, (c, unit) in columns.items()
    }
    return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]


def by_silence(frame: pd.DataFrame) -> pd.Series:
    """Whose orders are overdue by its own cycle, without a contract that says more."""
    return (frame["days_over"] > 0) & _renewal(frame).isna()


def _past(frame: pd.DataFrame) -> pd.Series:
    """Days beyond the own cycle; missing for who is still within it."""
    over = frame["days_over"].astype(float)
    return over.where(over > 0)


def _unless_silent(frame: pd.DataFrame, key: str) -> list[str]:
    """That it is silent; who is at risk for another reason is told that of its place."""
    told = pd.Series(_each(key, frame), index=frame.index, dtype=object)
    return list(told.where(by_silence(frame), frame["placed"]))


def _each(key: str, frame: pd.DataFrame) -> list[str]:
    return [sentence(key, args) for args in numbers(frame)]


def _ranked(part: pd.DataFrame) -> pd.DataFrame:
    part = part.sort_values(["amount", "customer_id"], ascending=[False, True], kind="stable")
    return part.assign(rank=range(1, len(part) + 1))


def _owners(ids: pd.Series, people: pd.DataFrame | None) -> pd.Series:
    if people is None or people.empty:
        return ids
    names = people.dropna(subset=["name"]).drop_duplicates("person_id")
    return ids.map(names.set_index("person_id")["name"]).fillna(ids)
