"""Page 1 on planted situations: the rule that holds, its words, and its numbers."""

from __future__ import annotations

import html
import math
import re
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from analysis.exhibits import accounts, cautions, decisions, page_one, review, tiles
from analysis.exhibits.book import Book
from analysis.exhibits.conclusion import Conclusion, choose, conclude
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import Fact
from analysis.exhibits.forms import Form, write
from analysis.exhibits.reasons import ranked, reasons
from tests.exhibits import sample

BEFORE = 100e6
STEPS = ("new", "returned", "more", "less", "not_bought")
Tables = dict[str, pd.DataFrame]


def planted(*kpis: dict[str, Any], target: float | None = None, **steps: float) -> Tables:
    """A record of KPIs and a bridge that adds up from 10,000 万元."""
    now = BEFORE + sum(steps.values())
    rows = [("previous", BEFORE, 900)]
    rows += [(step, steps.get(step, 0.0), 40 if steps.get(step) else 0) for step in STEPS]
    bridge = pd.DataFrame([*rows, ("current", now, 900)], columns=["step", "amount", "customers"])
    revenue = sample.kpi("revenue", "money", now, target=target, previous=BEFORE)
    return {"kpis": pd.DataFrame([revenue, *kpis]), "bridge": bridge}


def new_customers(count: float, target: float) -> dict[str, Any]:
    return sample.kpi("new_customers", "count", count, target=target)


def year(done: float, target: float) -> dict[str, Any]:
    return sample.kpi("revenue_ytd", "money", done, target=target)


def buyers(now: float, before: float) -> dict[str, Any]:
    return sample.kpi("active_customers", "count", now, previous=before)


def first() -> Tables:
    tables = planted(target=90e6)
    tables["kpis"] = tables["kpis"].assign(previous=None, change=None)
    tables["bridge"].loc[tables["bridge"]["step"] == "previous", "amount"] = 0.0
    return tables


def plain(piece: Any) -> str:
    return str(piece.plain).replace("\u00a0", " ")


