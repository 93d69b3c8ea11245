"""Stages → one period's record; clearing what no record needs."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from analysis import __version__, store
from analysis.errors import AnalysisError, Problem, StageError
from analysis.pipeline.fingerprints import versions
from analysis.pipeline.log import append
from analysis.pipeline.sealing import seal_file
from analysis.pipeline.stages import Stage
from analysis.settings import Config

FORMAT = 1
LAST = "last.json"  # record → stage → folder of its last result; only a help for reasons


def assemble(
    config: Config,
    name: str,
    stages: tuple[Stage, ...],
    folders: Mapping[str, Path],
    log: Iterable[str] = (),
) -> tuple[Path, bool]:
    """Put a record together beside the old one and swap it in.

    The old record's ``log.txt`` goes on with the lines in ``log``.

    Returns
    -------
    tuple
        The record's folder and whether it was replaced; an unchanged, undamaged record is
        left alone, and a sealed one is never touched: the new one becomes ``<period>.r2``.
    """
    parent = config.root / "reports" / config.settings.run
    manifest = _manifest(config, stages, folders)
    target = _target(config, parent, name, manifest)
    if _same(target, manifest):
        return target, False
    built = store.temporary_folder(parent, "record")
    try:
        for stage in stages:
            _copy(folders[stage.name], built)
        before = target / store.LOG
        if before.is_file():
            shutil.copyfile(before, built / store.LOG)
        append(built / store.LOG, log)
        store.publish(built, target, manifest)
    finally:
        shutil.rmtree(built, ignore_errors=True)
    return target, True


def _copy(stage: Path, built: Path) -> None:
    """Copy what the stage's manifest names, and nothing that is not as the manifest says."""
    for name, expected in store.manifest_of(stage).get("files", {}).items():
        place = built / name
        place.parent.mkdir(parents=True, exist_ok=True, mode=store.PRIVATE_FOLDER)
        shutil.copyfile(stage / name, place)
        if store.digest(place) != expected:
            raise _gone(stage)


def _gone(stage: Path) -> StageError:
    """The result of a finished stage was removed or changed while the run was at work."""
    return StageError(Problem("run.result_gone", {"stage": stage.name.rpartition("-")[0]}))


def _manifest(
    config: Config, stages: tuple[Stage, ...], folders: Mapping[str, Path]
) -> dict[str, Any]:
    stage_manifests = {stage.name: store.manifest_of(folders[stage.name]) for stage in stages}
    lost = [name for name, found in stage_manifests.items() if not found]
    if lost:
        raise _gone(folders[lost[0]])
    parts = {name: manifest["parts"] for name, manifest in stage_manifests.items()}
    package = {k: v for found in parts.values() for k, v in found["source"].items()}
    return {
        "format": FORMAT,
        "run": config.settings.run,
        "period": config.settings.period,
        "as_of": config.as_of.isoformat(),
        "params": config.file,
        "settings": {
            key: {"value": value, "origin": config.origin(key)}
            for key, value in config.flat().items()
        },
        "inputs": {k: v for found in parts.values() for k, v in found["inputs"].items()},
        "stages": {name: folder.name for name, folder in sorted(folders.items())},
        "gave": {name: manifest["gave"] for name, manifest in stage_manifests.items()},
        "code": {
            "package": store.digest_json(package),
            "notebooks": {k: v for found in parts.values() for k, v in found["code"].items()},
        },
        "versions": {"analysis": __version__, **versions()},
    }


def _same(target: Path, manifest: Mapping[str, Any]) -> bool:
    known = store.manifest_of(target)
    known.pop("files", None)
    return known == manifest and store.is_whole(target)


def _target(config: Config, parent: Path, name: str, manifest: Mapping[str, Any]) -> Path:
    """The record's folder: the first of ``name``, ``name.r2``, … that is free or unsealed."""
    target, revision = parent / name, 1
    while seal_file(config.root, target).is_file() and not _same(target, manifest):
        revision += 1
        target = parent / f"{name}.r{revision}"
    return target


def last_runs(work: Path) -> dict[str, dict[str, str]]:
    """What each record's last run used; a damaged file is as good as none."""
    try:
        found = store.read_json(work / LAST)
    except AnalysisError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: dict(stages) for name, stages in found.items() if isinstance(stages, dict)}


def prune(work: Path, parent: Path) -> None:
    """Remove stage results that neither a record nor a last run refers to."""
    wanted: set[str] = set()
    for manifest in sorted(parent.glob(f"*/{store.MANIFEST}")):
        wanted |= set(store.manifest_of(manifest.parent).get("stages", {}).values())
    for stages in last_runs(work).values():
        wanted |= set(stages.values())
    for folder in sorted(work.iterdir()):
        if folder.is_dir() and folder.name not in wanted:
            store.discard(folder)
