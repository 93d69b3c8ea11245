"""Schemes: the shipped one is D1 word for word, and a broken one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis import wording
from analysis.errors import SettingsError
from analysis.segmentation import Scheme, load_scheme
from analysis.segmentation.scheme import RFM5_RANKS, lint

DECISION_D1 = {
    "exact": {
        ("near", "high", "high"): "high_value",
        ("near", "mid", "mid"): "potential",
        ("far", "low", "low"): "churn_risk",
        ("far", "low", "high"): "low_frequency_essential",
        ("near", "low", "low"): "new",
    },
    "inferred": {
        ("near", "high", "mid"): "potential",
        ("near", "mid", "high"): "potential",
        ("near", "high", "low"): "potential",
        ("near", "mid", "low"): "potential",
        ("near", "low", "mid"): "potential",
        ("near", "low", "high"): "low_frequency_essential",
        ("far", "mid", "low"): "churn_risk",
        ("far", "mid", "mid"): "churn_risk",
        ("far", "mid", "high"): "churn_risk",
        ("far", "high", "low"): "churn_risk",
        ("far", "high", "mid"): "churn_risk",
        ("far", "high", "high"): "churn_risk",
        ("far", "low", "mid"): "churn_risk",
    },
}


@pytest.mark.requirement("000-10")
def test_the_cells_are_those_of_the_decision(rfm5: Scheme) -> None:
    found = {
        place: {(c.r, c.f, c.m): c.segment for c in rfm5.cells if c.place == place}
        for place in ("exact", "inferred")
    }
    assert found == DECISION_D1
    tagged = {c.rule for c in rfm5.cells if c.tag == "must_win_back"}
    assert tagged == {"far_mid_high", "far_high_high"}


def test_each_row_of_cells_reads_one_money(rfm5: Scheme) -> None:
    reads = {(c.segment, c.m): c.reads for c in rfm5.cells if c.place == "exact"}
    assert reads["low_frequency_essential", "high"] == "mean_order"
    assert reads["high_value", "high"] == "total"
    assert lint(rfm5) == []


def test_ranks_are_written_once_and_the_same(rfm5: Scheme) -> None:
    assert rfm5.segments == RFM5_RANKS


def test_every_rule_and_segment_has_words(rfm5: Scheme) -> None:
    for rule in [*rfm5.cells, *rfm5.guards, *rfm5.without_order]:
        assert wording.has(f"reason.{rule.rule}")
    for segment in rfm5.segments:
        for kind in ("segment", "segment_short", "segment_definition"):
            assert wording.has(f"{kind}.{segment}")


def broken(rfm5: Scheme, **changes: object) -> set[str]:
    content = rfm5.model_dump(by_alias=True) | changes
    return {problem.key.removeprefix("segmentation.") for problem in lint(Scheme(**content))}


@pytest.mark.requirement("001-15")
def test_lint_names_gaps_and_overlaps(rfm5: Scheme) -> None:
    cells = [cell.model_dump() for cell in rfm5.cells]
    assert broken(rfm5, cells=cells[1:]) >= {"gaps"}
    twice = [*cells, {**cells[0], "rule": "again"}]
    assert broken(rfm5, cells=twice) == {"overlaps"}
    problems = lint(Scheme(**(rfm5.model_dump(by_alias=True) | {"cells": cells[2:]})))
    gaps = next(p for p in problems if p.key == "segmentation.gaps")
    assert sorted(gaps.args["cells"]) == ["near·high·high", "near·high·mid"]


def test_lint_names_everything_else(rfm5: Scheme) -> None:
    cells = [cell.model_dump() for cell in rfm5.cells]
    guards = [guard.model_dump(by_alias=True) for guard in rfm5.guards]
    outside = [rule.model_dump(by_alias=True) for rule in rfm5.without_order]
    mixed = [{**cells[0], "reads": "mean_order"}, *cells[1:]]
    assert broken(rfm5, cells=mixed) == {"mixed_money"}
    assert broken(rfm5, cells=[{**cells[0], "segment": "vip"}, *cells[1:]]) >= {"unknown_segment"}
    assert broken(rfm5, cells=[{**cells[0], "rule": "trial"}, *cells[1:]]) >= {"repeated_rule"}
    assert broken(rfm5, segments={**rfm5.segments, "vip": 4}) == {"unreachable"}
    assert broken(rfm5, guards=[{**guards[0], "cells": ["nowhere"]}]) == {"unknown_cell"}
    condition = {"feature": "shoe_size", "is": "above", "than": "scheme"}
    assert broken(rfm5, guards=[{**guards[0], "when": [condition]}]) == {
        "unknown_feature",
        "unknown_setting",
    }
    assert broken(rfm5, without_order=outside[:1]) == {"no_fallback"}
    assert broken(rfm5, without_order=[outside[1], outside[0]]) >= {"shadowed", "no_fallback"}
    always = {**guards[0], "when": []}
    later = {**guards[0], "rule": "later"}
    assert broken(rfm5, guards=[always, later]) == {"shadowed"}
    assert broken(rfm5, without_order=[{**outside[1], "segment": None}]) == {"one_segment"}


def write(root: Path, content: str) -> Path:
    folder = root / "params" / "schemes"
    folder.mkdir(parents=True)
    (folder / "own.yml").write_text(content, encoding="utf-8")
    return root


@pytest.mark.parametrize("name", ["nothing", "../rfm5", "", "a/b"])
def test_a_missing_scheme_names_those_there(root: Path, name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_scheme(name, root)
    assert "rfm5" in caught.value.problems[0].args["allowed"]
    for lang in wording.LANGUAGES:
        assert "rfm5" in wording.explain(caught.value, lang)[0]


def test_a_broken_file_names_its_line(tmp_path: Path, root: Path) -> None:
    good = (root / "params" / "schemes" / "rfm5.yml").read_text(encoding="utf-8")
    write(tmp_path, good.replace("place: exact, segment: new", "place: sure, segment: new"))
    with pytest.raises(SettingsError) as caught:
        load_scheme("own", tmp_path)
    (problem,) = caught.value.problems
    assert problem.file == "params/schemes/own.yml"
    line = next(i for i, text in enumerate(good.splitlines(), 1) if "rule: near_low_low" in text)
    assert problem.line == line


def test_a_file_with_gaps_is_refused(tmp_path: Path, root: Path) -> None:
    good = (root / "params" / "schemes" / "rfm5.yml").read_text(encoding="utf-8")
    without = "\n".join(line for line in good.splitlines() if "rule: far_low_low" not in line)
    with pytest.raises(SettingsError) as caught:
        load_scheme("own", write(tmp_path, without))
    assert caught.value.exit_code == 2
    assert "far·low·low" in wording.explain(caught.value, "zh")[0]


def test_a_repeated_key_is_refused(tmp_path: Path, root: Path) -> None:
    good = (root / "params" / "schemes" / "rfm5.yml").read_text(encoding="utf-8")
    with pytest.raises(SettingsError):
        load_scheme("own", write(tmp_path, good + "\nscheme: other\n"))
