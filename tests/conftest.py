"""Shared fixtures."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"

# How long an example takes says how busy the machine is, not whether the code is right.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")


@pytest.fixture(scope="session")
def root() -> Path:
    """The project folder."""
    return ROOT


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """Find a real data set, or skip and say which one is missing."""

    def find(name: str) -> Path:
        path = DATA / name
        if not path.exists():
            pytest.skip(f"real data set {name} is not beside the project (../shared/data)")
        return path

    return find


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project that shares params, notebooks and templates with this one."""
    folder = tmp_path / "project"
    for name in ("params", "notebooks"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints")
        )
    shutil.copytree(ROOT / "reports" / "templates", folder / "reports" / "templates")
    return folder
