"""Reasons of a table, catalogue keys with arguments, on their way to facts and sentences."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def sentences(reason: Any) -> list[dict[str, Any]]:
    """The sentences of a cell: JSON of a map with a key or own words, or of a list of such."""
    if not isinstance(reason, str) or not reason.strip():
        return []
    found = json.loads(reason)
    several = found if isinstance(found, list) else [found]
    return [dict(one) for one in several if isinstance(one, Mapping) and {"key", "text"} & set(one)]


def arguments(reason: Any) -> Iterator[tuple[list[str], Any, str]]:
    """Each number of a cell's sentences.

    Yields
    ------
    tuple
        The parts of its name (of several sentences, the place first), value, unit.
    """
    several = sentences(reason)
    for place, one in enumerate(several):
        for name, value in (one.get("args") or {}).items():
            if isinstance(value, Mapping) and value.get("value") is not None:
                part = [name] if len(several) == 1 else [str(place), name]
                yield part, value["value"], str(value.get("unit", "number"))
