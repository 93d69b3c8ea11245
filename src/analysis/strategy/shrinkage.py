"""Effects as they are planned with: drawn in, because the best-looking one was also lucky.

Whoever picks the largest of several estimates picks those that chance had raised. Drawn towards
their common mean, each as far as its error and the spread of the others make it likely
(`analysis.pooling.pool`), what is claimed is what comes in. Nothing is promised beyond what was
measured: an effect below the mean stays where it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from analysis.pooling import pool
from analysis.settings_accounts import Accounts
from analysis.settings_measures import Strategy
from analysis.stats import steady
from analysis.strategy.evidence import Evidence, read
from analysis.strategy.playbook import Playbook

FEWEST = 3  # estimates from which their spread says something
COUNTS = ("A", "B", "C")  # grades that are planned with


def learnt(
    effects: pd.DataFrame | None,
    evidence: pd.DataFrame | None,
    segments: pd.DataFrame,
    features: pd.DataFrame,
    playbook: Playbook,
    settings: Strategy,
    level: float = 0.95,
    *,
    scaling: pd.DataFrame | None = None,
    windows: float = 1.0,
) -> dict[str, Evidence]:
    """What is known of each strategy, with the effect to plan with.

    Parameters
    ----------
    effects, evidence
        RECORD tables: of this period, and of all periods so far.
    segments, features
        RECORD tables at the end of this period.
    playbook
        Of the next one.
    settings
        Section ``strategy``.
    level
        Of the intervals.
    scaling
        RECORD ``effect_scaling``: how effects grow with the customer. Where that was estimated,
        its effect is planned with, not the segment's: both say that large customers differ from
        small ones, and to take both would count it twice.
    windows
        Length of the monetary window in periods.

    Returns
    -------
    dict
        Strategy → `Evidence`, see `analysis.strategy.evidence.read` and `planned`.
    """
    homes = {measure.strategy: segment for segment, _, measure in playbook.measures()}
    money = segments[["customer_id", "segment"]].merge(
        features[["customer_id", "monetary"]], on="customer_id", how="left"
    )
    # summed exactly, so that the order of the rows does not matter
    means = {
        str(segment): math.fsum(values) / len(values)
        for segment, values in money["monetary"].astype(float).fillna(0.0).groupby(money["segment"])
    }
    known = read(effects, evidence, homes=homes, resume=settings.accounts.resume, level=level)
    known = _scaled(known, scaling, windows, level)
    usual = {
        strategy: known[strategy].money
        if strategy in known and known[strategy].money > 0
        else means.get(segment, 0.0)
        for strategy, segment in homes.items()
    }
    return planned(known, settings, usual, level)


def _scaled(
    known: Mapping[str, Evidence], scaling: pd.DataFrame | None, windows: float, level: float
) -> dict[str, Evidence]:
    """Evidence with the effect on a customer of the mean money, and how it grows with it."""
    found = dict(known)
    if scaling is None:
        return found
    reach = float(stats.norm.ppf(0.5 + level / 2))
    best = scaling.sort_values(["std_error", "arm"], kind="stable").drop_duplicates("strategy")
    for row in best.to_dict("records"):
        one = found.get(str(row["strategy"]))
        if one is None or not one.measured or not row["mean_money"] > 0:
            continue
        mean, error = float(row["estimate"]), float(row["std_error"])
        found[str(row["strategy"])] = replace(
            one,
            estimate=mean,
            error=error,
            low=mean - reach * error,
            high=mean + reach * error,
            by_segment=False,
            money=windows * float(row["mean_money"]),
            elasticity=float(row["elasticity"]),
        )
    return found


def planned(
    evidence: Mapping[str, Evidence],
    settings: Strategy,
    usual: Mapping[str, float],
    level: float = 0.95,
) -> dict[str, Evidence]:
    """Evidence with the effects to plan with.

    Parameters
    ----------
    evidence
        From `analysis.strategy.evidence.read`.
    settings
        Section ``strategy``: ``trust`` is the share of an effect that is planned with where
        fewer than three were measured.
    usual
        Strategy → mean money of its customers [currency]. Effects are drawn together as shares
        of it: what a visit brings with a large account says little about a small one in money.
    level
        Of the intervals.
    """
    known = {
        name: one
        for name, one in sorted(evidence.items())
        if one.measured and one.error > 0 and one.grade in COUNTS and usual.get(name, 0.0) > 0
    }
    drawn: dict[str, tuple[float, float, float]] = {}
    if len(known) >= FEWEST:
        scale = np.array([usual[name] for name in known])
        found = pool(
            np.array([one.estimate for one in known.values()]) / scale,
            np.array([one.error for one in known.values()]) / scale,
            level,
        )
        values = found[["pooled", "low", "high"]].to_numpy() * scale[:, None]
        for name, (mean, low, high) in zip(known, values.tolist(), strict=True):
            most = min(mean, known[name].estimate)
            drawn[name] = (most, min(low, most), high)
    out = {}
    for name, one in evidence.items():
        numbers = (math.nan, math.nan, math.nan)
        if one.measured and one.grade in COUNTS:
            share = settings.trust
            numbers = drawn.get(name, (share * one.estimate, share * one.low, share * one.high))
        size = max((abs(number) for number in numbers), default=0.0)
        mean, low, high = (steady(number, size) for number in numbers)
        out[name] = replace(one, planned=mean, planned_low=low, planned_high=high)
    return out


def worth(
    rows: pd.DataFrame,
    evidence: Mapping[str, Evidence],
    settings: Accounts,
    margin_rate: float,
    measured_on: Mapping[str, float],
) -> pd.DataFrame:
    """Extra margin that a measure is expected to bring with each customer, before its cost.

    Parameters
    ----------
    rows
        strategy, money (of the customer in the monetary window) [currency].
    evidence
        From `planned`.
    settings
        Section ``strategy.accounts``.
    margin_rate
        Margin in extra revenue, 0-1.
    measured_on
        Strategy → mean money of the customers that it was measured on [currency], for those whose
        evidence does not say it.

    Returns
    -------
    DataFrame
        ``worth``, ``low``, ``high`` [currency], in the rows' order and index; empty without
        evidence. ``proportional``: the effect as a share of what the customers usually buy, on
        whom it was measured, times what this one buys. What part of the effect grows with the
        money is as it was estimated, else all of it or none, as ``scaling`` says. Never more
        than ``most_gain`` of the customer's own margin: a mean says nothing about customers far
        smaller than it.
    """
    money = rows["money"].to_numpy(float)
    usual = 1.0 if settings.scaling == "proportional" else 0.0
    names = rows["strategy"]
    part = {strategy: one.elasticity for strategy, one in evidence.items()}
    grows = names.map(part).astype(float).fillna(usual).to_numpy()
    own = {strategy: one.money for strategy, one in evidence.items()}
    base = (
        names.map(own).astype(float).fillna(names.map(dict(measured_on)).astype(float)).to_numpy()
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where(base > 0, 1 - grows + grows * money / base, 1.0)
    most = math.inf if settings.most_gain is None else settings.most_gain * margin_rate * money
    found = {}
    for name, field in (("worth", "planned"), ("low", "planned_low"), ("high", "planned_high")):
        effect = {strategy: getattr(one, field) for strategy, one in evidence.items()}
        value = rows["strategy"].map(effect).astype(float).to_numpy() * margin_rate * size
        found[name] = np.minimum(value, most)
    return pd.DataFrame(found, index=rows.index)
