"""Kernels and what they start: none outlives its run."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

MARK = "ANALYSIS_RUN_MARK"
_ROUNDS = 5


def mark_of(folder: Path) -> str:
    """A text that names a run's folder in the environment of its processes."""
    return hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:24]


def reap(mark: str, patience: float = 3.0) -> int:
    """Stop every process that carries the mark, but this one.

    The mark is inherited by children of children, also when the kernel between them is gone
    and they belong to nobody. Only the holder of the run's lock may call this.

    Returns
    -------
    int
        How many processes were stopped.
    """
    stopped = 0
    for _ in range(_ROUNDS):  # a process may start another while it is being stopped
        found = [process for process in psutil.process_iter() if _carries(process, mark)]
        if not found:
            break
        for process in found:
            _try(process.terminate)
        _, alive = psutil.wait_procs(found, timeout=patience)
        for process in alive:
            _try(process.kill)
        psutil.wait_procs(alive, timeout=patience)
        stopped += len(found)
    return stopped


def _carries(process: psutil.Process, mark: str) -> bool:
    if process.pid == os.getpid():
        return False
    try:
        return process.environ().get(MARK) == mark
    except (psutil.Error, OSError):
        return False  # gone, or another person's


def _try(action: Callable[[], object]) -> None:
    with suppress(psutil.NoSuchProcess):
        action()
