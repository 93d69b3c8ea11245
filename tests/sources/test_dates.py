"""Days: what is read, what is refused and why, against a reader of its own."""

from __future__ import annotations

import random
import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from analysis.sources import dates, periods
from analysis.sources.dates import Zones

HERE = Zones("Asia/Shanghai", "Asia/Shanghai")

READABLE = {
    "2024-01-03": datetime(2024, 1, 3),
    "2024-1-3": datetime(2024, 1, 3),
    "2024/1/3": datetime(2024, 1, 3),
    "2024.1.3": datetime(2024, 1, 3),
    "2024.01.03": datetime(2024, 1, 3),
    "2024年1月3日": datetime(2024, 1, 3),
    "２０２４年１月３日": datetime(2024, 1, 3),
    "二〇二四年一月三日": datetime(2024, 1, 3),
    "二○二四年十一月二十一日": datetime(2024, 11, 21),
    "20240103": datetime(2024, 1, 3),
    "20200227.0": datetime(2020, 2, 27),
    "20240103150507": datetime(2024, 1, 3, 15, 5, 7),
    "2024-01-03 15:05": datetime(2024, 1, 3, 15, 5),
    "2024/1/3 5:05": datetime(2024, 1, 3, 5, 5),
    "2024/01/03 15:05:07": datetime(2024, 1, 3, 15, 5, 7),
    "2024-01-03T15:05:07.250": datetime(2024, 1, 3, 15, 5, 7, 250000),
    "2024年1月3日15:05": datetime(2024, 1, 3, 15, 5),
    "2024-01-03 下午3:05": datetime(2024, 1, 3, 15, 5),
    "2024-01-03 3:05 PM": datetime(2024, 1, 3, 15, 5),
    "2024年1月3日 上午12时5分": datetime(2024, 1, 3, 0, 5),
    "2024-03-31T17:00Z": datetime(2024, 4, 1, 1, 0),
    "2024-03-31T17:00:00+00:00": datetime(2024, 4, 1, 1, 0),
    "2024-03-31 12:00:00 -0500": datetime(2024, 4, 1, 1, 0),
    "2024-02-29": datetime(2024, 2, 29),
    "9999-12-31": datetime(9999, 12, 31),
    "0001-01-01": datetime(1, 1, 1),
}
SERIALS = {"45294": datetime(2024, 1, 3), "45294.5": datetime(2024, 1, 3, 12)}
REFUSED = {
    "ambiguous_date": ("03/01/2024", "13/01/2024", "24-1-3", "3.4.24", "03/04/2024 10:00"),
    "no_day": ("0000-00-00", "1900-01-00", "1900/1/0", "0000-00-00 00:00:00", "0"),
    "unreadable_date": (
        "2024-1", "2024Q1", "2024", "2024-02-30", "2023-02-29", "1900-02-29", "2024-13-01",
        "2024/1-3", "12345", "95294", "2024-01-03 25:00", "2024-01-03 24:00", "2024-01-03 10:60",
        "2024-01-03 下午15:05", "yesterday", "2024-01-031", "2024-1-315:05", "20241301",
        "二〇二四年十三月三日", "1704240000", "2024-01-03T10:00+25:00", "Jan 3 2024", "待定",
    ),
}  # fmt: skip
CELLS = [*READABLE, *SERIALS, *(t for many in REFUSED.values() for t in many), "", " "]


@cache
def alone(cell: str) -> tuple[datetime | None, str | None]:
    found = dates.parse_column(pa.array([cell]), HERE)
    return found.data[0].as_py(), found.rules[0].as_py()


@pytest.mark.parametrize(("text", "moment"), [*READABLE.items(), *SERIALS.items()])
def test_reads_forms_with_one_meaning(text: str, moment: datetime) -> None:
    assert dates.parse(text, HERE) == moment
    assert alone(text)[1] is None


@pytest.mark.parametrize(("why", "text"), [(w, t) for w, many in REFUSED.items() for t in many])
def test_refuses_what_could_be_another_day(why: str, text: str) -> None:
    assert alone(text) == (None, why)


@given(st.lists(st.one_of(st.none(), st.sampled_from(CELLS)), max_size=25), st.randoms())
def test_workbooks_agree_with_single_values_in_any_order(
    cells: list[str | None], chance: random.Random
) -> None:
    chance.shuffle(cells)
    found = dates.parse_column(pa.array(cells, pa.string()), HERE, workbook=True)
    expected = [alone(c) if c else (None, None) for c in cells]
    assert list(zip(found.data.to_pylist(), found.rules.to_pylist(), strict=True)) == expected


