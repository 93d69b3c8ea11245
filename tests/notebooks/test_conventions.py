"""The notebooks keep the house's conventions."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from analysis.pipeline.stages import STAGES, WEEKLY

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LONGEST_CELL = 15
EVERY = (*STAGES, WEEKLY)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code_cells(path: Path) -> list[Any]:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def test_there_is_a_notebook_for_every_stage_and_no_other() -> None:
    assert [f"notebooks/{path.name}" for path in NOTEBOOKS] == [s.notebook for s in EVERY]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_committed_without_outputs(notebook: Path) -> None:
    for cell in code_cells(notebook):
        assert cell.outputs == []
        assert cell.execution_count is None
    assert "papermill" not in read(notebook).metadata


def test_is_valid_and_runs_on_the_plain_kernel(notebook: Path) -> None:
    book = read(notebook)
    nbformat.validate(book)
    assert book.metadata.kernelspec.name == "python3"


def test_parameters_come_first_and_are_two(notebook: Path) -> None:
    first = code_cells(notebook)[0]
    assert first.metadata.get("tags") == ["parameters"]
    assert first.source == 'params = "params/demo.yml"\noverrides = {}'
    tagged = [c for c in code_cells(notebook) if "parameters" in c.metadata.get("tags", [])]
    assert len(tagged) == 1


def test_settings_come_second(notebook: Path) -> None:
    second = code_cells(notebook)[1].source
    assert re.search(r"^stage = open_stage\(\"\w+\", params, overrides\)$", second, re.M)
    assert second.splitlines()[-1] == "stage.show_settings()"


def test_opens_its_own_stage(notebook: Path) -> None:
    stage = next(s for s in EVERY if s.notebook == f"notebooks/{notebook.name}")
    assert f'open_stage("{stage.name}", params, overrides)' in code_cells(notebook)[1].source


def test_cells_are_thin(notebook: Path) -> None:
    for cell in code_cells(notebook):
        assert len(cell.source.splitlines()) <= LONGEST_CELL, cell.source
        assert all(len(line) <= 125 for line in cell.source.splitlines()), cell.source
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Try, ast.While)
        assert not [n for n in ast.walk(ast.parse(cell.source)) if isinstance(n, kinds)]


# Beside the package, what every analyst reads without looking it up.
IMPORTS = {"analysis", "pandas", "functools"}


def test_imports_stand_at_the_top_and_are_few(notebook: Path) -> None:
    for place, cell in enumerate(code_cells(notebook)):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert place == 1, "imports stand in the second code cell"
                module = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
                assert str(module).split(".")[0] in IMPORTS


def test_tells_a_story(notebook: Path) -> None:
    cells = read(notebook).cells
    assert cells[0].cell_type == "markdown"
    assert cells[0].source.startswith("# ")
    headings = [c.source for c in cells if c.cell_type == "markdown" and c.source.startswith("## ")]
    assert len(headings) >= 3
    previous = ""
    for cell in cells:  # a question before every exhibit, at most three calls in a row
        if cell.cell_type == "markdown":
            assert len(cell.source.split()) >= 8, f"says too little: {cell.source!r}"
        if cell.cell_type == "code" and previous == "code code code":
            pytest.fail(f"four code cells in a row, the last: {cell.source!r}")
        code = cell.cell_type == "code" and "parameters" not in cell.metadata.get("tags", [])
        previous = f"{previous} code".strip() if code else ""


def test_names_its_step_of_the_workflow() -> None:
    steps = " ".join(read(path).cells[0].source for path in NOTEBOOKS)
    for number in range(1, 8):
        assert re.search(rf"\b{number}\b", steps)


def test_holds_no_clock_and_no_chance(notebook: Path) -> None:
    for cell in code_cells(notebook):
        assert not re.search(r"\b(now|today|random|time)\(", cell.source)
