"""Who moved between two periods' ends, why, and what that did to the money."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.segmentation.causes import ENTERED, LEFT, Sealed, causes
from analysis.segmentation.rulebook import Rulebook, ranks_of
from analysis.segmentation.rules import Scheme

COLUMNS = [
    "customer_id",
    "segment_before",
    "segment_after",
    "direction",
    "cause",
    "cause_kind",
    "feature",
    "amount_before",
    "amount_after",
]
MATRIX = [
    "segment_before",
    "segment_after",
    "customers",
    "share",
    "amount_before",
    "amount_after",
    "direction",
]
COUNTS = ["opening", "moved_in", "entered", "moved_out", "left", "closing"]
AMOUNTS = ["amount_opening", "amount_in", "amount_out", "amount_change", "amount_closing"]


def movements(
    before: pd.DataFrame,
    after: pd.DataFrame,
    features_before: pd.DataFrame,
    features_after: pd.DataFrame,
    rulebook: Rulebook,
    *,
    sealed_features: pd.DataFrame | None = None,
    sealed_cuts: pd.DataFrame | None = None,
    merged: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Every customer of either period: from where, to where, and why.

    Parameters
    ----------
    before, after
        RECORD ``segments_before`` and ``segments``.
    features_before, features_after
        RECORD ``features`` as of the two ends, from today's data.
    rulebook
        Today's rules and cuts.
    sealed_features, sealed_cuts
        RECORD ``features`` and ``cuts`` of the approved previous record, from which `before`
        comes; None: `before` was recomputed, or what it was made from was not kept.
    merged
        ``customer_id`` → ``kept_id``: customers who now stand under another number.

    Returns
    -------
    pandas.DataFrame
        RECORD ``movements``, sorted by customer; empty if there is nothing before.

    Notes
    -----
    A move is *better* or *worse* by the scheme's rank, *other* between equal ranks.

    ``cause_kind`` is the first of these that holds:

    merged
        The number is gone, and `merged` says under which the customer stands; or the customer
        is new under a number that others were merged into.
    lost, new
        No longer in scope; not there before. Who stands in the data with a first order before
        the previous end, but not in the approved record, is *data*.
    same, held
        The same segment; *held* if only anti-flapping keeps it.
    override
        A person decides the place, or did and does no longer.
    new
        The first order since the previous end.
    data, rules
        The customer would have stood elsewhere at the previous end already: because of what is
        known of that day by now, or because of today's rules and cuts. With `sealed_features`,
        today's rules on what was known then tell the two apart (see
        `analysis.segmentation.causes`); where both differ it is *data*. With `sealed_cuts`
        alone, only a cut that passed over the customer makes it *rules*.
    own
        Everything else; ``feature`` names the feature that decided.

    ``amount_before`` is money in the previous period and ``amount_after`` money in this one,
    both from `features_after`, so that they add to the two periods' totals. Who has left brings
    the amount from `features_before`.
    """
    if before.empty:
        return pd.DataFrame(columns=COLUMNS)
    old, new = _indexed(before), _indexed(after)
    ids = old.index.union(new.index).sort_values()
    was, now = _indexed(features_before), _indexed(features_after)
    then = pd.DataFrame(
        {
            "segment_before": old["segment"].reindex(ids).fillna(ENTERED),
            "segment_after": new["segment"].reindex(ids).fillna(LEFT),
        }
    )
    then["direction"] = _directions(then["segment_before"], then["segment_after"], rulebook.ranks)
    kept = None if sealed_features is None else _indexed(sealed_features)
    sealed = Sealed(kept, sealed_cuts)
    then = then.join(causes(then, (old, new), (was, now), rulebook, sealed, merged))
    left = was["revenue_period"].reindex(ids).where(then["segment_after"] == LEFT)
    then["amount_before"] = now["revenue_previous"].reindex(ids).fillna(left).fillna(0.0)
    then["amount_after"] = now["revenue_period"].reindex(ids).fillna(0.0)
    return then.rename_axis("customer_id").reset_index()[COLUMNS]


