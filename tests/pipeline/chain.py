"""A chain of three small notebooks, to try the runner on in seconds.

Run as a script it is a run in a process of its own, which tests can kill:
``python chain.py PROJECT [--force]``.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from analysis import settings
from analysis.pipeline import runner, stages
from analysis.pipeline.locking import stoppable
from analysis.pipeline.log import Log

PARAMS = """\
extends: base.yml
run: tiny
period: 2025Q3
sources:
  orders: {path: data/orders.csv, columns: {customer_id: id, ordered_at: day, amount: money}}
"""
CELLS = {
    "first": [
        "import pandas as pd\n"
        "from analysis.pipeline.session import open_stage\n"
        'stage = open_stage("first", params, overrides)',
        'rows = (stage.root / "data" / "orders.csv").read_text().splitlines()[1:]\n'
        'frame = pd.DataFrame({"id": [r.split(",")[0] for r in rows]})',
        "stage.save(one=frame)",
    ],
    "second": [
        "from analysis.pipeline.session import open_stage\n"
        'stage = open_stage("second", params, overrides)',
        'frame = stage.read("one")',
        "stage.save(two=frame.assign(seed=stage.settings.seed))",
    ],
    "third": [
        "from analysis.pipeline.session import open_stage\n"
        'stage = open_stage("third", params, overrides)',
        'stage.save(three=stage.read("two"))',
    ],
}
STAGES = (
    stages.Stage("first", "notebooks/1.ipynb", sections=("sources",), gives=("one",)),
    stages.Stage("second", "notebooks/2.ipynb", needs=("first",), gives=("two",)),
    stages.Stage("third", "notebooks/3.ipynb", needs=("second",), gives=("three",)),
)


def build(project: Path) -> Path:
    """Put the chain into a project folder."""
    (project / "data").mkdir()
    (project / "data" / "orders.csv").write_text("id,day,money\nA,2025-07-01,1\nB,2025-07-02,2\n")
    (project / "params" / "tiny.yml").write_text(PARAMS)
    for number, (name, cells) in enumerate(CELLS.items(), start=1):
        write_notebook(project / "notebooks" / f"{number}.ipynb", cells, name)
    return project


def write_notebook(path: Path, cells: list[str], title: str = "Title") -> None:
    """Write a notebook with a parameters cell, a heading and the given code cells."""
    parameters = nbformat.v4.new_code_cell('params = ""\noverrides = {}')
    parameters.metadata["tags"] = ["parameters"]
    book = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell(f"# {title}"),
            parameters,
            *(nbformat.v4.new_code_cell(cell) for cell in cells),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(book, path)


def run(
    project: Path,
    stream: Any = None,
    overrides: Mapping[str, Any] | None = None,
    **options: Any,
) -> runner.Outcome:
    """Run the chain."""
    stages.STAGES = STAGES
    config = settings.load("params/tiny.yml", project, overrides)
    out = stream or io.StringIO()
    return runner.run(
        config,
        runner.Options(**options),
        lambda folder: Log(folder / "log.txt", "en", out),
        overrides or {},
        "en",
    )


if __name__ == "__main__":
    from analysis import wording
    from analysis.errors import AnalysisError

    try:
        with stoppable():
            run(Path(sys.argv[1]), sys.stdout, force="--force" in sys.argv)
    except AnalysisError as error:
        print("\n".join(wording.explain(error, "en")))
        sys.exit(error.exit_code)