SITUATIONS: dict[str, tuple[Tables, Conclusion, str, str]] = {
    "target met": (
        planted(more=20e6, less=-6e6, not_bought=-2e6, new=3e6, target=110e6),
        Conclusion("met", "up", "up_more"),
        "三季度发货收入 11,500 万元，超目标 500 万元（完成 104.5%），比上季多 1,500 万元；"
        "主要靠老客户多买（+2,000 万元）；少买和没买的共 800 万元。",
        "Q3 shipped revenue was RMB 115.0 m, RMB 5.0 m above target (104.5%) and RMB 15.0 m more "
        "than last quarter; mainly existing customers buying more (+20.0 m); RMB 8.0 m was lost "
        "elsewhere. ",
    ),
    "target met by the returned": (
        planted(more=10e6, less=-10.5e6, returned=9e6, new=3e6, target=100e6),
        Conclusion("met", "up", "up_returned"),
        "三季度发货收入 11,150 万元，超目标 1,150 万元（完成 111.5%），比上季多 1,150 万元；"
        "主要靠回流客户（+900 万元）和新客户（+300 万元）；老客户有加有减，大体相抵。",
        "Q3 shipped revenue was RMB 111.5 m, RMB 11.5 m above target (111.5%) and RMB 11.5 m more "
        "than last quarter; mainly returning customers (+9.0 m) and new customers (+3.0 m); "
        "existing customers even out. ",
    ),
    "missed because of existing customers": (
        planted(less=-12e6, not_bought=-2e6, more=3e6, target=105e6),
        Conclusion("missed", "down", "down_less"),
        "三季度发货收入 8,900 万元，差目标 1,600 万元（完成 84.8%），比上季少 1,100 万元；"
        "主要是老客户少买（−1,200 万元），新客户、回流和增购只补回 300 万元。",
        "Q3 shipped revenue was RMB 89.0 m, RMB 16.0 m short of target (84.8%) and RMB 11.0 m less "
        "than last quarter; mainly existing customers buying less (−12.0 m), only RMB 3.0 m was "
        "won elsewhere. ",
    ),
    "missed because of lost customers": (
        planted(not_bought=-9e6, less=-4e6, target=100e6),
        Conclusion("missed", "down", "down_not_bought"),
        "三季度发货收入 8,700 万元，差目标 1,300 万元（完成 87.0%），比上季少 1,300 万元；"
        "主要是上季买、本季没买（−900 万元）和老客户少买（−400 万元）。",
        "Q3 shipped revenue was RMB 87.0 m, RMB 13.0 m short of target (87.0%) and RMB 13.0 m less "
        "than last quarter; mainly customers not buying again (−9.0 m) and existing customers "
        "buying less (−4.0 m). ",
    ),
    "missed by new business": (
        planted(new_customers(20, 60), new=4e6, target=110e6),
        Conclusion("missed", "up", "missing_new"),
        "三季度发货收入 10,400 万元，差目标 600 万元（完成 94.5%），比上季多 400 万元；"
        "老客户没有少买，缺的是新客户：只来了 20 家，目标 60 家。",
        "Q3 shipped revenue was RMB 104.0 m, RMB 6.0 m short of target (94.5%) and RMB 4.0 m more "
        "than last quarter; existing customers did not buy less, new customers are missing: only "
        "20 came, the target was 60. ",
    ),
    "nothing to say": (
        planted(more=0.6e6, less=-0.4e6),
        Conclusion("no_target", "same", "quiet"),
        "三季度发货收入 10,020 万元，与上季基本持平（+20 万元）；"
        "各类客户变动都不大，没有需要特别说明的原因。",
        "Q3 shipped revenue was RMB 100.2 m, about level with last quarter (+200 k); no group "
        "of customers changed enough to need explaining. ",
    ),
    "both directions cancel": (
        planted(more=20e6, less=-15e6, not_bought=-5e6),
        Conclusion("no_target", "even", "cancel"),
        "三季度发货收入 10,000 万元，与上季持平；"
        "多买的 2,000 万元和少买、没买的 2,000 万元大体相抵。",
        "Q3 shipped revenue was RMB 100.0 m, level with last quarter; gains of RMB 20.0 m and "
        "losses of RMB 20.0 m nearly cancel out. ",
    ),
    "exactly on target": (
        planted(new=8e6, target=108e6),
        Conclusion("exact", "up", "up_new"),
        "三季度发货收入 10,800 万元，正好完成目标（100.0%），比上季多 800 万元；"
        "主要靠新客户（+800 万元）。",
        "Q3 shipped revenue was RMB 108.0 m, exactly on target (100.0%) and RMB 8.0 m more than "
        "last quarter; mainly new customers (+8.0 m). ",
    ),
    "no target": (
        planted(not_bought=-3e6),
        Conclusion("no_target", "down", "down_not_bought"),
        "三季度发货收入 9,700 万元，比上季少 300 万元；主要是上季买、本季没买（−300 万元）。",
        "Q3 shipped revenue was RMB 97.0 m, RMB 3.0 m less than last quarter; mainly customers "
        "not buying again (−3.0 m). ",
    ),
    "first period": (
        first(),
        Conclusion("met", "first"),
        "三季度发货收入 10,000 万元，超目标 1,000 万元（完成 111.1%），没有上季数据可比。",
        "Q3 shipped revenue was RMB 100.0 m, RMB 10.0 m above target (111.1%) and without a "
        "previous quarter to compare. ",
    ),
    "more money from fewer customers": (
        planted(buyers(800, 900), more=20e6),
        Conclusion("no_target", "up", "up_more", "fewer"),
        "三季度发货收入 12,000 万元，比上季多 2,000 万元；主要靠老客户多买（+2,000 万元）；"
        "下单客户反而少了 100 家。",
        "Q3 shipped revenue was RMB 120.0 m, RMB 20.0 m more than last quarter; mainly existing "
        "customers buying more (+20.0 m); 100 fewer customers ordered, though. ",
    ),
    "less money from one customer more": (
        planted(buyers(11, 10), less=-20e6),
        Conclusion("no_target", "down", "down_less", "more"),
        "三季度发货收入 8,000 万元，比上季少 2,000 万元；主要是老客户少买（−2,000 万元）；"
        "下单客户反而多了 1 家。",
        "Q3 shipped revenue was RMB 80.0 m, RMB 20.0 m less than last quarter; mainly existing "
        "customers buying less (−20.0 m); 1 more customer ordered, though. ",
    ),
    "the last quarter must bring the rest": (
        planted(year(300e6, 430e6), new=4e6),
        Conclusion("no_target", "up", "up_new", year="next"),
        "三季度发货收入 10,400 万元，比上季多 400 万元；主要靠新客户（+400 万元）。"
        "全年目标还差 13,000 万元，都要在四季度完成，较三季度 +25.0%。",
        "Q3 shipped revenue was RMB 104.0 m, RMB 4.0 m more than last quarter; mainly new "
        "customers (+4.0 m). The year's target is RMB 130.0 m away, all due in Q4, +25.0% on Q3.",
    ),
    "the year's target is reached early": (
        planted(year(450e6, 430e6), new=4e6),
        Conclusion("no_target", "up", "up_new", year="reached"),
        "三季度发货收入 10,400 万元，比上季多 400 万元；主要靠新客户（+400 万元）。"
        "年累计 45,000 万元，全年目标 43,000 万元已经提前完成（104.7%）。",
        "Q3 shipped revenue was RMB 104.0 m, RMB 4.0 m more than last quarter; mainly new "
        "customers (+4.0 m). With RMB 450.0 m year to date, the year's target of RMB 430.0 m is "
        "reached early (104.7%).",
    ),
}


