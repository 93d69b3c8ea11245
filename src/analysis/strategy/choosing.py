"""Which units are taken: duties, what is to be learnt, the least contacts, then the best value."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from analysis.settings_measures import Limits
from analysis.stats import keyed_uniform
from analysis.strategy.integer import Problem, solve
from analysis.strategy.units import TIMES, Flags, Floats, Ints, Units, is_role

DUTY, VALUE, LEARNING, TOUCHES, EVERYTHING = "duty", "value", "learning", "touches", "all"
LEARNT = [LEARNING, EVERYTHING]  # how what is learnt of comes in within its share
_INDIFFERENT = 1e-6  # what brings just what it costs is taken
_PLACES = 4  # of a price: nobody can use more, and solvers differ beyond


class Lot(NamedTuple):
    """What the lot of those who are learnt from depends on."""

    seed: int
    salt: str


class Choice(NamedTuple):
    """What is taken.

    Attributes
    ----------
    by
        Why each unit is taken: duty, value, learning, touches or all; empty: it is not.
    left
        Of each limit after the duties.
    spare
        Of each limit after everything, as planned before the draw.
    short
        Of each limit, what the duties alone lack.
    reserve
        Money that learning may take; infinite without a budget.
    prices
        Value of one unit more of each limit.
    contact_prices
        Value that one contact less would bring, by customer number.
    gap
        What a better choice could gain at most, as a share of the value.
    """

    by: NDArray[np.object_]
    left: Floats
    spare: Floats
    short: Floats
    reserve: float
    prices: Floats
    contact_prices: dict[int, float]
    gap: float

    @property
    def taken(self) -> Flags:
        """Whether a unit is taken."""
        flags: Flags = self.by != ""
        return flags


def choose(
    units: Units,
    allowed: Floats,
    less: Floats,
    full: Flags,
    least: Ints,
    settings: Limits,
    lot: Lot,
) -> Choice:
    """The best plan within the limits, before anybody is drawn.

    Parameters
    ----------
    units
        What may be taken.
    allowed
        Of each limit.
    less
        By how much less to plan with, so that the draw does not exceed the limit: of each, and
        at the end of the money that learning may take.
    full
        Limits for which nobody is expected to wait, and at the end the same money.
    least
        Contacts that each unit's customer gets at least.
    settings
        Section ``strategy.limits``.
    lot
        Of those who are learnt from.
    """
    by = np.full(len(units.table), "", dtype=object)
    duties = in_duty(units, allowed)
    by[duties] = DUTY
    needed = units.use @ (units.flag("duty") & units.flag("open")).astype(float)
    short = np.maximum(needed - allowed, 0.0)
    short[short <= 1e-9 * np.maximum(1.0, needed)] = 0.0
    left = np.maximum(allowed - units.use @ duties.astype(float), 0.0)
    room = np.maximum(left - less[:-1], 0.0)
    kinds = _kinds(units)
    # a share protects what is expected to pay; where nothing is, learning has it all
    share = settings.explore_share if units.pays.any() else 1.0
    allowance = share * (kinds @ np.where(np.isfinite(left), left, 0.0))
    allowance[0] = allowance[0] if np.isfinite(left[0]) else np.inf
    reserve = float(allowance[0])
    allowance[0] = max(reserve - less[-1], 0.0)
    everything = _best_of_each(units, settings.most_measures)
    learning = kinds @ (units.use @ (everything & units.learns).astype(float))
    fits = (units.use @ everything.astype(float) <= room + 1e-9).all()
    if fits and (learning <= allowance + 1e-9).all():
        by[everything] = EVERYTHING
        spare = room - units.use @ everything.astype(float)
        return Choice(by, left, spare, short, reserve, np.zeros(len(left)), {}, 0.0)
    use = units.taking(full)
    places = np.full(int(units.customer.max()) + 1, settings.most_measures, dtype=np.int64)
    limited = sparse.vstack([use, kinds @ (units.use if full[-1] else use)]).tocsc()
    by[_learn(units, limited, room, allowance, places, settings, lot)] = LEARNING
    best = _best(units, use, room, places, by, least, settings)
    by[best.chosen & units.pays] = VALUE
    by[best.chosen & ~units.pays] = TOUCHES
    room = room - use @ best.chosen.astype(float)
    return Choice(by, left, room, short, reserve, best.prices, best.contact_prices, best.gap)


def in_duty(units: Units, allowed: Floats) -> Flags:
    """The duties that the limits carry.

    What was promised is never left out. Of the others, where they do not all fit, those of the
    customers with the most money come first, and what still fits.
    """
    duties = units.flag("duty") & units.flag("open")
    if (units.use @ duties.astype(float) <= allowed + 1e-9 * np.maximum(1.0, allowed)).all():
        return duties
    promised = duties & units.flag("contractual")
    room = allowed - units.use @ promised.astype(float)
    order = np.flatnonzero(duties & ~promised)
    order = order[by_money(units)[order].argsort(kind="stable")]
    places = np.full(int(units.customer.max()) + 1, len(duties), dtype=np.int64)
    taken: Flags = promised | in_turn(order, units.use, room, units.customer, places)
    return taken


def by_money(units: Units) -> Ints:
    """Place of each unit by its customer's money, then customer and the playbook's order."""
    order = np.lexsort((np.arange(len(units.table)), -units.table["money"].to_numpy(float)))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return place


def in_turn(
    order: Ints, use: sparse.csc_matrix, room: Floats, customer: Ints, places: Ints
) -> Flags:
    """The units that fit, one after the other.

    Parameters
    ----------
    order
        Units, the first one first.
    use, room
        Limits × units, and what there is of each limit; `room` is used up in place.
    customer, places
        Customer of each unit, and how many a customer may still get; used up in place.
    """
    columns = use.tocsc()
    starts, limits = columns.indptr.tolist(), columns.indices.tolist()
    amounts, left = columns.data.tolist(), room.tolist()
    taken = np.zeros(len(customer), dtype=bool)
    for unit in order.tolist():
        span = range(starts[unit], starts[unit + 1])
        if places[customer[unit]] < 1 or any(
            amounts[i] > left[limits[i]] + 1e-9 for i in span if amounts[i] > 0
        ):
            continue
        taken[unit] = True
        places[customer[unit]] -= 1
        for i in span:
            left[limits[i]] -= amounts[i]
    room[:] = left
    return taken


def _best_of_each(units: Units, most: int) -> Flags:
    """What every customer would get if nothing were scarce."""
    wanted = np.flatnonzero(units.pays | units.learns)
    score = np.where(units.pays, units.net, -np.inf)[wanted]
    order = wanted[np.lexsort((wanted, -score, units.customer[wanted]))]
    turn = pd.Series(units.customer[order]).groupby(units.customer[order]).cumcount().to_numpy()
    chosen = np.zeros(len(units.table), dtype=bool)
    chosen[order[turn < most]] = True
    return chosen


def _kinds(units: Units) -> sparse.csr_matrix:
    """What learning has a share of, × limits: the money, and persons' visits and calls."""
    money = np.arange(len(units.limits)) == 0
    time = ([k == limit and not is_role(who) for k, who in units.limits] for limit in TIMES)
    return sparse.csr_matrix(np.array([money, *time], dtype=float))