@given(st.lists(st.sampled_from(CELLS), max_size=25))
def test_a_text_file_holds_dates_or_day_counts(cells: list[str]) -> None:
    found = dates.parse_column(pa.array(cells, pa.string()), HERE)
    read = [alone(c)[0] is not None for c in cells]
    counts = sum(c in SERIALS for c in cells)
    days = sum(read) - counts
    for cell, moment, why in zip(
        cells, found.data.to_pylist(), found.rules.to_pylist(), strict=True
    ):
        rarer = (cell in SERIALS) == (counts <= days)
        if alone(cell)[0] is not None and counts and days and rarer:
            assert (moment, why) == (None, "other_date_format")
        else:
            assert (moment, why) == alone(cell)


MOMENTS = st.datetimes(datetime(1900, 1, 2), datetime(9999, 12, 30))


@given(st.lists(MOMENTS, min_size=1, max_size=5))
def test_round_trip_in_every_form(moments: list[datetime]) -> None:
    whole = [m.replace(microsecond=0) for m in moments]
    days = [m.replace(hour=0, minute=0, second=0) for m in whole]
    forms = {
        "{0:%Y}-{0.month}-{0.day}": days, "{0:%Y}/{0.month}/{0.day}": days,
        "{0:%Y}.{0:%m}.{0:%d}": days, "{0:%Y}年{0.month}月{0.day}日": days,
        "{0:%Y-%m-%d}": days, "{0:%Y-%m-%d %H:%M:%S}": whole, "{0:%Y-%m-%dT%H:%M:%S.%f}": moments,
        "{0:%Y}/{0.month}/{0.day} {0.hour}:{0:%M:%S}": whole,
        "{0:%Y}年{0.month}月{0.day}日{0.hour}时{0:%M}分{0:%S}秒": whole,
        "{0:%Y-%m-%d} {0:%I:%M:%S %p}": whole,
    }  # fmt: skip
    for form, expected in forms.items():
        texts = [form.format(m) for m in moments]
        assert dates.parse_column(pa.array(texts), HERE).data.to_pylist() == expected, form


@given(st.dates(date(1954, 10, 3), date(2119, 1, 1)), st.integers(0, 86_399))
def test_day_counts_to_the_second(day: date, second: int) -> None:
    count = (day - date(1899, 12, 30)).days
    exact = datetime(day.year, day.month, day.day) + timedelta(seconds=second)
    number = count + second / 86_400
    for values in (pa.array([number]), pa.array([f"{number:.10f}"]), pa.array([repr(number)])):
        found = dates.parse_column(values, HERE)
        assert found.data.to_pylist() == [exact] and found.serials == 1


@given(st.text("0123456789-/.年月日 :TZ+", max_size=19))
def test_a_date_or_a_rule_never_a_guess(text: str) -> None:
    """What is read as year-first has year, month and day in the order of its digits."""
    moment, why = alone(text)
    assert (moment is None) == (why is not None or not text.strip())
    if (
        moment is None
        or text.strip() in ("", *SERIALS)
        or re.match(r"\A\s*\d{5}(\.\d+)?\s*\Z", text)
    ):
        return
    if re.search(r"[Z+]", text) or re.search(r"\d:\d+.*-\d{2}:?\d{2}\Z", text.strip()):
        return  # moved to another zone
    groups = [int(g) for g in re.findall(r"\d+", text)]
    compact = re.match(r"\A\s*(\d{4})(\d{2})(\d{2})", text)
    if compact:
        groups = [int(g) for g in compact.groups()]
    assert groups[:3] == [moment.year, moment.month, moment.day]


def test_a_stated_format_is_the_only_one() -> None:
    found = dates.parse_column(pa.array(["03/04/2024", "2024-04-03"]), HERE, "%d/%m/%Y")
    assert found.data.to_pylist() == [datetime(2024, 4, 3), None]
    assert found.bad.to_pylist() == [False, True]
    found = dates.parse_column(pa.array(["31/03/2024 17:00+0000", ""]), HERE, "%d/%m/%Y %H:%M%z")
    assert found.data.to_pylist() == [datetime(2024, 4, 1, 1), None]


def test_naive_times_of_the_same_zone_are_not_shifted() -> None:
    london = Zones("Europe/London", "Europe/London")
    moments = [datetime(2010, 6, 1, 23, 30), datetime(2010, 12, 1, 0, 10)]
    typed = dates.parse_column(pa.array(moments, pa.timestamp("us")), london)
    text = dates.parse_column(pa.array(["2010-06-01 23:30", "2010-12-01 00:10"]), london)
    assert typed.data.to_pylist() == text.data.to_pylist() == moments


