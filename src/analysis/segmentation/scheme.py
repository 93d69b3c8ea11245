"""A scheme: rules that place every customer in exactly one segment.

`load_scheme` reads ``params/schemes/<name>.yml`` and refuses one that cannot be read, names
what does not exist, or leaves customers without a place. What a scheme file may say stands in
the head of ``rfm5.yml``; what its rules cover, `analysis.segmentation.lint` tells.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from analysis.errors import Problem, SettingsError
from analysis.segmentation.checks import static_problems, unknown_thresholds
from analysis.segmentation.lint import problems_of
from analysis.segmentation.rules import (
    RFM5_RANKS,
    Rule,
    Scheme,
    Score,
    Segment,
    Threshold,
    best_and_worst,
)
from analysis.settings_checks import allowed_values, nearest
from analysis.settings_segmentation import Segmentation
from analysis.settings_types import Section
from analysis.settings_yaml import Layer, line_of, read_layer

__all__ = [
    "RFM5_RANKS",
    "Scheme",
    "best_and_worst",
    "load_scheme",
    "load_schemes",
    "read_scheme",
    "scheme_path",
]


def load_scheme(name: str, root: Path, settings: Segmentation | None = None) -> Scheme:
    """Read and check a scheme.

    Parameters
    ----------
    name
        File of ``params/schemes``, without ``.yml``.
    root
        The project's folder.
    settings
        Values of the settings that its rules name, and of its thresholds; None: the defaults.

    Raises
    ------
    SettingsError
        If there is no such file, it is not a scheme, or its rules do not place every customer
        in exactly one segment. All problems at once.
    """
    path = scheme_path(name, root)
    file = path.relative_to(root).as_posix()
    settings = settings or Segmentation()
    scheme, layer = read_scheme(path, file)
    problems = static_problems(scheme, settings, layer.lines, file)
    if scheme.grid:
        problems.append(Problem("schemes.only_a_grid", {"scheme": name}, file))
    if not problems:
        problems = problems_of(scheme, settings, layer.lines, file)
    if problems:
        raise SettingsError(problems)
    return scheme


def load_schemes(root: Path, settings: Segmentation) -> list[Scheme]:
    """The primary scheme and those of ``segmentation.crosswalk``, in this order, each once.

    Raises
    ------
    SettingsError
        As `load_scheme`, and if ``segmentation.thresholds`` names what none of them has.
    """
    names = dict.fromkeys([settings.scheme, *settings.crosswalk])
    found = [load_scheme(name, root, settings) for name in names]
    if problems := unknown_thresholds(found, settings):
        raise SettingsError(problems)
    return found


def scheme_path(name: str, root: Path) -> Path:
    """The file of a scheme.

    Raises
    ------
    SettingsError
        If there is none; those there are named.
    """
    folder = root / "params" / "schemes"
    path = folder / f"{name}.yml"
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name) or not path.is_file():
        allowed = sorted(file.stem for file in folder.glob("*.yml"))
        raise SettingsError(
            Problem("segmentation.scheme_missing", {"found": name, "allowed": allowed})
        )
    return path


def read_scheme(path: Path, file: str) -> tuple[Scheme, Layer]:
    """A scheme as its file says it, with the line of every key; its rules are not checked yet.

    Raises
    ------
    SettingsError
        If it is no YAML, or lacks what a scheme must have. All problems at once.
    """
    layer = read_layer(path, file)
    if layer.problems:
        raise SettingsError(layer.problems)
    try:
        return Scheme.model_validate(layer.values), layer
    except ValidationError as error:
        raise SettingsError(
            _problem(detail, file, line_of(layer.lines, detail["loc"]))
            for detail in error.errors(include_url=False)
        ) from None


_MODELS: tuple[type[Section], ...] = (Scheme, Segment, Threshold, Score, Rule)


def _problem(detail: Any, file: str, line: int) -> Problem:
    # pydantic names the members of a union in the path: dict[str,any]
    place = ".".join(str(part) for part in detail["loc"] if "[" not in str(part))
    kind = detail["type"]
    key = str(detail["loc"][-1])
    if kind == "extra_forbidden":
        known = {name for model in _MODELS for name in model.model_fields}
        return Problem("schemes.unknown_key", {"place": place, **_nearest(key, known)}, file, line)
    if kind == "missing":
        return Problem("schemes.missing_key", {"place": place}, file, line)
    found = detail["input"]
    shown = found if isinstance(found, (str, int, float, bool)) else type(found).__name__
    args = {"place": place, "found": shown, "allowed": allowed_values(detail)}
    return Problem("schemes.wrong_value", args, file, line)


def _nearest(word: str, known: set[str]) -> dict[str, Any]:
    found = nearest(word, known)
    return {"nearest": {"key": "error.schemes.nearest", "found": found} if found else ""}
