"""Run one notebook by Papermill, and believe only what was seen.

Papermill's metadata calls a killed or timed-out notebook completed. A stage counts as done
only when the call returned, every code cell ran, no cell holds an error and every table that
the stage owes is there.
"""

from __future__ import annotations

import errno
import importlib.util
import logging
import os
import re
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError

from analysis import store
from analysis.errors import (
    AnalysisError,
    KernelDied,
    Problem,
    ResourceError,
    StageError,
    StageTimeout,
    from_json,
)
from analysis.pipeline import processes
from analysis.pipeline.session import ERROR_FILE

KERNEL = "python3"
_PRIVATE = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+|(?<!\d)\+?\d[\d\s-]{6,}\d(?!\d)")
_LONGEST_CAUSE = 200

# A stopped run leaves futures that nobody asks again; asyncio would print a traceback for each.
logging.getLogger("asyncio").setLevel(logging.CRITICAL)

CellHook = Callable[[int, int, str], None]


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
        **_: Any,
    ) -> Any:
        codes = [i for i, cell in enumerate(nb_man.nb.cells) if cell.cell_type == "code"]

        def started(cell: Any, cell_index: int) -> None:
            if cell.cell_type == "code":
                on_cell(codes.index(cell_index) + 1, len(codes), heading(nb_man.nb, cell_index))

        client = PapermillNotebookClient(
            nb_man,
            kernel_name=kernel_name,
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
    """Execute a notebook; return only if every cell ran without an error.

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
    name = notebook.name
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
                on_cell=on_cell,
                cell_timeout=cell_timeout,
            )
        _all_ran(output, name)
    except PapermillExecutionError as error:
        raise _cell_failed(error, notebook, output) from None
    except CellTimeoutError:
        place = _last_started(output)
        args = {"notebook": name, "seconds": cell_timeout, **place}
        raise StageTimeout(Problem("run.timeout", args)) from None
    except DeadKernelError:
        args = {"notebook": name, **_last_started(output)}
        raise KernelDied(Problem("run.kernel_died", args)) from None
    except OSError as error:
        raise _disk(error) from None
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


def heading(book: Any, cell_index: int) -> str:
    """The nearest Markdown heading above a cell."""
    for cell in reversed(book.cells[: cell_index + 1]):
        if cell.cell_type == "markdown":
            for line in reversed(cell.source.splitlines()):
                if line.startswith("#"):
                    return str(line.lstrip("#").strip())
    return "–"


def _all_ran(output: Path, name: str) -> None:
    book = nbformat.read(output, as_version=4)  # type: ignore[no-untyped-call]
    codes = [cell for cell in book.cells if cell.cell_type == "code" and cell.source.strip()]
    skipped = [cell for cell in codes if cell.execution_count is None]
    if skipped:
        args = {"notebook": name, "count": len(skipped)}
        raise StageError(Problem("run.cell_skipped", args))


def _cell_failed(error: PapermillExecutionError, notebook: Path, output: Path) -> AnalysisError:
    written = output.parent.parent / ERROR_FILE
    if written.is_file():
        return from_json(store.read_json(written))
    book = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    # Papermill counts the cell of parameters that it injected; the analyst's copy has none.
    source = book.cells[max(error.cell_index - 1, 0)] if error.cell_index else book.cells[0]
    index = book.cells.index(source)
    args = {
        "notebook": notebook.name,
        "heading": heading(book, index),
        "cell": error.exec_count or error.cell_index,
        "kind": error.ename,
        "cause": mask(str(error.evalue)),
    }
    if error.ename == "MemoryError":
        return ResourceError(Problem("run.out_of_memory", args))
    if error.ename == "OSError" and f"[Errno {errno.ENOSPC}]" in str(error.evalue):
        return ResourceError(Problem("run.disk_error", args))
    problems = [Problem("run.cell_failed", args)]
    frame = _last_frame(error.traceback)
    if frame:
        problems.append(Problem("run.cell_line", {"line": frame}))
    return StageError(problems)


def mask(cause: str) -> str:
    """A cause in one short line, without mail addresses and long numbers."""
    line = " ".join(cause.split())
    return _PRIVATE.sub("***", line)[:_LONGEST_CAUSE]


def _last_frame(trace: list[str]) -> str:
    """The deepest line inside the package, as file and line number."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(trace))
    found = re.findall(r"(?:File )?\S*?src/(analysis/[\w/]+\.py):(\d+)", plain)
    return f"src/{found[-1][0]}:{found[-1][1]}" if found else ""


def _last_started(output: Path) -> dict[str, Any]:
    """Heading and number of the last cell that began, from the saved copy."""
    if not output.is_file():
        return {"heading": "–", "cell": 0}
    book = nbformat.read(output, as_version=4)  # type: ignore[no-untyped-call]
    begun = [
        i
        for i, cell in enumerate(book.cells)
        if cell.cell_type == "code" and cell.metadata.get("papermill", {}).get("start_time")
    ]
    index = begun[-1] if begun else 0
    return {"heading": heading(book, index), "cell": len(begun)}


def _disk(error: OSError) -> AnalysisError:
    return ResourceError(Problem("run.disk_error", {"cause": mask(str(error.strerror))}))


def _normalise(output: Path) -> None:
    """Take out of an executed copy what differs from day to day: times, paths, random ids."""
    book = nbformat.read(output, as_version=4)  # type: ignore[no-untyped-call]
    book.metadata.pop("papermill", None)
    for index, cell in enumerate(book.cells):
        cell["id"] = f"cell-{index:03d}"
        for key in ("papermill", "execution", "collapsed"):
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
    text = nbformat.writes(book, version=4)  # type: ignore[no-untyped-call]
    store.write_bytes(output, text.encode())


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
