"""What fits into the means: which extra measures for whom, so that they bring the most.

Maximised is the expected extra margin net of cost, subject to the budget, the visits that persons
and roles can make, the contacts that each segment's customers get at least, and the number of
extra strategies a customer gets. Duties come first. Who takes part is settled before anybody is
drawn into waves, and only what starts now costs money and visits: planned is with the share that
is expected to start, then the draw is made, and a limit that it exceeds is tightened until the
plan holds. What worked is not taken from customers to check it once more: where it would reach
fewer than before only because some wait, nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from analysis.calendars import Period
from analysis.settings_measures import Strategy
from analysis.strategy import capacity, shortfall
from analysis.strategy.choosing import LEARNT, Choice, Lot, choose
from analysis.strategy.curve import budget_curve
from analysis.strategy.playbook import Playbook
from analysis.strategy.units import Flags, Floats, Ints, Units, quarters, units_of
from analysis.tables import RECORD

LATER, EXEMPT = "later", "exempt"
_ROUNDS = 4  # tightened so often; then nobody is expected to wait
_HOLDS = 1e-6

Draw = Callable[[pd.DataFrame], pd.DataFrame]


class Allocation(NamedTuple):
    """What is planned within the means.

    Attributes
    ----------
    chosen
        Rows of the options that are planned, with ``wave`` and ``chosen_by``; sorted by
        customer, the playbook's order and measure. Cost and visits are those if carried out now.
    waves
        RECORD ``waves`` of those who take part.
    not_planned, capacity, limits, touches, curve
        RECORD ``not_planned``, ``capacity``, ``limits``, ``touches``, ``budget_curve``.
    """

    chosen: pd.DataFrame
    waves: pd.DataFrame
    not_planned: pd.DataFrame
    capacity: pd.DataFrame
    limits: pd.DataFrame
    touches: pd.DataFrame
    curve: pd.DataFrame


def allocate(
    options: pd.DataFrame,
    people: pd.DataFrame | None,
    segments: pd.DataFrame,
    features: pd.DataFrame,
    playbook: Playbook,
    settings: Strategy,
    *,
    draw: Draw,
    previous: pd.DataFrame | None = None,
    period_next: Period | None = None,
    seed: int = 0,
) -> Allocation:
    """The plan of the most value within the means.

    Parameters
    ----------
    options
        From `analysis.strategy.options`: a row a customer and measure that applies.
    people
        RECORD ``people``: ``capacity`` in visits a quarter; None: nobody's is known.
    segments, features
        RECORD tables at the end of this period.
    playbook
        Its order, and ``least_touches`` of its segments.
    settings
        Section ``strategy``: ``budget`` and ``limits``.
    draw
        Participants → RECORD ``waves``: `analysis.effects.assign`, the rest filled in.
    previous
        RECORD ``plan`` of the last period, for comparison; None: there was none.
    period_next
        The period planned for: capacities and contacts are those of a quarter. None: a quarter.
    seed
        The run's, of the lot that settles who is learnt from.

    Returns
    -------
    Allocation
        Always a plan. Where the duties alone exceed a limit, what was promised stays, then
        those of the customers with the most money, and ``limits`` says what is short.
    """
    if options.empty:
        return _nothing(options)
    length = quarters(period_next)
    units = units_of(options, people, playbook, settings, length)
    named = capacity.least_touches(playbook, length)
    least = np.asarray(units.table["segment"].map(named).fillna(0), dtype=np.int64)
    lot = Lot(seed, "" if period_next is None else period_next.name)
    units, choice, waves, wave = _drawn(units, least, settings, draw, lot)
    now = choice.taken & (wave != LATER)
    chosen = _chosen(units, choice, wave)
    why = shortfall.reasons_not(units, choice, settings.limits)
    not_planned = shortfall.not_planned(units, choice, why, settings.limits)
    touches = capacity.touches(units, choice, now, segments, features, playbook, length)
    curve = budget_curve(_as_drawn(units, choice, now), choice, least, settings, lot, previous)
    return Allocation(
        chosen=chosen,
        waves=waves,
        not_planned=not_planned,
        capacity=capacity.persons(units, choice, now, why, people),
        limits=shortfall.limits(units, choice, now, why, touches, curve, settings),
        touches=touches,
        curve=curve,
    )


def _nothing(options: pd.DataFrame) -> Allocation:
    """Nothing applies to anybody."""
    chosen = options.assign(
        wave=pd.Series(dtype=object), chosen_by=pd.Series(dtype=object)
    ).reset_index(drop=True)
    names = ("waves", "not_planned", "capacity", "limits", "touches", "budget_curve")
    return Allocation(chosen, *(pd.DataFrame(columns=RECORD[name].names) for name in names))


def _drawn(
    units: Units, least: Ints, settings: Strategy, draw: Draw, lot: Lot
) -> tuple[Units, Choice, pd.DataFrame, Ints]:
    """A choice that keeps every limit after its draw; the waves, and each unit's."""
    less = np.zeros(len(units.limits) + 1)  # the last: what learning may take of the money
    full = np.zeros(len(less), dtype=bool)
    turn = 0
    while True:
        choice = choose(units, units.allowed, less, full, least, settings.limits, lot)
        waves = draw(_participants(units, choice))
        wave = _wave_of(units, waves)
        held = _held_back(units, choice, wave)
        if held:
            less, turn = np.zeros(len(less)), 0
            full = np.zeros(len(full), dtype=bool)
            units = units.at_once(held)
            continue
        extra: Flags = choice.taken & ~units.flag("duty")
        real = _taken(units, units.use, choice, extra & (wave != LATER))
        over = real - np.append(choice.left, choice.reserve)
        beyond = over > _HOLDS
        if not beyond.any() or full.all():
            return units, choice, waves, wave
        turn += 1
        if turn <= _ROUNDS:
            planned = _taken(units, units.taking(full), choice, extra)
            part = planned / np.where(beyond, real, 1.0)  # of the real sum is what is planned with
            less = less + np.where(beyond, over, 0.0) * part
        else:  # what nobody waits for cannot be exceeded, whatever is drawn
            full = full | beyond if turn <= 2 * _ROUNDS else np.ones(len(full), dtype=bool)
            less = np.where(full, 0.0, less)


