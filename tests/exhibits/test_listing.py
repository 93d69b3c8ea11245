"""Tables and charts as an analyst sees them."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.exhibits import charts
from analysis.exhibits.listing import listing, word

FRAME = pd.DataFrame(
    {
        "segment": ["high_value", "all"],
        "customers": [1234, 5678],
        "revenue": [12_000_000.0, None],
        "name": ["<b>x</b>", "=1+1"],
    }
)


@pytest.mark.parametrize(
    ("lang", "words"),
    [("zh", ["高价值客户", "合计", "万元"]), ("en", ["High-value", "All", "RMB m"])],
)
def test_keys_become_words_and_money_one_unit(lang: str, words: list[str]) -> None:
    shown = listing(FRAME, lang, {"customers": "count", "revenue": "money"})  # type: ignore[arg-type]
    for expected in (*words, "1,234", "–"):
        assert expected in shown.html
        assert expected in shown.plain


def test_names_are_inert() -> None:
    html = listing(FRAME, "en").html
    assert "<b>x</b>" not in html
    assert "&lt;b&gt;x&lt;/b&gt;" in html


def test_a_long_table_says_how_much_more() -> None:
    frame = pd.DataFrame({"customers": range(50)})
    shown = listing(frame, "en", {"customers": "count"})
    assert "… and 30 more rows" in shown.plain
    assert shown.html.count("<tr>") == 21


def test_units_by_row() -> None:
    frame = pd.DataFrame(
        {"kpi": ["revenue", "retention"], "value": [5e6, 0.5], "unit": ["money", "share"]}
    )
    shown = listing(frame, "en", {"value": "by_row"})
    assert "5.0 RMB m" in shown.plain
    assert "50.0%" in shown.plain


def test_steps_have_words() -> None:
    assert word("step", "missing_customer", "zh") == "没有客户编号"
    assert word("step", "new", "zh") == "新客户"
    assert word("step", "read", "zh") == "读入"
    assert word("segment_before", "entered", "en") == "Entered"
    assert word("anything", "unknown key", "en") == "unknown key"


def test_charts_draw_chinese_without_a_gap() -> None:
    figure = charts.bars(FRAME, label="segment", value="customers", lang="zh")
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["高价值客户", "合计"]
    found = pd.DataFrame(
        {"strategy": ["executive_visit"], "estimate": [0.1], "low": [0.05], "high": [0.2]}
    )
    drawn = charts.intervals(found, label="strategy", lang="zh", unit="share")
    low, high = drawn.axes[0].get_xlim()
    assert low <= 5  # a share is drawn in percent
    assert high >= 20
