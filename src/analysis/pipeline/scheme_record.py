"""A record as `analysis scheme` tries schemes on it: its customers, cuts and settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import settings as settings_module
from analysis import store
from analysis.settings_segmentation import Segmentation


@dataclass(frozen=True)
class Known:
    """What a record knows of its customers."""

    name: str
    scheme: str
    features: pd.DataFrame
    customers: pd.DataFrame
    cuts: pd.DataFrame
    segments: pd.Series
    settings: Segmentation
    currency: str

    @property
    def amounts(self) -> pd.Series:
        """Money in the monetary window by customer, in ten-thousandths."""
        known = self.features.set_index("customer_id")["monetary"].astype(float)
        return (known * 1e4).round().astype("int64")


def open_record(where: str, root: Path) -> Known:
    """A record by ``RUN/PERIOD`` or by the period file that made it.

    Raises
    ------
    SettingsError, SourceError
        If there is no such record.
    """
    if where.endswith((".yml", ".yaml")):
        config = settings_module.load(where, root)
        run, period = config.settings.run, config.settings.period
        root = config.root
    else:
        run, _, period = where.strip("/").rpartition("/")
    record = store.record(run, period, root)
    values = {key: entry["value"] for key, entry in record.manifest["settings"].items()}
    segments = record.table("segments").set_index("customer_id")
    system = "system_segment" if "system_segment" in segments else "segment"
    return Known(
        f"{run}/{period}",
        str(values["segmentation.scheme"]),
        record.table("features"),
        record.table("customers"),
        record.table("cuts"),
        segments[system].fillna(segments["segment"]),
        Segmentation.model_validate(_section(values, "segmentation")),
        str(values.get("currency", "CNY")),
    )


def _section(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The settings of a section as nested maps, from their dotted keys."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        first, *inner = key.split(".")
        if first != name or not inner:
            continue
        place_ = found
        for part in inner[:-1]:
            place_ = place_.setdefault(part, {})
        place_[inner[-1]] = value
    return found
