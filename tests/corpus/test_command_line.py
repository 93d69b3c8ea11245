"""Files of the corpus through the command line: exit code, and what stands on stderr."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from analysis import cli
from tests.corpus.catalogue import ROWS
from tests.corpus.judge import MOST_LINES
from tests.corpus.rows import Case, cases
from tests.corpus.sheet import COLUMNS, PERSONS, PHONES

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with settings and nothing else."""
    shutil.copytree(ROOT / "params", tmp_path / "params")
    (tmp_path / "data").mkdir()
    return tmp_path


def _case(name: str, form: str) -> Case:
    return next(c for c in cases(ROWS) if c.row.name == name and c.form == form)


def _say(project: Path, monkeypatch: pytest.MonkeyPatch, lang: str, *args: str) -> int:
    monkeypatch.setenv("ANALYSIS_LANG", lang)
    monkeypatch.setattr("sys.argv", ["analysis", *args, "--root", str(project)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert isinstance(left.value.code, int)
    return left.value.code


def _settings(project: Path, source: dict[str, object], **more: object) -> None:
    told = {"extends": "base.yml", "run": "x", "period": "2025Q4", "sources": {"orders": source}}
    (project / "params" / "x.yml").write_text(
        yaml.safe_dump({**told, **more}, allow_unicode=True), encoding="utf-8"
    )


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("sound", "csv-gb18030"),
        ("a total row at the end", "xls"),
        ("an empty file", "csv"),
        ("cut inside a character", "csv-gb18030"),
        ("a quote that never closes", "tsv"),
        ("no header: the first line is data", "xlsx"),
        ("a formula without its value", "xlsx"),
        ("cut in half", "parquet"),
        ("numbers that Excel wrote as 1.23457E+16", "csv"),
        ("a column of words instead of money", "xlsx"),
    ],
)
def test_check_ends_with_the_code_that_is_due(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    name: str,
    form: str,
    lang: str,
) -> None:
    case = _case(name, form)
    (project / "data" / case.file).write_bytes(case.content())
    _settings(project, {**case.source(), "path": f"data/{case.file}"})
    code = _say(project, monkeypatch, lang, "check", "params/x.yml")
    said = capfd.readouterr()
    assert code == case.row.outcome.code, said.err
    assert "Traceback" not in said.err and "Error" not in said.err
    assert len(said.err.splitlines()) <= MOST_LINES
    assert not any(person in said.err + said.out for person in (*PERSONS, *PHONES))
    assert f"data/{case.file}" in (said.err if code else said.out)
    assert bool(said.err) == bool(code)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_wrong_settings_are_told_before_a_source_is_opened(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], lang: str
) -> None:
    _settings(project, {"path": "data/o.csv", "columns": COLUMNS, "seperator": ";"})
    assert _say(project, monkeypatch, lang, "check", "params/x.yml") == 2
    said = capfd.readouterr().err
    assert "seperator" in said and "separator" in said
    assert "data/o.csv" not in said


@pytest.mark.slow
def test_a_run_without_anybody_ends_with_4_and_leaves_no_report(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("notebooks", "reports/templates"):
        shutil.copytree(ROOT / name, project / name)
    (project / "data" / "o.csv").write_text("a,b,c\n,2025-10-03,5\n", encoding="utf-8")
    columns = {"customer_id": "a", "ordered_at": "b", "amount": "c"}
    _settings(project, {"path": "data/o.csv", "columns": columns})
    assert _say(project, monkeypatch, "zh", "run", "params/x.yml", "--only", "cleaning") == 4
    said = capfd.readouterr().err
    assert "没有客户编号" in said
    assert "Traceback" not in said
    assert not list((project / "reports").rglob("report.*.html"))
    last = project / "reports" / "x" / ".stages" / "last.json"
    assert not last.exists() or not json.loads(last.read_text())
