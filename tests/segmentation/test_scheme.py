"""Scheme files: the shipped ones are sound, and a broken one is refused with all its faults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis import wording
from analysis.errors import SettingsError
from analysis.segmentation import Scheme, load_scheme, load_schemes, scheme_segments
from analysis.segmentation.lint import lint
from analysis.segmentation.scheme import RFM5_RANKS, best_and_worst
from analysis.settings_segmentation import Segmentation

SHIPPED = ("rfm5", "platinum4", "grade4", "saas3", "subscription5")

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


def cells(scheme: Scheme) -> dict[str, dict[tuple[str, ...], str | None]]:
    """The rules that are named after a cell of R, F and M."""
    found: dict[str, dict[tuple[str, ...], str | None]] = {"exact": {}, "inferred": {}}
    for rule in scheme.rules:
        cell = tuple(rule.rule.split("_"))
        if len(cell) == 3 and cell[0] in ("near", "far"):
            assert tuple(rule.alternatives[0].values()) == cell
            found[rule.place][cell] = rule.segment
    return found


@pytest.mark.requirement("000-10")
def test_the_cells_are_those_of_the_decision(rfm5: Scheme) -> None:
    assert cells(rfm5) == DECISION_D1
    tagged = {rule.rule for rule in rfm5.rules if rule.tag == "must_win_back"}
    assert tagged == {"far_mid_high", "far_high_high", "lapsed"}


def test_ranks_are_written_once_and_the_same(rfm5: Scheme) -> None:
    assert rfm5.ranks == RFM5_RANKS
    assert (rfm5.best, rfm5.at_risk) == best_and_worst(None) == best_and_worst(rfm5)
    assert [s.position for s in rfm5.segments.values()] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_schemes_have_nothing_to_fault(root: Path, name: str) -> None:
    settings = Segmentation(scheme=name)
    scheme = load_scheme(name, root, settings)
    kinds = {finding.kind for finding in lint(scheme, settings)}
    assert kinds <= {"ordered", "idle", "fallback"}
    for segment in scheme.segments:
        for kind in ("segment", "segment_short"):
            assert wording.has(f"{kind}.{segment}")
        assert wording.has(f"segment_definition.{name}.{segment}") or name == "rfm5"
    assert wording.has(f"scheme.{name}")
    # a customer type has a part to play; whose contract ended long ago has none left
    types = [s for s in scheme.segments.values() if s.role or s.rank > 0]
    assert 3 <= len(types) <= 5


def test_every_rule_of_rfm5_has_a_sentence(rfm5: Scheme) -> None:
    assert rfm5.sentences
    assert all(wording.has(f"reason.{rule.rule}") for rule in rfm5.rules)


@pytest.mark.requirement("003-04")
def test_four_grades(root: Path) -> None:
    scheme = load_scheme("grade4", root)
    assert [wording.text(f"segment_short.{s}", "zh") for s in scheme.segments] == [
        "高价值", "潜力", "需要维护", "低价值",
    ]  # fmt: skip


GOOD = """\
scheme: own
thresholds:
  large: {value: 1000, unit: money}
segments:
  good: {rank: 2, role: best, names: {zh: 好, en: Good}}
  poor: {rank: 1, role: at_risk}
rules:
  - {rule: big, segment: good, when: {monetary: ">= large"}}
  - rule: often
    segment: good
    when:
      - {frequency: ">= 5"}
      - {frequency: ">= 3", recency_days: "<= 30"}
