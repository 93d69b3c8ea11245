"""What does not fit, why, and what more room would bring."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd

from analysis.settings_measures import Limits, Strategy
from analysis.strategy.choosing import LEARNT, Choice
from analysis.strategy.units import (
    ALL,
    BUDGET,
    CALLS,
    CAPACITY,
    TIMES,
    Flags,
    Floats,
    Units,
    is_role,
)
from analysis.tables import RECORD

NEGATIVE, ENOUGH, LEARN = "negative", "enough", "learning"
_TOUCHES, _EXPLORE = "touches", "explore"
_UNITS = {BUDGET: "money", CAPACITY: "visits", CALLS: "times"}


def reasons_not(units: Units, choice: Choice, settings: Limits) -> pd.DataFrame:
    """Why a unit is not taken.

    Returns
    -------
    DataFrame
        A row a unit: ``why`` (negative, enough, budget, capacity, calls or learning; empty where
        it is taken or was ruled out before) and ``place``, the limit it does not fit into (-1:
        none).
    """
    open_ = units.flag("open") & ~choice.taken
    duty = units.flag("duty")
    nobody = np.zeros(len(units.limits), dtype=bool)
    entries = units.taking(nobody).tocoo()
    room = np.where(duty[entries.col], choice.left[entries.row], choice.spare[entries.row])
    lacking = (entries.data > room + 1e-9) & open_[entries.col]
    short = pd.DataFrame(
        {
            "unit": entries.col[lacking],
            "place": entries.row[lacking],
            "charge": -(entries.data * choice.prices[entries.row])[lacking],
        }
    )
    short = short.sort_values(["unit", "charge", "place"], kind="stable").drop_duplicates("unit")
    place = np.where(math.isfinite(units.allowed[0]), 0, _scarcest(choice)) * open_
    place[short["unit"]] = short["place"]
    extras = np.bincount(units.customer[choice.taken & ~duty], minlength=units.customer.max() + 1)
    enough = ~duty & (extras[units.customer] >= settings.most_measures)
    negative = ~duty & ~units.pays & ~units.learns
    why = np.array([kind for kind, _ in units.limits], dtype=object)[place]
    fits = np.ones(len(open_), dtype=bool)
    fits[short["unit"]] = False
    held = units.learns & fits  # money and time are there, beyond the share to learn with
    for flags, reason in ((held, LEARN), (enough, ENOUGH), (negative, NEGATIVE), (~open_, "")):
        why[flags] = reason
    place = np.where(np.isin(why.astype(str), [BUDGET, *TIMES]), place, -1)
    return pd.DataFrame({"why": why, "place": place})


def not_planned(units: Units, choice: Choice, why: pd.DataFrame, settings: Limits) -> pd.DataFrame:
    """RECORD ``not_planned``: what applies and is not planned.

    Parameters
    ----------
    units, choice
        What could be taken, and what is.
    why
        From `reasons_not`. What was ruled out before keeps its reason; where one measure of a
        strategy was, the others have the same.
    settings
        Section ``strategy.limits``.
    """
    out = ~choice.taken[units.of]
    rows, of = units.rows[out], units.of[out]
    given = rows["why_not"].astype(object).where(rows["why_not"].notna(), "")
    ruled = given.where(given != "").groupby(of).transform("first").fillna("")
    own = np.where(given != "", given, np.where(ruled != "", ruled, why["why"].to_numpy()[of]))
    frame = rows.assign(why=own, expected_value=rows["worth"].astype(float))
    frame["reason"] = [
        _reason(reason, units, int(unit), int(place), settings)
        for reason, unit, place in zip(own, of, why["place"].to_numpy()[of], strict=True)
    ]
    return frame[RECORD["not_planned"].names].reset_index(drop=True)


def limits(
    units: Units,
    choice: Choice,
    now: Flags,
    why: pd.DataFrame,
    touches: pd.DataFrame,
    curve: pd.DataFrame,
    settings: Strategy,
) -> pd.DataFrame:
    """RECORD ``limits``: what there is, what the plan takes, and what more would bring.

    Parameters
    ----------
    units, choice
        What could be taken, and what is.
    now
        Units that are carried out now.
    why
        From `reasons_not`.
    touches, curve
        RECORD tables.
    settings
        Section ``strategy``.
    """
    used = units.use @ now.astype(float)
    places = why["place"].to_numpy()
    rows = []
    for i, (kind, who) in enumerate(units.limits):
        price, short = float(choice.prices[i]), float(choice.short[i])
        lacking = places == i
        if short > 0:  # what is short is short for the duties: extras that wait are not meant
            lacking &= units.flag("duty")
        out = int(np.unique(units.customer[lacking]).size)
        row = {
            "limit": kind,
            "who": who.partition(".")[2] if is_role(who) else who,
            "allowed": float(units.allowed[i]) if math.isfinite(units.allowed[i]) else math.nan,
            "used": round(float(used[i]), 4),
            "unit": _UNITS[kind],
            "binding": price > 0 or short > 0 or out > 0,
            "price": round(price, 4),
            "short": round(short, 4) if short > 0 else math.nan,
        }
        rows.append({**row, "advice": _advice(row, out, curve)})
    rows += _explore(units, choice, now, why)
    wanted = touches[touches["least"] > 0]
    rows += [_touches(units, choice, now, row) for _, row in wanted.iterrows()]
    return pd.DataFrame(rows, columns=RECORD["limits"].names)


def _explore(units: Units, choice: Choice, now: Flags, why: pd.DataFrame) -> list[dict[str, Any]]:
    """The money kept for learning, where there is a budget and something to learn."""
    if not units.learns.any() or not math.isfinite(choice.reserve):
        return []
    left = why["why"].isin([LEARN, BUDGET]).to_numpy() & units.learns
    some = choice.left[0] > 0  # of nothing, a larger share is nothing
    customers = int(np.unique(units.customer[left & some]).size)
    learning = now & units.learns & np.isin(choice.by, LEARNT)
    key = "explore_more" if customers else "explore_nothing" if left.any() else "explore_loose"
    args = {"count": _count(customers)} if customers else {}
    return [
        {
            "limit": _EXPLORE,
            "who": ALL,
            "allowed": round(choice.reserve, 4),
            "used": round(math.fsum(units.cost[learning]), 4),
            "unit": "money",
            "binding": customers > 0,
            "price": math.nan,
            "short": math.nan,
            "advice": _json(f"limit_advice.{key}", **args),
        }
    ]


def _touches(units: Units, choice: Choice, now: Flags, row: pd.Series) -> dict[str, Any]:
    """The least contacts of one segment: of all its customers together."""
    size = int(units.customer.max()) + 1
    least, customers = int(row["least"]), int(row["customers"])
    mine = np.unique(units.customer[(units.table["segment"] == row["segment"]).to_numpy()])
    soon = np.bincount(units.customer, units.touches * now, minlength=size)[mine]
    all_in_all = np.bincount(units.customer, units.touches * choice.taken, minlength=size)[mine]
    missing = float(np.maximum(least - soon, 0).sum()) + least * (customers - len(mine))
    prices = [choice.contact_prices.get(int(customer), 0.0) for customer in mine]
    asked = [price for price in prices if price > 0]
    price = math.fsum(asked) / len(asked) if asked else 0.0
    waiting = int(((all_in_all >= least) & (soon < least)).sum())
    short = int(row["short"])
    args = {"count": _count(short), "waiting": _count(waiting)} if short else {}
    return {
        "limit": _TOUCHES,
        "who": row["segment"],
        "allowed": float(least),
        "used": float(row["planned"]) / customers,
        "unit": "times",
        "binding": price > 0 or short > 0,
        "price": round(price, 4),
        "short": missing if short else math.nan,
        "advice": _json(f"limit_advice.touches_{'short' if short else 'met'}", **args),
    }


def _advice(row: dict[str, Any], out: int, curve: pd.DataFrame) -> str:
    """What relaxing a limit takes and brings."""
    kind = row["limit"]
    if not math.isnan(row["short"]):
        amount = _money(row["short"]) if kind == BUDGET else _count(math.ceil(row["short"] - 1e-9))
        return _json(f"limit_advice.{kind}_short", short=amount, count=_count(out))
    if kind == BUDGET:
        more, gain = _next_level(row["allowed"], curve)
        if gain > 0:
            return _json("limit_advice.budget_more", more=_money(more), gain=_money(gain))
    if row["price"] > 0:
        unit = "number" if kind == BUDGET else "money"
        return _json(
            f"limit_advice.{kind}_price", price={"value": round(row["price"], 2), "unit": unit}
        )
    if row["binding"]:
        return _json(f"limit_advice.{kind}_out", count=_count(out))
    return _json(f"limit_advice.{kind}_loose")


def _next_level(budget: float, curve: pd.DataFrame) -> tuple[float, float]:
    """More money, and the extra margin it brings, by the next level of the curve."""
    above = curve[curve["share"] > 1.0]
    level = curve[curve["share"] == 1.0]
    if math.isnan(budget) or above.empty or level.empty:
        return 0.0, 0.0
    first = above.sort_values("share").iloc[0]
    gain = float(first["expected_value"]) - float(level["expected_value"].iloc[0])
    return float(first["budget"]) - budget, round(gain, 2)


def _reason(why: str, units: Units, unit: int, place: int, settings: Limits) -> str:
    if why in TIMES:
        who = units.limits[place][1]
        args = {TIMES[why][0]: _count(math.ceil(float(units.use[place, unit])))}
        return _json(f"not_planned.{why}", who={"key": who} if is_role(who) else who, **args)
    if why == BUDGET:
        return _json("not_planned.budget", cost=_money(units.cost[unit]))
    if why == ENOUGH:
        return _json("not_planned.enough", most=_count(settings.most_measures))
    if why == NEGATIVE:
        return _json(
            "not_planned.negative", worth=_money(units.worth[unit]), cost=_money(units.cost[unit])
        )
    return _json(f"not_planned.{why}")


def _scarcest(choice: Choice) -> int:
    """The limit, beside the budget, of which least is left."""
    rest: Floats = choice.spare[1:]
    return int(rest.argmin()) + 1 if len(rest) else 0


def _money(value: float) -> dict[str, Any]:
    return {"value": round(float(value), 2), "unit": "money"}


def _count(value: int) -> dict[str, Any]:
    return {"value": int(value), "unit": "count"}


def _json(key: str, **args: Any) -> str:
    return json.dumps({"key": key, "args": args}, ensure_ascii=False, sort_keys=True)
