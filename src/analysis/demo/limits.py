"""How large a made-up company may be, and what stops its files from being written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.demo.kinds import LEAST_CUSTOMERS
from analysis.errors import Problem, ResourceError, SettingsError


def check_size(customers: int, seed: int, most: int) -> None:
    """Refuse a size or seed out of range.

    Raises
    ------
    SettingsError
        With all that is wrong.
    """
    problems = []
    if not LEAST_CUSTOMERS <= customers <= most:
        allowed = {"least": str(LEAST_CUSTOMERS), "most": str(most)}
        problems.append(Problem("demo.customers_range", {"found": str(customers), **allowed}))
    if seed < 0:
        problems.append(Problem("demo.seed_negative", {"found": str(seed)}))
    if problems:
        raise SettingsError(problems)


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Word what the disk says.

    Raises
    ------
    ResourceError
        If the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        args = {"folder": str(folder), "cause": error.strerror or str(error)}
        raise ResourceError(Problem("demo.cannot_write", args)) from error
