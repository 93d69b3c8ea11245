"""The same customers under several schemes, the company's own tier among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

FEW_TIERS = 3  # with more, a neighbouring tier is no contradiction
OWN_TIER = "own_tier"
TABLE = ["scheme", "segment", "primary_segment", "customers", "amount"]
DIFFERENCES = [
    "rank",
    "customer_id",
    "name",
    "own_tier",
    "segment",
    "usual_tier",
    "direction",
    "owner",
    "amount",
]


def crosswalk(
    segments: pd.DataFrame, customers: pd.DataFrame, *others: pd.DataFrame
) -> pd.DataFrame:
    """One row a customer and scheme.

    Parameters
    ----------
    segments
        RECORD ``segments`` of the primary scheme.
    customers
        RECORD ``customers``; ``own_tier`` becomes the scheme ``own_tier`` where it is filled in.
    others
        RECORD ``segments`` of further schemes.

    Returns
    -------
    pandas.DataFrame
        RECORD ``crosswalk``, sorted by customer, schemes in the given order.
    """
    columns = ["customer_id", "scheme", "segment"]
    parts = [frame[columns] for frame in (segments, *others)]
    if OWN_TIER in customers.columns:
        own = _own_tiers(segments, customers)
        parts.append(own.assign(scheme=OWN_TIER).rename(columns={OWN_TIER: "segment"})[columns])
    found = pd.concat([part.astype(object) for part in parts], ignore_index=True)
    return found.sort_values("customer_id", kind="stable", ignore_index=True)


def crosswalk_table(
    segments: pd.DataFrame, crosswalk: pd.DataFrame, features: pd.DataFrame
) -> pd.DataFrame:
    """Customers and money by scheme, its segment and the segment of the primary scheme.

    Parameters
    ----------
    segments
        RECORD ``segments`` of the primary scheme.
    crosswalk
        RECORD ``crosswalk``; the primary scheme's own rows are left out.
    features
        RECORD ``features``; money is that of the monetary window.

    Returns
    -------
    pandas.DataFrame
        scheme, segment, primary_segment, customers, amount; cells with customers only, sorted.
        The customers of each scheme and segment add to all of them.
    """
    primary = segments.set_index("customer_id")["segment"]
    own = segments["scheme"].iloc[0] if len(segments) else ""
    other = crosswalk[crosswalk["scheme"] != own]
    money = _units(features.set_index("customer_id")["monetary"])
    joined = other.assign(
        primary_segment=other["customer_id"].map(primary),
        amount=other["customer_id"].map(money).fillna(0).astype("int64"),
    )
    keys = TABLE[:3]
    found = joined.groupby(keys, as_index=False).agg(
        customers=("customer_id", "size"), amount=("amount", "sum")
    )
    return found.assign(amount=found["amount"] / 1e4)[TABLE]


def tier_differences(
    segments: pd.DataFrame,
    customers: pd.DataFrame,
    features: pd.DataFrame,
    people: pd.DataFrame | None = None,
    *,
    own_tiers: Sequence[str] = (),
) -> pd.DataFrame:
    """The customers whose own tier (客户级别) does not fit where the rules place them, by money.

    Parameters
    ----------
    segments, customers, features
        RECORD tables; the tier is ``customers.own_tier``, the money ``features.monetary``.
    people
        RECORD ``people``: names of the persons in charge; without them their numbers stand.
    own_tiers
        The company's tiers, best first (setting ``segmentation.own_tiers``). Tiers that are not
        named come after them; those, and all if it is empty, by their mean money, then name.

    Returns
    -------
    pandas.DataFrame
        RECORD ``tier_differences``, most money first. Empty if no tier is filled in.

    Notes
    -----
    The usual tier of a segment is the one that most of its customers carry; of two with as many
    the one with more money, then the better one. A customer differs where its tier is away from
    the usual one of its segment: by two steps or more where the company has more than three tiers
    (neighbours are a matter of judgement), else by one. ``direction`` compares the two: a better
    tier than usual is ``tier_too_high``, a worse one ``tier_too_low``. Where two segments have the
    same usual tier, the tiers do not tell them apart, and only customers away from it are listed.
    """
    frame = _tiered(segments, customers, features)
    if frame.empty:
        return pd.DataFrame(columns=DIFFERENCES)
    order = tier_order(frame, own_tiers)
    usual = _usual(frame, order)
    frame["usual_tier"] = frame["segment"].map(usual)
    steps = frame["own_tier"].map(order) - frame["usual_tier"].map(order)
    least = 2 if frame["own_tier"].nunique() > FEW_TIERS else 1
    away = frame[steps.abs() >= least].copy()
    away["direction"] = (steps[away.index] < 0).map({True: "tier_too_high", False: "tier_too_low"})
    away = away.sort_values(["units", "customer_id"], ascending=[False, True], kind="stable")
    away["rank"] = range(1, len(away) + 1)
    away["amount"] = away["units"] / 1e4
    for column, source in (("name", "name"), ("owner", "owner_id")):
        known = source in customers.columns
        away[column] = (
            away["customer_id"].map(customers.set_index("customer_id")[source]) if known else None
        )
    if people is not None and len(people):
        named = people.dropna(subset=["name"]).drop_duplicates("person_id")
        away["owner"] = (
            away["owner"].map(named.set_index("person_id")["name"]).fillna(away["owner"])
        )
    return away[DIFFERENCES].reset_index(drop=True)


def tier_order(frame: pd.DataFrame, own_tiers: Sequence[str]) -> Mapping[str, int]:
    """Each tier's place, best first: the named ones, then the others by their mean money.

    Parameters
    ----------
    frame
        ``own_tier`` and ``units`` (money in ten-thousandths) of every customer with a tier.
    own_tiers
        Tiers that the settings put in order.
    """
    total = frame.groupby("own_tier")["units"].agg(["sum", "size"])
    rest = sorted(
        (tier for tier in total.index if tier not in own_tiers),
        key=lambda tier: (-total.loc[tier, "sum"] / total.loc[tier, "size"], tier),
    )
    return {tier: i for i, tier in enumerate([*own_tiers, *rest])}


def _usual(frame: pd.DataFrame, order: Mapping[str, int]) -> dict[str, str]:
    """The tier that most customers of each segment carry."""
    found = frame.groupby(["segment", "own_tier"], as_index=False).agg(
        units=("units", "sum"), count=("customer_id", "size")
    )
    found["place"] = found["own_tier"].map(order)
    found = found.sort_values(["count", "units", "place"], ascending=[False, False, True])
    return dict(found.drop_duplicates("segment")[["segment", "own_tier"]].itertuples(index=False))


def _tiered(
    segments: pd.DataFrame, customers: pd.DataFrame, features: pd.DataFrame
) -> pd.DataFrame:
    if OWN_TIER not in customers.columns:
        return pd.DataFrame()
    own = _own_tiers(segments, customers)[["customer_id", OWN_TIER]]
    frame = segments[["customer_id", "segment"]].merge(own, on="customer_id")
    money = _units(features.set_index("customer_id")["monetary"])
    return frame.assign(units=frame["customer_id"].map(money).fillna(0).astype("int64"))


def _own_tiers(segments: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    own = customers[customers["customer_id"].isin(segments["customer_id"])]
    return own[own[OWN_TIER].notna() & (own[OWN_TIER] != "")]


def _units(money: pd.Series) -> pd.Series:
    """Whole ten-thousandths, which add up to the same sum in any order."""
    return (money.astype(float) * 1e4).round().astype("int64")
