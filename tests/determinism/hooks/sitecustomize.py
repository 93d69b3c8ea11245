"""In a kernel: DuckDB gets the number of threads that the test asks for."""

import os
import sys


class _Hook:
    """Wait for duckdb to be imported, then let its connections have other threads."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "duckdb":
            sys.meta_path.remove(self)  # type: ignore[arg-type]
            import duckdb

            connect = duckdb.connect

            def other(database: str = ":memory:", *rest: object, **named: object) -> object:
                named["config"] = {
                    **named.get("config", {}),  # type: ignore[dict-item]
                    "threads": os.environ["DUCKDB_THREADS"],
                }
                return connect(database, *rest, **named)  # type: ignore[arg-type]

            duckdb.connect = other


if "DUCKDB_THREADS" in os.environ:
    sys.meta_path.insert(0, _Hook())  # type: ignore[arg-type]
