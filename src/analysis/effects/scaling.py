"""How an effect grows with the customer: the same for all, or in proportion to their size.

A mean effect was measured on some customers; the next plan promises it to others, who may be
larger or smaller. Whether a customer of twice the usual money gains twice as much or just as much
is estimated from the same draw. With u the usual money of a customer, ū its mean among the
drawn, τ the effect at ū and e the elasticity there:

    effect = τ · ((1 - e) + e · u / ū)         e = 0: a constant; e = 1: in proportion

It is the regression of the outcome on the usual money and on the outcome before, with the measure
and its interaction with the usual money, weighted as if the spread grew with the size; the
errors are robust (HC2 scores) and by corporate group. One draw tells little of e, so it is drawn
towards what is usual. The prior: with probability `proportional` (a setting) in proportion, as
response to marketing is usually written (multiplicative models: Hanssens, Parsons and Schultz
2001, Market Response Models, 2nd ed.), else every value from 0 to 1 as likely as another; τ has a
flat prior. The posterior is worked out on a grid of e, given which all is known in closed form.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import norm

from analysis.effects.outcomes import REVENUE
from analysis.effects.study import ALL, HELD_OUT
from analysis.engine import to_frame
from analysis.pooling import weighted_mean
from analysis.settings_measures import Effectiveness
from analysis.stats import steady
from analysis.tables import RECORD

Floats = NDArray[np.float64]

CONSTANT, BETWEEN, PROPORTIONAL = "constant", "between", "proportional"
_GRID = np.linspace(0.0, 1.0, 201)  # of the elasticity
_FLOOR = 0.1  # of the mean usual money: so much spread has even the smallest customer
_WINDOWS = ["money_1", "money_2", "money_3", "money_4"]
_HALVINGS = 60


class Interaction(NamedTuple):
    """What the regression says.

    Attributes
    ----------
    effect
        Effect on a customer without usual money, and what the mean usual money adds to it
        [currency]; shape ``(2,)``.
    covariance
        Of the two; shape ``(2, 2)``.
    """

    effect: Floats
    covariance: Floats


class Shape(NamedTuple):
    """How an effect grows with the customer.

    Attributes
    ----------
    elasticity, elasticity_low, elasticity_high
        Share of the effect at the mean usual money that grows with the customer's (0-1).
    estimate, std_error, low, high
        Effect at the mean usual money [currency].
    chance
        Probability that it is in proportion.
    """

    elasticity: float
    elasticity_low: float
    elasticity_high: float
    estimate: float
    std_error: float
    low: float
    high: float
    chance: float


def scaling(
    effects: pd.DataFrame,
    treatments: pd.DataFrame | pa.Table,
    outcomes: pd.DataFrame | pa.Table,
    traits: pd.DataFrame | None,
    settings: Effectiveness,
    *,
    customers: pd.DataFrame | None = None,
    history: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """How the effect of each drawn measure grows with the size of the customer.

    Parameters
    ----------
    effects
        RECORD ``effects``: only what was drawn (grade A) and estimated is looked at.
    treatments, outcomes
        As given to `analysis.effects.estimate`.
    traits
        As of `analysis.effects.outcomes.traits_from_orders`: the usual money of a period is the
        mean of its four windows of money.
    settings
        Section ``effectiveness``.
    customers
        RECORD ``customers``: ``group_id`` is the corporate group.
    history
        RECORD ``effect_scaling`` of the period before; None: there is none. What was not drawn
        now stays as it was; what was is put together, as shares of the usual money, each
        draw weighted by its precision.

    Returns
    -------
    DataFrame
        RECORD ``effect_scaling``, a row a strategy and arm. What a customer with usual money u is
        to be promised is ``estimate × ((1 - elasticity) + elasticity × u / mean_money)``. Empty
        where no measure was drawn or the money before is not known.
    """
    names = RECORD["effect_scaling"].names
    found = effects[(effects["segment"] == ALL) & (effects["outcome"] == REVENUE)]
    found = found[(found["grade"] == "A") & found["estimate"].notna()]
    past = pd.DataFrame(columns=names)
    if history is not None and not history.empty:
        past = history[names]
    if found.empty or traits is None or traits.empty:
        return past.reset_index(drop=True)
    known = _known(_frame(outcomes), traits, customers)
    drawn = _frame(treatments)[["customer_id", "strategy", "arm"]]
    both = drawn.merge(known, on="customer_id").sort_values("customer_id", kind="stable")
    rows = []
    for strategy, arm in found[["strategy", "arm"]].itertuples(index=False):
        own = both[(both["strategy"] == strategy) & both["arm"].isin([arm, HELD_OUT])]
        row = _row(own, settings)
        if row is not None:
            rows.append({"strategy": strategy, "arm": arm} | row)
    parts = [frame for frame in (past, pd.DataFrame(rows, columns=names)) if len(frame)]
    if not parts:
        return past
    both = pd.concat(parts)
    arms = both.groupby(["strategy", "arm"], sort=True)
    put = [_together(own, settings.level) for _, own in arms]
    return pd.DataFrame(put, columns=names)


def interaction(
    value: Floats, before: Floats, usual: Floats, treated: Floats, groups: NDArray[Any]
) -> Interaction | None:
    """The weighted regression of one measure; None where its terms cannot be told apart.

    Parameters
    ----------
    value, before, usual
        Outcome in the period and before, usual money of a period [currency]; one a customer.
    treated
        1 or 0.
    groups
        Corporate group.
    """
    size = float(usual.mean())
    if not size > 0:
        return None
    relative = usual / size
    ones = np.ones_like(usual)
    design = np.column_stack([ones, relative, before / size, treated, treated * relative])
    weight = 1 / (np.clip(relative, 0, None) + _FLOOR)
    x, y = design * weight[:, None], value * weight
    if len(y) <= x.shape[1] or np.linalg.matrix_rank(x) < x.shape[1]:
        return None
    bread = np.linalg.inv(x.T @ x)
    coefficients = bread @ (x.T @ y)
    leverage = ((x @ bread) * x).sum(axis=1)
    residual = (y - x @ coefficients) / np.sqrt(np.clip(1 - leverage, 1e-8, None))
    place = np.unique(groups, return_inverse=True)[1]
    totals = np.zeros((int(place.max()) + 1, x.shape[1]))
    np.add.at(totals, place, x * residual[:, None])
    spread = bread @ (totals.T @ totals) @ bread
    found = spread[3:, 3:]
    scale = float(np.abs(value).max())
    if np.linalg.matrix_rank(found, tol=(1e-9 * scale) ** 2) < 2:
        return None
    return Interaction(coefficients[3:], found)


def shape(found: Interaction, proportional: float, level: float = 0.95) -> Shape:
    """Elasticity and effect of one measure, drawn towards what is usual.

    Parameters
    ----------
    found
        From `interaction`.
    proportional
        Prior probability that the effect is in proportion to the usual money, 0-1.
    level
        Of the intervals.
    """
    precision = np.linalg.inv(found.covariance)
    ways = np.column_stack([1 - _GRID, _GRID])
    information = ((ways @ precision) * ways).sum(axis=1)
    effect = ways @ precision @ found.effect / information
    error = 1 / np.sqrt(information)
    # log p(e | data) up to a constant: τ, with a flat prior, is integrated out
    log = 0.5 * effect**2 * information + np.log(error)
    prior = np.full(len(_GRID), (1 - proportional) / len(_GRID))
    prior[-1] += proportional
    weights = prior * np.exp(log - log.max())
    weights /= weights.sum()
    mean = float(weights @ effect)
    variance = float(weights @ (error**2 + (effect - mean) ** 2))
    low, high = (_quantile(q, weights, effect, error) for q in (0.5 - level / 2, 0.5 + level / 2))
    inside = _GRID[_densest(weights, level)]
    spike = proportional / prior[-1] if prior[-1] > 0 else 0.0
    return Shape(
        elasticity=float(weights @ _GRID),
        elasticity_low=float(inside.min()),
        elasticity_high=float(inside.max()),
        estimate=mean,
        std_error=math.sqrt(variance),
        low=low,
        high=high,
        chance=float(weights[-1]) * spike,
    )


def _densest(weights: Floats, level: float) -> NDArray[np.int64]:
    """The likeliest grid values that hold `level` together: they may reach the ends."""
    order = np.argsort(-weights, kind="stable")
    count = int(np.searchsorted(np.cumsum(weights[order]), level)) + 1
    return order[:count]


def _row(own: pd.DataFrame, settings: Effectiveness) -> dict[str, Any] | None:
    treated = np.where(own["arm"] == HELD_OUT, 0.0, 1.0)
    n_treated, n_control = int(treated.sum()), int((1 - treated).sum())
    if min(n_treated, n_control) < settings.min_arm or own[["value", "before"]].isna().any(
        axis=None
    ):
        return None
    value, before, usual = (own[name].to_numpy(float) for name in ("value", "before", "usual"))
    found = interaction(value, before, usual, treated, own["group"].to_numpy(str))
    if found is None:
        return None
    size, largest = float(usual.mean()), float(np.abs(value).max())
    shaped = shape(found, settings.scaling_proportional, settings.level)
    form = BETWEEN
    if shaped.chance >= 0.5:
        form = PROPORTIONAL
    elif shaped.elasticity_high < 0.5:
        form = CONSTANT
    money = {
        name: steady(getattr(shaped, name), largest)
        for name in ("estimate", "std_error", "low", "high")
    }
    shares = {
        name: steady(getattr(shaped, name), 1.0)
        for name in ("elasticity", "elasticity_low", "elasticity_high")
    }
    return {
        "form": form,
        **shares,
        **money,
        "effect_share": steady(shaped.estimate / size, 1.0),
        "effect_share_error": steady(shaped.std_error / size, 1.0),
        "mean_money": steady(size, size),
        "n_treated": n_treated,
        "n_control": n_control,
    }


def _together(own: pd.DataFrame, level: float) -> dict[str, Any]:
    """One measure's record and its new draw as one; the form is that of the latest draw."""
    last: dict[str, Any] = {str(name): value for name, value in own.iloc[-1].items()}
    if len(own) == 1:
        return last
    error = own["effect_share_error"].astype(float)
    share, share_error = weighted_mean(own["effect_share"], error)
    means = {
        name: weighted_mean(own[name], error)[0]
        for name in ("elasticity", "elasticity_low", "elasticity_high", "mean_money")
    }
    size = means["mean_money"]
    half = float(norm.ppf(0.5 + level / 2)) * share_error
    money = {"estimate": share, "std_error": share_error, "low": share - half, "high": share + half}
    largest = (abs(share) + half) * size
    return (
        last
        | means
        | {name: steady(value * size, largest) for name, value in money.items()}
        | {"effect_share": share, "effect_share_error": share_error}
        | {name: int(own[name].sum()) for name in ("n_treated", "n_control")}
    )