def _taken(
    units: Units, use: sparse.csr_matrix | sparse.csc_matrix, choice: Choice, mine: Flags
) -> Floats:
    """What units take of each limit; at the end what learning takes of the money."""
    learning = mine & units.learns & np.isin(choice.by, LEARNT)
    return np.append(use @ mine.astype(float), (use[:1] @ learning.astype(float))[0])


def _as_drawn(units: Units, choice: Choice, now: Flags) -> Units:
    """The units with the shares that start now as they were drawn, strategy by strategy."""
    drawn = choice.taken & ~units.flag("duty")
    part = pd.Series(now[drawn].astype(float)).groupby(
        units.table.loc[drawn, "strategy"].to_numpy(dtype=object)
    )
    real = units.table["strategy"].map(part.mean()).to_numpy(dtype=float)
    known = ~np.isnan(real) & ~units.flag("duty")
    return units._replace(share=np.where(known, real, units.share))


def _participants(units: Units, choice: Choice) -> pd.DataFrame:
    """Those who take part, as the draw wants them: what was promised counts as a duty."""
    rows = units.rows[choice.taken[units.of]].drop(columns=["turn", "duty"])
    return rows.assign(extra=~units.flag("duty")[units.of[rows.index]]).reset_index(drop=True)


def _wave_of(units: Units, waves: pd.DataFrame) -> Ints:
    """The wave of each unit; outside the draw where it has none."""
    found = units.table[["customer_id", "strategy"]].merge(
        waves[["customer_id", "strategy", "wave"]], on=["customer_id", "strategy"], how="left"
    )
    return found["wave"].fillna(EXEMPT).to_numpy(dtype=object)


def _held_back(units: Units, choice: Choice, wave: Ints) -> list[str]:
    """What worked, and would reach fewer customers than before only because some wait."""
    mine = choice.taken & units.extra & units.flag("proven")
    rows = units.table[mine].assign(now=(wave != LATER)[mine])
    found = rows.groupby("strategy").agg(
        now=("now", "sum"), all=("now", "size"), before=("treated", "first")
    )
    return found.index[
        (found["now"] < found["before"]) & (found["before"] <= found["all"])
    ].tolist()


def _chosen(units: Units, choice: Choice, wave: Ints) -> pd.DataFrame:
    rows = units.rows.drop(columns=["turn", "duty"]).assign(
        wave=wave[units.of], chosen_by=choice.by[units.of]
    )
    return rows[choice.taken[units.of]].reset_index(drop=True)
