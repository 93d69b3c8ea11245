"""Age buckets and months: what headers say."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from analysis.sources import buckets, months
from analysis.sources.dated import day_in


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("账期内", "not_due"),
        ("账期内（未到期）", "not_due"),
        ("未到期", "not_due"),
        ("未到期金额", "not_due"),
        ("未到期31天以上", "not_due_31+"),
        ("今日到期", "due_today"),
        ("1-30", "1-30"),
        ("1－30天（元）", "1-30"),
        ("1~30天", "1-30"),
        ("1至30天", "1-30"),
        ("30天以内", "1-30"),
        ("<=30", "1-30"),
        ("0-30", "0-30"),
        ("已到期1-30天", "1-30"),
        ("已逾期31-60", "31-60"),
        ("账龄91-180天", "91-180"),
        ("360以上", "361+"),
        ("361以上", "361+"),
        ("360天以上（含）", "361+"),
        (">360", "361+"),
        (">=361", "361+"),
        ("超过360天", "361+"),
        ("over 90 days", "91+"),
        ("90+", "91+"),
        ("Current", "not_due"),
        ("Not yet due", "not_due"),
        ("1年以内", "1-365"),
        ("1-2年", "366-730"),
        ("三年以上", "1096+"),
        ("3-6个月", "91-180"),
        ("逾期金额", "1+"),
        ("0-30 (current)", "not_due_0-30"),
        ("31-60 days past due", "31-60"),
        ("已到期1-30天", "1-30"),
        ("未到期31天以上", "not_due_31+"),
        ("半年以内", "1-180"),
        ("1年以内(含1年)", "1-365"),
        (">90 days", "91+"),
        ("1-30（万元）", "1-30"),
    ],
)
def test_headers_that_name_a_bucket(header: str, key: str) -> None:
    found = buckets.parse(header)
    assert found is not None
    assert found.key == key
    assert found.overdue == (not key.startswith(("not_due", "due_today")))


@pytest.mark.parametrize(
    "header",
    [
        "余额",
        "客户编码",
        "客户名称",
        "业务员",
        "合计",
        "信用期限",
        "本年累计",
        "备注",
        "60-31",
        "",
        "2025.09",
    ],
)
def test_headers_that_name_none(header: str) -> None:
    assert buckets.parse(header) is None


_DAYS = st.integers(0, 72).map(lambda n: n * 5)


@given(
    low=_DAYS,
    high=_DAYS,
    dash=st.sampled_from("-–~～至"),
    day=st.sampled_from(["", "天", " 天"]),
    state=st.sampled_from(["", "已到期", "逾期", "未到期"]),
)
def test_spans_come_back_as_they_were_written(
    low: int, high: int, dash: str, day: str, state: str
) -> None:
    assume(low < high)
    found = buckets.parse(f"{state}{low + 1}{dash}{high}{day}")
    assert found is not None
    key = f"{low + 1}-{high}"
    assert found.key == (f"not_due_{key}" if state == "未到期" else key)
    assert found.stated == bool(state)
    assert buckets.parse(found.key) == buckets.Bucket(found.key, found.key.startswith("not"))
    if found.overdue:
        assert buckets.first_day(found.key) == low + 1


@given(last=_DAYS.filter(bool), form=st.sampled_from(["{}以上", "{}天以上", ">{}", "超过{}天"]))
def test_open_buckets_begin_the_day_after(last: int, form: str) -> None:
    found = buckets.parse(form.format(last))
    assert found is not None
    assert found.key == f"{last + 1}+"
    assert buckets.parse(found.key) == found
    assert buckets.first_day(found.key) == last + 1


def test_whether_overdue_is_known() -> None:
    def known(*headers: str) -> bool:
        return buckets.known_overdue([b for b in map(buckets.parse, headers) if b])

    assert known("未到期", "1-30", "30以上")
    assert known("已到期1-30天", "逾期30天以上")
    assert not known("1-30", "30以上")  # days since the invoice, perhaps


@pytest.mark.parametrize(
    ("header", "month"),
    [
        ("1月", "2025-01"),
        ("01月", "2025-01"),
        ("十二月", "2025-12"),
        ("7月（万元）", "2025-07"),
        ("7月目标", "2025-07"),
        ("2024年3月", "2024-03"),
        ("2024-03", "2024-03"),
        ("Sep", "2025-09"),
        ("September", "2025-09"),
        ("Sep 2024", "2024-09"),
        ("13月", None),
        ("年度目标", None),
        ("上月", None),
        ("1季度", "2025Q1"),
        ("第二季度目标", "2025Q2"),
        ("Q3", "2025Q3"),
        ("Jan-26", "2026-01"),
        ("25年3月", "2025-03"),
        ("全年", None),
        ("合计", None),
        ("指标", None),
        ("market", None),
    ],
)
def test_months(header: str, month: str | None) -> None:
    assert months.parse(header, 2025) == month


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("data/应收账龄_2025-09-30.xlsx", "2025-09-30"),
        ("应收账龄20250930.xlsx", "2025-09-30"),
        ("应收账龄（2025年9月30日）.xlsx", "2025-09-30"),
        ("账龄2025.9.30导出.csv", "2025-09-30"),
        ("应收账龄_2025-02.xlsx", "2025-02-28"),
        ("2025年9月应收.xlsx", "2025-09-30"),
        ("应收账龄.xlsx", None),
        ("应收_2025-09-31.xlsx", None),
        ("应收_2025-06-30_2025-09-30.xlsx", None),
    ],
)
def test_the_day_in_a_file_name(name: str, day: str | None) -> None:
    found = day_in(name)
    assert (found.isoformat() if found else None) == day


@pytest.mark.parametrize(
    ("header", "span"),
    [
        ("合计", "2025"), ("全年(万元)", "2025"), ("年度目标", "2025"), ("2026年", "2026"),
        ("上半年", "2025H1"), ("H2", "2025H2"), ("Total", "2025"), ("指标", None), ("大区", None),
        ("单位", None), ("1月", None),
    ],
)  # fmt: skip
def test_sums_over_time(header: str, span: str | None) -> None:
    assert months.sum_of(header, 2025) == span


def test_what_lies_between_buckets() -> None:
    whole = buckets.coverage(["not_due", "1-30", "31-60", "61+"])
    assert whole == buckets.Coverage()
    assert buckets.coverage(["1-30", "61-90", "91+"]).gaps == ("31-60",)
    assert buckets.coverage(["1-30", "30-60", "61+"]).shared == (("1-30", "30-60"),)
    assert buckets.coverage(["1-30", "1-60", "61+"]).overlaps == (("1-30", "1-60"),)
    assert buckets.coverage(["1-90", "1-30", "31-60", "61-90", "91+"]).sums == ("1-90",)
    assert buckets.coverage(["not_due_0-30", "not_due_61+"]).gaps == ("not_due_31-60",)


@given(edges=st.lists(st.integers(1, 400), min_size=2, max_size=8, unique=True).map(sorted))
def test_buckets_edge_to_edge_have_neither_gap_nor_overlap(edges: list[int]) -> None:
    keys = [f"{a + 1}-{b}" for a, b in pairwise(edges)] + [f"{edges[-1] + 1}+"]
    found = buckets.coverage(keys)
    assert found == buckets.Coverage()
    if len(keys) > 2:
        assert buckets.coverage([keys[0], *keys[2:]]).gaps == (keys[1],)