def _learn(
    units: Units,
    use: sparse.csc_matrix,
    room: Floats,
    allowance: Floats,
    places: Ints,
    settings: Limits,
    lot: Lot,
) -> Flags:
    """Units taken to learn from: strategy after strategy, customers by lot.

    What runs and is not settled yet comes first, then what nobody has tried, each in the
    playbook's order. Below the limits `use` has the money, the visits and the calls that learning
    takes, of which there is `allowance`. `room` and `places` are used up in place.
    """
    open_ = units.learns
    taken = np.zeros(len(open_), dtype=bool)
    if not open_.any():
        return taken
    names = units.table["strategy"].to_numpy(str)
    asked = pd.DataFrame(
        {"strategy": names, "new": ~units.known, "turn": units.table["turn"]}
    )[open_].drop_duplicates("strategy")  # fmt: skip
    for name in asked.sort_values(["new", "turn", "strategy"])["strategy"]:
        mine = np.flatnonzero(open_ & (names == name))
        chance = keyed_uniform(
            units.table["customer_id"].iloc[mine], lot.seed, f"{lot.salt}|{name}|learn"
        )
        order = mine[np.lexsort((mine, chance))]
        before, here = np.concatenate([room, allowance]), places.copy()
        found = in_turn(order, use, before, units.customer, here)
        enough = min(settings.explore_least, len(mine))
        if not units.known[mine].any() and int(found.sum()) < enough:
            continue  # too few to say anything: another measure shall have the money
        taken |= found
        room[:], allowance, places[:] = before[: len(room)], before[len(room) :], here
    return taken