def _known(
    outcomes: pd.DataFrame, traits: pd.DataFrame, customers: pd.DataFrame | None
) -> pd.DataFrame:
    """customer_id, value, before, usual, group of the customers with revenue and money before."""
    revenue = outcomes[(outcomes["outcome"] == REVENUE) & outcomes["value"].notna()]
    if "before" not in revenue:
        revenue = revenue.assign(before=math.nan)
    usual = traits[_WINDOWS].astype(float).mean(axis=1, skipna=False).clip(lower=0.0)
    money = pd.DataFrame({"customer_id": traits["customer_id"], "usual": usual}).dropna()
    found = revenue[["customer_id", "value", "before"]].merge(money, on="customer_id")
    found = found.assign(group=found["customer_id"])
    if customers is not None and "group_id" in customers:
        groups = customers.dropna(subset=["group_id"]).set_index("customer_id")["group_id"]
        found["group"] = found["customer_id"].map(groups).fillna(found["group"])
    return found


def _frame(table: pd.DataFrame | pa.Table) -> pd.DataFrame:
    return to_frame(table) if isinstance(table, pa.Table) else table


def _quantile(share: float, weights: Floats, means: Floats, errors: Floats) -> float:
    """Quantile of a mixture of normals, by halving."""
    reach = 10 * float(errors.max())
    low, high = float(means.min()) - reach, float(means.max()) + reach
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if float(weights @ ndtr((middle - means) / errors)) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2
