"""Evidence that adds up over periods, without being fooled by looking often.

A new wave every period is a new, independent comparison of the same measure: the estimates are
put together, each weighted by its precision. A staged roll-out is different: each estimate is
read from all starts so far and takes the place of the one before. Whoever then looks after
every period and stops at the first interval that leaves the line finds something in nothing:
of 100 measures that do nothing, 15 after six looks at 95 %. So the interval of all periods
together is wider at the early looks (O'Brien and Fleming 1979, Biometrics 35, 549-556) and
nearly the usual one at the last.

A measure whose cost changed keeps its effect, which is one of revenue; what it must reach is
the break-even of its present cost.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, stats

from analysis.effects.returns import break_even
from analysis.pooling import weighted_mean
from analysis.stats import steady
from analysis.tables import RECORD

Floats = NDArray[np.float64]

LOOKS = 6  # looks that the bounds are made for
ADDS_UP = ("A", "B")  # a comparison that chance or time made fair; others stand by themselves
_KEYS = ["strategy", "arm", "outcome"]
_NODES = 100  # of the integration: more change nothing in the first eight places


def accumulate(
    current: pd.DataFrame,
    history: pd.DataFrame | None,
    level: float = 0.95,
    *,
    min_done: float = 0.0,
) -> pd.DataFrame:
    """The evidence on each measure, over all periods so far.

    Parameters
    ----------
    current
        Effects of this period for all customers together: strategy, arm, outcome, period,
        grade, estimate, std_error, unit, n_treated, n_control, cost_per_customer, margin_rate.
    history
        RECORD ``evidence`` of the period before; None or empty at the first. What it says
        about a period of `current` is replaced.
    level
        Of the interval that holds over all looks.
    min_done
        A period in which less of the measure was carried out (``done_share`` of `current`, where
        it has one) says nothing about it: its estimate stays empty [share].

    Returns
    -------
    DataFrame
        RECORD ``evidence``: the rows of the history as they stood, and those of this period.
        ``look`` counts the estimates of grade A or B so far; only these are put together, in one
        unit. ``verdict`` is that of all periods together against the present break-even (0
        where there is none), by the bounds of `obrien_fleming`.
    """
    names = RECORD["evidence"].names
    past = history if history is not None else pd.DataFrame(columns=names)
    now = current.sort_values([*_KEYS, "period"], kind="stable")
    if "done_share" in now:
        undone = now["done_share"].astype(float) < min_done
        now[["estimate", "std_error"]] = now[["estimate", "std_error"]].mask(undone)
    places = set(now[[*_KEYS, "period"]].itertuples(index=False, name=None))
    is_kept = [
        row not in places for row in past[[*_KEYS, "period"]].itertuples(index=False, name=None)
    ]
    past = past.loc[is_kept].reindex(columns=names)  # records of before know no decision
    by_measure = dict(list(past.groupby(_KEYS, sort=False)))
    rows = [
        _row(
            row, by_measure.get((row["strategy"], row["arm"], row["outcome"]), past.iloc[:0]), level
        )
        for row in now.to_dict("records")
    ]
    new = pd.DataFrame(rows, columns=names)
    both = [frame for frame in (past, new) if not frame.empty]
    out = pd.concat(both, ignore_index=True) if both else new
    return out.sort_values([*_KEYS, "period"], kind="stable", ignore_index=True)


def decided(evidence: pd.DataFrame, effects: pd.DataFrame, period: str) -> pd.DataFrame:
    """The evidence with what was decided on each measure in this period.

    Parameters
    ----------
    evidence
        From `accumulate`.
    effects
        RECORD ``effects`` of the period, with decisions.
    period
        Its name.
    """
    whole = effects[effects["segment"] == "all"]
    keys = whole[_KEYS].itertuples(index=False, name=None)
    decision = dict(zip(keys, whole["decision"], strict=True))
    found = evidence[_KEYS].itertuples(index=False, name=None)
    now = [
        decision.get(key) if own == period else before
        for key, own, before in zip(found, evidence["period"], evidence["decision"], strict=True)
    ]
    return evidence.assign(decision=pd.Series(now, evidence.index, dtype=object))


def _row(row: dict[Hashable, Any], past: pd.DataFrame, level: float) -> dict[str, Any]:
    usable = past[
        past["grade"].isin(ADDS_UP)
        & (past["unit"] == row["unit"])
        & (past["std_error"].astype(float) > 0)
        & (past["period"] < row["period"])
    ]
    estimates = usable["estimate"].astype(float).tolist()
    errors = usable["std_error"].astype(float).tolist()
    if row["grade"] in ADDS_UP and row["std_error"] > 0:
        estimates.append(float(row["estimate"]))
        errors.append(float(row["std_error"]))
    look = len(estimates)
    rolled = [*usable["grade"], row["grade"]][:look]
    # A roll-out is read anew from all its starts: its latest estimate contains those before.
    last = max((at for at, grade in enumerate(rolled) if grade == "B"), default=0)
    kept = [at for at, grade in enumerate(rolled) if grade == "A" or at == last]
    mean, error = weighted_mean([estimates[at] for at in kept], [errors[at] for at in kept])
    low = high = math.nan
    if look:
        half = bound(look, level) * error
        size = abs(mean) + half
        low, high = steady(mean - half, size), steady(mean + half, size)
    line = break_even(row["cost_per_customer"], row["margin_rate"], row["unit"])
    line = 0.0 if math.isnan(line) else line
    verdict = "worked" if low > line else "did_not_pay" if high < line else "cannot_tell"
    copied = {name: row[name] for name in RECORD["evidence"].names if name in row}
    return copied | {
        "look": look,
        "together": mean,
        "together_error": error,
        "together_low": low,
        "together_high": high,
        "verdict": verdict,
    }


def bound(look: int, level: float = 0.95, looks: int = LOOKS) -> float:
    """Standard errors on each side of all periods together at a look.

    Beyond the planned looks, those of as many looks as there were.
    """
    most = max(looks, look)
    return obrien_fleming(most, level) * math.sqrt(most / look)


@lru_cache(maxsize=64)
def obrien_fleming(looks: int, level: float = 0.95) -> float:
    """The constant c of the bounds ``c·√(looks/k)`` at look k.

    Under no effect the chance of ever leaving them is 1 − `level`, with as much information
    added at each look.

    Returns
    -------
    float
        To three places as in Jennison and Turnbull (2000), Group Sequential Methods, table 2.3:
        1.960, 1.977, 2.004, 2.024, 2.040, 2.053 for one to six looks at 95 %.
    """
    if looks == 1:
        return float(stats.norm.ppf(0.5 + level / 2))

    def excess(constant: float) -> float:
        return _ever_outside(constant, looks) - (1 - level)

    # More looks need more, and never as much as if each stood alone (Bonferroni).
    alone = float(stats.norm.ppf(0.5 + level / 2))
    most = float(stats.norm.ppf(1 - (1 - level) / 2 / looks))
    return round(float(optimize.brentq(excess, alone - 1e-6, most, xtol=1e-7)), 6)


def _ever_outside(constant: float, looks: int) -> float:
    """Chance that a random walk of `looks` normal steps ever leaves ± constant·√looks.

    On the sum of steps the O'Brien–Fleming bounds are one straight line. Its density inside is
    carried from look to look (Armitage, McPherson and Rowe 1969, JRSS A 132, 235-244), by
    Gauss-Legendre integration.
    """
    edge = constant * math.sqrt(looks)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    at, weights = nodes * edge, weights * edge
    kernel: Floats = stats.norm.pdf(at[:, None] - at[None, :])
    density: Floats = stats.norm.pdf(at)
    for _ in range(looks - 2):
        density = kernel @ (weights * density)
    stays = stats.norm.cdf(edge - at) - stats.norm.cdf(-edge - at)
    return 1.0 - float((weights * density) @ stays)
