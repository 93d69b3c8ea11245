"""Files grow row by row as other programs would write them."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from analysis.demo import cells, files
from analysis.demo.files import Export
from analysis.demo.outputs import Output

_words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)
_cell = st.one_of(_words, st.integers(-(10**9), 10**9), st.dates(), st.just(""))


@given(st.lists(st.tuples(_words, st.integers(-(10**12), 10**12), _cell), min_size=1, max_size=8))
def test_lines_are_those_of_the_standard_writer(rows):
    frame = pd.DataFrame(rows, columns=["text", "number", "any"])
    frame = frame.astype({"text": object, "any": object})
    expected = io.StringIO(newline="")
    csv.writer(expected, lineterminator="\r\n").writerows(rows)
    assert "".join(files.lines(frame)) == expected.getvalue()


@given(st.lists(st.integers(-(10**15), 10**15), min_size=1))
def test_money_is_exact(fen):
    assert [Decimal(text) for text in cells.money(fen)] == [Decimal(f).scaleb(-2) for f in fen]
    assert all(text[-3] == "." for text in cells.money(fen))


def test_dates_of_day_numbers():
    assert cells.dates([0, 1095]).tolist() == ["2022-10-01", "2025-09-30"]


def _export(rows: list[tuple[str, int]], **more: object) -> Export:
    return Export("清单.csv", "orders", pd.DataFrame(rows, columns=["号", "数"]), **more)  # type: ignore[arg-type]


def test_blocks_follow_one_another_and_totals_add_up(tmp_path):
    first = _export([("a", 1)], total={"号": "合计", "数": 1})
    output = Output(tmp_path, first, large=False)
    assert output.next_row == 2
    output.add(first)
    assert output.next_row == 3
    output.add(_export([("b", 2), ("c", 3)], total={"号": "合计", "数": 5}))
    assert not (tmp_path / "清单.csv").exists()
    assert output.close()
    assert output.publish() == tmp_path / "清单.csv"
    text = (tmp_path / "清单.csv").read_bytes()
    assert text == b"\xef\xbb\xbf" + "号,数\r\na,1\r\nb,2\r\nc,3\r\n合计,6\r\n".encode()
    assert output.rows == 4
    assert output.total_key == "合计"


def test_long_workbooks_become_csv_but_not_those_of_the_company(tmp_path):
    frame = pd.DataFrame({"号": ["a"], "日": [date(2025, 1, 2)]})
    long = Output(tmp_path, Export("客户.xlsx", "customers", frame, "gb18030", "标题"), large=True)
    assert long.name == "客户.csv"
    assert long.next_row == 2  # no title above the header
    whole = Output(tmp_path, Export("目标.xlsx", "targets", frame, whole=True), large=True)
    assert whole.name == "目标.xlsx"
    for output in (long, whole):
        output.discard()
    assert list(tmp_path.iterdir()) == []
