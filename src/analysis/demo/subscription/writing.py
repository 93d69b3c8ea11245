"""Make the software vendor up and write its exports."""

from __future__ import annotations

from pathlib import Path

from analysis.demo.files import Export
from analysis.demo.limits import check_size, writing_to
from analysis.demo.outputs import Output, save
from analysis.demo.subscription import truth
from analysis.demo.subscription.cabinet import cabinet
from analysis.demo.subscription.world import simulate
from analysis.demo.truth import FOLDER

MOST_CUSTOMERS = 20_000  # everything stands in memory at once


def write(folder: Path, *, customers: int = 1200, seed: int = 20250101) -> list[Path]:
    """Write the vendor's exports, and beside them what is true, as `analysis.demo.write` does.

    Parameters
    ----------
    customers
        At most `MOST_CUSTOMERS`.
    """
    check_size(customers, seed, MOST_CUSTOMERS)
    world = simulate(customers, seed)
    health = truth.health(world)
    found = cabinet(world, health)
    known = truth.files(world, health, found)
    with writing_to(folder):
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        written = [_put(folder, export) for export in found]
        written += [save(folder / FOLDER / name, data) for name, data in known.items()]
    return written


def _put(folder: Path, export: Export) -> Path:
    output = Output(folder, export, large=False)
    output.add(export)
    output.close()
    return output.publish()
