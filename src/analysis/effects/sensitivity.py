"""What would have to be true for a measured effect to be none.

No figure shows that a comparison without a draw is fair. These say how strong something unseen
would have to be, and whether the same comparison finds effects where there can be none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
from scipy import special

from analysis.effects.balancing import matched
from analysis.effects.estimators import Contrast
from analysis.stats import steady

# ln of the risk ratio for one standard deviation: Chinn (2000) by way of odds ratios of common
# outcomes, as VanderWeele and Ding use it.
_LOG_RATIO_PER_SD = 0.91


class EValue(NamedTuple):
    """Strength of something unseen that could explain an effect away [ratio].

    Attributes
    ----------
    estimate
        For the estimate itself.
    limit
        For the end of the interval nearer to no effect; 1 where the interval includes none.
    """

    estimate: float
    limit: float


def e_value(ratio: float) -> float:
    """How strongly something unseen must go with both choice and outcome [risk ratio].

    Parameters
    ----------
    ratio
        Risk ratio, above 0; below 1 is read as its inverse.

    Returns
    -------
    float
        1 or more; NaN for a ratio that is none.

    Notes
    -----
    VanderWeele and Ding (2017), Annals of Internal Medicine 167, 268-274.
    """
    if not ratio > 0 or math.isinf(ratio):
        return math.nan
    away = max(ratio, 1 / ratio)
    found = away + math.sqrt(away * (away - 1))
    return steady(found, found)


def e_value_of(
    contrast: Contrast, *, sd: float | None = None, share: float | None = None
) -> EValue:
    """E-values of a difference.

    Parameters
    ----------
    contrast
        The difference and its interval.
    sd
        Standard deviation of the outcome among customers, for an outcome in any unit: a
        difference of d of them counts as a risk ratio of exp(0.91 d).
    share
        Share of the comparison, for an outcome of yes and no: (share + difference) / share.

    Returns
    -------
    EValue
        NaN where the base is 0 or a bound leaves no share.

    Raises
    ------
    ValueError
        Neither or both of `sd` and `share` given.
    """
    if (sd is None) == (share is None):
        raise ValueError("an E-value rests on either sd or share")

    def ratio(difference: float) -> float:
        if sd is not None:
            return math.exp(_LOG_RATIO_PER_SD * difference / sd) if sd > 0 else math.nan
        return (share + difference) / share if share else math.nan

    nearer = contrast.low if contrast.estimate >= 0 else contrast.high
    if contrast.low <= 0 <= contrast.high:
        nearer = 0.0
    return EValue(e_value(ratio(contrast.estimate)), e_value(ratio(nearer)))


def robustness_value(t: float, freedom: float, level: float | None = None) -> float:
    """Share of what is left unexplained that something unseen must explain to undo an effect.

    It must explain that share both of the choice and of the outcome.

    Parameters
    ----------
    t, freedom
        The estimate over its standard error, and its degrees of freedom.
    level
        None: until the estimate is nothing. A level: until its interval includes nothing.

    Returns
    -------
    float
        0-1; NaN without degrees of freedom.

    Notes
    -----
    Cinelli and Hazlett (2020), JRSS B 82, 39-67.
    """
    if math.isnan(t) or not freedom > 1:
        return math.nan
    partial = abs(t) / math.sqrt(freedom)
    if level is not None:
        partial -= float(special.stdtrit(freedom - 1, 0.5 + level / 2)) / math.sqrt(freedom - 1)
    if partial <= 0:
        return 0.0
    return steady((math.sqrt(partial**4 + 4 * partial**2) - partial**2) / 2, 1.0)


def placebo_outcome(
    treated: pd.DataFrame,
    control: pd.DataFrame,
    traits: Sequence[str],
    outcome: str,
    *,
    level: float = 0.95,
    group: str | None = None,
) -> Contrast | None:
    """What the weighted comparison finds in an outcome that the measure cannot have moved.

    Parameters
    ----------
    treated, control, traits, level, group
        As for `analysis.effects.balancing.matched`.
    outcome
        Column from before the measure; it is left out of the traits. What else tells the
        same, such as its square, is the caller's to leave out.

    Returns
    -------
    Contrast or None
        An interval without zero: those chosen differed in what the traits do not tell.
    """
    left = [name for name in traits if name != outcome]
    found = matched(treated, control, left, level=level, outcome=outcome, group=group)
    return found.contrast if found is not None else None
