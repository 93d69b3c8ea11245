"""What each measure is worth, and what the rules of adjustment suggest."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.exhibits import measures, review, worth
from tests.exhibits import effect_sample, sample


def test_a_record_without_decisions_has_no_such_table() -> None:
    assert worth.worth(sample.book()) is None


@pytest.mark.parametrize(("lang", "sure"), [("zh", "几乎肯定"), ("en", "near certain")])
def test_no_sample_gives_a_chance_of_one(lang: str, sure: str) -> None:
    shown = worth.worth(effect_sample.book(lang))
    assert shown is not None
    assert sure in shown.plain
    assert "100%" not in shown.plain


def test_what_would_change_the_decision_stands_in_the_unit_of_the_effects() -> None:
    shown = worth.worth(effect_sample.book())
    assert shown is not None
    assert "现在 2.1 万元" in shown.plain
    assert "2.7 万元" in shown.plain


def test_several_looks_show_all_periods_and_a_first_one_says_so() -> None:
    shown = worth.worth(effect_sample.book())
    assert shown is not None
    rows = {line.split("\t")[0]: line for line in shown.plain.splitlines() if "\t" in line}
    assert "5.5" in rows["高层互访"]
    assert "看了 2 次" in rows["高层互访"]
    assert "首期" in rows["新品试用"]


def test_a_measure_without_comparison_claims_nothing() -> None:
    shown = worth.worth(effect_sample.book())
    assert shown is not None
    rows = {line.split("\t")[0]: line.split("\t") for line in shown.plain.splitlines()}
    assert rows["新客户陪跑"][2:4] == ["–", "–"]


def test_without_a_cost_nothing_is_told_to_pay() -> None:
    tables = dict(effect_sample.book().tables)
    tables["effects"] = tables["effects"].assign(
        cost_per_customer=None, cost_total=None, break_even=None
    )
    shown = worth.worth(sample.book("zh", tables))
    assert shown is not None
    assert "几乎肯定" not in shown.plain
    assert "够本把握最大" not in shown.caption


def test_correction_and_failed_checks_are_told_below() -> None:
    shown = worth.worth(effect_sample.book())
    assert shown is not None
    assert "3 项一起比" in shown.plain
    assert "高层互访要留意" in shown.plain
    assert "像是随机分出来的" not in shown.plain  # a check that holds


def test_only_rules_that_fired_suggest_something() -> None:
    shown = worth.suggestions(effect_sample.book("en"))
    assert shown is not None
    assert "fired, to be discussed: 2" in shown.plain
    assert "Do it our own way." in shown.plain
    assert "9.6%" in shown.plain
    silent = effect_sample.adjustments().assign(fired=False)
    assert worth.suggestions(effect_sample.book(adjustments=silent)) is None


def test_the_decision_follows_the_written_rule() -> None:
    book = effect_sample.book(decisions=pd.DataFrame(columns=sample.decisions().columns))
    shown = review.review(book)
    assert shown is not None
    row = next(line for line in shown.plain.splitlines() if line.startswith("高层互访"))
    assert row.rstrip().endswith("扩大")


def _reviewed(**changes: object) -> str:
    frame = effect_sample.book().frame("effects").copy()
    mask = (frame["strategy"] == "product_trial") & (frame["segment"] == "all")
    assert mask.any()
    for name, value in changes.items():
        frame.loc[mask, name] = value
    none = pd.DataFrame(columns=sample.decisions().columns)
    shown = review.review(effect_sample.book(effects=frame, decisions=none))
    assert shown is not None
    return shown.plain


def test_what_is_stopped_is_not_advised_to_grow() -> None:
    slow = {"verdict": "cannot_tell", "grade": "A", "n_needed": 1258.0, "periods_needed": 41.0}
    reason = sample._reason("effect_reason.undecided_slow")
    assert "加大分批规模" in _reviewed(**slow, reason=reason, decision="keep_testing")
    assert "加大分批规模" not in _reviewed(**slow, reason=reason, decision="stop")


def test_not_all_had_it_where_others_are_too_different() -> None:
    apart = {"verdict": "cannot_tell", "grade": "D", "decision": "none", "estimate": None}
    reason = sample._reason("effect_reason.poor_overlap")
    assert "全都做了" in _reviewed(**apart, reason=reason, n_treated=76, n_control=0)
    shown = _reviewed(**apart, reason=reason, n_treated=77, n_control=441)
    assert "77 家做了" in shown
    assert "77 家全都做了" not in shown


def test_what_worked_at_an_unknown_cost_is_not_told_to_go_on() -> None:
    none = pd.DataFrame(columns=sample.decisions().columns)
    free = sample.effects().assign(cost_per_customer=None, break_even=None)
    for rows, decision in ((sample.effects(), "继续做"), (free, "维持再看")):
        tables = sample.tables() | {"decisions": none, "effects": rows}
        shown = review.review(sample.book("zh", tables))
        assert shown is not None
        row = next(line for line in shown.plain.splitlines() if line.startswith("高层互访"))
        assert row.rstrip().endswith(decision)


@pytest.mark.parametrize(("low", "told"), [(4e3, True), (-4e3, False)])
def test_an_open_measure_is_not_too_slow_where_its_periods_together_show_more(
    low: float, told: bool
) -> None:
    evidence = effect_sample.evidence()
    trial = evidence["strategy"] == "product_trial"
    looks = evidence.assign(
        look=evidence["look"].mask(trial, 2), together_low=evidence["together_low"].mask(trial, low)
    )
    book = effect_sample.book(evidence=looks)
    found = next(m for m in measures.measures(book) if m.strategy == "product_trial")
    assert found.verdict == "cannot_tell"
    assert ("合看平均多 1.2 万元" in measures.in_short(book, found).plain) == told
