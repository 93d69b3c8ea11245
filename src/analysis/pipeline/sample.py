"""The small sample that ships with the package, so that notebooks open in a fresh checkout.

``make sample`` writes it again after a contract has changed: the made-up company with few
customers, its exports and the tables of one run. A test holds it against the contracts.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from analysis import demo, settings
from analysis.pipeline import runner
from analysis.pipeline.log import Log
from analysis.pipeline.session import SAMPLE

CUSTOMERS = 60
PARAMS = "params/demo.yml"
_SHARED = ("params", "notebooks", "reports/templates")


def write(project: Path, target: Path = SAMPLE) -> None:
    """Make the sample from a project's demo settings.

    Parameters
    ----------
    project
        Folder with params and notebooks.
    target
        Where the sample goes; what stood there is replaced.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in _SHARED:
            shutil.copytree(project / name, root / name)
        demo.write(root / "data" / "demo", customers=CUSTOMERS)
        config = settings.load(PARAMS, root)
        outcome = runner.run(
            config, runner.Options(), lambda run: Log(run / "log.txt", "en"), {}, "en"
        )
        if outcome.record is None:
            raise RuntimeError("no record was made")
        if target.exists():
            shutil.rmtree(target)
        shutil.copytree(outcome.record / "tables", target / "tables")
        shutil.copytree(
            root / "data" / "demo", target / "data" / "demo", ignore=shutil.ignore_patterns("truth")
        )
    for path in target.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


if __name__ == "__main__":
    write(settings.find_root())
    sys.stdout.write(f"{SAMPLE}\n")
