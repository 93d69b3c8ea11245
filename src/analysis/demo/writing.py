"""Make the company up and write its exports."""

from __future__ import annotations

from pathlib import Path

from analysis.demo import truth
from analysis.demo.cabinet import cabinet
from analysis.demo.files import render, save
from analysis.demo.kinds import LEAST_CUSTOMERS, MOST_CUSTOMERS
from analysis.demo.world import simulate
from analysis.errors import Problem, ResourceError, SettingsError


def write(folder: Path, *, customers: int = 1200, seed: int = 20250101) -> list[Path]:
    """Write the made-up company's exports, and beside them what is true.

    The same seed gives the same bytes. Files of the same names are replaced; others stay.

    Parameters
    ----------
    folder
        Where to; made if need be.
    customers
        Number of real customers, from `LEAST_CUSTOMERS` to `MOST_CUSTOMERS`.
    seed
        Of every draw, 0 or more.

    Returns
    -------
    list of Path
        The files, exports first; those below ``truth/`` are never read by the pipeline.

    Raises
    ------
    SettingsError
        If `customers` or `seed` is out of range.
    ResourceError
        If the folder cannot be written.
    """
    _check(customers, seed)
    world = simulate(customers, seed)
    filed = cabinet(world)
    known = truth.files(world, filed)
    written: list[Path] = []
    try:
        (folder / truth.FOLDER).mkdir(parents=True, exist_ok=True)
        written += [save(folder / export.name, render(export)) for export in filed.exports]
        written += [save(folder / truth.FOLDER / name, data) for name, data in known.items()]
    except OSError as error:
        problem = Problem(
            "demo.cannot_write", {"folder": str(folder), "cause": error.strerror or str(error)}
        )
        raise ResourceError(problem) from error
    return written


def _check(customers: int, seed: int) -> None:
    problems = []
    if not LEAST_CUSTOMERS <= customers <= MOST_CUSTOMERS:
        allowed = {"least": str(LEAST_CUSTOMERS), "most": str(MOST_CUSTOMERS)}
        problems.append(Problem("demo.customers_range", {"found": str(customers), **allowed}))
    if seed < 0:
        problems.append(Problem("demo.seed_negative", {"found": str(seed)}))
    if problems:
        raise SettingsError(problems)
