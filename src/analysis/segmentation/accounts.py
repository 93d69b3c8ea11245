"""The lists a manager asks for: hold, grow, rescue, overdue to reorder, overdue to pay."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.segmentation.reasons import number, sentence, word
from analysis.segmentation.rulebook import roles_of
from analysis.segmentation.rules import Scheme
from analysis.segmentation.worklists import at_risk, by_silence, joined, late, numbers, to_win_back

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
    lapsed_cycles: float = math.inf,
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
        Which segments are to hold, to grow and at risk, by their roles; None: those of ``rfm5``.
    arrears
        RECORD ``arrears``; None or empty: nobody is listed to be collected from.
    lapsed_cycles
        ``segmentation.lapsed_cycles``: beyond it nobody is expected to reorder [cycles].

    Returns
    -------
    pandas.DataFrame
        RECORD ``accounts``: the top of the worklists, and whom to hold and to grow. A customer
        stands in one list at most, and beside it in *collect*:

        - *rescue*: at risk, and to win back (see `to_win_back`) or moved down this period;
        - *reorder* (应购未购): see `late`;
        - *grow*: moved up, or in the growing segment with more money than in the previous
          period;
        - *hold*: in the best segment and not moved;
        - *collect*: in the best segment and in arrears; its amount is the overdue money.

        Customers without money in the window are in none of the first four.
    """
    frame = joined(segments, movements, features, customers, people)
    frame["list"] = _lists(frame, roles_of(scheme), lapsed_cycles)
    owing = _collect(frame, arrears)
    frame = frame[frame["list"].notna() & (frame["monetary"] > 0)]
    frame = pd.concat([frame, owing]) if len(owing) else frame
    frame = frame.sort_values(["amount", "customer_id"], ascending=[False, True], kind="stable")
    frame["rank"] = frame.groupby("list").cumcount() + 1
    frame = frame[frame["rank"] <= list_length]
    frame = frame.assign(silent=by_silence(frame))
    told = zip(frame.to_dict("records"), numbers(frame), strict=True)
    frame["reason"] = [_reason(row, args) for row, args in told]
    order = frame["list"].map({name: i for i, name in enumerate(LISTS)})
    frame = frame.assign(order=order).sort_values(["order", "rank"], kind="stable")
    return frame[COLUMNS].reset_index(drop=True)


def _collect(frame: pd.DataFrame, arrears: pd.DataFrame | None) -> pd.DataFrame:
    """Those to collect from, with their overdue money for the amount."""
    if arrears is None or arrears.empty:
        return frame.iloc[:0]
    owing = arrears.loc[arrears["collect"].astype(bool), ["customer_id", "overdue", "days"]]
    # The feature of the same name is as of the latest snapshot, the list as of the period's end.
    known = frame.drop(columns="overdue", errors="ignore")
    found = known.merge(owing, on="customer_id", validate="one_to_one")
    return found.assign(list="collect", amount=found["overdue"])


def _lists(
    frame: pd.DataFrame, roles: Mapping[str, str], lapsed_cycles: float
) -> NDArray[np.object_]:
    role = frame["segment"].map(roles)
    risk = at_risk(frame, roles)
    direction = frame["direction"].fillna("same")
    more = (frame["revenue_period"] > frame["revenue_previous"]) & (frame["revenue_previous"] > 0)
    # the first that holds: rescue wins over reorder, and so on
    tests = {
        "rescue": to_win_back(frame, risk) | (risk & (direction == "worse")),
        "reorder": late(frame, risk, lapsed_cycles),
        "grow": (direction == "better") | ((role == "growing") & more),
        "hold": (role == "best") & direction.isin(["same", "other"]),
    }
    found: NDArray[np.object_] = np.select(
        [mask.to_numpy(bool) for mask in tests.values()], list(tests), ""
    ).astype(object)
    found[found == ""] = None
    return found


def _reason(row: dict[Any, Any], known: dict[str, Any]) -> str:
    segment = word(f"segment.{row['segment']}")
    key = row["list"]
    if key == "collect":
        args = {"amount": number(row["amount"], "money"), "days": number(row["days"], "days")}
        return sentence("account.collect", {**args, "segment": segment})
    args = {**known, "segment": segment}
    moved = row["direction"] in ("better", "worse")
    if moved:
        args["before"] = word(f"segment.{row['segment_before']}")
    if key == "grow":
        key = "grow_moved_up" if moved else "grow_more"
        args["period"] = number(row["revenue_period"], "money")
        args["previous"] = number(row["revenue_previous"], "money")
    elif key == "rescue":
        if not row["silent"]:  # at risk for another reason
            return str(row["placed"])
        key = "rescue_moved_down" if moved else "rescue_win_back"
    return sentence(f"account.{key}", args)
