"""Each notebook runs alone, in a fresh checkout, and touches no record."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from tests.test_cli import MAY_BE_EMPTY

from analysis import store
from analysis.engine import conform
from analysis.pipeline.session import SAMPLE
from analysis.pipeline.stages import STAGES
from analysis.tables import RECORD

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which nothing has been run and no data lies."""
    folder = tmp_path_factory.mktemp("fresh") / "project"
    for name in ("params", "notebooks", "reports/templates"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


def run_alone(project: Path, notebook: str, env: dict[str, str] | None = None) -> str:
    """Run a notebook as JupyterLab would; return all it printed."""
    book = nbformat.read(project / notebook, as_version=4)
    client = NotebookClient(book, timeout=300, kernel_name="python3")
    client.execute(cwd=str(project))
    outputs = [o for cell in book.cells for o in cell.get("outputs", [])]
    assert not [o for o in outputs if o.output_type == "error"]
    return "".join(o.get("text", "") for o in outputs if o.output_type == "stream")


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_runs_alone_on_the_sample(bare: Path, stage: object) -> None:
    printed = run_alone(bare, stage.notebook)  # type: ignore[attr-defined]
    if stage.name != "report":  # type: ignore[attr-defined]
        for table in stage.gives:  # type: ignore[attr-defined]
            assert f"“{table}”草稿" in printed
    assert not (bare / "reports" / "demo" / "2025Q3").exists()


@pytest.mark.slow
def test_a_draft_is_compared_with_the_record(bare: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(bare, project)
    built = store.temporary_folder(project / "reports" / "demo", "record")
    shutil.copytree(SAMPLE / "tables", built / "tables")
    record = project / "reports" / "demo" / "2025Q3"
    store.publish(built, record, {"format": 1})
    before = store.files_of(record)
    assert "“personas”草稿" in run_alone(project, "notebooks/03_personas.ipynb")
    cell = "stage.save(personas=portrait)"
    path = project / "notebooks" / "03_personas.ipynb"
    text = path.read_text(encoding="utf-8")
    shorter = cell.replace("portrait", "portrait.head(3)")
    path.write_text(text.replace(cell, shorter), encoding="utf-8")
    printed = run_alone(project, "notebooks/03_personas.ipynb")
    assert "“personas”草稿：3 行，记录里是" in printed
    assert store.files_of(record) == before


def test_the_sample_keeps_the_contracts() -> None:
    names = {path.stem for path in (SAMPLE / "tables").glob("*.parquet")}
    assert names == {table for stage in STAGES for table in stage.gives}
    for name in sorted(names):
        table = store.read_table(SAMPLE / "tables" / f"{name}.parquet")
        assert conform(table, RECORD[name]).equals(table), name
        assert table.num_rows > 0 or name in MAY_BE_EMPTY, name