def test_times_move_to_the_runs_zone_and_plain_days_do_not() -> None:
    zones = Zones("UTC", "Asia/Shanghai")
    moved = datetime(2024, 4, 1, 1, 0)
    written = ["2024-03-31 17:00", "2024-03-31", "2024/3/31 17:00", "2024年3月31日 下午5:00"]
    text = dates.parse_column(pa.array(written), zones)
    assert text.data.to_pylist() == [moved, datetime(2024, 3, 31), moved, moved]
    naive = pa.array([datetime(2024, 3, 31, 17)], pa.timestamp("us"))
    assert dates.parse_column(naive, zones).data.to_pylist() == [moved]
    aware = pa.array([datetime(2024, 3, 31, 17), None], pa.timestamp("ns", "UTC"))
    assert dates.parse_column(aware, HERE).data.to_pylist() == [moved, None]
    days = pa.array([date(2024, 3, 31)], pa.date32())
    assert dates.parse_column(days, zones).data.to_pylist() == [datetime(2024, 3, 31)]


@given(st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1)))
def test_text_and_stored_times_move_alike(moment: datetime) -> None:
    """Where a clock shows an hour twice, or skips one, too."""
    assume(moment.time() != datetime.min.time())  # a column of midnights is one of days
    zones = Zones("Europe/Berlin", "UTC")
    stored = dates.parse_column(pa.array([moment], pa.timestamp("us")), zones).data
    written = [moment.isoformat(" "), f"{moment:%Y/%m/%d %H:%M:%S.%f}"]
    text = dates.parse_column(pa.array(written), zones).data
    assert text.to_pylist() == stored.to_pylist() * 2
    back = stored[0].as_py().replace(tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin"))
    exists = moment.replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    if exists.astimezone(ZoneInfo("Europe/Berlin")).replace(tzinfo=None) == moment:
        assert back.replace(tzinfo=None) == moment


def test_dates_beside_day_first_text_in_a_workbook_may_be_swapped() -> None:
    mixed = pa.array(["2024-03-01 00:00:00", "2024-12-02 00:00:00", "13/01/2024"])
    assert dates.parse_column(mixed, HERE, workbook=True).swapped
    late = pa.array(["2024-03-01", "2024-12-31", "13/01/2024"])
    assert not dates.parse_column(late, HERE, workbook=True).swapped
    assert not dates.parse_column(mixed.slice(0, 2), HERE, workbook=True).swapped


def test_numbers_as_dates() -> None:
    assert (
        dates.parse_column(pa.array([45294, 20240103]), HERE).data.to_pylist()
        == [datetime(2024, 1, 3)] * 2
    )
    found = dates.parse_column(pa.array([45294.0, 45294.5, 20200227.0, None, float("nan")]), HERE)
    assert found.data.to_pylist() == [
        datetime(2024, 1, 3), datetime(2024, 1, 3, 12), datetime(2020, 2, 27), None, None,
    ]  # fmt: skip
    assert found.rules.null_count == 5
    assert dates.parse_column(pa.array([1e15, -1.0]), HERE).rules.null_count == 0


def test_nothing_is_a_column_too() -> None:
    for kind in (pa.string(), pa.timestamp("us"), pa.date32(), pa.float64()):
        assert len(dates.parse_column(pa.array([], kind), HERE).data) == 0


MONTHS = {
    "2024-1": "2024-01", "2024-01": "2024-01", "2024/1": "2024-01", "2024年1月": "2024-01",
    "2024年01月份": "2024-01", "202401": "2024-01", "202401.0": "2024-01",
    "2024-01-31": "2024-01", "2024/1/31 0:00": "2024-01", "2024-13": None, "24-1": None,
    "２０２４．１": "2024-01", "1月": None, "2024": None, "": None,
}  # fmt: skip
PERIODS = {
    "2025Q3": "2025Q3", "2025q3": "2025Q3", "2025年第三季度": "2025Q3", "2025年3季度": "2025Q3",
    "2025H1": "2025H1", "2025年上半年": "2025H1", "2025": "2025", "2025年": "2025",
    "2025-09": "2025-09", "2025年9月": "2025-09", "2025-W36": "2025-W36", "2025Q5": None,
    "Q3": None, "本季度": None,
}  # fmt: skip


def test_months_and_periods() -> None:
    names, bad = periods.months(pa.array(list(MONTHS)))
    assert names.to_pylist() == list(MONTHS.values())
    assert bad.to_pylist() == [bool(text) and name is None for text, name in MONTHS.items()]
    names, bad = periods.periods(pa.array(list(PERIODS)))
    assert names.to_pylist() == list(PERIODS.values())
    assert bad.to_pylist() == [name is None for name in PERIODS.values()]
    days = pa.array([date(2024, 1, 31), None], pa.date32())
    assert periods.months(days)[0].to_pylist() == ["2024-01", None]
