"""The catalogues: one set of keys and placeholders, two languages, no digit."""

from __future__ import annotations

import ast
import json
import re
from string import Formatter

import pytest

from analysis import errors, wording
from analysis.errors import Problem, SettingsError
from analysis.pipeline.imports import PACKAGE
from analysis.wording import catalogue
from analysis.wording.told import told

HAN = re.compile(r"[\u3400-\u9fff]")


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_keys() -> None:
    zh, en = set(wording.keys("zh")), set(wording.keys("en"))
    assert zh - en == set()
    assert en - zh == set()


@pytest.mark.parametrize("key", wording.keys("en"))
def test_same_placeholders(key: str) -> None:
    zh, en = (catalogue._catalogue(lang)[key] for lang in ("zh", "en"))
    assert placeholders(zh) == placeholders(en)


# Example values and names of settings are written as the user must type them.
TYPED = re.compile(
    r"YYYY\S*|\d{4}Q\d(\.\.\d{4}Q\d)?|GB18030|UTF-\d+|segmentation\.\S+|\"\{found\}\"|notebooks?/\S+"
)


@pytest.mark.parametrize("lang", wording.LANGUAGES)
def test_no_digits(lang: wording.Language) -> None:
    found = {
        key: text
        for key, text in catalogue._catalogue(lang).items()
        if re.search(r"\d", text) and not key.startswith(("error.", "note."))
    }
    assert found == {}
    errors_with = {
        key: text
        for key, text in catalogue._catalogue(lang).items()
        if key.startswith(("error.", "note.")) and re.search(r"\d", TYPED.sub("", text))
    }
    assert errors_with == {}


def test_english_holds_no_chinese() -> None:
    # file names, headers and the company's own tier field are quoted in the original
    found = {
        key: text
        for key, text in catalogue._catalogue("en").items()
        if HAN.search(text) and not key.startswith(("note.", "error.", "demo."))
    }
    assert found == {}


def test_chinese_is_chinese() -> None:
    same = {
        key
        for key in wording.keys("zh")
        if catalogue._catalogue("zh")[key] == catalogue._catalogue("en")[key]
        and re.search(r"[A-Za-z]{4}", catalogue._catalogue("zh")[key])
    }
    assert {key for key in same if not key.startswith(("column.", "demo."))} == set()


def test_every_error_raised_has_words() -> None:
    """Every ``Problem("…")`` in the package stands in the catalogues."""
    missing = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem"
            if named and node.args and isinstance(node.args[0], ast.Constant):  # type: ignore[attr-defined]
                key = f"error.{node.args[0].value}"  # type: ignore[attr-defined]
                if not wording.has(key):
                    missing.add(key)
    assert missing == set()


def test_explain_orders_and_bounds_the_list() -> None:
    problems = [
        Problem("settings.repeated_key", {"setting": f"s{i}"}, "b.yml", i) for i in range(48, 0, -1)
    ]
    lines = wording.explain(SettingsError(problems), "en")
    assert lines[0].startswith("b.yml:1: “s1”")
    assert lines[-1] == "… and 8 more."
    assert len(lines) == 41


def test_errors_cross_a_process_border() -> None:
    error = SettingsError(Problem("settings.repeated_key", {"setting": "x"}, "b.yml", 3))
    again = errors.from_json(error.as_json())
    assert type(again) is SettingsError
    assert again.problems == error.problems


@pytest.mark.parametrize(
    ("environ", "lang"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "ANALYSIS_LANG": "zh"}, "zh"),
    ],
)
def test_reader_language(environ: dict[str, str], lang: str) -> None:
    assert wording.reader_language(environ) == lang


@pytest.mark.parametrize(
    ("count", "said"), [(1, "1 customer "), (2, "2 customers "), (1_001, "1,001 customers ")]
)
def test_reasons_agree_with_their_number(count: int, said: str) -> None:
    args = {name: {"value": count, "unit": "count"} for name in ("n", "n_needed", "target", "one")}
    reason = json.dumps({"key": "goal_note.too_few", "args": args})
    assert said in told(reason, "en", "CNY")


@pytest.mark.parametrize(("high", "said"), [(250_000, "25.0 万元之间"), (0.25, "25.0% 之间")])
def test_chinese_follows_a_unit_without_a_space(high: float, said: str) -> None:
    unit = "money" if high > 1 else "share"
    names = ("n_treated", "n_control", "estimate", "low", "high", "break_even")
    args = {name: {"value": high, "unit": unit} for name in names}
    reason = json.dumps({"key": "effect_reason.worked", "args": args})
    assert said in told(reason, "zh", "CNY")


def test_the_companys_own_words() -> None:
    try:
        wording.relabel({"segment.high_value": {"zh": "战略客户"}})
        assert wording.text("segment.high_value", "zh") == "战略客户"
    finally:
        wording.relabel({})
    assert wording.text("segment.high_value", "zh") == "高价值客户"