def test_no_language_draws_another_conclusion_because_of_its_unit() -> None:
    """30,000 yuan are 3 万元 and RMB 0.0 m: both languages call it level."""
    tables = planted(more=30e3)
    books = [sample.book(lang, tables) for lang in ("zh", "en")]
    assert {choose(book).since for book in books} == {"even"}
    assert {choose(book).level for book in books} == {"no_target"}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_rule_that_holds_and_its_sentence(situation: str) -> None:
    tables, rules, zh, en = SITUATIONS[situation]
    for lang, sentence in (("zh", zh), ("en", en)):
        book = sample.book(lang, tables)
        assert choose(book) == rules
        assert plain(conclude(book)) == sentence
        held_by_facts(book, page_one.answer(book))


def test_every_rule_has_words_and_a_situation_of_its_own() -> None:
    told = {field for _, rules, _, _ in SITUATIONS.values() for field in vars(rules).values()}
    assert {"up_new", "up_more", "up_returned", "down_less", "down_not_bought"} <= told
    assert {"missing_new", "quiet", "cancel", "first", "same", "even", "exact"} <= told


@pytest.mark.parametrize(
    ("period", "done", "rule", "zh"),
    [
        ("2025Q2", 200e6, "rest", "余下 2 个季度平均每季要完成 12,000 万元，较二季度 +20.0%。"),
        ("2025Q4", 440e6, "closed_met", "全年 44,000 万元，完成年度目标的 100.0%。"),
        ("2025Q4", 396e6, "closed_missed", "离年度目标还差 4,400 万元（完成 90.0%）。"),
        ("2025-11", 400e6, "next", "都要在12月完成，较11月 −60.0%。"),
        ("2025-W36", 396e6, "open", "全年目标还差 4,400 万元（年累计完成 90.0%）。"),
        ("2025", 396e6, "", "。"),
    ],
)
def test_what_the_year_still_needs(period: str, done: float, rule: str, zh: str) -> None:
    tables = planted(year(done, 440e6))
    tables["kpis"]["period"] = period
    book = replace(sample.book("zh", tables, period=period), as_of=date(2025, 12, 31))
    assert choose(book).year == rule
    assert plain(conclude(book)).endswith(zh)
    held_by_facts(book, page_one.answer(book))


