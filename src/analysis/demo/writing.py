"""Make the company up and write its exports; let it live through another quarter."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.calendars import Period
from analysis.demo import answers, blocks, plans, tally, truth
from analysis.demo.cabinet import Sums, cabinet
from analysis.demo.desk import Desk
from analysis.demo.kinds import (
    AS_OF,
    HANDED_OVER,
    HORIZON,
    MOST_CUSTOMERS,
    rng,
)
from analysis.demo.limits import check_size, writing_to
from analysis.demo.outputs import parquet, save
from analysis.demo.world import anyway, live
from analysis.errors import Problem, SettingsError

LARGE = 5_000  # customers: from here on workbooks of all customers would take too long to open
SUMMARY = Path(truth.FOLDER) / "summary.json"
PLANS = Path(truth.FOLDER) / "plans"
Progress = Callable[[int, int], None]


def write(
    folder: Path,
    *,
    customers: int = 1200,
    seed: int = 20250101,
    progress: Progress | None = None,
) -> list[Path]:
    """Write the made-up company's exports, and beside them what is true.

    The same seed gives the same bytes. Files of the same names are replaced; others stay.

    Parameters
    ----------
    folder
        Where to; made if need be.
    customers
        Number of real customers, from `LEAST_CUSTOMERS` to `MOST_CUSTOMERS`; companies that stand
        in the list twice come on top.
    seed
        Of every draw, 0 or more.
    progress
        Told how many customers of how many are written.

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
    check_size(customers, seed, MOST_CUSTOMERS)
    return _written(folder, customers, seed, AS_OF, {}, progress)


def next_quarter(folder: Path, plan: Path, progress: Progress | None = None) -> list[Path]:
    """Let a company live through the next quarter under a plan, and write its exports anew.

    What customers do anyway does not depend on the plan: two plans differ in the orders that the
    measures of those they treat add. Earlier rows stay as they are. The plan is kept below
    ``truth/plans``, so that the company can go on again.

    Parameters
    ----------
    folder
        Where `write` put the company.
    plan
        A record's folder, a Parquet file or a CSV file with customer_id and strategy, and where
        known wave (first, later, exempt), start and cost.

    Returns
    -------
    list of Path
        As `write`.

    Raises
    ------
    SettingsError
        If the folder holds no company, the company has come to its end or the plan does not fit.
    ResourceError
        If the folder cannot be written.
    """
    company = _company(folder)
    customers, seed = int(company["customers"]), int(company["seed"])
    given: dict[str, pd.DataFrame] = {}
    tasks: dict[str, pd.DataFrame | None] = {}
    period = Period.parse(HANDED_OVER).next()
    while period.end <= date.fromisoformat(str(company["as_of"])):
        given[period.name] = plans.read(_kept(folder, period), period, customers, len(given))
        tasks[period.name] = answers.kept(folder / PLANS, period.name)
        period = period.next()
    if period.end > HORIZON:
        args = {"folder": folder.as_posix(), "last": str(HORIZON)}
        raise SettingsError(Problem("demo.horizon", args))
    given[period.name] = plans.read(plan, period, customers, len(given))
    tasks[period.name] = answers.read(plan)
    known = {name: found for name, found in tasks.items() if found is not None}
    return _written(folder, customers, seed, period.end, given, progress, known)


def _company(folder: Path) -> dict[str, Any]:
    """What the folder's summary says of its company."""
    try:
        found = json.loads((folder / SUMMARY).read_bytes())
        complete = {"customers", "seed", "as_of", "generation"} <= found.keys()
        kind = found.get("kind", tally.KIND)
    except (OSError, ValueError, AttributeError) as error:
        raise SettingsError(Problem("demo.no_company", {"folder": folder.as_posix()})) from error
    if kind != tally.KIND:
        raise SettingsError(Problem("demo.only_trade", {"folder": folder.as_posix()}))
    if not complete or found["generation"] != tally.GENERATION:
        raise SettingsError(Problem("demo.other_generation", {"folder": folder.as_posix()}))
    return dict(found)


def _kept(folder: Path, period: Period) -> Path:
    return folder / PLANS / f"{period.name}.parquet"


def _written(
    folder: Path,
    customers: int,
    seed: int,
    as_of: date,
    given: Mapping[str, pd.DataFrame],
    progress: Progress | None,
    tasks: Mapping[str, pd.DataFrame] | None = None,
) -> list[Path]:
    """Write everything hidden, block after block, then put it in its place."""
    counts = tally.Tally(customers, seed)
    with writing_to(folder):
        (folder / PLANS).mkdir(parents=True, exist_ok=True)
        desk = Desk(folder, counts, customers > LARGE)
        try:
            _fill(desk, customers, seed, as_of, given, progress, tasks or {})
            written = desk.publish()
        finally:
            desk.discard()
        for name, plan in given.items():
            kept = folder / PLANS / f"{name}.parquet"
            written.append(save(kept, parquet(plans.as_dates(plan))))
        for name, asked in (tasks or {}).items():
            written.append(save(answers.place(folder / PLANS, name), parquet(asked)))
        # last of all: it says how far the company has come
        written.append(save(folder / SUMMARY, desk.summary()))
    return written


def _fill(
    desk: Desk,
    customers: int,
    seed: int,
    as_of: date,
    given: Mapping[str, pd.DataFrame],
    progress: Progress | None,
    tasks: Mapping[str, pd.DataFrame],
) -> None:
    """Let block after block of customers live, and write down what happens."""
    books: pd.DataFrame | None = None
    sums: list[Sums] = []
    done = 0
    for block in blocks.blocks(customers, seed):
        world = live(anyway(block, rng(seed, "products")), as_of, given, books)
        desk.add(world, cabinet(world, sums, tasks))
        books, done = world.books, done + block.size
        if progress is not None:
            progress(done, customers)
