"""What more or less money would bring, beside a plain ranking and beside last period's habit."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from analysis.settings_measures import Strategy
from analysis.strategy.choosing import LEARNING, Choice, Lot, by_money, choose, in_duty, in_turn
from analysis.strategy.units import Flags, Floats, Ints, Units
from analysis.tables import RECORD


def budget_curve(
    units: Units,
    choice: Choice,
    least: Ints,
    settings: Strategy,
    lot: Lot,
    previous: pd.DataFrame | None,
) -> pd.DataFrame:
    """RECORD ``budget_curve``: the best plan at several budgets, as expected before the draw.

    Parameters
    ----------
    units, choice
        What could be taken, and what is: without a budget its cost is the level of 1.
    least
        Contacts that each unit's customer gets at least.
    settings
        Section ``strategy``.
    lot
        Of those who are learnt from.
    previous
        RECORD ``plan`` of the last period; None: the habit's value stays empty.

    Returns
    -------
    DataFrame
        The ranking gives the largest customers what applies to them, in the playbook's order;
        the habit gives last period's customers the same strategies again. Both keep the same
        limits, set the same aside for learning, and skip what does not fit.
    """
    nobody = np.zeros(len(units.limits), dtype=bool)
    use = units.taking(nobody)
    free = np.zeros(len(units.limits) + 1), np.zeros(len(units.limits) + 1, dtype=bool)
    base = units.allowed[0]
    if not math.isfinite(base):
        base = float((use @ choice.taken.astype(float))[0])
    ranked = np.argsort(by_money(units))
    extra = ~units.flag("duty")
    repeated = extra & _planned_before(units, previous)
    rows = []
    for share in settings.limits.curve:
        allowed = units.allowed.copy()
        allowed[0] = share * base
        best = choose(units, allowed, *free, least, settings.limits, lot)
        left = np.maximum(allowed - units.use @ in_duty(units, allowed).astype(float), 0.0)
        learning = best.by == LEARNING
        left = np.maximum(left - use @ learning.astype(float), 0.0)
        chosen = best.taken & extra
        spent = use @ best.taken.astype(float)
        value = _value(units, chosen)

        def worth_of(wanted: Flags, learning: Flags = learning, left: Floats = left) -> float:
            places = np.full(
                int(units.customer.max()) + 1, settings.limits.most_measures, dtype=np.int64
            )
            np.subtract.at(places, units.customer[learning], 1)
            order = ranked[(wanted & ~learning)[ranked]]
            taken = in_turn(order, use, left.copy(), units.customer, places)
            return _value(units, taken | learning)

        rows.append(
            {
                "share": share,
                "budget": round(allowed[0], 4),
                "spent": round(float(spent[0]), 4),
                "expected_value": value,
                "net_value": value - round(float((use @ chosen.astype(float))[0]), 4),
                "customers": len(np.unique(units.customer[chosen])),
                "ranking_value": worth_of(units.extra),
                "habit_value": math.nan if previous is None else worth_of(repeated),
                "gap": round(best.gap, 6),
            }
        )
    return pd.DataFrame(rows, columns=RECORD["budget_curve"].names)


def _value(units: Units, chosen: Flags) -> float:
    """Expected extra margin of units, as far as there is evidence."""
    mine = chosen & units.known
    return round(math.fsum(units.worth[mine] * units.share[mine]), 4)


def _planned_before(units: Units, previous: pd.DataFrame | None) -> Flags:
    """Units whose customer had the strategy in the last period's plan, in whichever wave."""
    if previous is None or previous.empty:
        return np.zeros(len(units.table), dtype=bool)
    had = set(zip(previous["customer_id"], previous["strategy"], strict=True))
    pairs = zip(units.table["customer_id"], units.table["strategy"], strict=True)
    return np.array([pair in had for pair in pairs], dtype=bool)
