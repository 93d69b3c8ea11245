"""Customers whose place the review meeting should look at (requirement 004-26).

The algorithm looks at the past alone. Its places are held against a cluster that knows no rule,
against the company's own tier, against people's earlier decisions; the largest customers on
which they differ come before the meeting, with those who moved or stand close to a cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd

from analysis.segmentation.overrides import AGREES, APPLIED
from analysis.segmentation.reasons import day, number, sentence, word
from analysis.settings_segmentation import Overrides

COLUMNS = [
    "rank",
    "customer_id",
    "name",
    "owner",
    "amount",
    "system_segment",
    "present_tier",
    "segment",
    "cluster",
    "proposal",
    "why",
]
Why = Callable[[dict[Any, Any]], str]
UNNAMED = "unnamed"
MOVED = ("better", "worse", "other")


def review(
    segments: pd.DataFrame,
    features: pd.DataFrame,
    customers: pd.DataFrame,
    settings: Overrides,
    *,
    as_of: date,
    people: pd.DataFrame | None = None,
    overrides: pd.DataFrame | None = None,
    movements: pd.DataFrame | None = None,
    clusters: pd.DataFrame | None = None,
    tiers: pd.DataFrame | None = None,
    boundary: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Whom the review meeting should look at, and what is proposed.

    Parameters
    ----------
    segments
        RECORD ``segments``, overrides applied.
    features, customers, people, overrides, movements, clusters
        RECORD tables; those that are missing or empty say nothing.
    settings
        ``review_length`` and ``expiring_days``.
    tiers
        RECORD ``tier_differences``: customers whose own tier does not fit their segment.
    boundary
        From `analysis.segmentation.distance.boundary_cases`.

    Returns
    -------
    pandas.DataFrame
        RECORD ``review``: the `review_length` customers with the most money in the monetary
        window of those whom a reason puts on the list. Overrides about to end, and those that
        never do, are never cut off: nobody else would look at them. Ordered by money.

    Notes
    -----
    The proposal is the segment that most of these speak for: the rules, the cluster, the
    segment that the company's own tier usually means. The rules win a tie.
    """
    frame = segments[["customer_id", "segment", "system_segment"]].merge(
        features[["customer_id", "monetary"]], on="customer_id", validate="one_to_one"
    )
    frame = frame.merge(_who(customers, people), on="customer_id", how="left")
    if clusters is not None and len(clusters):
        frame = frame.merge(clusters[["customer_id", "cluster"]], on="customer_id", how="left")
    else:
        frame["cluster"] = None
    ending = _ending(overrides, as_of, settings.expiring_days)
    parts = [
        (ending, _why_ending),
        (_some(tiers), _why_tier),
        (_differing(clusters), _why_cluster),
        (_moved(movements), _why_moved),
        (_some(boundary), _why_boundary),
    ]
    listed = pd.concat([part["customer_id"] for part, _ in parts]).unique()
    found = frame[frame["customer_id"].isin(listed)]
    soon = found["customer_id"].isin(ending["customer_id"])
    found = found.assign(amount=found["monetary"], ending=soon)
    order = ["ending", "amount", "customer_id"]
    found = found.sort_values(order, ascending=[False, False, True], kind="stable")
    found = found.head(settings.review_length)
    found = found.sort_values(order[1:], ascending=[False, True], kind="stable", ignore_index=True)
    meant = _meant(frame)
    return found.assign(
        rank=found.index + 1,
        proposal=[_proposal(row, meant) for row in found.to_dict("records")],
        why=_whys(found["customer_id"], parts),
    ).rename(columns={"own_tier": "present_tier"})[COLUMNS]


def _whys(customers: pd.Series, parts: Sequence[tuple[pd.DataFrame, Why]]) -> list[str]:
    """The reasons of each customer, in the order of the parts."""
    found: dict[str, list[str]] = {customer: [] for customer in customers}
    for part, why in parts:
        for row in part[part["customer_id"].isin(customers)].to_dict("records"):
            found[row["customer_id"]].append(why(row))
    return [f"[{', '.join(whys)}]" for whys in found.values()]


