"""Facts: ids, units, refusal of contradictions, the record's tables as facts."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest

from analysis.errors import StageError
from analysis.exhibits.collect import collect
from analysis.exhibits.facts import Fact, FactBook, facts_from_table
from tests.exhibits import sample


def test_a_fact_per_cell_with_the_bare_id_for_value() -> None:
    frame = pd.DataFrame(
        {
            "kpi": ["revenue", "retention"],
            "value": [10.0, 0.5],
            "change": [0.1, -0.02],
            "unit": ["money", "share"],
        }
    )
    book = facts_from_table(
        "kpis",
        frame,
        key="kpi",
        units={"value": "row", "change": "change"},
        prefix="kpi",
        unit_column="unit",
    )
    assert list(book) == [
        "kpi.retention",
        "kpi.retention.change",
        "kpi.revenue",
        "kpi.revenue.change",
    ]
    assert book["kpi.revenue.change"].unit == "relative"
    assert book["kpi.retention.change"].unit == "points"


def test_missing_cells_give_no_fact() -> None:
    frame = pd.DataFrame({"key": ["a", "b"], "n": [1.0, math.nan]})
    assert list(facts_from_table("t", frame, key="key", units={"n": "count"})) == ["t.a.n"]


def test_ids_hold_no_blanks_and_no_stray_dots() -> None:
    frame = pd.DataFrame({"key": ["Mens E-Mail 2.0"], "n": [1]})
    assert list(facts_from_table("t", frame, key="key", units={"n": "count"})) == [
        "t.Mens_E-Mail_2_0.n"
    ]


def test_the_same_id_with_another_value_is_refused() -> None:
    book = FactBook([Fact("a", 1, "count")])
    book.add(Fact("a", 1, "count", source="elsewhere"))
    with pytest.raises(StageError) as error:
        book.add(Fact("a", 2, "count"))
    assert error.value.problems[0].key == "exhibits.fact_twice"


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(StageError):
        FactBook([Fact("a", 1, "furlongs")])


def test_json_round_trip_is_sorted_and_the_same() -> None:
    book = collect(sample.tables(), sample.settings())
    data = book.to_json()
    assert list(data) == sorted(data)
    assert FactBook.from_json(json.loads(json.dumps(data))).to_json() == data


def test_facts_do_not_depend_on_the_order_of_rows() -> None:
    tables = sample.tables()
    shuffled = {n: f.sample(frac=1, random_state=7) for n, f in tables.items()}
    settings = sample.settings()
    assert collect(tables, settings).to_json() == collect(shuffled, settings).to_json()


def test_collect_takes_tables_settings_and_reasons() -> None:
    book = collect(sample.tables(), sample.settings())
    assert book["kpi.revenue"] == Fact("kpi.revenue", 128_600_000, "money", n=1862, source="kpis")
    assert book["kpi.revenue.attainment"].value == pytest.approx(0.9526, abs=1e-4)
    assert book["kpi.revenue.2024Q4"].value == 137_000_000
    assert book["setting.segmentation.new_customer_days"].value == 180
    assert book["account.rescue.C20001.reason.days"].unit == "days"
    assert book["effect.executive_visit.treated.revenue.all.estimate"].low == 21_000
    assert book["decision.1.due"] == Fact(
        "decision.1.due", "2025-10-15", "date", source="decisions"
    )


def test_the_bridge_adds_up_and_its_sums_are_facts() -> None:
    book = collect(sample.tables(), sample.settings())

    def value(step: str) -> float:
        return float(book[f"bridge.{step}.amount"].value)

    assert value("previous") + value("gains") + value("losses") == pytest.approx(value("current"))
    assert value("net") == pytest.approx(value("current") - value("previous"))
    assert 0 < value("cut") < value("current") - abs(value("net"))


def test_printed_shares_add_to_one_hundred() -> None:
    book = collect(sample.tables(), sample.settings())
    for column in ("share", "revenue_share"):
        parts = [round(float(book[f"segment.{s}.{column}"].value) * 1000) for s in sample.SEGMENTS]
        assert sum(parts) == 1000


def test_movement_margins_tie_to_the_summary() -> None:
    book = collect(sample.tables(), sample.settings())
    for segment in sample.SEGMENTS:
        assert book[f"movement.total.{segment}.customers"].value == (
            book[f"segment.{segment}.customers"].value
        )
        assert book[f"movement.{segment}.total.customers"].value == (
            book[f"segment.{segment}.customers_before"].value
        )


def test_empty_tables_give_only_settings() -> None:
    book = collect({}, sample.settings())
    assert {id_.split(".")[0] for id_ in book} == {"setting", "settings", "inputs"}
