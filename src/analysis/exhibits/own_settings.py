"""Which settings somebody set for a report, and which keep the default of ``base.yml``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from analysis.exhibits.facts import Fact
from analysis.settings_model import Settings

SECTIONS = ("scope", "cleaning", "segmentation", "personas", "effectiveness", "strategy", "report")
BASE = "base.yml"  # holds every default
UNSET = ("", "default")


def own_settings(settings: Settings, origins: Mapping[str, str]) -> list[str]:
    """Dotted names of the settings that another file than ``base.yml``, or a call, has set.

    Parameters
    ----------
    settings
        The run's settings.
    origins
        Dotted name → file that set it, with or without its line.
    """
    return [path for path in _paths(settings) if _chosen(set_in(path, origins))]


def set_in(path: str, origins: Mapping[str, str]) -> str:
    """The file that set a setting; of a map the first that set an entry other than the default."""
    below = [file for key, file in sorted(origins.items()) if key.startswith(f"{path}.")]
    found = [str(file) for file in (origins.get(path, ""), *below)]
    return next((file for file in found if _chosen(file)), found[0])


def setting_facts(settings: Settings, origins: Mapping[str, str]) -> Iterator[Fact]:
    """How many settings somebody has set, and how many keep their default."""
    own = len(own_settings(settings, origins))
    yield Fact("settings.own", own, "count", source="settings")
    yield Fact("settings.default", len(_paths(settings)) - own, "count", source="settings")


def _chosen(file: str) -> bool:
    return file not in UNSET and file.partition(":")[0].rpartition("/")[2] != BASE


def _paths(settings: Settings) -> list[str]:
    return [path for section in SECTIONS for path in _walk(getattr(settings, section), section)]


def _walk(value: object, path: str) -> Iterator[str]:
    if not isinstance(value, BaseModel):
        yield path
        return
    for field in type(value).model_fields:
        yield from _walk(getattr(value, field), f"{path}.{field}")