class _Best(NamedTuple):
    chosen: Flags
    prices: Floats
    contact_prices: dict[int, float]
    gap: float


def _best(
    units: Units,
    use: sparse.csr_matrix,
    room: Floats,
    places: Ints,
    by: NDArray[np.object_],
    least: Ints,
    settings: Limits,
) -> _Best:
    """The units of the best value, the least contacts before any value."""
    taken = by != ""
    size = len(places)
    contacts = np.bincount(units.customer[taken], units.touches[taken], minlength=size)
    wanted = np.zeros(size)
    np.maximum.at(wanted, units.customer, least.astype(float))
    lacking = np.maximum(wanted - contacts, 0.0)
    helps = units.extra & (units.touches > 0) & (lacking[units.customer] > 0)
    open_ = np.flatnonzero((units.pays | helps) & ~taken & (places[units.customer] > 0))
    chosen = np.zeros(len(taken), dtype=bool)
    if not len(open_):
        return _Best(chosen, np.zeros(len(room)), {}, 0.0)
    lacking[np.bincount(units.customer[open_], helps[open_], minlength=size) == 0] = 0.0
    groups = _groups(units, use, places, lacking, open_)
    problem, needy = _problem(units, use, room, groups)
    start = None
    if len(needy):
        first = np.concatenate([np.zeros(len(groups)), np.ones(len(needy))])
        close = max(settings.gap, 0.9 / max(float(lacking.sum()), 1.0))  # contacts are whole
        reached = solve(problem._replace(value=first), gap=close, nodes=settings.nodes)
        row = sparse.csr_matrix(-first[None])
        upper = np.append(problem.upper, -reached.value + 1e-6)
        problem = problem._replace(use=sparse.vstack([problem.use, row]).tocsr(), upper=upper)
        start = reached.x
    found = solve(problem, gap=settings.gap, nodes=settings.nodes, start=start)
    for unit in _shared_out(units, groups, np.round(found.x[: len(groups)]).astype(int)):
        chosen[unit] = True
    rows = len(found.prices) - (1 if len(needy) else 0)
    asked = found.prices[rows - len(needy) : rows]
    contact_prices = {int(c): round(float(p), _PLACES) for c, p in zip(needy, asked, strict=True)}
    return _Best(chosen, found.prices[: len(room)].round(_PLACES), contact_prices, found.gap)


