"""What people write: varied, natural, of nobody real."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from analysis.demo import replies, texts, words

PERSON = re.compile(f"[{words.SURNAMES}][{words.STEMS}][{words.BRANCHES}]")


@pytest.mark.parametrize(
    ("name", "column"), [("销售记录.csv", "跟进内容"), ("售后工单.xlsx", "问题描述")]
)
def test_no_note_dominates(raw, name, column):
    notes = raw(name)[column]
    assert notes.value_counts(normalize=True).iloc[0] < 0.02
    assert notes.nunique() / len(notes) > 0.5
    # nor does a sentence once goods, people and figures are taken out
    bare = notes.str.replace(r"\d+", "", regex=True)
    for word in sorted([*texts.WHO, *_goods()], key=len, reverse=True):
        bare = bare.str.replace(word, "", regex=False)
    assert bare.value_counts(normalize=True).iloc[0] < 0.03


def _goods():
    return [item for _, items in words.PRODUCTS.values() for item, _ in items]


def test_no_gap_is_left_open(raw):
    for name, column in (("销售记录.csv", "跟进内容"), ("售后工单.xlsx", "问题描述")):
        assert not raw(name)[column].str.contains("[{}]").any()
    assert not raw("满意度调查.csv")["评价"].str.contains("[{}]").any()


@pytest.mark.parametrize("offered", [texts.NOTES, replies.TICKETS])
def test_every_sentence_holds_a_mark_of_its_pain(offered):
    assert set(offered) == set(texts.PAINS)
    for pain, sentences in offered.items():
        assert len(set(sentences)) == len(sentences) >= 8
        for sentence in sentences:
            assert any(mark in sentence for mark in texts.MARKS[pain]), sentence


def test_sentences_without_a_pain_hold_no_mark():
    plain = [*texts.NEUTRAL, *texts.VISITS, *texts.TRIALS, *texts.NEXT, *replies.QUESTIONS]
    plain += [opening for offered in texts.OPENINGS.values() for opening in offered]
    marks = [mark for offered in texts.MARKS.values() for mark in offered]
    held = {s for s in (*plain, *texts.WHO, *_goods()) if any(m in s for m in marks)}
    assert not held


def test_what_was_seen_on_the_spot_was_a_visit(raw):
    notes = raw("销售记录.csv")
    seen = notes["跟进内容"].str.contains("|".join(texts.SEEN[:6]))
    assert (notes.loc[seen, "互动类型"] == "现场拜访").mean() > 0.99
    by_kind = notes["互动类型"].value_counts(normalize=True)
    assert 0.35 < by_kind["现场拜访"] < 0.75
    assert pd.to_datetime(notes["互动时间"]).dt.day_of_week.max() <= 4


@pytest.mark.parametrize(
    ("name", "column"),
    [("联系人.csv", "姓名"), ("人员.csv", "姓名"), ("销售线索.xlsx", "姓名")],
)
def test_persons_are_made_up(raw, name, column):
    assert raw(name)[column].map(PERSON.fullmatch).notna().all()


def test_surveys_mix_two_scales_and_words(raw):
    answers = raw("满意度调查.csv")
    assert set(answers["题目"]) == {"NPS", "满意度"}
    nps = answers.loc[answers["题目"] == "NPS", "打分"].astype(int)
    assert nps.between(0, 10).all()
    rating = answers.loc[answers["题目"] == "满意度", "打分"]
    worded = ~rating.str.isdigit()
    assert 0.02 < worded.mean() < 0.15
    assert rating[~worded].astype(int).between(1, 5).all()
    assert {"满意", "5分"} <= set(rating[worded])
