"""Who moved between two periods' ends, why, and what that did to the money."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import product
from typing import Any

import pandas as pd

from analysis.segmentation.cuts import SCORES
from analysis.segmentation.reasons import day, number, sentence
from analysis.segmentation.rules import RFM5_RANKS, Scheme
from analysis.segmentation.scores import boundaries, scores

ENTERED, LEFT = "entered", "left"
_LEVELS = {"near": 0, "far": 1, "low": 0, "mid": 1, "high": 2}
# guards whose threshold was crossed without any score changing → feature and unit
_GUARDS = {
    "known_long": ("tenure_days", "days"),
    "lapsed": ("recency_cycles", "cycles"),
    "large_total": ("monetary", "money"),
}
COLUMNS = [
    "customer_id",
    "segment_before",
    "segment_after",
    "direction",
    "cause",
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
    cuts: pd.DataFrame,
    *,
    scheme: Scheme | None = None,
) -> pd.DataFrame:
    """Every customer of either period: from where, to where, and why.

    Parameters
    ----------
    before, after
        RECORD ``segments_before`` (or ``segments`` as of then) and ``segments``.
    features_before, features_after
        RECORD ``features`` as of the two ends.
    cuts
        RECORD ``cuts``; the same boundaries on both sides, so that only behaviour can cross.
    scheme
        Ranks of the segments; None: those of ``rfm5``.

    Returns
    -------
    pandas.DataFrame
        RECORD ``movements``, sorted by customer; empty if there is nothing before.

    Notes
    -----
    A move is *better* or *worse* by the scheme's rank (high value above potential, low-frequency
    essential and new, these above churn risk), *other* between equal ranks.

    The cause is the first of these that holds: a first order; recency crossed its boundary;
    frequency did; the money that the segment reads did; a guard's threshold was passed;
    otherwise the rules or cuts have changed.

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
    ranks = scheme.ranks if scheme else RFM5_RANKS
    then["direction"] = [
        _direction(a, b, ranks)
        for a, b in zip(then["segment_before"], then["segment_after"], strict=True)
    ]
    changed = ~then["direction"].isin(["same", LEFT, ENTERED])
    then["cause"] = then["direction"].map(
        {"same": sentence("cause.same"), LEFT: sentence("cause.left")}
    )
    then.loc[changed, "cause"] = _moved(then.index[changed], (old, new), (was, now), cuts)
    entered = then["direction"] == ENTERED
    then.loc[entered, "cause"] = _entered(now.reindex(then.index[entered]), _day(features_before))
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
    ranks = scheme.ranks if scheme else RFM5_RANKS
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
    found["direction"] = [
        _direction(a, b, ranks) for a, b in zip(found[keys[0]], found[keys[1]], strict=True)
    ]
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
    names = segments_of(movements, scheme.ranks if scheme else RFM5_RANKS)
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


def _direction(before: str, after: str, ranks: Mapping[str, int]) -> str:
    if before == ENTERED:
        return "entered"
    if after == LEFT:
        return "left"
    if before == after:
        return "same"
    step = ranks.get(after, 0) - ranks.get(before, 0)
    if step == 0 or before not in ranks or after not in ranks:
        return "other"
    return "better" if step > 0 else "worse"


def _day(features: pd.DataFrame) -> date | None:
    """The day the features are as of; None if there are none."""
    known = features["as_of"].dropna()
    return pd.Timestamp(known.iloc[0]).date() if len(known) else None


def _entered(now: pd.DataFrame, since: date | None) -> list[str]:
    found = []
    for first in now["first_order_on"]:
        if pd.isna(first):
            found.append(sentence("cause.entered_without_order"))
            continue
        started = pd.Timestamp(first).date()
        late = since is not None and started <= since
        key = "cause.entered_late" if late else "cause.entered_first_order"
        found.append(sentence(key, {"day": day(started)}))
    return found


def _moved(
    ids: pd.Index,
    segments: tuple[pd.DataFrame, pd.DataFrame],
    features: tuple[pd.DataFrame, pd.DataFrame],
    cuts: pd.DataFrame,
) -> list[str]:
    """The causes of customers who were and are there, and changed segment."""
    parts = []
    for side, rules, known in zip(("was", "now"), segments, features, strict=True):
        kept = [column for column in ("rule", "m_reads") if column in rules.columns]
        there = known.reindex(known.index.intersection(ids))
        marks = _indexed(scores(there.rename_axis("customer_id").reset_index(), cuts))
        parts += [
            rules[kept].reindex(ids).add_suffix(f"_{side}"),
            there.reindex(ids).add_suffix(f"_{side}"),
            marks.reindex(ids).add_prefix("score_").add_suffix(f"_{side}"),
        ]
    edges = {score: boundaries(cuts, score) for score in ("recency", *SCORES)}
    unit = str(cuts.loc[cuts["score"] == "recency", "unit"].iloc[0])
    reads = {score: (feature, unit_) for score, (feature, unit_, _) in SCORES.items()}
    reads["recency"] = ("recency_cycles" if unit == "cycles" else "recency_days", unit)
    return [_cause(row, edges, reads) for row in pd.concat(parts, axis=1).to_dict("records")]


def _cause(
    row: Mapping[Any, Any], edges: Mapping[str, Any], reads: Mapping[str, tuple[str, str]]
) -> str:
    was, now = row["score_recency_was"], row["score_recency_now"]
    if not (isinstance(was, str) and isinstance(now, str)):
        return sentence("cause.data")
    if was == "none" and now != "none":
        return sentence("cause.first_order", {"day": day(row["first_order_on_now"])})
    # The other money decides nothing here: it may have crossed its boundary by chance.
    money = "mean_order" if row.get("m_reads_now") == "mean_order" else "monetary"
    for score in ("recency", "frequency", money):
        a, b = row[f"score_{score}_was"], row[f"score_{score}_now"]
        if a != b and "none" not in (a, b):
            feature, unit = reads[score]
            up = _LEVELS[b] > _LEVELS[a]
            # Of two boundaries crossed at once, the one next to where the customer is now.
            edge = edges[score][_LEVELS[b] - 1 if up else _LEVELS[b]]
            end = f"{b}_{unit}" if score == "recency" else "up" if up else "down"
            return sentence(
                f"cause.{score}_{end}",
                {**_both(row, feature, unit), "cut": number(edge, unit)},
            )
    return _guard(row) or sentence("cause.rules")


def _guard(row: Mapping[Any, Any]) -> str | None:
    """A guard's threshold passed in either direction, while every score stayed."""
    was, now = row.get("rule_was"), row.get("rule_now")
    if was == now:
        return None
    if now in _GUARDS:
        return sentence(f"cause.{now}", _both(row, *_GUARDS[now]))
    if was in _GUARDS:
        return sentence(f"cause.{was}_no_more", _both(row, *_GUARDS[was]))
    return None


def _both(row: Mapping[Any, Any], feature: str, unit: str) -> dict[str, Any]:
    return {
        "before": number(row[f"{feature}_was"], unit),
        "after": number(row[f"{feature}_now"], unit),
    }
