"""A run that is stopped or killed leaves nothing that looks finished, and can go on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from analysis import store
from analysis.pipeline import processes, stages
from tests.pipeline import chain

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals"),
]
ROOT = Path(__file__).resolve().parents[2]
SLOW = "import time; time.sleep(60)"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A chain whose second notebook takes a minute."""
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "params", folder / "params")
    (folder / "notebooks").mkdir()
    chain.build(folder)
    cells = [*chain.CELLS["second"][:2], SLOW, chain.CELLS["second"][2]]
    chain.write_notebook(folder / "notebooks" / "2.ipynb", cells)
    return folder


def start(project: Path) -> subprocess.Popen[str]:
    """Start a run and return when its second notebook is at work."""
    environ = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    run = subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "pipeline" / "chain.py"), str(project)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environ,
        start_new_session=True,
    )
    work = project / "reports" / "tiny" / ".stages"
    until = time.monotonic() + 60
    while time.monotonic() < until and run.poll() is None:
        if list(work.glob("first-*")) and list(work.glob(".tmp-second-*")):
            time.sleep(2.0)  # let its kernel begin
            return run
        time.sleep(0.05)
    run.kill()
    raise AssertionError(run.communicate()[0])


def marked(project: Path) -> list[psutil.Process]:
    mark = processes.mark_of(project / "reports" / "tiny")
    return [p for p in psutil.process_iter() if processes._carries(p, mark)]


def go_on(project: Path) -> None:
    """Mend the slow notebook, run again: the first stage is kept, nothing is left over."""
    chain.write_notebook(project / "notebooks" / "2.ipynb", chain.CELLS["second"])
    before = stages.STAGES
    try:
        outcome = chain.run(project)
    finally:
        stages.STAGES = before
    assert outcome.ran == ["second", "third"]
    assert outcome.kept == ["first"]
    assert outcome.record is not None
    assert store.is_whole(outcome.record)
    folder = project / "reports" / "tiny"
    assert not list(folder.rglob(".tmp-*"))
    assert not marked(project)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped(project: Path, number: int, code: int) -> None:
    run = start(project)
    run.send_signal(number)
    said, _ = run.communicate(timeout=60)
    assert run.returncode == code, said
    assert "run the same command to go on" in said
    assert "Traceback" not in said
    assert not list((project / "reports" / "tiny").rglob(".tmp-*"))
    assert not (project / "reports" / "tiny" / "2025Q3").exists()
    assert not marked(project)
    go_on(project)


def test_killed(project: Path) -> None:
    run = start(project)
    run.kill()
    run.communicate(timeout=60)
    assert not (project / "reports" / "tiny" / "2025Q3").exists()
    go_on(project)  # also finds and stops the kernel that the killed run left behind


def test_the_kernel_is_killed_from_outside(project: Path) -> None:
    run = start(project)
    for process in marked(project):
        if "ipykernel" in " ".join(process.cmdline()):
            process.kill()
    said, _ = run.communicate(timeout=60)
    assert run.returncode == 138, said
    assert "2.ipynb" in said
    go_on(project)
