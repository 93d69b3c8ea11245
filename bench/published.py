"""Numbers that others have published, from the same data by this package's functions.

A data set that is not here raises `Missing`, whose text names it.
"""

from __future__ import annotations

import importlib.util
import math
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis import effects
from analysis.effects.balancing import Matched, matched
from analysis.effects.estimators import Contrast, contrast
from analysis.effects.evidence import LOOKS, bound
from analysis.effects.staggered import Staggered, staggered
from analysis.settings_measures import Effectiveness

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

# Rubin (1981); Gelman et al., Bayesian Data Analysis, 3rd ed., table 5.2
SCHOOLS = [28, 8, -3, 7, -1, 1, 18, 12]
SCHOOL_ERRORS = [15, 10, 16, 11, 9, 11, 10, 18]
LALONDE = [
    "age", "age²", "educ", "educ²", "black", "hisp", "marr", "nodegree", "re74", "re75", "none74",
    "none75",
]  # fmt: skip


class Missing(Exception):
    """A data set that is not here; the text names it."""


class Trainees(NamedTuple):
    """LaLonde (1986), Dehejia and Wahba (1999): trained, drawn not to be, and a survey."""

    trained: pd.DataFrame
    held_out: pd.DataFrame
    survey: pd.DataFrame


def data(name: str) -> Path:
    """A data set beside the project.

    Raises
    ------
    Missing
        If it is not there.
    """
    path = DATA / name
    if not path.exists():
        raise Missing(f"{name} (../shared/data)")
    return path


@cache
def trainees() -> Trainees:
    """The training experiment and the survey, from the data of the package causaldata."""
    package = importlib.util.find_spec("causaldata")
    if package is None or package.origin is None:
        raise Missing("causaldata (a development dependency)")
    folder = Path(package.origin).parent
    frames = []
    for name in ("nsw_mixtape", "cps_mixtape"):
        rows = pd.read_stata(folder / name / f"{name}.dta").drop(columns="data_id").astype(float)
        rows["age²"], rows["educ²"] = rows["age"] ** 2, rows["educ"] ** 2
        rows["none74"], rows["none75"] = rows["re74"] == 0, rows["re75"] == 0
        frames.append(rows)
    experiment, survey = frames
    drawn = experiment["treat"] == 1
    return Trainees(experiment[drawn], experiment[~drawn], survey)


@cache
def experiment() -> Contrast:
    """Trained against those drawn not to be [US$ a year]."""
    found = trainees()
    return contrast(found.trained["re78"].to_numpy(), found.held_out["re78"].to_numpy())


def naive() -> float:
    """Trained against the survey as it is [US$ a year]."""
    found = trainees()
    return float(found.trained["re78"].mean() - found.survey["re78"].mean())


@cache
def weighted() -> Matched:
    """Trained against the survey, weighted to be like them."""
    rows = trainees()
    found = matched(rows.trained, rows.survey, LALONDE, outcome="re78")
    assert found is not None
    return found


@cache
def counties() -> pd.DataFrame:
    """Minimum wages and teenage employment, Callaway and Sant'Anna (2021), as a panel."""
    rows = pd.read_csv(data("mpdta.csv"))
    return pd.DataFrame(
        {
            "customer_id": rows["countyreal"].astype(str),
            "period": rows["year"],
            "value": rows["lemp"],
            "cohort": rows["first.treat"].astype(float).where(rows["first.treat"] > 0),
        }
    )


@cache
def minimum_wage() -> Staggered:
    """As R's ``did`` prints it for these data: without covariates, never treated, varying base."""
    found = staggered(counties(), comparison="never", baseline="varying")
    assert found is not None
    return found


@cache
def campaign() -> pd.DataFrame:
    """RECORD ``effects`` of the MineThatData challenge (Hillstrom, 2008), by outcome and arm."""
    rows = pd.read_csv(data("hillstrom.csv"))
    rows["customer_id"] = (rows.index + 1).astype(str)
    treatments = rows[["customer_id"]].assign(
        strategy="email", arm=rows["segment"].replace("No E-Mail", "held_out")
    )
    outcomes = rows.melt("customer_id", ["visit", "spend"], "outcome", "value")
    found = effects.estimate(treatments, outcomes, Effectiveness(), 1)
    return found.effects.set_index(["outcome", "arm"])


@cache
def variance_ratio() -> float:
    """What the outcome before leaves of the variance at a correlation of .7; 200 draws of 400."""
    rng = np.random.default_rng(3)
    ratios = []
    for _ in range(200):
        x = rng.normal(size=400)
        y = 0.7 * x + math.sqrt(1 - 0.49) * rng.normal(size=400)
        plain = contrast(y[:200], y[200:])
        adjusted = contrast(y[:200], y[200:], x[:200], x[200:])
        ratios.append((adjusted.std_error / plain.std_error) ** 2)
    return float(np.mean(ratios))


@cache
def six_looks() -> tuple[float, float]:
    """Measures without effect that six looks call one: by our bounds, and by 1.96 at each."""
    return looks_at_nothing(np.random.default_rng(6), np.ones(LOOKS))


def looks_at_nothing(rng: np.random.Generator, errors: NDArray[np.float64]) -> tuple[float, float]:
    """The same for looks of other precision."""
    precision = 1 / errors**2
    seen = rng.normal(0, errors, (20_000, len(errors)))
    scores = np.cumsum(seen * precision, axis=1) / np.sqrt(np.cumsum(precision))
    constants = np.array([bound(look) for look in range(1, len(errors) + 1)])
    return (
        float((np.abs(scores) > constants).any(axis=1).mean()),
        float((np.abs(scores) > 1.96).any(axis=1).mean()),
    )
