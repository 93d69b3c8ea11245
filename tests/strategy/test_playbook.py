"""The playbook that ships, and playbooks that cannot be carried out."""

from __future__ import annotations

import re
from functools import partial

import pytest
import yaml
from tests.schemes import SCHEMES, scheme_segments

from analysis import wording
from analysis.calendars import Period
from analysis.effects import assign
from analysis.errors import SettingsError
from analysis.settings_measures import Strategy
from analysis.strategy import allocate, candidates, load_playbook, options, plan, playbook_for
from analysis.tables import RECORD

from .conftest import ROOT, SEGMENTS

SHIPPED = (ROOT / "params" / "playbooks" / "rfm5.yml").read_text(encoding="utf-8")


def problems(tmp_path, change, capsys=None):
    """The problems of the shipped playbook after a change."""
    folder = tmp_path / "params" / "playbooks"
    folder.mkdir(parents=True, exist_ok=True)
    content = yaml.safe_load(SHIPPED)
    change(content["segments"], content)
    (folder / "own.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_playbook("own", tmp_path, segments=SEGMENTS)
    for lang in wording.LANGUAGES:
        assert wording.explain(caught.value, lang)
    assert all(p.file == "params/playbooks/own.yml" and p.line > 0 for p in caught.value.problems)
    return [p.key.removeprefix("strategy.") for p in caught.value.problems]


@pytest.mark.requirement("000-20", "000-21", "000-22")
def test_shipped_playbook_holds_the_documents_rows(playbook):
    def measure(key):
        return playbook.find(key)[1]

    visit = measure("executive_visit")
    assert (visit.owner_role, visit.extra, len(visit.tasks)) == ("sales_director", True, 3)
    assert not measure("quarterly_review").extra
    trial, guidance = measure("product_trial"), measure("solution_guidance")
    assert trial.owner_role == guidance.owner_role == "sales_rep"
    assert playbook.segments["potential"].terms["sessions"].value == 3
    risk = playbook.segments["churn_risk"]
    assert (risk.terms["call"].value, risk.terms["call"].unit) == (48, "hours")
    assert (risk.days("call"), risk.days("reasons")) == (2, 7)
    assert risk.terms["discount"].value == 0.2
    assert measure("win_back_call").due == "call"
    assert measure("win_back_offer").owner_role == "cs_specialist"


def test_overview_has_a_row_a_measure(playbook):
    shown = playbook.overview().set_index("measure")
    assert len(shown) == len(list(playbook.measures()))
    assert shown.loc["win_back_call", "due"] == 2
    assert shown.notna().all().all()


def test_every_segment_is_served(playbook):
    assert set(playbook.segments) == set(SEGMENTS)
    for own in playbook.segments.values():
        assert {m.extra for m in own.measures.values()} == {True, False}


@pytest.mark.requirement("001-18")
def test_all_words_exist_and_hold_no_digits(playbook):
    for segment in playbook.segments.values():
        args = dict.fromkeys(segment.arguments(), "x")
        for angle in ("goal", "product", "communication", "resources", "frequency"):
            for lang in wording.LANGUAGES:
                text = wording.text(getattr(segment, angle), lang, **args)
                assert not re.search(r"\d", text)
    for _, key, measure in playbook.measures():
        for name in (
            f"measure.{key}",
            f"strategy.{measure.strategy}",
            f"role.{measure.owner_role}",
            f"channel.{measure.channel}",
            f"kpi.{measure.kpi}",
        ):
            assert wording.has(name)


def test_changed_term_moves_the_date(tmp_path):
    folder = tmp_path / "params" / "playbooks"
    folder.mkdir(parents=True)
    own = SHIPPED.replace("{value: 48, unit: hours}", "{value: 72, unit: hours}")
    (folder / "rfm5.yml").write_text(own, encoding="utf-8")
    found = load_playbook("rfm5", tmp_path, segments=SEGMENTS)  # the project's own goes first
    assert found.segments["churn_risk"].days("call") == 3
    assert found.segments["churn_risk"].days("first_call") == 3  # one time, written once


def test_packaged_playbook_where_the_project_has_none(tmp_path, playbook):
    assert load_playbook("rfm5", tmp_path, segments=SEGMENTS) == playbook


def test_own_words_in_both_languages(tmp_path):
    folder = tmp_path / "params" / "playbooks"
    folder.mkdir(parents=True)
    content = yaml.safe_load(SHIPPED)
    content["segments"]["new"]["goal"] = {"zh": "陪跑 {accompany} 天", "en": "{accompany} days"}
    (folder / "own.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    found = load_playbook("own", tmp_path, segments=SEGMENTS)
    assert found.segments["new"].goal["zh"].startswith("陪跑")


def test_unknown_playbook(tmp_path):
    for name in ("nothing", "../secrets", "a/b"):
        with pytest.raises(SettingsError) as caught:
            load_playbook(name, tmp_path)
        assert caught.value.problems[0].key == "strategy.unknown_playbook"
        assert "rfm5" in wording.explain(caught.value, "zh")[0]


@pytest.mark.requirement("000-19", "001-23")
@pytest.mark.parametrize("field", ["owner_role", "due", "start", "kpi", "tasks", "cost"])
def test_no_measure_without(tmp_path, field):
    def change(segments, _):
        del segments["new"]["measures"]["onboarding"][field]

    assert problems(tmp_path, change) == ["missing"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda s, _: s["new"].update(extra_angle="x"), ["unknown_key"]),
        (lambda s, _: s.update(platinum=s.pop("new")), ["unknown_segment"]),
        (
            lambda s, _: s["new"]["measures"]["onboarding"].update(owner_role="wizard"),
            ["unknown_role"],
        ),
        (lambda s, _: s["new"]["measures"]["onboarding"].update(kpi="luck"), ["unknown_kpi"]),
        (
            lambda s, _: s["new"]["measures"]["onboarding"].update(channel="fax"),
            ["unknown_channel"],
        ),
        (lambda s, _: s["new"].update(goal="playbook.none"), ["unknown_text"]),
        (lambda s, _: s["new"].update(goal={"zh": "好"}), ["text_language"]),
        (lambda s, _: s["new"].update(goal={"zh": "{", "en": "x"}), ["bad_text"]),
        (lambda s, _: s["new"].update(terms={}), ["unknown_term", "unknown_term"]),
        (lambda s, _: s["new"].update(clocks={"first_cal": 2}), ["unknown_clock", "no_time"]),
        (
            lambda s, _: s["churn_risk"]["clocks"].update(reasons={"value": 5, "unit": "days"}),
            ["two_times"],
        ),
        (lambda s, _: s["new"]["entitlements"].update(luck=True), ["unknown_benefit"]),
        (lambda s, _: s["new"].update(least_touches=2), ["too_few_touches"]),
        (lambda s, _: s["new"].update(personal_goal={"fact": "money", "to": 1}), ["unknown_fact"]),
        (lambda s, _: s["new"].update(personal_goal={"fact": "need", "to": 1}), ["unknown_fact"]),
        (lambda s, _: s["new"].update(personal_goal={"fact": "monetary"}), ["one_goal"]),
        (
            lambda s, _: s["new"].update(
                personal_goal={"fact": "monetary", "to": 1, "growth": 0.1}
            ),
            ["one_goal"],
        ),
        (lambda s, _: s["new"]["entitlements"].pop("training"), ["no_entitlement"] * 2),
        (
            lambda s, _: s["new"]["measures"]["onboarding"].update(resources="resource.none"),
            ["unknown_text"],
        ),
        (lambda s, _: s["new"]["measures"]["onboarding"].update(cooldown=-1), ["value"]),
        (lambda s, _: s["new"]["measures"]["onboarding"].update(target={"value": 1}), ["missing"]),
        (
            lambda s, _: s["churn_risk"]["measures"]["win_back_call"].update(due="soon"),
            ["unknown_term"],
        ),
        (
            lambda s, _: s["new"]["measures"]["welcome_call"].update(due=5),
            ["task_after_measure"],
        ),
        (
            lambda s, _: s["new"]["measures"].update(
                executive_visit=s["high_value"]["measures"]["executive_visit"]
            ),
            ["measure_twice", "strategy_split", "no_entitlement"],
        ),
        (
            lambda s, _: s["new"]["measures"]["welcome_call"].update(strategy="onboarding"),
            ["strategy_split"],
        ),
        (lambda s, _: s["new"]["measures"]["onboarding"].update(cost="free"), ["value"]),
        (lambda s, _: s["new"]["measures"]["onboarding"].update(due=-1), ["value"]),
        (lambda _, c: c["substitutes"].update(sales_rep=["wizard"]), ["unknown_role"]),
    ],
)
def test_what_cannot_be_carried_out(tmp_path, change, expected):
    assert problems(tmp_path, change) == expected


