"""Files that are no YAML, or YAML that guesses: said with line and way out, in two languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analysis import cli, wording
from analysis.errors import SettingsError
from analysis.settings_yaml import read_layer

CASES = {
    "in_gb18030": ("run: a\nname: 客户\n".encode("gb18030"), 2),
    "in_utf16": ("run: a\n".encode("utf-16"), 1),
    "not_utf8": (b"run: a\nname: \xff\xff\xff\n", 2),
    "tab": (b"run: a\nreport:\n\tcompany: b\n", 3),
    "wide_colon": ("run: a\nperiod：2025Q3\nx: 1\n".encode(), 2),
    "no_colon": (b"run: a\nperiod\nx: 1\n", 2),
    "indent": (b"report:\n    a: 1\n  b: 2\n", 3),
    "unclosed_quote": (b"run: a\ncompany: 'b\nx: 1\n", 2),
    "unclosed_bracket": (b"run: a\nlist: [1, 2\nx: 1\n", 3),
    "needs_quotes": (b"run: a\ncompany: @b\n", 2),
    "unknown_alias": (b"run: a\ncompany: *b\n", 2),
    "several_documents": (b"run: a\n---\nrun: b\n", 2),
    "odd_character": (b"run: a\ncompany: \x00\n", 2),
    "too_deep": (b"run: " + b"[" * 5000 + b"\n", 0),
    "alias_in_itself": (b"run: a\nreport: &r\n  x: 1\n  again: *r\n", 2),
    "odd_key": (b"run: a\n? [b, c]\n: 1\n", 2),
    "not_a_map": (b"- a\n- b\n", 1),
}


@pytest.mark.parametrize("key", CASES)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, key: str) -> None:
    content, line = CASES[key]
    path = tmp_path / "own.yml"
    path.write_bytes(content)
    problems = read_layer(path, "params/own.yml").problems
    assert [(p.key, p.line) for p in problems] == [(f"settings.{key}", line)]
    zh, en = (wording.explain(SettingsError(problems), lang)[0] for lang in ("zh", "en"))
    assert zh.startswith("params/own.yml")
    assert not re.search(r"[a-z]{4}", zh.removeprefix("params/own.yml").replace("report.again", ""))
    assert "found" not in en.split("“")[0]


def test_an_alias_may_be_used_twice(tmp_path: Path) -> None:
    path = tmp_path / "own.yml"
    path.write_text("a: &x {b: 1}\nc: *x\nd: *x\n", encoding="utf-8")
    layer = read_layer(path, "own.yml")
    assert layer.problems == []
    assert layer.values == {"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1}}


def test_aliases_that_blow_a_file_up_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.yml"
    rows = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    path.write_text("\n".join(["a0: &a0 [x, x, x]", *rows]), encoding="utf-8")
    assert [p.key for p in read_layer(path, "own.yml").problems] == ["settings.too_many_values"]


@pytest.mark.parametrize("lang", wording.LANGUAGES)
@pytest.mark.parametrize("kind", ["period", "schemes", "playbooks"])
def test_the_command_ends_with_two_and_no_traceback(
    project: Path, kind: str, lang: wording.Language, monkeypatch, capsys
) -> None:
    loop = "segments: &s\n  again: *s\n"
    period = "extends: base.yml\nrun: a\nperiod: 2025Q3\n"
    if kind == "period":
        period, name = period + loop, "params/own.yml"
    else:
        name = f"params/{kind}/rfm5.yml"
        (project / name).write_text(loop, encoding="utf-8")
        period += (
            "sources:\n  orders:\n    path: o.csv\n    event: shipped\n    tax: excluded\n"
            "    columns: {customer_id: a, ordered_at: b, amount: c}\n"
        )
    (project / "params" / "own.yml").write_text(period, encoding="utf-8")
    monkeypatch.setenv("ANALYSIS_LANG", lang)
    monkeypatch.setattr("sys.argv", ["analysis", "check", "params/own.yml", "--root", str(project)])
    with pytest.raises(SystemExit) as done:
        cli.main()
    assert done.value.code == SettingsError.exit_code
    told = capsys.readouterr().err
    assert name + ":" in told
    assert ("永远展不完" if lang == "zh" else "never ends") in told
    assert "Traceback" not in told
