"""Sentences are chosen by rules over facts, and their direction agrees with the sign."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.exhibits import cautions, decisions, movement, page_one, review, segments, tiles
from analysis.exhibits.book import Book
from analysis.exhibits.reasons import ranked, reasons
from tests.exhibits import sample


def _scaled(factor: float, **kpi: object) -> dict[str, pd.DataFrame]:
    """The record with this quarter's revenue at `factor` times the previous one's."""
    tables = sample.tables()
    bridge = tables["bridge"].set_index("step")
    change = 131.2e6 * (factor - 1)
    bridge.loc["more", "amount"] = max(change, 0) + 20e6
    bridge.loc["less", "amount"] = min(change, 0) - 20e6
    bridge.loc[["new", "returned", "not_bought"], "amount"] = 0.0
    bridge.loc["current", "amount"] = 131.2e6 * factor
    tables["bridge"] = bridge.reset_index()
    kpis = tables["kpis"]
    now = (kpis["kpi"] == "revenue") & (kpis["period"] == sample.PERIOD)
    value = 131.2e6 * factor
    kpis.loc[now, ["value", "change"]] = [value, factor - 1]
    for column, given in kpi.items():
        kpis.loc[now, column] = given
    return tables


def _answer(book: Book) -> str:
    return page_one.answer(book).plain


def test_target_missed_and_less_than_before() -> None:
    text = _answer(sample.book("zh")).replace("\u00a0", " ")
    assert text.startswith(
        "三季度发货收入 12,860 万元，差目标 640 万元（完成 95.3%），比上季少 260 万元；"
        "主要是老客户少买（−1,030 万元）和上季买、本季没买（−545 万元）"
    )
    assert text.endswith("年累计完成 70.5%，落后时间进度 4.5 个百分点。")


@pytest.mark.parametrize(("factor", "word"), [(1.2, "多"), (0.8, "少"), (1.0, "持平")])
def test_the_direction_follows_the_sign(factor: float, word: str) -> None:
    book = sample.book("zh", _scaled(factor))
    assert word in _answer(book).split("。")[0]
    title = page_one.bridge(book)
    assert title is not None
    assert ("只补回" in title.caption) == (factor < 1)


def test_no_target_says_nothing_of_targets() -> None:
    book = sample.book("zh", sample.only_orders())
    assert "目标" not in _answer(book)
    drawn = page_one.bridge(book)
    assert drawn is not None
    assert "目标" not in drawn.alt
    warning = cautions.cautions(book)
    assert warning is not None
    assert "没有给目标" in warning.plain


def test_no_previous_period_is_said_and_nothing_is_drawn() -> None:
    tables = sample.only_orders()
    tables["kpis"][["previous", "change"]] = None
    tables["bridge"].loc[tables["bridge"]["step"] == "previous", "amount"] = 0.0
    tables["movement_matrix"] = tables["movement_matrix"].iloc[:0]
    book = sample.book("zh", tables)
    assert "没有上季数据可比" in _answer(book)
    assert page_one.bridge(book) is None
    assert movement.movement_matrix(book) is None
    notes = segments.notes(book)
    assert notes is not None
    assert "没有上季数据" in notes.plain


def test_growth_is_explained_by_growth() -> None:
    told = [reason.plain for reason in reasons(sample.book("zh", _scaled(1.2)))]
    assert told[0].startswith("老客户在加量")
    assert not any("减量" in reason for reason in told)


def test_gains_and_losses_that_cancel_are_not_called_a_loss() -> None:
    tables = _scaled(0.99)
    told = [reason.plain for reason in reasons(sample.book("zh", tables))]
    assert any(reason.startswith("老客户有加有减") for reason in told)
    assert not any("减量" in reason for reason in told)


def test_at_most_three_reasons_and_cautions() -> None:
    book = sample.book("en")
    assert len(reasons(book)) == 3
    block = cautions.cautions(book)
    assert block is not None
    assert block.html.count('class="cl"') <= 3


def test_an_unfinished_quarter_comes_first_among_cautions() -> None:
    book = sample.book("zh")
    early = Book(
        **{**book.__dict__, "as_of": book.period.start, "facts": book.facts},
    )
    block = cautions.cautions(early)
    assert block is not None
    assert "三季度还没有结束" in block.plain.split(";")[0]


def test_measures_only_speaks_of_measures_only() -> None:
    book = sample.book("zh", sample.only_measures())
    assert _answer(book).startswith("2 项动作：2 项有效。")
    assert page_one.bridge(book) is None
    assert tiles.tiles(book) is None
    assert segments.segment_table(book) is None
    assert decisions.decisions(book) is None
    told = review.review(book)
    assert told is not None
    assert told.page == page_one.PAGE
    further = review.further_outcomes(book)
    assert further is not None
    assert "+7.7" in further.plain


def test_nothing_at_all_is_said_plainly() -> None:
    book = sample.book("en", {})
    assert "nothing to conclude" in _answer(book)
    assert reasons(book) == []


def test_no_measures_are_neither_judged_nor_hidden() -> None:
    book = sample.book("zh", sample.only_orders())
    assert review.review(book) is None
    told = review.none(book)
    assert told is not None
    assert "没有登记上季的动作" in told.plain
    strip = page_one.last_measures(book)
    assert strip is not None
    assert "不作复盘" in strip.plain


def test_a_measure_without_comparison_gets_no_conclusion() -> None:
    told = review.review(sample.book("zh"))
    assert told is not None
    row = next(line for line in told.plain.split("\n") if line.startswith("新客户陪跑"))
    assert "不作结论" in row
    assert "没有可比的对象" in row


def test_titles_tell_the_finding() -> None:
    book = sample.book("en")
    table = segments.segment_table(book)
    assert table is not None
    assert table.caption == (
        "218 High-value customers bring 61.4% of revenue, 6 fewer than before; At risk: 34 more"
    )
    matrix = movement.movement_matrix(book)
    assert matrix is not None
    assert matrix.caption.startswith("175 customers moved to At risk, only 55 came back")


def test_decisions_can_be_ticked() -> None:
    block = decisions.decisions(sample.book("zh"))
    assert block is not None
    assert block.html.count('class="bx"') == 6
    assert "高层互访从 84 家扩到 150 家" in block.plain


def test_tiles_are_seven_and_a_key() -> None:
    block = tiles.tiles(sample.book("zh"))
    assert block is not None
    assert block.html.count('class="tile"') == 7
    assert "发货收入 ▼ 未达标" in block.plain


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_scheme_without_the_known_segments_gets_neutral_words(lang: str) -> None:
    tables = sample.tables()
    names = {s: f"tier_{i}" for i, s in enumerate("abcde")}
    renames = dict(zip(sample.SEGMENTS, names.values(), strict=True))
    for table in ("segment_summary", "accounts", "plan_summary", "personas"):
        tables[table] = tables[table].replace({"segment": renames})
    matrix = tables["movement_matrix"]
    tables["movement_matrix"] = matrix.replace(
        {"segment_before": renames, "segment_after": renames}
    )
    book = sample.book(lang, tables)
    block = segments.segment_table(book)
    assert block is not None
    assert "tier_" in block.html
    assert movement.movement_matrix(book) is not None


def _steps(**amounts: float) -> dict[str, pd.DataFrame]:
    """The record without KPIs of its own, with a bridge of these steps."""
    tables = sample.tables()
    known = {"new": 0.0, "returned": 0.0, "more": 0.0, "less": 0.0, "not_bought": 0.0, **amounts}
    rows = [("previous", 100e6, 900)]
    rows += [(step, amount, 40 if amount else 0) for step, amount in known.items()]
    rows.append(("current", 100e6 + sum(known.values()), 900))
    tables["bridge"] = pd.DataFrame(rows, columns=["step", "amount", "customers"])
    return tables


@pytest.mark.parametrize(
    ("amounts", "zh", "en"),
    [
        (
            {"more": 30e6, "less": -20e6, "not_bought": -25e6, "new": 25e6},
            "老客户在减量",
            "Existing customers are cutting back.",
        ),
        ({"more": 30e6, "less": -5e6}, "老客户在加量", "Existing customers are buying more."),
        (
            {"more": 30e6, "less": -29e6},
            "老客户有加有减",
            "Existing customers: some up, some down.",
        ),
        ({"more": 10e6, "less": -30e6}, "老客户在减量", "Existing customers are cutting back."),
    ],
)
def test_existing_customers_are_netted(amounts: dict[str, float], zh: str, en: str) -> None:
    tables = _steps(**amounts)
    for lang, head in (("zh", zh), ("en", en)):
        told = {reason.rule: reason.text.plain for reason in ranked(sample.book(lang, tables))}
        assert told["existing"].startswith(head)


def test_steps_without_customers_or_money_are_left_out() -> None:
    told = reasons(sample.book("en", _steps(less=-30e6)))[0].plain
    assert (
        told == "Existing customers are cutting back. 40 bought RMB 30.0 m less than last quarter."
    )


def test_returns_alone_are_no_gain() -> None:
    tables = _steps(new=-3e6, returned=-1e6, more=20e6)
    told = " ".join(reason.plain for reason in reasons(sample.book("zh", tables)))
    assert "新客户" not in told
    assert "本期又下单" not in told
    assert "回流客户（" not in _answer(sample.book("zh", tables))


@pytest.mark.parametrize(("count", "before"), [(5.0, 5.0), (0.0, 0.0), (0.0, 4.0)])
def test_no_change_is_no_reason(count: float, before: float) -> None:
    tables = _steps()
    tables["effects"] = tables["effects"].iloc[:0]
    tables["movement_matrix"] = tables["movement_matrix"].iloc[:0]
    kpis = tables["kpis"]
    kept = kpis["kpi"] == "retention"
    kpis.loc[kept, ["previous", "change"]] = [0.915, 0.0002]
    margin = kpis["kpi"] == "gross_margin_rate"
    kpis.loc[margin, "change"] = -0.0002
    row = {**kpis[kept].iloc[-1].to_dict(), "kpi": "new_customers", "unit": "count"}
    row |= {"value": count, "previous": before, "change": None}
    tables["kpis"] = pd.concat([kpis, pd.DataFrame([row])], ignore_index=True)
    told = [reason.plain for reason in reasons(sample.book("en", tables))]
    assert told == ["No single change is large enough to be called a reason."]


def test_nothing_bought_before_is_not_said_in_money() -> None:
    tables = sample.tables()
    tables["movement_matrix"]["amount_before"] = 0.0
    tables["decisions"].loc[2, "value"] = 0.0
    book = sample.book("zh", tables)
    told = next(r.text.plain for r in ranked(book) if r.rule == "risk")
    assert told.startswith("大客户在松动")
    assert "买了" not in told
    block = decisions.decisions(book)
    assert block is not None
    assert "涉及上季采购" not in block.plain


def test_extra_margin_is_gross_wherever_it_is_told() -> None:
    told = review.review(sample.book("zh"))
    assert told is not None
    assert "投入 63.0 万元，多赚毛利约 220.0 万元" in told.plain.replace("\u00a0", " ")


def test_orders_without_the_revenue_kpi_are_still_orders() -> None:
    tables = sample.tables()
    tables["kpis"] = tables["kpis"][tables["kpis"]["kpi"] != "revenue"].reset_index(drop=True)
    book = sample.book("zh", tables)
    assert _answer(book).startswith(
        "三季度发货收入 12,860 万元，比上季少 260 万元；主要是老客户少买"
    )
    assert reasons(book)[0].plain.startswith("老客户在减量")
    block = cautions.cautions(book)
    assert block is not None
    assert "没有订单" not in block.plain
    tables["bridge"] = tables["bridge"].iloc[:0]
    bare = sample.book("en", tables | {"effects": tables["effects"].iloc[:0]})
    assert "neither orders" not in _answer(bare)


def test_a_period_of_another_year_says_so() -> None:
    zh, en = (sample.book(lang, {}, period="2025Q1") for lang in ("zh", "en"))
    assert zh.when(zh.period.previous()).plain == "上年四季度"
    assert en.when(en.period.previous()).plain == "Q4 2024"
    half = sample.book("zh", {}, period="2025H1")
    assert half.when(half.period.previous()).plain == "去年下半年"
    assert sample.book("zh").when(sample.book("zh").period.previous()).plain == "二季度"


def test_small_money_takes_a_smaller_unit() -> None:
    tables = _steps(more=12e3, new=20e6)
    book = sample.book("en", tables)
    assert book.money("bridge.more.amount").plain.replace("\u00a0", " ") == "RMB 12.0 k"
    plain = sample.book("zh", {"bridge": tables["bridge"].assign(amount=95_500.0)})
    shown = plain.money("bridge.more.amount", decimals=1).plain.replace("\u00a0", " ")
    assert shown == "95,500 元"


def test_one_customer_is_no_customers() -> None:
    tables = sample.tables()
    tables["plan_summary"]["customers"] = 1
    told = sample.book("en", tables)
    line = told.say("exhibits.plan.customers", count=told.num("plan.onboarding.customers"))
    assert "1 customers" not in line.plain