def test_all_problems_at_once(tmp_path):
    def change(segments, _):
        segments["new"]["measures"]["onboarding"].update(owner_role="wizard", kpi="luck")
        segments["potential"]["goal"] = "playbook.none"

    assert sorted(problems(tmp_path, change)) == ["unknown_kpi", "unknown_role", "unknown_text"]


def test_repeated_keys_are_told(tmp_path):
    folder = tmp_path / "params" / "playbooks"
    folder.mkdir(parents=True)
    (folder / "own.yml").write_text(SHIPPED + "\nplaybook: again\n", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_playbook("own", tmp_path, segments=SEGMENTS)
    assert caught.value.problems[0].key == "settings.repeated_key"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_shipped_scheme_has_a_playbook_for_each_segment(scheme):
    found = playbook_for("", scheme_segments(scheme), ROOT)
    assert found.playbook == scheme
    assert set(found.segments) == set(SCHEMES[scheme])
    for _, key, measure in found.measures():
        assert wording.has(f"measure.{key}")
        assert wording.has(f"strategy.{measure.strategy}")


def test_no_playbook_means_an_empty_plan(company):
    own = scheme_segments("rfm5").assign(scheme="own")
    found = playbook_for("", own, ROOT)
    assert found.strategies() == []
    assert found.overview().empty
    quarter = Period.parse("2025Q4")
    nobody = candidates(
        company["segments"], company["features"], company["customers"], {}, found, Strategy(),
        0.3, quarter, 7, min_arm=20,
    )  # fmt: skip
    nothing = options(
        nobody, company["customers"], company["people"], company["features"], found, {},
        Strategy(), 0.3,
    )  # fmt: skip
    draw = partial(
        assign, customers=company["customers"], features=company["features"],
        settings=Strategy(), period_next=quarter, seed=7, min_arm=20,
    )  # fmt: skip
    means = allocate(
        nothing, company["people"], company["segments"], company["features"], found, Strategy(),
        draw=draw, period_next=quarter, seed=7,
    )  # fmt: skip
    rows = plan(
        means.chosen, company["segments"], company["features"], found, Strategy(), quarter,
        scheme_segments=own,
    )  # fmt: skip
    assert list(rows.columns) == RECORD["plan"].names
    assert rows.empty
