"""Killed at any moment, a run leaves nothing that looks finished, and ends the same when repeated.

The short tests belong to the suite; the long ones run by ``make test-faults``.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from analysis import store
from analysis.pipeline import sealing
from tests.faults import kills, small
from tests.faults.conftest import RECORD

SEED = 20251001
WORKERS = 2
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_a_few_random_kills(scene: kills.Scene, tmp_path: Path) -> None:
    kills.many(scene, tmp_path, 12, SEED, workers=WORKERS)


@pytest.mark.faults
def test_two_hundred_random_kills(scene: kills.Scene, tmp_path: Path) -> None:
    landed = kills.many(scene, tmp_path, 200, SEED + 1, workers=WORKERS)
    phases = {hit.phase for hit in landed}
    assert phases >= {"publishing the record", "between stages"}
    for stage in small.NAMES:
        assert {f"{stage}: no table yet", f"{stage}: tables written"} <= phases


def _every_point(
    scene: kills.Scene, work: Path, *, has_old: bool, sample: int | None = None
) -> None:
    found = kills.points(scene, work, has_old=has_old)
    trials = [(at, after) for at in range(len(found)) for after in (False, True)]
    if sample:
        trials = random.Random(SEED).sample(trials, sample)
    failures: list[str] = []

    def one(trial: tuple[int, bool]) -> None:
        try:
            kills.point_kill(scene, work, trial[0], after=trial[1], has_old=has_old)
        except AssertionError as failed:
            failures.append(f"{found[trial[0]]}, after: {trial[1]}: {failed}")

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(one, trials))
    print(
        f"{len(trials)} kills before and after {len(found)} changes on disk "
        f"({'over an old record' if has_old else 'from nothing'}): "
        f"{len(trials) - len(failures)} same bytes, {len(failures)} failures"
    )
    assert not failures, "\n".join(failures[:10])


@pytest.mark.slow
def test_some_points(plain_scene: kills.Scene, tmp_path: Path) -> None:
    _every_point(plain_scene, tmp_path, has_old=True, sample=12)


@pytest.mark.faults
@pytest.mark.parametrize("has_old", [True, False])
def test_every_point(plain_scene: kills.Scene, tmp_path: Path, has_old: bool) -> None:
    _every_point(plain_scene, tmp_path, has_old=has_old)


@pytest.mark.slow
def test_every_point_of_publishing_without_an_exchange(
    plain_scene: kills.Scene, tmp_path: Path
) -> None:
    """Where names cannot change in one step, the next run puts the old record back."""
    hooks = (*plain_scene.hooks, small.NoExchange())
    scene = kills.replace_hooks(plain_scene, hooks)
    found = kills.points(scene, tmp_path, has_old=True)
    (swap,) = [i for i, name in enumerate(found) if name == "rename 2025Q3"]
    for at in range(swap - 1, swap + 3):
        kills.point_kill(scene, tmp_path, at, after=False, has_old=True, gap=at == swap + 1)


@pytest.mark.slow
def test_every_point_of_an_approval(plain_scene: kills.Scene, tmp_path: Path) -> None:
    """A killed approval is none, or whole; the same command completes it."""
    argv = ["approve", small.PARAMS]
    only = small.OneTable()
    whole = plain_scene.clean.with_name("whole")
    count = small.Child(_copy(whole, tmp_path / "count"), argv, prepare=[only, small.KillAt(-1)])
    assert count.wait() == 0, count.said
    decided = _files(tmp_path / "count")
    for at in range(count.said.count("point ")):
        project = _copy(whole, tmp_path / f"approve-{at}")
        run = small.Child(project, argv, prepare=[only, small.KillAt(at)])
        assert run.wait() == -signal.SIGKILL, run.said
        seal = sealing.sealed(project, "tiny", "2025Q3")
        assert seal is None or _files(project) >= decided
        assert small.Child(project, argv, prepare=[only]).wait() == 0
        assert _files(project) == decided
        assert kills.tree(project / RECORD) == plain_scene.new


def _copy(source: Path, target: Path) -> Path:
    shutil.copytree(source, target)
    return target


def _files(project: Path) -> set[tuple[str, str]]:
    return set(store.files_of(project / "decisions", without=()).items())


@pytest.mark.faults
def test_fifteen_kills_of_the_real_chain(tmp_path: Path) -> None:
    """The six notebooks on the made-up company; KILLS in the environment asks for fewer."""
    clean = tmp_path / "clean"
    for name in ("params", "notebooks", "data/demo", "reports/templates"):
        ignored = shutil.ignore_patterns(".ipynb_checkpoints", ".written")
        shutil.copytree(ROOT / name, clean / name, ignore=ignored)
    names = ("cleaning", "segmentation", "personas", "effectiveness", "strategy", "report")
    argv = ("run", "params/demo.yml")
    scene = kills.prepare(clean, "reports/demo/2025Q3", argv, names, is_small=False)
    print(f"an undisturbed run takes {scene.seconds:.0f} s")
    kills.many(scene, tmp_path, int(os.environ.get("KILLS", "15")), SEED + 2)
