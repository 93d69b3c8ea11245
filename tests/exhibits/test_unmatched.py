"""Numbers without a partner, and a report without orders, as pages show them."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from analysis.exhibits import appendix, light, target
from analysis.exhibits.unmatched import unmatched
from tests.exhibits import sample


def advice(key: str, **args: str) -> str:
    return json.dumps({"key": f"unmatched_advice.{key}", "args": args})


KEYS = pd.DataFrame(
    [
        (1, "invoices", "erp", "0109", 5, 90e4, 0.09, None, advice("add", system="erp")),
        (2, "orders", "erp", "0109", 4, 80e4, 0.08, None, advice("add", system="erp")),
        (3, "orders", "erp", "101", 2, 10e4, 0.01, "0101", advice("alike", near="0101")),
        (4, "customers", "people", "赵磊", 3, None, None, None, advice("people")),
    ],
    columns=["rank", "table", "system", "key", "rows", "amount", "share", "near", "advice"],
)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_keys_without_a_partner_stand_in_the_part_on_data_quality(lang: str) -> None:
    book = sample.book(lang, {**sample.tables(), "unmatched_keys": KEYS})
    shown = next(one for one in appendix.quality(book) if one.id == "tbl-unmatched")
    # three numbers, not four: one stands in two tables; the money of the orders, not of both
    assert book.value("unmatched.count") == 3
    assert book.value("unmatched.amount") == 90e4
    assert book.value("unmatched.most") == 80e4
    for word in ("0109", "0101", "赵磊", book.text("exhibits.unmatched.of_people")):
        assert word in shown.plain


def test_money_is_not_asked_of_names() -> None:
    rows = KEYS[KEYS["system"] == "people"].assign(rank=1)
    shown = unmatched(sample.book("zh", {**sample.tables(), "unmatched_keys": rows}), "")
    assert shown is not None
    assert "3 行" in shown.caption


def test_with_a_partner_for_all_there_is_no_list() -> None:
    assert unmatched(sample.book(), "") is None


def without_orders() -> dict[str, pd.DataFrame]:
    frames = {name: rows.head(0) for name, rows in sample.tables().items()}
    kpis = [
        sample.kpi("tickets", "count", 487.0, n=487),
        sample.kpi("tickets_open", "count", 227.0, n=227),
        sample.kpi("resolution_days", "days", 38.0, n=437),
    ]
    cuts = pd.DataFrame(
        [("tickets", "A", 20.0), ("tickets", "B", 3.0), ("tickets_open", "A", 0.0)],
        columns=["kpi", "member", "value"],
    ).assign(cut="customer", unit="count", period="2025Q3")
    names = pd.DataFrame({"customer_id": ["A"], "name": ["华东精密"]})
    frames = sample.with_kpis(frames, *kpis)
    return {**frames, "kpi_cuts": cuts, "customers": names}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_without_orders_the_answer_is_what_is_known(lang: str) -> None:
    book = sample.book(lang, without_orders())
    said = light.answer(book).plain
    assert not book.has_orders
    assert all(number in said for number in ("487", "437", "38", "227"))
    assert book.text("exhibits.light.no_orders") in said
    (listed,) = target.target(book)
    assert listed.heading == book.text("exhibits.chapter.light")
    assert listed.plain.index("华东精密") < listed.plain.index("B")
