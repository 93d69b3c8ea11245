"""A chain of three notebooks that need no library, and a way to run it in a process to be killed.

Each table is a hash chain over what its stage read, so that a stale, torn or mixed input
shows in the bytes. Processes are forked from one server that has imported everything
already: a trial costs what its kernels cost.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from analysis import cli, store
from analysis.pipeline import processes, sealing, stage_body, stages, summary
from tests.pipeline import chain

ROOT = Path(__file__).resolve().parents[2]
PARAMS = "params/tiny.yml"
NAMES = ("first", "second", "third")
OPEN = (
    "import hashlib, json, os, pathlib\n"
    'given = json.loads(os.environ["ANALYSIS_STAGE"])\n'
    'out = pathlib.Path(given["out"]) / "tables"\n'
    "out.mkdir(exist_ok=True)"
)
SAVE = (
    "with open(out / (name + '.parquet'), 'wb') as file:\n"
    "    for part in range(8):\n"
    "        key = hashlib.sha256(read + bytes([part])).digest()\n"
    "        file.write(key * 1024)\n"
    "        file.flush()"
)
FOLLOW = (
    'before = pathlib.Path(given["upstream"]["{0}"]) / "tables" / "{1}.parquet"\n'
    "read = before.read_bytes()\n"
    "name = '{2}'"
)
CELLS = {
    "first": [
        OPEN,
        'read = pathlib.Path(given["root"], "data", "orders.csv").read_bytes()\nname = "one"',
        "read += repr(sorted(overrides.items())).encode()",
        SAVE,
    ],
    "second": [OPEN, FOLLOW.format("first", "one", "two"), SAVE],
    "third": [OPEN, FOLLOW.format("second", "two", "three"), SAVE],
}
STAGES = chain.STAGES


def build(project: Path) -> Path:
    """Make a project with the small chain."""
    (project / "notebooks").mkdir(parents=True)
    shutil.copytree(ROOT / "params", project / "params")
    chain.build(project)
    for number, (name, cells) in enumerate(CELLS.items(), start=1):
        write(project, number, cells, name)
    return project


def write(project: Path, number: int, cells: Sequence[str], title: str = "Title") -> None:
    """Write one notebook of the chain."""
    chain.write_notebook(project / "notebooks" / f"{number}.ipynb", list(cells), title)


_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload([__name__])

Prepare = Callable[[], None]


class Child:
    """One ``analysis …`` in a process of its own, leader of its own group."""

    def __init__(
        self,
        project: Path,
        argv: Sequence[str],
        *,
        prepare: Sequence[Any] = (),
        env: dict[str, str] | None = None,
        small: bool = True,
        said: Path | None = None,
    ) -> None:
        self.project = project
        self.said_in = said or project.with_name(f"{project.name}.said")
        self.said_in.unlink(missing_ok=True)
        args = (str(project), list(argv), str(self.said_in), list(prepare), env or {}, small)
        self.process: ForkServerProcess = _server.Process(target=_work, args=args)
        self.process.start()

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.is_alive()

    @property
    def said(self) -> str:
        return self.said_in.read_text(encoding="utf-8") if self.said_in.exists() else ""

    def kill(self) -> None:
        self.process.kill()

    def wait(self, timeout: float = 120) -> int:
        """The exit code; negative for a signal."""
        self.process.join(timeout)
        code = self.process.exitcode
        if code is None:
            self.kill()
            raise AssertionError(f"still at work after {timeout} s: {self.said}")
        return code


def _work(
    project: str, argv: list[str], said: str, prepare: list[Any], env: dict[str, str], small: bool
) -> None:
    """What the forked process does: the real command line, on the small chain."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number in (1, 2):
        os.dup2(output, number)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False, buffering=1)
    os.environ.update({"ANALYSIS_LANG": "en", "PWD": project, **env})
    os.chdir(project)
    if small:
        stages.STAGES = STAGES
        summary.lines = lambda *_: iter(("finished",))  # its numbers need the real tables
    for step in prepare:
        step()
    sys.argv = ["analysis", *argv]
    cli.main()


class PlainKernel:
    """Instead of a kernel: the cells in this process, for trials about the runner alone."""

    def __call__(self) -> None:
        stage_body.run_notebook = _run_here


def _run_here(notebook: Path, output: Path, *, parameters: Any, env: Any, **_: Any) -> None:
    os.environ.update(env)
    space: dict[str, Any] = dict(parameters)
    for cell in store.read_json(notebook)["cells"]:
        if cell["cell_type"] == "code" and "parameters" not in cell["metadata"].get("tags", []):
            exec("".join(cell["source"]), space)
    store.write_bytes(output, json.dumps({"cells": [], "from": notebook.name}).encode())


class KillAt:
    """Send SIGKILL to this process just before or after the n-th change on disk.

    With ``at=-1`` nothing is killed and the name of every change is printed.
    """

    CALLS = ("rename", "replace", "fsync", "unlink", "rmdir", "mkdir")

    def __init__(self, at: int, after: bool = False) -> None:
        self.at, self.after, self.count = at, after, 0

    def __call__(self) -> None:
        for name in self.CALLS:
            setattr(os, name, self.watched(name, getattr(os, name)))
        store._exchange = self.watched("exchange", store._exchange)

    def watched(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def instead(*args: Any, **kwargs: Any) -> Any:
            here, self.count = self.count, self.count + 1
            if self.at < 0:
                what = args[0] if isinstance(args[0], (str, os.PathLike)) else "-"
                print(f"point {here} {name} {Path(what).name}")
            if here == self.at and not self.after:
                os.kill(os.getpid(), signal.SIGKILL)
            try:
                return call(*args, **kwargs)
            finally:
                if here == self.at:
                    os.kill(os.getpid(), signal.SIGKILL)

        return instead


class NoExchange:
    """A system that cannot let two folders change names in one step."""

    def __call__(self) -> None:
        store._exchange = lambda one, other: False


class Limit:
    """A limit of the system on this process and its kernels."""

    def __init__(self, name: str, limit: int) -> None:
        self.name, self.limit = name, limit

    def __call__(self) -> None:
        number = getattr(resource, self.name)
        resource.setrlimit(number, (self.limit, resource.getrlimit(number)[1]))


class NoMemory:
    """The runner itself runs out of memory as it puts a stage in place."""

    def __call__(self) -> None:
        def instead(*_: object) -> None:
            raise MemoryError

        store.publish = instead


class Unread:
    """Standard output or error that is closed, has no reader, or stands on a full disk."""

    def __init__(self, number: int, how: str) -> None:
        self.number, self.how = number, how

    def __call__(self) -> None:
        name = "stdout" if self.number == 1 else "stderr"
        if self.how == "closed":
            os.close(self.number)
            setattr(sys, name, None)
            return
        if self.how == "full":
            target = os.open("/dev/full", os.O_WRONLY)
        else:
            reader, target = os.pipe()
            os.close(reader)
        os.dup2(target, self.number)


class OneTable:
    """An approval of the small chain, which has no plan."""

    def __call__(self) -> None:
        sealing.TABLES = ("three",)


def run_folder(project: Path) -> Path:
    return project / "reports" / "tiny"


def marked(folder: Path) -> list[Any]:
    """Processes that carry the mark of a run's folder."""
    import psutil

    mark = processes.mark_of(folder)
    return [p for p in psutil.process_iter() if processes._carries(p, mark)]


def kill(found: Iterable[Any]) -> None:
    """Kill processes; one that has ended by itself meanwhile is no failure."""
    import psutil

    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
