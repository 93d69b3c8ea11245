"""What is true of the made-up company, for tests and curiosity; the pipeline never reads it."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.demo.files import Export, Filed
from analysis.demo.kinds import AS_OF, BEFORE, KINDS, START
from analysis.demo.world import World

FOLDER = "truth"


def render(frame: pd.DataFrame) -> bytes:
    """A Parquet file without the pandas note, which names versions."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    content = io.BytesIO()
    pq.write_table(table, content, compression="zstd")
    return content.getvalue()


def files(world: World, filed: Filed) -> dict[str, bytes]:
    """The truth files by name."""
    folk, exports = world.population, filed.exports
    measured = effects(world.assigned, world.extra, world.extra_lines, folk)
    dirty = dirt(exports)
    last = world.sold.groupby("customer")["day"].max()
    return {
        "customers.parquet": render(customers(folk, last)),
        "dirt.parquet": render(dirty),
        "effects.parquet": render(measured),
        "texts.parquet": render(texts(exports)),
        **{f"{name}.parquet": render(frame) for name, frame in filed.planted.items()},
        "summary.json": summary(world.seed, folk, world.clean, dirty, measured, exports),
    }


def dirt(exports: Sequence[Export]) -> pd.DataFrame:
    """Every dirty row: ``table, file, row`` (from 1 at the top of the file), ``key, rule``.

    ``stays`` marks a row that can be read in spite of its flaw; all others should be removed.
    """
    parts = []
    for export in exports:
        why = export.frame["_why"].to_numpy()
        flaw = export.frame["_flaw"].to_numpy() if "_flaw" in export.frame else why
        stays = (why == "") & (flaw != "")
        why = np.where(stays, flaw, why)
        at = np.nonzero(why != "")[0]
        parts.append(
            pd.DataFrame(
                {
                    "table": export.table,
                    "file": export.name,
                    "row": at + export.first_row,
                    "key": export.frame["_key"].to_numpy()[at],
                    "rule": why[at],
                    "stays": stays[at],
                }
            )
        )
    return pd.concat(parts, ignore_index=True).astype({"row": "int64"})


def customers(population: pd.DataFrame, last: pd.Series) -> pd.DataFrame:
    """Latent class of every customer.

    Returns
    -------
    DataFrame
        ``customer_id, kind, cycle`` [days], ``yearly`` [CNY], ``churned_on`` (day of the last order
        of those who left for good before the end, else missing), ``pain``.
    """
    pain = {kind.key: kind.pain for kind in KINDS}
    gone = population["kind"].isin(["lapsed", "turned"]).to_numpy()
    days = last.reindex(range(len(population))).to_numpy()
    churned = [
        START + timedelta(days=int(d)) if left and not np.isnan(d) else None
        for left, d in zip(gone, days, strict=True)
    ]
    return pd.DataFrame(
        {
            "customer_id": population["customer_id"],
            "kind": population["kind"],
            "cycle": population["cycle"].round(3),
            "yearly": population["yearly"].round(2),
            "churned_on": pd.Series(churned, dtype=object),
            "pain": population["kind"].map(pain),
        }
    )


def effects(
    assigned: pd.DataFrame, extra: pd.DataFrame, lines: pd.DataFrame, population: pd.DataFrame
) -> pd.DataFrame:
    """The effect of each measure on each customer.

    Parameters
    ----------
    extra, lines
        As `measures.extra_orders` and the lines of these orders, real or not.

    Returns
    -------
    DataFrame
        ``customer_id, strategy, arm, done, block, usual`` (usual quarter), ``effect_if_treated``
        and ``effect`` (what really came on top) [CNY].
    """
    fen = np.bincount(lines["order"], weights=lines["amount"], minlength=len(extra))
    row = extra["assigned"].to_numpy()
    size = len(assigned)
    would = np.bincount(row, weights=fen, minlength=size) / 100
    did = np.bincount(row, weights=fen * extra["real"].to_numpy(), minlength=size) / 100
    return pd.DataFrame(
        {
            "customer_id": population["customer_id"].to_numpy()[assigned["customer"]],
            "strategy": assigned["strategy"],
            "arm": assigned["arm"],
            "done": assigned["done"],
            "block": assigned["block"],
            "usual": assigned["usual"].round(2),
            "effect_if_treated": would.round(2),
            "effect": did.round(2),
        }
    )


def texts(exports: Sequence[Export]) -> pd.DataFrame:
    """The planted pain of each text: ``table, key, customer_id, pain, private``."""
    parts = [
        pd.DataFrame(
            {
                "table": export.table,
                "key": export.frame["_key"],
                "customer_id": export.frame["_customer"],
                "pain": export.frame["_pain"].astype(str),
                "private": export.frame["_private"].astype(bool),
            }
        )
        for export in exports
        if "_pain" in export.frame
    ]
    return pd.concat(parts, ignore_index=True)


def summary(
    seed: int,
    population: pd.DataFrame,
    clean: pd.DataFrame,
    found: pd.DataFrame,
    measured: pd.DataFrame,
    exports: Sequence[Export],
) -> bytes:
    """Everything that can be counted, as JSON.

    Parameters
    ----------
    clean
        Clean order lines: ``day, amount, cost`` (fen).
    found, measured
        As `dirt` and `effects` give them.
    """
    quarter = quarters(clean["day"])
    by_quarter = clean.groupby(quarter)["amount"].sum()
    measures = {}
    for strategy, rows in measured.groupby("strategy", sort=True):
        treated = rows[rows["arm"] == "treated"]
        measures[str(strategy)] = {
            "treated": len(treated),
            "held_out": int((rows["arm"] == "held_out").sum()),
            "done": int(treated["done"].sum()),
            "mean_effect": round(float(treated["effect"].mean()), 2),
        }
    content = {
        "seed": seed,
        "customers": len(population),
        "start": str(START),
        "as_of": str(AS_OF),
        "before": str(BEFORE),
        "kinds": {kind.key: int((population["kind"] == kind.key).sum()) for kind in KINDS},
        "order_lines": len(clean),
        "revenue_fen": int(clean["amount"].sum()),
        "cost_fen": int(clean["cost"].sum()),
        "revenue_fen_by_quarter": {str(k): int(v) for k, v in by_quarter.items()},
        "dirt": {
            str(name): int(n)
            for name, n in (found["table"] + "." + found["rule"])
            .value_counts()
            .sort_index()
            .items()
        },
        "measures": measures,
        "rows": {export.name: len(export.frame) for export in exports},
    }
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()


def quarters(days: pd.Series) -> pd.Series:
    """Name of the quarter of day numbers."""
    dates = pd.Timestamp(START) + pd.to_timedelta(days.astype("int64"), unit="D")
    return dates.dt.year.astype(str) + "Q" + dates.dt.quarter.astype(str)
