from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.sources import dates
from analysis.sources.dates import Zones

HERE = Zones("Asia/Shanghai", "Asia/Shanghai")

READABLE = {
    "2024-01-03": datetime(2024, 1, 3),
    "2024-1-3": datetime(2024, 1, 3),
    "2024/1/3": datetime(2024, 1, 3),
    "2024.1.3": datetime(2024, 1, 3),
    "2024年1月3日": datetime(2024, 1, 3),
    "２０２４年１月３日": datetime(2024, 1, 3),
    "20240103": datetime(2024, 1, 3),
    "45294": datetime(2024, 1, 3),
    "45294.5": datetime(2024, 1, 3, 12),
    "2024-01-03 15:05": datetime(2024, 1, 3, 15, 5),
    "2024/01/03 15:05:07": datetime(2024, 1, 3, 15, 5, 7),
    "2024-01-03T15:05:07.250": datetime(2024, 1, 3, 15, 5, 7, 250000),
    "2024-01-03 下午3:05": datetime(2024, 1, 3, 15, 5),
    "2024年1月3日 上午12时5分": datetime(2024, 1, 3, 0, 5),
    "2024-03-31T17:00Z": datetime(2024, 4, 1, 1, 0),
    "2024-03-31T17:00:00+00:00": datetime(2024, 4, 1, 1, 0),
    "9999-12-31": datetime(9999, 12, 31),
}
REFUSED = (
    "03/01/2024", "13/01/2024", "24-1-3", "2024-1", "2024Q1", "2024-02-30", "2024/1-3", "12345",
    "95294", "二〇二四年一月三日", "2024-01-03 25:00", "2024-01-03 下午15:05", "yesterday", "0",
)  # fmt: skip


@pytest.mark.parametrize(("text", "moment"), READABLE.items())
def test_reads_year_first_forms(text: str, moment: datetime) -> None:
    assert dates.parse(text, HERE) == moment


@pytest.mark.parametrize("text", REFUSED)
def test_refuses_what_could_be_another_day(text: str) -> None:
    assert dates.parse(text, HERE) is None


@given(st.lists(st.one_of(st.none(), st.sampled_from([*READABLE, *REFUSED])), max_size=15))
def test_columns_agree_with_single_values(texts: list[str | None]) -> None:
    found = dates.parse_column(pa.array(texts, pa.string()), HERE)
    expected = [dates.parse(t, HERE) if t else None for t in texts]
    assert found.data.to_pylist() == expected
    assert found.bad.to_pylist() == [
        bool(t) and e is None for t, e in zip(texts, expected, strict=True)
    ]


def test_a_stated_format_is_the_only_one() -> None:
    found = dates.parse_column(pa.array(["03/04/2024", "2024-04-03"]), HERE, "%d/%m/%Y")
    assert found.data.to_pylist() == [datetime(2024, 4, 3), None]
    assert found.bad.to_pylist() == [False, True]


def test_naive_times_of_the_same_zone_are_not_shifted() -> None:
    london = Zones("Europe/London", "Europe/London")
    moments = [datetime(2010, 6, 1, 23, 30), datetime(2010, 12, 1, 0, 10)]
    typed = dates.parse_column(pa.array(moments, pa.timestamp("us")), london)
    text = dates.parse_column(pa.array(["2010-06-01 23:30", "2010-12-01 00:10"]), london)
    assert typed.data.to_pylist() == text.data.to_pylist() == moments


def test_times_move_to_the_runs_zone_and_plain_days_do_not() -> None:
    zones = Zones("UTC", "Asia/Shanghai")
    moved = datetime(2024, 4, 1, 1, 0)
    text = dates.parse_column(pa.array(["2024-03-31 17:00", "2024-03-31"]), zones)
    assert text.data.to_pylist() == [moved, datetime(2024, 3, 31)]
    naive = pa.array([datetime(2024, 3, 31, 17)], pa.timestamp("us"))
    assert dates.parse_column(naive, zones).data.to_pylist() == [moved]
    aware = pa.array([datetime(2024, 3, 31, 17), None], pa.timestamp("ns", "UTC"))
    assert dates.parse_column(aware, HERE).data.to_pylist() == [moved, None]
    days = pa.array([date(2024, 3, 31)], pa.date32())
    assert dates.parse_column(days, zones).data.to_pylist() == [datetime(2024, 3, 31)]


def test_serials_and_doubtful_days_are_counted() -> None:
    found = dates.parse_column(pa.array(["45294", "03/04/2024", "3.4.2024", "x"]), HERE)
    assert (found.serials, found.ambiguous) == (1, 2)
    assert (
        dates.parse_column(pa.array([45294, 20240103]), HERE).data.to_pylist()
        == [datetime(2024, 1, 3)] * 2
    )
    assert dates.parse_column(pa.array([45294.0, 45294.5]), HERE).data.to_pylist() == [
        datetime(2024, 1, 3), datetime(2024, 1, 3, 12),
    ]  # fmt: skip


def test_nothing_is_a_column_too() -> None:
    for kind in (pa.string(), pa.timestamp("us"), pa.date32(), pa.float64()):
        assert len(dates.parse_column(pa.array([], kind), HERE).data) == 0