def movement_matrix(movements: pd.DataFrame, scheme: Scheme | None = None) -> pd.DataFrame:
    """Customers and money by segment before and after.

    Parameters
    ----------
    movements
        RECORD ``movements``.
    scheme
        Order, ranks and segments of the matrix; None: those of ``rfm5`` and any others found.

    Returns
    -------
    pandas.DataFrame
        RECORD ``movement_matrix``, complete: cells without customers are zero rows; entered and
        left come last. ``share`` is of the row's customers, NaN in an empty row. Empty if
        `movements` is.
    """
    if movements.empty:
        return pd.DataFrame(columns=MATRIX)
    ranks = ranks_of(scheme)
    names = segments_of(movements, ranks)
    grid = [pair for pair in product([*names, ENTERED], [*names, LEFT]) if pair != (ENTERED, LEFT)]
    keys = ["segment_before", "segment_after"]
    # Whole ten-thousandths add up to the same sum in any order; binary floats do not.
    units = movements.assign(**{c: _units(movements[c]) for c in ("amount_before", "amount_after")})
    found = units.groupby(keys).agg(
        customers=("customer_id", "size"),
        amount_before=("amount_before", "sum"),
        amount_after=("amount_after", "sum"),
    )
    found = found.reindex(pd.MultiIndex.from_tuples(grid, names=keys), fill_value=0).reset_index()
    rows = found.groupby("segment_before")["customers"].transform("sum")
    found["share"] = found["customers"] / rows.where(rows > 0)
    for column in ("amount_before", "amount_after"):
        found[column] = found[column] / 1e4
    found["direction"] = _directions(found[keys[0]], found[keys[1]], ranks)
    return found[MATRIX]


def flows(movements: pd.DataFrame, scheme: Scheme | None = None) -> pd.DataFrame:
    """What each segment began with, gained, lost and ended with (`all` last).

    Returns
    -------
    pandas.DataFrame
        segment; customers: opening + moved_in + entered − moved_out − left = closing; money:
        amount_opening + amount_in − amount_out + amount_change = amount_closing, where
        ``amount_in`` is what those who came in brought (money of this period), ``amount_out``
        what those who went had (money of the previous one), and ``amount_change`` the change of
        those who stayed. In the row ``all`` in and out count only who entered and left the base.
    """
    names = segments_of(movements, ranks_of(scheme))
    then, now = movements["segment_before"], movements["segment_after"]
    units = movements.assign(was=_units(movements["amount_before"])).assign(
        now=_units(movements["amount_after"])
    )
    ends = {name: (then == name, now == name) for name in names}
    ends["all"] = (then != ENTERED, now != LEFT)
    rows = [{"segment": name, **_flow(units, *masks)} for name, masks in ends.items()]
    frame = pd.DataFrame(rows, columns=["segment", *COUNTS, *AMOUNTS])
    frame[AMOUNTS] /= 1e4
    return frame


def _flow(units: pd.DataFrame, began: pd.Series, ended: pd.Series) -> dict[str, int]:
    stayed, came, went = began & ended, ended & ~began, began & ~ended
    entered, left = units["segment_before"] == ENTERED, units["segment_after"] == LEFT
    return {
        "opening": int(began.sum()),
        "moved_in": int((came & ~entered).sum()),
        "entered": int((came & entered).sum()),
        "moved_out": int((went & ~left).sum()),
        "left": int((went & left).sum()),
        "closing": int(ended.sum()),
        "amount_opening": int(units.loc[began, "was"].sum()),
        "amount_in": int(units.loc[came, "now"].sum()),
        "amount_out": int(units.loc[went, "was"].sum()),
        "amount_change": int(units.loc[stayed, "now"].sum() - units.loc[stayed, "was"].sum()),
        "amount_closing": int(units.loc[ended, "now"].sum()),
    }


def segments_of(movements: pd.DataFrame, ranks: Mapping[str, int]) -> list[str]:
    """Segments in report order, unknown ones after the known."""
    found = set(movements["segment_before"]) | set(movements["segment_after"])
    return [*ranks, *sorted(found - set(ranks) - {ENTERED, LEFT})]


def _units(money: pd.Series) -> pd.Series:
    return (money.astype(float) * 1e4).round().astype("int64")


def _indexed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_index("customer_id")


def _directions(
    before: pd.Series, after: pd.Series, ranks: Mapping[str, int]
) -> NDArray[np.object_]:
    """Better or worse by rank, other between equal or unknown ranks."""
    step = after.map(ranks).astype(float) - before.map(ranks).astype(float)
    tests = {
        "entered": before == ENTERED,
        "left": after == LEFT,
        "same": before == after,
        "better": step > 0,
        "worse": step < 0,
    }
    found: NDArray[np.object_] = np.select(
        [mask.to_numpy() for mask in tests.values()], list(tests), "other"
    ).astype(object)
    return found
