"""Each segment in three short lines: what it is like, what sets it apart, where it hurts."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd

from analysis import wording

COLUMNS = ["segment", "feature", "trait", "pain"]
# the numbers that the line of a segment may print: placeholder → aspect and trait
_FIGURES = {
    "monetary": ("transaction", "monetary"),
    "mean_order": ("transaction", "mean_order"),
    "frequency": ("transaction", "frequency"),
    "interval": ("transaction", "expected_interval_days"),
    "days": ("transaction", "recency_days"),
    "cycles": ("transaction", "recency_cycles"),
    "tenure": ("basic", "tenure_days"),
}
# own_tier repeats the company's own view of the same thing; it explains nothing
_TELLING = ("industry", "size_band", "region", "need")


def headline(personas: pd.DataFrame) -> pd.DataFrame:
    """The line that the segment table shows for each segment.

    Parameters
    ----------
    personas
        RECORD ``personas``.

    Returns
    -------
    pandas.DataFrame
        One row a segment, sorted: ``feature`` (size and rhythm of its buying), ``trait`` (the
        strongest notable level that is more common than in the rest), ``pain`` (the strongest
        notable complaint, else the most common one). Each is a catalogue key with arguments as
        JSON, or empty where nothing is known. A number's argument names its fact.
    """
    rows = [
        {
            "segment": segment,
            "feature": _feature(str(segment), own),
            "trait": _trait(str(segment), own),
            "pain": _pain(str(segment), own),
        }
        for segment, own in personas.groupby("segment", sort=True)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _feature(segment: str, own: pd.DataFrame) -> str:
    key = f"persona.headline.{segment}"
    if not wording.has(key):
        key = "persona.headline.any"
    known = {(row["aspect"], row["trait"]): row for row in own.to_dict("records")}
    args = {
        name: _number(segment, known[place]) for name, place in _FIGURES.items() if place in known
    }
    return _json(key, args) if len(args) == len(_FIGURES) else ""


def _trait(segment: str, own: pd.DataFrame) -> str:
    head = own["trait"].str.partition("=")[0]
    found = own[head.isin(_TELLING) & own["notable"] & (own["lift"] > 1)]
    if found.empty:
        return ""
    row = _strongest(found)
    name, _, level = str(row["trait"]).partition("=")
    args = {
        "level": _word(f"trait_level.{name}.{level}", level),
        "share": _number(segment, row),
        "lift": _number(segment, row, "lift", "ratio"),
    }
    return _json(f"persona.trait.{name}", args)


def _pain(segment: str, own: pd.DataFrame) -> str:
    found = own[(own["aspect"] == "pain") & (own["value"] > 0)]
    if found.empty:
        return ""
    clear = found[found["notable"] & (found["lift"] > 1)]
    most = found.sort_values(["value", "trait"], ascending=[False, True], kind="stable")
    row = most.to_dict("records")[0] if clear.empty else _strongest(clear)
    level = str(row["trait"]).partition("=")[2]
    return _json(f"trait_level.pain.{level}", {"share": _number(segment, row)})


def _strongest(rows: pd.DataFrame) -> dict[str, Any]:
    """The largest effect (Cohen's h of two shares), not the smallest p: n must not decide."""
    own, rest = (np.arcsin(np.sqrt(rows[c].to_numpy(dtype=float))) for c in ("value", "rest"))
    ranked = rows.assign(effect=np.abs(own - rest)).sort_values(
        ["effect", "trait"], ascending=[False, True], kind="stable"
    )
    return {str(name): value for name, value in ranked.to_dict("records")[0].items()}


def _number(
    segment: str, row: dict[Any, Any], column: str = "value", unit: str = ""
) -> dict[str, Any]:
    value = float(row[column])
    parts = ["persona", segment, row["aspect"], str(row["trait"]).replace(".", "_")]
    return {
        "value": None if math.isnan(value) else round(value, 4),
        "unit": unit or row["unit"],
        "fact": ".".join(parts + ([] if column == "value" else [column])),
    }


def _word(key: str, name: str) -> Any:
    return {"key": key} if wording.has(key) else name


def _json(key: str, args: dict[str, Any]) -> str:
    return json.dumps({"key": key, "args": args}, ensure_ascii=False, sort_keys=True)
