"""Playbooks as files: found, read, and refused where they could not be carried out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

import pandas as pd
from pydantic import ValidationError

from analysis.errors import Problem, SettingsError
from analysis.settings_yaml import Layer, line_of, read_layer
from analysis.strategy.playbook import NO_PLAYBOOK, Playbook
from analysis.strategy.playbook_checks import known_words, lint

_PACKAGED = Path(__file__).resolve().parents[3] / "params" / "playbooks"


def playbook_for(name: str, scheme_segments: pd.DataFrame, root: Path) -> Playbook:
    """The playbook of a run.

    Parameters
    ----------
    name
        Setting ``strategy.playbook``; empty: the playbook that is named like the scheme.
    scheme_segments
        RECORD table: the primary scheme and its segments.
    root
        The project's folder.

    Returns
    -------
    Playbook
        `NO_PLAYBOOK` where none was named and none is named like the scheme.

    Raises
    ------
    SettingsError
        As `load_playbook` does.
    """
    own = scheme_segments[scheme_segments["primary"].astype(bool)]
    chosen = name or str(own["scheme"].iloc[0])
    if not name and path_of(chosen, root) is None:
        return NO_PLAYBOOK
    return load_playbook(chosen, root, segments=list(own["segment"]))


def load_playbook(
    name: str,
    root: Path,
    *,
    segments: Collection[str] | None = None,
    roles: Collection[str] | None = None,
) -> Playbook:
    """Read and check a playbook.

    Parameters
    ----------
    name
        File of ``params/playbooks``, without ``.yml``: the project's own, else the one that
        comes with the package.
    root
        The project's folder.
    segments, roles
        Keys that may be used; default: those that the catalogues name.

    Raises
    ------
    SettingsError
        If there is no such file, or it could not be carried out. All problems at once.
    """
    playbook, layer = read_playbook(find(name, root), root)
    problems = list(lint(playbook, known_words(segments, roles), layer))
    if problems:
        raise SettingsError(problems)
    return playbook


def read_playbook(path: Path, root: Path) -> tuple[Playbook, Layer]:
    """A playbook as its file says it, with the line of every key; nothing is checked yet.

    Raises
    ------
    SettingsError
        If it is no YAML, or lacks what a playbook must have. All problems at once.
    """
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    layer = read_layer(path, shown)
    if layer.problems:
        raise SettingsError(layer.problems)
    try:
        return Playbook.model_validate(layer.values), layer
    except ValidationError as error:
        raise SettingsError(list(_invalid(error, layer))) from error


def _invalid(error: ValidationError, layer: Layer) -> Iterator[Problem]:
    seen = set()
    for one in error.errors():
        # A field that may be of two types reports both, with the type's name at the end.
        place = tuple(str(part) for part in one["loc"] if not _branch(str(part)))
        kind = {"missing": "missing", "extra_forbidden": "unknown_key"}.get(one["type"], "value")
        if (kind, place) not in seen:
            seen.add((kind, place))
            args = {"setting": ".".join(place), "found": str(one.get("input"))[:60]}
            yield Problem(f"strategy.{kind}", args, layer.name, line_of(layer.lines, place))


def _branch(part: str) -> bool:
    return part in ("str", "int") or part.startswith(("dict[", "constrained", "function-"))


def path_of(name: str, root: Path) -> Path | None:
    """The file of a playbook: the project's own, else the packaged one; None if there is none."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        return None
    paths = [folder / f"{name}.yml" for folder in (root / "params" / "playbooks", _PACKAGED)]
    return next((path for path in paths if path.is_file()), None)


def find(name: str, root: Path) -> Path:
    """The file of a playbook.

    Raises
    ------
    SettingsError
        If there is none; those there are named.
    """
    path = path_of(name, root)
    if path is not None:
        return path
    folders = [root / "params" / "playbooks", _PACKAGED]
    allowed = sorted({file.stem for folder in folders for file in folder.glob("*.yml")})
    raise SettingsError(Problem("strategy.unknown_playbook", {"found": name, "allowed": allowed}))
