"""A company's own project: its params and data, with notebooks and templates by reference."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from analysis.errors import Problem, SettingsError

_COPIED = ("params",)
_REFERRED = ("notebooks", "reports/templates")
_IGNORED = "/data/\n/snapshots/\n/reports/*\n!/reports/templates\n"


def create(folder: Path, root: Path) -> list[str]:
    """Make a project folder.

    Parameters
    ----------
    folder
        Must not exist, or be empty.
    root
        The project whose notebooks and templates it refers to.

    Returns
    -------
    list of str
        What was made, relative to `folder`.

    Raises
    ------
    SettingsError
        If the folder holds something already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise SettingsError(Problem("settings.not_empty", {"found": folder.as_posix()}))
    for name in _COPIED:
        shutil.copytree(root / name, folder / name)
    for name in _REFERRED:
        _refer(root / name, folder / name)
    for name in ("data", "decisions"):
        (folder / name).mkdir(exist_ok=True)
    (folder / ".gitignore").write_text(_IGNORED, encoding="utf-8")
    return [*_COPIED, *_REFERRED, "data", "decisions", ".gitignore"]


def _refer(source: Path, target: Path) -> None:
    """Link file by file, so that a company can put its own copy in the place of one."""
    for path in sorted(source.rglob("*")):
        if path.is_dir() or ".ipynb_checkpoints" in path.parts:
            continue
        link = target / path.relative_to(source)
        link.parent.mkdir(parents=True, exist_ok=True)
        try:
            link.symlink_to(os.path.relpath(path, link.parent.resolve()))
        except OSError:  # Windows without the right to link
            shutil.copyfile(path, link)
