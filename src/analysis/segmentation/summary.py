"""Each segment in one row: customers, money, rhythm."""

from __future__ import annotations

import pandas as pd

from analysis.segmentation.rules import RFM5_RANKS, Scheme

ALL = "all"


def summary(
    segments: pd.DataFrame,
    before: pd.DataFrame | None,
    features: pd.DataFrame,
    scheme: Scheme | None = None,
) -> pd.DataFrame:
    """Customers and money by segment, with the total.

    Parameters
    ----------
    segments
        RECORD ``segments``.
    before
        RECORD ``segments_before``; None or empty: nobody then.
    features
        RECORD ``features``.
    scheme
        Segments and their order; None: those of ``rfm5`` and any others found.

    Returns
    -------
    pandas.DataFrame
        RECORD ``segment_summary`` in report order, empty segments included, ``all`` last. Shares
        are exact: they add to 1 before rounding (all 0 where there is no money, or only refunds).
    """
    known = list(scheme.ranks if scheme else RFM5_RANKS)
    names = [*known, *sorted(set(segments["segment"]) - set(known))]
    joined = segments.merge(features, on="customer_id", validate="one_to_one")
    then = before["segment"] if before is not None else pd.Series([], dtype=object)
    total = _money(joined["revenue_period"])
    rows = []
    for name in [*names, ALL]:
        part = joined if name == ALL else joined[joined["segment"] == name]
        earlier = len(then) if name == ALL else int((then == name).sum())
        revenue = _money(part["revenue_period"])
        rows.append(
            {
                "segment": name,
                "customers": len(part),
                "share": len(part) / len(joined) if len(joined) else 0.0,
                "revenue": revenue / 1e4,
                "revenue_share": revenue / total if total > 0 else 0.0,
                "customers_before": earlier,
                "change": len(part) - earlier,
                "interval_days": part["expected_interval_days"].median(),
                "mean_order": part["mean_order"].median(),
                "recency_days": part["recency_days"].median(),
                "yearly": _money(part["monetary"]) / 1e4 / len(part) if len(part) else float("nan"),
                "inferred_share": part["place"].isin(["inferred", "guard"]).mean(),
            }
        )
    return pd.DataFrame(rows)


def _money(amounts: pd.Series) -> int:
    """The sum in whole ten-thousandths, the same in any order of rows."""
    return int((amounts.astype(float) * 1e4).round().astype("int64").sum())