def _who(customers: pd.DataFrame, people: pd.DataFrame | None) -> pd.DataFrame:
    """Name, person in charge and own tier of every customer."""
    columns = ["customer_id", "name", "owner_id", "own_tier"]
    found = customers.reindex(columns=columns).astype(object)
    owner = found["owner_id"]
    if people is not None and len(people):
        names = people.dropna(subset=["name"]).drop_duplicates("person_id")
        owner = owner.map(names.set_index("person_id")["name"]).fillna(owner)
    return found.assign(owner=owner)


def _meant(frame: pd.DataFrame) -> dict[str, str]:
    """Own tier → the segment in which most of its money is."""
    own = frame[frame["own_tier"].notna() & (frame["own_tier"] != "")]
    # Whole ten-thousandths: the same sum in any order.
    units = (own["monetary"] * 10_000).round().astype("int64")
    sums = units.groupby([own["own_tier"], own["system_segment"]]).sum().reset_index(name="money")
    sums = sums.sort_values(["money", "system_segment"], ascending=[False, True], kind="stable")
    largest = sums.drop_duplicates("own_tier")
    return dict(zip(largest["own_tier"], largest["system_segment"], strict=True))


def _proposal(row: dict[Any, Any], meant: dict[str, str]) -> str:
    """The segment that most votes are for; the rules' own where there is no majority."""
    tier = meant.get(row["own_tier"])
    return tier if tier is not None and tier == row["cluster"] else str(row["system_segment"])


def _some(frame: pd.DataFrame | None) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": []}, dtype=object) if frame is None else frame


def _ending(overrides: pd.DataFrame | None, as_of: date, within: int) -> pd.DataFrame:
    """Overrides that end soon, and earlier ones against the rules that never end."""
    if overrides is None or overrides.empty:
        return _some(None)
    soon = overrides["expires_on"] <= pd.Timestamp(as_of + timedelta(days=within))
    soon &= overrides["state"].isin([APPLIED, AGREES])
    earlier = overrides["decided_on"] < pd.Timestamp(as_of)
    endless = overrides["expires_on"].isna() & earlier & (overrides["state"] == APPLIED)
    return overrides[soon | endless]


def _differing(clusters: pd.DataFrame | None) -> pd.DataFrame:
    """Customers whose cluster is like another segment."""
    if clusters is None or clusters.empty:
        return _some(None)
    return clusters[~clusters["agrees"].astype(bool) & (clusters["cluster"] != UNNAMED)]


def _moved(movements: pd.DataFrame | None) -> pd.DataFrame:
    """Customers whose segment changed since the previous period."""
    if movements is None or movements.empty:
        return _some(None)
    return movements[movements["direction"].isin(MOVED)]


def _why_ending(row: dict[Any, Any]) -> str:
    system = word(f"segment.{row['system_segment']}")
    args: dict[str, Any] = {"author": row["author"], "system": system}
    if pd.isna(row["expires_on"]):
        return sentence("review.why.endless", args | {"decided": day(row["decided_on"])})
    return sentence("review.why.ending", args | {"expires": day(row["expires_on"])})


def _why_tier(row: dict[Any, Any]) -> str:
    args = {"tier": row["own_tier"], "segment": word(f"segment.{row['segment']}")}
    usual = row["usual_tier"]
    if row["direction"] == "other" or not isinstance(usual, str):
        return sentence("review.why.tier_other", args)
    return sentence(f"review.why.{row['direction']}", args | {"usual": usual})


def _why_cluster(row: dict[Any, Any]) -> str:
    return sentence("review.why.cluster", {"cluster": word(f"segment.{row['cluster']}")})


def _why_moved(row: dict[Any, Any]) -> str:
    args = {
        "before": word(f"segment.{row['segment_before']}"),
        "after": word(f"segment.{row['segment_after']}"),
    }
    return sentence(f"review.why.moved_{row['direction']}", args)


def _why_boundary(row: dict[Any, Any]) -> str:
    if row["score"] == "recency":
        days = {
            "days": number(row["days"], "days"),
            "other": word(f"segment.{row['other_segment']}"),
        }
        return sentence(f"review.why.boundary_{row['toward']}", days)
    args = {
        "score": word(f"score.name.{row['score']}"),
        "value": number(row["value"], row["unit"]),
        "cut": number(row["cut"], row["unit"]),
        "gap": number(row["gap"], row["unit"]),
        "other": word(f"segment.{row['other_segment']}"),
    }
    return sentence("review.why.boundary", args)
