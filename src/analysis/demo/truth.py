"""What is true of the made-up company, for tests and curiosity; the pipeline never reads it."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from analysis.demo.files import Export
from analysis.demo.kinds import KINDS, START
from analysis.demo.world import World

FOLDER = "truth"
ALWAYS_LATE = 30  # days after the due date


def frames(world: World) -> dict[str, pd.DataFrame]:
    """The truth of a block by file name, but for what stands in the exports only."""
    return {
        "customers.parquet": customers(world),
        "effects.parquet": effects(world),
        "links.parquet": links(world.population),
        "payments.parquet": payments(world.population),
    }


def dirt(export: Export, name: str, first_row: int) -> pd.DataFrame:
    """Dirty rows of an export: ``table, file, row`` (from 1 at the top of the file), ``key, rule``.

    ``stays`` marks a row that can be read in spite of its flaw; all others should be removed.

    Parameters
    ----------
    name
        Of the file as it is written.
    first_row
        Row of the file in which the first row of the export stands.
    """
    why = export.frame["_why"].to_numpy()
    flaw = export.frame["_flaw"].to_numpy() if "_flaw" in export.frame else why
    stays = (why == "") & (flaw != "")
    why = np.where(stays, flaw, why)
    at = np.nonzero(why != "")[0]
    found = pd.DataFrame(
        {
            "table": export.table,
            "file": name,
            "row": at + first_row,
            "key": export.frame["_key"].to_numpy()[at],
            "rule": why[at],
            "stays": stays[at],
        }
    )
    return found.astype({"row": "int64", "key": str, "rule": str, "stays": bool})


def customers(world: World) -> pd.DataFrame:
    """Latent class of every customer.

    Returns
    -------
    DataFrame
        ``customer_id, kind, cycle`` [days], ``yearly`` [CNY], ``churned_on`` (day of the last order
        of those who left for good before the end, else missing), ``pain`` (what they complain about
        most).
    """
    folk = world.population
    pain = {kind.key: kind.pain for kind in KINDS}
    gone = (folk["until"] <= world.days).to_numpy()
    last = world.sold.groupby("customer")["day"].max()
    churned = [
        START + timedelta(days=int(d)) if left and not np.isnan(d) else None
        for left, d in zip(gone, last.reindex(range(len(folk))).to_numpy(), strict=True)
    ]
    return pd.DataFrame(
        {
            "customer_id": folk["customer_id"],
            "kind": folk["kind"],
            "cycle": folk["cycle"].round(3),
            "yearly": folk["yearly"].round(2),
            "churned_on": pd.Series(pd.to_datetime(pd.Series(churned)), dtype="datetime64[s]"),
            "pain": folk["kind"].map(pain),
        }
    )


def effects(world: World) -> pd.DataFrame:
    """The effect of each measure on each customer in each quarter, up to the one that comes.

    Returns
    -------
    DataFrame
        ``customer_id, period, strategy, arm`` (treated, held_out; missing: not in the plan),
        ``wave, done, block, usual`` (usual quarter), ``effect_if_treated`` and ``effect`` (what
        really came on top) [CNY].
    """
    keys = ["period", "strategy", "customer"]
    extra, lines = world.extra, world.extra_lines
    fen = np.bincount(lines["order"], weights=lines["amount"], minlength=len(extra))
    money = extra[keys].assign(would=fen, did=fen * extra["real"])
    found = world.potential[[*keys, "usual"]].merge(
        money.groupby(keys, as_index=False)[["would", "did"]].sum(), on=keys, how="left"
    )
    own = world.assigned[[*keys, "arm", "wave", "done", "block"]]
    found = found.merge(own, on=keys, how="left", validate="1:1")
    return pd.DataFrame(
        {
            "customer_id": world.population["customer_id"].to_numpy()[found["customer"]],
            "period": found["period"],
            "strategy": found["strategy"],
            "arm": found["arm"].astype("string"),
            "wave": found["wave"].astype("string"),
            "done": found["done"].eq(True),
            "block": found["block"].astype("Int64"),
            "usual": found["usual"].round(2),
            "effect_if_treated": (found["would"].fillna(0) / 100).round(2),
            "effect": (found["did"].fillna(0) / 100).round(2),
        }
    )


def links(population: pd.DataFrame) -> pd.DataFrame:
    """Customers that belong together: ``customer_id, other_id, kind``.

    ``same``: really the company that stands in the list as `other_id`; ``parent``: its parent.
    """
    codes = population["customer_id"].to_numpy()
    parts = []
    for kind, column in (("same", "same_as"), ("parent", "parent")):
        rows = population[population[column] >= 0]
        parts.append(
            pd.DataFrame(
                {"customer_id": rows["customer_id"], "other_id": codes[rows[column]], "kind": kind}
            )
        )
    return pd.concat(parts, ignore_index=True)


def payments(population: pd.DataFrame) -> pd.DataFrame:
    """How customers pay: ``customer_id, terms`` [days], ``pays_after`` [days after due].

    ``always_late``: those who let everybody wait for more than a month.
    """
    return population[["customer_id", "terms", "pays_after"]].assign(
        always_late=population["pays_after"] >= ALWAYS_LATE
    )


def texts(export: Export) -> pd.DataFrame:
    """The planted pain of each text: ``table, key, customer_id, pain, private``."""
    return pd.DataFrame(
        {
            "table": export.table,
            "key": export.frame["_key"],
            "customer_id": export.frame["_customer"],
            "pain": export.frame["_pain"].astype(str),
            "private": export.frame["_private"].astype(bool),
        }
    )


def quarters(days: pd.Series) -> pd.Series:
    """Name of the quarter of day numbers."""
    dates = pd.Timestamp(START) + pd.to_timedelta(days.astype("int64"), unit="D")
    return dates.dt.year.astype(str) + "Q" + dates.dt.quarter.astype(str)
