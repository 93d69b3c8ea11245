"""A whole quarter through the runner, beside the same cells in one plain Python process.

What the runner adds – a kernel for each notebook, fingerprints, verified writing, the report's
checks – is the ratio. Each round runs both, so that a busy machine slows both.

    make bench [ROUNDS=3]
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARAMS = "params/demo.yml"
PLAIN = "--plain"


def plain(project: Path) -> None:
    """The cells of all notebooks, one after another, in this process."""
    import matplotlib as mpl
    from IPython.core.interactiveshell import InteractiveShell

    from analysis import settings
    from analysis.pipeline.fingerprints import code_cells
    from analysis.pipeline.session import ENVIRONMENT
    from analysis.pipeline.stages import chain

    mpl.use("agg")
    os.chdir(project)
    InteractiveShell.instance()
    config = settings.load(PARAMS, project)
    done: dict[str, str] = {}
    for stage in chain(config):
        out = project / "plain" / stage.name
        out.mkdir(parents=True)
        given = {"stage": stage.name, "out": str(out), "root": str(project), "lang": "zh"}
        for lang in config.settings.languages if stage.name == "report" else ("zh",):
            os.environ[ENVIRONMENT] = json.dumps({**given, "lang": lang, "upstream": done})
            names: dict[str, object] = {}
            for cell in code_cells(project / stage.notebook):
                source = cell.replace('params = ""', f'params = "{PARAMS}"')
                exec(compile(source, stage.notebook, "exec"), names)
        (out / "manifest.json").write_text('{"parts": {"inputs": {}}}')
        done[stage.name] = str(out)


def timed(project: Path, *command: str) -> float:
    """Seconds that a command takes, from start to end of its process."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, *command], cwd=project, check=True, capture_output=True)
    return time.perf_counter() - begun


def main(rounds: int) -> None:
    """Run both `rounds` times and print medians and the ratio."""
    runner: list[float] = []
    cells: list[float] = []
    unchanged: list[float] = []
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            project = Path(folder)
            for name in ("params", "notebooks", "reports/templates", "data/demo"):
                shutil.copytree(ROOT / name, project / name)
            runner.append(timed(project, "-m", "analysis.cli", "run", PARAMS))
            unchanged.append(timed(project, "-m", "analysis.cli", "run", PARAMS))
            cells.append(timed(project, __file__, PLAIN, str(project)))
        print(
            f"round {number + 1}: runner {runner[-1]:.1f} s, cells {cells[-1]:.1f} s, "
            f"ratio {runner[-1] / cells[-1]:.2f}, unchanged rerun {unchanged[-1]:.1f} s"
        )
    ratio = statistics.median(a / b for a, b in zip(runner, cells, strict=True))
    print(f"median ratio {ratio:.2f}, unchanged rerun {statistics.median(unchanged):.1f} s")


if __name__ == "__main__":
    if PLAIN in sys.argv:
        plain(Path(sys.argv[-1]))
    else:
        main(int(os.environ.get("ROUNDS", "3")))
