"""Make the company up and write its exports."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.demo import company, documents, exports, measures, ordering, population, truth, voice
from analysis.demo.files import Export, render, save
from analysis.demo.kinds import LEAST_CUSTOMERS, MOST_CUSTOMERS, rng
from analysis.errors import Problem, ResourceError, SettingsError

RETURN_RATE = 0.015
GB, UTF8 = "gb18030", "utf-8-sig"


def write(folder: Path, *, customers: int = 1200, seed: int = 20250101) -> list[Path]:
    """Write the made-up company's eight exports, and beside them what is true.

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
    found, known = _company(customers, seed)
    written: list[Path] = []
    try:
        (folder / truth.FOLDER).mkdir(parents=True, exist_ok=True)
        written += [save(folder / export.name, render(export)) for export in found]
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


def _company(size: int, seed: int) -> tuple[list[Export], dict[str, bytes]]:
    """Simulate everything; the exports and the bytes of the truth files."""
    products = company.products(rng(seed, "products"))
    staff = company.people()
    folk = population.build(size, products, rng(seed, "customers"))

    # first what would have happened anyway, then what the measures added
    usual = ordering.events(folk, rng(seed, "orders"))
    before = measures.known(usual, folk)
    # of several streams this one gives the default company a typical draw of lots, no lucky one
    assigned = measures.assign(before, folk, rng(seed, "next batch"))
    extra = measures.extra_orders(assigned, rng(seed, "effects"))
    sold = ordering.lines(usual, folk, products, rng(seed, "lines"))
    added = ordering.lines(extra, folk, products, rng(seed, "extra lines"))
    real = added[extra["real"].to_numpy()[added["order"]]]
    sold = pd.concat([sold, real.assign(order=real["order"] + len(usual))], ignore_index=True)
    returned = ordering.returns(sold, RETURN_RATE, rng(seed, "returns"))
    clean = pd.concat([sold, returned], ignore_index=True)

    cells = documents.documents(sold, returned, folk, products, rng(seed, "dirt"))
    older, newer = documents.files(cells)
    people_found = voice.contacts(folk, rng(seed, "contacts"))
    notes = voice.activities(folk, assigned, products, rng(seed, "activities"))
    desk = voice.tickets(folk, products, rng(seed, "tickets"))
    by_quarter = clean.groupby(truth.quarters(clean["day"]))["amount"].sum()
    year = {str(q): int(v) for q, v in by_quarter.items() if str(q).startswith("2025")}
    found = [
        Export(
            "客户.xlsx",
            "customers",
            exports.customers(folk, rng(seed, "customer dirt")),
            title=exports.title(),
        ),
        Export(
            "联系人.csv",
            "contacts",
            exports.contacts(people_found, folk, rng(seed, "contact dirt")),
            GB,
        ),
        Export("销售订单_2022-2023.csv", "orders", older, GB),
        Export("销售订单_2024-2025.csv", "orders", newer, UTF8),
        Export(
            "销售记录.csv",
            "activities",
            exports.activities(notes, folk, rng(seed, "activity dirt")),
            UTF8,
        ),
        Export("售后工单.xlsx", "tickets", exports.tickets(desk, folk, rng(seed, "ticket dirt"))),
        Export("人员.csv", "people", exports.people(staff), UTF8),
        Export("上季动作.csv", "treatments", exports.treatments(assigned, folk), GB),
        Export("目标.xlsx", "targets", exports.targets(year, folk)),
    ]
    measured = truth.effects(assigned, extra, added, folk)
    dirty = truth.dirt(found)
    last = sold.groupby("customer")["day"].max()
    known = {
        "customers.parquet": truth.render(truth.customers(folk, last)),
        "dirt.parquet": truth.render(dirty),
        "effects.parquet": truth.render(measured),
        "texts.parquet": truth.render(truth.texts(found)),
        "summary.json": truth.summary(seed, folk, clean, dirty, measured, found),
    }
    return found, known