def _groups(
    units: Units, use: sparse.csr_matrix, places: Ints, lacking: Floats, open_: Ints
) -> pd.DataFrame:
    """Customers who differ in nothing that matters, as one: a row a strategy of such a group.

    The largest customers of a group are the first to get what not all of it gets.
    """
    value = np.round(units.net * units.share, 2)
    value = np.where(np.isnan(value), -np.round(units.cost * units.share, 2), value)
    columns = use.tocsc()[:, open_]
    told = [
        ";".join(f"{i}:{a:.6f}" for i, a in zip(limits, amounts, strict=True))
        for limits, amounts in _columns(columns)
    ]
    table = pd.DataFrame(
        {
            "unit": open_,
            "customer": units.customer[open_],
            "value": value[open_],
            "alike": units.table["strategy"].to_numpy(str)[open_],
        }
    )
    table["alike"] = [
        f"{name}|{worth:.2f}|{taking}"
        for name, worth, taking in zip(table["alike"], table["value"], told, strict=True)
    ]
    kinds = table.groupby("customer", sort=True)["alike"].agg("\n".join)
    named = kinds.index.to_numpy()
    alone = np.where(lacking[named] > 0, named.astype(str), "")
    kinds = kinds + "\n" + pd.Series(places[named].astype(str), kinds.index) + "\n" + alone
    table["group"] = table["customer"].map(pd.Series(pd.factorize(kinds)[0], kinds.index))
    table["places"] = places[table["customer"]]
    table["lacking"] = lacking[table["customer"]]
    table["money"] = units.table["money"].to_numpy(float)[open_]
    table = table.sort_values(
        ["group", "alike", "money", "customer"], ascending=[True, True, False, True]
    )
    return table.groupby(["group", "alike"], sort=True).agg(
        members=("unit", list), unit=("unit", "first"), value=("value", "first"),
        size=("unit", "size"), places=("places", "first"), lacking=("lacking", "first"),
        customer=("customer", "first"),
    ).reset_index()  # fmt: skip


def _columns(matrix: sparse.csc_matrix) -> list[tuple[list[int], list[float]]]:
    starts = matrix.indptr
    return [(matrix.indices[a:b].tolist(), matrix.data[a:b].tolist()) for a, b in pairwise(starts)]


def _problem(
    units: Units, use: sparse.csr_matrix, room: Floats, groups: pd.DataFrame
) -> tuple[Problem, Ints]:
    """The choice of how many of each group; and the customers whose contacts are lacking."""
    count = len(groups)
    group = groups["group"].to_numpy()
    size = groups["size"].to_numpy(float)
    strategies = np.bincount(group)
    crowded = np.flatnonzero(strategies > np.bincount(group, groups["places"]) / strategies)
    of_crowd = sparse.csr_matrix((np.ones(count), (group, np.arange(count))))[crowded]
    firsts = groups.drop_duplicates("group").set_index("group")
    crowd = (firsts["size"] * firsts["places"]).reindex(crowded).to_numpy(float)
    lacking = firsts[firsts["lacking"] > 0]
    needy = lacking["customer"].to_numpy(dtype=np.int64)
    rows = {int(g): i for i, g in enumerate(lacking.index)}
    mine = np.flatnonzero(groups["lacking"] > 0)
    touches = units.touches[groups["unit"].to_numpy()]
    of_needy = sparse.csr_matrix(
        (-touches[mine], ([rows[int(g)] for g in group[mine]], mine)), (len(needy), count)
    )
    blank = sparse.csr_matrix((len(room) + len(crowded), len(needy)))
    choices = sparse.vstack([use.tocsc()[:, groups["unit"].to_numpy()], of_crowd, of_needy])
    reached = sparse.vstack([blank, sparse.identity(len(needy))])
    problem = Problem(
        value=np.concatenate(
            [groups["value"].to_numpy(float) + _INDIFFERENT, np.zeros(len(needy))]
        ),
        most=np.concatenate([size, lacking["lacking"].to_numpy(float)]),
        whole=np.concatenate([np.ones(count, dtype=bool), np.zeros(len(needy), dtype=bool)]),
        use=sparse.hstack([choices, reached]).tocsr(),
        upper=np.concatenate([room, crowd, np.zeros(len(needy))]),
    )
    return problem, needy


def _shared_out(units: Units, groups: pd.DataFrame, counts: Ints) -> list[int]:
    """The units of each group's counts: in turn, so that nobody gets more than its places."""
    found: list[int] = []
    turn: dict[int, int] = {}
    crowded = groups.groupby("group")["size"].transform("size") > groups["places"]
    for group, members, scarce, count in zip(
        groups["group"], groups["members"], crowded, counts, strict=True
    ):
        start = turn.get(group, 0) if scarce else 0
        found += [members[(start + i) % len(members)] for i in range(count)]
        turn[group] = start + int(count)
    return found
