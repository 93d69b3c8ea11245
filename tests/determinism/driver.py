"""``analysis`` as `variants` starts it: ``python driver.py THREADS [NAME=VALUE …] -- WORD …``.

The names and values replace what the runner gives to kernels. The number of DuckDB's threads
reaches kernels through `sitecustomize`, which stands in a folder of its own.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    at = sys.argv.index("--")
    threads, *pairs = sys.argv[1:at]
    os.environ["DUCKDB_THREADS"] = threads
    hooks = str(Path(__file__).with_name("hooks"))
    os.environ["PYTHONPATH"] = os.pathsep.join([hooks, os.environ["PYTHONPATH"]])

    from analysis.cli import main
    from analysis.pipeline import execute

    execute._KERNEL_ENVIRONMENT.update(pair.split("=", 1) for pair in pairs)
    sys.argv = ["analysis", *sys.argv[at + 1 :]]
    main()
