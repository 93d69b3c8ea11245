"""The run's own words: its scheme's names of the segments, and the labels of the settings.

Keys of segments mean different things in different schemes (`potential`). Catalogues may say
``segment.<scheme>.<key>`` beside ``segment.<key>``, and a scheme file may bring its own names;
for the run's primary scheme both take the place of the plain key, wherever it is printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis import wording
from analysis.roles import BEST
from analysis.settings import Config
from analysis.settings_yaml import read_layer
from analysis.wording import Language

_KINDS = ("segment", "segment_short")
_KPI = "high_value_customers"

Words = dict[str, dict[Language, str]]


def use_words_of(config: Config) -> None:
    """Let this process speak the run's words; labels of the settings come before all others."""
    wording.relabel(own_words(config))


def own_words(config: Config) -> Words:
    """The run's own words by catalogue key.

    A scheme that cannot be read has none here; it is refused elsewhere, with its lines.
    """
    scheme = config.settings.segmentation.scheme
    labels = config.settings.labels
    segments = _segments(config, scheme)
    words: Words = {}
    for segment, about in segments.items():
        for kind in _KINDS:
            found = _names(about) or _qualified(f"{kind}.{scheme}.{segment}")
            if found:
                words[f"{kind}.{segment}"] = found
    best = next((s for s, about in segments.items() if about.get("role") == BEST), "")
    if best:
        words |= _kpi({**words, **labels}.get(f"segment.{best}") or _qualified(f"segment.{best}"))
    return words | {key: dict(own) for key, own in labels.items()}


def _segments(config: Config, scheme: str) -> dict[str, Mapping[str, Any]]:
    path = config.root / "params" / "schemes" / f"{scheme}.yml"
    if not path.is_file():
        return {}
    found = read_layer(path, path.name).values.get("segments")
    if not isinstance(found, Mapping):
        return {}
    return {str(key): about if isinstance(about, Mapping) else {} for key, about in found.items()}


def _names(about: Mapping[str, Any]) -> dict[Language, str]:
    names = about.get("names")
    if not isinstance(names, Mapping):
        return {}
    return {lang: str(names[lang]) for lang in wording.LANGUAGES if names.get(lang)}


def _qualified(key: str) -> dict[Language, str]:
    if not wording.has(key):
        return {}
    return {lang: wording.text(key, lang) for lang in wording.LANGUAGES}


def _kpi(best: Mapping[Language, str]) -> Words:
    """The KPI that counts the best segment is called after it."""
    named = {lang: wording.text("best_customers", lang, segment=w) for lang, w in best.items()}
    return {f"kpi.{_KPI}": named, f"exhibits.tiles.name.{_KPI}": dict(best)} if best else {}