def test_a_period_that_is_not_over_is_not_counted_on() -> None:
    book = sample.book("zh", planted(year(300e6, 430e6), new=4e6))
    early = replace(book, as_of=date(2025, 9, 15))
    assert choose(early).year == "open"
    assert plain(conclude(early)).startswith("截至 2025-09-15，三季度发货收入")


def test_a_bridge_of_other_money_explains_nothing() -> None:
    tables = planted(new=4e6)
    tables["kpis"] = pd.DataFrame([sample.kpi("revenue", "money", 90e6, previous=95e6)])
    assert choose(sample.book("zh", tables)) == Conclusion("no_target", "down")


def held_by_facts(book: Book, exhibit: Exhibit) -> None:
    """Every printed number is a fact of the book, written as its form says."""
    numbers = re.findall(
        r'<data data-fact="([^"]*)" data-form="([^"]*)"[^>]*>([^<]*)', exhibit.html
    )
    for fact, form, text in numbers:
        assert write(book.fact(fact), book.lang, Form.decode(form)) == html.unescape(text)
    bare = re.sub(r"<(data|time|span class=\"name\")[^>]*>.*?</", "</", exhibit.html)
    assert not re.search(r"\d", html.unescape(re.sub(r"<[^>]*>", "", bare))), bare
    # The other forms print the same numbers, one by one.
    unmarked = exhibit.markdown.replace("\\", "")
    for fact, _, text in numbers:
        assert html.unescape(text) in exhibit.plain, fact
        assert html.unescape(text) in unmarked, fact


STEP = st.integers(-400, 400).map(lambda tenths: tenths * 1e5)
GAIN = st.integers(0, 400).map(lambda tenths: tenths * 1e5)


@effort(max_examples=150, deadline=None)
@given(
    new=STEP,
    returned=STEP,
    more=GAIN,
    less=GAIN.map(lambda value: -value),
    not_bought=STEP,
    target=st.none() | st.integers(1, 3000).map(lambda tenths: tenths * 1e5),
    shortage=st.integers(-30, 30),
)
def test_the_words_never_contradict_the_signs(
    new: float,
    returned: float,
    more: float,
    less: float,
    not_bought: float,
    target: float | None,
    shortage: int,
) -> None:
    steps = {
        "new": new,
        "returned": returned,
        "more": more,
        "less": less,
        "not_bought": not_bought,
    }
    net = sum(steps.values())
    tables = planted(new_customers(40, 40 + shortage), target=target, **steps)
    names = {
        "new": "新客户（",
        "returned": "回流客户（",
        "more": "老客户多买（",
        "less": "老客户少买（",
        "not_bought": "上季买、本季没买（",
    }
    book = sample.book("zh", tables)
    text = plain(conclude(book))
    assert math.isclose(book.value("kpi.revenue.difference") or 0.0, net, abs_tol=1e-3)
    assert ("比上季多" not in text) or net > 0
    assert ("比上季少" not in text) or net < 0
    assert ("持平" not in text) or abs(net) < 0.01 * BEFORE
    gap = None if target is None else BEFORE + net - target
    assert ("超目标" not in text) or (gap is not None and gap > 0)
    assert ("差目标" not in text) or (gap is not None and gap < 0)
    assert ("目标" not in text) or target is not None
    for step, name in names.items():
        if name in text:
            assert steps[step] * net > 0
    assert ("主要靠" not in text) or net > 0
    assert ("主要是" not in text) or net < 0
    assert ("只补回" not in text) or new + returned + more > 0
    assert ("少买和没买的共" not in text) or less + not_bought < 0
    assert ("老客户没有少买" not in text) or more + less + not_bought >= -0.01 * BEFORE
    held_by_facts(book, page_one.answer(book))
    for told in reasons(book):
        assert ("减量" not in told.plain) or more + less + not_bought < 0
        assert ("加量" not in told.plain) or more + less + not_bought > 0
        assert ("回来了" not in told.plain) or returned > 0
        assert ("撑起" not in told.plain) or new > 0


