"""Run one notebook by Papermill, and believe only what was seen.

Papermill's metadata calls a killed or timed-out notebook completed. A stage counts as done
only when the call returned, every code cell ran, no cell holds an error and every table that
the stage owes is there.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import shutil
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import papermill
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError

from analysis import store, wording
from analysis.errors import KernelDied, Problem, StageError, StageTimeout
from analysis.pipeline import failures, processes
from analysis.pipeline.session import ENVIRONMENT

KERNEL = "python3"
MOST_TEXT = 1_000_000  # characters of printed text kept of one cell

# A stopped run leaves futures that nobody asks again; asyncio would print a traceback for each.
logging.getLogger("asyncio").setLevel(logging.CRITICAL)

CellHook = Callable[[int, int, str], None]


class _NotStarted(Exception):
    """The kernel ended, or kept silent, before the first cell."""


class _ThisPython(AsyncKernelManager):
    """A kernel of this Python, whatever kernels a person has installed under its name."""

    @property
    def kernel_spec(self) -> KernelSpec:
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name=KERNEL, language="python")


class _Client(PapermillNotebookClient):  # type: ignore[misc]
    """Papermill's client; what a cell prints is bounded, because it is saved with each cell."""

    def __init__(self, nb_man: Any, cut: str, **more: Any) -> None:
        super().__init__(nb_man, **more)
        self._cut = cut
        self._printed: Counter[int] = Counter()

    def start_new_kernel_client(self, **more: Any) -> Any:
        try:
            return super().start_new_kernel_client(**more)
        except RuntimeError as error:
            raise _NotStarted from error

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        if msg["msg_type"] == "stream":
            room = MOST_TEXT - self._printed[cell_index]
            if room < 0:
                return None
            text = msg["content"]["text"]
            self._printed[cell_index] += len(text)
            if len(text) > room:
                msg["content"]["text"] = f"{text[:room]}\n{self._cut}\n"
        return super().process_message(msg, cell, cell_index)


class _Engine(NBClientEngine):  # type: ignore[misc]
    """Papermill's own engine, with an environment for the kernel and a hook per cell."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        *,
        env: Mapping[str, str],
        on_cell: CellHook,
        cell_timeout: int,
        cut: str,
        **_: Any,
    ) -> Any:
        codes = [i for i, cell in enumerate(nb_man.nb.cells) if cell.cell_type == "code"]

        def started(cell: Any, cell_index: int) -> None:
            if cell.cell_type == "code":
                section = failures.heading(nb_man.nb, cell_index)
                on_cell(codes.index(cell_index) + 1, len(codes), section)

        client = _Client(
            nb_man,
            cut,
            kernel_name=kernel_name,
            kernel_manager_class=_ThisPython,
            timeout=cell_timeout,
            startup_timeout=120,
            log_output=False,
            allow_errors=False,
            on_cell_start=started,
        )
        return client.execute(env=dict(env), stderr=subprocess.DEVNULL)


papermill_engines.register("analysis", _Engine)


def run_notebook(
    notebook: Path,
    output: Path,
    *,
    parameters: Mapping[str, Any],
    env: Mapping[str, str],
    root: Path,
    cell_timeout: int,
    mark: str,
    on_cell: CellHook,
) -> None:
    """Execute a notebook into a copy.

    Parameters
    ----------
    notebook, output
        What to run and where its executed copy goes.
    env
        Additions to the kernel's environment.
    mark
        Text that names this run in the environment of every process it starts, so that none
        outlives it.

    Raises
    ------
    AnalysisError
        Whatever went wrong, as an error with its own exit code.
    """
    own = output.parent / ".ipython"
    environment = {
        **os.environ,
        **_KERNEL_ENVIRONMENT,
        "IPYTHONDIR": str(own),  # nobody's start-up files or history
        **env,
        processes.MARK: mark,
    }
    lang = json.loads(env[ENVIRONMENT])["lang"]
    place: dict[str, Any] = {"notebook": notebook.name, "heading": "–", "cell": 0}

    def began(cell: int, cells: int, section: str) -> None:
        place.update(cell=cell, heading=section)
        on_cell(cell, cells, section)

    try:
        with _quiet():
            papermill.execute_notebook(
                str(notebook).replace("{", "{{").replace("}", "}}"),
                str(output).replace("{", "{{").replace("}", "}}"),
                parameters=dict(parameters),
                engine_name="analysis",
                kernel_name=KERNEL,
                language="python",
                cwd=str(root),
                progress_bar=False,
                log_output=False,
                request_save_on_cell_execute=False,
                autosave_cell_every=0,
                env=environment,
                on_cell=began,
                cell_timeout=cell_timeout,
                cut=wording.text("run.output_cut", lang, limit=f"{MOST_TEXT:,}"),
            )
        _all_ran(output, notebook.name)
    except PapermillExecutionError as error:
        raise failures.of_cell(error, notebook, output) from None
    except CellTimeoutError:
        args = {"seconds": cell_timeout, **place}
        raise StageTimeout(Problem("run.timeout", args)) from None
    except DeadKernelError:
        raise KernelDied(Problem("run.kernel_died", place)) from None
    except _NotStarted:
        raise failures.of_start(notebook, output.parent) from None
    finally:
        processes.reap(mark)
        shutil.rmtree(own, ignore_errors=True)
    _normalise(output)


def _library(name: str) -> Path:
    """Where a library stands, without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(name)
    return Path(spec.origin).parent


# One thread a kernel: the same sums on every machine, and no fight over two cores. What a person
# prefers (start-up files, the style of figures) must not reach the record.
_KERNEL_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONSTARTUP": "",
    "MATPLOTLIBRC": str(_library("matplotlib") / "mpl-data" / "matplotlibrc"),
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
}


def _all_ran(output: Path, name: str) -> None:
    book = nbformat.read(output, as_version=4)  # type: ignore[no-untyped-call]
    codes = [cell for cell in book.cells if cell.cell_type == "code" and cell.source.strip()]
    skipped = [cell for cell in codes if cell.execution_count is None]
    if skipped:
        args = {"notebook": name, "count": len(skipped)}
        raise StageError(Problem("run.cell_skipped", args))


def _normalise(output: Path) -> None:
    """Take out of an executed copy what differs from day to day: times, paths, random ids."""
    book = nbformat.read(output, as_version=4)  # type: ignore[no-untyped-call]
    book.metadata.pop("papermill", None)
    for index, cell in enumerate(book.cells):
        cell["id"] = f"cell-{index:03d}"
        for key in ("papermill", "execution", "collapsed"):
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs = _joined(o for o in cell.outputs if o.get("name") != "stderr")
    text = nbformat.writes(book, version=4)  # type: ignore[no-untyped-call]
    store.write_bytes(output, text.encode())


def _joined(outputs: Iterator[Any]) -> list[Any]:
    """Printed text in one piece: where the kernel cuts it depends on its speed."""
    found: list[Any] = []
    for output in outputs:
        if found and output.output_type == found[-1].output_type == "stream":
            found[-1].text += output.text
        else:
            found.append(output)
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """Papermill and the kernel talk to the log, not to the terminal."""
    levels = {name: logging.getLogger(name).level for name in ("papermill", "traitlets")}
    for name in levels:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
