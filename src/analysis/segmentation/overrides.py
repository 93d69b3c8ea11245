"""People's decisions on single customers, applied after every rule and visible everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from analysis import wording
from analysis.segmentation.reasons import day, sentence, word

OVERRIDE = "override"
COLUMNS = [
    "customer_id",
    "segment",
    "system_segment",
    "author",
    "reason",
    "decided_on",
    "expires_on",
    "state",
    "file",
    "row",
]
APPLIED, AGREES, EXPIRED, NOT_YET, UNKNOWN = (
    "applied",
    "agrees",
    "expired",
    "not_yet",
    "unknown_customer",
)


def segment_names(
    segments: Iterable[str], own: pd.DataFrame | None = None
) -> dict[str, tuple[str, ...]]:
    """What people may call each segment, in the order given.

    Parameters
    ----------
    segments
        Keys of the scheme's segments.
    own
        RECORD ``scheme_segments``: the names that a company's own scheme brings.

    Returns
    -------
    dict
        Key → its names, Chinese first.
    """
    brought: dict[str, list[str]] = {}
    if own is not None:
        words = own[[f"name_{lang}" for lang in wording.LANGUAGES]].fillna("").astype(str)
        for key, names in zip(own["segment"], words.to_numpy().tolist(), strict=True):
            brought.setdefault(key, names)
    found = {}
    for key in segments:
        names = [
            wording.text(f"{kind}.{key}", lang)
            for kind in ("segment", "segment_short")
            if wording.has(f"{kind}.{key}")
            for lang in wording.LANGUAGES
        ]
        found[key] = tuple(dict.fromkeys(filter(None, [*brought.get(key, []), *names])))
    return found


def apply_overrides(
    segments: pd.DataFrame, decisions: pd.DataFrame, as_of: date
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put customers where people decided, as far as the decisions hold on a day.

    Parameters
    ----------
    segments
        RECORD ``segments`` as the rules place them; one row a customer. ``system_segment`` is
        what ``segment`` says where it is missing.
    decisions
        As `analysis.sources.decisions` reads them.
    as_of
        A decision holds from ``decided_on`` to ``expires_on``, both inside; without an end it
        holds on. Of several that hold the latest counts.

    Returns
    -------
    tuple of pandas.DataFrame
        ``segments`` with ``system_segment``, where the rules place everybody; a customer put
        elsewhere has place and rule ``override``, no tag, and the reason names who decided,
        why, until when and where the rules would have placed it (their own reason stands in the
        argument ``system_reason``). And RECORD ``overrides``, one row a customer decided on, by
        ``customer_id``.
    """
    placed = segments.copy()
    if "system_segment" not in placed:
        where = list(placed.columns).index("segment") + 1
        placed.insert(where, "system_segment", None)
    placed["system_segment"] = placed["system_segment"].fillna(placed["segment"])
    chosen = _one_each(decisions, pd.Timestamp(as_of))
    known = placed.set_index("customer_id").reindex(chosen["customer_id"])
    chosen["system_segment"] = known["system_segment"].to_numpy(object)
    now = known["segment"].to_numpy(object)
    held, agrees = chosen["state"] == APPLIED, chosen["segment"] == now
    missing = ~chosen["customer_id"].isin(placed["customer_id"])
    chosen["state"] = np.select([missing, held & agrees], [UNKNOWN, AGREES], chosen["state"])
    applied = chosen[chosen["state"] == APPLIED]
    rows = pd.Index(placed["customer_id"]).get_indexer(applied["customer_id"])
    told = placed["reason"].to_numpy(object)[rows]
    for column, values in {
        "segment": applied["segment"].to_numpy(object),
        "place": OVERRIDE,
        "rule": OVERRIDE,
        "tag": "",
        "reason": [
            _reason(row, str(said))
            for row, said in zip(applied.to_dict("records"), told, strict=True)
        ],
    }.items():
        if column in placed:
            changed = placed[column].to_numpy(object, copy=True)
            changed[rows] = values
            placed[column] = changed
    return placed, chosen[COLUMNS].sort_values("customer_id", kind="stable", ignore_index=True)


def _one_each(decisions: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """The decision that counts for each customer: one that holds, else the nearest in time."""
    begun = decisions["decided_on"] <= as_of
    over = decisions["expires_on"] < as_of
    state = np.select([~begun, over], [NOT_YET, EXPIRED], APPLIED)
    start = decisions["decided_on"]
    distance = (as_of - start).abs()
    ranked = decisions.assign(
        state=state,
        _first=pd.Series(state, index=decisions.index).map({APPLIED: 0, EXPIRED: 1, NOT_YET: 2}),
        _distance=distance,
        _end=decisions["expires_on"].fillna(pd.Timestamp.max.floor("D")),
    )
    order = ["customer_id", "_first", "_distance", "_end", "file", "row"]
    ranked = ranked.sort_values(
        order, ascending=[True, True, True, False, True, True], kind="stable"
    )
    return ranked.drop_duplicates("customer_id").reset_index(drop=True)


def _reason(row: dict[Any, Any], system_reason: str) -> str:
    args: dict[str, Any] = {
        "author": row["author"],
        "why": row["reason"].rstrip("。.；; "),
        "decided": day(row["decided_on"]),
        "system": word(f"segment.{row['system_segment']}"),
        "system_reason": system_reason,
    }
    if pd.isna(row["expires_on"]):
        return sentence("reason.override_open", args)
    return sentence("reason.override", args | {"expires": day(row["expires_on"])})
