"""Clusters as a challenger of the rules: what groups are there, and whom do they dispute.

Three features without units: orders, money in orders of the usual size, days since the last
order in own cycles. Each is logged because a few customers are very large; the sign of the
last is turned, so that high is good in all three. The extreme 1 % are drawn in to the edge,
and each feature is brought to mean 0 and deviation 1. "No stable clusters: keep the rules" is
a valid answer.

Why orders of the usual size: the logarithm of 1 + money in yuan puts all of the distance
between nothing and the first yuan, and another unit would give other clusters.

Nothing depends on the order of rows or on ids: rows are sorted by their values before any
sum, fit or draw, and customers with equal features are in the same cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from analysis.segmentation.kmeans import ALL_STARTS, Codes, Floats, by_value, centres, nearest
from analysis.segmentation.reasons import number, sentence
from analysis.segmentation.stability import (
    against_cloud,
    prediction_strength,
    resampled,
    silhouette,
)
from analysis.settings_segmentation import Clusters

# feature → its sign; with it, high is good
FEATURES = {"frequency": 1.0, "monetary": 1.0, "recency_cycles": -1.0}
UNNAMED = "unnamed"
PLACES = 6  # of what is measured: another processor adds in another order
PLAIN = 0.25  # a centre within this of the mean is neither high nor low [standard deviations]

CHOICE = [
    "k",
    "strength",
    "smallest",
    "smallest_share",
    "stability",
    "agreement",
    "spread",
    "silhouette",
    "passed",
    "chosen",
]
MEMBERS = ["customer_id", "cluster", "segment", "agrees", "amount"]
PROFILES = ["cluster", "feature", "z", "median", "customers"]


@dataclass(frozen=True)
class Scale:
    """How features are brought to one scale; fitted once, it reads any other period too.

    Attributes
    ----------
    order
        Size of the usual order: the median of the customers' mean orders [currency].
    low, high
        Edges to which logged values are drawn in, one a feature.
    mean, deviation
        Of the values within the edges. Where all are equal the deviation is infinite: on the
        scale everybody is 0.
    """

    order: float
    low: Floats
    high: Floats
    mean: Floats
    deviation: Floats


@dataclass(frozen=True)
class Challenger:
    """What clustering found.

    Attributes
    ----------
    choice
        RECORD ``cluster_choice``, always filled.
    clusters, profiles
        RECORD ``clusters`` and ``cluster_profiles``; empty where nothing is stable.
    left_out
        Customers without an order, or without one of the features.
    finding
        The outcome as a sentence: catalogue key and arguments, JSON.
    """

    choice: pd.DataFrame
    clusters: pd.DataFrame
    profiles: pd.DataFrame
    left_out: int
    finding: str


def challenge(
    features: pd.DataFrame, segments: pd.DataFrame, settings: Clusters, seed: int
) -> Challenger:
    """Cluster the customers and name the clusters after the segments they are like.

    Parameters
    ----------
    features
        RECORD ``features``; customers without an order are left out and counted.
    segments
        RECORD ``segments``: what the rules say of the same customers.
    settings
        Numbers of clusters to try and the thresholds a choice must meet.
    seed
        Of starting points and draws.

    Returns
    -------
    Challenger
        The largest number of clusters is taken that passes every threshold of the settings
        and is tighter, against one cloud, than any smaller one that passes: halving a true
        but long cluster is stable too.

    Notes
    -----
    Prediction strength: Tibshirani and Walther (2005); Jaccard over resamples: Hennig (2007);
    tightness against one cloud by number of clusters is the gap of Tibshirani, Walther and
    Hastie (2001), JRSS B 63, 411–423, here with a normal cloud.

    With more than ``settings.sample`` customers the centres and the thresholds rest on a draw
    of that many; every customer is then assigned to the nearest centre.
    """
    frame = _known(features, segments)
    scale = fit_scale(frame, settings.winsor)
    frame, values = _by_value(frame, standardise(frame, scale))
    drawn = values
    if len(values) > settings.sample:
        rng = np.random.default_rng([seed, 0])
        drawn = values[np.sort(rng.choice(len(values), settings.sample, replace=False))]
    tried = {k: _try(drawn, values, k, settings, seed) for k in settings.ks}
    choice = pd.DataFrame([row for row, _ in tried.values()], columns=CHOICE)
    best = _best(choice)
    choice["chosen"] = choice["k"] == best
    middles = tried[best][1] if best is not None else None
    left_out = len(features) - len(frame)
    if middles is None:
        return Challenger(
            choice,
            pd.DataFrame(columns=MEMBERS).astype({"agrees": bool}),
            pd.DataFrame(columns=PROFILES),
            left_out,
            _nothing_found(choice, len(frame), settings),
        )
    members = nearest(values, middles)
    names = _names(middles, values, frame["segment"], settings.most_distance)
    clusters = frame.assign(cluster=np.array(names, dtype=object)[members])
    clusters["agrees"] = clusters["cluster"] == clusters["segment"]
    clusters["amount"] = clusters["monetary"]
    return Challenger(
        choice,
        clusters[MEMBERS].sort_values("customer_id", ignore_index=True),
        _profiles(frame, values, members, names),
        left_out,
        _found(clusters, len(middles)),
    )


def fit_scale(features: pd.DataFrame, winsor: float) -> Scale:
    """Learn the usual order, edges, means and deviations.

    Parameters
    ----------
    features
        RECORD ``features`` of the period to learn from; customers without an order, or without
        one of the features, say nothing.
    winsor
        Share drawn in at either end.

    Returns
    -------
    Scale
        For `standardise`, of these or of another period's customers.
    """
    sizes = features["mean_order"].to_numpy(float)
    order = float(np.median(sizes[sizes > 0])) if (sizes > 0).any() else 1.0
    logged = _logged(features, order)
    rows = logged[np.isfinite(logged).all(axis=1)]
    if len(rows) == 0:
        nothing = np.zeros(len(FEATURES))
        return Scale(order, nothing, nothing, nothing, nothing + np.inf)
    rows = rows[by_value(rows)]  # sums depend on the order of rows in the last digit
    low, high = np.quantile(rows, [winsor, 1 - winsor], axis=0)
    within = np.clip(rows, low, high)
    mean, deviation = within.mean(axis=0), within.std(axis=0)
    # Equal values have a deviation of dust; dividing by it would make clusters of dust.
    deviation = np.where(deviation > 1e-9 * (1 + np.abs(mean)), deviation, np.inf)
    return Scale(order, low, high, mean, deviation)


def standardise(features: pd.DataFrame, scale: Scale) -> Floats:
    """Customers on the scale: no units, high is good, what is missing stays missing.

    Parameters
    ----------
    features
        RECORD ``features``.
    scale
        From `fit_scale`, of these customers or of the period that set the standard.

    Returns
    -------
    ndarray of shape (customers, 3)
        In the order of `FEATURES`, in standard deviations.
    """
    within = np.clip(_logged(features, scale.order), scale.low, scale.high)
    found: Floats = (within - scale.mean) / scale.deviation
    return found


def _logged(features: pd.DataFrame, order: float) -> Floats:
    """log(1 + value), signed; money below 0 (more returned than bought) counts as 0."""
    units = {"monetary": order}
    columns = [
        sign * np.log1p(features[name].to_numpy(float).clip(min=0) / units.get(name, 1.0))
        for name, sign in FEATURES.items()
    ]
    return np.column_stack(columns)


def _known(features: pd.DataFrame, segments: pd.DataFrame) -> pd.DataFrame:
    """Customers with all features, with their segment."""
    numbers = ["mean_order", *FEATURES]
    frame: pd.DataFrame = features[["customer_id", *numbers]].merge(
        segments[["customer_id", "segment"]], on="customer_id", validate="one_to_one"
    )
    frame[numbers] = frame[numbers].astype(float)
    finite = np.isfinite(frame[list(FEATURES)].to_numpy(float)).all(axis=1)
    frame = frame[finite]
    return frame.reset_index(drop=True)


def _by_value(frame: pd.DataFrame, values: Floats) -> tuple[pd.DataFrame, Floats]:
    order = by_value(values)
    return frame.iloc[order].reset_index(drop=True), values[order]


def _try(
    drawn: Floats, values: Floats, k: int, settings: Clusters, seed: int
) -> tuple[tuple[object, ...], Floats | None]:
    """A row of the choice, and the centres; nothing can be said of too few distinct rows."""
    middles = centres(drawn, k, seed, ALL_STARTS)
    strength = prediction_strength(drawn, k, settings.splits, seed)
    if middles is None or np.isnan(strength):
        nothing = float("nan")
        return (k, nothing, None, *[nothing] * 5, False, False), None
    smallest = int(np.bincount(nearest(values, middles), minlength=k).min())
    share = smallest / len(values)
    again = resampled(drawn, middles, settings.resamples, seed)
    spread = round(against_cloud(drawn, middles, settings.winsor, seed), PLACES)
    passed = (
        strength >= settings.min_strength
        and share >= settings.min_share
        and smallest >= settings.min_customers
        and again.jaccard >= settings.min_stability
        and spread <= settings.most_spread
    )
    apart = round(silhouette(drawn, nearest(drawn, middles), seed), PLACES)
    row = (k, strength, smallest, share, again.jaccard, again.agreement, spread, apart, passed)
    return (*row, False), middles


def _best(choice: pd.DataFrame) -> int | None:
    passing = choice[choice["passed"]]
    tightest = passing["spread"].cummin() == passing["spread"]
    return int(passing.loc[tightest, "k"].max()) if len(passing) else None


def _names(middles: Floats, values: Floats, segments: pd.Series, most_distance: float) -> list[str]:
    """A name for every centre: the segment whose mean profile it is nearest to.

    Centres and segments are matched one to one with the least sum of distances (Hungarian
    method). Beyond the threshold a cluster is like no segment, and all such pairs weigh the
    same: a hopeless pair must not spoil the others.
    """
    known = sorted(segments.unique())
    ideal = np.array([values[(segments == name).to_numpy()].mean(axis=0) for name in known])
    distance = np.sqrt(((middles[:, None, :] - ideal[None, :, :]) ** 2).sum(axis=2))
    pairs = zip(*linear_sum_assignment(np.minimum(distance, most_distance)), strict=True)
    matched = {i: known[j] for i, j in pairs if distance[i, j] <= most_distance}
    names: list[str] = []
    for i, middle in enumerate(middles):
        name = matched.get(i) or _features_of(middle)
        # Two like no segment and like each other: the better profile comes first.
        taken = sum(one == name or one.startswith(f"{name}.") for one in names)
        names.append(f"{name}.{'abcde'[taken]}" if taken else name)
    return names


def _features_of(middle: Floats) -> str:
    """A name from the two strongest features, in the order of `FEATURES`."""
    strongest = sorted(np.argsort(-np.abs(middle), kind="stable")[:2])
    words = [f"{list(FEATURES)[j]}_{_level(middle[j])}" for j in strongest]
    return ".".join([UNNAMED, *words])


def _level(z: float) -> str:
    if abs(z) <= PLAIN:
        return "mid"
    return "high" if z > 0 else "low"


def _profiles(
    frame: pd.DataFrame, values: Floats, members: Codes, names: Sequence[str]
) -> pd.DataFrame:
    rows = []
    for i, name in enumerate(names):
        inside = members == i
        rows += [
            (
                name,
                feature,
                round(float(values[inside, j].mean()), PLACES),
                float(frame.loc[inside, feature].median()),
                int(inside.sum()),
            )
            for j, feature in enumerate(FEATURES)
        ]
    return pd.DataFrame(rows, columns=PROFILES)


def _nothing_found(choice: pd.DataFrame, customers: int, settings: Clusters) -> str:
    judged = (
        choice["strength"].notna().any() and customers >= settings.fewest * settings.min_customers
    )
    args = {
        "customers": number(customers, "count"),
        "fewest": number(settings.fewest, "count"),
        "most": number(settings.most, "count"),
    }
    return sentence("cluster.none" if judged else "cluster.too_few", args)


def _found(clusters: pd.DataFrame, k: int) -> str:
    differ = clusters[~clusters["agrees"]]
    return sentence(
        "cluster.found",
        {
            "clusters": number(k, "count"),
            "customers": number(len(clusters), "count"),
            "share": number(clusters["agrees"].mean(), "share"),
            "differ": number(len(differ), "count"),
            "amount": number(money(differ["amount"]), "money"),
        },
    )


def money(amounts: pd.Series) -> float:
    """A sum of money through whole ten-thousandths: the same in any order of rows."""
    return int((amounts.to_numpy(float) * 1e4).round().astype("int64").sum()) / 1e4