fallback: {rule: rest, segment: poor, place: inferred}
"""


def write(root: Path, content: str) -> Path:
    folder = root / "params" / "schemes"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "own.yml").write_text(content, encoding="utf-8")
    return root


def faults(root: Path, content: str, **settings: Any) -> dict[str, tuple[int, dict[str, Any]]]:
    with pytest.raises(SettingsError) as caught:
        load_scheme("own", write(root, content), Segmentation(scheme="own", **settings))
    for lang in wording.LANGUAGES:
        assert all("{" not in line for line in wording.explain(caught.value, lang))
    assert all(p.file == "params/schemes/own.yml" for p in caught.value.problems if p.line)
    return {p.key.split(".")[-1]: (p.line, dict(p.args)) for p in caught.value.problems}


def test_a_scheme_of_ones_own(tmp_path: Path) -> None:
    scheme = load_scheme("own", write(tmp_path, GOOD))
    found = scheme_segments(scheme).set_index("segment")
    assert found.loc["good", "name_zh"] == "好"
    assert list(found["primary"]) == [True, True]
    assert list(found["position"]) == [1, 2]


@pytest.mark.parametrize(
    ("old", "new", "fault", "line", "told"),
    [
        ("monetary: ", "monetray: ", "unknown_feature", 8, "monetary"),
        (">= large", ">= larg", "unknown_threshold", 8, "large"),
        (">= large", "=> large", "unreadable_condition", 8, "=> large"),
        (">= large", "near", "unknown_word", 8, "near"),
        ("{monetary: ", "{recency: ", "no_number", 8, "recency_days"),
        ("segment: poor, place", "segment: pour, place", "unknown_segment", 14, "pour"),
        ("place: inferred", "place: sure", "wrong_value", 14, "exact"),
        ("place: inferred", "plaec: inferred", "unknown_key", 14, "place"),
        ("rank: 1, ", "", "missing_key", 6, "rank"),
        ("role: at_risk", "role: best", "one_of_role", 4, "at_risk"),
        ("rule: often", "rule: big", "repeated_rule", 7, "big"),
        ("fallback: {rule: rest,", "fallback: {when: {visits: 3}, rule: rest,",
         "fallback_with_conditions", 14, "rest"),
        ("segment: good, when", "segment: good, segment_setting: trial_is, when",
         "one_segment", 8, "big"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, fault: str, line: int, told: str
) -> None:
    assert old in GOOD
    found = faults(tmp_path, GOOD.replace(old, new, 1))
    assert fault in found
    assert found[fault][0] == line
    assert told in str(found[fault][1])


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("rank: 1, ", "rank: one, ", "segments."),
        ("fallback: {rule: rest, segment: poor, place: inferred}", "fallback: rest", "fallback"),
    ],
)
def test_a_value_of_the_wrong_kind_is_told_in_the_readers_words(
    tmp_path: Path, old: str, new: str, place: str
) -> None:
    assert old in GOOD
    _, args = faults(tmp_path, GOOD.replace(old, new, 1))["wrong_value"]
    assert str(args["place"]).startswith(place)
    assert str(args["allowed"]["key"]).startswith("settings.allowed.")


def test_gaps_are_refused(tmp_path: Path) -> None:
    found = faults(tmp_path, GOOD.replace(GOOD.splitlines()[-1], ""))
    assert set(found) == {"gap", "unreachable"}
    assert "frequency = " in wording.said(found["gap"][1]["example"], "en")
    assert "下单次数为" in wording.said(found["gap"][1]["example"], "zh")


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    broken = GOOD.replace("monetary", "monetray").replace('">= 5"', '">= five"')
    found = faults(tmp_path, broken.replace("rule: rest, segment: poor", "rule: rest, segment: x"))
    assert set(found) == {"unknown_feature", "unknown_threshold", "unknown_segment"}


def test_an_empty_setting_needs_a_number(tmp_path: Path) -> None:
    found = faults(tmp_path, GOOD.replace(">= large", "> high_value_total"))
    assert found["empty_setting"][1]["setting"] == "high_value_total"
    scheme = load_scheme("own", write(tmp_path, GOOD.replace(">= large", ">= high_value_total")))
    assert scheme.scheme == "own"


def test_thresholds_are_set_by_name(tmp_path: Path, root: Path) -> None:
    found = faults(tmp_path, GOOD, thresholds={"lagre": 5.0})
    assert "large" in str(found["threshold_not_there"][1])
    both = Segmentation(
        scheme="platinum4", crosswalk=["rfm5"], thresholds={"platinum_amount": 2_000_000.0}
    )
    assert [s.scheme for s in load_schemes(root, both)] == ["platinum4", "rfm5"]
    with pytest.raises(SettingsError) as caught:
        load_schemes(root, both.model_copy(update={"thresholds": {"nobodys": 1.0}}))
    assert caught.value.problems[0].key == "schemes.threshold_not_there"


def test_weights_add_to_one(tmp_path: Path) -> None:
    weighted = GOOD.replace(
        "rules:", "scores: {value: {parts: {monetary: 0.5, visits: 0.4}}}\nrules:"
    )
    assert faults(tmp_path, weighted)["weights"][1]["found"] == 0.9


def test_a_grid_cannot_place_customers(tmp_path: Path, root: Path) -> None:
    published = root / "tests" / "segmentation" / "published" / "pymc_default.yml"
    found = faults(tmp_path, published.read_text(encoding="utf-8"))
    assert "only_a_grid" in found


@pytest.mark.parametrize("name", ["nothing", "../rfm5", "", "a/b"])
def test_a_missing_scheme_names_those_there(root: Path, name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_scheme(name, root)
    assert "rfm5" in caught.value.problems[0].args["allowed"]
    for lang in wording.LANGUAGES:
        assert "rfm5" in wording.explain(caught.value, lang)[0]


def test_a_repeated_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        load_scheme("own", write(tmp_path, GOOD + "\nscheme: other\n"))


@pytest.mark.requirement("001-15")
def test_the_printed_rules_of_a_software_vendor_are_refused(root: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_scheme("saas3_printed", root)
    assert caught.value.exit_code == 2
    assert {p.key for p in caught.value.problems} == {"schemes.gap", "schemes.bounds_overlap"}
    assert all(p.file == "params/schemes/saas3_printed.yml" for p in caught.value.problems)
