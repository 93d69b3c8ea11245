"""Tables of a database drawn in batches, beside pandas.read_sql: rows a second and memory.

Each measurement is a process of its own against a real server on this machine; memory is the peak
beyond what the process needs before it reads. Ours also sorts, gives types and hashes.

    python -m bench.databases [ROWS=1000000]
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa
from tests import servers
from tests.servers import SECRET, Server

TABLE = (
    "CREATE TABLE orders (order_id varchar(20), customer_id char(10), ordered_at timestamp,"
    " amount numeric(18,2), quantity bigint, product varchar(40), region varchar(10))"
)
FILL = {
    "postgresql": "INSERT INTO orders SELECT 'SO' || (i::bigint * 7919 % {n}), 'KH' || i % 5000,"
    " timestamp '2025-01-01' + i % 270 * interval '1 day', i % 1000000 / 100.0, i % 50,"
    " 'product ' || i % 300, 'region' || i % 7 FROM generate_series(1, {n}) i",
    "mysql": "INSERT INTO orders SELECT concat('SO', seq * 7919 % {n}), concat('KH', seq % 5000),"
    " timestamp('2025-01-01') + interval seq % 270 day, seq % 1000000 / 100.0, seq % 50,"
    " concat('product ', seq % 300), concat('region', seq % 7) FROM seq_1_to_{n}",
}


def ours(url: str) -> None:
    """Draw the table as a run does."""
    from analysis.settings_model import Settings
    from analysis.sources import connections, draw_databases

    assert connections
    source = {"url": url, "table": "orders"}
    settings = Settings.model_validate(
        {"run": "b", "period": "2025Q3", "sources": {"orders": source}}
    )
    with tempfile.TemporaryDirectory() as folder:
        measure(lambda: draw_databases(settings, Path(folder), Path(folder)))


def pandas(url: str) -> None:
    """The table as pandas reads it, whole."""
    import pandas as pd

    from analysis.settings_databases import address
    from analysis.sources.connections import DRIVERS

    to = address(url, os.environ)
    target = sa.URL.create(DRIVERS[to.kind], to.user, to.password, to.host, to.port, to.database)
    given = {"password": SECRET.encode()} if to.kind == "mysql" else {}
    engine = sa.create_engine(target, connect_args=given)
    measure(lambda: pd.read_sql("SELECT * FROM orders", engine))


def measure(work) -> None:  # type: ignore[no-untyped-def]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.perf_counter()
    work()
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(seconds, (peak - before) / 1024)


def fill(server: Server, rows: int) -> None:
    server.run("DROP TABLE IF EXISTS orders", TABLE, FILL[server.kind].format(n=rows))
    if server.kind == "postgresql":
        server.run("GRANT SELECT ON orders TO reader")


def main(rows: int) -> None:
    os.environ["DB_PASSWORD"] = SECRET
    print(f"{'server':<12}{'rows':>10}  {'reader':<8}{'seconds':>9}{'rows/s':>10}{'MB more':>9}")
    for start in (servers.postgresql, servers.mariadb):
        with start() as server:
            for size in (rows // 10, rows):
                fill(server, size)
                for reader in ("ours", "pandas"):
                    command = [sys.executable, "-m", "bench.databases", reader, server.url()]
                    done = subprocess.run(command, check=True, capture_output=True, text=True)
                    seconds, megabytes = map(float, done.stdout.split())
                    print(
                        f"{server.kind:<12}{size:>10,}  {reader:<8}{seconds:>9.1f}"
                        f"{size / seconds:>10,.0f}{megabytes:>9.0f}",
                        flush=True,
                    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["ours"]:
        ours(sys.argv[2])
    elif sys.argv[1:2] == ["pandas"]:
        pandas(sys.argv[2])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
