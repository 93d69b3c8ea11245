"""Scheme and playbook are refused before any source is opened; a run speaks its own words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from analysis import cli, settings, wording
from analysis.errors import SettingsError
from analysis.pipeline import naming, preflight

PROJECT = Path(__file__).resolve().parents[2]
PERIOD = """
extends: base.yml
run: small
period: 2025Q3
sources:
  orders:
    path: data/nowhere.csv
    event: shipped
    tax: excluded
    columns: {customer_id: a, ordered_at: b, amount: c}
"""


@pytest.fixture
def project(tmp_path):
    shutil.copytree(PROJECT / "params", tmp_path / "params")
    shutil.copytree(PROJECT / "notebooks", tmp_path / "notebooks")
    (tmp_path / "params" / "small.yml").write_text(PERIOD, encoding="utf-8")
    return tmp_path


def write_playbook(project: Path, **segments: str) -> None:
    """The shipped playbook with segments renamed, as the project's own."""
    path = project / "params" / "playbooks" / "rfm5.yml"
    text = path.read_text(encoding="utf-8").replace("playbook: rfm5", "playbook: own")
    for before, after in segments.items():
        text = text.replace(f"\n  {before}:\n", f"\n  {after}:\n")
    (path.parent / "own.yml").write_text(text, encoding="utf-8")


def load(project: Path, **overrides: object) -> settings.Config:
    return settings.load("params/small.yml", project, overrides)


def test_a_playbook_with_a_foreign_segment_is_refused_with_its_line(project):
    write_playbook(project, churn_risk="churn_rsk")
    config = load(project, **{"strategy.playbook": "own"})
    with pytest.raises(SettingsError) as caught:
        preflight.check(config)
    (problem,) = caught.value.problems
    line = (project / "params/playbooks/own.yml").read_text("utf-8").splitlines()[problem.line - 1]
    assert (problem.file, line) == ("params/playbooks/own.yml", "  churn_rsk:")
    assert "“churn_risk”？" in wording.explain(caught.value, "zh")[0]


@pytest.mark.parametrize("command", ["run", "check"])
def test_before_any_source_is_opened(project, command, monkeypatch):
    write_playbook(project, new="newcomers")
    monkeypatch.setattr("sys.argv", ["analysis"])
    with pytest.raises(SettingsError):  # not: no file matches data/nowhere.csv
        CliRunner().invoke(
            cli.cli,
            [
                command, "params/small.yml", "--root", str(project),
                "--set", "strategy.playbook=own",
            ],
            catch_exceptions=False,
            standalone_mode=False,
        )  # fmt: skip
    assert not (project / "reports").exists()


def test_without_a_name_the_scheme_chooses_the_playbook(project):
    preflight.check(load(project))
    (project / "params/playbooks/rfm5.yml").write_text("playbook: rfm5\n", encoding="utf-8")
    with pytest.raises(SettingsError):
        preflight.check(load(project))


def own_scheme(project: Path, **names: dict[str, str]) -> None:
    """Names that the scheme file brings for its segments."""
    path = project / "params" / "schemes" / "own.yml"
    segments = {
        "high_value": {"rank": 2, "role": "best", "names": names.get("best", {})},
        "churn_risk": {"rank": 1, "role": "at_risk"},
    }
    content = {"scheme": "own", "segments": segments}
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def test_the_scheme_s_own_names_come_before_the_catalogue_s(project):
    own_scheme(project, best={"zh": "头部客户", "en": "Head"})
    words = naming.own_words(load(project, **{"segmentation.scheme": "own"}))
    assert words["segment.high_value"] == {"zh": "头部客户", "en": "Head"}
    assert words["segment_short.high_value"]["en"] == "Head"
    assert words["kpi.high_value_customers"] == {"zh": "头部客户", "en": "Head customers"}
    assert "segment.churn_risk" not in words


def test_words_of_a_scheme_come_before_the_common_ones_and_labels_before_all(project):
    own_scheme(project)
    try:
        wording.relabel({"segment.own.churn_risk": {"zh": "沉睡客户", "en": "Asleep"}})
        labels = {"segment.high_value": {"zh": "战略客户", "en": "Strategic"}}
        words = naming.own_words(load(project, **{"segmentation.scheme": "own", "labels": labels}))
    finally:
        wording.relabel({})
    assert words["segment.churn_risk"]["zh"] == "沉睡客户"
    assert words["kpi.high_value_customers"]["en"] == "Strategic customers"
