"""Kill a run, look at what it left, run again, compare with an undisturbed run."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from analysis import store
from tests.faults import small

KINDS = ("group", "runner", "kernel", "publish")
_KEPT = re.compile(r"\] (\w+): unchanged, kept")
_DONE = re.compile(r"\] (\w+): done in")

Tree = Mapping[str, str]


def tree(record: Path) -> Tree:
    """Every file of a record but the log, with its sha256."""
    return store.files_of(record, without=(store.LOG,))


@dataclass
class Scene:
    """A project to be run to death, and what its run should give.

    Attributes
    ----------
    clean
        The project before any run.
    used
        The same project with a record of other settings.
    old, new
        The records before and after an undisturbed run.
    hooks
        What every process does before it runs.
    seconds
        How long an undisturbed run takes.
    """

    clean: Path
    used: Path
    record: str
    argv: tuple[str, ...]
    names: tuple[str, ...]
    small: bool
    hooks: tuple[Any, ...] = ()
    old: Tree = field(default_factory=dict)
    new: Tree = field(default_factory=dict)
    seconds: float = 0.0
    publishing: float = 0.0

    @property
    def run_folder(self) -> str:
        return str(Path(self.record).parent)


def prepare(
    clean: Path,
    record: str,
    argv: tuple[str, ...],
    names: tuple[str, ...],
    *,
    is_small: bool,
    hooks: tuple[Any, ...] = (),
) -> Scene:
    """Run a project undisturbed, with other settings and with the ones to be tried."""
    used = clean.with_name("used")
    shutil.copytree(clean, used)
    scene = Scene(clean, used, record, argv, names, is_small, hooks)
    assert _run(used, (*argv, "--set", "seed=7"), scene).wait(900) == 0
    scene.old = tree(used / record)
    whole = clean.with_name("whole")
    shutil.copytree(used, whole)
    begun = time.monotonic()
    run = _run(whole, argv, scene)
    assembling = _appears(whole / scene.run_folder, run)
    code = run.wait(900)
    assert code == 0, run.said
    ended = time.monotonic()
    scene.seconds = ended - begun
    scene.publishing = max(ended - assembling, 0.02)
    scene.new = tree(whole / record)
    assert scene.old != scene.new
    fresh = clean.with_name("fresh")
    shutil.copytree(clean, fresh)
    assert _run(fresh, argv, scene).wait(900) == 0
    assert tree(fresh / record) == scene.new
    return scene


def _run(project: Path, argv: Iterable[str], scene: Scene, *hooks: Any) -> small.Child:
    return small.Child(project, list(argv), small=scene.small, prepare=(*scene.hooks, *hooks))


def _appears(folder: Path, run: small.Child) -> float:
    """When the record began to be put together."""
    while run.alive:
        if any(folder.glob(".tmp-record-*")):
            break
        time.sleep(0.002)
    return time.monotonic()


@dataclass(frozen=True)
class Landed:
    """A kill, and what was going on when it landed."""

    kind: str
    phase: str
    code: int
    finished: int


class Missed(Exception):
    """The run was over before the kill."""


def random_kill(scene: Scene, work: Path, kind: str, seed: int, moment: float) -> Landed:
    """One trial: kill at a share of the run's length, examine, run again, compare."""
    chance = random.Random(seed)
    project = work / f"trial-{seed}"
    has_old = chance.random() < 0.5
    shutil.copytree(scene.used if has_old else scene.clean, project)
    folder = project / scene.run_folder
    run = _run(project, scene.argv, scene)
    try:
        phase = _strike(run, folder, scene, kind, moment, chance)
        code = run.wait()
        finished = examine(scene, project, has_old=has_old)
        if kind == "kernel":
            assert code in (138, 0), (code, run.said)
            assert "Traceback" not in run.said, run.said
            if code == 138:
                assert ".ipynb" in run.said, run.said
        go_on(scene, project, finished)
    except AssertionError as failed:
        failed.add_note(f"{kind} {seed} {moment:.4f} {run.said}")
        raise
    finally:
        if run.alive:
            run.kill()
    shutil.rmtree(project)
    run.said_in.unlink(missing_ok=True)
    return Landed(kind, phase, code, len(finished))


def _strike(
    run: small.Child, folder: Path, scene: Scene, kind: str, moment: float, chance: random.Random
) -> str:
    """Wait for the moment, kill, and say what was going on."""
    if kind == "publish":
        _appears(folder, run)
        time.sleep(moment * scene.publishing)
    else:
        time.sleep(moment * scene.seconds)
    if kind == "kernel":
        return _strike_kernel(run, folder)
    if not run.alive:
        raise Missed
    phase = phase_of(folder)
    try:
        if kind == "group" or (kind == "publish" and chance.random() < 0.5):
            os.kill(run.pid, signal.SIGSTOP)  # so that no kernel starts between the kills
            small.kill(small.marked(folder))
        os.kill(run.pid, signal.SIGKILL)
    except ProcessLookupError:
        raise Missed from None
    return phase


def _strike_kernel(run: small.Child, folder: Path) -> str:
    while run.alive:
        kernels = small.marked(folder)
        if kernels:
            phase = phase_of(folder)
            small.kill(kernels)
            return phase
        time.sleep(0.01)
    raise Missed


