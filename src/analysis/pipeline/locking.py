"""One run at a time: a lock that dies with its holder, and signals as errors."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from filelock import FileLock, Timeout

from analysis import store
from analysis.errors import AnalysisError, Interrupted, LockedError, Problem, ResourceError
from analysis.pipeline.failures import cause_of


@contextmanager
def run_lock(folder: Path, run: str) -> Iterator[None]:
    """Hold the lock of a run's folder.

    Raises
    ------
    LockedError
        If another process holds it; the message names the process.
    ResourceError
        If the folder cannot be written.
    """
    holder = folder / ".lock.json"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=store.PRIVATE_FOLDER)
        lock = FileLock(folder / ".lock", timeout=0, mode=store.PRIVATE_FILE)
        lock.acquire()
    except Timeout:
        known = _holder(holder)
        args = {"run": run, "pid": known.get("pid", "?"), "host": known.get("host", "?")}
        raise LockedError(Problem("run.locked", args)) from None
    except OSError as error:
        raise not_writable(run, error) from None
    try:
        with suppress(OSError):  # only a help for the message; on a full disk there is none
            store.write_json(holder, {"pid": os.getpid(), "host": socket.gethostname()})
        yield
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def not_writable(run: str, error: OSError) -> ResourceError:
    """The folder of a run refuses files."""
    args = {"folder": f"reports/{run}", "cause": cause_of(error)}
    return ResourceError(Problem("run.not_writable", args))


def _holder(path: Path) -> dict[str, object]:
    try:
        return dict(store.read_json(path))
    except (AnalysisError, TypeError, ValueError):
        return {}


class Stop(KeyboardInterrupt):
    """A signal on its way out: asyncio lets a KeyboardInterrupt through and nothing else.

    Attributes
    ----------
    number
        Of the signal.
    place
        Where the run was, added on the way.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.place: list[Problem] = []


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn SIGTERM, SIGHUP and Ctrl-C into `Interrupted`, after the run has cleared up."""

    def stop(number: int, _: FrameType | None) -> None:
        raise Stop(number)

    names = [n for n in ("SIGTERM", "SIGHUP", "SIGINT") if hasattr(signal, n)]
    before = {getattr(signal, n): signal.signal(getattr(signal, n), stop) for n in names}
    try:
        yield
    except Stop as stopped:
        problems = [Problem("run.interrupted"), *stopped.place]
        raise Interrupted(problems, signal=stopped.number) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
