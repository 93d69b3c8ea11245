"""Reading, cleaning and order features of many order lines, beside plain pandas and polars.

Everyone does the same work on the same files, in a process of its own: read, remove voided lines,
lines without customer or money, repeated lines and repeated keys, write what is kept sorted by its
key, and work out one row a customer. Ours also gives every removed row its reason, ties out to the
cent and judges the quality. A process beyond `--cap-mb` of resident memory is ended: that, too, is
a result. Growth is seconds over those of a tenth of the lines.

    make bench-ingest [INGEST="--lines 1000000 10000000 --csv 10000000 --peer-python PATH"]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

WHO = ("ours", "pandas", "polars")
AS_OF = date(2025, 9, 30)
BATCH = 1_000_000
LINES_AN_ORDER, LINES_A_CUSTOMER = 2, 20


def batches(lines: int) -> Iterator[Any]:
    """Order lines of `lines / 20` customers, in the order of their orders, with some dirt."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    customers = max(1, lines // LINES_A_CUSTOMER)
    for first in range(0, lines, BATCH):
        size = min(BATCH, lines - first)
        draw = np.random.default_rng([7, first])
        at = np.arange(first, first + size)
        order, line = at // LINES_AN_ORDER, at % LINES_AN_ORDER + 1
        # a few lines stand in the file twice
        again = draw.random(size) < 0.005
        again[0] = False
        source = np.where(again, np.arange(size) - 1, np.arange(size))
        order, line = order[source], line[source]
        mixed = (order * 2_654_435_761) % 2**32
        # few customers buy much, most a little
        customer = (customers * (mixed / 2**32) ** 2).astype(np.int64)
        day = np.datetime64("2022-10-01") + (mixed // 7 % 1095).astype("timedelta64[D]")
        money = draw.integers(-20_000, 2_000_000, size)[source]
        gone = draw.random((4, size))[:, source]

        def text(prefix: str, numbers: Any, width: int) -> Any:
            padded = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")
            return pc.binary_join_element_wise(prefix, padded, "")

        def without(values: Any, which: Any) -> Any:
            return pc.if_else(pa.array(which), pa.scalar(None, values.type), values)

        amount = pa.array(money, pa.int64()).cast(pa.decimal128(20, 0))
        hundred = pa.scalar(100, pa.decimal128(3, 0))
        yield pa.table(
            {
                "order_id": text("SO", order, 10),
                "line_id": pa.array(line).cast(pa.string()),
                "customer_id": without(text("C", customer, 8), gone[0] < 0.002),
                "ordered_at": pa.array(day.astype("datetime64[us]")),
                "product": text("P", draw.integers(0, 2000, size)[source], 5),
                "quantity": pa.array(draw.integers(1, 50, size)[source].astype(float)),
                "amount": without(
                    pc.divide(amount, hundred).cast(pa.decimal128(14, 2), safe=False),
                    gone[1] < 0.001,
                ),
                "status": pc.if_else(pa.array(gone[2] < 0.01), "作废", "正常"),
            }
        )


def write_lines(path: Path, lines: int) -> None:
    """Write the order lines, streamed: Parquet or CSV by the name."""
    import pyarrow.csv as pacsv
    import pyarrow.parquet as pq

    writer: Any = None
    for table in batches(lines):
        if writer is None:
            text = path.suffix == ".csv"
            writer = (
                pacsv.CSVWriter(path, table.schema, write_options=_PLAIN())
                if text
                else pq.ParquetWriter(path, table.schema, compression="zstd")
            )
        writer.write_table(table)
    writer.close()


def _PLAIN() -> Any:  # noqa: N802 - pyarrow is not on every peer's path
    import pyarrow.csv as pacsv

    return pacsv.WriteOptions(quoting_style="none")


def ours(path: Path, out: Path, memory_mb: int, block_rows: int | None) -> dict[str, float]:
    """The package's own way, with a limit on the database."""
    from analysis import cleaning, engine, features, sources, store
    from analysis.calendars import Period
    from analysis.settings_model import Settings
    from analysis.tables import RECORD

    engine.resources.memory_mb, engine.resources.folder = memory_mb, out
    engine.resources.block_rows = block_rows or engine.resources.block_rows
    given = {"orders": {"path": path.name}}
    settings = Settings.model_validate({"run": "b", "period": "2025Q3", "sources": given})
    clock = {"start": time.perf_counter()}

    def done(step: str) -> None:
        clock[step] = time.perf_counter()
        print(f"    {step}: {clock[step] - clock['start']:.0f} s so far", file=sys.stderr)

    read = sources.read(settings, path.parent)
    done("read")
    cleaned = cleaning.clean(read.tables, settings, AS_OF, read.rejected)
    done("clean")
    tables = {"removed_rows": cleaned.removed, "reconciliation": cleaned.reconciliation}
    for name, table in {**tables, "orders": cleaned.tables["orders"]}.items():
        store.write_table(out, RECORD[name], table)
    done("write")
    found = features.build(
        store.open_table(out / "tables" / "orders.parquet"),
        engine.to_frame(cleaned.tables["customers"]),
        as_of=AS_OF,
        period=Period.parse("2025Q3"),
        settings=settings.segmentation,
    )
    done("features")
    steps = {step: end - start for (_, start), (step, end) in pairwise(clock.items())}
    kept = cleaned.tables["orders"].num_rows
    money = float(found["monetary"].sum())
    return {**steps, "kept": kept, "customers": len(found), "money": money}


def pandas(path: Path, out: Path) -> dict[str, float]:
    """Plain pandas: one frame."""
    import pandas as pd

    if path.suffix == ".csv":
        text = dict.fromkeys(("order_id", "line_id", "customer_id", "product", "status"), str)
        frame = pd.read_csv(path, dtype=text, parse_dates=["ordered_at"])
    else:
        frame = pd.read_parquet(path)
        frame["amount"] = frame["amount"].astype("float64")
    frame = frame[frame["customer_id"].notna() & frame["amount"].notna()]
    frame = frame[frame["status"] != "作废"]
    frame = frame.drop_duplicates()
    frame = frame.sort_values(["order_id", "line_id"]).drop_duplicates(["order_id", "line_id"])
    frame = frame[frame["amount"] != 0]
    frame.to_parquet(out / "orders.parquet", compression="zstd")
    day = frame["ordered_at"].dt.normalize()
    frame["day"], year = day, pd.Timestamp(AS_OF) - pd.Timedelta(days=365)
    order = frame.groupby(["customer_id", "order_id"]).agg(
        money=("amount", "sum"), last=("day", "max"), first=("day", "min")
    )
    order = order[order["money"] > 0].reset_index()
    recent = frame[frame["day"] > year]
    found = pd.DataFrame({"ever": frame.groupby("customer_id")["amount"].sum()})
    by_customer = order.groupby("customer_id")
    found["recency"] = (pd.Timestamp(AS_OF) - by_customer["last"].max()).dt.days
    found["tenure"] = (pd.Timestamp(AS_OF) - by_customer["first"].min()).dt.days
    found["orders"] = by_customer.size()
    found["frequency"] = order[order["last"] > year].groupby("customer_id").size()
    found["monetary"] = recent.groupby("customer_id")["amount"].sum()
    found["products"] = recent.groupby("customer_id")["product"].nunique()
    bought = frame[frame["amount"] > 0]
    found["intervals"] = bought.groupby("customer_id")["day"].nunique() - 1
    for name, (start, end) in _SPANS.items():
        inside = frame[(frame["day"] >= start) & (frame["day"] <= end)]
        found[name] = inside.groupby("customer_id")["amount"].sum()
    return {"kept": len(frame), "customers": len(found), "money": float(found["monetary"].sum())}


def polars(path: Path, out: Path) -> dict[str, float]:
    """Plain polars: lazy, with its streaming engine."""
    import polars as pl

    text = dict.fromkeys(("order_id", "line_id", "customer_id", "product", "status"), pl.String)
    lazy = (
        pl.scan_csv(path, schema_overrides=text, try_parse_dates=True)
        if path.suffix == ".csv"
        else pl.scan_parquet(path)
    )
    kept = (
        lazy.filter(pl.col("customer_id").is_not_null() & pl.col("amount").is_not_null())
        .filter(pl.col("status") != "作废")
        .unique()
        .unique(["order_id", "line_id"])
        .filter(pl.col("amount") != 0)
        .sort("order_id", "line_id")
    )
    kept.sink_parquet(out / "orders.parquet", compression="zstd")
    line = pl.scan_parquet(out / "orders.parquet").with_columns(
        day=pl.col("ordered_at").dt.date(), amount=pl.col("amount").cast(pl.Float64)
    )
    spans = {n: [date.fromisoformat(d) for d in span] for n, span in _SPANS.items()}
    year, amount, day = date(2024, 9, 30), pl.col("amount"), pl.col("day")
    order = (
        line.group_by("customer_id", "order_id")
        .agg(money=amount.sum(), last=day.max(), first=day.min())
        .filter(pl.col("money") > 0)
        .group_by("customer_id")
        .agg(
            recency=(pl.lit(AS_OF) - pl.col("last").max()).dt.total_days(),
            tenure=(pl.lit(AS_OF) - pl.col("first").min()).dt.total_days(),
            orders=pl.len(),
            frequency=(pl.col("last") > year).sum(),
        )
    )
    found = (
        line.group_by("customer_id")
        .agg(
            ever=amount.sum(),
            monetary=amount.filter(day > year).sum(),
            products=pl.col("product").filter(day > year).n_unique(),
            intervals=day.filter(amount > 0).n_unique() - 1,
            **{
                name: amount.filter(day.is_between(pl.lit(start), pl.lit(end))).sum()
                for name, (start, end) in spans.items()
            },
        )
        .join(order, on="customer_id", how="left")
        .collect(engine="streaming")
    )
    size = pl.scan_parquet(out / "orders.parquet").select(pl.len()).collect().item()
    return {"kept": size, "customers": len(found), "money": float(found["monetary"].sum())}


_SPANS = {
    "period": ("2025-07-01", "2025-09-30"),
    "previous": ("2025-04-01", "2025-06-30"),
    "year_ago": ("2024-07-01", "2024-09-30"),
}


def measured(command: list[str], cap_mb: int) -> dict[str, Any]:
    """Run a process: seconds, CPU seconds, peak of resident memory, what it printed."""
    begun = time.perf_counter()
    with tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(command, stdout=told, stderr=sys.stderr)
        over = False
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if not over and _resident_mb(process.pid) > cap_mb:
                process.kill()
                over = True
            time.sleep(0.2)
        process.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        said = told.read().strip().splitlines()
    found = {
        "wall": time.perf_counter() - begun,
        "cpu": usage.ru_utime + usage.ru_stime,
        "rss_mb": usage.ru_maxrss / 1024,
        "load": os.getloadavg()[0],
    }
    if process.returncode:
        return {**found, "failed": "memory" if over else f"exit {process.returncode}"}
    return {**found, **json.loads(said[-1])}


def _resident_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def compare(path: Path, lines: int, given: argparse.Namespace, before: dict[str, float]) -> None:
    """All of them on one file; `before` holds the seconds for a tenth and gets those of this."""
    print(f"{path.suffix[1:]} {lines:,} lines, {path.stat().st_size / 2**20:,.0f} MB", flush=True)
    for who in given.who:
        python = sys.executable if who == "ours" else given.peer_python
        with tempfile.TemporaryDirectory(dir=path.parent) as out:
            more = [str(given.memory_mb), str(given.block_rows)] if who == "ours" else []
            command = [python, __file__, "--one", who, str(path), out, *more]
            found = measured(command, given.cap_mb)
        line = f"  {who:7} {found['wall']:8.1f} s  cpu {found['cpu']:8.1f} s"
        line += f"  peak {found['rss_mb']:7,.0f} MB  load {found['load']:.1f}"
        if "failed" in found:
            print(f"{line}  ended: {found['failed']}", flush=True)
            before.pop(who, None)
            continue
        if who in before:
            line += f"  growth x{found['cpu'] / before[who]:.1f} cpu"
        before[who] = found["cpu"]
        print(f"{line}  {_told(found)}", flush=True)


def _told(found: dict[str, Any]) -> str:
    steps = [f"{s} {found[s]:.1f}" for s in ("read", "clean", "write", "features") if s in found]
    kept = f"kept {found['kept']:,} of {found['customers']:,} customers"
    return "  ".join([kept, f"monetary {found['money']:,.2f}", *steps])


def main() -> None:
    """Generate, measure, delete."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, nargs="*", default=[1_000_000, 10_000_000])
    parser.add_argument("--csv", type=int, nargs="*", default=[1_000_000, 10_000_000])
    parser.add_argument("--memory-mb", type=int, default=4096, help="limit of our engine")
    parser.add_argument("--block-rows", type=int, default=2_000_000)
    parser.add_argument("--cap-mb", type=int, default=8192, help="end a process beyond it")
    parser.add_argument("--peer-python", default=sys.executable, help="has pandas and polars")
    parser.add_argument("--who", nargs="*", default=list(WHO), choices=WHO)
    parser.add_argument("--folder", help="where the files stand while they are measured")
    given = parser.parse_args()
    for kind, sizes in (("parquet", given.lines), ("csv", given.csv)):
        before: dict[str, float] = {}
        for lines in sizes:
            with tempfile.TemporaryDirectory(dir=given.folder) as folder:
                path = Path(folder) / f"lines.{kind}"
                write_lines(path, lines)
                compare(path, lines, given, before)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        name, file, folder, *limits = sys.argv[2:]
        work = {"ours": ours, "pandas": pandas, "polars": polars}[name]
        print(json.dumps(work(Path(file), Path(folder), *map(int, limits))))  # type: ignore[operator]
    else:
        main()
