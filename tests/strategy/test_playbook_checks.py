"""Conditions that cannot be asked or never hold, and targets that do not agree."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import wording
from analysis.conditions import holds, parse
from analysis.errors import SettingsError
from analysis.strategy.facts import FACTS, Fact
from analysis.strategy.playbook import Playbook
from analysis.strategy.playbook_checks import can_hold, count_gaps, known_words, lint
from analysis.strategy.playbook_files import load_playbook, read_playbook

from .conftest import ROOT, SEGMENTS

PLAYBOOKS = sorted(path.stem for path in (ROOT / "params" / "playbooks").glob("*.yml"))


def asked(playbook: Playbook, when) -> list[str]:
    """The problems of a playbook one of whose duties asks for this."""
    plan = playbook.segments["new"]
    measure = plan.measures["starter_help"].model_copy(
        update={"when": when if isinstance(when, list) else [when]}
    )
    plan = plan.model_copy(update={"measures": {**plan.measures, "starter_help": measure}})
    changed = playbook.model_copy(update={"segments": {**playbook.segments, "new": plan}})
    found = list(lint(changed, known_words(SEGMENTS)))
    for lang in wording.LANGUAGES:
        assert not found or wording.explain(SettingsError(found), lang)
    return [p.key.removeprefix("strategy.") for p in found]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({"overdue_days": "> 30"}, []),
        ([{"overdue_days": "> 30"}, {"pain": ["price", "delivery"]}], []),
        ({"pain": "price, delivery", "need": ["custom", "complex"]}, []),
        ({"on_trial": "yes"}, []),
        ({"signal": "公开招标"}, []),
        ({"product_gap": "known"}, []),
        ({"satisfaction": ["missing", "<= 3"]}, []),
        ({"days_to_renewal": ">= -30, < 0"}, []),
        ({"overdu_days": "> 30"}, ["unknown_fact"]),
        ({"pain": "deliver"}, ["unknown_word"]),
        ({"need": "delivery"}, ["unknown_word"]),
        ({"monetary": "high"}, ["unknown_word"]),  # bands are a scheme's
        ({"pain": "> 3"}, ["no_number"]),
        ({"signal": 3}, ["no_number"]),
        ({"monetary": "> high_value_total"}, ["bad_condition"]),
        ({"monetary": "=> 3"}, ["bad_condition"]),
        ({"monetary": []}, ["bad_condition"]),
        ({}, ["empty_condition"]),
        ({"overdue_days": "> 30, < 10"}, ["never_holds"]),
        ({"overdue_days": "< 0"}, ["never_holds"]),
        ({"satisfaction": "> 5"}, ["never_holds"]),
        ({"frequency": "> 1, < 2"}, ["never_holds"]),
        ({"frequency": "= 1.5"}, ["never_holds"]),
        ({"overdue_days": "missing, > 3"}, ["never_holds"]),
        ({"pain": "price, missing"}, ["never_holds"]),
        ({"need": "custom, simple"}, ["never_holds"]),  # there is but one
        ({"on_trial": "yes, no"}, ["never_holds"]),
        ([{"overdue_days": "> 30, < 10"}, {"need": "large"}], ["never_holds", "unknown_word"]),
    ],
)
def test_conditions(playbook, when, expected) -> None:
    assert asked(playbook, when) == expected


def test_the_line_and_the_nearest_word_are_told(tmp_path) -> None:
    text = (ROOT / "params" / "playbooks" / "rfm5.yml").read_text(encoding="utf-8")
    folder = tmp_path / "params" / "playbooks"
    folder.mkdir(parents=True)
    text = text.replace('when: {overdue_days: "> 30"}', 'when: {overdu_days: "> 30"}', 1)
    text = text.replace("- pain: [delivery, ", "- pain: [delivry, ", 1)
    (folder / "own.yml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_playbook("own", tmp_path, segments=SEGMENTS)
    lines = text.splitlines()
    told = {p.args["found"]: lines[p.line - 1] for p in caught.value.problems}
    assert "overdu_days" in told["overdu_days"]
    assert "delivry" in told["delivry"]
    said = "\n".join(wording.explain(caught.value, "zh"))
    assert "是不是“overdue_days”" in said
    assert "是不是“delivery”" in said


VALUES = [math.nan, *np.arange(-3, 8.5, 0.5)]


@given(
    row=st.lists(
        st.tuples(st.sampled_from([">=", ">", "<=", "<", "="]), st.integers(-3, 7)),
        min_size=1, max_size=3,
    ),
    whole=st.booleans(),
    ends=st.sampled_from([(-math.inf, math.inf), (0.0, math.inf), (1.0, 5.0)]),
)  # fmt: skip
def test_what_can_hold_holds_for_some_value(row, whole, ends) -> None:
    fact = Fact(("orders",), "number", *ends, whole=whole)
    written = ", ".join(f"{sign} {limit}" for sign, limit in row)
    inside = [v for v in np.arange(-4, 8.25, 0.25) if ends[0] <= v <= ends[1]]
    values = [v for v in inside if not whole or v == int(v)]
    found = holds(pd.DataFrame({"x": values}), [{"x": written}]).any()
    assert can_hold(parse("x", written), fact) == found


@given(
    words=st.lists(
        st.sets(st.sampled_from("abc"), min_size=1).map(frozenset), min_size=1, max_size=3
    ),
    many=st.booleans(),
)
def test_words_that_can_stand_together(words, many) -> None:
    written = ", ".join(next(iter(w)) for w in words)  # single words, all of them asked for
    fact = Fact((), words=("a", "b", "c"), many=many)
    size = 3 if many else 1
    sets = [frozenset(c) for n in range(1, size + 1) for c in itertools.combinations("abc", n)]
    found = holds(pd.DataFrame({"x": sets}), [{"x": written}]).any()
    assert can_hold(parse("x", written, None), fact) == found


@pytest.mark.requirement("001-32")
def test_thirty_per_cent_of_fifty_are_fifteen() -> None:
    book = load_playbook("platinum4", ROOT)
    assert list(count_gaps(book, {"at_risk": 50})) == []
    assert list(count_gaps(book, {"at_risk": 49})) == []  # 14.7
    (gap,) = count_gaps(book, {"at_risk": 60, "gold": 35})
    assert (gap.segment, gap.meant, gap.stated) == ("at_risk", 18.0, 15.0)
    assert list(count_gaps(book, {})) == []


@pytest.mark.requirement("001-23", "000-19")
@pytest.mark.parametrize("name", PLAYBOOKS)
def test_every_shipped_playbook_can_be_carried_out(name) -> None:
    book, layer = read_playbook(ROOT / "params" / "playbooks" / f"{name}.yml", ROOT)
    assert list(lint(book, known_words(), layer)) == []
    assert book.playbook == name
    for segment, key, measure in book.measures():
        for word in (
            f"segment.{segment}", f"segment_short.{segment}", f"measure.{key}",
            f"strategy.{measure.strategy}",
        ):  # fmt: skip
            assert wording.has(word)
        if measure.channel == "visit" and not measure.extra:
            assert measure.visits > 0
    for plan in book.segments.values():
        assert plan.sure_touches >= plan.least_touches >= 1


@pytest.mark.parametrize("name", ["rfm5", "subscription"])
def test_what_the_made_up_companies_know_stays_as_it_was(name) -> None:
    """No condition thins out an extra measure: its effect was planted for the whole segment."""
    book = load_playbook(name, ROOT)
    costs = {
        "rfm5": {
            "executive_visit": 7500, "product_trial": 2000, "win_back_offer": 3000,
            "scheduled_reorder": 500, "onboarding": 1200,
        },
        "subscription": {
            "expansion": 900, "proactive_care": 600, "onboarding": 1500, "executive_visit": 3000,
        },
    }  # fmt: skip
    extra = {key: m for _, key, m in book.measures() if m.extra}
    assert {key: m.cost for key, m in extra.items()} == costs[name]
    assert not any(m.when for m in extra.values())


def test_facts_have_names() -> None:
    for name in FACTS:
        assert wording.has(f"feature_name.{name}") or wording.has(f"fact.{name}"), name