@pytest.mark.parametrize(
    ("steps", "zh"),
    [
        ({"more": 5e6, "less": -2e6}, "带来 500，少买和没买只抵掉 200"),
        ({"more": 2e6, "less": -5e6}, "少买和没买共减 500，新客户、回流和增购只补回 200"),
        ({"more": 5e6}, "新客户、回流和增购带来 500"),
        ({"less": -5e6}, "少买和没买共减 500"),
        ({"new": -1e6, "less": -5e6}, "少买和没买共减 500"),
        ({"more": 5e6, "less": -5e6}, "增减相抵：多 500，少 500"),
    ],
)
def test_the_title_of_the_bridge_follows_the_signs(steps: dict[str, float], zh: str) -> None:
    for lang in ("zh", "en"):
        book = sample.book(lang, planted(**steps))
        drawn = page_one.bridge(book)
        assert drawn is not None
        assert lang == "en" or drawn.caption.endswith(zh)
        held_by_facts(book, drawn)


# -- reasons ----------------------------------------------------------------------------------


def rules(book: Book) -> dict[str, str]:
    return {reason.rule: plain(reason.text) for reason in ranked(book)}


def test_reasons_come_by_the_money_at_stake() -> None:
    found = ranked(sample.book("zh", sample.with_money()))
    assert [reason.stake for reason in found] == sorted((r.stake for r in found), reverse=True)
    assert [reason.rule for reason in found][:2] == ["arrears", "existing"]


def test_arrears() -> None:
    zh, en = (rules(sample.book(lang, sample.with_money()))["arrears"] for lang in ("zh", "en"))
    assert zh.endswith(
        "逾期应收 4,092 万元，逾期率 22.0%，比上季高 2.7 个百分点；"
        "12 家高价值客户欠着其中的 1,380 万元，占 33.7%。"
    )
    assert "12 High-value customers owe RMB 13.8 m of it, 33.7%." in en


def test_one_customer_owes_and_bought() -> None:
    tables = sample.with_money()
    tables["decisions"].loc[tables["decisions"]["decision"] == "collect", "customers"] = 1
    matrix = tables["movement_matrix"]
    fallen = (matrix["segment_before"] == "high_value") & (matrix["segment_after"] == "churn_risk")
    matrix.loc[fallen, ["customers", "amount_before"]] = [1, 9e6]
    told = rules(sample.book("en", tables))
    assert "1 High-value customer owes RMB 13.8 m" in told["arrears"]
    assert "1 customer fell from High-value to At risk; it bought RMB 9.0 m" in told["risk"]


def test_arrears_within_the_limit_are_no_reason() -> None:
    fine = sample.kpi("overdue_share", "share", 0.17, target=0.18, previous=0.17)
    tables = sample.with_kpis(sample.with_money(), fine)
    assert "arrears" not in rules(sample.book("zh", tables))
    assert "arrears" not in rules(sample.book("zh"))


@pytest.mark.parametrize(
    ("customers", "told"),
    [(["华东"] * 6 + ["华北"] * 3, True), (["华东"] * 3 + list("abcdef"), False)],
)
def test_a_region_is_named_where_it_holds_half(customers: list[str], told: bool) -> None:
    tables = sample.tables()
    ids = [f"C{place}" for place in range(9)]
    tables["movements"] = pd.DataFrame({"customer_id": ids}).assign(
        segment_before="high_value",
        segment_after="churn_risk",
        amount_before=40e3,
        amount_after=0.0,
    )
    tables["customers"] = pd.DataFrame({"customer_id": ids, "region": customers})
    text = rules(sample.book("zh", tables))["risk"]
    assert text.startswith("大客户在松动")
    assert ("，其中 6 家在华东。" in text) == told
    assert "最突出的痛点是交期（29.9%）" in text


def test_the_margin_falls() -> None:
    told = rules(sample.book("zh"))["margin"]
    assert told.endswith("毛利率 27.4%，比上季低 0.7 个百分点。")
    steady = sample.kpi("gross_margin_rate", "share", 0.28, previous=0.281)
    tables = sample.with_kpis(sample.tables(), steady)
    assert "margin" not in rules(sample.book("zh", tables))


def test_new_customers_short_of_their_target() -> None:
    told = rules(sample.book("en", sample.with_money()))["new"]
    assert told.endswith("151 bought for the first time, the target was 160: 9 short.")


