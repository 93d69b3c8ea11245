"""Page 1 of a company of contracts."""

from __future__ import annotations

import pytest

from analysis.exhibits import page_one, reasons, recurring, tiles
from tests.exhibits import effect_sample, sample


def test_a_trading_company_keeps_its_own_page() -> None:
    assert not recurring.is_recurring(sample.book())


def test_the_answer_is_about_recurring_revenue_and_renewals() -> None:
    text = page_one.answer(effect_sample.contracts()).plain
    assert text.startswith("三季度末年经常性收入 9,900 万元，净增 300 万元。")
    assert "到期的 2,340 万元里续回 1,950 万元，金额续费率 83.3%，比目标低 4.7 个百分点" in text
    assert "57 家" in text


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_bridge_leads_from_opening_to_closing(lang: str) -> None:
    shown = page_one.bridge(effect_sample.contracts(lang))
    assert shown is not None
    ids = [f"arr.{step}.amount" for step, _ in recurring.STEPS]
    assert " ".join(ids) in shown.html


def test_renewals_are_no_customers_who_came_back() -> None:
    book = effect_sample.contracts()
    found = {reason.rule: reason.text.plain for reason in reasons.ranked(book)}
    assert not {"existing", "arrivals"} & set(found)
    assert "没有续，年费少" in found["contracts_losses"]
    assert "家（含回来的），年费共" in found["contracts_gains"]
    trade = {reason.rule for reason in reasons.ranked(sample.book())}
    assert not trade & {"contracts_losses", "contracts_gains"}


def test_tiles_begin_with_what_such_a_company_asks_first() -> None:
    assert tiles.shown_kpis(effect_sample.contracts())[:2] == ["arr", "renewal_rate_value"]