def phase_of(folder: Path) -> str:
    """What a run is doing, from what stands on disk."""
    if any(folder.glob(".tmp-record-*")):
        return "publishing the record"
    built = sorted((folder / ".stages").glob(".tmp-*-*"))
    if not built:
        return "between stages"
    place = built[0]
    stage = place.name.split("-")[1]
    if (place / store.MANIFEST).exists():
        return f"{stage}: publishing"
    if any(place.glob("tables/*")):
        return f"{stage}: tables written"
    return f"{stage}: no table yet"


def examine(scene: Scene, project: Path, *, has_old: bool) -> set[str]:
    """What a killed run left: nothing may look finished that is not.

    Returns
    -------
    set
        Folders of the stages that are finished, as they are named.
    """
    folder = project / scene.run_folder
    for manifest in folder.glob(f"*/{store.MANIFEST}"):
        record = manifest.parent
        if record.name.startswith("."):
            continue
        assert store.is_whole(record), f"{record.name} looks finished and is not"
        assert tree(record) in (scene.old, scene.new), f"{record.name} is neither old nor new"
    if has_old:
        assert (project / scene.record).is_dir(), "the old record is gone and no new one stands"
    finished = set()
    for stage in (folder / ".stages").glob("*-*"):
        if not stage.name.startswith("."):
            assert store.is_whole(stage), f"{stage.name} looks finished and is not"
            finished.add(stage.name)
    return finished


def go_on(scene: Scene, project: Path, finished: set[str]) -> None:
    """Run again: the same bytes, nothing computed twice, nothing left over."""
    folder = project / scene.run_folder
    run = _run(project, scene.argv, scene)
    code = run.wait(900)
    assert code == 0, (code, run.said)
    assert tree(project / scene.record) == scene.new, "not the bytes of an undisturbed run"
    assert store.is_whole(project / scene.record)
    kept, done = set(_KEPT.findall(run.said)), set(_DONE.findall(run.said))
    assert kept | done == set(scene.names), run.said
    wanted = {p.name for p in (folder / ".stages").glob("*-*")}
    assert len(wanted) == len(scene.names), wanted
    again = done & {name.rpartition("-")[0] for name in finished & wanted}
    assert not again, f"computed twice: {again}"
    leftovers = [p for pattern in (".tmp-*", ".old-*") for p in folder.rglob(pattern)]
    assert not leftovers, leftovers
    assert not small.marked(folder), "a process stays"


def moments(count: int, seed: int) -> list[float]:
    """Shares of a run's length: one at random in each of `count` equal slices, shuffled."""
    chance = random.Random(seed)
    found = [(slot + chance.random()) / count for slot in range(count)]
    chance.shuffle(found)
    return found


def many(
    scene: Scene, work: Path, count: int, seed: int, *, workers: int = 1, say: Any = print
) -> list[Landed]:
    """`count` kills that landed, of every kind in turn, and a summary."""
    from concurrent.futures import ThreadPoolExecutor

    each = {kind: iter(moments(count // len(KINDS) + 1, seed + i)) for i, kind in enumerate(KINDS)}
    plan = [(kind, next(each[kind])) for kind in (KINDS * count)[:count]]
    begun = time.monotonic()
    landed: list[Landed] = []
    failures: list[str] = []

    def one(index: int) -> None:
        kind, moment = plan[index]
        for again in range(12):  # a kill that came too late is tried again earlier
            try:
                seeded = seed + index + 10_000 * again
                landed.append(random_kill(scene, work, kind, seeded, moment * 0.85**again))
                break
            except Missed:
                continue
            except AssertionError as failed:
                failures.append(f"{failed} {getattr(failed, '__notes__', '')}")
                break
        if (index + 1) % 10 == 0:
            spent = time.monotonic() - begun
            say(f"{len(landed)} of {count} kills, {len(failures)} failures, {spent:.0f} s")

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, range(count)))
    kinds = Counter(hit.kind for hit in landed)
    phases = Counter(hit.phase for hit in landed)
    say(
        f"{len(landed)} kills: {len(landed)} same bytes, {len(failures)} failures; "
        f"kinds {_counts(kinds)}; hits by phase {_counts(phases)}"
    )
    assert not failures, "\n".join(failures[:5])
    assert len(landed) == count
    return landed


def _counts(found: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(found.items()))


def points(scene: Scene, work: Path, *, has_old: bool) -> list[str]:
    """Every change on disk of an undisturbed run without kernels, in order."""
    project = work / f"points-{has_old}"
    shutil.copytree(scene.used if has_old else scene.clean, project)
    run = _run(project, scene.argv, scene, small.KillAt(-1))
    assert run.wait() == 0, run.said
    assert tree(project / scene.record) == scene.new
    return re.findall(r"point \d+ (.+)", run.said)


def replace_hooks(scene: Scene, hooks: tuple[Any, ...]) -> Scene:
    """The same scene, prepared in another way."""
    return replace(scene, hooks=hooks)


def point_kill(
    scene: Scene, work: Path, at: int, *, after: bool, has_old: bool, gap: bool = False
) -> None:
    """Kill the runner exactly before or after its n-th change on disk.

    With `gap`, no record stands between the kill and the next run.
    """
    project = work / f"point-{at}-{after}-{has_old}"
    shutil.copytree(scene.used if has_old else scene.clean, project)
    run = _run(project, scene.argv, scene, small.KillAt(at, after))
    try:
        assert run.wait() == -signal.SIGKILL, run.said
        finished = examine(scene, project, has_old=has_old and not gap)
        go_on(scene, project, finished)
    except AssertionError as failed:
        failed.add_note(f"point {at}, after: {after}, old record: {has_old}")
        raise
    shutil.rmtree(project)
    run.said_in.unlink(missing_ok=True)