def _customers(now: list[float], before: list[float]) -> Tables:
    return {
        **sample.tables(),
        "movements": pd.DataFrame({"amount_after": now, "amount_before": before}).assign(
            customer_id=[str(n) for n in range(len(now))],
            segment_before="new",
            segment_after="new",
        ),
    }


def test_the_ten_largest_weigh_more() -> None:
    tables = _customers([19.0] * 10 + [1.0] * 190, [10.0] * 10 + [1.0] * 190)
    told = rules(sample.book("zh", tables))["top_ten"]
    assert told.endswith("最大的十家客户占收入的 50.0%，比上季高 15.5 个百分点。")
    assert "top_ten" not in rules(sample.book("zh", _customers([1.0] * 20, [2.0] * 20)))


def test_a_push_is_told_once() -> None:
    book = sample.book("zh", sample.with_money())
    told = " ".join(plain(reason) for reason in reasons(book))
    block = cautions.cautions(book)
    assert block is not None
    assert "冲量" not in told
    sentence = "最后五个工作日占本季收入 23.0%，去年同期 15.0%，可能有冲量"
    assert sentence in plain(block)
    alone = {"kpis": book.frame("kpis").query("kpi in ['revenue', 'quarter_end_push']")}
    only = sample.book("zh", alone)
    assert "期末集中出货" in plain(reasons(only)[0])
    block = cautions.cautions(only)
    assert block is None or "冲量" not in block.plain
    assert "push" not in rules(sample.book("zh", sample.with_money(push=0.17)))


def test_no_reason_is_invented() -> None:
    zh = [plain(reason) for reason in reasons(sample.book("zh", planted()))]
    assert zh == ["各项变动都不大，没有需要单列的原因。"]


# -- the rest of the page ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "zh", "en"),
    [
        (128.6e6, "差 0.3%（少 38 万元），见附录 B", "0.3% below (RMB 380 k), see appendix B"),
        (129.36e6, "差 0.3%（多 38 万元），见附录 B", "0.3% above (RMB 380 k), see appendix B"),
    ],
)
def test_the_distance_from_finance(ours: float, zh: str, en: str) -> None:
    tables = sample.with_money()
    rows = tables["tie_out"]
    rows.loc[rows["month"] == "all", ["ours", "difference", "share"]] = [
        ours,
        ours - 128.98e6,
        ours / 128.98e6 - 1,
    ]
    for lang, words in (("zh", zh), ("en", en)):
        book = sample.book(lang, tables)
        assert words in plain(page_one.header(book))
        held_by_facts(book, page_one.header(book))
    assert "财务" not in page_one.header(sample.book("zh")).plain


def test_tiles_answer_what_is_asked_first() -> None:
    book = sample.book("zh", sample.with_money())
    assert tiles.shown_kpis(book) == [
        "revenue",
        "ytd_attainment",
        "gross_margin_rate",
        "collection_rate",
        "overdue_share",
        "retention",
        "high_value_customers",
    ]
    block = tiles.tiles(book)
    assert block is not None
    text = plain(block)
    assert "已完成 38,050，全年目标 54,000" in text
    assert "警戒线 18.0%，超 4.0 个百分点" in text
    assert "逾期 4,092，应收余额 18,600" in text
    assert "实收 13,940（含税），计划 15,200" in text
    held_by_facts(book, block)


def test_the_year_has_a_tile_from_its_money_alone() -> None:
    tables = planted(year(300e6, 430e6), sample.kpi("time_elapsed", "share", 0.75), new=4e6)
    book = sample.book("zh", tables)
    assert tiles.shown_kpis(book) == ["revenue", "ytd_attainment"]
    block = tiles.tiles(book)
    assert block is not None
    assert "▼ 未达标: 69.8 %；时间进度 75.0%；落后 5.2 个百分点" in plain(block)


