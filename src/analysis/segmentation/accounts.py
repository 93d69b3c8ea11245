"""The lists a manager asks for: hold, grow, rescue, overdue to reorder, overdue to pay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.segmentation.reasons import number, sentence, word
from analysis.segmentation.rules import Scheme, best_and_worst

# A day past the mean interval is no news: nearly half of all orders come later than that.
LATE_CYCLES = 1.2
LISTS = ("hold", "grow", "rescue", "reorder", "collect")
COLUMNS = [
    "list",
    "rank",
    "customer_id",
    "name",
    "segment",
    "owner",
    "region",
    "amount",
    "recency_days",
    "expected_interval_days",
    "reason",
]


def accounts(
    segments: pd.DataFrame,
    movements: pd.DataFrame,
    features: pd.DataFrame,
    customers: pd.DataFrame,
    people: pd.DataFrame | None,
    list_length: int,
    *,
    scheme: Scheme | None = None,
    arrears: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The largest customers of each list, by money in the monetary window or overdue.

    Parameters
    ----------
    segments, movements, features, customers
        RECORD tables; `movements` may be empty.
    people
        RECORD ``people``: names of the persons in charge; without them their numbers stand.
    list_length
        Customers in a list at most.
    scheme
        Its best-ranked segment is the one to hold, its worst-ranked the one to rescue; None:
        those of ``rfm5``.
    arrears
        RECORD ``arrears``; None or empty: nobody is listed to be collected from.

    Returns
    -------
    pandas.DataFrame
        RECORD ``accounts``. A customer stands in one list at most, and beside it in *collect*:

        - *rescue*: at risk now, and tagged must win back, high in money, or moved down this
          period;
        - *reorder* (应购未购): not at risk yet, but more than `LATE_CYCLES` of the expected
          interval without an order, with an own interval to judge by;
        - *grow*: moved up, or a growing one between best and worst: more money than in the
          previous period;
        - *hold*: in the best segment and not moved;
        - *collect*: in the best segment and in arrears; its amount is the overdue money.

        Customers without money in the window are in none of the first four.
    """
    best, worst = best_and_worst(scheme)
    frame = segments.merge(features, on="customer_id", validate="one_to_one")
    moved = movements[["customer_id", "segment_before", "direction"]]
    frame = frame.merge(moved, on="customer_id", how="left")
    details = [c for c in ("customer_id", "name", "owner_id", "region") if c in customers.columns]
    frame = frame.merge(customers[details], on="customer_id", how="left")
    for column in ("name", "owner_id", "region"):
        if column not in frame:
            frame[column] = None
    frame["list"] = _lists(frame, best, worst)
    frame["amount"] = frame["monetary"]
    owing = _collect(frame, arrears)
    frame = frame[frame["list"].notna() & (frame["monetary"] > 0)]
    frame = pd.concat([frame, owing]) if len(owing) else frame
    frame = frame.sort_values(["amount", "customer_id"], ascending=[False, True], kind="stable")
    frame["rank"] = frame.groupby("list").cumcount() + 1
    frame = frame[frame["rank"] <= list_length]
    frame["owner"] = _owners(frame["owner_id"], people)
    frame["reason"] = [_reason(row) for row in frame.to_dict("records")]
    order = frame["list"].map({name: i for i, name in enumerate(LISTS)})
    frame = frame.assign(order=order).sort_values(["order", "rank"], kind="stable")
    return frame[COLUMNS].reset_index(drop=True)


def _collect(frame: pd.DataFrame, arrears: pd.DataFrame | None) -> pd.DataFrame:
    """Those to collect from, with their overdue money for the amount."""
    if arrears is None or arrears.empty:
        return frame.iloc[:0]
    owing = arrears.loc[arrears["collect"].astype(bool), ["customer_id", "overdue", "days"]]
    found = frame.drop(columns="overdue", errors="ignore").merge(
        owing, on="customer_id", validate="one_to_one"
    )
    return found.assign(list="collect", amount=found["overdue"])


def _lists(frame: pd.DataFrame, best: str, worst: str) -> NDArray[np.object_]:
    at_risk = (frame["segment"] == worst).to_numpy()
    direction = frame["direction"].fillna("same").to_numpy()
    large = (frame["tag"].eq("must_win_back") | frame["m_score"].eq("high")).to_numpy()
    overdue = (
        frame["r_score"].eq("near")
        & (frame["recency_cycles"] > LATE_CYCLES)
        & (frame["intervals"] > 0)
    ).to_numpy()
    top = (frame["segment"] == best).to_numpy()
    more = (
        (frame["revenue_period"] > frame["revenue_previous"]) & (frame["revenue_previous"] > 0)
    ).to_numpy()
    found = np.full(len(frame), None, dtype=object)
    # from the last list to the first: rescue wins over reorder, and so on
    found[top & np.isin(direction, ["same", "other"])] = "hold"
    found[(direction == "better") | (frame["segment"].eq("potential").to_numpy() & more)] = "grow"
    found[overdue] = "reorder"
    found[at_risk & (large | (direction == "worse"))] = "rescue"
    return found


def _owners(ids: pd.Series, people: pd.DataFrame | None) -> pd.Series:
    if people is None or people.empty:
        return ids
    names = people.dropna(subset=["name"]).drop_duplicates("person_id")
    return ids.map(names.set_index("person_id")["name"]).fillna(ids)


def _reason(row: dict[Any, Any]) -> str:
    args = {
        "amount": number(row["monetary"], "money"),
        "days": number(row["recency_days"], "days"),
        "interval": number(row["expected_interval_days"], "days"),
        "cycles": number(row["recency_cycles"], "cycles"),
        "segment": word(f"segment.{row['segment']}"),
    }
    key = row["list"]
    moved = row["direction"] in ("better", "worse")
    if moved and key != "collect":
        args["before"] = word(f"segment.{row['segment_before']}")
    if key == "grow":
        key = "grow_moved_up" if moved else "grow_more"
        args["period"] = number(row["revenue_period"], "money")
        args["previous"] = number(row["revenue_previous"], "money")
    elif key == "rescue":
        key = "rescue_moved_down" if moved else "rescue_win_back"
    elif key == "collect":
        args = {
            "amount": number(row["amount"], "money"),
            "days": number(row["days"], "days"),
            "segment": args["segment"],
        }
    elif key == "reorder":
        args["over"] = number(round(row["recency_days"] - row["expected_interval_days"]), "days")
    return sentence(f"account.{key}", args)
