"""Where clusters and rules agree, and which customers they dispute."""

from __future__ import annotations

import pandas as pd
from sklearn.metrics import (
    adjusted_mutual_info_score,
    adjusted_rand_score,
)

from analysis import stats, wording
from analysis.segmentation.clusters import UNNAMED, money
from analysis.wording import Language

LEVEL = 0.95


def crosstab(clusters: pd.DataFrame) -> pd.DataFrame:
    """Customers and money by segment and cluster.

    Parameters
    ----------
    clusters
        RECORD ``clusters``.

    Returns
    -------
    pandas.DataFrame
        ``segment, cluster, customers, share`` (of the segment's customers) ``, amount``; every
        combination, empty ones too. Sorted by segment and cluster.
    """
    segments, names = (sorted(clusters[name].unique()) for name in ("segment", "cluster"))
    every = pd.MultiIndex.from_product([segments, names], names=["segment", "cluster"])
    cells = clusters.groupby(["segment", "cluster"])["amount"]
    found = pd.DataFrame({"customers": cells.size(), "amount": cells.apply(money)})
    found = found.reindex(every, fill_value=0).reset_index()
    found = found.astype({"customers": int, "amount": float})
    found["share"] = found["customers"] / found.groupby("segment")["customers"].transform("sum")
    return found[["segment", "cluster", "customers", "share", "amount"]]


def agreement(clusters: pd.DataFrame) -> pd.DataFrame:
    """How far clusters and rules say the same.

    Parameters
    ----------
    clusters
        RECORD ``clusters``.

    Returns
    -------
    pandas.DataFrame
        ``agreement, value, low, high, n``; empty without clusters. ``share``: customers whose
        cluster bears the name of their segment; ``share_named``: the same among customers of
        the segments that a cluster is named after; both with their Wilson interval.
        ``adjusted_rand``, ``adjusted_mutual_information``: 1 for the same partition, about 0
        for unrelated ones; names play no part in them.

    Notes
    -----
    Hubert and Arabie (1985), J. Classification 2, 193–218; Vinh, Epps and Bailey (2010),
    JMLR 11, 2837–2854.
    """
    columns = ["agreement", "value", "low", "high", "n"]
    if clusters.empty:
        return pd.DataFrame(columns=columns)
    named = clusters[clusters["segment"].isin(clusters["cluster"])]
    rows: list[tuple[object, ...]] = [
        _share("share", clusters["agrees"]),
        _share("share_named", named["agrees"]),
    ]
    # Sorting a million words takes longer than all the rest.
    pair = [pd.factorize(clusters[name])[0] for name in ("segment", "cluster")]
    for measure, of in (
        ("adjusted_rand", adjusted_rand_score),
        ("adjusted_mutual_information", adjusted_mutual_info_score),
    ):
        rows.append((measure, float(of(*pair)), float("nan"), float("nan"), len(clusters)))
    return pd.DataFrame(rows, columns=columns)


def _share(measure: str, agrees: pd.Series) -> tuple[object, ...]:
    low, high = stats.wilson(agrees.sum(), len(agrees), LEVEL)
    value = float(agrees.mean()) if len(agrees) else float("nan")
    return measure, value, float(low), float(high), len(agrees)


def disputed(clusters: pd.DataFrame) -> pd.DataFrame:
    """The customers whose cluster is not their segment, the most money first.

    Parameters
    ----------
    clusters
        RECORD ``clusters``.

    Returns
    -------
    pandas.DataFrame
        Rows of `clusters`; equal money by ``customer_id``.
    """
    found = clusters[~clusters["agrees"].astype(bool)]
    return found.sort_values(["amount", "customer_id"], ascending=[False, True], ignore_index=True)


def cluster_word(cluster: str, lang: Language) -> str:
    """A cluster's name in words: that of its segment, or its two strongest features.

    Parameters
    ----------
    cluster
        ``cluster`` of RECORD ``clusters``.
    lang
        Language.
    """
    if wording.has(f"segment.{cluster}"):
        return wording.text(f"segment.{cluster}", lang)
    kind, *features = cluster.split(".")
    if kind != UNNAMED:
        return cluster
    first, second, *again = features
    words = wording.text(
        "cluster.unnamed",
        lang,
        first=wording.text(f"cluster.feature.{first}", lang),
        second=wording.text(f"cluster.feature.{second}", lang),
    )
    return f"{words} {again[0].upper()}" if again else words
