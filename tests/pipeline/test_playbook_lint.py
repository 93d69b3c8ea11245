"""`analysis playbook lint`: what it shows, what it refuses, and its exit code."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from analysis.cli import cli
from analysis.pipeline import playbook_lint
from analysis.pipeline.scheme_record import Known
from analysis.settings_segmentation import Segmentation

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOKS = sorted(path.stem for path in (ROOT / "params" / "playbooks").glob("*.yml"))


def run(*args: str):
    return CliRunner().invoke(cli, ["playbook", "lint", *args, "--root", str(ROOT)])


@pytest.mark.requirement("001-23")
@pytest.mark.parametrize("name", PLAYBOOKS)
def test_shipped_playbooks_are_clean_in_both_languages(name) -> None:
    zh, en = run(name, "--lang", "zh"), run(name, "--lang", "en")
    assert zh.exit_code == en.exit_code == 0
    assert "没有发现问题" in zh.output
    assert "Nothing found" in en.output
    assert not re.search(r"[\u3400-\u9fff]", en.output)
    for left in ("measure.", "role.", "kpi.", "resource.", "benefit.", "{", "playbook_lint"):
        assert left not in zh.output


def test_the_table_and_what_can_be_asked() -> None:
    said = run("rfm5", "--lang", "zh").output
    assert "每月高层互访（加码动作）：销售总监，上门拜访，第 1 个工作日起，" in said
    assert "老客户留存率，目标 90.0%；费用 0" in said
    assert "首次电话 48 小时" in said
    assert "欠款逾期天数（overdue_days）：来自 应收账龄" in said
    assert re.search("条件：客户提到的痛点 .*交期.* 或 满意度 <= 3 或 距上次投诉天数 <= 90", said)


@pytest.fixture
def own(tmp_path):
    text = (ROOT / "params" / "playbooks" / "platinum4.yml").read_text(encoding="utf-8")

    def write(*changes):
        changed = text
        for one, other in changes:
            assert one in changed
            changed = changed.replace(one, other, 1)
        path = tmp_path / "own.yml"
        path.write_text(changed, encoding="utf-8")
        return str(path)

    return write


def test_a_measure_that_ends_after_the_quarter_is_said(own) -> None:
    late = ("start: 10\n        due: 48", "start: 30\n        due: 48")
    for lang, line in (("zh", "要到第 79 个工作日才到期"), ("en", "ends on working day 79")):
        found = run(own(late), "--lang", lang)
        assert line in found.output
        assert found.exit_code == 0
        assert line not in run(own(), "--lang", lang).output
    for name in PLAYBOOKS:
        assert "截到期末" not in run(name, "--lang", "zh").output


def test_all_faults_at_once_with_lines_and_code_two(own) -> None:
    path = own(
        ("owner_role: cs_manager", "owner_role: cs_manger"),
        ("overdue_days:", "overdue_day:"),
        ("  at_risk:", "  at_risc:"),
        ("least_touches: 3 ", "least_touches: 9 "),
    )
    found = run(path, "--lang", "en")
    assert found.exit_code == 2
    text = Path(path).read_text(encoding="utf-8").splitlines()
    for wrong in ("cs_manger", "overdue_day:", "at_risc", "least_touches: 9"):
        line = next(i for i, each in enumerate(text, start=1) if wrong in each)
        assert f"own.yml:{line}:" in found.output, wrong
    assert "Did you mean “cs_manager”?" in found.output
    assert "Did you mean “at_risk”?" in found.output
    assert "4 faults" in found.output
    assert "nobody looks after" in found.output  # at_risk is not served any more
    assert "Platinum strategic" in found.output  # what can be read is shown all the same


def test_what_is_no_playbook_at_all(own, tmp_path) -> None:
    assert run(own(("cost: 6000", "cost: free"))).exit_code != 0
    missing = run("nothing")
    assert missing.exit_code != 0


@pytest.mark.requirement("001-32")
def test_on_a_record_shares_and_numbers_are_compared(own, monkeypatch) -> None:
    segments = pd.Series(["at_risk"] * 60 + ["gold"] * 35 + ["platinum"] * 15)
    known = Known(
        "acme/2025Q3", "platinum4", pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), segments,
        Segmentation(), "CNY",
    )  # fmt: skip
    monkeypatch.setattr(playbook_lint, "_filled", lambda table, *_: table != "signals")
    said, faults = playbook_lint.lint_lines("platinum4", ROOT, known, "zh")
    text = "\n".join(said)
    assert faults == 0
    assert "30.0% × 60 家 = 18 家，手册写的是 15 家" in text
    assert "流失风险客户 60 家" in text
    assert "铁杆基础客户 0 家" in text
    assert "近期信号条数（signals）：来自 外部信号；acme/2025Q3 里没有，这一条问不到" in text
    assert "欠款逾期天数（overdue_days）：来自 应收账龄\n" in text
    assert "而这一期只有" not in text  # the last quarter of 2025 has 61 working days
    spring = Known(**{**known.__dict__, "name": "acme/2025Q4~trial"})
    said, _ = playbook_lint.lint_lines("rfm5", ROOT, spring, "zh")
    assert "要到第 61 个工作日才到期，而这一期只有 59 个工作日" in "\n".join(said)
    fifty = Known(**{**known.__dict__, "segments": segments.iloc[10:]})
    assert "对不上" not in "\n".join(playbook_lint.lint_lines("platinum4", ROOT, fifty, "zh")[0])
