"""Adjustment rules: each fires and stays silent, too few says so, a bad file is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import wording
from analysis.calendars import Period
from analysis.effects.adjustments import adjust, load_adjustments
from analysis.effects.signals import separation, signals
from analysis.engine import conform
from analysis.errors import SettingsError
from analysis.settings_measures import Effectiveness
from analysis.tables import RECORD
from analysis.wording.told import told

ROOT = Path(__file__).resolve().parents[2]
RULES = load_adjustments(Effectiveness().adjustments, ROOT)
QUARTER = Period.parse("2025Q3")


def measured(kpi, value, n=200, segment="all", unit="share"):
    return pd.DataFrame(
        {"kpi": [kpi], "segment": [segment], "value": [value], "unit": [unit], "n": [n]}
    )


def looked_at(rule, kpis, effects=None):
    found = adjust(kpis, effects, {rule: RULES[rule]})
    conform(found, RECORD["adjustments"])
    return found.iloc[0]


def word(row):
    return json.loads(row["evidence"])["key"].removeprefix("adjustment_evidence.")


CASES = [
    pytest.param(
        "webinar_low", "webinar_participation", "all", 0.199, 0.200, "线下",
        marks=pytest.mark.requirement("000-28"), id="webinar",
    ),
    pytest.param(
        "integration_wanted", "integration_requests", "high_value", 1.0, 0.0, "技术团队",
        marks=pytest.mark.requirement("000-28"), id="integration",
    ),
    pytest.param(
        "training_converts_little", "training_conversion", "gold", 0.299, 0.300, "现场课",
        marks=pytest.mark.requirement("001-26"), id="training",
    ),
    pytest.param(
        "industry_separates_nothing", "industry_separation", "all", 0.019, 0.02, "数字化成熟度",
        marks=pytest.mark.requirement("001-27"), id="industry",
    ),
    pytest.param(
        "exclusive_service_falls", "exclusive_demand_change", "all", -0.2, -0.19, "资源对接",
        marks=pytest.mark.requirement("001-28"), id="exclusive",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "kpi", "segment", "fires", "silent", "says"), CASES)
def test_fires_and_stays_silent(rule, kpi, segment, fires, silent, says):
    row = looked_at(rule, measured(kpi, fires, segment=segment))
    assert (row["fired"], word(row)) == (True, "fired")
    assert says in told(row["suggestion"], "zh", "CNY")
    assert "建议调整" in told(row["evidence"], "zh", "CNY")
    row = looked_at(rule, measured(kpi, silent, segment=segment))
    assert (row["fired"], word(row)) == (False, "silent")
    least = RULES[rule].least_n
    if least > 1:
        row = looked_at(rule, measured(kpi, fires, n=least - 1, segment=segment))
        assert (row["fired"], word(row)) == (False, "too_few")
        assert "too few" in told(row["evidence"], "en", "CNY")
        assert looked_at(rule, measured(kpi, fires, n=least, segment=segment))["fired"]
    row = looked_at(rule, measured("revenue", 1.0))
    assert (row["fired"], word(row)) == (False, "not_measured")
    other = looked_at(rule, measured(kpi, fires, segment="somebody_else"))
    assert word(other) == "not_measured"


def test_every_shipped_rule_has_a_case():
    covered = {rule for (rule, *_), *_ in CASES}
    assert covered | {"not_carried_out"} == set(RULES)


def test_rules_on_effects_name_the_strategy():
    effects = pd.DataFrame(
        {
            "strategy": ["visit", "visit", "trial", "coupon"],
            "arm": ["a", "b", "a", "a"],
            "outcome": "revenue",
            "segment": "all",
            "unit": "money",
            "n_treated": [50, 60, 40, 10],
            "done_share": [0.9, 0.4, 0.8, 0.1],
        }
    )
    found = adjust(measured("revenue", 1.0), effects, {"r": RULES["not_carried_out"]})
    assert dict(zip(found["strategy"], found["fired"], strict=True)) == {
        "coupon": False,  # ten customers say nothing
        "trial": False,
        "visit": True,  # one of its arms
    }
    assert word(looked_at("not_carried_out", measured("revenue", 1.0))) == "not_measured"
    assert adjust(measured("revenue", 1.0), effects, {}).empty
    assert load_adjustments("", ROOT) == {}


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1))
def test_monotone(first, second):
    low, high = sorted((first, second))
    rule = "training_converts_little"
    lower = looked_at(rule, measured("training_conversion", low, segment="gold"))["fired"]
    higher = looked_at(rule, measured("training_conversion", high, segment="gold"))["fired"]
    assert lower >= higher


def refused(tmp_path, change):
    folder = tmp_path / "params" / "adjustments"
    folder.mkdir(parents=True, exist_ok=True)
    shipped = ROOT / "params" / "adjustments" / "standard.yml"
    content = yaml.safe_load(shipped.read_text(encoding="utf-8"))
    change(content["rules"])
    (folder / "own.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_adjustments("own", tmp_path)
    for lang in wording.LANGUAGES:
        assert wording.explain(caught.value, lang)
    places = [(p.file, p.line > 0) for p in caught.value.problems]
    assert set(places) == {("params/adjustments/own.yml", True)}
    return sorted(p.key.removeprefix("adjustments.") for p in caught.value.problems)


def test_all_problems_of_a_file_at_once(tmp_path):
    def change(rules):
        rules["webinar_low"]["kpi"] = "webinar_partcipation"
        rules["training_converts_little"]["bound"] = 30.0
        rules["integration_wanted"]["suggestion"] = "adjustment.nothing"
        rules["exclusive_service_falls"]["suggestion"] = {"zh": "换"}
        rules["industry_separates_nothing"]["effect"] = "done_share"
        rules["not_carried_out"]["effect"] = "luck"

    assert refused(tmp_path, change) == [
        "bound_share", "one_measure", "text_language", "unknown_effect", "unknown_kpi",
        "unknown_text",
    ]  # fmt: skip

    def form(rules):
        rules["webinar_low"]["operator"] = "under"
        rules["webinar_low"]["bounds"] = 1.0
        del rules["training_converts_little"]["least_n"]
        rules["integration_wanted"]["unit"] = "shares"

    assert refused(tmp_path, form) == ["missing", "unknown_key", "value", "value"]

    def unit(rules):
        rules["webinar_low"]["unit"] = "count"

    assert refused(tmp_path, unit) == ["other_unit"]
    for name in ("none", "../base", ""):
        if name:
            with pytest.raises(SettingsError, match="unknown_file"):
                load_adjustments(name, ROOT)


def test_own_words_are_kept_with_the_rule(tmp_path):
    folder = tmp_path / "params" / "adjustments"
    folder.mkdir(parents=True)
    (folder / "own.yml").write_text(
        "rules:\n  r:\n    kpi: retention\n    operator: below\n    bound: 0.8\n    unit: share\n"
        "    least_n: 5\n    suggestion: {zh: 多走动, en: Visit more}\n",
        encoding="utf-8",
    )
    rules = load_adjustments("own", tmp_path)
    found = adjust(measured("retention", 0.7), None, rules).iloc[0]
    assert json.loads(found["suggestion"])["text"] == {"zh": "多走动", "en": "Visit more"}
    assert found["fired"]


def test_signals_by_hand():
    segments = pd.DataFrame({"customer_id": list("abcd"), "segment": ["gold", "gold", "x", "x"]})
    activities = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c", "a"],
            "happened_at": pd.to_datetime(["2025-08-01 10:00"] * 3 + ["2025-03-01 09:00"]),
            "kind": ["webinar", "webinar", "visit", "webinar"],
        }
    )
    orders = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c"],
            "ordered_at": pd.to_datetime(["2025-08-01", "2025-07-31", "2025-09-01"]),
        }
    )
    mentions = pd.DataFrame(
        {"customer_id": ["a", "a", "c"], "trait": ["integration"] * 2 + ["custom"]}
    )
    before = pd.DataFrame({"customer_id": ["c", "d"], "trait": ["custom"] * 2})
    found = signals(
        segments,
        QUARTER,
        activities=activities,
        orders=orders,
        mentions=mentions,
        mentions_before=before,
    ).set_index(["kpi", "segment"])
    assert found.loc[("webinar_participation", "all"), "value"] == 0.5
    assert tuple(found.loc[("training_conversion", "gold"), ["value", "n"]]) == (0.5, 2)
    assert ("training_conversion", "x") not in found.index
    assert found.loc[("integration_requests", "gold"), "value"] == 1
    assert found.loc[("exclusive_demand_change", "all"), "value"] == -0.5
    assert signals(segments, QUARTER).empty


def test_separation_of_groups():
    rng = np.random.default_rng(2)
    groups = pd.Series(np.repeat(["a", "b", "c", "d"], 250))
    noise = pd.Series(rng.normal(0, 1, 1000))
    assert separation(noise, groups)[0] < 0.02
    apart = noise + groups.map({"a": 0.0, "b": 1.0, "c": 2.0, "d": 3.0})
    # spread of the means 1.25, of the rest 1: 1.25 / 2.25
    assert separation(apart, groups)[0] == pytest.approx(0.556, abs=0.03)
    value, n = separation(noise, pd.Series(["a"] * 1000))
    assert np.isnan(value)
    assert n == 1000
    order = rng.permutation(1000)
    shuffled = separation(apart.iloc[order], groups.iloc[order])
    assert shuffled == separation(apart, groups)
