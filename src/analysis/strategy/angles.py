"""The playbook's four angles, a row a segment."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from analysis.strategy.playbook import ANGLES, Playbook, Text
from analysis.tables import RECORD


def segment_angles(playbook: Playbook) -> pd.DataFrame:
    """What is wanted of each segment, and what it gets from each angle.

    Returns
    -------
    DataFrame
        RECORD ``segment_angles``, in the playbook's order. The texts are JSON of a catalogue key
        (or the playbook's own words) with the terms and clocks as arguments. Requirement 001-18.
    """
    rows = []
    for rank, (segment, plan) in enumerate(playbook.segments.items(), start=1):
        arguments = plan.arguments()
        said = {name: as_json(getattr(plan, name), arguments) for name in ("goal", *ANGLES)}
        rows.append({"rank": rank, "segment": segment, **said, "least_touches": plan.least_touches})
    return pd.DataFrame(rows, columns=RECORD["segment_angles"].names)


def as_json(text: Text, arguments: dict[str, Any]) -> str:
    """Catalogue key, or the playbook's own words (``text``), with arguments."""
    said = {"key": text} if isinstance(text, str) else {"text": text}
    return json.dumps({**said, "args": arguments}, ensure_ascii=False, sort_keys=True)
