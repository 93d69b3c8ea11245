"""Scheme and playbook are refused before any source is opened; a run speaks its own words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from analysis import cli, settings, wording
from analysis.errors import SettingsError, SourceError
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


DECIDED = "客户编号,客户类型,签字,调整理由,生效日,有效期至\n"
ORDERS = "a,b,c\nK1,2025-09-01,100\nK2,2025-09-02,200\n"


def checked(project: Path, rows: str, monkeypatch, lang: str = "zh"):
    """`analysis check` on a small run with this list of decisions."""
    (project / "data").mkdir()
    (project / "data" / "orders.csv").write_text(ORDERS, encoding="utf-8")
    text = PERIOD.replace("data/nowhere.csv", "data/orders.csv")
    (project / "params" / "small.yml").write_text(text, encoding="utf-8")
    folder = project / "decisions" / "small"
    folder.mkdir(parents=True)
    (folder / "overrides.csv").write_text(DECIDED + rows, encoding="utf-8")
    monkeypatch.setenv("ANALYSIS_LANG", lang)
    command = ["check", "params/small.yml", "--root", str(project)]
    return CliRunner().invoke(cli.cli, command, catch_exceptions=True, standalone_mode=False)


@pytest.mark.parametrize(
    ("lang", "told"),
    [("zh", "3 条，现在有效 1 条，已过期 1 条，还没生效 1 条"),
     ("en", "has 3: 1 in force, 1 expired, 1 not yet begun")],
)  # fmt: skip
def test_check_says_what_was_decided(project, monkeypatch, lang, told):
    rows = (
        "K1,潜力客户,王敏,新厂投产,2025-09-01,\n"
        "K2,潜力客户,王敏,试点,2025-01-01,2025-06-30\n"
        "K9,高价值客户,王敏,并购,2025-11-01,\n"
    )
    done = checked(project, rows, monkeypatch, lang)
    assert done.exception is None
    assert f"decisions/small/overrides.csv {told}" in done.output.replace("有 3", "3")
    assert "K9 (4)" in done.output  # in no source
    assert "K1 (2)" not in done.output


def test_check_refuses_what_a_run_refuses(project, monkeypatch):
    done = checked(project, "K1,超级客户,王敏,新厂投产,2025-09-01,\n", monkeypatch)
    assert isinstance(done.exception, SourceError)
    (problem,) = done.exception.problems
    assert (problem.key, problem.line) == ("decided.unknown_segment", 2)
    config = load(project)
    with pytest.raises(SourceError) as caught:
        preflight.decided(config)
    assert caught.value.problems == done.exception.problems
