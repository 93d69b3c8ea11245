"""What is wanted of one customer: the next step from its own numbers, and who went so far."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.calendars import Period
from analysis.roles import AT_RISK, Roles
from analysis.settings_accounts import Accounts
from analysis.strategy.likeness import reached
from analysis.strategy.playbook import Playbook

Floats = NDArray[np.float64]

GOAL = ["goal", "kpi", "current", "target", "unit", "reached_by", "n"]
_RENEW, _FIRST, _SECOND, _BACK = "renew", "first_order", "second_order", "win_back"
_STEP, _PEERS, _LIKE, _HOLD, _SET = "to_step", "to_peers", "to_like", "hold", "as_set"
_KPI = {
    _RENEW: "renewal_rate", _FIRST: "new_customer_conversion", _SECOND: "repurchase_rate",
    _BACK: "win_back_rate",
}  # fmt: skip
_ORDERS, _MONEY = (_FIRST, _SECOND, _BACK), (_STEP, _PEERS, _LIKE, _HOLD, _SET)
_NO_NUMBERS = ("customer_id", "first_day")
_UPPER = 0.75
_LEAST_GROWTH = 1.05  # less is holding


def goals(
    base: pd.DataFrame,
    cuts: pd.DataFrame | None,
    playbook: Playbook,
    roles: Roles,
    trails: pd.DataFrame,
    settings: Accounts,
    period_next: Period,
) -> pd.DataFrame:
    """The goal of each customer.

    An order counts before more money: who never ordered shall place a first one, who ordered once
    a second, who is at risk another one; a contract that ends in the next period shall be
    renewed. For all others it is money of the window: what the playbook sets for the segment,
    else the nearer of the next step (the next boundary of the money score) and the upper quartile
    of its peers (same segment and industry, else same segment); nobody above: to hold. Where
    hardly anybody like it went so far in a year (``least_reached``), it is what a quarter of them
    did: a goal that nobody reaches is none.

    Parameters
    ----------
    base
        customer_id, segment, monetary, orders_ever, and where known m_reads, peer_industry,
        days_to_renewal, arr, joined_on.
    cuts
        RECORD table; None: no boundary.
    playbook
        ``personal_goal`` of a segment.
    roles
        Of the primary scheme.
    trails
        From `analysis.strategy.likeness.trails`.
    settings
        Section ``strategy.accounts``.
    period_next
        The period planned for; this period is the one before.

    Returns
    -------
    DataFrame
        `GOAL`, in the order and with the index of `base`.
    """
    money = base["monetary"].fillna(0.0).to_numpy(float)
    kind = _kinds(base, roles, period_next.days)
    current, target, kind = _money_goals(base, money, kind, cuts, playbook, settings.peers)
    known = base[["customer_id"]].merge(trails, on="customer_id", how="left")
    orders = known["orders_now"].fillna(0.0).to_numpy(float)
    ever = base["orders_ever"].fillna(0.0).to_numpy(float)
    for one, now in ((_FIRST, ever), (_SECOND, ever), (_BACK, orders)):
        current = np.where(kind == one, now, current)
        target = np.where(kind == one, now + 1, target)
    if "arr" in base:
        arr = base["arr"].astype(float).to_numpy()
        current, target = (np.where(kind == _RENEW, arr, old) for old in (current, target))
    start = pd.Timestamp(period_next.previous().start)
    share, count, best = _base_rates(base, money, kind, current, target, trails, settings, start)
    far = np.isin(kind, (_STEP, _PEERS)) & (share < settings.least_reached)
    grows = far & (best >= _LEAST_GROWTH)
    target = np.where(
        far, np.where(grows, rounded_up(current * np.nan_to_num(best)), current), target
    )
    kind = np.where(far, np.where(grows, _LIKE, _HOLD), kind)
    again = _base_rates(
        base, money, np.where(far, kind, ""), current, target, trails, settings, start
    )
    share = np.where(far, again[0], share)
    unit = np.where(np.isin(kind, _ORDERS), "count", "money")
    day = {"value": period_next.end.isoformat(), "unit": "date"}
    said = [
        _said(str(one), float(now), float(wanted), str(of), day)
        for one, now, wanted, of in zip(kind, current, target, unit, strict=True)
    ]
    return pd.DataFrame(
        {
            "goal": said,
            "kpi": [_KPI.get(str(one), "revenue") for one in kind],
            "current": np.round(current, 4),
            "target": np.round(target, 4),
            "unit": unit,
            "reached_by": share,
            "n": count.astype(int),
        },
        index=base.index,
    )


def rounded_up(values: Floats) -> Floats:
    """Money as a manager sets it: the next round number, 1.1 to 2 in tenths, to 5 in halves.

    A number of two digits stays: 550,000 is round enough. 783,000 becomes 800,000.
    """
    with np.errstate(divide="ignore"):
        power = np.where(values > 0, 10.0 ** np.floor(np.log10(np.maximum(values, 1e-9))), 1.0)
    lead = np.round(values / power, 9)
    step = np.where(lead <= 2, 0.1, np.where(lead <= 5, 0.5, 1.0))
    round_enough = np.isclose(lead * 10, np.round(lead * 10), rtol=0, atol=1e-7)
    found = np.where(round_enough, lead, np.ceil(np.round(lead / step, 6)) * step)
    up: Floats = np.round(found * power, 2)
    return up


def _kinds(base: pd.DataFrame, roles: Roles, within: int) -> NDArray[np.object_]:
    ever = base["orders_ever"].astype(float).fillna(0.0)
    role = base["segment"].map(roles.of)
    kind = np.full(len(base), _STEP, dtype=object)
    kind[(role == AT_RISK).to_numpy()] = _BACK
    kind[(ever == 1).to_numpy()] = _SECOND
    kind[(ever == 0).to_numpy()] = _FIRST
    if "days_to_renewal" in base and "arr" in base:
        left, arr = base["days_to_renewal"].astype(float), base["arr"].astype(float)
        kind[(left.between(0, within) & (arr > 0)).to_numpy()] = _RENEW
    return kind


def _money_goals(
    base: pd.DataFrame,
    money: Floats,
    kind: NDArray[np.object_],
    cuts: pd.DataFrame | None,
    playbook: Playbook,
    peers: int,
) -> tuple[Floats, Floats, NDArray[np.object_]]:
    """Money now and wanted, and which of the goals in money it is."""
    step = _next_cut(base, money, cuts)
    usual = rounded_up(_upper_quartile(base, money, peers))
    usual = np.where(usual > money, usual, math.inf)
    nearer = np.minimum(step, usual)
    target = np.where(np.isfinite(nearer), nearer, money)
    asked = kind == _STEP
    kind = kind.copy()
    kind[asked & (usual < step)] = _PEERS
    kind[asked & ~np.isfinite(nearer)] = _HOLD
    for segment, plan in playbook.segments.items():
        goal: Mapping[Any, Any] = plan.personal_goal or {}
        if goal.get("fact") != "monetary":
            continue
        mine = asked & (base["segment"] == segment).to_numpy()
        wanted = rounded_up(money * (1 + float(goal.get("growth", 0.0))))
        if "to" in goal:
            wanted = np.full(len(base), float(goal["to"]))
        mine &= wanted > money
        target = np.where(mine, wanted, target)
        kind[mine] = _SET
    return money, target, kind


def _next_cut(base: pd.DataFrame, money: Floats, cuts: pd.DataFrame | None) -> Floats:
    """The next boundary of the money score above each customer; infinite where there is none."""
    found = np.full(len(base), math.inf)
    if cuts is None or cuts.empty:
        return found
    rows = cuts[cuts["score"] == "monetary"]
    limits = {
        str(industry or ""): np.sort(rounded_up(group["value"].to_numpy(float)))
        for industry, group in rows.groupby(rows["industry"].fillna(""))
    }
    industry = base["peer_industry"].fillna("") if "peer_industry" in base else base["segment"]
    own = np.array([one if one in limits else "" for one in industry], dtype=object)
    for name, values in limits.items():
        mine = own == name
        place = np.searchsorted(values, money[mine], side="right")
        found[mine] = np.append(values, math.inf)[place]
    if "m_reads" in base:  # the score read the mean order: its boundary is of another number
        found[(base["m_reads"] == "mean_order").to_numpy()] = math.inf
    return found


def _upper_quartile(base: pd.DataFrame, money: Floats, least: int) -> Floats:
    """Upper quartile of money of the same segment and industry; of the segment if they are few."""
    frame = pd.DataFrame({"segment": base["segment"].to_numpy(object), "money": money})
    whole = frame.groupby("segment")["money"].transform("quantile", _UPPER)
    if "peer_industry" not in base:
        return whole.to_numpy(float)
    frame["industry"] = base["peer_industry"].fillna("").to_numpy(object)
    both = frame.groupby(["segment", "industry"])["money"]
    enough = (both.transform("size") >= least) & (frame["industry"] != "")
    return both.transform("quantile", _UPPER).where(enough, whole).to_numpy(float)


def _base_rates(
    base: pd.DataFrame,
    money: Floats,
    kind: NDArray[np.object_],
    current: Floats,
    target: Floats,
    trails: pd.DataFrame,
    settings: Accounts,
    period_start: pd.Timestamp,
) -> tuple[Floats, Floats, Floats]:
    """As `analysis.strategy.likeness.reached`, for all kinds of goals."""
    known = base[["customer_id"]].merge(trails, on="customer_id", how="left")
    active = (known["orders_now"].fillna(0) > 0).to_numpy(bool)
    then = {name: trails[name].to_numpy(float) for name in trails if name not in _NO_NUMBERS}
    year_ago, ordered = then["money_year_ago"], (then["orders_now"] > 0).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        grown = np.where(year_ago > 0, then["money"] / year_ago, np.nan)
        factor = np.where(current > 0, target / current, np.nan)
    # who had ordered before, but not in the period before
    quiet = (then["orders_ever_before"] > 0) & (then["orders_before"] == 0)
    share, best = np.full(len(base), np.nan), np.full(len(base), np.nan)
    count = np.zeros(len(base))
    for mine, group, wanted, bought, group_then, went in (
        (
            np.isin(kind, _MONEY) & (current > 0), active, factor,
            year_ago, then["orders_year_ago"] > 0, grown,
        ),
        (
            kind == _BACK, np.ones(len(base), dtype=bool), np.ones(len(base)),
            np.where(quiet, then["money_before"], np.nan), quiet, ordered,
        ),
    ):  # fmt: skip
        share[mine], count[mine], best[mine] = reached(
            money[mine], group[mine], wanted[mine], bought, group_then, went,
            ratio=settings.like_ratio, least=settings.like,
        )  # fmt: skip
    second = ordered[then["orders_ever_before"] == 1]
    for name, outcomes in ((_SECOND, second), (_FIRST, _first_orders(base, period_start))):
        mine = kind == name
        count[mine] = len(outcomes)
        if len(outcomes) >= settings.like:
            share[mine] = outcomes.mean()
    rounded: Floats = np.round(share, 10)
    return rounded, count, best


def _first_orders(base: pd.DataFrame, period_start: pd.Timestamp) -> Floats:
    """Who was known without an order when the period began: whether it has ordered since."""
    if "joined_on" not in base or "first_order_on" not in base:
        return np.zeros(0)
    joined = pd.to_datetime(base["joined_on"])
    first = pd.to_datetime(base["first_order_on"])
    open_then = (joined < period_start) & ~(first < period_start)
    found: Floats = np.asarray(first[open_then].notna(), dtype=np.float64)
    return found


def _said(kind: str, current: float, target: float, unit: str, day: dict[str, str]) -> str:
    args: dict[str, Any] = {
        name: {"value": int(value) if value.is_integer() else round(value, 4), "unit": unit}
        for name, value in (("current", current), ("target", target))
        if not math.isnan(value)
    }
    told = {"key": f"account_goal.{kind}", "args": args | {"by": day}}
    return json.dumps(told, ensure_ascii=False, sort_keys=True)
