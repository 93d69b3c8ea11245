"""Projects to be killed."""

from __future__ import annotations

import os

import pytest

from tests.faults import kills, small


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Windows has no such signals; say so rather than fail."""
    if os.name == "nt":
        for item in items:
            if "faults" in item.path.parts:
                item.add_marker(pytest.mark.skip(reason="Windows has no such signals"))


ARGV = ("run", small.PARAMS)
RECORD = "reports/tiny/2025Q3"


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> kills.Scene:
    """The small chain on real kernels."""
    clean = small.build(tmp_path_factory.mktemp("scene") / "clean")
    return kills.prepare(clean, RECORD, ARGV, small.NAMES, is_small=True)


@pytest.fixture(scope="session")
def plain_scene(tmp_path_factory: pytest.TempPathFactory) -> kills.Scene:
    """The small chain with its cells run in the runner's own process."""
    clean = small.build(tmp_path_factory.mktemp("plain") / "clean")
    hooks = (small.PlainKernel(),)
    return kills.prepare(clean, RECORD, ARGV, small.NAMES, is_small=True, hooks=hooks)
