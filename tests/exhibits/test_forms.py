"""A number's form travels with it and writes it again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.exhibits.facts import Fact
from analysis.exhibits.forms import Form, write
from tests.exhibits import sample

FORMS = st.builds(
    Form,
    signed=st.booleans(),
    absolute=st.booleans(),
    divisor=st.sampled_from([0.0, 1.0, 1e3, 1e4, 1e6]),
    decimals=st.integers(-1, 3),
    bare=st.booleans(),
)


@given(FORMS)
def test_a_form_survives_its_code(form: Form) -> None:
    assert Form.decode(form.encode()) == form


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(ValueError, match="shout"):
        Form.decode("shout")


def test_money_in_the_unit_of_the_page() -> None:
    zh, en = sample.book("zh"), sample.book("en")
    assert zh.money("kpi.revenue").plain == "12,860 万元"
    assert en.money("kpi.revenue").plain == "RMB 128.6 m"
    assert zh.money("bridge.less.amount", signed=True).plain == "−1,030 万元"
    assert en.money("bridge.less.amount", signed=True).plain == "−10.3 m"
    assert '<data data-fact="kpi.revenue"' in zh.money("kpi.revenue").html
    assert 'value="128600000"' in zh.money("kpi.revenue").html


def test_pounds_and_dollars_follow_the_settings() -> None:
    pounds = sample.book("en", currency="GBP")
    assert pounds.money("kpi.revenue").plain == "GBP 128.6 m"
    assert sample.book("zh", currency="GBP").money("kpi.revenue").plain == "12,860 万英镑"


def test_absolute_and_bare() -> None:
    fact = Fact("a", -0.025, "points")
    assert write(fact, "zh", Form(absolute=True)) == "2.5"
    assert write(Fact("b", 0.274, "share"), "en", Form(bare=True)) == "27.4"


def test_a_missing_fact_reads_as_a_dash() -> None:
    assert sample.book().num("no.such.fact").plain == "–"


def test_periods_and_days_are_marked_as_times() -> None:
    book = sample.book()
    assert str(book.when()) != ""
    assert book.when().html == '<time datetime="2025Q3">三季度</time>'
    assert book.day("2025-10-15", "short").html == '<time datetime="2025-10-15">10月15日</time>'


def test_a_quarter_is_called_a_quarter() -> None:
    assert sample.book("zh").text("exhibits.bridge.step.previous") == "上季"
    assert sample.book("en").text("exhibits.last.title_none") == "Last quarter's measures"
    month = sample.book("zh", frames={}, period="2025-09")
    assert month.text("exhibits.bridge.step.previous") == "上月"
