"""Receivables and targets that stand wide."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from analysis import wording
from analysis.errors import SourceError
from analysis.settings_model import Settings
from analysis.sources import Sources, read

Make = Callable[..., Settings]
AGED = {"customer_id": "客户编码", "balance": "余额", "as_of": {"file_name": "date"}}
HEAD = "客户编码,客户名称,部门,余额,账期内,1-30,31-60,60以上"


@pytest.fixture
def aged(tmp_path: Path, make: Make) -> Callable[..., Sources]:
    def _read(content: str, name: str = "应收_2025-09-30.csv", **more: Any) -> Sources:
        (tmp_path / name).write_text(content, encoding="utf-8")
        source = {"path": name, "columns": AGED, "wide": "buckets", **more}
        return read(make({"receivables": source}), tmp_path)

    return _read


def rows(found: Sources) -> list[tuple[Any, ...]]:
    names = ("customer_id", "bucket", "amount", "overdue")
    return sorted(tuple(r[n] for n in names) for r in found.tables["receivables"].to_pylist())


def test_buckets_become_rows_and_keep_leading_zeros(aged: Callable[..., Sources]) -> None:
    found = aged(
        f"应收账龄分析表,,,,,,,\n{HEAD}\n"
        "0101,甲,一部,100.30,60.10,40.20,,0\n"
        "0102,乙,二部,-5,,,,-5\n"
        ",一部小计,,100.30,60.10,40.20,,\n"
        "合计,,,95.30,60.10,40.20,0,-5\n"
    )
    assert rows(found) == [
        ("0101", "1-30", Decimal("40.2"), Decimal("40.2")),
        ("0101", "not_due", Decimal("60.1"), Decimal(0)),
        ("0102", "61+", Decimal(-5), Decimal(-5)),
    ]
    assert set(found.tables["receivables"]["as_of"].to_pylist()) == {datetime(2025, 9, 30)}
    assert found.rejected["rule"].to_pylist() == ["total_row", "total_row"]
    assert found.rejected["amount"].null_count == 2  # a total is no money of its own
    assert "balance" not in found.tables["receivables"].column_names


def test_a_row_that_does_not_add_up_goes_with_its_balance(aged: Callable[..., Sources]) -> None:
    found = aged(
        f"{HEAD}\nA,甲,,100,60,40,,\nB,乙,,100.01,60,40,,\nC,丙,,30,,30,,\nD,丁,,9,9,不详,,\nE,戊,,7,7,,,\n"
    )
    assert {r[0] for r in rows(found)} == {"A", "C", "E"}
    gone = {r["key"].split("/")[0]: r for r in found.rejected.to_pylist()}
    assert gone["B"]["rule"] == "does_not_add_up"
    assert gone["B"]["amount"] == Decimal("100.01")
    assert gone["D"]["rule"] == "unreadable_number"
    assert '"header": "1-30"' in gone["D"]["reason"]


def test_units_in_headers_and_room_for_their_rounding(aged: Callable[..., Sources]) -> None:
    found = aged("客户编码,余额(万元),账期内(万元),1-30(万元)\nA,10.01,6,4\nB,2,1.5,.5\n")
    assert rows(found)[0] == ("A", "1-30", Decimal(40000), Decimal(40000))
    inherited = aged(
        "客户编码,余额,账期内,1-30\nA,10,6,4\n",
        columns={**AGED, "balance": {"from": "余额", "unit": "万元"}},
    )
    assert rows(inherited)[0][2] == Decimal(40000)


def test_without_a_bucket_not_due_nobody_knows_what_is_overdue(
    aged: Callable[..., Sources],
) -> None:
    found = aged("客户编码,余额,1-30,30以上\nA,10,6,4\n")
    assert [r[3] for r in rows(found)] == [None, None]
    stated = aged("客户编码,余额,逾期1-30天,逾期30天以上\nA,10,6,4\n")
    assert [r[3] for r in rows(stated)] == [Decimal(6), Decimal(4)]


def test_a_sum_of_the_overdue_is_no_bucket(aged: Callable[..., Sources]) -> None:
    found = aged("客户编码,余额,未到期,逾期金额,1-30,30以上\nA,10,4,6,5,1\n")
    assert [r[1] for r in rows(found)] == ["1-30", "31+", "not_due"]
    alone = aged("客户编码,余额,未到期,已逾期\nA,10,4,6\n")
    assert rows(alone)[0][1] == "1+"


@profile(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(
    cells=st.lists(
        st.lists(st.integers(-(10**9), 10**9), min_size=4, max_size=4), min_size=1, max_size=6
    )
)
def test_money_is_kept_to_the_fen(aged: Callable[..., Sources], cells: list[list[int]]) -> None:
    lines = [
        f"C{i},,,{sum(row) / 100:.2f}," + ",".join(f"{v / 100:.2f}" for v in row)
        for i, row in enumerate(cells)
    ]
    found = aged("\n".join([HEAD, *lines]))
    total = pc.sum(found.tables["receivables"]["amount"]).as_py() or Decimal(0)
    assert total == Decimal(sum(map(sum, cells))) / 100
    assert found.rejected.num_rows == 0


@pytest.mark.parametrize(
    ("content", "name", "key"),
    [
        ("客户编码,余额,部门\nA,1,x\n", "应收_2025-09-30.csv", "sources.no_buckets"),
        ("客户编码,余额,1-30,1~30天\nA,2,1,1\n", "应收_2025-09-30.csv", "sources.wide_twice"),
        (
            "客户编码,余额,账期内,1-30\nA,9,1,1\n",
            "应收_2025-09-30.csv",
            "sources.buckets_do_not_add_up",
        ),
        ("客户编码,余额,账期内\nA,1,1\n", "应收.csv", "sources.no_day_in_name"),
        ("客户编码,账期内\nA,1\n", "应收_2025-09-30.csv", "sources.missing_column"),
    ],
)
def test_errors_say_what_to_do(
    aged: Callable[..., Sources], content: str, name: str, key: str
) -> None:
    with pytest.raises(SourceError) as caught:
        aged(content, name)
    assert [p.key for p in caught.value.problems] == [key]
    assert caught.value.problems[0].file == name
    for lang in wording.LANGUAGES:
        (told,) = wording.explain(caught.value, lang)
        assert name in told


def test_long_receivables_get_the_same_names(tmp_path: Path, make: Make) -> None:
    (tmp_path / "r.csv").write_text(
        "客户,日,账龄,金额\nA,2025-09-30,未到期,5\nA,2025-09-30,360天以上,2\n", encoding="utf-8"
    )
    columns = {"customer_id": "客户", "as_of": "日", "bucket": "账龄", "amount": "金额"}
    found = read(make({"receivables": {"path": "r.csv", "columns": columns}}), tmp_path)
    assert rows(found) == [
        ("A", "361+", Decimal(2), Decimal(2)),
        ("A", "not_due", Decimal(5), Decimal(0)),
    ]


@pytest.fixture
def planned(tmp_path: Path, make: Make) -> Callable[..., Sources]:
    def _read(content: str, **more: Any) -> Sources:
        (tmp_path / "t.csv").write_text(content, encoding="utf-8")
        columns = {"owner_id": "业务员", "kpi": {"value": "revenue"}}
        source = {"path": "t.csv", "columns": columns, "wide": "months", "year": 2025, **more}
        return read(make({"targets": source}), tmp_path)

    return _read


def test_months_become_rows_and_rows_of_one_person_add_up(
    planned: Callable[..., Sources],
) -> None:
    found = planned(
        "大区,部门,业务员,年度目标,1月(万元),2月(万元),3月(万元)\n"
        "华东,一部,P1,6,1.1,2,\n华东,一部,P1,4,0.2,1,1\n华东,一部小计,,10,1.3,3,1\n"
        "华南,二部,P2,1,,,1\n合计,,,11,1.3,3,2\n"
    )
    table = found.tables["targets"]
    values = {(r["owner_id"], r["period"]): r["value"] for r in table.to_pylist()}
    assert values == {
        ("P1", "2025-01"): 13000.0,
        ("P1", "2025-02"): 30000.0,
        ("P1", "2025-03"): 10000.0,
        ("P2", "2025-03"): 10000.0,
    }
    assert set(table["kpi"].to_pylist()) == {"revenue"}
    assert found.rejected["rule"].to_pylist() == ["total_row", "total_row"]


@profile(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(
    cells=st.lists(
        st.lists(st.integers(0, 10**9), min_size=12, max_size=12), min_size=1, max_size=5
    )
)
def test_targets_add_up_to_the_fen(planned: Callable[..., Sources], cells: list[list[int]]) -> None:
    head = "业务员," + ",".join(f"{m}月" for m in range(1, 13))
    lines = [f"P{i % 2}," + ",".join(f"{v / 100:.2f}" for v in r) for i, r in enumerate(cells)]
    values = planned("\n".join([head, *lines])).tables["targets"]["value"].to_pylist()
    assert sum(Decimal(f"{v:.2f}") for v in values) == Decimal(sum(map(sum, cells))) / 100


def test_no_months_and_a_month_twice(planned: Callable[..., Sources]) -> None:
    with pytest.raises(SourceError, match=r"sources\.no_months"):
        planned("业务员,本季\nP1,1\n")
    with pytest.raises(SourceError, match=r"sources\.wide_twice"):
        planned("业务员,1月,01月\nP1,1,2\n")


def notes(found: Sources) -> str:
    return str(found.files["note"][0])


def test_gaps_and_overlaps_between_buckets_are_told(aged: Callable[..., Sources]) -> None:
    assert "note.bucket_gap" in notes(aged("客户编码,余额,未到期,1-30,61以上\nA,6,1,2,3\n"))
    assert "note.bucket_shared" in notes(aged("客户编码,余额,未到期,1-30,30-60\nA,6,1,2,3\n"))
    with pytest.raises(SourceError, match=r"sources\.buckets_overlap"):
        aged("客户编码,未到期,1-30,1-60\nA,1,2,3\n")


def test_a_bucket_that_others_make_up_is_left_out(aged: Callable[..., Sources]) -> None:
    found = aged("客户编码,余额,未到期,1-60,1-30,31-60\nA,6,1,5,2,3\n")
    assert [r[1] for r in rows(found)] == ["1-30", "31-60", "not_due"]
    assert "note.bucket_sum" in notes(found)


YEAR = "业务员,全年," + ",".join(f"{m}月" for m in range(1, 13)) + ",上半年\n"


def line(name: str, total: int, half: int = 6) -> str:
    return f"{name},{total}," + ",".join(["1"] * 12) + f",{half}\n"


def test_sums_are_checked_against_their_months_and_left_out(
    planned: Callable[..., Sources],
) -> None:
    good = planned(YEAR + line("P1", 12) + line("P2", 12))
    assert good.tables["targets"].num_rows == 24
    assert notes(good).count("note.sum_left_out") == 2
    off = planned(YEAR + line("P1", 12) + line("P2", 13) + line("P3", 12))
    assert "note.sum_off" in notes(off) and '"first": "3"' in notes(off)
    with pytest.raises(SourceError, match=r"sources\.sums_do_not_add_up"):
        planned(YEAR + line("P1", 120) + line("P2", 120))


def test_quarters_become_rows_or_check_the_months(planned: Callable[..., Sources]) -> None:
    alone = planned("业务员,一季度,二季度,三季度,四季度,合计\nP1,1,2,3,4,10\n")
    assert sorted(alone.tables["targets"]["period"].to_pylist())[0] == "2025Q1"
    assert alone.tables["targets"].num_rows == 4
    beside = planned("业务员,1月,2月,3月,一季度\nP1,1,2,3,6\n")
    assert beside.tables["targets"].num_rows == 3
    assert "note.sum_left_out" in notes(beside)


def test_the_unit_of_a_title_counts_for_months_and_buckets(
    planned: Callable[..., Sources], aged: Callable[..., Sources]
) -> None:
    found = planned("目标分解表（单位：万元）,,\n业务员,1月,2月\nP1,1,2\n")
    assert sorted(found.tables["targets"]["value"].to_pylist()) == [10_000, 20_000]
    owed = aged("应收账龄表（单位：万元）,,,\n客户编码,余额,账期内,1-30\nA,3,1,2\n")
    assert rows(owed)[0][2] == Decimal(20_000)
