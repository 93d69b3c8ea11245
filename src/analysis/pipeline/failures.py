"""What went wrong in a stage, as an error that says where and what to do."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis import store
from analysis.errors import (
    AnalysisError,
    KernelDied,
    Problem,
    ResourceError,
    StageError,
    from_json,
)
from analysis.pipeline.session import ERROR_FILE

if TYPE_CHECKING:
    from papermill.exceptions import PapermillExecutionError

_PRIVATE = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+|(?<!\d)\+?\d[\d\s-]{6,}\d(?!\d)")
_LONGEST_CAUSE = 200
# What a library writes when the system refuses: Python, Arrow and DuckDB each in its own way.
_ERRNO = re.compile(r"\[Errno (\d+)\]|\[errno (\d+)\]")
_MEMORY = ("MemoryError", "OutOfMemoryException")


def heading(book: Any, cell_index: int) -> str:
    """The nearest Markdown heading above a cell."""
    for cell in reversed(book.cells[: cell_index + 1]):
        if cell.cell_type == "markdown":
            for line in reversed(cell.source.splitlines()):
                if line.startswith("#"):
                    return str(line.lstrip("#").strip())
    return "–"


def of_cell(error: PapermillExecutionError, notebook: Path, output: Path) -> AnalysisError:
    """A cell that raised."""
    written = output.parent.parent / ERROR_FILE
    if written.is_file():
        return from_json(store.read_json(written))
    book = _read(notebook)
    # Papermill counts the cell of parameters that it injected; the analyst's copy has none.
    source = book.cells[max(error.cell_index - 1, 0)] if error.cell_index else book.cells[0]
    place = {
        "notebook": notebook.name,
        "heading": heading(book, book.cells.index(source)),
        "cell": error.exec_count or error.cell_index,
    }
    if error.ename.endswith(_MEMORY):
        return ResourceError(Problem("run.out_of_memory", place))
    refused = _refusal(str(error.evalue))
    if refused is not None:
        return ResourceError(Problem("run.cell_disk", {**place, "cause": _cause(refused)}))
    args = {**place, "kind": error.ename, "cause": mask(str(error.evalue))}
    problems = [Problem("run.cell_failed", args)]
    frame = _last_frame(error.traceback)
    if frame:
        problems.append(Problem("run.cell_line", {"line": frame}))
    return StageError(problems)


def of_system(
    error: OSError | MemoryError, place: Mapping[str, Any] | None = None
) -> AnalysisError:
    """Disk or memory that ran out in the runner itself, at a place if a notebook was at work."""
    if isinstance(error, MemoryError):
        key = "run.out_of_memory" if place else "run.no_memory"
        return ResourceError(Problem(key, place or {}))
    args = {**(place or {}), "cause": cause_of(error)}
    return ResourceError(Problem("run.cell_disk" if place else "run.disk_error", args))


def of_start(notebook: Path, folder: Path) -> AnalysisError:
    """A kernel that never came up: for want of room on the disk, else most likely of memory."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(_ROOM_TO_START))
            probe.flush()
    except OSError as error:
        return of_system(error)
    return KernelDied(Problem("run.kernel_silent", {"notebook": notebook.name}))


def cause_of(error: OSError) -> str | dict[str, str]:
    """Why the system refused: a catalogue key, or its own words."""
    number = errno.ENOENT if isinstance(error, FileNotFoundError) else error.errno
    if number in _CAUSES:
        return _cause(number)
    return mask(error.strerror or str(error))


def _read(notebook: Path) -> Any:
    import nbformat  # only a failure needs it here, and it is slow to import

    return nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]


def mask(cause: str) -> str:
    """A cause in one short line, without mail addresses and long numbers."""
    line = " ".join(cause.split())
    return _PRIVATE.sub("***", line)[:_LONGEST_CAUSE]


_ROOM_TO_START = 2**20  # bytes; a kernel keeps files of its own beside the notebook

# Refusals of the system that a person can do something about.
_CAUSES = {
    errno.ENOSPC: "no_space",
    errno.EDQUOT: "no_space",
    errno.EFBIG: "too_large",
    errno.EROFS: "read_only",
    errno.EACCES: "no_right",
    errno.EPERM: "no_right",
    errno.ENOENT: "gone",
    errno.EEXIST: "in_the_way",
    errno.ENOTDIR: "in_the_way",
    errno.EMFILE: "too_many_open",
}
_OF_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


def _cause(number: int) -> dict[str, str]:
    return {"key": f"error.run.cause.{_CAUSES[number]}"}


def _refusal(text: str) -> int | None:
    """The number of the system's refusal in a message of a cell, if the disk refused."""
    found = _ERRNO.search(text)
    if found:
        number = int(found[1] or found[2])
        return number if number in _OF_DISK else None
    return next((number for number in _OF_DISK if os.strerror(number) in text), None)


def _last_frame(trace: list[str]) -> str:
    """The deepest line inside the package, as file and line number."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(trace))
    found = re.findall(r"(?:File )?\S*?src/(analysis/[\w/]+\.py):(\d+)", plain)
    return f"src/{found[-1][0]}:{found[-1][1]}" if found else ""