def test_tables_of_zeros_are_no_orders() -> None:
    full = sample.tables()
    zeros = {
        name: full[name].assign(**dict.fromkeys(columns, 0))
        for name, columns in {
            "bridge": ["amount", "customers"],
            "segment_summary": ["customers", "revenue", "customers_before", "change"],
        }.items()
    }
    book = sample.book("zh", zeros | sample.only_measures())
    assert plain(page_one.answer(book)).startswith("2 项动作：2 项有效。")
    assert page_one.bridge(book) is None
    assert decisions.decisions(book) is None


def test_to_collect_is_a_decision() -> None:
    block = decisions.decisions(sample.book("zh", sample.with_money()))
    assert block is not None
    assert "12 家欠款的高价值客户：先款后货" in plain(block)
    assert "涉及逾期 1,380 万元" in plain(block)


def test_rows_without_a_customer_are_counted() -> None:
    for lang, words in (
        ("zh", "订单里有 14 个客户编码（90 万元）对不上客户档案，没有计入"),
        ("en", "Orders: 14 customer codes (RMB 900 k) without a partner are left out"),
    ):
        block = cautions.cautions(sample.book(lang, sample.with_money(push=0.1)))
        assert block is not None
        assert words in plain(block)
    tables = sample.with_money(push=0.1)
    rows = tables["key_bridge"]
    rows.loc[(rows["table"] == "orders") & (rows["became"] == "unmatched"), "keys"] = 1
    block = cautions.cautions(sample.book("en", tables))
    assert block is not None
    assert "Orders: 1 customer code (RMB 900 k) without a partner is left out" in plain(block)


def test_incomplete_fields_are_one_caution() -> None:
    block = cautions.cautions(sample.book("zh"))
    assert block is not None
    sentence = "客户的行业（完整度 81.0%）和服务工单的满意度（完整度 92.1%）低于门槛"
    assert sentence in plain(block)
    assert "金额不受影响" in block.plain


def test_the_margin_rate_stands_beside_break_even() -> None:
    tables = sample.tables()
    bare = review.review(sample.book("zh", tables))
    assert bare is not None
    assert "按毛利率" not in bare.plain
    tables["effects"]["margin_rate"] = 0.281
    told = review.review(sample.book("zh", tables))
    assert told is not None
    assert "够本线按毛利率 28.1% 计算。" in told.plain


def test_arrears_count_all_customers_and_not_the_listed_ones() -> None:
    owing = pd.DataFrame({"overdue": [6e6, 4e6, 1e6], "collect": [True, True, False]})
    told = rules(sample.book("zh", sample.with_money() | {"arrears": owing}))["arrears"]
    assert "2 家高价值客户欠着其中的 1,000 万元，占 24.4%" in told


def test_accounts_to_collect_from_are_listed_with_what_is_overdue() -> None:
    tables = sample.tables()
    rescue = tables["accounts"]["list"] == "rescue"
    tables["accounts"].loc[rescue, "list"] = "collect"
    listed = {one.id: one for one in accounts.account_lists(sample.book("zh", tables))}
    assert "要收款的：前 8 家，逾期合计" in plain(listed["tbl-accounts-collect"])
    assert "逾期" not in listed["tbl-accounts-hold"].plain


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("record", [sample.tables, sample.with_money, sample.only_orders])
def test_every_number_of_the_page_is_a_fact(lang: str, record: Any) -> None:
    book = sample.book(lang, record())
    for exhibit in (
        page_one.header(book),
        page_one.answer(book),
        page_one.why(book),
        page_one.bridge(book),
        decisions.decisions(book),
        page_one.last_measures(book),
        cautions.cautions(book),
    ):
        if exhibit is not None:
            held_by_facts(book, exhibit)


@pytest.mark.parametrize(
    ("amount", "said"),
    [(66_400, "RMB 66.4 k"), (949_000, "RMB 949 k"), (1_200_000, "RMB 1.2 m"), (0, "RMB 0")],
)
def test_small_money_says_more_than_one_digit(amount: float, said: str) -> None:
    book = sample.book("en", sample.with_money())
    book.facts.add(Fact("small", amount, "money"))
    assert book.money("small").plain.replace("\u00a0", " ") == said
