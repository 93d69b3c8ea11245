"""Who has how much to do, and whether everybody hears from us."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from analysis.strategy.choosing import Choice
from analysis.strategy.playbook import Playbook
from analysis.strategy.units import CAPACITY, Flags, Units
from analysis.tables import RECORD


def least_touches(playbook: Playbook, length: float) -> dict[str, int]:
    """Contacts that each customer of a segment gets at least, in a period of `length` quarters."""
    return {
        segment: math.floor(getattr(plan, "least_touches", 0) * length + 1e-9)
        for segment, plan in playbook.segments.items()
    }


def persons(
    units: Units, choice: Choice, now: Flags, why: pd.DataFrame, people: pd.DataFrame | None
) -> pd.DataFrame:
    """RECORD ``capacity``: each person's visits, and what is left out for want of them.

    Parameters
    ----------
    units, choice
        What could be taken, and what is.
    now
        Units that are carried out now.
    why
        From `analysis.strategy.shortfall.reasons_not`.
    people
        RECORD ``people``.
    """
    rows = units.rows[["customer_id", "owner_id", "owner_role", "visits", "duty"]].assign(
        now=now[units.of],
        lacking=(why["why"] == CAPACITY).to_numpy(bool)[units.of],
        owner_id=units.rows["owner_id"].astype(object),
    )
    rows = rows[rows["owner_id"].notna()]
    rows["visits"] = rows["visits"].astype(float).fillna(0.0) * rows["now"]
    allowed = {
        who: (allowed, price)
        for (kind, who), allowed, price in zip(
            units.limits, units.allowed, choice.prices, strict=True
        )
        if kind == CAPACITY
    }
    known = _known(people)
    found: list[dict[str, Any]] = []
    for person, mine in rows.groupby("owner_id", sort=True):
        limit, price = allowed.get(str(person), (math.nan, math.nan))
        duties = math.fsum(mine.loc[mine["duty"], "visits"])
        extra = math.fsum(mine.loc[~mine["duty"], "visits"])
        about = known.get(str(person), {})
        found.append(
            {
                "person_id": str(person),
                "role": about.get("role"),
                "team_id": about.get("team_id"),
                "customers": int(mine.loc[mine["now"], "customer_id"].nunique()),
                "capacity": limit,
                "duties": duties,
                "extra": extra,
                "used": (duties + extra) / limit if limit > 0 else math.nan,
                "left_out": int(mine.loc[mine["lacking"], "customer_id"].nunique()),
                "one_more": price,
            }
        )
    return pd.DataFrame(found, columns=RECORD["capacity"].names)


def touches(
    units: Units,
    choice: Choice,
    now: Flags,
    segments: pd.DataFrame,
    features: pd.DataFrame,
    playbook: Playbook,
    length: float,
) -> pd.DataFrame:
    """RECORD ``touches``: whether the customers of each segment get their least contacts.

    Parameters
    ----------
    units, choice
        What could be taken, and what is.
    now
        Units that are carried out now.
    segments, features
        RECORD tables; ``visits`` of the features are the contacts of this period.
    playbook
        The least contacts.
    length
        Of the period [quarters].

    Returns
    -------
    DataFrame
        A row a segment of the playbook that has customers.
    """
    planned = np.bincount(units.customer[now], units.touches[now], len(set(units.customer)))
    ids = units.table["customer_id"].to_numpy()
    contacts = dict(zip(ids, planned[units.customer], strict=True))
    base = segments[["customer_id", "segment"]].copy()
    base["planned"] = base["customer_id"].map(contacts).fillna(0.0)
    base["last"] = np.nan
    if "visits" in features:
        base["last"] = base["customer_id"].map(features.set_index("customer_id")["visits"])
    found: list[dict[str, Any]] = []
    for segment, least in least_touches(playbook, length).items():
        mine = base[base["segment"] == segment]
        if mine.empty:
            continue
        reached = int((mine["planned"] >= least - 1e-9).sum())
        last = mine["last"].astype(float)
        found.append(
            {
                "segment": segment,
                "customers": len(mine),
                "least": least,
                "planned": round(math.fsum(mine["planned"])),
                "reached": reached,
                "short": len(mine) - reached,
                "last": int((last >= least).sum()) if last.notna().any() else None,
            }
        )
    table = pd.DataFrame(found, columns=RECORD["touches"].names)
    return table.astype({"last": "Int64"})


def _known(people: pd.DataFrame | None) -> dict[str, dict[str, Any]]:
    if people is None:
        return {}
    shown = people[[c for c in ("person_id", "role", "team_id") if c in people]].astype(object)
    shown = shown.where(shown.notna(), None)
    return {str(row["person_id"]): {**row} for _, row in shown.iterrows()}
